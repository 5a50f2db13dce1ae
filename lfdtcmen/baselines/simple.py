"""Lower and upper references of every comparison: six baselines, none of them the paper's.

Any model must beat ``majority`` and ``apex_svm``; ``difference_svm`` sees how the frames differ;
``logistic_regression`` and ``linear_svm`` show what flow alone gives a linear model; no model on images can reach
``action_units``, which knows the true ones. The regularisation is chosen inside the training subjects.
"""

import warnings
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from lfdtcmen.baselines.baseline import Baseline, softmax_of_decisions
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError

INNER_FOLDS = 5  # of the training subjects, on which the regularisation is chosen


def make_logistic_regression(strength: float, seed: int) -> LogisticRegression:
    """Return the untrained classifier; ``strength`` is scikit-learn's C, and a rare class counts as a frequent one."""
    return LogisticRegression(C=strength, class_weight="balanced", max_iter=1000, tol=1e-3, random_state=seed)


def make_linear_svm(strength: float, seed: int) -> LinearSVC:
    """Return the untrained classifier; ``strength`` is scikit-learn's C, and a rare class counts as a frequent one."""
    return LinearSVC(C=strength, class_weight="balanced", dual=False, tol=1e-3, random_state=seed)


# values of C to choose from, for features of unit spread
STRENGTHS: dict[Callable[[float, int], LogisticRegression | LinearSVC], tuple[float, ...]] = {
    make_logistic_regression: (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    make_linear_svm: (1e-6, 1e-5, 1e-4, 1e-3, 1e-2),
}


def predict_majority(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Always predict the most frequent class of the training set: UAR 1/C, and UF1 at chance level."""
    most_frequent = np.bincount(train.labels, train.weights, train.num_classes).argmax()
    return np.tile(np.eye(train.num_classes)[most_frequent], (len(test), 1))


def predict_by_regression(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Logistic regression on U, V and strain (28x28 each), the input of the flow branch.

    Raises
    ------
    DataError
        The pairs have no streams.
    """
    return _predict(make_logistic_regression, _streams, train, test, seed)


def predict_by_svm(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Linear SVM on U, V and strain (28x28 each), the input of the flow branch.

    Raises
    ------
    DataError
        The pairs have no streams.
    """
    return _predict(make_linear_svm, _streams, train, test, seed)


def predict_from_apex(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Linear SVM on the apex frame alone: above chance level, the faces reveal the emotion without any motion."""
    return _predict(make_linear_svm, _apexes, train, test, seed)


def predict_from_difference(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Linear SVM on the apex frame minus the onset frame: what moved, without a flow."""
    return _predict(make_linear_svm, _differences, train, test, seed)


def predict_from_action_units(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Logistic regression on the true action units of synthetic faces: a ceiling, since no camera shows them.

    Raises
    ------
    DataError
        The pairs are not synthetic, so that their action units are not known.
    """
    if train.action_units is None or test.action_units is None:
        raise DataError("the pairs have no true action units", "action_units", "use the synthetic faces")
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000, random_state=seed)
    )
    model.fit(_describe_units(train.action_units), train.labels)
    return softmax_of_decisions(model, _describe_units(test.action_units), train.num_classes)


majority = Baseline("majority", predict_majority, takes_weights=True)
logistic_regression = Baseline("logistic-regression", predict_by_regression, takes_weights=True)
linear_svm = Baseline("linear-svm", predict_by_svm, takes_weights=True)
apex_svm = Baseline("apex-svm", predict_from_apex, takes_weights=True)
difference_svm = Baseline("difference-svm", predict_from_difference, takes_weights=True)
action_units = Baseline("action-units", predict_from_action_units)


def _predict(
    make: Callable[[float, int], LogisticRegression | LinearSVC],
    describe: Callable[[PairSet], np.ndarray],
    train: PairSet,
    test: PairSet,
    seed: int,
) -> np.ndarray:
    """Train on features [N, channels, D] with one scale a channel: a value's own scale blows up what never moves.

    The features are turned into the training pairs' principal axes, all of them: it changes no linear model, and there
    are fewer pairs than values.
    """
    known, asked = describe(train), describe(test)
    spread = known.std((0, 2), keepdims=True) + 1e-6  # [1, channels, 1]
    axes = PCA(random_state=seed)
    known = axes.fit_transform((known / spread).reshape(len(known), -1))
    weights = np.ones(len(train)) if train.weights is None else train.weights
    strength = choose_strength(make, STRENGTHS[make], known, train.labels, train.subjects, weights, seed)
    model = make(strength, seed).fit(known, train.labels, sample_weight=weights)
    return softmax_of_decisions(model, axes.transform((asked / spread).reshape(len(asked), -1)), train.num_classes)


def choose_strength(
    make: Callable[[float, int], LogisticRegression | LinearSVC | SVC],
    strengths: Sequence[float],
    features: np.ndarray,
    labels: np.ndarray,
    subjects: np.ndarray,
    weights: np.ndarray,
    seed: int,
) -> float:
    """Return the C with the best macro F1 on training subjects that were held out; if there are too few, a middle one.

    Each subject is held out once, and never trained on when it is predicted.
    """
    count = min(INNER_FOLDS, len(np.unique(subjects)), np.bincount(labels).max())
    if count < 2:
        return strengths[len(strengths) // 2]
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # "fewer members than n_splits": some held-out subjects then lack the class, which pooled scores allow
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        folds = list(splitter.split(features, labels, subjects))
    folds = [(fit, held) for fit, held in folds if len(np.unique(labels[fit])) > 1 and len(held)]
    if not folds:
        return strengths[len(strengths) // 2]
    held_out = np.concatenate([held for _, held in folds])
    scores = []
    for strength in strengths:
        models = [make(strength, seed).fit(features[fit], labels[fit], sample_weight=weights[fit]) for fit, _ in folds]
        found = [model.predict(features[held]) for model, (_, held) in zip(models, folds, strict=True)]
        y_pred = np.concatenate(found)
        scores.append(f1_score(labels[held_out], y_pred, average="macro", sample_weight=weights[held_out]))
    return strengths[int(np.argmax(scores))]


def _streams(pairs: PairSet) -> np.ndarray:
    """Return U, V and strain as features, float32 [N, 3, 784]."""
    if pairs.streams is None:
        raise DataError("the pairs have no flow streams", "the linear baselines", "call prepare_pairs first")
    return pairs.streams.reshape(len(pairs), 3, -1)


def _apexes(pairs: PairSet) -> np.ndarray:
    """Return the apex frames as features, float32 [N, 1, 4096]."""
    return _shrink_to_grey(pairs.apex)[:, None]


def _differences(pairs: PairSet) -> np.ndarray:
    """Return apex minus onset as features, float32 [N, 1, 4096]."""
    return (_shrink_to_grey(pairs.apex) - _shrink_to_grey(pairs.onset))[:, None]


def _shrink_to_grey(frames: np.ndarray) -> np.ndarray:
    """Shrink frames [N, H, W, 3] to 64x64 grey values in [0, 1], one row per frame."""
    small = [cv2.resize(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA) for f in frames]
    return np.stack(small).reshape(len(frames), -1).astype(np.float32) / 255


def _describe_units(intensity: np.ndarray) -> np.ndarray:
    """Describe intensities [N, units, 2] by mean, left-right difference, and whether each of them is above 0."""
    mean, difference = intensity.mean(2), np.abs(intensity[..., 0] - intensity[..., 1])  # [N, units]
    return np.concatenate([mean, difference, mean > 0, difference > 0], axis=1)
