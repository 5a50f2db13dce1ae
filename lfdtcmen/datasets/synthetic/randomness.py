"""Random generators: each plan, subject, clip and timing has its own.

So each of them can be made alone, with the same result as within a whole data set.
"""

import numpy as np

from lfdtcmen.datasets.synthetic.final_test import check_not_locked
from lfdtcmen.errors import DataError

_PLAN, _SUBJECT, _CLIP, _TIMING = range(4)


def plan_rng(seed: int, first_subject: int) -> np.random.Generator:
    """Return the generator that decides which emotions the subjects of a data set show."""
    return np.random.default_rng([seed, _PLAN, first_subject])


def subject_rng(seed: int, subject: int) -> np.random.Generator:
    """Return the generator of a subject's face and way of moving.

    Raises
    ------
    DataError
        The seed is locked for the final test.
    """
    check_not_locked(seed)
    return np.random.default_rng([seed, _SUBJECT, subject])


def clip_rng(seed: int, subject: int, clip: int) -> np.random.Generator:
    """Return the generator of one clip: action units, head motion, light and sensor noise."""
    return np.random.default_rng([seed, _CLIP, subject, clip])


def timing_rng(seed: int, subject: int, clip: int) -> np.random.Generator:
    """Return the generator of one clip's timing."""
    return np.random.default_rng([seed, _TIMING, subject, clip])


def check_seed(seed: int) -> None:
    """Raise a DataError for a seed that is not a whole number from 0 up, or that is locked for the final test.

    Raises
    ------
    DataError
        It is negative, not an integer, or one of :data:`lfdtcmen.datasets.synthetic.final_test.SEEDS`.
    """
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise DataError(f"seed {seed!r} is not a whole number from 0 up", "synthetic faces", "use 0, 1, 2, ...")
    check_not_locked(seed)
