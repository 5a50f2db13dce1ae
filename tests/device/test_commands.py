"""`train` (both recipes), `evaluate`, `ablate` and `predict` on the stand-in device."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lfdtcmen import experiments
from lfdtcmen.cli import app
from lfdtcmen.datasets.synthetic import make_clip
from tests.predict.films import scene, write_video
from tests.training.helpers import make_pairs

SETTINGS = ("epochs=1,1,1", "batch_sizes=8,8,8", "vgg_weights=random", "perceptual_taps=relu1_2", "pretraining=0")
SMALL = ["-p", "smoke", *(f"--set={setting}" for setting in SETTINGS), "--jobs", "1"]


@pytest.fixture
def on_device(device, tmp_path, monkeypatch):
    """A command, run in a folder of its own on random pairs; it must have used the device."""
    pairs = make_pairs(16, subjects=6)
    monkeypatch.setattr(experiments, "load_pairs", lambda config, data=None, n_jobs=-1: pairs)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> str:
        device.waits.clear()
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
        assert device.waits  # results have come from there
        return result.stdout

    return run


@pytest.mark.parametrize("recipe", ["paper", "repaired"])
def test_train_and_predict(on_device, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "make_counterfactuals", lambda *_, **__: None)  # they take long to render
    on_device("train", "--recipe", recipe, *SMALL)
    clip = write_video(tmp_path / "clip.mp4", scene(make_clip(seed=5, subject=7, preset="easy", fps=30).frames))
    on_device("predict", clip)
    assert (tmp_path / "runs" / "predict" / "clip" / "report.html").is_file()


def test_evaluate_and_ablate(on_device):
    assert "lfd-tcmen" in on_device("evaluate", "lfd-tcmen", "flow-branch", *SMALL, "--seeds=1", "--folds=2")
    assert "III" in on_device("ablate", "table6", *SMALL, "--seeds=1", "--folds=2", "--share-stage1")
