"""What the tests of training share as well: a few random pairs, and small settings."""

from tests.training.conftest import config, pairs, repaired  # noqa: F401
