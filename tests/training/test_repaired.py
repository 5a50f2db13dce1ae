"""Ours: the repaired recipe through the three stages."""

from dataclasses import replace

import numpy as np

from lfdtcmen.training import build_model, predict, stage_checkpoint, train_stage


def test_the_repaired_recipe_trains_all_stages(pairs, repaired):
    model, history = stage_checkpoint(3, repaired, pairs, progress=False)
    assert history["change"].notna().any() and history["rest"].notna().any()
    assert np.isfinite(predict(model, pairs)).all()


def test_the_change_loss_works_alone_first(pairs, repaired):
    _, history = stage_checkpoint(1, replace(repaired, epochs=(4, 1, 1), change_first=0.5), pairs, progress=False)
    assert history.groupby("epoch")["rest"].count().tolist() == [0, 0, 2, 2]
    assert history.groupby("epoch")["change"].count().tolist() == [2, 2, 2, 2]


def test_without_cycle_and_consistency_nothing_is_encoded_again(pairs, repaired, monkeypatch):
    model, calls = build_model(repaired, 3), []
    encode = model.drl.encode
    monkeypatch.setattr(model.drl, "encode", lambda *args, **kwargs: calls.append(1) or encode(*args, **kwargs))
    train_stage(model, pairs, 1, repaired, progress=False)
    assert len(calls) == 2 * repaired.epochs[0]  # once a step
    calls.clear()
    with_cycle = replace(repaired, stage1=replace(repaired.stage1, cycle=0.1), perceptual_weight=0.0, change_first=0.0)
    train_stage(model, pairs, 1, with_cycle, progress=False)
    assert len(calls) == 4 * repaired.epochs[0]
