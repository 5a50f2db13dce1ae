"""What the hand-crafted methods share: each sample described once, and a support vector machine.

The publications choose C, or a kernel, on the data that they test on. Here C is chosen for each fold, inside its
training subjects, and a rare class counts as a frequent one.
"""

import hashlib
from collections.abc import Callable

import numpy as np
from sklearn.decomposition import PCA
from sklearn.svm import SVC, LinearSVC

from lfdtcmen.baselines.baseline import softmax_of_decisions
from lfdtcmen.baselines.simple import choose_strength
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError

STRENGTHS = (1e-2, 1e-1, 1e0, 1e1, 1e2)  # values of C to choose from, for features whose variances add up to 1

_described: dict[tuple[str, bytes], np.ndarray] = {}  # of this process: folds and seeds describe the same samples


def make_linear_svm(strength: float, seed: int) -> LinearSVC:
    """Return an untrained linear SVM, one class against the others."""
    return LinearSVC(C=strength, class_weight="balanced", dual=False, tol=1e-3, random_state=seed)


def make_polynomial_svm(strength: float, seed: int) -> SVC:
    """Return an untrained SVM with the kernel (x'y + 1)^2, one class against another."""
    return SVC(C=strength, kernel="poly", degree=2, gamma=1.0, coef0=1.0, class_weight="balanced", random_state=seed)


def describe_each(samples: np.ndarray, describe: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the features of samples [N, ...], float32 [N, D]; a sample that this process has described is looked up.

    Parameters
    ----------
    samples : ndarray
        Clips or flows, one a row.
    describe : callable
        From one sample to its features; a function of a module, which depends on the sample alone.
    """
    name = f"{describe.__module__}.{describe.__qualname__}"
    rows = []
    for sample in samples:
        key = name, hashlib.sha256(np.ascontiguousarray(sample).tobytes()).digest()
        if key not in _described:
            _described[key] = np.asarray(describe(sample), np.float32)
        rows.append(_described[key])
    return np.stack(rows)


def predict_by_svm(
    known: np.ndarray,
    asked: np.ndarray,
    train: PairSet,
    seed: int,
    make: Callable[[float, int], LinearSVC | SVC] = make_linear_svm,
) -> np.ndarray:
    """Train an SVM on the features of the training pairs, and return probabilities for others.

    All features are divided by one number, so that their relative sizes stay as published, and turned into the training
    pairs' principal axes, all of them: it changes no kernel, and there are often fewer pairs than features.

    Parameters
    ----------
    known, asked : ndarray
        Features of the training and of the test pairs, [N, D] and [N_test, D].
    train : PairSet
        Labels, subjects and weights of the training pairs.
    seed : int
        Random seed of the inner folds and the SVM.
    make : callable
        ``make(C, seed)``, the untrained SVM.

    Returns
    -------
    ndarray
        Probabilities, float64 [N_test, C].

    Raises
    ------
    DataError
        All training pairs are of one class.
    """
    if len(np.unique(train.labels)) < 2:
        name = train.label_names[train.labels[0]]
        raise DataError(f"all training pairs are of the class {name}", "an SVM", "train on two classes or more")
    axes = PCA(random_state=seed)
    scale = np.sqrt(known.var(0).sum()) + 1e-12
    features = axes.fit_transform(known / scale)
    weights = np.ones(len(train)) if train.weights is None else train.weights
    strength = choose_strength(make, STRENGTHS, features, train.labels, train.subjects, weights, seed)
    model = make(strength, seed).fit(features, train.labels, sample_weight=weights)
    return softmax_of_decisions(model, axes.transform(asked / scale), train.num_classes)


def predict_by_clips(
    describe: Callable[[np.ndarray], np.ndarray], train: PairSet, test: PairSet, seed: int
) -> np.ndarray:
    """Return probabilities for ``test``, float64 [N_test, C], by an SVM on the features of each clip [T, H, W].

    Errors as :func:`predict_by_svm` and ``describe``.
    """
    assert train.clips is not None and test.clips is not None  # Baseline has checked it
    return predict_by_svm(describe_each(train.clips, describe), describe_each(test.clips, describe), train, seed)


def flow_of(pairs: PairSet, name: str) -> np.ndarray:
    """Return the flow, float32 [N, 2, H, W].

    Raises
    ------
    DataError
        The pairs have none; ``name`` says which method needs it.
    """
    if pairs.flow is None:
        raise DataError("the pairs have no optical flow", name, "call prepare_pairs first")
    return pairs.flow


def split_blocks(image: np.ndarray, count: int) -> list[np.ndarray]:
    """Split the last two axes into ``count`` times ``count`` blocks, row by row, whose sides differ by at most 1."""
    return [block for rows in np.array_split(image, count, axis=-2) for block in np.array_split(rows, count, axis=-1)]
