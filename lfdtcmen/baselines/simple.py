"""Lower and upper references of every comparison: four baselines, none of them the paper's.

Any model must beat ``majority`` and ``apex_svm``; ``linear_svm`` shows what flow alone gives; no model on images can
reach ``action_units``, which knows the true ones.
"""

import cv2
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from lfdtcmen.baselines.baseline import Baseline, sample_weights, softmax_of_decisions
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError


def predict_majority(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Always predict the most frequent class of the training set: UAR 1/C, and UF1 at chance level."""
    most_frequent = np.bincount(train.labels, train.weights, train.num_classes).argmax()
    return np.tile(np.eye(train.num_classes)[most_frequent], (len(test), 1))


def predict_from_flow(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Linear SVM on U, V and strain (28x28 each), the input of the flow branch.

    Raises
    ------
    DataError
        The pairs have no streams.
    """
    if train.streams is None or test.streams is None:
        raise DataError("the pairs have no flow streams", "linear_svm", "call prepare_pairs first")
    model = make_pipeline(StandardScaler(), LinearSVC(C=1e-3, class_weight="balanced", random_state=seed))
    model.fit(train.streams.reshape(len(train), -1), train.labels, **sample_weights(model, train))
    return softmax_of_decisions(model, test.streams.reshape(len(test), -1), train.num_classes)


def predict_from_apex(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Linear SVM on the apex frame alone: above chance level, the faces reveal the emotion without any motion."""
    components = min(100, len(train) - 1)
    model = make_pipeline(
        PCA(components, whiten=True, random_state=seed), LinearSVC(C=1e-2, class_weight="balanced", random_state=seed)
    )
    model.fit(_shrink_to_grey(train.apex), train.labels, **sample_weights(model, train))
    return softmax_of_decisions(model, _shrink_to_grey(test.apex), train.num_classes)


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
linear_svm = Baseline("linear-svm", predict_from_flow, takes_weights=True)
apex_svm = Baseline("apex-svm", predict_from_apex, takes_weights=True)
action_units = Baseline("action-units", predict_from_action_units)


def _shrink_to_grey(frames: np.ndarray) -> np.ndarray:
    """Shrink frames [N, H, W, 3] to 64x64 grey values in [0, 1], one row per frame."""
    small = [cv2.resize(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA) for f in frames]
    return np.stack(small).reshape(len(frames), -1).astype(np.float32) / 255


def _describe_units(intensity: np.ndarray) -> np.ndarray:
    """Describe intensities [N, units, 2] by mean, left-right difference, and whether each of them is above 0."""
    mean, difference = intensity.mean(2), np.abs(intensity[..., 0] - intensity[..., 1])  # [N, units]
    return np.concatenate([mean, difference, mean > 0, difference > 0], axis=1)
