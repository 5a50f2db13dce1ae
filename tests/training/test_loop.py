"""The training loop: it learns, repeats and resumes exactly, and batches and augments as it should."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lfdtcmen import DataError, load_config
from lfdtcmen.training import batches, build_model, loop, predict, stage_checkpoint, stages, train_stage
from tests.training.helpers import changed_parts, state


def test_training_lowers_the_loss(pairs, config):
    config = replace(config, epochs=(1, 12, 1), max_shift=0)
    history = train_stage(build_model(config, 3), pairs, 2, config, progress=False)
    assert history["emotion"].tail(4).mean() < 0.5 * history["emotion"].head(4).mean()
    assert list(history["step"]) == list(range(24))


def test_the_same_seed_gives_the_same_weights(pairs, config):
    config = replace(config, epochs=(1, 1, 1))
    one, _ = stage_checkpoint(3, config, pairs, progress=False)
    other, _ = stage_checkpoint(3, config, pairs, progress=False)
    third, _ = stage_checkpoint(3, replace(config, seed=1), pairs, progress=False)
    assert_close(state(one), state(other), atol=0, rtol=0)
    assert changed_parts(state(one), state(third)) == {"drl", "tcme"}


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_stage_killed_in_the_middle_goes_on_to_the_same_weights(stage, pairs, config, tmp_path, monkeypatch):
    unbroken = build_model(config, 3)
    full_history = train_stage(unbroken, pairs, stage, config, progress=False)

    monkeypatch.setattr(loop, "SAVE_EVERY", 0)
    steps, step = [0], stages.augment

    def dies_in_the_second_epoch(*arguments):
        steps[0] += 1
        if steps[0] == 4:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(stages, "augment", dies_in_the_second_epoch)
    file = tmp_path / "stage.pt"
    with pytest.raises(KeyboardInterrupt):
        train_stage(build_model(config, 3), pairs, stage, config, file, progress=False)
    assert file.exists()
    resumed = build_model(config, 3)
    history = train_stage(resumed, pairs, stage, config, file, progress=False)
    assert steps[0] == 6  # two steps before the kill, one lost, one that died, two after it
    assert_close(state(resumed), state(unbroken), atol=0, rtol=0)
    assert list(history["total"]) == pytest.approx(list(full_history["total"]))


def test_who_asks_for_a_stage_that_is_being_trained_waits_and_loads_it(pairs, config, tmp_path):
    epochs, models = [], [build_model(config, 3), build_model(config, 3)]

    def train(model):
        return train_stage(
            model, pairs, 1, config, tmp_path / "stage", progress=False, on_epoch=lambda epoch, _: epochs.append(epoch)
        )

    with ThreadPoolExecutor() as pool:
        histories = list(pool.map(train, models))
    assert epochs == list(range(config.epochs[0]))  # not twice
    assert_close(state(models[0]), state(models[1]), atol=0, rtol=0)
    assert list(histories[0]["total"]) == list(histories[1]["total"])
    assert [file.name for file in tmp_path.iterdir()] == ["stage"]  # and no lock is left


def test_a_loss_that_is_not_finite_stops_the_training(pairs, config):
    model = build_model(config, 3)
    with torch.no_grad():
        model.tcme.classifier.weight.fill_(float("nan"))
    with pytest.raises(DataError, match="loss is nan"):
        train_stage(model, pairs, 2, config, progress=False)


def test_on_epoch_sees_each_epoch_in_eval_mode_and_changes_nothing(pairs, config):
    seen = []

    def look(epoch, model):
        seen.append((epoch, model.training, predict(model, pairs).shape))

    watched, plain = build_model(config, 3), build_model(config, 3)
    for model, on_epoch in ((watched, look), (plain, None)):
        for stage in (1, 2):
            train_stage(model, pairs.subset(range(8)), stage, config, progress=False, on_epoch=on_epoch)
    assert seen == [(0, False, (8, 3)), (1, False, (8, 3))] * 2
    assert changed_parts(state(watched), state(plain)) == set()


def test_mirror_turns_u_round_and_leaves_v_and_strain(pairs):
    batch = pairs.batch(np.arange(8))
    rng = np.random.default_rng(0)
    mirrored = torch.from_numpy(np.random.default_rng(0).random(8) < 0.5)
    changed = batches.augment(batch, 0, rng)
    assert_close(changed.onset[~mirrored], batch.onset[~mirrored])
    assert_close(changed.apex[mirrored], batch.apex[mirrored].flip(3))
    assert_close(changed.flow[mirrored][:, 0], -batch.flow[mirrored][:, 0].flip(2))
    assert_close(changed.flow[mirrored][:, 1:], batch.flow[mirrored][:, 1:].flip(3))


def test_a_shift_moves_both_frames_alike(pairs):
    batch = pairs.batch(np.arange(8))
    rng = np.random.default_rng(3)
    changed = batches.augment(batch, 3, rng)
    reference = np.random.default_rng(3)
    mirrored = torch.from_numpy(reference.random(8) < 0.5)
    dx, dy = reference.integers(-3, 4, 2)
    inner = slice(4, -4)
    for name in ("onset", "apex"):
        frame = getattr(batch, name)
        frame = torch.where(mirrored[:, None, None, None], frame.flip(3), frame)
        shifted = torch.roll(frame, (-int(dy), -int(dx)), (2, 3))
        assert_close(getattr(changed, name)[:, :, inner, inner], shifted[:, :, inner, inner])


def test_the_flow_of_each_pair_is_shifted_and_scaled_on_its_own(pairs):
    batch = pairs.batch(np.arange(8))
    batch.flow = torch.zeros(8, 3, 28, 28)
    batch.flow[:, :, 10, 12] = 1  # one cell moves
    changed = batches.augment(batch, 0, np.random.default_rng(0), flow_shift=2, amplitude_jitter=0.4).flow
    mirrored = np.random.default_rng(0).random(8) < 0.5
    found = [divmod(int(pair[1].argmax()), 28) for pair in changed]
    offsets = np.array(found) - [[10, 15 if turned else 12] for turned in mirrored]
    assert np.abs(offsets).max() == 2 and len({*map(tuple, offsets)}) > 3
    largest = changed.abs().amax((2, 3))  # [8, 3]
    assert_close(largest, largest[:, :1].expand(-1, 3))  # U, V and strain by the same factor
    assert 0.2 < largest.log().std() < 0.8
    assert (changed != 0).sum() == batch.flow.sum()


@pytest.mark.parametrize(("count", "size"), [(7, 3), (9, 8), (8, 8), (1, 4)])
def test_epoch_batches_hold_every_pair_once_and_are_even(count, size):
    found = list(batches.epoch_batches(count, size, np.random.default_rng(0)))
    assert sorted(np.concatenate(found)) == list(range(count))
    sizes = [len(b) for b in found]
    assert max(sizes) <= size and max(sizes) - min(sizes) <= 1


def test_a_gradient_of_any_length_is_taken_where_none_is_clipped(pairs):
    flow = load_config("smoke", drl=None, motion=None, epochs=(0, 1, 0), batch_sizes=(4, 4, 4), weight_decay=0.0)
    before = state(build_model(flow, pairs.num_classes))
    model, _ = stage_checkpoint(2, replace(flow, clip_norm=0.0), pairs, progress=False)
    moved = [name for name, value in state(model).items() if name.endswith("weight") and not value.equal(before[name])]
    assert moved
