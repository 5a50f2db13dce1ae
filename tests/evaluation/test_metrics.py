"""UF1 and UAR are scikit-learn's; intervals are over subjects and cover what they should."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, recall_score

from lfdtcmen import DataError
from lfdtcmen.evaluation.metrics import (
    bootstrap_interval,
    confusion,
    paired_difference,
    permutation_test,
    uar,
    uf1,
)

CLASSES = st.integers(1, 7)


@st.composite
def predictions(draw):
    """Draw C and two lists of classes in which some may be absent from either."""
    num_classes = draw(CLASSES)
    one = st.integers(0, num_classes - 1)
    pairs = draw(st.lists(st.tuples(one, one), min_size=1, max_size=40))
    return num_classes, np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(predictions())
def test_scores_are_those_of_scikit_learn_with_absent_classes_too(drawn):
    num_classes, truth, predicted = drawn
    labels = range(num_classes)
    f1 = f1_score(truth, predicted, labels=labels, average="macro", zero_division=0)
    recall = recall_score(truth, predicted, labels=labels, average="macro", zero_division=0)
    assert uf1(truth, predicted, num_classes) == pytest.approx(f1, abs=1e-12)
    assert uar(truth, predicted, num_classes) == pytest.approx(recall, abs=1e-12)
    np.testing.assert_array_equal(
        confusion(truth, predicted, num_classes), confusion_matrix(truth, predicted, labels=labels)
    )


def some_predictions(accuracy=0.7, people=40, each=7, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, people * each)
    predicted = np.where(rng.random(len(truth)) < accuracy, truth, rng.integers(0, 3, len(truth)))
    return truth, predicted, np.repeat(np.arange(people), each)


@pytest.mark.parametrize(("metric", "score"), [("uf1", uf1), ("uar", uar)])
def test_the_interval_is_that_of_a_plain_loop_over_drawn_subjects(metric, score):
    truth, predicted, subjects = some_predictions()
    low, high = bootstrap_interval(truth, predicted, subjects, metric, 3, repeats=2000)
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(2000):
        rows = np.concatenate([np.flatnonzero(subjects == s) for s in rng.integers(0, 40, 40)])
        drawn.append(score(truth[rows], predicted[rows], 3))
    np.testing.assert_allclose([low, high], np.quantile(drawn, [0.025, 0.975]), atol=0.01)
    assert low < score(truth, predicted, 3) < high


def test_samples_that_repeat_within_a_subject_do_not_narrow_the_interval():
    truth, predicted, subjects = some_predictions()
    low, high = bootstrap_interval(truth, predicted, subjects, "uf1", 3)
    thrice = [np.repeat(a, 3) for a in (truth, predicted, subjects)]
    np.testing.assert_allclose(bootstrap_interval(*thrice, "uf1", 3), [low, high], atol=1e-12)


def test_a_thousand_draws_take_no_time():
    truth, predicted, subjects = some_predictions(people=100)
    start = time.perf_counter()
    bootstrap_interval(truth, predicted, subjects, "uf1", 3)
    assert time.perf_counter() - start < 0.5


def test_a_paired_difference_is_surer_than_two_intervals():
    truth, theirs, subjects = some_predictions(0.6)
    better = np.where(np.random.default_rng(3).random(len(truth)) < 0.15, truth, theirs)
    difference, low, high = paired_difference(truth, better, theirs, subjects, "uf1", 3)
    assert difference == pytest.approx(uf1(truth, better, 3) - uf1(truth, theirs, 3))
    assert 0 < low < difference < high
    own_low, own_high = bootstrap_interval(truth, better, subjects, "uf1", 3)
    assert high - low < own_high - own_low
    assert paired_difference(truth, theirs, theirs, subjects, "uar", 3) == (0, 0, 0)


def test_several_runs_are_averaged():
    truth, first, subjects = some_predictions(0.5, seed=0)
    second = np.zeros_like(first)
    runs = np.stack([first, second])
    low, high = bootstrap_interval(truth, runs, subjects, "uar", 3)
    assert low < (uar(truth, first, 3) + uar(truth, second, 3)) / 2 < high


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([0, 1], [0], "equally long"),
        ([], [], "equally long"),
        ([0, 3], [0, 1], "y_true"),
        ([0, 1], [0, -1], "y_pred"),
        ([0, 1], [0.2, 0.8], "argmax"),
    ],
)
def test_what_are_no_classes_is_refused(truth, predicted, message):
    for score in (uf1, uar):
        with pytest.raises(DataError, match=message):
            score(truth, predicted, 3)


def test_an_unknown_metric_is_refused():
    with pytest.raises(DataError, match="use one of uf1, uar"):
        bootstrap_interval([0, 1], [0, 1], ["a", "b"], "accuracy", 2)


def test_the_permutation_test_is_that_of_a_plain_loop_over_exchanged_subjects():
    truth, theirs, subjects = some_predictions(0.6, people=12, each=4)
    ours = np.where(np.random.default_rng(3).random(len(truth)) < 0.1, truth, theirs)
    p = permutation_test(truth, ours, theirs, subjects, "uf1", 3, repeats=3000)
    rng, found = np.random.default_rng(1), uf1(truth, ours, 3) - uf1(truth, theirs, 3)
    drawn = []
    for _ in range(3000):
        exchange = rng.integers(0, 2, 12)[subjects] == 1
        a, b = np.where(exchange, theirs, ours), np.where(exchange, ours, theirs)
        drawn.append(uf1(truth, a, 3) - uf1(truth, b, 3))
    assert p == pytest.approx(np.mean(np.abs(drawn) >= abs(found) - 1e-12), abs=0.03)


def test_p_is_small_for_a_better_model_one_for_the_same_and_uniform_under_chance():
    truth, theirs, subjects = some_predictions(0.5)
    better = np.where(np.random.default_rng(3).random(len(truth)) < 0.3, truth, theirs)
    assert permutation_test(truth, better, theirs, subjects, "uar", 3) < 0.01
    assert permutation_test(truth, theirs, theirs, subjects, "uar", 3) == 1
    ps = []
    for seed in range(200):
        models = [some_predictions(0.5, people=15, each=5, seed=1000 * k + seed)[1] for k in (1, 2)]
        truth, _, subjects = some_predictions(0.5, people=15, each=5, seed=7)
        ps.append(permutation_test(truth, *models, subjects, "uf1", 3, repeats=200, seed=seed))
    assert np.mean(np.array(ps) < 0.1) == pytest.approx(0.1, abs=0.065)  # three standard errors


def test_a_permutation_needs_as_many_runs_on_either_side():
    truth, called, subjects = some_predictions()
    with pytest.raises(DataError, match="the models have 2 and 1 runs"):
        permutation_test(truth, np.stack([called, called]), called, subjects, "uf1", 3)


@pytest.mark.parametrize("people", [1, 2, 5])
def test_few_subjects_have_a_score_but_no_interval_and_no_p(people):
    truth = np.tile([0, 1, 2], people)
    subjects = np.repeat(np.arange(people), 3)
    assert np.isnan(bootstrap_interval(truth, truth, subjects, "uf1", 3)).all()
    difference, low, high = paired_difference(truth, truth, np.zeros_like(truth), subjects, "uf1", 3)
    assert difference > 0 and np.isnan([low, high]).all()
    assert np.isnan(permutation_test(truth, truth, np.zeros_like(truth), subjects, "uf1", 3))
