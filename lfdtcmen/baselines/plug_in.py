"""DRL beside another network: the paper's first contribution, "integrated into arbitrary MER networks" (1, 3.1).

The motion code of a trained DRL says how the apex differs from the onset. The plug-in gives it to the classifier of any
network, beside that network's own features:

    logits = network(flow) + W motion,    motion = ReLU(conv1x1(d)),    d = mo(I_ap) - mo(I_on)

For a network that ends with a linear layer, this is one linear layer on the features of both, concatenated. The
encoder stays as stage 1 has trained it on the subjects of the training fold; W starts at zero, so that training starts
with the network as it is. The paper does not say how DRL is joined to another network: all of this is assumed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from lfdtcmen.analysis.codes import encode_pairs
from lfdtcmen.baselines.flow_networks import FlowNetwork, scaled_inputs, streams_of
from lfdtcmen.baselines.networks import mirror, seeded
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import Fold
from lfdtcmen.devices import find_device
from lfdtcmen.errors import DataError
from lfdtcmen.modules.encoder import CODE_CHANNELS
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.training.classifier import LFDTCMENClassifier

REDUCED = 16  # channels of the motion code that the classifier is given
CELLS = 4  # of each side: the motion code of a 128x128 face


class MotionBeside(nn.Module):
    """A network and the motion code beside it, [B, 3, 28, 28] and [B, 256, h, w], to logits [B, C].

    Parameters
    ----------
    network : nn.Module
        Any that takes flow to logits; trained together with what is added.
    num_classes : int
    """

    def __init__(self, network: nn.Module, num_classes: int):
        super().__init__()
        self.network = network
        self.reduce = nn.Conv2d(CODE_CHANNELS, REDUCED, 1, bias=False)  # without a bias: no motion, no influence
        self.pool, self.dropout = nn.AdaptiveAvgPool2d(CELLS), nn.Dropout()
        self.classifier = nn.Linear(REDUCED * CELLS * CELLS, num_classes, bias=False)
        nn.init.zeros_(self.classifier.weight)

    def forward(self, flow: Tensor, change: Tensor) -> Tensor:
        motion = self.pool(self.reduce(change).relu()).flatten(1)  # [B, 256]
        return self.network(flow) + self.classifier(self.dropout(motion))


@dataclass(frozen=True)
class WithDRL:
    """A network on flow with DRL's motion code beside it, as a model of the evaluation protocol.

    Parameters
    ----------
    network : FlowNetwork
        Trained as without DRL: the same schedule, the same first weights, the same batches.
    drl : LFDTCMENClassifier
        Whose stage 1 trains the encoder, by the paper's recipe or the repaired one, on the training pairs of each fold;
        other models with the same config and ``run_dir`` share its checkpoints.
    """

    network: FlowNetwork
    drl: LFDTCMENClassifier

    @property
    def name(self) -> str:
        """The network's name and ``+drl``."""
        return f"{self.network.name}+drl"

    @property
    def source(self) -> str:
        """Who published the network."""
        return f"{self.network.source}; and the paper"

    @property
    def settings(self) -> Mapping:
        """What the predictions depend on apart from data and seed."""
        return {**self.network.settings, "model": self.name, "drl": self.drl.settings}

    def make(self, num_classes: int) -> MotionBeside:
        """Return what is trained, untrained; the encoder is not in it."""
        return MotionBeside(self.network.make(num_classes), num_classes)

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int) -> None:
        """Train once what folds share of stage 1.

        Raises
        ------
        DataError
            The config has no DRL.
        """
        if self.drl.config.drl is None:
            raise DataError("the config has no DRL to put beside the network", self.name, "give drl='full'")
        self.drl.prepare(pairs, folds, seeds, jobs)

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Train on ``train`` and return probabilities for ``test``, float [N_test, C].

        Raises
        ------
        DataError
            The pairs have no streams, or frames that stage 1 cannot use.
        """
        parts = (train, mirror(train), test)
        streams = scaled_inputs([streams_of(pairs, self.name) for pairs in parts])
        encoders = self.drl.after_stage1(train, test, seed)
        changes = scaled_inputs([motion_change(encoders, pairs) for pairs in parts])
        known, mirrored, asked = zip(streams, changes, strict=True)
        with seeded(seed):
            joined = self.make(train.num_classes).to(find_device())
            self.network.train(joined, known, mirrored, train, seed)
        return self.network.predict(joined, asked)


def motion_change(network: LFDTCMEN, pairs: PairSet) -> np.ndarray:
    """Return the difference of the motion codes, apex minus onset, float32 [N, 256, h, w]."""
    codes = encode_pairs(network, pairs, identity=False)
    return codes["mo(apex)"] - codes["mo(onset)"]
