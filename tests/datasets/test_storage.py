"""A cache that cannot be written to is refused before anything is rendered for it."""

import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic.storage import load_or_render


def test_a_cache_that_cannot_be_written_to_is_refused_before_rendering(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot create the folder.*LFDTCMEN_CACHE"):
        load_or_render(tmp_path / "cache" / "synthetic" / "x.npz", {}, lambda: pytest.fail("rendered"))
