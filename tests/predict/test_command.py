"""`lfdtcmen predict`: it takes the newest network, and every mistake is one line."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from lfdtcmen import cli
from lfdtcmen.training import weights
from tests.predict.films import NAMES, write_folder


def run(*arguments) -> Result:
    return CliRunner().invoke(cli.app, ["predict", *map(str, arguments)])


def test_the_command_takes_the_newest_checkpoint_and_names_it(video, runs, checkpoint, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_RUNS", str(runs))
    result = run(video)
    assert result.exit_code == 0, result.output
    assert checkpoint.name in result.stdout and "synthetic faces only" in result.stdout
    assert (runs / "predict" / "a clip" / "report.html").is_file()
    assert all(name in result.stdout for name in NAMES)


@pytest.fixture(scope="module")
def bad(tmp_path_factory, filmed) -> Path:
    """A folder of clips and files that cannot be used."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "broken.mp4").write_bytes(b"\0" * 2000)
    (folder / "notes.txt").write_text("hello")
    (folder / "wrong.safetensors").write_text("hello")
    (folder / "empty").mkdir()
    write_folder(folder / "one", filmed[:1])
    write_folder(folder / "noise", list(np.random.default_rng(0).integers(0, 256, (3, 200, 300, 3), dtype=np.uint8)))
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{bad}/none.mp4"], "no such folder or video"),
        (["{bad}/none"], "no such folder or video"),
        (["{bad}/broken.mp4"], "cannot be decoded"),
        (["{bad}/notes.txt"], "no video"),
        (["{bad}/empty"], "no numbered images"),
        (["{bad}/one"], "only one frame"),
        (["{bad}/noise"], "no face found"),
        (["{video}", "--onset", "9", "--apex", "5"], "onset is 9 but apex is 5"),
        (["{video}", "--onset", "9"], "only one of onset and apex"),
        (["{video}", "--onset", "9", "--apex", "900"], "frame 900 is not there"),
        (["{video}", "--start", "9"], "only one of start and end"),
        (["{video}", "--start", "9", "--end", "3"], "start is 9 but end is 3"),
        (["{video}", "--start", "0", "--end", "90"], "the video ends with frame 29"),
        (["{video}", "--fps", "0"], "0 frames a second"),
        (["{video}", "--checkpoint", "{stage1}"], "stage 1"),
        (["{video}", "--checkpoint", "{bad}/wrong.safetensors"], "checkpoint cannot be read"),
        (["{video}", "--checkpoint", "{bad}/none.safetensors"], "no such checkpoint"),
        (["{video}", "--detector", "{bad}/wrong.safetensors"], "no YuNet model"),
        (["{video}", "--apex", "x"], "--apex"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, message, bad, video, runs, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_RUNS", str(runs))
    (stage1,) = runs.glob("tiny/checkpoints/stage1-*")
    result = run(*(text.format(bad=bad, video=video, stage1=stage1) for text in arguments))
    assert result.exit_code == 2, result.output
    assert message in result.stderr and result.stderr.count("\n") == 1


def test_without_a_trained_network_it_takes_the_shipped_one_or_says_how_to_train_one(video, tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_RUNS", str(tmp_path / "runs"))
    assert "network: " in (said := run(video).stdout) and "wild.safetensors" in said
    monkeypatch.setattr(weights, "shipped_folder", lambda: tmp_path / "none")
    result = run(video)
    assert result.exit_code == 2 and "train one with `lfdtcmen train`" in result.stderr
