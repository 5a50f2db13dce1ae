"""A fold is one job: the same however it is run, resumed after a kill, and never with a shared subject."""

import dataclasses
import functools
import json
import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from distributed import Client, LocalCluster

from lfdtcmen import DataError
from lfdtcmen.baselines.simple import linear_svm
from lfdtcmen.datasets.pairs import PairSet, concatenate
from lfdtcmen.datasets.splits import grouped_kfold, holdout
from lfdtcmen.evaluation import protocol
from lfdtcmen.evaluation.protocol import cross_validate

COUNT = 48


@pytest.fixture
def pairs():
    """Eight subjects whose streams tell their class, more or less."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, COUNT)
    frames = rng.integers(0, 255, (COUNT, 32, 32, 3), dtype=np.uint8)
    manifest = pd.DataFrame({"subject": [f"s{i % 8}" for i in range(COUNT)], "clip": [f"c{i}" for i in range(COUNT)]})
    streams = rng.normal(0, 1, (COUNT, 3, 28, 28)) + rng.normal(0, 1, (3, 3, 28, 28))[labels]
    return PairSet(manifest, frames, frames, labels, ("neg", "pos", "sur"), streams=streams.astype(np.float32))


def noisy(train, test, seed):
    """Answer at random, by seed and test set."""
    values = np.random.default_rng([seed, len(test)]).random((len(test), test.num_classes))
    return values / values.sum(1, keepdims=True)


@dataclasses.dataclass(frozen=True)
class Noisy:
    """The same as a model with a setting."""

    rate: float

    @property
    def settings(self):
        return {"rate": self.rate}

    def prepare(self, pairs, folds, seeds, jobs):
        pass

    def __call__(self, train, test, seed):
        return noisy(train, test, seed)


def perceptron(train, test, seed):
    """Train a small torch network, with its global generator."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2352, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
    optimiser = torch.optim.SGD(model.parameters(), 1e-2)
    for _ in range(20):
        loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(train.streams)), torch.from_numpy(train.labels))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model(torch.from_numpy(test.streams)).softmax(1).detach().numpy()


def test_every_sample_is_predicted_once_a_seed_in_order(pairs, tmp_path):
    table = cross_validate(noisy, pairs, 4, [0, 7], tmp_path)
    columns = ["seed", "fold", "subject", "clip", "label", "prediction", "p_neg", "p_pos", "p_sur", "seconds"]
    assert list(table.columns) == columns
    assert table["seed"].tolist() == [0] * COUNT + [7] * COUNT
    for _, run in table.groupby("seed"):
        assert run["clip"].tolist() == pairs.manifest["clip"].tolist()
        assert run["label"].tolist() == pairs.labels.tolist()
        assert (run.groupby("subject")["fold"].nunique() == 1).all()
    np.testing.assert_allclose(table[["p_neg", "p_pos", "p_sur"]].sum(axis=1), 1)
    assert (table[["p_neg", "p_pos", "p_sur"]].to_numpy().argmax(1) == table["prediction"]).all()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        f"seed{s}-fold{f}.json" for s in (0, 7) for f in range(4)
    )


@pytest.mark.parametrize("model", [perceptron, linear_svm])
def test_one_process_or_two_predict_the_same(pairs, tmp_path, model):
    threads = torch.get_num_threads(), cv2.getNumThreads()
    one = cross_validate(model, pairs, 3, [0, 1], tmp_path / "one", n_jobs=1)
    assert (torch.get_num_threads(), cv2.getNumThreads()) == threads
    two = cross_validate(model, pairs, 3, [0, 1], tmp_path / "two", n_jobs=2)
    pd.testing.assert_frame_equal(one.drop(columns="seconds"), two.drop(columns="seconds"), check_exact=True)
    assert (one["prediction"] == one["label"]).mean() > 0.5


def killing(train, test, seed):
    """Kill the worker that takes fold 0 of seed 1 for the first time."""
    marker = Path(os.environ["LFDTCMEN_TEST_MARKER"])
    if seed == 1 and "s0" in test.subjects and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # on Windows, SIGTERM ends it at once
    return noisy(train, test, seed)


def test_dask_workers_predict_the_same_and_one_may_die(pairs, tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_TEST_MARKER", str(tmp_path / "killed"))
    here = {name: cross_validate(model, pairs, 3, [0, 1], tmp_path / f"one {name}")
            for name, model in {"noisy": noisy, "svm": linear_svm}.items()}  # fmt: skip
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        svm = cross_validate(linear_svm, pairs, 3, [0, 1], tmp_path / "svm", backend="dask")
        killed = cross_validate(killing, pairs, 3, [0, 1], tmp_path / "killing", backend="dask")
    assert (tmp_path / "killed").exists()
    for ours, theirs in ((here["svm"], svm), (here["noisy"], killed)):
        pd.testing.assert_frame_equal(ours.drop(columns="seconds"), theirs.drop(columns="seconds"), check_exact=True)


def test_a_killed_run_goes_on_with_what_is_missing(pairs, tmp_path):
    calls = []

    def killed_at_the_third(train, test, seed):
        calls.append(seed)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return noisy(train, test, seed)

    with pytest.raises(KeyboardInterrupt):
        cross_validate(killed_at_the_third, pairs, 4, [0], tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    resumed = cross_validate(killed_at_the_third, pairs, 4, [0], tmp_path)
    assert len(calls) == 5
    whole = cross_validate(noisy, pairs, 4, [0], tmp_path / "whole")
    pd.testing.assert_frame_equal(resumed.drop(columns="seconds"), whole.drop(columns="seconds"), check_exact=True)
    again = cross_validate(killed_at_the_third, pairs, 4, [0], tmp_path)
    assert len(calls) == 5
    pd.testing.assert_frame_equal(again, resumed)


def test_a_damaged_file_runs_again_with_a_warning(pairs, tmp_path):
    before = cross_validate(noisy, pairs, 2, [0], tmp_path)
    (tmp_path / "seed0-fold1.json").write_text('{"fingerprint": "')
    with pytest.warns(UserWarning, match="will run again"):
        after = cross_validate(noisy, pairs, 2, [0], tmp_path)
    pd.testing.assert_frame_equal(before.drop(columns="seconds"), after.drop(columns="seconds"))


def test_files_of_another_run_are_refused(pairs, tmp_path):
    cross_validate(Noisy(0.1), pairs, 2, [0], tmp_path)
    cross_validate(Noisy(0.1), pairs, 2, [0], tmp_path)
    other = dataclasses.replace(pairs, labels=(pairs.labels + 1) % 3)
    halves = np.flatnonzero(pairs.subjects < "s4"), np.flatnonzero(pairs.subjects >= "s4")
    for changed in ({"fit_predict": Noisy(0.2)}, {"pairs": other}, {"folds": [halves]}):
        arguments = {"fit_predict": Noisy(0.1), "pairs": pairs, "folds": 2, **changed}
        with pytest.raises(DataError, match=r"other data, folds or configuration.*seed0-fold0"):
            cross_validate(seeds=[0], out_dir=tmp_path, **arguments)


def test_a_planted_overlap_is_refused_before_anything_is_trained(pairs, tmp_path):
    (train, test), *others = grouped_kfold(pairs.subjects, pairs.labels, 3, 0)
    planted = [*others, (np.append(train, test[0]), test[1:])]

    def never(*_):
        raise AssertionError("trained all the same")

    with pytest.raises(DataError, match=pairs.subjects[test[0]]):
        cross_validate(never, pairs, planted, [0], tmp_path / "out")


def test_folds_that_cannot_be_trained_or_tested_are_refused(pairs, tmp_path):
    first = np.flatnonzero(np.isin(pairs.subjects, ["s0", "s1", "s2", "s3"]))
    second = np.setdiff1d(np.arange(COUNT), first)
    cases = {
        "class 'pos' has no sample": [(first[pairs.labels[first] != 1], second)],
        "there are no test samples": [(first, [])],
        "outside 0 to 47": [(first, [48])],
        "nothing to run": [],
    }
    for message, folds in cases.items():
        with pytest.raises(DataError, match=message):
            cross_validate(noisy, pairs, folds, [0], tmp_path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: p[:, :2], r"must be \[\d+, 3\].*seed 4, fold 0"),
        (lambda p: p * np.nan, "diverged"),
        (lambda p: p * 3, "softmax"),
    ],
)
def test_predictions_that_are_no_probabilities_are_refused(pairs, tmp_path, wrong, message):
    with pytest.raises(DataError, match=message):
        cross_validate(lambda *a: wrong(noisy(*a)), pairs, 2, [4], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_cannot_be_is_refused(pairs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot create the folder"):
        cross_validate(noisy, pairs, 2, [0], tmp_path / "file")


def test_a_job_file_holds_its_time_and_fingerprint(pairs, tmp_path):
    cross_validate(noisy, pairs, 2, [0], tmp_path)
    result = json.loads((tmp_path / "seed0-fold1.json").read_text())
    assert result["seconds"] >= 0
    assert len(result["fingerprint"]) == 16


def test_another_models_files_are_refused(pairs, tmp_path):
    cross_validate(noisy, pairs, 2, [0], tmp_path)
    with pytest.raises(DataError, match="other data, folds or configuration"):
        cross_validate(linear_svm, pairs, 2, [0], tmp_path)


def test_a_function_that_was_changed_is_another_model(pairs, tmp_path):
    answers = {"first": "0.2, 0.3, 0.5", "second": "0.5, 0.3, 0.2"}
    functions = []
    for name, row in answers.items():
        file = tmp_path / f"{name}.py"
        file.write_text(
            f"import numpy as np\ndef fit(train, test, seed):\n    return np.tile([{row}], (len(test), 1))\n"
        )
        names = {}
        exec(compile(file.read_text(), file, "exec"), names)
        functions.append(names["fit"])
    first, second = functions
    assert first.__qualname__ == second.__qualname__
    cross_validate(first, pairs, 2, [0], tmp_path / "out")
    cross_validate(first, pairs, 2, [0], tmp_path / "out")
    with pytest.raises(DataError, match="another model"):
        cross_validate(second, pairs, 2, [0], tmp_path / "out")


def scaled(train, test, seed, power):
    values = noisy(train, test, seed) ** power
    return values / values.sum(1, keepdims=True)


def test_a_partial_is_known_by_what_it_was_given(pairs, tmp_path):
    cross_validate(functools.partial(scaled, power=1), pairs, 2, [0], tmp_path)
    cross_validate(functools.partial(scaled, power=1), pairs, 2, [0], tmp_path)
    with pytest.raises(DataError, match="another model"):
        cross_validate(functools.partial(scaled, power=2), pairs, 2, [0], tmp_path)


def test_no_sample_is_pooled_twice(pairs, tmp_path):
    assert len(cross_validate(noisy, pairs, 2, [0, 0], tmp_path / "seeds")) == COUNT
    folds = [fold for seed in (0, 1) for fold in grouped_kfold(pairs.subjects, pairs.labels, 2, seed)]
    with pytest.raises(DataError, match="is tested in 2 folds"):
        cross_validate(noisy, pairs, folds, [0], tmp_path / "folds")


@pytest.mark.parametrize(("free", "expected"), [(80, 4), (3, 2), (0.5, 1)])
def test_on_a_gpu_as_many_folds_run_side_by_side_as_fit(pairs, tmp_path, monkeypatch, free, expected):
    gib = 2**30
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (int(free * gib), int(80 * gib)))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda: int(0.6 * gib))
    asked = []
    original = protocol.parallel_config
    monkeypatch.setattr(
        protocol, "parallel_config", lambda backend, n_jobs: asked.append(n_jobs) or original(backend, n_jobs=1)
    )
    table = cross_validate(noisy, pairs, 4, [0], tmp_path / "gpu", n_jobs=4)
    assert asked == [4, 1, expected]  # what folds share; the first fold alone; the others
    monkeypatch.undo()
    here = cross_validate(noisy, pairs, 4, [0], tmp_path / "cpu")
    pd.testing.assert_frame_equal(table.drop(columns="seconds"), here.drop(columns="seconds"))


def test_the_part_of_a_sample_is_told(pairs, tmp_path):
    parts = concatenate({"train": pairs.subset(pairs.subjects < "s4"), "test": pairs.subset(pairs.subjects >= "s4")})
    table = cross_validate(noisy, parts, holdout(parts.manifest["part"], "train"), [0, 1], tmp_path)
    assert set(table["part"]) == {"test"} and len(table) == 2 * (pairs.subjects >= "s4").sum()


def test_a_fold_with_other_probabilities_runs_again(pairs, tmp_path):
    before = cross_validate(noisy, pairs, 2, [0], tmp_path)
    file = tmp_path / "seed0-fold1.json"
    whole = file.read_text()
    first = json.loads(whole)["probabilities"][0][0]
    for damaged in (whole.replace(str(first), str(first + 0.001), 1), whole.replace('"fold": 1', '"fold": 9'), "[1]"):
        file.write_text(damaged)
        with pytest.warns(UserWarning, match="will run again"):
            after = cross_validate(noisy, pairs, 2, [0], tmp_path)
        pd.testing.assert_frame_equal(before.drop(columns="seconds"), after.drop(columns="seconds"))
    earlier = json.loads(whole)
    del earlier["digest"]
    file.write_text(json.dumps(earlier))
    pd.testing.assert_frame_equal(cross_validate(noisy, pairs, 2, [0], tmp_path), before)
