"""Batches of pairs, and their augmentation."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lfdtcmen.modules.batch import Batch


def epoch_batches(count: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield shuffled index batches that differ in size by at most one: no last batch of a single pair."""
    yield from np.array_split(rng.permutation(count), math.ceil(count / size))


def augment(batch: Batch, max_shift: int, rng: np.random.Generator) -> Batch:
    """Mirror half of the pairs and shift the batch by whole pixels (assumed: the paper names no augmentation).

    Onset and apex change alike, so the motion between them stays the same; a mirrored U changes its sign.
    """
    mirror = torch.from_numpy(rng.random(len(batch)) < 0.5).to(batch.onset.device)
    dx, dy = (int(v) for v in rng.integers(-max_shift, max_shift + 1, 2))

    def frames(x: Tensor) -> Tensor:  # [B, 3, H, W]
        x = torch.where(mirror[:, None, None, None], x.flip(3), x)
        height, width = x.shape[2:]
        padded = F.pad(x, (max_shift,) * 4, mode="replicate")
        x = padded[:, :, max_shift + dy : max_shift + dy + height, max_shift + dx : max_shift + dx + width]
        return x.contiguous(memory_format=torch.channels_last)

    flow = batch.flow
    if flow is not None:
        sign = torch.tensor([-1.0, 1.0, 1.0], device=flow.device)[:, None, None]
        flow = torch.where(mirror[:, None, None, None], flow.flip(3) * sign, flow)  # [B, 3, 28, 28]
    return replace(batch, onset=frames(batch.onset), apex=frames(batch.apex), flow=flow)
