"""Checkpoints: a finished stage is loaded, networks share what they can, and a file that does not fit is refused."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from lfdtcmen import DataError, load_config
from lfdtcmen.config import Config
from lfdtcmen.training import build_model, checkpoint, stage_checkpoint, stages, train_stage
from lfdtcmen.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, stage_settings
from tests.training.helpers import make_pairs, rewrite, state


@pytest.fixture
def config(config) -> Config:
    """One epoch each: what is kept of it is the point here."""
    return replace(config, epochs=(1, 1, 1))


def test_a_finished_stage_is_loaded_not_trained(pairs, config, tmp_path, monkeypatch):
    model, history = stage_checkpoint(3, config, pairs, tmp_path, progress=False)
    assert len(list((tmp_path / "checkpoints").glob("*.safetensors"))) == 3
    monkeypatch.setattr(stages, "augment", lambda *_: pytest.fail("trained again"))
    again, same_history = stage_checkpoint(3, config, pairs, tmp_path, progress=False)
    assert_close(state(model), state(again), atol=0, rtol=0)
    pd.testing.assert_frame_equal(history, same_history)


def test_networks_that_differ_in_tcme_share_stage_1(pairs, config, tmp_path):
    stage_checkpoint(1, config, pairs, tmp_path, progress=False)
    stage_checkpoint(1, replace(config, flow=None), pairs, tmp_path, progress=False)
    assert len(list((tmp_path / "checkpoints").glob("stage1*"))) == 1
    stage_checkpoint(1, replace(config, margin=0.5), pairs, tmp_path, progress=False)
    assert len(list((tmp_path / "checkpoints").glob("stage1*"))) == 2


def test_a_checkpoint_of_an_earlier_network_is_refused(pairs, config, tmp_path):
    stage_checkpoint(2, config, pairs, tmp_path, progress=False)
    (path,) = (tmp_path / "checkpoints").glob("stage2-*")
    rewrite(path, lambda tensors, values: tensors.pop("weights.tcme.flow_branch.mean"))
    with pytest.raises(DataError, match=r"do not fit the network.*train again"):
        stage_checkpoint(2, config, pairs, tmp_path, progress=False)


def test_a_checkpoint_of_another_config_or_data_is_refused(pairs, config, tmp_path):
    file = tmp_path / "stage2.safetensors"
    train_stage(build_model(config, 3), pairs, 2, config, file, progress=False)
    other = replace(config, weight_decay=0.5)
    with pytest.raises(DataError, match=r"weight_decay=0\.01.*this run has 0\.5"):
        train_stage(build_model(other, 3), pairs, 2, other, file, progress=False)
    with pytest.raises(DataError, match="made with data="):
        train_stage(build_model(config, 3), make_pairs(seed=5), 2, config, file, progress=False)


def test_a_broken_checkpoint_is_refused(pairs, config, tmp_path):
    file = tmp_path / "stage2.safetensors"
    train_stage(build_model(config, 3), pairs, 2, config, file, progress=False)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"cannot be read.*delete it"):
        train_stage(build_model(config, 3), pairs, 2, config, file, progress=False)


def test_a_failed_write_leaves_the_old_checkpoint_whole(pairs, config, tmp_path, monkeypatch):
    model = build_model(config, 3)
    kept = Checkpoint(tmp_path / "stage2.safetensors", stage_settings(config, 2, pairs.fingerprint))
    save_checkpoint(kept, model, epoch=1)

    def full_disk(path, content):
        with path.open("wb") as file:
            file.write(content[:1000])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(DataError, match="No space left"):
        save_checkpoint(kept, model, epoch=2)
    assert load_checkpoint(kept, model)["epoch"] == 1
    assert [f.name for f in tmp_path.iterdir()] == ["stage2.safetensors"]


def test_an_unwritable_folder_is_refused(pairs, config, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match="cannot be written"):
        save_checkpoint(Checkpoint(tmp_path / "file" / "stage.pt", {"stage": 2}), build_model(config, 3), epoch=1)


def test_a_later_stage_is_loaded_without_an_earlier_one_and_without_an_optimiser(pairs, config, tmp_path, monkeypatch):
    model, history = stage_checkpoint(3, config, pairs, tmp_path, progress=False)
    loaded = []
    monkeypatch.setattr(torch.optim, "AdamW", lambda *_, **__: pytest.fail("an optimiser was built"))
    read = checkpoint.load_checkpoint
    monkeypatch.setattr("lfdtcmen.training.loop.load_checkpoint", lambda c, parts: loaded.append(c) or read(c, parts))
    again, same_history = stage_checkpoint(3, config, pairs, tmp_path, progress=False)
    assert [c.settings["stage"] for c in loaded] == [3]
    assert_close(state(model), state(again), atol=0, rtol=0)
    pd.testing.assert_frame_equal(history, same_history)  # of all stages


def test_after_pretraining_stage_1_depends_on_the_motion_branch():
    config = load_config("smoke", "repaired", epochs=(1, 1, 0))
    other = replace(config, motion="encoder")
    assert stage_settings(config, 1, "x") != stage_settings(other, 1, "x")
    alone = [replace(c, pretraining=0) for c in (config, other)]
    assert stage_settings(alone[0], 1, "x") == stage_settings(alone[1], 1, "x")


def test_vgg_weights_are_known_by_what_they_hold(config, tmp_path):
    files = [tmp_path / name / "mine.pth" for name in "ab"]
    for k, file in enumerate(files):
        file.parent.mkdir()
        file.write_bytes(bytes([k]))
    first, second = (stage_settings(replace(config, vgg_weights=str(file)), 1, "x") for file in files)
    assert first != second
    files[1].write_bytes(bytes([0]))
    assert stage_settings(replace(config, vgg_weights=str(files[1])), 1, "x") == first


@pytest.mark.parametrize("stage", [0, 4])
def test_a_stage_that_is_none_is_refused_before_anything_is_trained(pairs, config, stage, tmp_path):
    with pytest.raises(DataError, match=f"there is no stage {stage}"):
        stage_checkpoint(stage, config, pairs, tmp_path, progress=False)
    assert not list(tmp_path.iterdir())
