"""What a baseline is for the shared protocol, and how decision values become probabilities."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC
from torch import nn

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import Fold
from lfdtcmen.datasets.synthetic.clips_of_pairs import CLIPS_VERSION
from lfdtcmen.errors import DataError


@dataclass(frozen=True)
class Baseline:
    """A method without settings of its own, as a model for :func:`lfdtcmen.evaluation.protocol.cross_validate`.

    Parameters
    ----------
    name : str
        The method's name, as the command line knows it.
    fit_predict : callable
        ``fit_predict(train, test, seed) -> probabilities [N_test, C]``: a function of a module, so that processes can
        be sent it. It must not look at the test labels.
    takes_weights : bool
        Whether it heeds the ``weights`` of the training pairs, as added faces need
        (:class:`~lfdtcmen.evaluation.mixed_training.MixedTraining`).
    needs_clips : bool
        Whether two frames are too few for it: the pairs then need ``clips``.
    source : str
        Who published it, where; empty for what is no published method.
    make : callable, optional
        Number of classes -> untrained network, of a method that has one.
    """

    name: str
    fit_predict: Callable[[PairSet, PairSet, int], np.ndarray]
    takes_weights: bool = False
    needs_clips: bool = False
    source: str = ""
    make: Callable[[int], nn.Module] | None = None

    @property
    def settings(self) -> Mapping:
        """What the predictions depend on apart from data and seed: the method, and how clips are rendered."""
        return {"model": self.name} | ({"clips": CLIPS_VERSION} if self.needs_clips else {})

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int) -> None:
        """Check that the pairs have clips, where the method needs them; the folds share nothing.

        Raises
        ------
        DataError
            The method needs clips, and the pairs have none.
        """
        self._check_clips(pairs)

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Train on ``train`` and return probabilities for ``test``, float [N_test, C].

        Raises
        ------
        DataError
            The training pairs have weights, which the method does not heed, or the pairs have no clips, which it needs.
        """
        for pairs in (train, test):
            self._check_clips(pairs)
        if train.weights is not None and not self.takes_weights:
            raise DataError(f"{self.name} cannot weigh its training pairs", "add_synthetic", "leave the model out")
        return self.fit_predict(train, test, seed)

    def _check_clips(self, pairs: PairSet) -> None:
        if self.needs_clips and pairs.clips is None:
            what = f"{self.name} needs clips, and the pairs have only onset and apex"
            raise DataError(
                what, "PairSet.clips", "call lfdtcmen.datasets.synthetic.add_clips, or leave the method out"
            )


def softmax_of_decisions(
    model: Pipeline | LogisticRegression | LinearSVC | SVC, features: np.ndarray, num_classes: int
) -> np.ndarray:
    """Return a softmax over the decision values of a classifier.

    Parameters
    ----------
    model : classifier
        A fitted classifier of scikit-learn with a decision value for each class, or a pipeline that ends with one.
    features : ndarray
        One row per sample, [N, D].
    num_classes : int
        Number of classes C of the data set; one without a training sample gets probability 0.

    Returns
    -------
    ndarray
        Probabilities, float64 [N, C].
    """
    values = model.decision_function(features).astype(np.float64)
    if values.ndim == 1:  # scikit-learn gives one column for two classes
        values = np.stack([-values, values], 1)
    values = np.exp(values - values.max(1, keepdims=True))
    probabilities = np.zeros((len(features), num_classes))
    probabilities[:, model.classes_] = values / values.sum(1, keepdims=True)
    return probabilities
