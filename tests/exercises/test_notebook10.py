"""Exercises of notebook 10: the right answer is right, and each typical wrong one has a message of its own."""

import numpy as np

from lfdtcmen.exercises.notebook10 import HEADS, exact_heads
from tests.exercises.answers import answer_tests


def share(over=None, empty=np.nan, axis=(1, 2)):
    def scored(maps, moving, face):
        part, total = (maps * moving).sum(axis), (maps * face).sum((1, 2))
        below = total if over is None else over(maps, moving)
        return np.where(total > 0, part / np.maximum(below, 1e-12), empty)

    return scored


def turned(maps, moving, face):
    return (maps * face).sum((1, 2)) / (maps * moving).sum((1, 2))


def exact(*answers):
    return lambda: dict(zip(HEADS, answers, strict=True))


def control(cells=None, allowed=lambda moving, face: face & ~moving, random=True):
    def chosen(moving, face, rng):
        found = np.zeros_like(moving)
        for k, moves in enumerate(moving):
            rests = np.argwhere(allowed(moves, face))
            count = moves.sum() if cells is None else cells
            picked = rng.choice(len(rests), count, replace=False) if random else np.arange(count)
            found[k, *rests[picked].T] = True
        return found

    return chosen


TABLE = {
    "10.1": (
        share(),
        [
            share(lambda maps, moving: maps.sum((1, 2))),
            share(lambda maps, moving: moving.sum((1, 2))),
            turned,
            share(empty=0.0),
            share(empty=0.3),
            lambda maps, moving, face: (maps * moving).sum() / (maps * face).sum(),
            lambda maps, moving, face: moving[:, face].mean(1),
        ],
    ),
    "10.2": (
        exact(True, True, False, False),
        [
            exact(False, True, False, False),
            exact(True, False, False, False),
            exact(True, True, True, False),
            exact(True, True, False, True),
            exact("yes", True, False, False),
            lambda: ["mean"],
        ],
    ),
    "10.3": (
        control(),
        [
            lambda moving, face, rng: face & ~moving,
            control(3),
            control(allowed=lambda moves, face: ~moves),
            control(allowed=lambda moves, face: moves),
            control(random=False),
            lambda moving, face, rng: control()(moving, face, rng).astype(int),
            lambda moving, face, rng: control()(moving, face, rng)[0],
            lambda moving, face, rng: control()(moving[[0, 1, 2, 2]], face, rng),
        ],
    ),
    "10.4": (
        lambda observed, null: (1 + (null >= observed).sum()) / (1 + len(null)),
        [
            lambda observed, null: (null >= observed).mean(),
            lambda observed, null: (1 + (null > observed).sum()) / (1 + len(null)),
            lambda observed, null: (1 + (null <= observed).sum()) / (1 + len(null)),
            lambda observed, null: (1 + (null >= observed).sum()) / len(null),
            lambda observed, null: min(1, 2 * (1 + (null >= observed).sum()) / (1 + len(null))),
            lambda observed, null: (2 + (null >= observed).sum()) / (3 + len(null)),
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)


def test_grad_cam_is_exact_where_the_head_sees_means_only():
    assert exact_heads() == dict(zip(HEADS, (True, True, False, False), strict=True))
