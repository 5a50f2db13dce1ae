"""Toy faces of which it is known what each half shows, and what tests of probes have in common."""

import numpy as np
import pandas as pd
from torch import nn


def half_faces(subjects: int, clips: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return onsets and apexes [N, 32, 32, 3], person by person, and a number from -1 to 1 for each clip, [N].

    The left half is who it is; the right half is grey, and the apex's as bright as the number says.
    """
    rng = np.random.default_rng(0)
    onset = np.repeat(rng.integers(50, 200, (subjects, 32, 32, 3), dtype=np.uint8), clips, axis=0)
    onset[:, :, 16:] = 100
    strength = rng.uniform(-1, 1, subjects * clips)
    apex = onset.copy()
    apex[:, :, 16:] = (100 + 80 * strength).astype(np.uint8)[:, None, None, None]
    return onset, apex, strength


def model_of(drl: nn.Module) -> nn.Module:
    """Return a network that has nothing but a DRL."""
    model = nn.Module()
    model.drl = drl
    return model


def values(table: pd.DataFrame) -> pd.Series:
    """Return the values of a table of probes by what each asks."""
    return table.set_index(["metric", "part", "positions", "probe"])["value"]
