"""Exercises of notebook 07: the right answer is right, and each typical wrong one has a message of its own."""

import numpy as np

from tests.exercises.answers import answer_tests


def shares(people):
    return np.unique(people, return_counts=True)[1] / len(people)


def gain(generate, onset, apex, rest=None, sign=1, over=None):
    g = sign * (generate(onset, apex) - (generate(onset, onset) if rest is None else rest(onset)))
    t = apex - onset
    return ((g * t).sum() / (t.square().sum() if over is None else over(g, t))).item()


def gain_with(**options):
    return lambda generate, onset, apex: gain(generate, onset, apex, **options)


def gap(best=-1, other=-2, axis=0, mean=np.mean):
    def sap(scores):
        ranked = np.sort(scores, axis=axis)
        return mean(ranked.take(best, axis) - (ranked.mean(axis) if other is None else ranked.take(other, axis)))

    return sap


def sap_in_place(scores):
    scores.sort(axis=0)
    return (scores[-1] - scores[-2]).mean()


def entropy(parts, log=np.log2):
    return -(parts * log(np.where(parts > 0, parts, 1))).sum(1)


def of_rows(matrix):
    return matrix / matrix.sum(1, keepdims=True)


def purity_with_nan(matrix):
    parts = of_rows(matrix)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 + (parts * np.log2(parts)).sum(1)


TABLE = {
    "07.1": (
        lambda people: shares(people).max(),
        [
            lambda people: 1 / len(set(people)),
            lambda people: shares(people).max() * len(people),
            lambda people: (shares(people) ** 2).sum(),
            lambda people: shares(people).min(),
            lambda people: shares(people).max() * len(people) / len(set(people)),
        ],
    ),
    "07.2": (
        gain,
        [
            gain_with(rest=lambda onset: onset),
            gain_with(sign=-1),
            gain_with(over=lambda g, t: g.square().sum().clamp(min=1e-9)),
            gain_with(over=lambda g, t: 1.0),
            lambda generate, onset, apex: gain(lambda who, how: how, onset, apex),
            lambda generate, onset, apex: generate(onset, apex) - generate(onset, onset),
        ],
    ),
    "07.3": (
        gap(),
        [
            gap(axis=1),
            gap(other=0),
            gap(other=None),
            gap(other=-3),
            gap(mean=np.sum),
            lambda scores: np.max(scores, 0).mean(),
            sap_in_place,
        ],
    ),
    "07.4": (
        lambda matrix: 1 - entropy(of_rows(matrix)),
        [
            lambda matrix: entropy(of_rows(matrix)),
            lambda matrix: 1 - entropy(matrix),
            lambda matrix: 1 - entropy(of_rows(matrix), np.log),
            lambda matrix: 1 - entropy(matrix / matrix.sum(0)),
            lambda matrix: of_rows(matrix).max(1),
            lambda matrix: (1 - entropy(of_rows(matrix))).mean(),
            purity_with_nan,
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
