"""Exercises of notebook 05: UAR in a line, predictions that two metrics judge apart, pooling, how many clips."""

import math

import numpy as np

from lfdtcmen.evaluation.metrics import confusion, score_confusion, uar, uf1
from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect, near

TRUTH = np.array([0] * 8 + [1, 2])


def _my_uar(answer: Answer) -> None:
    """05.1, ``my_uar(matrix)``: UAR of a confusion matrix [C, C], rows true, absent classes 0."""
    matrix = np.array([[6, 1, 2], [2, 4, 0], [1, 0, 3]])
    value = as_number(call(answer, matrix), "UAR")
    hits = np.diag(matrix)
    for message, other in {
        "That is the mean over columns: precision. Rows are the true classes.": (hits / matrix.sum(0)).mean(),
        "That is accuracy: frequent classes weigh more in it. UAR weighs all classes alike.": hits.sum() / matrix.sum(),
        "That is UF1, which looks at the predictions of a class as well.": score_confusion(matrix, "uf1"),
        "You added the recalls; take their mean.": (hits / matrix.sum(1)).sum(),
    }.items():
        expect(not near(value, other), message)
    expect(near(value, score_confusion(matrix, "uar")), "Not yet on a matrix in which every class has samples.")
    with np.errstate(invalid="ignore", divide="ignore"):
        absent = as_number(call(answer, np.array([[3, 1, 2], [0, 0, 0], [1, 0, 3]])), "UAR with an absent class")
    expect(near(absent, 0.5 / 3 + 0.75 / 3), "A class without samples counts 0, and counts among the classes.")


def _invented(answer: Answer) -> None:
    """05.2, ``invented()``: ten predictions with UAR of 0.6 or more and UF1 at least 0.1 below it."""
    predicted = np.asarray(call(answer))
    expect(predicted.shape == (10,), "Ten predictions are needed, one for each true label.")
    expect(np.isin(predicted, [0, 1, 2]).all(), "Predictions are classes: 0, 1 or 2.")
    recall, f1 = uar(TRUTH, predicted, 3), uf1(TRUTH, predicted, 3)
    scores = f"You have UAR {recall:.3f} and UF1 {f1:.3f}."
    expect(recall >= 0.6, f"UAR is below 0.6. {scores} Which two samples weigh a third each?")
    expect(recall - f1 >= 0.1, f"UF1 is too close to UAR. {scores} UF1 also falls with false alarms.")


def _mended_pooling(answer: Answer) -> None:
    """05.3, ``mended_uf1(folds, num_classes)``: UF1 of all folds' predictions together, not its mean over folds."""
    random = np.random.default_rng(0)
    folds = [(random.integers(0, k, 12), random.integers(0, 3, 12)) for k in (3, 2, 3, 1)]
    value = as_number(call(answer, folds, 3), "UF1")
    pooled = np.sum([confusion(*fold, 3) for fold in folds], axis=0)
    separate = np.array([score_confusion(confusion(*fold, 3), "uf1") for fold in folds])
    present = [score_confusion(confusion(*fold, 3), "uf1", leave_out=True) for fold in folds]
    for message, other in {
        "That is still a mean over folds. A fold without a class drags it down.": separate.mean(),
        "You left absent classes out, fold by fold: the folds are still apart.": np.mean(present),
        "That is UAR of the pooled predictions; UF1 is asked for.": score_confusion(pooled, "uar"),
        "True and predicted are pooled, but that is their accuracy.": np.trace(pooled) / pooled.sum(),
    }.items():
        expect(not near(value, other), message)
    expect(
        near(value, score_confusion(pooled, "uf1")), "Not yet: put the labels of all folds together, then score once."
    )


def _clips_needed(answer: Answer) -> None:
    """05.4, ``clips_needed(p_a, p_b)``: the smallest n of two test sets whose difference is above its margin."""
    for p_a, p_b in ((0.4, 0.3), (0.7, 0.45)):
        value = as_number(call(answer, p_a, p_b), "The number of clips")
        own = p_a * (1 - p_a), p_b * (1 - p_b)  # variances of one clip
        per_clip = 1.96**2 / (p_a - p_b) ** 2
        needed = math.ceil(per_clip * sum(own))
        for message, other in {
            "That holds for the rate of A alone. The margin of the difference has the variances of both.": own[0],
            "Margins do not add up: their squares do (np.hypot).": sum(np.sqrt(own)) ** 2,
            "A margin is 1.96 standard errors, and n stands below a root: square the 1.96.": sum(own) / 1.96,
            "That is one standard error. A margin is 1.96 of them.": sum(own) / 1.96**2,
        }.items():
            expect(abs(value - per_clip * other) > 1, message)
        expect(abs(value - needed) <= 1, "Not yet: set the difference equal to its margin, and solve for n.")
        expect(value == needed, "Nearly: the smallest whole number above the solution is asked for.")


EXERCISES = {
    "05.1": Exercise(
        _my_uar,
        (
            "Recall of one class: its hits, over all that truly are of it. Is that a row or a column?",
            "np.diag has the hits. A class without samples has 0 of 0: np.maximum of its count and 1 helps.",
        ),
    ),
    "05.2": Exercise(
        _invented,
        (
            "UAR asks each class how many of its own samples it found. Two of the classes have one sample only.",
            "What does a model do that suspects the rare classes everywhere?",
        ),
    ),
    "05.3": Exercise(
        _mended_pooling,
        (
            "Which number does a fold without class 2 give for class 2?",
            "np.concatenate the true labels of all folds, and the predicted ones.",
        ),
    ),
    "05.4": Exercise(
        _clips_needed,
        (
            "The margin of a difference is 1.96 times the root of (p_a (1 - p_a) + p_b (1 - p_b)) / n.",
            "Set it equal to p_a - p_b, square both sides, solve for n, and round up.",
        ),
    ),
}
