"""PSN: the sparse part of a clip, and a shallow convolutional network (the paper's reference [21]).

The paper says of it: robust principal component analysis, the low-rank part is left out, and the sparse part goes into
a shallow CNN, so that the network sees motion only (section 2). The text that we have lacks the reference itself, and
we know no other description: every size here is assumed. One channel a frame of the sparse part
(:mod:`lfdtcmen.baselines.rpca`), 32 x 32; two convolutions of 5 x 5, with 16 and 32 filters, each with a maximum over 2
x 2 cells; a linear layer of 128. The training is that of the compared networks on flow
(:mod:`lfdtcmen.baselines.flow_networks`): AdamW with a rate that rises and falls, mirrored clips, classes weighed by
their inverse frequency.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.baselines.baseline import Baseline
from lfdtcmen.baselines.hand_crafted import describe_each
from lfdtcmen.baselines.rpca import sparse_motion
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.devices import find_device
from lfdtcmen.training.batches import epoch_batches
from lfdtcmen.training.loop import Schedule, Task, fit

SIZE = 32  # pixels
EPOCHS = 30
BATCH_SIZE = 32
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.01


class PSN(nn.Module):
    """The sparse part of a clip, [B, 11, 32, 32], to logits [B, C]; 279,907 parameters for three classes."""

    def __init__(self, num_classes: int, frames: int = 11):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(frames, 16, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2)),  # [B, 16, 16, 16]
            *(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2)),  # [B, 32, 8, 8]
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(nn.Linear(32 * 8 * 8, 128), nn.ReLU(inplace=True), nn.Dropout())
        self.last = nn.Linear(128, num_classes)

    def forward(self, motion: Tensor) -> Tensor:
        return self.last(self.classifier(self.features(motion)))


def small_motion(clip: np.ndarray) -> np.ndarray:
    """Return the sparse part of a clip [T, H, W], averaged down to [T, 32, 32]."""
    return np.stack([cv2.resize(frame, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for frame in sparse_motion(clip)])


class Classification(Task):
    """Class-balanced cross-entropy on mirrored motion, in the form that the training loop runs."""

    title = "train"

    def __init__(self, network: PSN, motion: Tensor, pairs: PairSet, seed: int):
        self.network, self.motion, self.seed = network, motion, seed
        weights = 1 / np.bincount(pairs.labels)[pairs.labels]  # of each pair: the classes count alike
        self.labels = torch.from_numpy(pairs.labels).to(motion.device)
        self.weights = torch.from_numpy(weights.astype(np.float32)).to(motion.device)

    def batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield motion, labels and weights of the epoch's batches, half of the clips mirrored."""
        self.network.train()
        rng = np.random.default_rng([self.seed, epoch])
        for rows in epoch_batches(len(self.motion), BATCH_SIZE, rng):
            index = torch.from_numpy(rows).to(self.motion.device)
            mirror = torch.from_numpy(rng.random(len(rows)) < 0.5).to(self.motion.device)
            motion = self.motion[index]
            motion = torch.where(mirror[:, None, None, None], motion.flip(3), motion)
            yield motion, self.labels[index], self.weights[index]

    def loss(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted mean loss of the batch."""
        motion, labels, weights = batch
        losses = F.cross_entropy(self.network(motion), labels, reduction="none")
        return (weights * losses).sum() / weights.sum(), {}


def predict(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Train on ``train`` and return probabilities for ``test``, float64 [N_test, C]; the pairs have clips."""
    assert train.clips is not None and test.clips is not None  # Baseline has checked it
    known, asked = describe_each(train.clips, small_motion), describe_each(test.clips, small_motion)
    scale, device = known.std() + 1e-6, find_device()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = PSN(train.num_classes, known.shape[1]).to(device)
        task = Classification(network, torch.from_numpy(known / scale).to(device), train, seed)
        steps = -(-len(train) // BATCH_SIZE)
        fit(
            task,
            network,
            Schedule(EPOCHS, steps, LEARNING_RATE, WEIGHT_DECAY, warmup=0.1, clip_norm=1.0),
            progress=False,
        )
    network.eval()
    with torch.no_grad():
        logits = network(torch.from_numpy(asked / scale).to(device))
    return logits.double().softmax(1).cpu().numpy()


psn = Baseline("psn", predict, needs_clips=True, source="the paper's reference [21]", make=PSN)
