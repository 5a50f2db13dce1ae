"""The three stages: what trains, what stays, what is saved, what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from lfdtcmen import DataError, load_config
from lfdtcmen.config import Config, LossWeights
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import loso
from lfdtcmen.datasets.synthetic import make_counterfactuals, make_swaps
from lfdtcmen.training import (
    LFDTCMENClassifier,
    audit,
    build_model,
    loop,
    pipeline,
    predict,
    set_trainable,
    stage_checkpoint,
    train_stage,
)
from lfdtcmen.training.checkpoint import load_checkpoint, save_checkpoint, stage_settings
from lfdtcmen.training.pretrain import draw_batch, pretrain


def make_pairs(count: int = 8, subjects: int = 3, seed: int = 0) -> PairSet:
    rng = np.random.default_rng(seed)
    manifest = pd.DataFrame({"subject": [f"s{i % subjects}" for i in range(count)], "clip": range(count)})
    onset = rng.integers(0, 255, (count, 32, 32, 3), dtype=np.uint8)
    apex = np.clip(onset.astype(int) + rng.integers(-9, 9, onset.shape), 0, 255).astype(np.uint8)
    streams = rng.standard_normal((count, 3, 28, 28)).astype(np.float32)
    labels = np.arange(count) % 3
    return PairSet(manifest, onset, apex, labels, ("negative", "positive", "surprise"), streams=streams)


@pytest.fixture
def pairs() -> PairSet:
    return make_pairs()


@pytest.fixture
def config() -> Config:
    return load_config(
        "smoke", epochs=(2, 2, 2), batch_sizes=(4, 4, 4), perceptual_taps=("relu1_2",), vgg_weights="random"
    )


def state(model) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed_parts(before: dict, after: dict) -> set[str]:
    """The parts (drl, tcme) of which any parameter or buffer moved."""
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}


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
    objectives = loop.make_objectives(config, stage, config.stage_weights(stage), pairs, "cpu")
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

    monkeypatch.setattr(loop, "set_trainable", thaw)
    # stage 1 does not run TCME at all, so a gradient reaches it only if its stage were to
    monkeypatch.setitem(loop.STAGES, 1, replace(loop.STAGES[1], classify=True))
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
    assert config.stage3.reconstruction < config.stage1.reconstruction
    assert config.stage3.cycle < config.stage1.cycle
    assert config.stage1.orthogonality < min(config.stage1.reconstruction, config.stage1.cycle)
    assert config.stage1.emotion == 0 and config.stage2 == LossWeights(emotion=1.0)
    papers = ("reconstruction", "cycle", "orthogonality", "consistency", "contrastive", "emotion")
    assert all(getattr(config.stage3, name) for name in papers)


def test_training_lowers_the_loss(pairs, config):
    config = replace(config, epochs=(1, 30, 1), max_shift=0)
    history = train_stage(build_model(config, 3), pairs, 2, config, progress=False)
    assert history["emotion"].tail(5).mean() < 0.5 * history["emotion"].head(5).mean()
    assert list(history["step"]) == list(range(60))


def test_the_same_seed_gives_the_same_weights(pairs, config):
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
    steps, step = [0], loop.augment

    def dies_in_the_second_epoch(*arguments):
        steps[0] += 1
        if steps[0] == 4:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(loop, "augment", dies_in_the_second_epoch)
    file = tmp_path / "stage.pt"
    with pytest.raises(KeyboardInterrupt):
        train_stage(build_model(config, 3), pairs, stage, config, file, progress=False)
    assert file.exists()
    resumed = build_model(config, 3)
    history = train_stage(resumed, pairs, stage, config, file, progress=False)
    assert steps[0] == 6  # two steps before the kill, one lost, one that died, two after it
    assert_close(state(resumed), state(unbroken), atol=0, rtol=0)
    assert list(history["total"]) == pytest.approx(list(full_history["total"]))


def test_a_finished_stage_is_loaded_not_trained(pairs, config, tmp_path, monkeypatch):
    model, history = stage_checkpoint(3, config, pairs, tmp_path, progress=False)
    assert len(list((tmp_path / "checkpoints").glob("*.pt"))) == 3
    monkeypatch.setattr(loop, "augment", lambda *_: pytest.fail("trained again"))
    again, same_history = stage_checkpoint(3, config, pairs, tmp_path, progress=False)
    assert_close(state(model), state(again), atol=0, rtol=0)
    pd.testing.assert_frame_equal(history, same_history)


def test_networks_that_differ_in_tcme_share_stage_1(pairs, config, tmp_path):
    stage_checkpoint(1, config, pairs, tmp_path, progress=False)
    stage_checkpoint(1, replace(config, flow=None), pairs, tmp_path, progress=False)
    assert len(list((tmp_path / "checkpoints").glob("stage1*.pt"))) == 1
    stage_checkpoint(1, replace(config, margin=0.5), pairs, tmp_path, progress=False)
    assert len(list((tmp_path / "checkpoints").glob("stage1*.pt"))) == 2


def test_a_checkpoint_of_an_earlier_network_is_refused(pairs, config, tmp_path):
    stage_checkpoint(2, replace(config, fusion="late"), pairs, tmp_path, progress=False)
    (path,) = (tmp_path / "checkpoints").glob("stage2-*")
    content = torch.load(path, weights_only=True)
    del content["weights"]["tcme.log_prior"]  # which there was not always
    torch.save(content, path)
    with pytest.raises(DataError, match=r"do not fit the network.*train again"):
        stage_checkpoint(2, replace(config, fusion="late"), pairs, tmp_path, progress=False)


def test_a_checkpoint_of_another_config_or_data_is_refused(pairs, config, tmp_path):
    file = tmp_path / "stage2.pt"
    train_stage(build_model(config, 3), pairs, 2, config, file, progress=False)
    other = replace(config, weight_decay=0.5)
    with pytest.raises(DataError, match=r"weight_decay=0\.01.*this run has 0\.5"):
        train_stage(build_model(other, 3), pairs, 2, other, file, progress=False)
    with pytest.raises(DataError, match="made with data="):
        train_stage(build_model(config, 3), make_pairs(seed=5), 2, config, file, progress=False)


def test_a_broken_checkpoint_is_refused(pairs, config, tmp_path):
    file = tmp_path / "stage2.pt"
    train_stage(build_model(config, 3), pairs, 2, config, file, progress=False)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"cannot be read.*delete it"):
        train_stage(build_model(config, 3), pairs, 2, config, file, progress=False)


def test_a_failed_write_leaves_the_old_checkpoint_whole(pairs, config, tmp_path, monkeypatch):
    settings = stage_settings(config, 2, pairs.fingerprint)
    model, file = build_model(config, 3), tmp_path / "stage2.pt"
    save_checkpoint(file, model, settings, epoch=1)

    def full_disk(content, path):
        path.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(DataError, match="No space left"):
        save_checkpoint(file, model, settings, epoch=2)
    assert load_checkpoint(file, model, settings)["epoch"] == 1
    assert [f.name for f in tmp_path.iterdir()] == ["stage2.pt"]


def test_an_unwritable_folder_is_refused(pairs, config, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match="cannot be written"):
        save_checkpoint(tmp_path / "file" / "stage.pt", build_model(config, 3), {"stage": 2}, epoch=1)


def test_a_loss_that_is_not_finite_stops_the_training(pairs, config):
    model = build_model(config, 3)
    with torch.no_grad():
        model.tcme.classifier.weight.fill_(float("nan"))
    with pytest.raises(DataError, match="loss is nan"):
        train_stage(model, pairs, 2, config, progress=False)


def test_pairs_that_do_not_fit_are_refused(pairs, config):
    with pytest.raises(DataError, match="no stage 4"):
        train_stage(build_model(config, 3), pairs, 4, config, progress=False)
    with pytest.raises(DataError, match="'surprise' has no training pair"):
        train_stage(build_model(config, 3), pairs.subset(pairs.labels < 2), 2, config, progress=False)
    with pytest.raises(DataError, match="no flow"):
        train_stage(build_model(config, 3), replace(pairs, streams=None), 2, config, progress=False)
    with pytest.raises(DataError, match="7 classes apart, the data have 3"):
        predict(build_model(config, 7), pairs)
    with pytest.raises(DataError, match="no pairs"):
        predict(build_model(config, 3), pairs.subset([]))


@pytest.mark.parametrize("settings", [{"drl": "motion"}, {"drl": "encoders"}, {"drl": None, "motion": None}])
def test_ablated_networks_train_through_all_stages(settings, pairs, config):
    _, history = stage_checkpoint(3, replace(config, **settings), pairs, progress=False)
    assert history.query("stage == 3")["emotion"].notna().all()
    assert "reconstruction" not in history


def test_class_weights_are_inverse_frequencies(pairs, config):
    objectives = loop.make_objectives(replace(config, imbalance="class_weights"), 2, config.stage2, pairs, "cpu")
    counts = np.bincount(pairs.labels)
    weight = objectives.emotion_loss.keywords["class_weight"]
    np.testing.assert_allclose(weight.numpy() * counts, len(pairs) / 3, rtol=1e-6)


def test_mirror_turns_u_round_and_leaves_v_and_strain(pairs):
    batch = pairs.batch(np.arange(8))
    rng = np.random.default_rng(0)
    mirrored = torch.from_numpy(np.random.default_rng(0).random(8) < 0.5)
    changed = loop.augment(batch, 0, rng)
    assert_close(changed.onset[~mirrored], batch.onset[~mirrored])
    assert_close(changed.apex[mirrored], batch.apex[mirrored].flip(3))
    assert_close(changed.flow[mirrored][:, 0], -batch.flow[mirrored][:, 0].flip(2))
    assert_close(changed.flow[mirrored][:, 1:], batch.flow[mirrored][:, 1:].flip(3))


def test_a_shift_moves_both_frames_alike(pairs):
    batch = pairs.batch(np.arange(8))
    rng = np.random.default_rng(3)
    changed = loop.augment(batch, 3, rng)
    reference = np.random.default_rng(3)
    mirrored = torch.from_numpy(reference.random(8) < 0.5)
    dx, dy = reference.integers(-3, 4, 2)
    inner = slice(4, -4)
    for name in ("onset", "apex"):
        frame = getattr(batch, name)
        frame = torch.where(mirrored[:, None, None, None], frame.flip(3), frame)
        shifted = torch.roll(frame, (-int(dy), -int(dx)), (2, 3))
        assert_close(getattr(changed, name)[:, :, inner, inner], shifted[:, :, inner, inner])


@pytest.mark.parametrize(("count", "size"), [(7, 3), (9, 8), (8, 8), (1, 4)])
def test_epoch_batches_hold_every_pair_once_and_are_even(count, size):
    batches = list(loop.epoch_batches(np.zeros(count, int), size, np.random.default_rng(0)))
    assert sorted(np.concatenate(batches)) == list(range(count))
    sizes = [len(b) for b in batches]
    assert max(sizes) <= size and max(sizes) - min(sizes) <= 1


def test_classifier_is_a_fit_predict(pairs, config):
    probabilities = LFDTCMENClassifier(config)(pairs, make_pairs(5, seed=9), seed=0)
    assert probabilities.shape == (5, 3) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)


def test_prediction_does_not_depend_on_the_batch(pairs, config):
    model = build_model(config, 3)
    np.testing.assert_allclose(predict(model, pairs, 64), predict(model, pairs, 3), atol=1e-5)


@pytest.mark.parametrize("option", ["class_weights", "focal", "logit_adjusted", "balanced_sampling"])
def test_each_answer_to_imbalance_trains_stages_2_and_3_and_changes_them(option, pairs, config, tmp_path):
    plain, _ = stage_checkpoint(3, replace(config, epochs=(1, 1, 1)), pairs, tmp_path, progress=False)
    changed, history = stage_checkpoint(
        3, replace(config, epochs=(1, 1, 1), imbalance=option), pairs, tmp_path, progress=False
    )
    assert np.isfinite(history["total"]).all()
    assert changed_parts(state(plain), state(changed)) == {"drl", "tcme"}
    assert len(list((tmp_path / "checkpoints").glob("stage1-*"))) == 1  # which stage 1 knows nothing of


@pytest.mark.parametrize(("option", "natural"), [(None, True), ("focal", True), ("class_weights", False)])
def test_late_fusion_takes_off_the_training_pairs_prior_where_the_branches_have_it(option, natural, pairs, config):
    config = replace(config, fusion="late", imbalance=option)
    model, _ = stage_checkpoint(2, config, pairs, progress=False)
    frequency = np.bincount(pairs.labels, minlength=3) / len(pairs)
    expected = np.log(frequency) if natural else np.zeros(3)
    np.testing.assert_allclose(model.tcme.log_prior.numpy(), expected, rtol=1e-6)


@given(counts=st.lists(st.integers(1, 60), min_size=2, max_size=7), seed=st.integers(0, 9))
def test_balanced_batches_draw_classes_alike_and_only_what_is_there(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    drawn = np.concatenate(
        [np.concatenate(list(loop.epoch_batches(labels, 8, np.random.default_rng([seed, k]), True))) for k in range(40)]
    )
    assert len(drawn) == 40 * len(labels) and drawn.min() >= 0 and drawn.max() < len(labels)
    share = np.bincount(labels[drawn], minlength=len(counts)) / len(drawn)
    expected = 1 / len(counts)
    assert abs(share - expected).max() < 5 * np.sqrt(expected / len(drawn))


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


def test_a_shared_stage_1_is_trained_once_a_group_and_never_sees_who_is_tested(config, tmp_path, monkeypatch):
    pairs = make_pairs(24, subjects=8)
    groups = {f"s{i}": i % 2 for i in range(8)}
    learned = []
    original = pipeline.train_stage

    def spy(model, given, stage, *args, **kwargs):
        if stage == 1:
            learned.append(set(given.subjects))
        return original(model, given, stage, *args, **kwargs)

    monkeypatch.setattr(pipeline, "train_stage", spy)
    model = LFDTCMENClassifier(replace(config, epochs=(1, 1, 1)), tmp_path, stage1_groups=groups)
    model.train_stage1(pairs, loso(pairs.subjects))
    assert learned == [{"s1", "s3", "s5", "s7"}, {"s0", "s2", "s4", "s6"}]
    for seed, (train, test) in zip((0, 1, 2), loso(pairs.subjects), strict=False):
        tested = pairs.subset(test)
        model(pairs.subset(train), tested, seed)
        assert not learned[-1] & set(tested.subjects)
    files = list((tmp_path / "checkpoints").glob("*"))
    assert len(files) == 2 and all(file.name.startswith("stage1") for file in files)

    learned.clear()
    part = np.isin(pairs.subjects, ["s1", "s3"])  # of one group: the other one is tested by nobody
    alone = LFDTCMENClassifier(replace(config, epochs=(1, 1, 1)), tmp_path / "held out", stage1_groups=groups)
    alone.train_stage1(pairs, [(np.flatnonzero(~part), np.flatnonzero(part))])
    assert learned == [{"s0", "s2", "s4", "s6"}]

    halves = np.isin(pairs.subjects, ["s0", "s1"])
    with pytest.raises(DataError, match="of 2 groups"):
        model(pairs.subset(~halves), pairs.subset(halves), 0)
    del groups["s3"]
    with pytest.raises(DataError, match="s3 has no group"):
        model(pairs.subset(~halves), pairs.subset(halves), 0)


def test_the_epoch_is_chosen_on_training_subjects_whom_the_stages_do_not_see(config, monkeypatch):
    pairs, test = make_pairs(48, subjects=8), make_pairs(6, subjects=2, seed=9)
    learned, scored = set(), []
    original, keep = pipeline.train_stage, pipeline._keep_best

    def spy(model, given, *args, **kwargs):
        learned.update(given.subjects)
        return original(model, given, *args, **kwargs)

    def note(held, best, epoch, model):
        keep(held, best, epoch, model)
        scored.append((set(held.subjects), best["score"], best["epoch"]))

    monkeypatch.setattr(pipeline, "train_stage", spy)
    monkeypatch.setattr(pipeline, "_keep_best", note)
    LFDTCMENClassifier(config, validation=0.25)(pairs, test, 0)
    assert len(scored) == sum(config.epochs[1:])
    held = scored[0][0]
    assert len(held) == 2 and held < set(pairs.subjects) and not held & learned
    scores = [score for _, score, _ in scored]
    assert scores == sorted(scores)  # the best so far never falls


def test_settings_say_all_that_predictions_depend_on(config):
    first = LFDTCMENClassifier(config).settings
    for other in (
        LFDTCMENClassifier(replace(config, imbalance="focal")),
        LFDTCMENClassifier(config, stages=2),
        LFDTCMENClassifier(config, validation=0.2),
        LFDTCMENClassifier(config, stage1_groups={"s0": 0}),
    ):
        assert other.settings != first


def test_the_flow_branch_alone_sees_no_frames(config):
    config = replace(config, drl=None, motion=None)
    small = make_pairs()
    rng = np.random.default_rng(4)
    frames = rng.integers(0, 255, (2, len(small), 64, 64, 3), dtype=np.uint8)
    large = replace(small, onset=frames[0], apex=frames[1])
    answers = [predict(stage_checkpoint(2, config, pairs, progress=False)[0], large) for pairs in (small, large)]
    np.testing.assert_array_equal(*answers)


# ---------------------------------------------------------------- ours: the repaired recipe, and pretraining


@pytest.fixture
def repaired() -> Config:
    return load_config("smoke", recipe="repaired_alone", batch_sizes=(4, 4, 4))


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


def test_pretraining_is_done_once_and_on_other_people(tmp_path, repaired, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))
    config = replace(repaired, pretraining=4, pretraining_groups=1, change_first=0.5)
    first, second = (build_model(config, 3) for _ in range(2))
    history = pretrain(first, config, tmp_path, progress=False)
    assert history[["change", "gain", "action_units", "rest"]].notna().sum().tolist() == [4, 4, 4, 2]
    monkeypatch.setattr("lfdtcmen.training.pretrain.draw_batch", None)  # training again would fail
    pretrain(second, config, tmp_path, progress=False)
    for name, value in state(first).items():
        assert_close(second.state_dict()[name], value, rtol=0, atol=0)
    fresh = build_model(config, 3).state_dict()
    learned = {name for name, value in state(first).items() if not torch.equal(value, fresh[name])}
    assert any(name.startswith("tcme.motion_branch") for name in learned)
    assert not any(name.startswith(("tcme.flow_branch", "tcme.classifier")) for name in learned)
    measured = make_counterfactuals("standard", 0, 8, 1).onset_clean
    assert not any((face == measured).all((1, 2, 3)).any() for face in make_swaps("standard", 1).onset_clean[0])


def test_pretraining_goes_on_to_the_weights_of_an_unbroken_run(tmp_path, repaired, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("lfdtcmen.training.pretrain.SAVE_EVERY", 0.0)
    config = replace(repaired, pretraining=4, pretraining_groups=1, change_first=0.5)
    whole, broken, resumed = (build_model(config, 3) for _ in range(3))
    pretrain(whole, config, progress=False)
    steps = iter([True, True, False])

    def stop(*args):
        if not next(steps):
            raise KeyboardInterrupt
        return draw_batch(*args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("lfdtcmen.training.pretrain.draw_batch", stop)
        pretrain(broken, config, tmp_path, progress=False)
    assert len(pretrain(resumed, config, tmp_path, progress=False)) == 4
    for name, value in state(whole).items():
        assert_close(resumed.state_dict()[name], value, rtol=0, atol=0)


def test_the_last_fifth_of_pretraining_normalises_as_the_finished_network_does(tmp_path, repaired, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))
    config = replace(repaired, pretraining=5, pretraining_groups=1)
    model, seen = build_model(config, 3), []
    norms = [m for m in model.drl.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    monkeypatch.setattr(
        "lfdtcmen.training.pretrain.gain",
        lambda moved, *_: seen.append({norm.training for norm in norms}) or moved.sum() * 0,
    )
    pretrain(model, config, progress=False)
    assert seen == [{True}] * 4 + [{False}]


def test_without_a_motion_branch_no_action_unit_is_read(tmp_path, repaired, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))
    config = replace(repaired, pretraining=1, pretraining_groups=1, motion="encoder")
    assert "action_units" not in pretrain(build_model(config, 3), config, progress=False)


def test_a_row_of_swaps_is_one_motion_on_two_people(tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))
    drawn, cached = make_swaps("easy", 1), make_swaps("easy", 1)
    for name, value in vars(drawn).items():
        np.testing.assert_array_equal(value, getattr(cached, name))
    count = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1, 1, 1)  # each apex tells its person and its motion
    told = replace(drawn, **{name: np.broadcast_to(count, (1, 8, 8, 4, 4, 3)) for name in ("apex", "apex_clean")})
    told = replace(told, **{n: np.broadcast_to(count[:, :, 0], (1, 8, 4, 4, 3)) for n in ("onset", "onset_clean")})
    units = np.zeros((1, 8, 17, 2), np.float32)
    units[0, :, 0] = np.arange(8)[:, None] + [0, 0.5]  # and each intensity its motion and its side
    batch = draw_batch(replace(told, action_units=units), 200, 0, np.random.default_rng(0))
    identity, clean, motion = (
        (frames * 255).round().long().amax((1, 2, 3)).view(2, -1)
        for frames in (batch.identity, batch.clean, batch.motion)
    )
    lent = motion[:, :200]
    assert torch.equal(identity, clean)
    assert torch.equal(identity[1] % 8, lent[1] % 8)  # one motion
    assert torch.equal(identity[0] // 8, identity[1] // 8) and torch.equal(motion[0] // 8, motion[1] // 8)
    assert (identity[0] != lent[0]).float().mean().item() == pytest.approx(0.8, abs=0.1)
    assert torch.equal(batch.action_units[:, 0].amin(1).long(), motion[1] % 8)
    left = batch.action_units[:, 0, 0] % 1 == 0
    assert left.float().mean().item() == pytest.approx(0.5, abs=0.1)  # the others are mirrored


def test_a_pretrained_stage_1_begins_where_pretraining_ended(tmp_path, pairs, repaired, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))
    config = replace(repaired, pretraining=2, pretraining_groups=1, epochs=(0, 0, 0))
    model, _ = stage_checkpoint(1, config, pairs, tmp_path, progress=False)
    other = build_model(config, 3)
    pretrain(other, config, tmp_path, progress=False)
    for name, value in state(other).items():
        assert_close(model.state_dict()[name], value, rtol=0, atol=0)


def test_with_a_shared_stage_1_the_motion_branch_is_pretrained_too(tmp_path, pairs, repaired, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))
    config = replace(repaired, pretraining=2, pretraining_groups=1, epochs=(0, 1, 0))
    begun = []
    monkeypatch.setattr(
        "lfdtcmen.training.pipeline.train_stage",
        lambda model, *args, **kwargs: begun.append(state(model)) or pd.DataFrame(),
    )
    subjects = sorted(set(pairs.subjects))
    test = pairs.subjects == subjects[0]
    shared = LFDTCMENClassifier(config, tmp_path, 2, {s: int(s != subjects[0]) for s in subjects})
    shared(pairs.subset(~test), pairs.subset(test), seed=5)
    other = build_model(config, 3)
    pretrain(other, config, tmp_path, progress=False)
    for name, value in state(other.tcme.motion_branch).items():
        assert_close(begun[-1][f"tcme.motion_branch.{name}"], value, rtol=0, atol=0)
