"""Exercises of notebook 16: the right answer is right, and each typical wrong one has a message of its own."""

import numpy as np

from lfdtcmen.evaluation.metrics import uar, uf1
from lfdtcmen.exercises import find
from lfdtcmen.exercises.notebook16 import nested
from tests.exercises.answers import answer_tests, message


def weights(counts, beta, power=-1.0, scaled=True):
    value = ((1 - beta**counts) / (1 - beta)) ** power
    return len(counts) * value / value.sum() if scaled else value


def classes(plain=-1.0, adjusted=0.0):
    def predicted(logits, class_counts, trained_with):
        log_share = np.log(class_counts / class_counts.sum())
        return (logits + (plain if trained_with == "cross_entropy" else adjusted) * log_share).argmax(1)

    return predicted


def changes(recall, f1):
    return lambda: {"recall": recall, "F1": f1}


def score(prior_of="others", tau_of="others", metric=uf1):
    return lambda log_p, labels, fold: metric(labels, nested(log_p, labels, fold, prior_of, tau_of), 3)


def mean_over_folds(log_p, labels, fold):
    predicted = nested(log_p, labels, fold)
    return np.mean([uf1(labels[fold == k], predicted[fold == k], 3) for k in np.unique(fold)])


TABLE = {
    "16.1": (
        weights,
        [
            lambda counts, beta: weights(counts, beta, power=1.0),
            lambda counts, beta: weights(counts, beta, scaled=False),
            lambda counts, beta: len(counts) / counts / (1 / counts).sum(),
            lambda counts, beta: weights(counts, beta) / 3,
            lambda counts, beta: weights(counts, 0.9),
            lambda counts, beta: weights(counts, 0.99),
            lambda counts, beta: weights(counts, beta)[:2],
        ],
    ),
    "16.2": (
        classes(),
        [
            classes(-1, -1),
            classes(-1, 1),
            classes(0, 0),
            classes(1, 0),
            classes(-0.3, 0),
            lambda logits, counts, trained_with: logits,
        ],
    ),
    "16.3": (
        changes(0.36, -0.04),
        [
            changes(0.73, -0.04),
            changes(0.03, -0.04),
            changes(0.36, 0.43),
            changes(0.36, 0.04),
            changes(0.36, 0.3),
            lambda: {"recall": 0.36},
            lambda: [0.36, -0.04],
        ],
    ),
    "16.4": (
        score(),
        [
            score("all", "all"),
            score("others", "own"),
            score("own", "others"),
            mean_over_folds,
            score(metric=uar),
            score("others", "fixed"),
            lambda log_p, labels, fold: 0.5,
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)


def test_what_is_asked_for_is_in_no_message_and_no_hint(capsys):
    texts = [message("16.3", answer, capsys) for answer in TABLE["16.3"][1]] + list(find("16.3").hints)
    assert not [text for text in texts if "0.36" in text or "0.04" in text]
