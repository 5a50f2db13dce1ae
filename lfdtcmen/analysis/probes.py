"""What can be read from a code: subject, emotion, action units; linearly, or with a kernel.

A probe is a small model that is trained on codes to answer one question. What a linear probe reads is linearly
decodable; what only a kernel probe reads is in the code as well, but not linearly decodable. Each answer is compared
with chance level and with an untrained encoder: convolutions preserve most of what a face shows, trained or not. All
probes are ours, none is the paper's.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

from lfdtcmen.analysis.codes import encode_pairs, split_clips
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import Measure, measure, ratio
from lfdtcmen.evaluation.results import COLUMNS

FOLDS = 5  # of subjects, for the probes that must work on other people
RARE = 0.02  # an action unit that a smaller share of clips shows is left out
LOGISTIC = LogisticRegression(C=0.1, max_iter=2000)
RIDGE = RidgeCV(np.logspace(1, 6, 11))
# a kernel's width is scikit-learn's default, 1 / number of features: right for standardised codes
CLASSIFIERS = {
    "linear": LOGISTIC,
    "kernel": SVC(C=10.0),
}
REGRESSORS = {
    "linear": RIDGE,
    # a kernel has no intercept; on units of mean 0 it needs none
    "kernel": TransformedTargetRegressor(
        GridSearchCV(KernelRidge(kernel="rbf"), {"alpha": np.logspace(-1, 3, 5)}, cv=3),
        transformer=StandardScaler(with_std=False),
        check_inverse=False,
    ),
}


def probe_codes(model: nn.Module, pairs: PairSet, seed: int = 0) -> pd.DataFrame:
    """Read the codes of one network with linear and kernel probes.

    - *subject*: half of each subject's clips train, the other half tests, as in
      :func:`~lfdtcmen.analysis.disentanglement.identity_leak`; accuracy.
    - *emotion*: probes are tested on other people than they were trained on; mean recall of the emotions.
    - *action units*: likewise; R^2 of the true intensities, all units together (synthetic faces only).

    Parameters
    ----------
    model : nn.Module
        Its ``drl`` encodes.
    pairs : PairSet
        Pairs of held-out subjects.
    seed : int
        Random seed of the subjects' halves and of the bootstrap.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`), one per question (``metric``), code (``part``:
        "mo(apex)", "mo(apex) - mo(onset)", "id(apex)"), positions and probe. Further columns: positions: "mean" (over
        the map) or "all"; probe: "linear" (logistic or ridge regression) or "kernel" (RBF; support vectors or ridge
        regression); chance level (for the subject, of always naming the one with the most clips); shuffled level
        (:func:`shuffled_accuracy`, the stricter one; for the other questions the chance level).

    Raises
    ------
    DataError
        Fewer than two subjects with two clips.
    """
    codes = encode_pairs(model, pairs)
    frames_of = {"mo(apex)": ["mo(onset)", "mo(apex)"], "id(apex)": ["id(onset)", "id(apex)"]}
    features = {}
    for name in ("mo(apex)", "mo(apex) - mo(onset)", "id(apex)"):
        if name.split(" - ")[0] not in codes:
            continue
        frames = [codes[frame] for frame in frames_of.get(name, [])] or [codes["mo(apex)"] - codes["mo(onset)"]]
        features[name, "mean"] = [f.mean((2, 3)) for f in frames]
        features[name, "all"] = [f.reshape(len(f), -1) for f in frames]
    return probe_features(features, pairs, seed)


def probe_features(
    features: Mapping[tuple[str, str], Sequence[np.ndarray]], pairs: PairSet, seed: int = 0
) -> pd.DataFrame:
    """Read any features of pairs with linear and kernel probes.

    Parameters
    ----------
    features : mapping
        Their name and positions (``part`` and ``positions`` in the table) -> rows [N, K] for each pair; or those of its
        onset and those of its apex: then probes for the subject are trained on both, and all are tested on the latter.
    pairs, seed
        As for :func:`probe_codes`.

    Returns
    -------
    DataFrame
        As of :func:`probe_codes`.

    Raises
    ------
    DataError
        Fewer than two subjects with two clips.
    """
    halves = split_clips(pairs.subjects, seed)
    rows = []
    for (name, positions), frames in features.items():
        for probe in CLASSIFIERS:
            for question, (statistic, sums, *levels, subjects) in _answers(frames, pairs, halves, probe).items():
                found = measure(question, statistic, sums, subjects, seed)
                row = ("network", question, name, found.value, found.low, found.high, "")
                rows.append((*row, positions, probe, *levels))
    order = {"subject": 0, "emotion": 1, "action units": 2}
    table = pd.DataFrame(rows, columns=[*COLUMNS, "positions", "probe", "chance level", "shuffled level"])
    return table.sort_values("metric", key=lambda m: m.map(order), kind="stable", ignore_index=True)


def subject_hits(
    codes: np.ndarray,
    subjects: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    classifier: BaseEstimator = LOGISTIC,
) -> np.ndarray:
    """Train a probe on some rows of codes [N, K] to name the subject; return where it is right on the test rows.

    Returns
    -------
    ndarray
        Whether the subject is right (1 or 0), and the 1 that it counts, float64 [N_test, 2], for
        :func:`~lfdtcmen.evaluation.intervals.ratio`.
    """
    return _hits(_predict_subjects(codes, subjects, train, test, classifier), subjects[test])


def subject_chance_level(subjects: np.ndarray) -> float:
    """Return the accuracy of always naming the subject with the most clips."""
    return float(np.unique(subjects, return_counts=True)[1].max() / len(subjects))


def shuffled_accuracy(predicted: np.ndarray, subjects: np.ndarray) -> float:
    """Return the expected accuracy of predicted subjects if the true ones were shuffled: what no information gives.

    A probe that has learned nothing seldom reaches the level of always naming the subject with the most clips: it
    spreads its answers over all of them (Cohen 1960: the agreement that chance alone would give).
    """
    names = np.unique(np.concatenate([predicted, subjects]))
    answered, true = ((rows[:, None] == names).mean(0) for rows in (predicted, subjects))
    return float(answered @ true)


def emotion_hits(codes: np.ndarray, pairs: PairSet, classifier: BaseEstimator = LOGISTIC) -> np.ndarray:
    """Return where a probe that is trained on other people predicts the emotion of codes [N, K].

    Returns
    -------
    ndarray
        Whether the emotion is right, and 1, both over how many clips show it, float64 [N, 2]: their ratio is the mean
        recall.
    """
    probe = make_pipeline(StandardScaler(), clone(classifier).set_params(class_weight="balanced"))
    predicted = np.empty(len(pairs), np.int64)
    for train, test in _folds(pairs).split(codes, groups=pairs.subjects):
        shown = np.unique(pairs.labels[train])
        one = len(shown) == 1  # of a handful of subjects, some may all show the same emotion
        predicted[test] = shown[0] if one else probe.fit(codes[train], pairs.labels[train]).predict(codes[test])
    weight = 1 / np.bincount(pairs.labels)[pairs.labels]  # each emotion counts alike
    return np.stack([(predicted == pairs.labels) * weight, weight], axis=1)


def action_unit_errors(codes: np.ndarray, pairs: PairSet, regressor: BaseEstimator = RIDGE) -> np.ndarray:
    """Return the squared errors of a probe for the true intensities, and of the training subjects' mean.

    Returns
    -------
    ndarray
        Summed over action units, float64 [N, 2], for :func:`explained`.

    Raises
    ------
    DataError
        The action units are not known.
    """
    if pairs.action_units is None:
        raise DataError("the action units are not known", "action_unit_errors", "give synthetic faces")
    truth = pairs.action_units.reshape(len(pairs), -1)
    truth = truth[:, (truth > 0).mean(0) > RARE]  # [N, units and sides that some show]
    read, mean = (
        cross_val_predict(reader, codes, truth, groups=pairs.subjects, cv=_folds(pairs))
        for reader in (make_pipeline(StandardScaler(), regressor), DummyRegressor())
    )
    # of a single unit, scikit-learn returns the rows without an axis for it
    return np.stack([((truth - guess.reshape(truth.shape)) ** 2).sum(1) for guess in (read, mean)], axis=1)


def explained(sums: np.ndarray) -> np.ndarray:
    """Return R^2 of summed :func:`action_unit_errors` [..., 2]: 1 for all of it, 0 for no more than the mean."""
    return 1 - sums[..., 0] / sums[..., 1]


def linear_reading(name: str, feature: np.ndarray, target: np.ndarray, people: np.ndarray, seed: int = 0) -> Measure:
    """Read a number from a feature by ridge regression, for people whom the regression has not seen.

    Parameters
    ----------
    name : str
        Of the measure.
    feature : ndarray
        [N, ...]: flattened and standardised.
    target, people : ndarray
        What is to be read, and of whom it is, [N] each; three people or more.
    seed : int
        Random seed of the bootstrap over people.

    Returns
    -------
    Measure
        R^2: 1 for a perfect reading, 0 or below for none.
    """
    reader = make_pipeline(StandardScaler(), RidgeCV(np.logspace(0, 6, 13)))
    read = cross_val_predict(reader, feature.reshape(len(feature), -1), target, groups=people, cv=GroupKFold(3))
    squares = np.stack([(read - target) ** 2, (target - target.mean()) ** 2], axis=1)  # [N, 2]
    return measure(name, explained, squares, people, seed, 0.0, "1")


def _folds(pairs: PairSet) -> GroupKFold:
    return GroupKFold(min(FOLDS, len(np.unique(pairs.subjects))))


def _predict_subjects(
    codes: np.ndarray, subjects: np.ndarray, train: np.ndarray, test: np.ndarray, classifier: BaseEstimator
) -> np.ndarray:
    probe = make_pipeline(StandardScaler(), clone(classifier))
    return probe.fit(codes[train], subjects[train]).predict(codes[test])


def _hits(predicted: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    return np.stack([predicted == subjects, np.ones(len(subjects))], axis=1).astype(float)


def _answers(features: Sequence[np.ndarray], pairs: PairSet, halves: tuple[np.ndarray, np.ndarray], probe: str) -> dict:
    """Return question -> statistic, sums [N, 2], chance level, shuffled level, subjects; the last frame is tested."""
    train, test = halves
    both = len(pairs) * np.arange(len(features))[:, None]  # rows of the onsets, then rows of the apexes
    frames, who = np.concatenate(features), np.tile(pairs.subjects, len(features))
    tested = pairs.subjects[test]
    predicted = _predict_subjects(frames, who, (train + both).ravel(), test + both[-1], CLASSIFIERS[probe])
    levels = subject_chance_level(tested), shuffled_accuracy(predicted, tested)
    answers = {"subject": (ratio, _hits(predicted, tested), *levels, tested)}

    codes, classes = features[-1], np.unique(pairs.labels)
    if len(classes) > 1:
        right = emotion_hits(codes, pairs, CLASSIFIERS[probe])
        answers["emotion"] = (ratio, right, 1 / len(classes), 1 / len(classes), pairs.subjects)
    if pairs.action_units is not None:
        errors = action_unit_errors(codes, pairs, REGRESSORS[probe])
        answers["action units"] = (explained, errors, 0.0, 0.0, pairs.subjects)
    return answers
