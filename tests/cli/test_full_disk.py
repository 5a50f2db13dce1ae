"""A disk that is full, or must not be written to, is one line with the folder; what is half-written is not kept."""

import errno
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import papermill.iorw
import pytest
from PIL import Image
from skimage.data import astronaut
from typer.testing import CliRunner, Result

from lfdtcmen import DataError, experiments
from lfdtcmen.cli import app
from lfdtcmen.datasets.synthetic import warp_photograph
from lfdtcmen.predict import clip, report
from tests.cli.test_commands import ONE_BATCH, project  # noqa: F401 - a fixture
from tests.cli.test_run import write_notebook

ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
EPOCHS = ("--set", "perceptual_size=32", "--set", "epochs=1,1,1", *ONE_BATCH)
WITHOUT_IMAGES = ("--set", "drl=none", "--set", "motion=none")  # the flow branch alone: many attempts are made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


class Disk:
    """A disk on which one write of each call fails: the file cannot be made, or only half of it is written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.writes, self.fails_at, self.failures = 0, 1, 0
        self.make, self.replace = tempfile.mkstemp, Path.replace
        monkeypatch.setattr(tempfile, "mkstemp", self.mkstemp)
        monkeypatch.setattr(Path, "replace", lambda path, target: self.put(path, target))

    def fail(self) -> None:
        error = ERRORS[self.failures % len(ERRORS)]
        self.failures += 1
        raise OSError(error, os.strerror(error))

    def mkstemp(self, *arguments, **options):
        self.writes += 1
        if self.writes == self.fails_at and self.failures % 2:
            self.fail()
        return self.make(*arguments, **options)

    def put(self, path: Path, target: Path):
        if self.writes == self.fails_at:
            path.write_bytes(path.read_bytes()[:100])
            self.fail()
        return self.replace(path, target)


def until_it_succeeds(disk: Disk, folder: Path, *command: str) -> int:
    """Repeat a command until no write fails; each failure is one line, and leaves no part of a file."""
    for failures in range(40):
        disk.writes, disk.fails_at = 0, failures + 1
        result = run(*command)
        assert not [file.name for file in folder.rglob(".*") if file.is_file()]
        if result.exit_code == 0:
            return failures
        assert result.exit_code == 2, result.exception
        *bars, line = result.stderr.splitlines()
        assert line.startswith("lfdtcmen: ") and str(folder) in line and "free some space" in line
        assert not [bar for bar in bars if "lfdtcmen" in bar or "Error" in bar]
    raise AssertionError("it never succeeded")


@pytest.mark.parametrize(
    ("command", "least"),
    [
        (("train", "-p", "smoke", *EPOCHS), 3),
        (("evaluate", "majority", "flow-branch", "-p", "smoke", "--seeds", "1", *EPOCHS), 3),
        (("ablate", "table5", "-p", "smoke", "--seeds", "1", *EPOCHS, *WITHOUT_IMAGES), 3),
    ],
    ids=["train", "evaluate", "ablate"],
)
def test_a_command_says_so_and_goes_on_to_the_same_result(project, monkeypatch, command, least):  # noqa: F811
    monkeypatch.setattr(experiments, "measure_disentanglement", lambda *_, **__: _raise(DataError("left out")))
    assert run(*command, "--name", "whole").exit_code == 0
    with monkeypatch.context() as patch:
        assert until_it_succeeds(Disk(patch), project / "runs" / "again", *command, "--name", "again") >= least
    whole, again = project / "runs" / "whole", project / "runs" / "again"
    assert {f.relative_to(whole) for f in whole.rglob("*")} == {f.relative_to(again) for f in again.rglob("*")}
    if command[0] == "train":
        scores = [json.loads((folder / "metrics.json").read_text())["held_out"] for folder in (whole, again)]
        assert scores[0] == scores[1]
    else:
        tables = [pd.read_csv(folder / "predictions.csv").drop(columns="seconds") for folder in (whole, again)]
        pd.testing.assert_frame_equal(*tables, check_exact=True)


def _raise(error: Exception) -> None:
    raise error


def test_prepare_says_so_and_goes_on(tmp_path, monkeypatch):
    landmarks = np.array([[203.3, 101.0], [246.0, 102.7], [222.7, 126.7], [204.3, 140.0], [244.3, 140.7]])
    rows = []
    for number, strength in enumerate((1.0, 1.5)):
        folder = tmp_path / "mine" / f"c{number}"
        folder.mkdir(parents=True)
        for frame, image in enumerate((astronaut(), warp_photograph(astronaut(), landmarks, {12: strength})[0]), 1):
            Image.fromarray(image[:250, 100:350]).save(folder / f"{frame}.png")
        rows.append(dict(subject="p", clip=folder.name, onset=1, apex=2, emotion="happiness", path=folder.name))
    pd.DataFrame(rows).to_csv(tmp_path / "mine" / "clips.csv", index=False)
    out = tmp_path / "out"
    command = ("data", "prepare", "folder", "--root", tmp_path / "mine", "--annotation", tmp_path / "mine/clips.csv")
    with monkeypatch.context() as patch:
        assert until_it_succeeds(Disk(patch), out, *command, "--out", out, "--jobs", "1", "--test-set") >= 3
    assert len(pd.read_csv(out / "manifest.csv")) == 2


def test_predict_says_so(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    monkeypatch.setattr(report, "to_dict", lambda prediction: {"label": "x"})
    monkeypatch.setattr(report, "render_html", lambda prediction, start: "page")
    (tmp_path / "weights").touch()
    for fails_at in (1, 2):
        disk.writes, disk.fails_at = 0, fails_at
        monkeypatch.setattr(clip, "predict_clip", lambda *_: type("Prediction", (), {"clip": "x"}))
        result = run("predict", "x.mp4", "--checkpoint", tmp_path / "weights", "--out", tmp_path / "out")
        assert result.exit_code == 2 and result.stderr.count("\n") == 1 and str(tmp_path / "out") in result.stderr
    assert not (tmp_path / "out" / "report.html").exists()


def test_run_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_notebook(tmp_path / "notebooks", "00_first", "1")
    for number in ERRORS:

        def full(*_, number=number):
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(papermill.iorw.LocalHandler, "write", full)
            result = run("run", "-p", "smoke")
        assert result.exit_code == 2, result.exception
        assert result.stderr.count("\n") == 1 and str(tmp_path / "runs" / "smoke") in result.stderr
    again = run("run", "-p", "smoke")
    assert again.exit_code == 0 and "up to date" not in again.stdout


def test_what_a_library_cannot_write_is_one_line_too(project, monkeypatch):  # noqa: F811
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/dev/shm/joblib")

    monkeypatch.setattr(experiments, "load_pairs", full)
    result = run("evaluate", "majority", "-p", "smoke")
    assert result.exit_code == 2
    assert result.stderr.startswith("lfdtcmen: cannot write (No space left on device) [/dev/shm/joblib]; free some")
