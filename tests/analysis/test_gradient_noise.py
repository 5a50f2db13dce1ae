"""The jackknife's interval is the t interval where that is known: of a mean."""

import numpy as np
import pytest
from scipy import stats

from lfdtcmen.analysis.gradient_noise import jackknife


def test_of_a_mean_the_interval_is_that_of_students_t():
    lengths = np.random.default_rng(0).normal(5, 2, 12)
    products = np.zeros((12, 1, 12, 1))
    products[range(12), 0, range(12), 0] = lengths
    value, margin = jackknife(products, lambda p: np.einsum("kiki->", p) / len(p))
    low, high = stats.t.interval(0.95, 11, lengths.mean(), stats.sem(lengths))
    assert (value - margin, value + margin) == pytest.approx((low, high))
