"""Exercises of notebook 12: the right answer is right, and each typical wrong one has a message of its own."""

import numpy as np

from lfdtcmen.exercises.notebook12 import QUESTIONS
from tests.exercises.answers import answer_tests


def changes(bits):
    return sum(bits[k] != bits[k - 1] for k in range(len(bits)))


def unchanged(*answers):
    return lambda: dict(zip(QUESTIONS, answers, strict=True))


def of_choice(choose):
    return lambda inner, outer: outer[np.arange(len(inner)), choose(inner, outer)].mean()


def added(reduce=lambda: 256 * 16, linear=lambda classes: 16 * 16 * classes):
    return lambda classes: reduce() + linear(classes)


TABLE = {
    "12.1": (
        changes,
        [
            lambda bits: sum(bits[k] != bits[k - 1] for k in range(1, len(bits))),
            lambda bits: sum(bits[k] > bits[k - 1] for k in range(len(bits))),
            sum,
            lambda bits: changes(bits) <= 2,
            lambda bits: sum(bits[k] - bits[k - 1] for k in range(len(bits))),
            lambda bits: changes(bits) + 1,
        ],
    ),
    "12.2": (
        unchanged(True, True, True, False),
        [
            unchanged(False, True, True, False),
            unchanged(True, False, True, False),
            unchanged(True, True, False, False),
            unchanged(True, True, True, True),
            unchanged(1, True, True, False),
            lambda: {"LBP-TOP, a brighter clip": True},
        ],
    ),
    "12.3": (
        of_choice(lambda inner, outer: inner.argmax(1)),
        [
            of_choice(lambda inner, outer: outer.argmax(1)),
            lambda inner, outer: outer.mean(0).max(),
            lambda inner, outer: inner.max(1).mean(),
            of_choice(lambda inner, outer: inner.mean(0).argmax()),
            lambda inner, outer: outer.mean(),
            of_choice(lambda inner, outer: inner.argmin(1)),
            lambda inner, outer: 0.5,
        ],
    ),
    "12.4": (
        added(),
        [
            added(lambda: 257 * 16, lambda classes: 257 * classes),
            added(linear=lambda classes: 257 * classes),
            added(lambda: 257 * 16),
            added(linear=lambda classes: 0),
            added(lambda: 0),
            added(linear=lambda classes: 16 * classes),
            lambda classes: added()(classes) + 400 * classes + 448 + classes,
            lambda classes: 1,
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
