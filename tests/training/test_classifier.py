"""The network as a model for cross-validation: its predictions, shared stage 1, and the choice of the epoch."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from lfdtcmen import DataError
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config
from lfdtcmen.datasets.splits import loso
from lfdtcmen.evaluation.protocol import Model, cross_validate
from lfdtcmen.training import LFDTCMENClassifier, build_model, classifier, predict
from tests.training.helpers import make_pairs


def one_step_each(config: Config) -> Config:
    """One epoch of one batch in each stage."""
    return replace(config, epochs=(1, 1, 1), batch_sizes=(24, 24, 24))


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
    original = classifier.train_stage

    def spy(model, given, stage, *args, **kwargs):
        if stage == 1:
            learned.append(set(given.subjects))
        return original(model, given, stage, *args, **kwargs)

    monkeypatch.setattr(classifier, "train_stage", spy)
    model = LFDTCMENClassifier(one_step_each(config), tmp_path, stage1_groups=groups)
    model.prepare(pairs, loso(pairs.subjects), [0, 1, 2])
    assert learned == [{"s1", "s3", "s5", "s7"}, {"s0", "s2", "s4", "s6"}]
    for seed, (train, test) in zip((0, 1, 2), loso(pairs.subjects), strict=False):
        tested = pairs.subset(test)
        model(pairs.subset(train), tested, seed)
        assert not learned[groups[tested.subjects[0]]] & set(tested.subjects)
    files = list((tmp_path / "checkpoints").glob("*"))
    assert len(files) == 2 and all(file.name.startswith("stage1") for file in files)

    learned.clear()
    part = np.isin(pairs.subjects, ["s1", "s3"])  # of one group: the other one is tested by nobody
    alone = LFDTCMENClassifier(one_step_each(config), tmp_path / "held out", stage1_groups=groups)
    alone.prepare(pairs, [(np.flatnonzero(~part), np.flatnonzero(part))], [0])
    assert learned == [{"s0", "s2", "s4", "s6"}]

    halves = np.isin(pairs.subjects, ["s0", "s1"])
    with pytest.raises(DataError, match="of 2 groups"):
        model(pairs.subset(~halves), pairs.subset(halves), 0)
    del groups["s3"]
    with pytest.raises(DataError, match="s3 has no group"):
        model.prepare(pairs, loso(pairs.subjects), [0])
    with pytest.raises(DataError, match="have no group"):
        model(pairs.subset(pairs.subjects != "s3"), pairs.subset(pairs.subjects == "s3"), 0)


def test_the_epoch_is_chosen_on_training_subjects_whom_the_stages_do_not_see(config, monkeypatch):
    pairs, test = make_pairs(48, subjects=8), make_pairs(6, subjects=2, seed=9)
    learned, scored = set(), []
    original, update = classifier.train_stage, classifier.BestEpoch.update

    def spy(model, given, *args, **kwargs):
        learned.update(given.subjects)
        return original(model, given, *args, **kwargs)

    def note(best, held, epoch, model):
        update(best, held, epoch, model)
        scored.append((set(held.subjects), best.score))

    monkeypatch.setattr(classifier, "train_stage", spy)
    monkeypatch.setattr(classifier.BestEpoch, "update", note)
    LFDTCMENClassifier(replace(config, batch_sizes=(16, 16, 16)), validation=0.25)(pairs, test, 0)
    assert len(scored) == sum(config.epochs[1:])
    held = scored[0][0]
    assert len(held) == 2 and held < set(pairs.subjects) and not held & learned
    scores = [score for _, score in scored]
    assert scores == sorted(scores)  # the best so far never falls


def test_settings_say_all_that_predictions_depend_on(config):
    first = LFDTCMENClassifier(config).settings
    for other in (
        LFDTCMENClassifier(replace(config, imbalance="focal"), method=EXTENDED),
        LFDTCMENClassifier(config, stages=2),
        LFDTCMENClassifier(config, validation=0.2),
        LFDTCMENClassifier(config, stage1_groups={"s0": 0}),
    ):
        assert other.settings != first


def test_a_shared_stage_1_that_nobody_trained_is_refused(config):
    pairs = make_pairs(6, subjects=3)
    model = LFDTCMENClassifier(config, stage1_groups={f"s{i}": i for i in range(3)})
    with pytest.raises(DataError, match=r"stage 1 of group 0 is not trained.*call prepare first"):
        model(pairs.subset(pairs.subjects != "s0"), pairs.subset(pairs.subjects == "s0"), 0)


def test_dask_workers_are_given_the_shared_stage_1(config, tmp_path):
    pairs = make_pairs(24, subjects=4)
    groups = {f"s{i}": i % 2 for i in range(4)}
    folds, tables = list(loso(pairs.subjects))[:2], []
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        for backend in ("loky", "dask"):
            model = LFDTCMENClassifier(one_step_each(config), stages=2, stage1_groups=groups)
            tables.append(cross_validate(model, pairs, folds, [0], tmp_path / backend, backend=backend))
            assert sorted(model.shared) == [0, 1]  # trained once, also where the workers keep nothing
    pd.testing.assert_frame_equal(*(table.drop(columns="seconds") for table in tables), check_exact=True)


def test_cross_validation_trains_what_folds_share_first_and_only_what_is_missing(config, tmp_path):
    pairs = make_pairs(24, subjects=4)
    groups = {f"s{i}": i % 2 for i in range(4)}
    model = LFDTCMENClassifier(one_step_each(config), stages=2, stage1_groups=groups)
    assert isinstance(model, Model)
    folds = list(loso(pairs.subjects))
    table = cross_validate(model, pairs, folds, [0], tmp_path)
    assert len(table) == 24 and sorted(model.shared) == [0, 1]
    again = LFDTCMENClassifier(one_step_each(config), stages=2, stage1_groups=groups)
    cross_validate(again, pairs, folds, [0], tmp_path)
    assert not again.shared  # no fold was missing


def test_a_class_that_cannot_be_trained_on_is_refused_before_stage_1(config, tmp_path, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("trained all the same")

    monkeypatch.setattr(classifier, "train_stage", never)
    pairs = make_pairs(24, subjects=8)
    without = pairs.subset(pairs.labels < 2)  # the last class: a count of labels alone does not see that it is absent
    with pytest.raises(DataError, match=r"class 'surprise' has no sample.*training pairs"):
        classifier.stage_checkpoint(3, config, without, tmp_path, progress=False)
    with pytest.raises(DataError, match="class 'surprise' has no sample"):
        cross_validate(LFDTCMENClassifier(config, tmp_path), without, 2, [0], tmp_path / "out")
    of_one = pairs.subset((pairs.labels < 2) | (pairs.subjects == "s2"))  # fine to train on, but nobody for validation
    rest = np.flatnonzero(np.isin(of_one.subjects, ["s0", "s1"]))
    fold = np.setdiff1d(np.arange(len(of_one)), rest), rest
    groups = {f"s{i}": int(i < 2) for i in range(8)}
    model = LFDTCMENClassifier(config, tmp_path, stage1_groups=groups, validation=0.25)
    with pytest.raises(DataError, match="class 'surprise' is shown by one subject only"):
        model.prepare(of_one, [fold], [0])
