"""A planted leak is refused; the package's own models and data pass."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from lfdtcmen import DataError, load_config
from lfdtcmen.baselines import simple
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import group_subjects, grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.evaluation.audit import MIN_SAMPLES, audit_fit_predict, check_label_leak
from lfdtcmen.training import LFDTCMENClassifier
from tests.training.helpers import make_pairs, smaller

CONFIG = load_config("smoke", epochs=(1, 1, 1), perceptual_weight=0.0)


@pytest.fixture(scope="module")
def pairs():
    return prepare_pairs(make_dataset("easy", "3class", subjects=8, seed=5))


def split_of(pairs: PairSet) -> tuple[PairSet, PairSet]:
    train, test = next(iter(grouped_kfold(pairs.subjects, pairs.labels, 3)))
    return pairs.subset(train), pairs.subset(test)


@pytest.fixture(scope="module")
def split(pairs):
    return split_of(pairs)


def own_models(pairs: PairSet) -> dict[str, Callable]:
    flow = replace(CONFIG, drl=None, motion=None)
    groups = group_subjects(pairs.subjects, pairs.labels, 3)
    return {
        "majority": simple.majority,
        "logistic_regression": simple.logistic_regression,
        "linear_svm": simple.linear_svm,
        "difference_svm": simple.difference_svm,
        "apex_svm": simple.apex_svm,
        "action_units": simple.action_units,
        "flow branch": LFDTCMENClassifier(flow),
        "flow branch, validation": LFDTCMENClassifier(flow, validation=0.3),
        "flow branch, balanced": LFDTCMENClassifier(replace(flow, imbalance="balanced_sampling"), method=EXTENDED),
        "full, shared stage 1": LFDTCMENClassifier(CONFIG, stage1_groups=groups),
    }


@pytest.mark.parametrize("name", own_models(make_pairs(24, subjects=8)))
def test_no_model_of_ours_looks_at_the_test_set(pairs, name):
    if name.startswith("full"):
        pairs = smaller(pairs)
    model = own_models(pairs)[name]
    model.prepare(pairs, [next(iter(grouped_kfold(pairs.subjects, pairs.labels, 3)))], [0], 1)
    assert audit_fit_predict(model, *split_of(pairs)) is None  # a leak raises a DataError


def normalises_over_all(train, test, seed):
    """Standardise with constants of training and test samples together."""
    values = [p.streams.reshape(len(p), -1) for p in (train, test)]
    together = np.concatenate(values)
    known, asked = ((v - together.mean(0)) / (together.std(0) + 1e-6) for v in values)
    model = LinearSVC(C=1e-3, random_state=0).fit(known, train.labels)
    scores = np.exp(model.decision_function(asked))
    return scores / scores.sum(1, keepdims=True)


def peeks(train, test, seed):
    """Mix a little of the truth into the answer."""
    answer = simple.linear_svm(train, test, seed)
    return 0.9 * answer + 0.1 * np.eye(test.num_classes)[test.labels]


@pytest.mark.parametrize(
    ("leak", "message"),
    [(normalises_over_all, "which other samples are tested"), (peeks, "the labels of the test set")],
)
def test_a_planted_leak_in_a_model_is_refused(split, leak, message):
    with pytest.raises(DataError, match=f"depend on {message}"):
        audit_fit_predict(leak, *split)


def test_preparation_takes_no_constant_from_other_pairs(monkeypatch, tmp_path):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path))
    rendered = make_dataset("standard", "3class", subjects=2, seed=8).subset(range(6))
    whole, part = prepare_pairs(rendered), prepare_pairs(rendered.subset([3, 0]))
    np.testing.assert_array_equal(part.streams, whole.streams[[3, 0]])
    np.testing.assert_array_equal(part.apex, whole.apex[[3, 0]])


def test_a_label_in_the_flow_or_in_a_frame_is_refused(pairs):
    check_label_leak(pairs)
    streams = pairs.streams.copy()
    streams[:, 2, 7, 9] += 3.0 * (pairs.labels == 0)
    with pytest.raises(DataError, match=r"streams, at \(2, 7, 9\), predicts 'negative'"):
        check_label_leak(replace(pairs, streams=streams))
    apex = pairs.apex.copy()
    apex[:, 120:, 120:] = (40 * pairs.labels)[:, None, None, None]
    with pytest.raises(DataError, match="one value of apex"):
        check_label_leak(replace(pairs, apex=apex))


def test_a_class_of_a_few_samples_is_no_leak(pairs):
    few = pairs.subset(np.arange(12))
    streams = few.streams.copy()
    streams[:, 2, 7, 9] += 3.0 * (few.labels == 0)  # which the test above sees refused in many samples
    assert len(few) < MIN_SAMPLES
    assert check_label_leak(replace(few, streams=streams)) is None


def test_a_single_test_sample_cannot_be_audited(split):
    with pytest.raises(DataError, match="two or more"):
        audit_fit_predict(simple.majority, split[0], split[1].subset([0]))
