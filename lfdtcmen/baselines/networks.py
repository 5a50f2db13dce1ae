"""What the compared networks share: their settings, and one training for all, by the project's own loop."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import Fold
from lfdtcmen.training.batches import epoch_batches
from lfdtcmen.training.loop import Schedule, Task, fit

CHUNK = 64  # pairs at once in prediction

Inputs = tuple[Tensor, ...]  # what a network takes of N pairs, each [N, ...]


@dataclass(frozen=True)
class ComparedNetwork(ABC):
    """A published network, as a model for :func:`lfdtcmen.evaluation.protocol.cross_validate`.

    The architecture is the publication's. The training is the same for all but for length and rate (it differs from
    each publication's, and is named in the settings): AdamW with a rate that rises and falls, mirrored pairs, a loss
    that weighs each class by its inverse frequency.

    Parameters
    ----------
    name : str
        As the command line knows it.
    make : callable
        Number of classes -> untrained network, which takes the inputs of pairs to logits [B, C].
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

    def prepare(  # noqa: B027 - most networks have nothing to do
        self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int
    ) -> None:
        """Do nothing: the folds share nothing."""

    @abstractmethod
    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Train on ``train`` and return probabilities for ``test``, float [N_test, C]."""

    def train(self, network: nn.Module, known: Inputs, mirrored: Inputs, pairs: PairSet, seed: int) -> None:
        """Train a network in place, on its device, and leave it in ``eval`` mode.

        Parameters
        ----------
        network : nn.Module
            Called with a batch of ``known``.
        known, mirrored : tuple of Tensor
            What the network takes of the training pairs, each [N, ...], as they are and with left and right exchanged.
        pairs : PairSet
            The training pairs: their labels and weights.
        seed : int
            Random seed of the batches.
        """
        task = Classification(network, known, mirrored, pairs, self.batch_size, seed)
        fit(task, network, self.schedule(len(pairs), self.epochs), progress=False)
        network.eval()

    def schedule(self, count: int, epochs: int) -> Schedule:
        """Return how long and how fast to train on ``count`` pairs."""
        steps = -(-count // self.batch_size)
        return Schedule(epochs, steps, self.learning_rate, self.weight_decay, warmup=0.1, clip_norm=1.0)

    @staticmethod
    @torch.no_grad()
    def predict(network: nn.Module, asked: Inputs) -> np.ndarray:
        """Return class probabilities, float64 [N, C], of a trained network for the inputs of N pairs."""
        device = next(network.parameters()).device
        chunks = zip(*(part.split(CHUNK) for part in asked), strict=True)
        logits = torch.cat([network(*(part.to(device) for part in chunk)) for chunk in chunks])
        return logits.cpu().double().softmax(1).numpy()  # mps has no 64 bits


class Classification(Task):
    """Class-balanced cross-entropy, half of the pairs mirrored, in the form that the training loop runs."""

    title = "train"

    def __init__(self, network: nn.Module, known: Inputs, mirrored: Inputs, pairs: PairSet, batch_size: int, seed: int):
        self.network, self.count, self.batch_size, self.seed = network, len(pairs), batch_size, seed
        device = next(network.parameters()).device
        # row k has pair k as it is, row N + k has it mirrored: [2N, ...]
        self.inputs = [torch.cat(both).to(device) for both in zip(known, mirrored, strict=True)]
        counts = np.bincount(pairs.labels, pairs.weights, pairs.num_classes)
        balance = np.divide(counts.sum(), (counts > 0).sum() * counts, out=np.zeros(len(counts)), where=counts > 0)
        weights = balance[pairs.labels] * (1 if pairs.weights is None else pairs.weights)
        self.labels = torch.from_numpy(np.tile(pairs.labels, 2)).to(device)  # [2N]
        self.weights = torch.from_numpy(np.tile(weights, 2).astype(np.float32)).to(device)  # [2N]

    def batches(self, epoch: int) -> Iterator[Tensor]:
        """Yield the rows of the epoch's batches, half of them mirrored."""
        self.network.train()
        rng = np.random.default_rng([self.seed, epoch])
        for rows in epoch_batches(self.count, self.batch_size, rng):
            yield torch.from_numpy(rows + self.count * (rng.random(len(rows)) < 0.5)).to(self.labels.device)

    def loss(self, rows: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the mean loss of the batch, each pair with the weight of its class and its own."""
        losses = F.cross_entropy(
            self.network(*(part[rows] for part in self.inputs)), self.labels[rows], reduction="none"
        )
        weights = self.weights[rows]
        return (weights * losses).sum() / weights.sum(), {}


def mirror(pairs: PairSet) -> PairSet:
    """Return pairs with left and right of frames and streams exchanged; a mirrored U changes its sign."""
    streams = pairs.streams
    if streams is not None:
        streams = np.ascontiguousarray(streams[..., ::-1])  # [N, 3, 28, 28]
        streams[:, 0] *= -1
    onset, apex = (np.ascontiguousarray(frames[:, :, ::-1]) for frames in (pairs.onset, pairs.apex))
    return replace(pairs, onset=onset, apex=apex, streams=streams)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch within the block, and leave its random state outside as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
