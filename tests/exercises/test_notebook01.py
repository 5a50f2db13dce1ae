"""Exercises of notebook 01: the right answer is right, and each typical wrong one has a message of its own."""

import numpy as np

from tests.exercises.answers import answer_tests


def divergence(flow):
    return np.gradient(flow[0], axis=1) + np.gradient(flow[1], axis=0)


def divergence_of_swapped_axes(flow):
    return np.gradient(flow[0], axis=0) + np.gradient(flow[1], axis=1)


def curl(flow):
    return np.gradient(flow[1], axis=1) - np.gradient(flow[0], axis=0)


def without_sign(flow):
    return np.abs(divergence(flow))


def robust_shift(flow, near, mean=None, length=None):
    mean = mean or (lambda flow, weight: (weight * flow).sum(axis=1) / weight.sum())
    length = length or (lambda flow, shift: np.hypot(*(flow - shift[:, None])))
    weight = near
    for _ in range(8):
        shift = mean(flow, weight)
        residual = length(flow, shift)
        weight = near / (1 + (residual / max(0.05, np.median(residual))) ** 2)
    return shift


def shift_with(mean=None, length=None):
    return lambda flow, near: robust_shift(flow, near, mean, length)


def normalise(streams, train, axes=(0, 2, 3)):
    known = streams[train]
    return (streams - known.mean(axes, keepdims=True)) / known.std(axes, keepdims=True)


def normalise_test_by_itself(streams, train):
    result = normalise(streams, train)
    test = np.setdiff1d(np.arange(len(streams)), train)
    result[test] = normalise(streams, test)[test]
    return result


TABLE = {
    "01.1": (divergence, [divergence_of_swapped_axes, curl, without_sign, lambda flow: divergence(flow)[1:]]),
    "01.2": (
        robust_shift,
        [
            lambda flow, near: robust_shift(flow, near)[::-1],
            shift_with(lambda flow, weight: (weight * flow).mean(axis=1)),
            shift_with(lambda flow, weight: flow.mean(axis=1)),
            shift_with(length=lambda flow, shift: np.hypot(*flow)),
            shift_with(length=lambda flow, shift: np.abs(flow[0] - shift[0])),
            lambda flow, near: robust_shift(flow, near, lambda flow, weight: (weight * flow).sum(axis=1) / near.sum()),
            lambda flow, near: (near * flow).sum(axis=1) / near.sum(),
        ],
    ),
    "01.3": (
        normalise,
        [
            lambda streams, train: normalise(streams, slice(None)),
            lambda streams, train: normalise(streams, train, None),
            lambda streams, train: (streams - streams.mean((2, 3), keepdims=True)) / streams.std((2, 3), keepdims=True),
            lambda streams, train: normalise(streams, train, 0),
            normalise_test_by_itself,
            lambda streams, train: normalise(streams, train) + 1,
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
