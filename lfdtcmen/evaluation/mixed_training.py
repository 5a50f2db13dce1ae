"""A model that is trained with added synthetic faces, under the same protocol as without them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lfdtcmen.datasets.mixing import check_apart, mix
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import Fold
from lfdtcmen.evaluation.protocol import Model


@dataclass(frozen=True)
class MixedTraining:
    """A model for :func:`~lfdtcmen.evaluation.protocol.cross_validate` that adds faces to the training pairs of a fold.

    The folds are of the data set alone, so that an added face is never tested.

    Parameters
    ----------
    model : Model
        It has to heed ``weights`` of the training pairs.
    added, weight, repeats
        As for :func:`~lfdtcmen.datasets.mixing.mix`.
    """

    model: Model
    added: PairSet
    weight: float
    repeats: int

    @property
    def settings(self) -> Mapping:
        """The model's settings, and what is added."""
        added = {"fingerprint": self.added.fingerprint, "weight": self.weight, "repeats": self.repeats}
        return {**self.model.settings, "added": added}

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int) -> None:
        """Check that nobody of the added faces is in the data set, and let the model prepare itself.

        Raises
        ------
        DataError
            A person is in both.
        """
        check_apart(self.added, pairs)
        self.model.prepare(pairs, folds, seeds, jobs)

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Train on ``train`` and the added faces, and return probabilities for ``test``, float [N_test, C].

        Raises
        ------
        DataError
            An added person is tested.
        """
        check_apart(self.added, test)
        return self.model(mix(train, self.added, self.weight, self.repeats), test, seed)
