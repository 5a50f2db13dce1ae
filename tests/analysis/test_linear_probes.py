"""The probe in one matrix is ridge regression; what holds the answer is read, and what does not is not."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from lfdtcmen import DataError
from lfdtcmen.analysis import linear_probes
from lfdtcmen.evaluation.results import COLUMNS
from tests.analysis.test_attribution import pairs_of

RNG = np.random.default_rng(0)


def test_the_hat_matrix_predicts_as_scikit_learns_ridge_does():
    features, values = RNG.normal(size=(30, 7)) + 5, RNG.normal(size=(30, 2))
    train, test = np.arange(20), np.arange(20, 30)
    hat = linear_probes.hat_matrix(features, [(train, test)], strength=0.5)
    assert not hat[:20].any() and not hat[:, 20:].any()
    size = ((features[train] - features[train].mean(0)) ** 2).sum(1).mean()
    ridge = Ridge(alpha=0.5 * size).fit(features[train], values[train])
    predicted = linear_probes.predict_values(hat, values, [(train, test)])
    np.testing.assert_allclose(predicted[test], ridge.predict(features[test]))


def test_features_that_cannot_be_probed_are_refused():
    folds = [(np.arange(3), np.arange(3, 5))]
    with pytest.raises(DataError, match="not finite"):
        linear_probes.hat_matrix(np.full((5, 2), np.nan), folds)
    with pytest.raises(DataError, match="the same"):
        linear_probes.hat_matrix(np.ones((5, 2)), folds)


def test_a_rare_class_counts_as_much_as_a_frequent_one():
    labels = np.repeat([0, 1], [90, 10])
    features = np.eye(2)[labels] + RNG.normal(scale=0.8, size=(100, 2))
    rows = RNG.permutation(100)
    folds = [(rows[:50], rows[50:]), (rows[50:], rows[:50])]
    predicted = linear_probes.predict_classes(linear_probes.hat_matrix(features, folds), labels, folds)
    assert (predicted[labels == 1] == 1).mean() > 0.5


def pairs_with_units(subjects: int = 12):
    """Clips whose class is that of their number, and whose action units have it."""
    pairs = pairs_of(subjects, clips=6)
    units = np.zeros((len(pairs), 17, 2), np.float32)
    units[np.arange(len(pairs)), pairs.labels] = 1
    return replace(pairs, action_units=units)


def test_a_positive_control_is_read_and_noise_is_not():
    pairs = pairs_with_units()
    what, who = np.eye(3)[pairs.labels], np.eye(12)[pairs.subject_codes]
    features = {"what": what, "who": who, "noise": RNG.normal(size=(len(pairs), 5))}
    table = linear_probes.probe_with_nulls(features, pairs, permutations=50)
    assert tuple(table.columns[:7]) == COLUMNS and len(table) == 9
    found = table.set_index(["part", "metric"])
    assert found.loc[("what", "emotion"), "value"] == 1 and found.loc[("what", "action units"), "value"] > 0.8
    assert found.loc[("who", "subject"), "value"] == 1
    for right in [("what", "emotion"), ("what", "action units"), ("who", "subject")]:
        assert found.loc[right, "p"] == pytest.approx(1 / 51)
    for nothing in [("who", "emotion"), ("noise", "emotion"), ("noise", "subject"), ("what", "subject")]:
        assert found.loc[nothing, "p"] > 0.05
    assert found.loc[("what", "emotion"), "null"] == pytest.approx(1 / 3, abs=0.06)
    assert found.loc[("what", "emotion"), "null high"] < 0.6
    assert (table["low"] <= table["value"]).all() and (table["value"] <= table["high"]).all()


def test_without_action_units_two_questions_are_left():
    pairs = replace(pairs_with_units(), action_units=None)
    table = linear_probes.probe_with_nulls({"noise": RNG.normal(size=(len(pairs), 5))}, pairs, permutations=5)
    assert table["metric"].tolist() == ["subject", "emotion"]
