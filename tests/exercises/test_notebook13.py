"""Exercises of notebook 13: the right answer is right, and each typical wrong one has a message of its own."""

import numpy as np

from lfdtcmen.exercises import (
    notebook13,
)
from tests.exercises.answers import answer_tests


def minimised(of_low_rank, of_entries):
    return lambda low_rank, sparse, weight: of_low_rank(low_rank) + weight * of_entries(sparse).sum()


def ranks(*values):
    return lambda: dict(zip(notebook13.RANKS, values, strict=True))


def whole_clips(clips, rng):
    names = np.unique(clips)
    return np.isin(clips, rng.permutation(names)[: len(names) // 2])


def first_half(clips, rng):
    """Cut the sorted frames in the middle of a clip."""
    mask = np.zeros(len(clips), bool)
    mask[np.argsort(clips, kind="stable")[: len(clips) // 2 + 3]] = True
    return mask


TABLE = {
    "13.1": (
        minimised(lambda low: np.linalg.norm(low, "nuc"), np.abs),
        [
            minimised(np.linalg.norm, np.abs),
            minimised(lambda low: np.linalg.norm(low, 2), np.abs),
            minimised(lambda low: np.linalg.norm(low, "nuc"), np.array),
            minimised(lambda low: np.linalg.norm(low, "nuc"), np.square),
            lambda low, sparse, weight: np.linalg.norm(low, "nuc") + np.abs(sparse).sum(),
            lambda low, sparse, weight: np.linalg.matrix_rank(low) + weight * np.abs(sparse).sum(),
            lambda low, sparse, weight: np.abs(low).sum() + weight * np.abs(sparse).sum(),
            lambda low, sparse, weight: 0,
        ],
    ),
    "13.2": (ranks(1, 1, 2, 3), [ranks(11, 1, 2, 3), ranks(1, 2, 2, 3), ranks(1, 1, 1, 3), ranks(1, 1, 2, 2), dict]),
    "13.3": (
        whole_clips,
        [
            lambda clips, rng: rng.random(len(clips)) < 0.5,
            lambda clips, rng: np.arange(len(clips)) % 2 == 0,
            lambda clips, rng: clips % 2 == 0,
            lambda clips, rng: clips >= 0,
            lambda clips, rng: np.flatnonzero(whole_clips(clips, rng)),
            lambda clips, rng: rng.random(len(np.unique(clips))) < 0.5,
            first_half,
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
