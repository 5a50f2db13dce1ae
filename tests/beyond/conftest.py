"""What other tests share with these: random pairs, small settings, and a batch."""

from tests.losses.test_losses import batch  # noqa: F401
from tests.training.conftest import config, pairs, repaired  # noqa: F401
