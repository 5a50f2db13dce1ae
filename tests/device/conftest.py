"""The stand-in device for every test that asks for it."""

from collections.abc import Iterator

import pytest

from tests.device.stand_in import Operations, stand_in
from tests.training.conftest import config, pairs, repaired  # noqa: F401


@pytest.fixture
def device() -> Iterator[Operations]:
    """A GPU that refuses what CUDA would refuse."""
    with stand_in() as operations:
        yield operations
