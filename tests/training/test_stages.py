"""The three stages: what trains, what stays frozen, what each one weighs, and what they refuse."""

from dataclasses import replace

import numpy as np
import pytest
from torch.testing import assert_close

from lfdtcmen import DataError, load_config
from lfdtcmen.config import PAPER_LOSSES
from lfdtcmen.losses import OBJECTIVES
from lfdtcmen.training import audit, build_model, predict, set_trainable, stage_checkpoint, stages, train_stage
from tests.training.helpers import changed_parts, make_pairs, state


@pytest.mark.parametrize(("stage", "moves"), [(1, {"drl"}), (2, {"tcme"}), (3, {"drl", "tcme"})])
def test_a_stage_moves_only_what_it_trains(stage, moves, pairs, config):
    model = build_model(config, 3)
    before = state(model)
    train_stage(model, pairs, stage, config, progress=False)
    assert changed_parts(before, state(model)) == moves  # batch norm statistics included


@pytest.mark.parametrize(("stage", "reached"), [(1, {"drl"}), (2, {"tcme"}), (3, {"drl", "tcme"})])
def test_freeze_audit(stage, reached, pairs, config):
    model = build_model(config, 3)
    set_trainable(model, stage)
    statistics = {n: b.clone() for n, b in model.named_buffers() if "running" in n}
    batch = pairs.batch(np.arange(6))
    objectives = stages.make_objectives(config, config.stage_weights(stage), pairs, "cpu")
    total, _ = objectives(model(batch, reconstruct=stage != 2, classify=stage != 1), batch)
    total.backward()
    for name, part in model.named_children():
        gradients = [p.grad is not None and bool(p.grad.any()) for p in part.parameters()]
        assert any(gradients) == (name in reached)
        if name in reached and name == "drl":
            assert np.mean(gradients) > 0.95
    moved = {n.split(".")[0] for n, b in model.named_buffers() if n in statistics and not b.equal(statistics[n])}
    assert moved == reached
    table = audit(model).set_index("component")
    assert (table["trainable"] > 0).equals(table["mode"] == "train")
    assert table["gradient"].notna().equals(table["trainable"] > 0)


@pytest.mark.parametrize("stage", [1, 2])
def test_a_gradient_in_a_frozen_part_stops_the_training(stage, pairs, config, monkeypatch):
    def thaw(model, stage):
        set_trainable(model, stage)
        model.requires_grad_(True)

    monkeypatch.setattr(stages, "set_trainable", thaw)
    # stage 1 does not run TCME at all, so a gradient reaches it only if its stage were to
    monkeypatch.setitem(stages.STAGES, 1, replace(stages.STAGES[1], classify=True))
    config = replace(config, stage1=config.stage3)
    with pytest.raises(RuntimeError, match="a gradient reached it"):
        train_stage(build_model(config, 3), pairs, stage, config, progress=False)


def test_requires_grad_alone_would_not_freeze(pairs, config):
    model = build_model(config, 3).train()
    model.drl.requires_grad_(False)
    before = state(model.drl)
    model(pairs.batch(np.arange(6)))
    after = state(model.drl)
    assert any(not before[name].equal(after[name]) for name in before)  # why frozen parts go into eval mode


def test_stated_order_of_the_loss_weights():
    config = load_config("cpu")
    assert config.stage3["reconstruction"] < config.stage1["reconstruction"]
    assert config.stage3["cycle"] < config.stage1["cycle"]
    assert config.stage1["orthogonality"] < min(config.stage1["reconstruction"], config.stage1["cycle"])
    assert "emotion" not in config.stage1 and config.stage2 == {"emotion": 1.0}
    assert all(config.stage3.values()) and {*config.stage3} == {*PAPER_LOSSES} == {*OBJECTIVES}


def test_pairs_that_do_not_fit_are_refused(pairs, config):
    with pytest.raises(DataError, match="no stage 4"):
        train_stage(build_model(config, 3), pairs, 4, config, progress=False)
    with pytest.raises(DataError, match="class 'surprise' has no sample"):
        train_stage(build_model(config, 3), pairs.subset(pairs.labels < 2), 2, config, progress=False)
    with pytest.raises(DataError, match="no flow"):
        train_stage(build_model(config, 3), replace(pairs, streams=None), 2, config, progress=False)
    with pytest.raises(DataError, match="has 7 classes, the data have 3"):
        predict(build_model(config, 7), pairs)
    with pytest.raises(DataError, match="no pairs"):
        predict(build_model(config, 3), pairs.subset([]))


@pytest.mark.parametrize("settings", [{"drl": "motion"}, {"drl": "encoders"}, {"drl": None, "motion": None}])
def test_ablated_networks_train_through_all_stages(settings, pairs, config):
    _, history = stage_checkpoint(3, replace(config, **settings), pairs, progress=False)
    assert history.query("stage == 3")["emotion"].notna().all()
    assert "reconstruction" not in history


def test_classification_does_without_the_identity_encoder(pairs, config, monkeypatch):
    model = build_model(config, 3)
    batch = pairs.batch(np.arange(4))
    assert_close(model(batch, identity=False).logits, model(batch).logits, rtol=0, atol=0)
    with pytest.raises(DataError, match="needs the identity codes"):
        model(batch, reconstruct=True, identity=False)

    def never(*_):
        raise AssertionError("the identity encoder ran")

    monkeypatch.setattr(model.drl.identity_encoder, "forward", never)
    predict(model, pairs)
    train_stage(model, pairs, 2, config, progress=False)


def test_the_flow_branch_alone_sees_no_frames(config):
    config = replace(config, drl=None, motion=None)
    small = make_pairs()
    rng = np.random.default_rng(4)
    frames = rng.integers(0, 255, (2, len(small), 64, 64, 3), dtype=np.uint8)
    large = replace(small, onset=frames[0], apex=frames[1])
    answers = [predict(stage_checkpoint(2, config, pairs, progress=False)[0], large) for pairs in (small, large)]
    np.testing.assert_array_equal(*answers)
