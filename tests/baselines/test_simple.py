"""Baselines find a class that shows in their input, and stay at chance level where it does not show."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.baselines.simple import (
    action_units,
    apex_svm,
    choose_strength,
    difference_svm,
    linear_svm,
    logistic_regression,
    majority,
)
from lfdtcmen.datasets.pairs import PairSet

BASELINES = (majority, logistic_regression, linear_svm, apex_svm, difference_svm, action_units)


@pytest.fixture(scope="module")
def sides():
    """Return train and test pairs; the class shows in streams and action units, not in the frames."""
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 120, p=[0.5, 0.3, 0.2])
    frames = rng.integers(0, 255, (120, 64, 64, 3), dtype=np.uint8)
    pairs = PairSet(
        manifest=pd.DataFrame({"subject": [f"s{i}" for i in range(120)]}),
        onset=frames[::-1],
        apex=frames,
        labels=labels,
        label_names=("negative", "positive", "surprise"),
        streams=(rng.normal(0, 1, (120, 3, 28, 28)) + rng.normal(0, 1, (3, 3, 28, 28))[labels]).astype(np.float32),
        action_units=(np.eye(5)[labels][:, :, None] * rng.uniform(0.2, 1, (120, 5, 2))).astype(np.float32),
    )
    return pairs.subset(np.arange(80)), pairs.subset(np.arange(80, 120))


@pytest.fixture(scope="module")
def answers(sides):
    """The probabilities that each baseline gives for the test pairs, by its name."""
    return {baseline.name: baseline(*sides, 0) for baseline in BASELINES}


@pytest.mark.parametrize("baseline", BASELINES)
def test_probabilities_add_up_to_1_and_are_the_same_for_a_seed(sides, answers, baseline):
    probabilities = answers[baseline.name]
    assert probabilities.shape == (40, 3)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert probabilities.min() >= 0
    np.testing.assert_array_equal(baseline(*sides, 0), probabilities)


@pytest.mark.parametrize("baseline", BASELINES)
def test_the_test_labels_have_no_effect(sides, answers, baseline):
    train, test = sides
    hidden = dataclasses.replace(test, labels=np.zeros_like(test.labels))
    np.testing.assert_array_equal(baseline(train, hidden, 0), answers[baseline.name])


def test_each_finds_a_class_that_shows_in_its_input(sides, answers):
    test = sides[1]
    accuracy = {name: (answer.argmax(1) == test.labels).mean() for name, answer in answers.items()}
    assert accuracy["linear-svm"] > 0.95
    assert accuracy["logistic-regression"] > 0.95
    assert accuracy["action-units"] > 0.95
    assert accuracy["apex-svm"] < 0.7
    assert accuracy["difference-svm"] < 0.7
    assert accuracy["majority"] == (test.labels == 0).mean()


def test_a_class_without_training_samples_gets_nothing(sides):
    train, test = sides
    for baseline in BASELINES[1:]:
        probabilities = baseline(train.subset(train.labels != 1), test, 0)
        assert probabilities.shape == (40, 3)
        assert probabilities[:, 1].max() == 0
        np.testing.assert_allclose(probabilities.sum(1), 1)


@pytest.mark.parametrize("baseline", BASELINES)
def test_a_baseline_is_a_model_that_processes_can_be_sent(sides, answers, baseline):
    sent = pickle.loads(pickle.dumps(baseline))
    assert sent == baseline and sent.settings == {"model": baseline.name}
    assert sent.prepare(sides[0], [], [0], jobs=1) is None
    np.testing.assert_array_equal(sent(*sides, 0), answers[baseline.name])


@pytest.mark.parametrize("baseline", [logistic_regression, linear_svm])
def test_what_never_moves_is_not_blown_up(sides, baseline):
    still = np.zeros((1, 3, 28, 28), np.float32)
    still[:, :, 10:18] = 1  # the class shows in 8 of 28 rows; the others hold a thousandth of their noise
    train, test = (
        dataclasses.replace(s, streams=(s.streams * np.maximum(still, 1e-3)).astype(np.float32)) for s in sides
    )
    alone = tuple(dataclasses.replace(s, streams=s.streams * still) for s in (train, test))
    assert np.abs(baseline(train, test, 0) - baseline(*alone, 0)).max() < 0.05


class Classifier:
    """Right with a strength of 0.3 only; features are the subject's number and the label."""

    def __init__(self, strength, seed):
        self.strength = strength

    def fit(self, features, labels, sample_weight):
        self.known = set(features[:, 0])
        return self

    def predict(self, features):
        assert not self.known & set(features[:, 0]) and self.known
        return (features[:, 1] if self.strength == 0.3 else 0 * features[:, 1]).astype(int)


def test_the_regularisation_is_chosen_on_training_subjects_that_were_held_out():
    labels, subjects = np.arange(60) % 3, np.arange(60) // 6
    features = np.stack([subjects, labels], 1)
    assert choose_strength(Classifier, (0.1, 0.3, 0.5), features, labels, subjects, np.ones(60), 0) == 0.3


def test_too_few_subjects_to_hold_out_are_no_error(sides):
    train, test = sides
    one = dataclasses.replace(train, manifest=train.manifest.assign(subject="s0"))
    assert logistic_regression(one, test, 0).shape == (40, 3)
    two = train.subset([*np.flatnonzero(train.labels == 0)[:1], *np.flatnonzero(train.labels == 1)[:1]])
    assert linear_svm(two, test, 0)[:, 2].max() == 0


def test_settings_differ_between_baselines():
    assert len({str(baseline.settings) for baseline in BASELINES}) == len(BASELINES)


def test_missing_input_is_refused(sides):
    train, test = (dataclasses.replace(s, streams=None, action_units=None) for s in sides)
    with pytest.raises(DataError, match="prepare_pairs first"):
        linear_svm(train, test, 0)
    with pytest.raises(DataError, match="prepare_pairs first"):
        logistic_regression(train, test, 0)
    with pytest.raises(DataError, match="use the synthetic faces"):
        action_units(train, test, 0)
