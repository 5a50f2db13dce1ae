"""What the script of the apexes says of emotions: each way to choose frames is compared in pairs with the annotated."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen.evaluation.metrics import paired_difference
from tests.scripts import EXPERIMENTS, load_script

FILE = EXPERIMENTS / "apex.py"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(FILE.parent)  # as python does for a script: experiments import `common`
    return load_script(FILE)


def predicted(right: np.ndarray) -> pd.DataFrame:
    """Return predictions for 20 people with six clips each, of three classes; ``right`` is bool [120]."""
    label = np.tile([0, 1, 2], 40)
    answer = np.where(right, label, (label + 1) % 3)
    people = np.repeat([f"p{k:02}" for k in range(20)], 6)
    about = {"seed": 0, "fold": 0, "subject": people, "clip": [f"c{k}" for k in range(120)], "seconds": 1.0}
    classes = {f"p_{c}": (answer == c).astype(float) for c in range(3)}
    return pd.DataFrame(about | {"label": label, "prediction": answer} | classes)


def test_each_way_to_choose_frames_is_compared_in_pairs_with_the_annotated(script):
    annotated = np.random.default_rng(0).random(120) < 0.7
    worse = annotated & (np.arange(120) % 6 > 0)  # nobody's first clip is right any more
    tables = {"annotated": predicted(annotated), "flow": predicted(worse)}
    scores = script.score_emotions(tables).set_index("apex")
    assert scores.loc["flow", "UF1"] < scores.loc["annotated", "UF1"]
    found = scores.loc["flow", ["minus annotated, value", "minus annotated, low", "minus annotated, high"]]
    label, people = tables["flow"]["label"].to_numpy(), tables["flow"]["subject"].to_numpy()
    answers = [tables[name]["prediction"].to_numpy() for name in ("flow", "annotated")]
    np.testing.assert_allclose(found.astype(float), paired_difference(label, *answers, people, "uf1", 3))
    assert scores.loc["flow", "high"] > scores.loc["annotated", "low"]  # unpaired, the intervals overlap
    assert found["minus annotated, high"] < 0  # in pairs they do not
