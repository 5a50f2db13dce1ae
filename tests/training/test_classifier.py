"""The network as a model for cross-validation: its predictions, shared stage 1, and the choice of the epoch."""

from dataclasses import replace

import numpy as np
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.splits import loso
from lfdtcmen.training import LFDTCMENClassifier, build_model, pipeline, predict
from tests.training.helpers import make_pairs


def test_classifier_is_a_fit_predict(pairs, config):
    probabilities = LFDTCMENClassifier(config)(pairs, make_pairs(5, seed=9), seed=0)
    assert probabilities.shape == (5, 3) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)


def test_prediction_does_not_depend_on_the_batch(pairs, config):
    model = build_model(config, 3)
    np.testing.assert_allclose(predict(model, pairs, 64), predict(model, pairs, 3), atol=1e-5)


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
