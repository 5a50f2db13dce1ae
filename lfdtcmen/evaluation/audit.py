"""Does the model use anything of the test set? Checks for leaks that a split by subject does not prevent (4.2).

:func:`~lfdtcmen.evaluation.protocol.cross_validate` raises an error for a subject who is on both sides. It cannot see
leaks inside a model (constants from test samples, use of test labels) and inside the data (a label that is visible in
the input). These two functions find such leaks by their effect on predictions.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.threads import one_thread

LEAK_AREA = 0.995  # area under the ROC curve of one single value: no pixel of a face separates emotions so well
MIN_SAMPLES = 15  # of a class: with fewer, one of thousands of values may reach that area at random


def audit_fit_predict(
    fit_predict: Callable[[PairSet, PairSet, int], np.ndarray],
    train: PairSet,
    test: PairSet,
    seed: int = 0,
    tolerance: float = 1e-4,
) -> None:
    """Raise a DataError if a model's prediction for a sample depends on test labels, or on the other test samples.

    The model is trained three times on the same pairs: to predict the test set as it is, with its labels exchanged,
    and without its second half. For the first half, all three must give the same probabilities.

    Parameters
    ----------
    fit_predict : callable
        ``fit_predict(train, test, seed) -> probabilities``. Deterministic for a seed.
    train, test : PairSet
        No subject in both; two test samples or more.
    seed : int
        Random seed of the training.
    tolerance : float
        Largest difference that rounding may make.

    Raises
    ------
    DataError
        The probabilities differ; the message says what they depend on.
    """
    if len(test) < 2:
        raise DataError("one test sample cannot be audited", "audit_fit_predict", "give two or more")
    half = np.arange(len(test)) < len(test) // 2
    exchanged = replace(test, labels=(test.labels + 1) % test.num_classes)
    with one_thread():
        as_it_is = np.asarray(fit_predict(train, test, seed))[half]
        cases = {
            "the labels of the test set": np.asarray(fit_predict(train, exchanged, seed))[half],
            "which other samples are tested": np.asarray(fit_predict(train, test.subset(half), seed)),
        }
    for what, probabilities in cases.items():
        if (off := np.abs(as_it_is - probabilities).max()) > tolerance:
            raise DataError(
                f"the predictions depend on {what} (by up to {off:.3g})",
                "fit_predict",
                "take every constant from the training pairs, and do not use test labels",
            )


def check_label_leak(pairs: PairSet) -> None:
    """Raise a DataError if one single value, of the flow or of a frame, predicts a class almost perfectly.

    Each value of the streams (3 x 28 x 28), of the onset, of the apex and of their difference (grey, every fourth row
    and column) is tried as the only input of a classifier: the area under its ROC curve for each class against all
    others. Classes with few samples are left out.

    Raises
    ------
    DataError
        A value reaches an area of 0.995, or goes down to 0.005; the message names the value and the class.
    """
    values = {name: _grey(getattr(pairs, name)) for name in ("onset", "apex")}
    values["apex - onset"] = values["apex"] - values["onset"]
    if pairs.streams is not None:
        values["streams"] = pairs.streams
    for name, of_pairs in values.items():
        ranks = pd.DataFrame(of_pairs.reshape(len(pairs), -1)).rank().to_numpy()  # [N, values], ties share a rank
        for label in range(pairs.num_classes):
            shown = pairs.labels == label
            count, others = shown.sum(), (~shown).sum()
            if min(count, others) < MIN_SAMPLES:
                continue
            area = (ranks[shown].sum(0) - count * (count + 1) / 2) / (count * others)  # [values]
            worst = np.abs(area - 0.5).argmax()
            if abs(area[worst] - 0.5) >= LEAK_AREA - 0.5:
                position = tuple(int(k) for k in np.unravel_index(worst, of_pairs.shape[1:]))
                raise DataError(
                    f"one value of {name}, at {position}, predicts {pairs.label_names[label]!r} "
                    f"(area under its curve {area[worst]:.3f})",
                    "check_label_leak",
                    "look for a label, a frame number or a caption in the pictures",
                )


def _grey(frames: np.ndarray) -> np.ndarray:
    """Return every fourth row and column of frames [N, H, W, 3], float32 grey values."""
    return frames[:, ::4, ::4].mean(3, dtype=np.float32)
