"""`lfdtcmen data prepare` on folders of one's own, and `train` and `evaluate` on what it made."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage.data import astronaut
from typer.testing import CliRunner, Result

from lfdtcmen import load_config
from lfdtcmen.cli import app
from lfdtcmen.datasets.clips import load_prepared
from lfdtcmen.datasets.synthetic import warp_photograph
from lfdtcmen.training.checkpoint import describe

LANDMARKS = np.array([[203.3, 101.0], [246.0, 102.7], [222.7, 126.7], [204.3, 140.0], [244.3, 140.7]])
UNITS = {"happiness": {12: 1.5}, "surprise": {1: 1.5, 2: 1.5}, "anger": {4: 1.5}}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Four people with three clips each, one person's table row broken in each way that is to be named."""
    root = tmp_path_factory.mktemp("my recordings")
    rows = []
    for person in range(4):
        photo = np.clip(astronaut().astype(float) * (0.8 + 0.1 * person), 0, 255).astype(np.uint8)
        for emotion, units in UNITS.items():
            folder = root / f"p{person}" / emotion
            folder.mkdir(parents=True)
            for number, frame in enumerate([photo, warp_photograph(photo, LANDMARKS, units)[0]], 1):
                Image.fromarray(frame[:250, 100:350]).save(folder / f"{number:03d}.png")
            path = f"p{person}/{emotion}"
            rows.append(dict(subject=f"p{person}", clip=path, onset=1, apex=2, emotion=emotion, path=path))
    rows.append({**rows[0], "clip": "unknown", "emotion": "joyful"})
    rows.append({**rows[0], "clip": "late", "apex": 7})
    (root / "p0" / "blank").mkdir()
    for number in (1, 2):
        Image.new("RGB", (200, 200)).save(root / "p0" / "blank" / f"{number}.png")
    rows.append({**rows[0], "clip": "blank", "path": "p0/blank"})
    pd.DataFrame(rows).to_csv(root / "clips.csv", index=False)
    return root


@pytest.fixture(scope="module")
def prepared(recordings, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared") / "mine"
    result = run("data", "prepare", "folder", "--root", recordings, "--annotation", recordings / "clips.csv",
                 "--out", out, "--jobs", 1)  # fmt: skip
    assert result.exit_code == 0, result.output
    return out, result


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_prepare_says_what_was_left_out_and_why(prepared):
    out, result = prepared
    assert "15 rows: 13 clips, 2 left out" in result.stdout
    assert "1 clips could not be prepared, such as no face found" in result.stdout
    assert "12 pairs are in" in result.stdout
    left_out = pd.read_csv(out / "left_out.csv").set_index("clip")["reason"]
    assert set(left_out.index) == {"unknown", "late"} and "joyful" in left_out["unknown"]
    assert pd.read_csv(out / "failures.csv")["clip"].tolist() == ["blank"]
    manifest = pd.read_csv(out / "manifest.csv")
    assert manifest["label"].tolist() == [{"anger": 0, "happiness": 1, "surprise": 2}[e] for e in manifest["emotion"]]


def test_prepare_again_only_looks(recordings, prepared):
    out, _ = prepared
    before = {path: path.stat().st_mtime_ns for path in (out / "clips").iterdir()}
    result = run("data", "prepare", "folder", "--root", recordings, "--annotation", recordings / "clips.csv",
                 "--out", out, "--jobs", 1)  # fmt: skip
    assert result.exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "clips").iterdir()} == before


def test_prepare_does_not_replace_the_pairs_of_other_recordings(recordings, prepared, tmp_path):
    out, _ = prepared
    before = (out / "manifest.csv").read_bytes()
    moved = shutil.copytree(recordings, tmp_path / recordings.name)
    result = run("data", "prepare", "folder", "--root", moved, "--annotation", moved / "clips.csv",
                 "--out", out, "--jobs", 1)  # fmt: skip
    assert result.exit_code == 2 and "the folder has the pairs of other clips" in result.output
    assert (out / "manifest.csv").read_bytes() == before


def test_train_and_evaluate_take_the_result(prepared, project):
    out, _ = prepared
    result = run("train", "-p", "smoke", "--data", out)
    assert result.exit_code == 0, result.output
    card = (project / "runs" / "train" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "drawn" not in card.splitlines()[0] and "--data" in card
    result = run("evaluate", "majority", "linear-svm", "-p", "smoke", "--folds", 2, "--seeds", 1, "--data", out)
    assert result.exit_code == 0, result.output
    assert "linear-svm" in result.stdout
    for run_name in ("train", "evaluate"):
        config = json.loads((project / "runs" / run_name / "metrics.json").read_text(encoding="utf-8"))["config"]
        assert config["data"] == "mine" and "preset" not in config
        assert config["label_names"] == ["negative", "positive", "surprise"]


def test_a_class_without_clips_is_refused_before_anything_is_prepared_or_trained(recordings, project):
    command = ("data", "prepare", "folder", "--root", recordings, "--annotation", recordings / "clips.csv", "--jobs", 1)
    out = project / "data" / "prepared" / recordings.name
    for label_map, empty in (("7class", "disgust, contempt, fear, sadness"), ("4class", "others")):
        refused = run(*command, "--label-map", label_map)
        assert refused.exit_code == 2 and refused.stderr.count("\n") == 1
        assert f"no clip of {empty} [{recordings.name}]; prepare the set with --label-map 3class or" in refused.stderr
    assert not (out / "clips").exists()
    result = run(*command, "--label-map", "4class", "--test-set")
    assert result.exit_code == 0, result.output
    assert "no clip of others: the set can be tested on, but not trained on" in result.stdout
    for trains in (("train",), ("evaluate", "majority", "--seeds", 1), ("ablate", "table5", "--protocol", "loso")):
        refused = run(*trains, "-p", "smoke", "--data", out)
        assert refused.exit_code == 2 and refused.stderr.count("\n") == 1
        assert "there is no clip of others" in refused.stderr and "--label-map 3class" in refused.stderr
    assert run(*command, "--label-map", "raw").exit_code == 0
    assert run("evaluate", "majority", "-p", "smoke", "--folds", 2, "--seeds", 1, "--data", out).exit_code == 0


def test_the_alignment_can_be_chosen_and_a_checkpoint_knows_it(recordings, project):
    command = ("data", "prepare", "folder", "--root", recordings, "--annotation", recordings / "clips.csv", "--jobs", 1)
    refused = run(*command, "--alignment", "eyes")
    assert refused.exit_code == 2 and "unknown method of alignment 'eyes'" in refused.stderr
    assert run(*command, "--alignment", "nose").exit_code == 0
    pairs = load_prepared(project / "data" / "prepared" / recordings.name)
    assert describe(load_config("smoke"), 2, pairs)["data"]["alignment"] == "nose"
    usual = pairs.manifest.drop(columns="alignment")
    assert describe(load_config("smoke"), 2, replace(pairs, manifest=usual))["data"]["alignment"] == "similarity"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data", "prepare", "casme9", "--root", "x"), "unknown data set 'casme9'; use one of casme3"),
        (("data", "prepare", "casme3", "--root", "x"), "1 roots and 0 annotations"),
        (("data", "prepare", "casme3", "--root", "x", "--annotation", "y", "--part", "train"), "casme3 has no parts"),
        (("data", "prepare", "casme3", "--root", "gone", "--annotation", "gone.csv"), "gone"),
        (("data", "prepare", "megc", "--root", "x"), "'x' does not say of which set it is"),
        (("data", "prepare", "folder"), "--root"),
        (("data", "--label-map", "7class", "prepare", "folder", "--root", "x"), "--label-map stands before prepare"),
        (("train", "--data", "gone"), "no prepared data set"),
        (("train", "--data", "gone", "--label-map", "7class"), "label-map describes synthetic faces"),
        (("evaluate", "action-units", "--data", "gone"), "unknown model 'action-units'"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(project, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr and "Traceback" not in result.output and result.stderr.count("\n") == 1
