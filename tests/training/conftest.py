"""What the tests of training share: a few random pairs, and small settings."""

import pytest

from lfdtcmen import load_config
from lfdtcmen.config import Config
from lfdtcmen.datasets.pairs import PairSet
from tests.training.helpers import make_pairs


@pytest.fixture
def pairs() -> PairSet:
    return make_pairs()


@pytest.fixture
def config() -> Config:
    return load_config(
        "smoke", epochs=(2, 2, 2), batch_sizes=(4, 4, 4), perceptual_taps=("relu1_2",), vgg_weights="random"
    )


@pytest.fixture
def repaired() -> Config:
    return load_config("smoke", recipe="repaired_alone", batch_sizes=(4, 4, 4))
