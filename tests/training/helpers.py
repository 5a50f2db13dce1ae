"""Pairs of random frames, what changed in a model, and checkpoints with another content."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.training.storage import read_tensors, write_tensors


def make_pairs(count: int = 8, subjects: int = 3, seed: int = 0) -> PairSet:
    rng = np.random.default_rng(seed)
    manifest = pd.DataFrame({"subject": [f"s{i % subjects}" for i in range(count)], "clip": range(count)})
    onset = rng.integers(0, 255, (count, 32, 32, 3), dtype=np.uint8)
    apex = np.clip(onset.astype(int) + rng.integers(-9, 9, onset.shape), 0, 255).astype(np.uint8)
    streams = rng.standard_normal((count, 3, 28, 28)).astype(np.float32)
    labels = np.arange(count) % 3
    return PairSet(manifest, onset, apex, labels, ("negative", "positive", "surprise"), streams=streams)


def smaller(made: Any) -> Any:
    """Take every fourth pixel of the frames of pairs, swaps or counterfactuals: training is sixteen times as fast."""
    frames = {name: getattr(made, name, None) for name in ("onset", "onset_clean", "apex", "apex_clean")}
    return replace(made, **{name: f[..., ::4, ::4, :] for name, f in frames.items() if f is not None})


def state(model) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed_parts(before: dict, after: dict) -> set[str]:
    """The parts (drl, tcme) of which any parameter or buffer moved."""
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}


def rewrite(path: Path, change: Callable[[dict, dict], object], to: Path | None = None) -> None:
    """Change the tensors and the plain values of a checkpoint, and write it with the digest of its new content."""
    tensors, values = read_tensors(path, "")
    change(tensors, values)
    write_tensors(to or path, tensors, values)
