"""The bootstrap, the permutation test and Holm's correction do what a plain computation does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfdtcmen import DataError
from lfdtcmen.evaluation.intervals import (
    LEAST_SUBJECTS,
    crossed_measure,
    describe_interval,
    exchange_test,
    holm,
    interval,
    measure,
    power,
    ratio,
    resample,
    resample_crossed,
    subjects_needed,
    sum_by_group,
)

P_VALUES = st.lists(st.floats(0, 1), max_size=20)


def test_a_resample_has_as_many_groups_as_there_are_and_depends_on_the_seed_alone():
    weights = resample(7, 50, seed=3)
    assert weights.shape == (50, 7) and (weights.sum(1) == 7).all()
    np.testing.assert_array_equal(weights, resample(7, 50, seed=3))
    assert not np.array_equal(weights, resample(7, 50, seed=4))
    with pytest.raises(ValueError):  # others are given the same array
        weights[0] = 0


def test_an_interval_leaves_out_the_tails_and_what_is_no_number():
    values = np.append(np.arange(1001.0), np.nan)
    assert interval(values, 20) == (25, 975)
    assert interval(values, 20, 0.25) == (250, 750)


def test_a_measure_is_the_statistic_of_sums_and_its_interval_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    groups = np.repeat(["b", "a", "c", "d", "e", "f"], 8)
    values = np.stack([rng.random(48), np.ones(48)], axis=1)
    found = measure("mean", ratio, values, groups, seed=2, reference=0.5, target="< 1")
    assert found.value == pytest.approx(values[:, 0].mean())
    assert (found.name, found.reference, found.target) == ("mean", 0.5, "< 1")
    names = np.unique(groups)
    means = [
        np.concatenate(
            [np.tile(values[groups == name, 0], times) for name, times in zip(names, row, strict=True)]
        ).mean()
        for row in resample(6, 1000, seed=2)
    ]
    np.testing.assert_allclose([found.low, found.high], np.quantile(means, [0.025, 0.975]))
    np.testing.assert_allclose(sum_by_group(values, groups)[0], values[groups == "a"].sum(0))


def test_fewer_subjects_than_the_least_have_no_interval_and_no_p():
    rng = np.random.default_rng(0)
    for people in (1, 2, 5, 6):
        values = np.stack([rng.random(people), np.ones(people)], axis=1)
        found = measure("mean", ratio, values, np.arange(people))
        p = exchange_test(values[None], values[None, ::-1], lambda s: ratio(s).mean(0))
        assert np.isfinite(found.value) and np.isfinite([found.low, found.high, p]).all() == (people >= LEAST_SUBJECTS)


def test_the_least_number_of_subjects_is_the_first_that_can_reach_95_percent():
    """The range of n subjects holds the median with probability 1 - 2^(1-n); an exact exchange has p 2^(1-n)."""
    assert 1 - 2.0 ** (1 - LEAST_SUBJECTS) >= 0.95 > 1 - 2.0 ** (2 - LEAST_SUBJECTS)


def test_an_interval_as_text_is_a_sentence_where_there_is_none():
    assert describe_interval(-0.1, 0.25, "+.2f", "95 %: ") == "95 %: -0.10 to +0.25"
    for low in (None, float("nan")):
        assert describe_interval(low, low, name="95 %: ") == "no interval: fewer than 6 subjects"


def test_an_exchange_needs_as_many_runs_on_either_side():
    sums = np.ones((2, 6, 2))
    with pytest.raises(DataError, match="the models have 2 and 1 runs"):
        exchange_test(sums, sums[:1], lambda s: ratio(s).mean(0))
    assert exchange_test(sums, sums, lambda s: ratio(s).mean(0)) == 1


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
        ([0.04, 0.001, 0.03, 0.012], [0.06, 0.004, 0.06, 0.036]),
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.02], [0.02]),
        ([], []),
    ],
)
def test_holm_on_examples_whose_answer_is_known(p_values, adjusted):
    np.testing.assert_allclose(holm(np.array(p_values)), adjusted)


@given(P_VALUES)
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(p_values):
    p = np.array(p_values)
    adjusted = holm(p)
    assert (adjusted >= p).all() and (adjusted <= np.minimum(1, len(p) * p) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@given(P_VALUES, st.floats(0.001, 0.5))
def test_holm_finds_what_its_step_by_step_rule_finds(p_values, level):
    found = (
        0  # compare the smallest with level / N, the next with level / (N - 1), and so on; stop at the first failure
    )
    for k, p in enumerate(sorted(p_values)):
        if p * (len(p_values) - k) > level:
            break
        found += 1
    assert (holm(np.array(p_values)) <= level).sum() == found


@pytest.mark.parametrize("p_values", [[0.1, 1.2], [-0.1], [np.nan], [[0.1]]])
def test_what_is_no_p_value_is_refused(p_values):
    with pytest.raises(DataError, match="from 0 to 1"):
        holm(np.array(p_values))


def test_crossed_resamples_choose_each_factor_on_its_own():
    first, second, fixed = resample_crossed((7, 7, 1), repeats=500, seed=3)
    assert first.shape == second.shape == (500, 7) and (first.sum(1) == 7).all() and (second.sum(1) == 7).all()
    assert (fixed == 1).all()
    assert abs(np.corrcoef(first[:, 0], second[:, 0])[0, 1]) < 0.15  # not the same people twice


def test_a_crossed_measure_is_that_of_all_cells_and_covers_every_factor():
    rng = np.random.default_rng(0)
    cells = rng.standard_normal((9, 1, 1)) + rng.standard_normal((1, 8, 1)) + rng.standard_normal((1, 1, 7))
    values = np.stack([cells, np.ones_like(cells)], axis=3)  # [9, 8, 7, 2]
    found = crossed_measure("mean", ratio, values, seed=1)
    assert found.value == pytest.approx(cells.mean())
    # of a sum of independent effects the variances add up
    spread = np.sqrt(sum(cells.mean(tuple({0, 1, 2} - {axis})).var() / cells.shape[axis] for axis in range(3)))
    assert found.high - found.low == pytest.approx(2 * 1.96 * spread, rel=0.12)
    of_one = crossed_measure("mean", ratio, values.mean((1, 2), keepdims=True), seed=1)
    assert of_one.high - of_one.low < 0.8 * (found.high - found.low)


def test_a_crossed_measure_of_one_factor_is_the_bootstrap_over_its_levels():
    rng = np.random.default_rng(1)
    values = rng.random((10, 2)) + 1
    crossed = crossed_measure("share", ratio, values[:, None, None], seed=2)
    plain = measure("share", ratio, values, np.arange(10), seed=2)
    assert (crossed.value, crossed.low, crossed.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_a_crossed_measure_has_no_interval_where_one_factor_has_few_levels():
    values = np.random.default_rng(0).random((9, 5, 1, 2))
    found = crossed_measure("share", ratio, values)
    assert np.isnan([found.low, found.high]).all() and np.isfinite(found.value)
    assert crossed_measure("share", ratio, values[:, :1]).low > 0


@pytest.mark.parametrize(
    ("effect", "half_width"), [(0.02, 0.02), (0.02, 0.014), (0.01, 0.02), (-0.03, 0.01), (0.0, 1.0)]
)
def test_power_is_how_often_a_simulated_interval_excludes_zero(effect, half_width):
    estimates = np.random.default_rng(0).normal(effect, half_width / 1.96, 100_000)
    assert abs((np.abs(estimates) > half_width).mean() - power(effect, half_width)) < 0.005


def test_an_interval_as_wide_as_the_effect_has_a_power_of_a_half_and_needs_twice_the_subjects_for_80_percent():
    assert power(0.0058, 0.0058) == pytest.approx(0.5, abs=1e-4)
    assert subjects_needed(0.0058, 0.030, 100, wanted=0.5) == 2676
    assert subjects_needed(0.0058, 0.030, 100) == 5467
    for wanted in (0.5, 0.8, 0.95):
        enough = subjects_needed(0.02, 0.05, 60, wanted)
        reached = [power(0.02, 0.05 * (60 / n) ** 0.5) for n in (enough - 1, enough)]
        assert reached[0] < wanted + 1e-6 <= reached[1] + 2e-6


def test_power_without_an_interval_and_subjects_for_no_effect_are_refused():
    with pytest.raises(DataError, match="half-width of 0"):
        power(0.1, 0)
    with pytest.raises(DataError, match="effect of 0"):
        subjects_needed(0, 0.1, 10)
