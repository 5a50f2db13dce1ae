"""Exercises of notebook 11: the best of many looks, siblings, copies that leak, an honest choice of the epoch."""

import numpy as np

from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect, near

# [clips, epochs]; the third and the fourth epoch are equally good on the validation clips
VALIDATION_RIGHT = np.array([[0, 1, 1, 1, 0, 1], [1, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 1]], bool)
TEST_RIGHT = np.array(
    [[1, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, 0], [0, 0, 1, 0, 1, 0], [0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 0]], bool
)


def _best_of_one(answer: Answer) -> None:
    """11.1, ``best_of_one(p, looks)``: expected best accuracy on a person with one clip."""
    for p, looks in ((0.6, 1), (0.6, 3), (0.3, 5)):
        value = as_number(call(answer, p, looks), "The accuracy")
        for message, other in {
            "That is the accuracy of one look; the best of several is higher.": p,
            "That is how often every look is right. For the best, one is enough.": p**looks,
            "That is how often no look is right.": (1 - p) ** looks,
            "An accuracy cannot exceed 1: the looks' chances overlap, so they cannot be added.": p * looks,
        }.items():
            expect(not near(value, other) or near(other, 1 - (1 - p) ** looks), message)
        expect(near(value, 1 - (1 - p) ** looks), f"Not yet, for p = {p} and {looks} looks.")


def _siblings(answer: Answer) -> None:
    """11.2, ``share_with_sibling(subjects, train, test)``: test clips whose person is trained on, too."""
    subjects = np.array(["a", "b", "a", "c", "c", "a", "d", "b", "e", "b", "e", "a"])
    train, test = np.array([0, 3, 6, 8, 10]), np.array([1, 2, 4, 5, 7, 9, 11])
    value = as_number(call(answer, subjects, train, test), "The share")
    shared = np.isin(subjects[test], subjects[train])
    people = np.unique(subjects[test])
    for message, other in {
        "You count training clips. Whose score would be too high, theirs?": np.isin(
            subjects[train], subjects[test]
        ).mean(),
        "You count people; a person with many test clips weighs more in the score.": np.isin(
            people, subjects[train]
        ).mean(),
        "That is the share without a sibling.": 1 - shared.mean(),
        "You divide by all clips; only test clips are scored.": shared.sum() / len(subjects),
        "That is a number of clips; divide it by that of the test clips.": shared.sum(),
        "Indices of clips never meet in a split. Compare the people behind them.": np.isin(test, train).mean(),
    }.items():
        expect(not near(value, other), message)
    expect(near(value, shared.mean()), "Not yet: of the test clips, the share whose person is in training.")


def _balanced(answer: Answer) -> None:
    """11.3, ``balanced_training(labels, test, rng)``: training clips, with copies so that classes are equally many."""
    labels = np.repeat([0, 1, 2], [40, 8, 16])
    test = np.zeros(64, bool)
    test[[*range(20), 40, 41, 50, 51, 52]] = True
    before = labels.copy(), test.copy()
    clips = np.asarray(call(answer, labels, test, np.random.default_rng(0)))
    expect(np.array_equal(labels, before[0]) and np.array_equal(test, before[1]), "Leave labels and test as they are.")
    expect(clips.ndim == 1 and clips.dtype.kind in "iu", "Return positions of clips: whole numbers, a copy twice.")
    leaked = np.isin(clips, np.flatnonzero(test)).sum()
    expect(leaked == 0, f"{leaked} of your training clips are test clips or copies of them.")
    counts = np.bincount(labels[clips], minlength=3)
    most = np.bincount(labels[~test]).max()
    text = ", ".join(map(str, counts))
    expect(len(set(counts)) == 1, f"The classes have {text} training clips; they should be equally many.")
    expect(counts[0] >= most, f"You throw clips away: each class has {counts[0]}; the largest had {most} to train on.")
    expect(counts[0] == most, f"Each class has {counts[0]} clips; the largest class has {most} outside the test clips.")
    expect(len(np.unique(clips[labels[clips] == 1])) > 2, "Copies of one or two clips are not the whole class.")


def _honest_choice(answer: Answer) -> None:
    """11.4, ``honest_choice(validation, test)``: test accuracy of the first epoch that is best on validation clips."""
    value = as_number(call(answer, VALIDATION_RIGHT, TEST_RIGHT), "The accuracy")
    of_validation, of_test = VALIDATION_RIGHT.mean(0), TEST_RIGHT.mean(0)  # [epochs]
    best = int(of_validation.argmax())
    for message, other in {
        "That is the best epoch on the test clips: what this notebook warns of.": of_test.max(),
        "That is the accuracy on the validation clips, which the epoch was chosen for.": of_validation.max(),
        "That is the last epoch. It is honest, but not the one asked for.": of_test[-1],
        "Two epochs are equally good on validation clips; take the first.": of_test[best + 1],
    }.items():
        expect(not near(value, other), message)
    expect(near(value, of_test[best]), "Not yet: choose on the first array, and report the second at that epoch.")


EXERCISES = {
    "11.1": Exercise(
        _best_of_one,
        (
            "With one clip, a look is right or wrong. When is the best of several looks wrong?",
            "All looks have to be wrong at once.",
        ),
    ),
    "11.2": Exercise(
        _siblings,
        (
            "subjects[test] are the people behind the test clips.",
            "np.isin asks for each entry of one array whether it is in another one.",
        ),
    ),
    "11.3": Exercise(
        _balanced,
        (
            "She copies, then splits. In which order can no copy of a test clip be trained on?",
            "Choose among the clips that are not tested, class by class, with rng.choice.",
            "How many of each class? As many as the largest class has outside the test clips.",
        ),
    ),
    "11.4": Exercise(
        _honest_choice,
        (
            "The mean over axis 0 is an accuracy for each epoch.",
            "np.argmax gives the first of equal values. Of which array should it be asked?",
        ),
    ),
}
