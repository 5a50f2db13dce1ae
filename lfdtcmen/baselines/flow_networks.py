"""The compared networks on optical flow as models of the evaluation protocol."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lfdtcmen.baselines.networks import ComparedNetwork, Inputs, mirror, seeded
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.devices import find_device
from lfdtcmen.errors import DataError


@dataclass(frozen=True)
class FlowNetwork(ComparedNetwork):
    """A network that takes U, V and strain, [B, 3, 28, 28], each scaled by its spread over the training pairs."""

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Train on ``train`` and return probabilities for ``test``, float [N_test, C].

        Raises
        ------
        DataError
            The pairs have no streams.
        """
        known, mirrored, asked = scaled_inputs([streams_of(p, self.name) for p in (train, mirror(train), test)])
        with seeded(seed):
            network = self.make(train.num_classes).to(find_device())
            self.train(network, (known,), (mirrored,), train, seed)
        return self.predict(network, (asked,))


def scaled_inputs(parts: Sequence[np.ndarray]) -> Inputs:
    """Return arrays [N, C, h, w] as tensors, each channel divided by its standard deviation in the first array."""
    scale = parts[0].std((0, 2, 3), keepdims=True) + 1e-6
    return tuple(torch.from_numpy(part / scale) for part in parts)


def streams_of(pairs: PairSet, name: str) -> np.ndarray:
    """Return the flow streams, float32 [N, 3, 28, 28].

    Raises
    ------
    DataError
        The pairs have none; ``name`` says which model needs them.
    """
    if pairs.streams is None:
        raise DataError("the pairs have no flow streams", name, "call prepare_pairs first")
    return pairs.streams
