"""Batches of pairs, on the device where they are trained with, and their augmentation there.

Nothing here waits for the device: what a step needs of the CPU (rows, random numbers) is sent without waiting.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.images import scale_pixels
from lfdtcmen.modules.batch import Batch, check_values


def epoch_batches(count: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield shuffled index batches that differ in size by at most one: no last batch of a single pair."""
    yield from np.array_split(rng.permutation(count), math.ceil(count / size))


class PairTensors:
    """A whole set of pairs on a device, moved there once: frames as uint8, so that a pair takes 98 kB.

    Parameters
    ----------
    pairs : PairSet
        On the CPU, the tensors share its memory.
    device : device

    Raises
    ------
    DataError
        The flow has values that are NaN or infinite: batches are not checked again.
    """

    def __init__(self, pairs: PairSet, device: torch.device):
        # one pair, of shapes and dtypes like all others
        pairs.batch(np.arange(min(1, len(pairs)))).check()
        self.device = device
        self.onset, self.apex, self.label = (self._move(part) for part in (pairs.onset, pairs.apex, pairs.labels))
        self.flow = None if pairs.streams is None else self._move(pairs.streams)
        self.weight = None if pairs.weights is None else self._move(pairs.weights)
        if self.flow is not None:
            check_values(self.flow, "pairs.streams", True)
        self.subject = torch.from_numpy(pairs.subject_codes)

    def _move(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.require(array, requirements="W")).to(self.device)

    def batch(self, index: np.ndarray) -> Batch:
        """Return the pairs at ``index`` (integers) as :meth:`PairSet.batch` does, on the device.

        Their subjects stay on the CPU, where the contrastive loss compares them without waiting.
        """
        on_cpu = torch.from_numpy(np.asarray(index, np.int64))
        rows = on_cpu.to(self.device, non_blocking=True)
        return Batch(
            onset=scale_pixels(self.onset[rows]),
            apex=scale_pixels(self.apex[rows]),
            flow=None if self.flow is None else self.flow[rows],
            label=self.label[rows],
            subject=self.subject[on_cpu],
            weight=None if self.weight is None else self.weight[rows],
        )


def augment(
    batch: Batch, max_shift: int, rng: np.random.Generator, flow_shift: int = 0, amplitude_jitter: float = 0.0
) -> Batch:
    """Mirror half of the pairs, and shift and scale them a little (assumed: the paper names no augmentation).

    Onset and apex change alike, so the motion between them stays the same; a mirrored U changes its sign.

    Parameters
    ----------
    batch : Batch
    max_shift : int
        The frames of the batch are shifted by up to so many whole pixels, all alike.
    rng : Generator
    flow_shift : int
        Each pair's flow is shifted by up to so many cells of 28 x 28: faces are not placed, or built, alike.
    amplitude_jitter : float
        Each pair's flow is multiplied by ``exp(amplitude_jitter * n)``, n normal: people move by different amounts.
    """
    mirror = torch.from_numpy(rng.random(len(batch)) < 0.5).to(batch.onset.device, non_blocking=True)
    dx, dy = (int(v) for v in rng.integers(-max_shift, max_shift + 1, 2))

    def frames(x: Tensor) -> Tensor:  # [B, 3, H, W]
        x = torch.where(mirror[:, None, None, None], x.flip(3), x)
        height, width = x.shape[2:]
        padded = F.pad(x, (max_shift,) * 4, mode="replicate")
        x = padded[:, :, max_shift + dy : max_shift + dy + height, max_shift + dx : max_shift + dx + width]
        return x.contiguous(memory_format=torch.channels_last)

    flow = batch.flow
    if flow is not None:
        mirrored = flow.flip(3)
        mirrored[:, 0].neg_()
        flow = torch.where(mirror[:, None, None, None], mirrored, flow)  # [B, 3, 28, 28]
        flow = _vary_flow(flow, rng, flow_shift, amplitude_jitter)
    return replace(batch, onset=frames(batch.onset), apex=frames(batch.apex), flow=flow)


def _vary_flow(flow: Tensor, rng: np.random.Generator, shift: int, jitter: float) -> Tensor:
    """Shift and scale each pair's flow [B, 3, 28, 28]; cells that come in from outside have no motion."""
    if shift:
        size = flow.shape[2]
        padded = F.pad(flow, (shift,) * 4)
        corners = rng.integers(0, 2 * shift + 1, (len(flow), 2)).tolist()  # [B, 2]: 0 to 2 * shift, row and column
        pairs = zip(padded, corners, strict=True)
        flow = torch.stack([pair[:, row : row + size, column : column + size] for pair, (row, column) in pairs])
    if jitter:
        factor = np.exp(jitter * rng.standard_normal(len(flow)))  # [B]
        factors = torch.from_numpy(factor).to(flow.dtype).to(flow.device, non_blocking=True)
        flow = flow * factors[:, None, None, None]
    return flow
