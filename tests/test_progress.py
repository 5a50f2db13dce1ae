"""Progress bars: shown where they are asked for, unless the environment hides them all."""

import numpy as np
import pytest

from lfdtcmen.datasets.synthetic import make_dataset


@pytest.mark.parametrize(("disable", "shown"), [("0", True), ("1", False)])
def test_the_environment_hides_bars_that_were_asked_for(disable, shown, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path))
    monkeypatch.setenv("TQDM_DISABLE", disable)
    pairs = make_dataset("easy", "3class", subjects=2, seed=3, progress=True)
    assert np.isfinite(pairs.true_flow).all()
    assert ("rendering" in capsys.readouterr().err) == shown
