"""How the compared networks on optical flow are trained: all alike, by the project's own loop."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import Fold
from lfdtcmen.devices import find_device
from lfdtcmen.errors import DataError
from lfdtcmen.modules.batch import Batch
from lfdtcmen.training.batches import augment, epoch_batches
from lfdtcmen.training.loop import Schedule, Task, fit

CHUNK = 256  # pairs at once in prediction


@dataclass(frozen=True)
class FlowNetwork:
    """A published network on optical flow, as a model for :func:`lfdtcmen.evaluation.protocol.cross_validate`.

    The architecture is the publication's. The training is the same for all (it differs from each publication's, and is
    named in the settings): AdamW with a rate that rises and falls, mirrored flows, a loss that weighs each class by its
    inverse frequency, each component of the flow scaled by the training pairs.

    Parameters
    ----------
    name : str
        As the command line knows it.
    make : callable
        Number of classes -> untrained network, which takes U, V and strain, [B, 3, 28, 28], to logits [B, C].
    source : str
        Who published it, where.
    epochs : int
        Long enough for the training loss to settle.
    batch_size : int
    learning_rate, weight_decay : float
    """

    name: str
    make: Callable[[int], nn.Module]
    source: str
    epochs: int = 60
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.01

    @property
    def settings(self) -> Mapping:
        """What the predictions depend on apart from data and seed."""
        values = asdict(self)
        return {
            "model": values.pop("name"),
            **{key: value for key, value in values.items() if key not in ("make", "source")},
        }

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int) -> None:
        """Do nothing: the folds share nothing."""

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Train on ``train`` and return probabilities for ``test``, float [N_test, C].

        Raises
        ------
        DataError
            The pairs have no streams.
        """
        streams = [_streams_of(pairs, self.name) for pairs in (train, test)]
        known = streams[0]  # [N, 3, 28, 28]
        scale = known.std((0, 2, 3), keepdims=True) + 1e-6
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = self.make(train.num_classes).to(find_device())
            task = Classification(network, train, scale, self.batch_size, seed)
            steps = -(-len(train) // self.batch_size)
            schedule = Schedule(self.epochs, steps, self.learning_rate, self.weight_decay, warmup=0.1, clip_norm=1.0)
            fit(task, network, schedule, progress=False)
        network.eval()
        device = next(network.parameters()).device
        asked = torch.from_numpy(streams[1] / scale)
        with torch.no_grad():
            logits = torch.cat([network(part.to(device)) for part in asked.split(CHUNK)])
        return logits.double().softmax(1).cpu().numpy()


class Classification(Task):
    """Class-balanced cross-entropy on mirrored flows, in the form that the training loop runs."""

    title = "train"

    def __init__(self, network: nn.Module, pairs: PairSet, scale: np.ndarray, batch_size: int, seed: int):
        self.network, self.pairs, self.batch_size, self.seed = network, pairs, batch_size, seed
        self.device = next(network.parameters()).device
        self.scale = torch.from_numpy(scale).to(self.device)
        counts = np.bincount(pairs.labels, pairs.weights, pairs.num_classes)
        balance = np.divide(counts.sum(), (counts > 0).sum() * counts, out=np.zeros(len(counts)), where=counts > 0)
        self.balance = torch.from_numpy(balance.astype(np.float32)).to(self.device)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the epoch's batches, half of them mirrored."""
        self.network.train()
        rng = np.random.default_rng([self.seed, epoch])
        for rows in epoch_batches(len(self.pairs), self.batch_size, rng):
            yield augment(self.pairs.batch(rows).to(self.device), 0, rng)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the mean loss of the batch, each pair with the weight of its class and its own."""
        assert batch.flow is not None and batch.label is not None
        weight = self.balance[batch.label] * (1 if batch.weight is None else batch.weight)
        losses = F.cross_entropy(self.network(batch.flow / self.scale), batch.label, reduction="none")
        return (weight * losses).sum() / weight.sum(), {}


def _streams_of(pairs: PairSet, name: str) -> np.ndarray:
    """Return the flow streams, float32 [N, 3, 28, 28]."""
    if pairs.streams is None:
        raise DataError("the pairs have no flow streams", name, "call prepare_pairs first")
    return pairs.streams
