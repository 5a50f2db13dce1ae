"""A linear probe as one matrix, what it reads from given features, and what it reads by luck (ours).

Ridge regression predicts other clips as ``H y``: the hat matrix H depends on the features alone. So the same H answers
any question, and each question with permuted answers costs one product. Such a permutation null, and features that
certainly hold the answer (positive controls), say what a probe's number means (Hewitt and Liang, 2019, call random
answers control tasks).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from lfdtcmen.analysis.codes import split_clips
from lfdtcmen.analysis.probes import FOLDS, RARE, explained
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import Measure, measure, ratio
from lfdtcmen.evaluation.results import COLUMNS

STRENGTH = 0.3  # of the ridge penalty, where the mean squared length of the features is 1
PERMUTATIONS = 200
HALVES, OTHER_PEOPLE = "halves of each person's clips", "folds of people"
Fold = tuple[np.ndarray, np.ndarray]  # rows that train, rows that are predicted


def hat_matrix(features: np.ndarray, folds: Sequence[Fold], strength: float = STRENGTH) -> np.ndarray:
    """Return H [N, N]: ``H @ y`` predicts each row's y, as far as it differs from the training rows' mean.

    Parameters
    ----------
    features : ndarray
        [N, ...]. They are centred on the training rows and divided by one number, so that strong features stay strong:
        each by its own spread would make as much of a pixel that hardly changes.
    folds : sequence of (train, test)
        Rows; a row of H is 0 on all rows but those that train in its fold.
    strength : float
        Of the ridge penalty.

    Raises
    ------
    DataError
        Features that are not finite, or are the same in all training rows.
    """
    flat = np.asarray(features, np.float64).reshape(len(features), -1)  # [N, K]
    if not np.isfinite(flat).all():
        raise DataError("features are not finite", "hat_matrix")
    hat = np.zeros((len(flat), len(flat)))
    for train, test in folds:
        centred = flat - flat[train].mean(0)
        size = (centred[train] ** 2).sum(1).mean()
        if size == 0:
            raise DataError("features are the same in all training rows", "hat_matrix", "leave them out")
        gram = centred @ centred[train].T / size  # [N, training rows]
        hat[np.ix_(test, train)] = gram[test] @ np.linalg.inv(gram[train] + strength * np.eye(len(train)))
    return hat


def predict_values(hat: np.ndarray, values: np.ndarray, folds: Sequence[Fold]) -> np.ndarray:
    """Return predicted values [N, M]: the training rows' mean, and what H adds to it."""
    predicted = np.zeros(values.shape)
    for train, test in folds:
        mean = values[train].mean(0)
        predicted[test] = mean + hat[np.ix_(test, train)] @ (values[train] - mean)
    return predicted


def predict_classes(hat: np.ndarray, labels: np.ndarray, folds: Sequence[Fold]) -> np.ndarray:
    """Return predicted classes [N], each class counting alike: its 0/1 column in units of its spread, the largest."""
    one_hot = np.eye(labels.max() + 1)[labels]  # [N, C]
    predicted = np.zeros(len(labels), np.int64)
    for train, test in folds:
        mean, spread = one_hot[train].mean(0), one_hot[train].std(0)
        scaled = (one_hot[train] - mean) / np.where(spread > 0, spread, np.inf)
        predicted[test] = (hat[np.ix_(test, train)] @ scaled).argmax(1)
    return predicted


def probe_with_nulls(
    features: Mapping[str, np.ndarray], pairs: PairSet, seed: int = 0, permutations: int = PERMUTATIONS
) -> pd.DataFrame:
    """Ask features three questions with a linear probe, and ask the same with permuted answers.

    - *subject*: half of each person's clips train, the other half is named; accuracy.
    - *emotion*: the class, of people whom the probe has not seen; mean recall.
    - *action units*: likewise; R^2 of the true intensities, all units together (synthetic faces only).

    Parameters
    ----------
    features : mapping
        Name -> features [N, ...].
    pairs : PairSet
        Pairs of held-out subjects, in the order of the features.
    seed : int
        Random seed of halves, permutations and bootstrap.
    permutations : int
        How often the answers are permuted between clips.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`), one per question (``metric``) and features (``part``),
        with intervals over people. Columns *null* (mean over permutations), *null high* (95 % of them are lower) and
        *p* (how often a permutation reads as much). Single clips are permuted: where people have habits, such as
        showing one emotion often, *p* of the emotion is too small.

    Raises
    ------
    DataError
        As :func:`hat_matrix` and :func:`~lfdtcmen.analysis.codes.split_clips`.
    """
    people = GroupKFold(min(FOLDS, len(np.unique(pairs.subjects))))
    folds = list(people.split(pairs.subjects, groups=pairs.subjects))
    splits = {HALVES: [split_clips(pairs.subjects, seed)], OTHER_PEOPLE: folds}
    questions = _questions(pairs, splits)
    rows = []
    for name, values in features.items():
        hats = {split: hat_matrix(values, splits[split]) for split in splits}
        for question, (split, score) in questions.items():
            hat, rng = hats[split], np.random.default_rng(seed)
            found = score(hat, np.arange(len(pairs)), seed)
            null = [score(hat, rng.permutation(len(pairs)), None).value for _ in range(permutations)]
            row = ("probe", question, name, found.value, found.low, found.high, "")
            luck = {
                "null": np.mean(null),
                "null high": np.quantile(null, 0.95),
                "p": (1 + np.sum(np.array(null) >= found.value)) / (1 + permutations),
            }
            rows.append(dict(zip(COLUMNS, row, strict=True)) | luck)
    return pd.DataFrame(rows)


Score = Callable[[np.ndarray, np.ndarray, int | None], Measure]


def _questions(pairs: PairSet, splits: Mapping[str, list[Fold]]) -> dict[str, tuple[str, Score]]:
    """Return question -> its split, and a function of hat matrix, order of the answers, and seed of the bootstrap."""
    who, halves, folds = pairs.subject_codes, splits[HALVES], splits[OTHER_PEOPLE]
    tested, everything = halves[0][1], np.arange(len(pairs))

    def scored(name: str, statistic: Callable, sums: np.ndarray, rows: np.ndarray, seed: int | None) -> Measure:
        if seed is None:  # of a permutation no interval is needed
            return Measure(name, float(statistic(sums.sum(0))), np.nan, np.nan)
        return measure(name, statistic, sums, pairs.subjects[rows], seed)

    def subject(hat: np.ndarray, order: np.ndarray, seed: int | None) -> Measure:
        right = (predict_classes(hat, who[order], halves) == who[order])[tested]
        return scored("subject", ratio, np.stack([right, np.ones_like(right)], 1).astype(float), tested, seed)

    def emotion(hat: np.ndarray, order: np.ndarray, seed: int | None) -> Measure:
        labels = pairs.labels[order]
        weight = 1 / np.bincount(labels)[labels]  # each emotion counts alike
        right = (predict_classes(hat, labels, folds) == labels) * weight
        return scored("emotion", ratio, np.stack([right, weight], 1), everything, seed)

    def action_units(hat: np.ndarray, order: np.ndarray, seed: int | None) -> Measure:
        assert pairs.action_units is not None
        truth = pairs.action_units.reshape(len(pairs), -1)[order]
        truth = truth[:, (truth > 0).mean(0) > RARE]  # [N, units and sides that some show]
        guesses = predict_values(hat, truth, folds), predict_values(0 * hat, truth, folds)
        errors = np.stack([((truth - guess) ** 2).sum(1) for guess in guesses], 1)  # [N, 2]
        return scored("action units", explained, errors, everything, seed)

    questions = {"subject": (HALVES, subject), "emotion": (OTHER_PEOPLE, emotion)}
    return questions | ({"action units": (OTHER_PEOPLE, action_units)} if pairs.action_units is not None else {})
