"""The script of the two by two, on few people and two steps: four different networks, each measured once."""

import sys

import numpy as np
import pandas as pd
import pytest

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic import make_counterfactuals
from tests.scripts import EXPERIMENTS, load_script

FILE = EXPERIMENTS / "two_by_two.py"


def test_each_combination_is_trained_and_measured_once(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(FILE.parent)  # as python does for a script: experiments import `common`
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))
    script = load_script(FILE)
    few = make_counterfactuals("standard", 0, 4, 1)
    people = pd.DataFrame({"subject": list("abcd"), "clip": list("wxyz")})
    pairs = PairSet(people, few.onset, few.apex[:, 0], np.array([0, 1, 0, 1]), ("negative", "positive"))
    monkeypatch.setattr(script, "make_counterfactuals", lambda preset: few)
    monkeypatch.setattr(script, "prepared_faces", lambda config, jobs: pairs)
    out = tmp_path / "run"
    options = ["--out", str(out), "--profile", "smoke", "--steps", "2", "--seeds"]
    monkeypatch.setattr(sys, "argv", ["two_by_two.py", *options, "0"])
    script.main()
    rows = pd.read_csv(out / "measures.csv")
    combinations = [(g, s) for g in ("image", "warp") for s in ("own pairs", "swaps")]
    cells = rows.set_index(["metric", "generator", "supervision"])["value"].sort_index()
    error = cells["error relative to copying, squared"]
    assert list(error.index) == combinations and error.is_unique
    assert (error["image"] > 10).all()  # it cannot paint yet
    assert error["warp"].to_numpy() == pytest.approx(1, abs=0.1)  # it begins with a copy
    assert set(rows["steps"]) == {2} and (out / "about.json").exists()
    script.main()
    assert len(pd.read_csv(out / "measures.csv")) == len(rows)
    assert len(list((out / "runs" / "checkpoints").iterdir())) == 4
