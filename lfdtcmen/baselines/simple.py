"""What any model must beat, and what none can: four baselines under the same protocol as the network.

Each one is a ``fit_predict(train, test, seed) -> probabilities [N_test, C]``
for :func:`lfdtcmen.evaluation.protocol.cross_validate`. None of them is the paper's.
"""

import cv2
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError


def majority(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Always answer the most frequent class of the training set: UAR 1/C, and the UF1 that luck gives."""
    answer = np.bincount(train.labels, minlength=train.num_classes).argmax()
    return np.tile(np.eye(train.num_classes)[answer], (len(test), 1))


def linear_svm(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Linear SVM on U, V and strain (28x28 each), as the flow branch gets them: what flow alone is worth.

    Raises
    ------
    DataError
        The pairs have no streams.
    """
    if train.streams is None or test.streams is None:
        raise DataError("the pairs have no flow streams", "linear_svm", "call prepare_pairs first")
    model = make_pipeline(StandardScaler(), LinearSVC(C=1e-3, class_weight="balanced", random_state=seed))
    model.fit(train.streams.reshape(len(train), -1), train.labels)
    return _probabilities(model, test.streams.reshape(len(test), -1), train.num_classes)


def apex_svm(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Linear SVM on the apex frame alone: near chance, or the faces give the emotion away without any motion."""
    few = min(100, len(train) - 1)
    model = make_pipeline(
        PCA(few, whiten=True, random_state=seed), LinearSVC(C=1e-2, class_weight="balanced", random_state=seed)
    )
    model.fit(_small_grey(train.apex), train.labels)
    return _probabilities(model, _small_grey(test.apex), train.num_classes)


def action_units(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Logistic regression on the true action units of drawn faces: a ceiling, since no camera shows them.

    Raises
    ------
    DataError
        The pairs were not drawn, so that nobody knows their action units.
    """
    if train.action_units is None or test.action_units is None:
        raise DataError("the pairs have no true action units", "action_units", "use the synthetic faces")
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000, random_state=seed)
    )
    model.fit(_describe_units(train.action_units), train.labels)
    return _probabilities(model, _describe_units(test.action_units), train.num_classes)


def _small_grey(frames: np.ndarray) -> np.ndarray:
    """Shrink frames to 64x64 grey values in [0, 1], one row a frame."""
    small = [cv2.resize(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA) for f in frames]
    return np.stack(small).reshape(len(frames), -1).astype(np.float32) / 255


def _describe_units(intensity: np.ndarray) -> np.ndarray:
    """Describe intensities [N, units, 2] by mean, left-right difference, and which are there at all."""
    mean, difference = intensity.mean(2), np.abs(intensity[..., 0] - intensity[..., 1])  # [N, units]
    return np.concatenate([mean, difference, mean > 0, difference > 0], axis=1)


def _probabilities(model, features: np.ndarray, num_classes: int) -> np.ndarray:
    """Return a softmax over decision values [N, C]; a class that was not trained on gets 0."""
    values = model.decision_function(features).astype(np.float64)
    if values.ndim == 1:  # scikit-learn gives one column for two classes
        values = np.stack([-values, values], 1)
    values = np.exp(values - values.max(1, keepdims=True))
    probabilities = np.zeros((len(features), num_classes))
    probabilities[:, model[-1].classes_] = values / values.sum(1, keepdims=True)
    return probabilities
