"""How near spotted frames are to the true ones (section 6, second limitation; assumed: the paper spots nothing)."""

import numpy as np
import pandas as pd

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import interval, resample


def spotting_scores(
    errors: np.ndarray, subjects: np.ndarray, repeats: int = 1000, level: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Return the mean absolute error of spotted frames, and the share within 1, 2 and 3 frames, with intervals.

    The bootstrap resamples subjects, not clips: one person's clips resemble each other.

    Parameters
    ----------
    errors : array-like
        Spotted minus true frame, [N].
    subjects : array-like
        Subject of each clip, [N].
    repeats : int
        Number of bootstrap resamples.
    level : float
        Share of the resamples within the interval.
    seed : int
        Random seed of the bootstrap.

    Returns
    -------
    DataFrame
        Index: mean absolute error (frames), within 1, 2, 3 frames (%). Columns: value, low, high (NaN for few subjects,
        :data:`~lfdtcmen.evaluation.intervals.LEAST_SUBJECTS`).

    Raises
    ------
    DataError
        No clips, or another number of errors than of subjects.
    """
    errors, subjects = np.abs(np.asarray(errors, float)), np.asarray(subjects)
    if errors.ndim != 1 or errors.shape != subjects.shape or len(errors) == 0:
        raise DataError(f"{errors.shape} errors of {subjects.shape} subjects", "spotting_scores", "give one each")
    values = {"mean absolute error (frames)": errors}
    values |= {f"within {n} frame{'s'[: n - 1]} (%)": 100.0 * (errors <= n) for n in (1, 2, 3)}
    people, who = np.unique(subjects, return_inverse=True)
    weight = resample(len(people), repeats, seed)[:, who]  # [repeats, N]
    rows = {}
    for name, value in values.items():
        low, high = interval((weight @ value) / weight.sum(1), len(people), (1 - level) / 2)
        rows[name] = {"value": value.mean(), "low": low, "high": high}
    return pd.DataFrame(rows).T
