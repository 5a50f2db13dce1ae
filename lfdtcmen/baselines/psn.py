"""PSN: the sparse part of a clip, and a shallow convolutional network (the paper's reference [21]).

The paper says of it: robust principal component analysis, the low-rank part is left out, and the sparse part goes into
a shallow CNN, so that the network sees motion only (section 2). The text that we have lacks the reference itself, and
we know no other description: every size here is assumed. One channel a frame of the sparse part
(:mod:`lfdtcmen.baselines.rpca`), 32 x 32; two convolutions of 5 x 5, with 16 and 32 filters, each with a maximum over 2
x 2 cells; a linear layer of 128. The training is that of the compared networks
(:mod:`lfdtcmen.baselines.networks`): AdamW with a rate that rises and falls, mirrored clips, classes weighed by
their inverse frequency.
"""

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from lfdtcmen.baselines.baseline import Baseline
from lfdtcmen.baselines.hand_crafted import describe_each
from lfdtcmen.baselines.networks import Classification, ComparedNetwork, seeded
from lfdtcmen.baselines.rpca import sparse_motion
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.devices import find_device
from lfdtcmen.training.loop import Schedule, fit

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


def predict(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Train on ``train`` and return probabilities for ``test``, float64 [N_test, C]; the pairs have clips."""
    assert train.clips is not None and test.clips is not None  # Baseline has checked it
    known, asked = describe_each(train.clips, small_motion), describe_each(test.clips, small_motion)
    scale = known.std() + 1e-6
    motion = torch.from_numpy(known / scale)
    schedule = Schedule(EPOCHS, -(-len(train) // BATCH_SIZE), LEARNING_RATE, WEIGHT_DECAY, warmup=0.1, clip_norm=1.0)
    with seeded(seed):
        network = PSN(train.num_classes, known.shape[1]).to(find_device())
        task = Classification(network, (motion,), (motion.flip(3),), train, BATCH_SIZE, seed)
        fit(task, network, schedule, progress=False)
    network.eval()
    return ComparedNetwork.predict(network, (torch.from_numpy(asked / scale),))


psn = Baseline("psn", predict, needs_clips=True, source="the paper's reference [21]", make=PSN)
