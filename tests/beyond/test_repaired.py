"""The repaired recipe, late fusion and answers to imbalance through the three stages."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lfdtcmen import DataError, load_config
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.training import build_model, predict, stage_checkpoint, train_stage
from tests.training.helpers import changed_parts, state


def test_the_repaired_recipe_trains_all_stages(pairs, repaired):
    model, history = stage_checkpoint(3, repaired, pairs, progress=False, method=EXTENDED)
    assert history["change"].notna().any() and history["rest"].notna().any()
    assert np.isfinite(predict(model, pairs)).all()


def test_the_change_loss_works_alone_first(pairs, repaired):
    _, history = stage_checkpoint(
        1, replace(repaired, epochs=(4, 1, 1), change_first=0.5), pairs, progress=False, method=EXTENDED
    )
    assert history.groupby("epoch")["rest"].count().tolist() == [0, 0, 2, 2]
    assert history.groupby("epoch")["change"].count().tolist() == [2, 2, 2, 2]


def test_without_cycle_and_consistency_nothing_is_encoded_again(pairs, repaired, monkeypatch):
    model, calls = build_model(repaired, 3, EXTENDED), []
    encode = model.drl.encode
    monkeypatch.setattr(model.drl, "encode", lambda *args, **kwargs: calls.append(1) or encode(*args, **kwargs))
    train_stage(model, pairs, 1, repaired, progress=False, method=EXTENDED)
    assert len(calls) == 2 * repaired.epochs[0]  # once per step
    calls.clear()
    with_cycle = replace(repaired, stage1=repaired.stage1 | {"cycle": 0.1}, perceptual_weight=0.0, change_first=0.0)
    train_stage(model, pairs, 1, with_cycle, progress=False, method=EXTENDED)
    assert len(calls) == 4 * repaired.epochs[0]


def test_a_frozen_motion_branch_stays_in_stage_2_and_learns_in_stage_3(pairs, repaired):
    config = replace(repaired, freeze_motion_branch=True)
    model = build_model(config, 3, EXTENDED)

    def moved(stage):
        before = state(model)
        train_stage(model, pairs, stage, config, progress=False, method=EXTENDED)
        return {name.split(".")[1] for name, value in state(model).items() if not torch.equal(value, before[name])}

    assert moved(2) == {"classifier", "flow_branch"}
    assert "motion_branch" in moved(3)
    with pytest.raises(DataError, match="an untrained motion branch would be frozen"):
        load_config("cpu", freeze_motion_branch=True)


def test_each_answer_to_imbalance_trains_stages_2_and_3_and_changes_them(pairs, config, tmp_path):
    config = replace(config, epochs=(1, 1, 1))
    plain, _ = stage_checkpoint(3, config, pairs, tmp_path, progress=False)
    for option in ("class_weights", "focal", "logit_adjusted", "balanced_sampling"):
        changed, history = stage_checkpoint(
            3, replace(config, imbalance=option), pairs, tmp_path, progress=False, method=EXTENDED
        )
        assert np.isfinite(history["total"]).all()
        assert changed_parts(state(plain), state(changed)) == {"drl", "tcme"}, option
    assert len(list((tmp_path / "checkpoints").glob("stage1-*"))) == 1  # which stage 1 knows nothing of


@pytest.mark.parametrize(("option", "natural"), [(None, True), ("focal", True), ("class_weights", False)])
def test_late_fusion_takes_off_the_training_pairs_prior_where_the_branches_have_it(option, natural, pairs, config):
    config = replace(config, fusion="late", imbalance=option)
    model, _ = stage_checkpoint(2, config, pairs, progress=False, method=EXTENDED)
    frequency = np.bincount(pairs.labels, minlength=3) / len(pairs)
    expected = np.log(frequency) if natural else np.zeros(3)
    np.testing.assert_allclose(model.tcme.log_prior.numpy(), expected, rtol=1e-6)


def test_without_reconstruction_there_is_no_change_loss_to_come_first(pairs, repaired):
    config = replace(repaired, drl="encoders", epochs=(1, 1, 0), change_first=0.5)
    _, history = stage_checkpoint(2, config, pairs, progress=False, method=EXTENDED)
    assert len(history)
