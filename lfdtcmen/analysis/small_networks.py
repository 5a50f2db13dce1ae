"""Many small networks trained side by side (ours): a whole leave-one-subject-out evaluation in a minute of one core.

Each network has one hidden layer. All see the same batches; a network is blind to a sample, such as its test
subject's, where the sample has weight 0 in its loss. They share no parameter, so each learns what it would learn alone.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.datasets.splits import Fold
from lfdtcmen.errors import DataError
from lfdtcmen.threads import one_thread

HIDDEN, DROPOUT = 16, 0.5
BATCH_SIZE, LEARNING_RATE = 64, 1e-3  # the rate stays as it is, so that 8 of 200 epochs are a training of 8 epochs
UNIT = 0.2  # pixels: the flow of a micro-expression is of this order

AfterEpoch = Callable[[int, "SmallNetworks"], None]


class SmallNetworks(nn.Module):
    """Networks without shared parameters: values [B, D] to logits [networks, B, C]."""

    def __init__(self, networks: int, values: int, num_classes: int):
        super().__init__()
        self.hidden = nn.Linear(values, networks * HIDDEN)
        self.weight = nn.Parameter(torch.empty(networks, HIDDEN, num_classes).uniform_(-1, 1) / HIDDEN**0.5)
        self.bias = nn.Parameter(torch.zeros(networks, 1, num_classes))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.dropout(torch.relu(self.hidden(x)))  # [B, networks * HIDDEN]
        return torch.baddbmm(self.bias, hidden.view(len(x), -1, HIDDEN).transpose(0, 1), self.weight)

    @torch.no_grad()
    def copy_networks(self, chosen: np.ndarray, other: "SmallNetworks") -> None:
        """Take over some networks, bool [networks], from a module of the same size."""
        of_hidden = np.repeat(chosen, HIDDEN)
        for mine, theirs in zip(self.parameters(), other.parameters(), strict=True):
            rows = of_hidden if len(mine) == len(of_hidden) else chosen
            mine[rows] = theirs[rows]


def flow_values(streams: np.ndarray) -> np.ndarray:
    """Return flow streams [N, 3, 28, 28] as the values that the networks take, float32 [N, 588]: cells of 2 x 2."""
    return (streams.reshape(len(streams), 3, 14, 2, 14, 2).mean((3, 5)) / UNIT).reshape(len(streams), -1)


def train_small_networks(
    values: np.ndarray,
    labels: np.ndarray,
    trained_on: np.ndarray,
    epochs: int,
    seed: int,
    after_epoch: AfterEpoch | None = None,
) -> SmallNetworks:
    """Train one network for each row of ``trained_on``, with a class-balanced cross-entropy and AdamW.

    Parameters
    ----------
    values : ndarray
        float32 [N, D], of all samples.
    labels : ndarray
        int64 [N], from 0 to C - 1.
    trained_on : ndarray
        bool [networks, N]: which samples each network learns from. The others do not touch it.
    epochs : int
    seed : int
        Random seed of weights, batches and dropout.
    after_epoch : callable, optional
        ``after_epoch(epoch, networks)``, called in ``eval`` mode.

    Returns
    -------
    SmallNetworks
        In ``eval`` mode.

    Raises
    ------
    DataError
        A network without training samples of some class.
    """
    target, learns = torch.from_numpy(labels), torch.from_numpy(trained_on)  # [N], [networks, N]
    counts = learns.float() @ F.one_hot(target).float()  # [networks, C]
    if (counts == 0).any():
        raise DataError("a network has no training sample of some class", "train_small_networks", "use fewer folds")
    weights = learns * (counts.sum(1, keepdim=True) / (counts.shape[1] * counts))[:, target]  # [networks, N]
    x = torch.from_numpy(values)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = SmallNetworks(len(learns), x.shape[1], counts.shape[1])
        optimizer = torch.optim.AdamW(networks.parameters(), LEARNING_RATE, fused=True)
        for epoch in range(epochs):
            networks.train()
            for rows in torch.randperm(len(x)).split(BATCH_SIZE):
                logits = networks(x[rows])  # [networks, B, C]
                losses = F.cross_entropy(logits.flatten(0, 1), target[rows].repeat(len(learns)), reduction="none")
                loss = (weights[:, rows] * losses.view(len(learns), -1)).sum() / len(rows)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            networks.eval()
            if after_epoch is not None:
                after_epoch(epoch, networks)
    return networks.eval()


@torch.no_grad()
def predict_classes(networks: SmallNetworks, values: np.ndarray, chunk: int = 1000) -> np.ndarray:
    """Return each network's class for each sample, int8 [networks, N]."""
    with one_thread():
        parts = [networks(part).argmax(2) for part in torch.from_numpy(values).split(chunk)]
    return torch.cat(parts, 1).to(torch.int8).numpy()


def epoch_predictions(
    values: np.ndarray, labels: np.ndarray, folds: Sequence[Fold], epochs: int, seed: int
) -> np.ndarray:
    """Train a network on each fold, and predict its test samples after every epoch.

    Parameters and errors as :func:`train_small_networks`; every sample is tested in one fold.

    Returns
    -------
    ndarray
        int8 [N, epochs].
    """
    tested = fold_numbers(folds, len(labels))  # [N]
    trained_on = tested != np.arange(len(folds))[:, None]  # [networks, N]
    found = np.empty((len(labels), epochs), np.int8)

    def keep(epoch: int, networks: SmallNetworks) -> None:
        found[:, epoch] = predict_classes(networks, values)[tested, np.arange(len(labels))]

    train_small_networks(values, labels, trained_on, epochs, seed, keep)
    return found


def fold_numbers(folds: Sequence[Fold], samples: int) -> np.ndarray:
    """Return the number of the fold in which each sample is tested, int64 [samples].

    Raises
    ------
    DataError
        A sample is tested in no fold.
    """
    tested = np.full(samples, -1)
    for number, (_, test) in enumerate(folds):
        tested[test] = number
    if (tested < 0).any():
        raise DataError(
            f"{(tested < 0).sum()} samples are tested in no fold", "fold_numbers", "give all folds of a split"
        )
    return tested
