"""Exercises of notebook 05: the right answer is right, and each typical wrong one has a message of its own."""

import math

import numpy as np

from lfdtcmen.evaluation.metrics import uar, uf1
from tests.exercises.answers import answer_tests


def clips(variance, whole=math.ceil):
    def needed(p_a, p_b):
        return whole(1.96**2 * variance(p_a * (1 - p_a), p_b * (1 - p_b)) / (p_a - p_b) ** 2)

    return needed


def recalls(matrix):
    return np.diag(matrix) / np.maximum(matrix.sum(1), 1)


def pooled_uf1(folds, num_classes):
    return uf1(*(np.concatenate(part) for part in zip(*folds, strict=True)), num_classes)


def pooled_uar(folds, num_classes):
    return uar(*(np.concatenate(part) for part in zip(*folds, strict=True)), num_classes)


def mean_uf1(folds, num_classes):
    return np.mean([uf1(*fold, num_classes) for fold in folds])


def pooled_accuracy(folds, num_classes):
    return np.mean([truth == predicted for truth, predicted in folds])


TABLE = {
    "05.1": (
        lambda matrix: recalls(matrix).mean(),
        [
            lambda matrix: (np.diag(matrix) / np.maximum(matrix.sum(0), 1)).mean(),
            lambda matrix: np.trace(matrix) / matrix.sum(),
            lambda matrix: recalls(matrix).sum(),
            lambda matrix: recalls(matrix)[matrix.sum(1) > 0].mean(),
        ],
    ),
    "05.2": (
        lambda: [0, 0, 0, 0, 1, 1, 2, 2, 1, 2],
        [lambda: [0] * 10, lambda: [0] * 8 + [1, 2], lambda: [1, 2], lambda: [7] * 10],
    ),
    "05.3": (pooled_uf1, [pooled_uar, mean_uf1, pooled_accuracy, lambda folds, num_classes: 0.3]),
    "05.4": (
        clips(lambda a, b: a + b),
        [
            clips(lambda a, b: a),
            clips(lambda a, b: (math.sqrt(a) + math.sqrt(b)) ** 2),
            clips(lambda a, b: (a + b) / 1.96),
            clips(lambda a, b: (a + b) / 1.96**2),
            clips(lambda a, b: a + b, math.floor),
            lambda p_a, p_b: 41,
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
