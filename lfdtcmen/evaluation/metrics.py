"""UF1 and UAR (4.2), the confusion matrix (Fig. 7-9), and their intervals over subjects.

Scores are computed on the pooled predictions of all folds, never averaged over folds: in an average,
a fold that lacks a class would change the score.
"""

from functools import partial

import numpy as np

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import REPEATS, exchange_test, interval, resample


def confusion(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> np.ndarray:
    """Count how often class i was predicted as class j.

    Parameters
    ----------
    y_true, y_pred : array-like of int
        True and predicted classes, [N], from 0 to ``num_classes - 1``.
    num_classes : int
        C.

    Returns
    -------
    ndarray
        int64 [C, C]; rows are true classes.

    Raises
    ------
    DataError
        Arrays of different length, empty arrays, or values that are not classes.
    """
    y_true, y_pred = _check_classes(y_true, y_pred, num_classes)
    return np.bincount(y_true * num_classes + y_pred, minlength=num_classes**2).reshape(num_classes, num_classes)


def uf1(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> float:
    """Return the unweighted F1-score: ``(1/C) sum_c 2 TP_c / (2 TP_c + FP_c + FN_c)`` (4.2, stated).

    A class with neither a sample nor a prediction counts as 0 (assumed; leaving it out would raise the score).
    """
    return float(score_confusion(confusion(y_true, y_pred, num_classes), "uf1"))


def uar(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> float:
    """Return the unweighted average recall: ``(1/C) sum_c TP_c / N_c`` (4.2, stated).

    A class without samples counts as 0.
    """
    return float(score_confusion(confusion(y_true, y_pred, num_classes), "uar"))


METRICS = {"uf1": uf1, "uar": uar}


def score_confusion(counts: np.ndarray, metric: str, leave_out: bool = False) -> np.ndarray:
    """Return UF1 or UAR of confusion matrices [..., C, C], float64 [...].

    Parameters
    ----------
    counts : ndarray
        Confusion matrices; rows are true classes.
    metric : {"uf1", "uar"}
    leave_out : bool
        Leave absent classes out of the mean, as scikit-learn does by default, instead of counting them as 0: for UF1 a
        class with neither a sample nor a prediction, for UAR one without samples. NaN where no class is left.

    Raises
    ------
    DataError
        Unknown metric.
    """
    if metric not in METRICS:
        raise DataError(f"unknown metric {metric!r}", "metric", f"use one of {', '.join(METRICS)}")
    hits, true, predicted = np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(-1), counts.sum(-2)  # [..., C]
    numerator, denominator = (2 * hits, true + predicted) if metric == "uf1" else (hits, true)
    scores = np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 0)
    if not leave_out:
        return scores.mean(-1)
    with np.errstate(invalid="ignore"):
        return scores.sum(-1) / (denominator > 0).sum(-1)


def mean_score(counts: np.ndarray, metric: str, num_classes: int) -> np.ndarray:
    """Return the mean over runs of the scores of flat confusion matrices [runs, R, C * C], float64 [R]."""
    return score_confusion(counts.reshape(*counts.shape[:-1], num_classes, num_classes), metric).mean(0)


def bootstrap_interval(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    subjects: np.ndarray,
    metric: str,
    num_classes: int,
    repeats: int = REPEATS,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the bootstrap interval of a score: how much it depends on which subjects were sampled.

    Subjects are resampled with replacement, not samples: samples of one person resemble each other, and an interval
    over samples would be too narrow.

    In a simulation with imbalanced classes (``experiments/coverage.py``) the 95 % interval contains the true score in
    94 to 96 % of the cases from 50 subjects on, in 92 to 93 % with 30 and in 88 to 90 % with 10: with few
    subjects, the interval is too narrow.

    Parameters
    ----------
    y_true : array-like of int
        True classes, [N].
    y_pred : array-like of int
        Predicted classes, [N], or those of several runs on the same samples, [runs, N], whose scores are averaged.
    subjects : array-like
        Subject of each sample, [N].
    metric : {"uf1", "uar"}
        Which score.
    num_classes : int
        C.
    repeats : int
        Number of resamples.
    level : float
        Share of the resamples within the interval.
    seed : int
        Random seed of the bootstrap: the same seed gives the same resamples, so that models can be compared pairwise.

    Returns
    -------
    low, high : float
        NaN for fewer than :data:`~lfdtcmen.evaluation.intervals.LEAST_SUBJECTS` subjects.

    Raises
    ------
    DataError
        Unknown metric, arrays of different length, or values that are not classes.
    """
    resampled = _resampled_scores(y_true, y_pred, subjects, metric, num_classes, repeats, seed)
    return interval(resampled, len(np.unique(subjects)), (1 - level) / 2)


def paired_difference(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    y_pred_reference: np.ndarray,
    subjects: np.ndarray,
    metric: str,
    num_classes: int,
    repeats: int = REPEATS,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return a model's score minus a reference's on the same samples, with the interval over subjects.

    Both models are scored on the same bootstrap resamples, so what affects both alike (a difficult subject) cancels.

    Returns
    -------
    difference, low, high : float
        Score of ``y_pred`` minus that of ``y_pred_reference``. Parameters and errors as :func:`bootstrap_interval`.
    """
    scores = _resampled_scores(y_true, y_pred, subjects, metric, num_classes, repeats, seed)
    references = _resampled_scores(y_true, y_pred_reference, subjects, metric, num_classes, repeats, seed)
    low, high = interval(scores - references, len(np.unique(subjects)), (1 - level) / 2)
    compute = METRICS[metric]
    score = np.mean([compute(y_true, run, num_classes) for run in np.atleast_2d(y_pred)])
    reference = np.mean([compute(y_true, run, num_classes) for run in np.atleast_2d(y_pred_reference)])
    return float(score - reference), low, high


def permutation_test(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    y_pred_reference: np.ndarray,
    subjects: np.ndarray,
    metric: str,
    num_classes: int,
    repeats: int = REPEATS,
    seed: int = 0,
) -> float:
    """Return the p-value of a difference in score: how often would two equally good models differ at least as much?

    In each repetition, the predictions of the two models for a subject are exchanged with probability 1/2
    (:func:`~lfdtcmen.evaluation.intervals.exchange_test`).

    Returns
    -------
    float
        Two-sided, from ``1 / (repeats + 1)`` to 1; NaN for few subjects, as :func:`bootstrap_interval`. Parameters and
        errors as :func:`paired_difference`; both models need the same number of runs.
    """
    counts = confusion_by_subject(y_true, y_pred, subjects, num_classes)  # [runs, S, C * C]
    references = confusion_by_subject(y_true, y_pred_reference, subjects, num_classes)
    score = partial(mean_score, metric=metric, num_classes=num_classes)
    return exchange_test(counts, references, score, repeats, seed)


def _resampled_scores(y_true, y_pred, subjects, metric, num_classes, repeats, seed) -> np.ndarray:
    """Return the score, averaged over runs, of each resample of the subjects, float64 [repeats]."""
    # counts are exact as floats, whose product is many times faster
    by_subject = confusion_by_subject(y_true, y_pred, subjects, num_classes).astype(float)  # [runs, S, C * C]
    # the confusion matrix of a resample is the subjects' matrices, weighted by how often each subject was resampled
    return mean_score(resample(by_subject.shape[1], repeats, seed) @ by_subject, metric, num_classes)


def confusion_by_subject(y_true: np.ndarray, y_pred: np.ndarray, subjects: np.ndarray, num_classes: int) -> np.ndarray:
    """Return the confusion matrix of each run and subject, flat, int64 [runs, S, C * C]: a bootstrap resamples these.

    Subjects are in the order of :func:`numpy.unique`. Parameters and errors as :func:`bootstrap_interval`.
    """
    subjects = np.asarray(subjects)
    runs = np.atleast_2d(y_pred)
    if len(subjects) != len(y_true):
        raise DataError(f"{len(subjects)} subjects but {len(y_true)} labels", "subjects")
    names, who = np.unique(subjects, return_inverse=True)  # who: [N] in 0..S-1
    people, cells = len(names), num_classes**2
    counts = []
    for run in runs:
        truth, predicted = _check_classes(y_true, run, num_classes)
        cell = who * cells + truth * num_classes + predicted
        counts.append(np.bincount(cell, minlength=people * cells).reshape(people, cells))
    return np.stack(counts)


def _check_classes(y_true, y_pred, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or len(y_true) == 0:
        raise DataError(
            f"true and predicted classes must be equally long and not empty, got {y_true.shape} and {y_pred.shape}",
            "metrics",
        )
    for name, values in (("y_true", y_true), ("y_pred", y_pred)):
        if not np.issubdtype(values.dtype, np.integer):
            raise DataError(
                f"classes must be whole numbers, got {values.dtype}", name, "take the argmax of probabilities"
            )
        if values.min() < 0 or values.max() >= num_classes:
            raise DataError(f"classes run from {values.min()} to {values.max()}, not 0 to {num_classes - 1}", name)
    return y_true.astype(np.int64), y_pred.astype(np.int64)
