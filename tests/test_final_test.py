"""The final test's script, run on a few development people: it freezes, measures, writes, and does nothing twice."""

import json
import sys
from dataclasses import replace

import pandas as pd
import pytest
from sklearn.kernel_ridge import KernelRidge

from lfdtcmen import DataError, load_config
from lfdtcmen.analysis import probes
from tests.scripts import EXPERIMENTS, load_script
from tests.training.helpers import smaller

FILE = EXPERIMENTS / "final_test.py"
SMALL = {"subjects": 3, "epochs": (1, 1, 1), "batch_sizes": (16, 16, 16), "vgg_weights": "random"}


@pytest.fixture
def script(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(FILE.parent)  # as python does for a script: experiments import `common`
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))
    script = load_script(FILE)
    repaired = {**SMALL, "epochs": (0, 1, 1), "pretraining": 2, "pretraining_groups": 1}
    recipes = {"paper": load_config("smoke", **SMALL), "repaired": load_config("smoke", "repaired", **repaired)}
    for name, value in {"RECIPES": recipes, "SEED": 7, "PEOPLE": 4, "IDENTITIES": 4, "MOTIONS": 3}.items():
        monkeypatch.setattr(script, name, value)
    for name in ("prepared_faces", "locked_faces", "make_counterfactuals", "make_unit_counterfactuals"):
        make = getattr(script, name)
        monkeypatch.setattr(script, name, lambda *given, make=make, **named: smaller(make(*given, **named)))
    monkeypatch.setattr(script, "find_commit", lambda: "abc")
    monkeypatch.setattr(probes, "FOLDS", 2)  # probes that are quicker, and not as good
    monkeypatch.setitem(probes.REGRESSORS, "kernel", KernelRidge(kernel="rbf"))
    return script


def run(script, monkeypatch, out, *options):
    monkeypatch.setattr(sys, "argv", ["final_test.py", "--out", str(out), "--seeds", "1", *options])
    script.main()


def test_every_table_is_written_and_a_second_call_measures_nothing_again(script, monkeypatch, tmp_path, capsys):
    out = tmp_path / "run"
    run(script, monkeypatch, out)
    tables = {file.name.split(".")[0]: pd.read_csv(file) for file in out.glob("*.csv*")}
    measured = {"gains", "shares", "report", "probes", "blocks", "costs"}
    assert {*tables} == measured | {"predictions", "scores", "seed_scores", "controls", "criteria"}
    for name in measured:
        assert set(tables[name]["recipe"]) == {"paper", "repaired"} and set(tables[name]["seed"]) == {0}, name
    gains = tables["gains"].groupby("set")["part"].nunique()
    assert gains["motions"] == 3 + 3 and gains["action units"] == 17 + 3
    models = {
        "logistic-regression",
        *(f"{r}{b}" for r in script.RECIPES for b in ("", ", motion branch", ", flow branch")),
    }
    assert set(tables["predictions"]["model"]) == set(tables["scores"]["model"]) == models
    differences = tables["scores"].dropna(subset="against").groupby("model")["against"].agg(set)
    assert differences["repaired"] == {"logistic-regression", "repaired, flow branch"}
    assert tables["predictions"]["subject"].str.startswith("locked/").all()  # nobody else is scored
    assert set(tables["probes"]["probe"]) == {"linear", "kernel"} and "onset, pixels" in set(tables["controls"]["part"])
    assert set(tables["criteria"]["recipe"]) == {"paper", "repaired"} and len(tables["criteria"]) == 2 * 11
    about, frozen = (json.loads((out / name).read_text()) for name in ("about.json", "frozen.json"))
    assert about["commit"] == frozen["commit"] == "abc" and frozen["sizes"]["seed"] == 7
    assert frozen["recipes"]["repaired"]["config"]["pretraining"] == 2

    monkeypatch.setattr(script, "measure", lambda *_: pytest.fail("measured again"))
    run(script, monkeypatch, out)
    assert pd.read_csv(out / "gains.csv").equals(tables["gains"])


def test_a_test_that_has_begun_goes_on_with_its_recipes_only(script, monkeypatch, tmp_path):
    script.freeze(tmp_path, ["paper"], "abc")
    script.freeze(tmp_path, ["paper", "repaired"], "def")
    frozen = json.loads((tmp_path / "frozen.json").read_text())
    assert frozen["commit"] == "abc" and set(frozen["recipes"]) == {"paper", "repaired"}
    changed = {**script.RECIPES, "paper": replace(script.RECIPES["paper"], margin=0.5)}
    monkeypatch.setattr(script, "RECIPES", changed)
    with pytest.raises(DataError, match="the test of paper was begun with another recipe"):
        script.freeze(tmp_path, ["paper"], "abc")
    script.freeze(tmp_path, ["repaired"], "abc")
    monkeypatch.setattr(script, "MOTIONS", 4)
    with pytest.raises(DataError, match="another recipe"):
        script.freeze(tmp_path, ["repaired"], "abc")


def test_uncommitted_changes_are_refused(monkeypatch):
    monkeypatch.syspath_prepend(FILE.parent)
    script = load_script(FILE)
    answers = {"status": " M lfdtcmen/config.py\n", "rev-parse": "abc\n"}

    class Done:
        def __init__(self, command):
            self.stdout = answers[command[1]]

    monkeypatch.setattr(script.subprocess, "run", lambda command, **_: Done(command))
    with pytest.raises(DataError, match="uncommitted changes"):
        script.find_commit()
    answers["status"] = ""
    assert script.find_commit() == "abc"


def test_a_criterion_is_reached_where_every_seed_reaches_it(script, tmp_path):
    def write(name, **columns):
        pd.DataFrame(columns).to_csv(tmp_path / f"{name}.csv", index=False)

    metrics = ["motion gain", "motion cosine", "change error relative to copying"]
    write("gains", set="motions", part="all", metric=metrics * 2, recipe="a", seed=[0] * 3 + [1] * 3)
    gains = pd.read_csv(tmp_path / "gains.csv").assign(value=[0.71, 0.8, 0.5, 0.69, 0.76, 1.0])
    gains.to_csv(tmp_path / "gains.csv", index=False)
    share = {"part": "driver, with all interactions", "recipe": "a"}
    write("shares", frames=["noisy", "noise-free"] * 2, seed=[0, 0, 1, 1], value=[0.04, 0.01, 0.05, 0.06], **share)
    row = {"metric": "subject", "positions": "all", "recipe": "a", "seed": [0, 1]}
    one = pd.DataFrame({"part": "mo(apex) - mo(onset)", "probe": "linear", "low": [0.01, 0.02], **row})
    other = pd.DataFrame({"part": "output of the motion branch", "probe": "kernel", "low": [0.01, 0.04], **row})
    pd.concat([one, other]).assign(**{"shuffled level": 0.03}).to_csv(tmp_path / "probes.csv", index=False)
    found = script.check_criteria(tmp_path).set_index("criterion")
    assert found["seeds"].eq(2).all() and found["recipe"].eq("a").all()
    assert found["reached"].tolist() == [False, True, False, True, False, True, False]
    assert found.loc["gain 0.7 or more", ["least", "greatest"]].tolist() == [0.69, 0.71]
    for file in tmp_path.glob("*.csv"):  # one training of one recipe is a table, too
        pd.read_csv(file).query("seed == 0").to_csv(file, index=False)
    assert script.check_criteria(tmp_path)["seeds"].eq(1).all()


def test_the_script_asks_for_the_first_locked_seed_with_frozen_recipes(monkeypatch):
    monkeypatch.syspath_prepend(FILE.parent)
    script = load_script(FILE)
    assert type(script.SEED).__name__ == "FinalTestSeed" and script.SEED == script.SEEDS[0]
    assert set(script.RECIPES) == {"paper", "repaired"} and script.RECIPES["paper"].is_paper
    assert all(config.vgg_weights == "random" for config in script.RECIPES.values())  # the same on every machine
