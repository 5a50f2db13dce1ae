"""`train --init`, `--add-synthetic` and `evaluate --checkpoint` on a few random pairs."""

import json
import shlex
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from lfdtcmen import experiments, transfer
from lfdtcmen.cli import app
from tests.training.helpers import make_pairs

FLOW = ("-p", "smoke", "--set", "drl=none", "--set", "motion=none", "--set", "epochs=0,1,0")  # one stage, no images


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def of_people(prefix: str, seed: int):
    pairs = make_pairs(24, subjects=8, seed=seed)
    people = [f"{prefix}{k % 8}" for k in range(24)]
    manifest = pd.DataFrame({"dataset": prefix.split("/")[0], "subject": people, "clip": range(24), "preset": "wild"})
    return replace(pairs, manifest=manifest)


def take_sets(patch: pytest.MonkeyPatch) -> None:
    """Instead of rendered faces: two sets of other people, `one` and `two`, and added faces."""
    sets = {"one": of_people("one/a", 0), "two": of_people("two/b", 1)}
    load = lambda config, data=None, n_jobs=-1: sets["one" if data is None else data.name]  # noqa: E731
    patch.setattr(experiments, "load_pairs", load)
    patch.setattr(transfer, "added_faces", lambda *_: of_people("synthetic/s", 2))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a network that was trained on `one`."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        take_sets(patch)
        patch.chdir(folder)
        result = run("train", *FLOW, "--stage", "2", "--name", "one")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def project(trained, tmp_path, monkeypatch):
    """A working directory of its own with that network, and the sets."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    take_sets(monkeypatch)
    monkeypatch.chdir(tmp_path)
    (checkpoint,) = (tmp_path / "runs" / "one" / "checkpoints").iterdir()
    return tmp_path, f"runs/one/checkpoints/{checkpoint.name}"


def test_a_trained_network_is_scored_without_training(project):
    folder, checkpoint = project
    result = run("evaluate", "--data", "two", "--checkpoint", checkpoint, "--name", "z")
    assert result.exit_code == 0, result.output
    assert "precision" in result.stdout and "trained on: One: 4 subjects" in result.stdout
    predictions = pd.read_csv(folder / "runs" / "z" / "predictions.csv")
    assert len(predictions) == 24 and set(predictions["subject"]) == {f"two/b{k}" for k in range(8)}
    record = json.loads((folder / "runs" / "z" / "metrics.json").read_text())
    assert record["protocol"] == "without training" and record["config"]["data"] == "two"
    (uf1,) = [row for row in record["scores"] if row["metric"] == "UF1"]
    assert uf1["low"] <= uf1["value"] <= uf1["high"]
    assert {(row["part"], row["metric"]) for row in record["classes"]} >= {("positive", "recall"), ("surprise", "F1")}
    counts = pd.read_csv(folder / "runs" / "z" / "confusion.csv")
    assert counts[["negative", "positive", "surprise"]].to_numpy().sum() == 24
    correct = np.diag(counts[["negative", "positive", "surprise"]]).sum()
    assert (predictions["label"] == predictions["prediction"]).sum() == correct


def test_fine_tuning_and_added_faces_are_recorded_and_repeated(project):
    folder, checkpoint = project
    options = ("--init", checkpoint, "--add-synthetic", "0.3", "--set", "add_repeats=2")
    result = run("train", *FLOW, "--stage", "2", "--data", "two", *options, "--name", "two")
    assert result.exit_code == 0, result.output
    record = json.loads((folder / "runs" / "two" / "metrics.json").read_text())
    assert record["init"]["data"]["sets"] == ["one"] and record["config"]["init"] in checkpoint
    assert record["added"] == {"preset": "wild", "subjects": 8, "samples": 24, "weight": 0.3, "repeats": 2}
    assert sum(record["held_out"]["samples"].values()) == 12
    history = pd.read_csv(folder / "runs" / "two" / "history.csv")
    assert len(history) == (2 * 12 + 24) // 8
    card = (folder / "runs" / "two" / "MODEL_CARD.md").read_text(encoding="utf-8")
    for text in ("This network has seen two: 4 people.", "8 synthetic people (preset wild)", "has seen one: 4 people."):
        assert text in card, text
    assert f"lfdtcmen evaluate --data data/prepared/mine --checkpoint checkpoints/{record['checkpoint']}" in card
    again = run(*shlex.split(record["command"])[1:], "--name", "again")
    assert again.exit_code == 0, again.output
    repeated = json.loads((folder / "runs" / "again" / "metrics.json").read_text())
    assert repeated["checkpoint"] == record["checkpoint"] and repeated["held_out"] == record["held_out"]


def test_evaluate_adds_faces_in_every_fold_and_leaves_out_who_cannot_weigh(project, monkeypatch):
    folder, _ = project
    plain = experiments.simple.apex_svm
    monkeypatch.setattr(experiments.simple, "apex_svm", replace(plain, takes_weights=False))
    options = ("-p", "smoke", "--seeds", "1", "--set", "epochs=0,1,0", "--add-synthetic", "0.3", "--name", "m")
    result = run("evaluate", "linear-svm", "flow-branch", "--data", "two", *options)
    assert result.exit_code == 0, result.output
    predictions = pd.read_csv(folder / "runs" / "m" / "predictions.csv")
    assert set(predictions["subject"]) == {f"two/b{k}" for k in range(8)}
    assert json.loads((folder / "runs" / "m" / "metrics.json").read_text())["config"]["add_synthetic"] == 0.3
    refused = run("evaluate", "apex-svm", "--data", "two", *options)
    assert refused.exit_code == 2 and "apex-svm cannot weigh its training pairs [--add-synthetic]" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "--checkpoint", "{file}"], "has seen 4 of the 8 people tested (one/a"),  # the planted overlap
        (["evaluate", "flow-branch", *FLOW, "--set", "init={file}"], "has seen 4 of the 8 people tested (one/a"),
        (["train", *FLOW, "--init", "{file}", "--seed", "1"], "people tested (one/a"),
        (["train", *FLOW, "--data", "two", "--init", "gone"], "there is no such checkpoint file [gone]"),
        (["train", *FLOW, "--data", "two", "--init", "shipped"], "no shipped weights have this network's settings"),
        (["train", *FLOW, "--data", "two", "--init", "{file}", "--set", "flow=single"], "--set flow=triple"),
        (["evaluate", "--checkpoint", "gone"], "there is no such checkpoint file [gone]"),
        (["evaluate", "flow-branch", "--checkpoint", "{file}"], "models is for training"),
        (["evaluate", "--checkpoint", "{file}", "--add-synthetic", "0.3"], "add-synthetic is for training"),
        (["evaluate", "--checkpoint", "{file}", "--validation", "0.2"], "validation is for training"),
        (["evaluate", "linear-svm", "--add-synthetic", "0.3", "--share-stage1"], "--share-stage1 does not go with"),
        (["evaluate", "linear-svm", "--add-synthetic", "0.3", "--validation", "0.3"], "--validation does not go with"),
        (["evaluate", "linear-svm", "--add-synthetic", "-1"], "--add-synthetic"),
        (["ablate", "table5", "--set", "add_synthetic=0.3"], "ablate adds no synthetic faces"),
        (["evaluate", "linear-svm", "--add-synthetic", "0.3", "--set", "add_repeats=0"], "add_repeats must be 1 or"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(project, arguments, message):
    result = run(*(text.format(file=project[1]) for text in arguments))
    assert result.exit_code == 2, result.output
    assert message in result.stderr and result.stderr.strip().count("\n") == 0, result.stderr
