"""Exercises of notebook 11: the right answer is right, and each typical wrong one has a message of its own."""

import numpy as np

from tests.exercises.answers import answer_tests


def balanced(labels, test, rng, size=np.max, among=lambda test: np.flatnonzero(~test)):
    rest = among(test)
    each = size(np.bincount(labels[rest]))
    return np.concatenate([rng.choice(rest[labels[rest] == c], each) for c in range(3)])


def chosen_by(pick, scored=lambda validation, test: test):
    return lambda validation, test: scored(validation, test).mean(0)[pick(validation.mean(0), test.mean(0))]


TABLE = {
    "11.1": (
        lambda p, looks: 1 - (1 - p) ** looks,
        [
            lambda p, looks: p,
            lambda p, looks: p**looks,
            lambda p, looks: (1 - p) ** looks,
            lambda p, looks: p * looks,
        ],
    ),
    "11.2": (
        lambda subjects, train, test: np.isin(subjects[test], subjects[train]).mean(),
        [
            lambda subjects, train, test: np.isin(subjects[train], subjects[test]).mean(),
            lambda subjects, train, test: np.isin(np.unique(subjects[test]), subjects[train]).mean(),
            lambda subjects, train, test: 1 - np.isin(subjects[test], subjects[train]).mean(),
            lambda subjects, train, test: np.isin(subjects[test], subjects[train]).sum(),
            lambda subjects, train, test: np.isin(subjects[test], subjects[train]).sum() / len(subjects),
            lambda subjects, train, test: np.isin(test, train).mean(),
        ],
    ),
    "11.3": (
        balanced,
        [
            lambda labels, test, rng: balanced(labels, test, rng, among=lambda test: np.arange(len(test))),
            lambda labels, test, rng: balanced(labels, test, rng, np.min),
            lambda labels, test, rng: balanced(labels, test, rng, lambda counts: np.bincount(labels).max()),
            lambda labels, test, rng: np.flatnonzero(~test),
            lambda labels, test, rng: ~test,
        ],
    ),
    "11.4": (
        chosen_by(lambda validation, test: validation.argmax()),
        [
            chosen_by(lambda validation, test: test.argmax()),
            chosen_by(lambda validation, test: validation.argmax(), lambda validation, test: validation),
            chosen_by(lambda validation, test: -1),
            chosen_by(lambda validation, test: len(validation) - 1 - validation[::-1].argmax()),
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
