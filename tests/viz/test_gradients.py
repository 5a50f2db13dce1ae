"""Figures of losses that pull at the same weights."""

import numpy as np
import pytest

from lfdtcmen import DataError, viz
from tests.viz.figures import RNG, check_figure

PULLS = np.array([[3.0, 0.0], [1.0, 2.0], [-1.0, 0.5]])


def parts(batches: int = 8) -> np.ndarray:
    gradients = RNG.normal(size=(batches, 3, 50)) + np.array([[[2.0], [0.0], [-0.5]]])
    products = gradients @ gradients.transpose(0, 2, 1)
    return products / products.sum((1, 2), keepdims=True)


def test_projections_name_each_share_and_end_on_the_sum():
    figure = viz.projections(PULLS, "ABC")
    check_figure(figure, 1, 0, "change of the first weight")
    labels = [text.get_text() for text in figure.legends[0].texts]
    total = PULLS.sum(0)
    assert labels[1:] == [
        f"{name}: share {g @ total / (total @ total):+.2f}" for name, g in zip("ABC", PULLS, strict=True)
    ]
    feet = np.array([line.get_xydata()[0] for line in figure.axes[0].lines if line.get_marker() == "o"])
    np.testing.assert_allclose(feet.sum(0), total)  # the shares add up to 1
    np.testing.assert_allclose(feet @ [-total[1], total[0]], 0, atol=1e-12)


def test_gradient_shares_show_means_and_what_is_sure():
    given = parts()
    figure = viz.gradient_shares(given, "ABC")
    check_figure(figure, 2, 1, "part of two losses (%)")
    texts = figure.axes[0].texts
    assert [float(text.get_text()) for text in texts] == [*(100 * given.mean(0)).round(1).ravel() + 0.0]
    assert texts[0].get_weight() == "bold" and texts[2].get_weight() == "bold"  # A works against C in each batch
    mixed = given.copy()
    mixed[::2, 0, 1], mixed[1::2, 0, 1] = 0.1, -0.1
    unsure = viz.gradient_shares(mixed, "ABC").axes[0].texts[1]
    assert unsure.get_weight() == "normal" and unsure.get_color() == "grey"


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.projections(PULLS, "AB"),
        lambda: viz.projections(np.array([[1.0, 0.0], [-1.0, 0.0]]), "AB"),
        lambda: viz.gradient_shares(parts(), "AB"),
        lambda: viz.gradient_shares(parts(5), "ABC"),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(DataError):
        call()
