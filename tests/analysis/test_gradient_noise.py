"""The jackknife's interval is the t interval where that is known: of a mean."""

import numpy as np
import pytest
from scipy import stats

from lfdtcmen.analysis.gradient_noise import common_part, jackknife


def test_of_a_mean_the_interval_is_that_of_students_t():
    lengths = np.random.default_rng(0).normal(5, 2, 12)
    products = np.zeros((12, 1, 12, 1))
    products[range(12), 0, range(12), 0] = lengths
    value, margin = jackknife(products, lambda p: np.einsum("kiki->", p) / len(p))
    low, high = stats.t.interval(0.95, 11, lengths.mean(), stats.sem(lengths))
    assert (value - margin, value + margin) == pytest.approx((low, high))


def test_the_common_part_is_that_of_the_mean_gradient():
    rng = np.random.default_rng(0)
    mean = np.stack([np.full(400, 0.5), np.zeros(400)])  # the second loss has noise alone
    gradients = (mean + rng.normal(0, 1, (40, 2, 400))).reshape(80, 400)
    part, margin = common_part((gradients @ gradients.T).reshape(40, 2, 40, 2))
    assert part == pytest.approx([0.25 / 1.25, 0], abs=0.02)
    assert abs(part[1]) < margin[1] < part[0] - margin[0]
