"""Figures of losses that pull at the same weights."""

import numpy as np
import pytest

from lfdtcmen import DataError, viz
from tests.viz.figures import RNG, check_figure

PULLS = np.array([[3.0, 0.0], [1.0, 2.0], [-1.0, 0.5]])


def products(noise: float, batches: int = 12) -> np.ndarray:
    """Gradients [batches, 3, 2000]: A and B pull the same way in every batch, C is noise that has no direction."""
    common = np.array([[1.0], [0.5], [0.0]]) * RNG.normal(size=2000)
    gradients = common + noise * np.array([[0.0], [0.0], [1.0]]) * RNG.normal(size=(batches, 3, 2000))
    rows = gradients.reshape(batches * 3, -1)
    return (rows @ rows.T).reshape(batches, 3, batches, 3)


def test_projections_name_each_share_and_end_on_the_sum():
    figure = viz.projections(PULLS, "ABC")
    check_figure(figure, 1, 0, "gradient of the first parameter")
    labels = [text.get_text() for text in figure.legends[0].texts]
    total = PULLS.sum(0)
    assert labels[1:] == [
        f"{name}: share {g @ total / (total @ total):+.2f}" for name, g in zip("ABC", PULLS, strict=True)
    ]
    feet = np.array([line.get_xydata()[0] for line in figure.axes[0].lines if line.get_marker() == "o"])
    np.testing.assert_allclose(feet.sum(0), total)  # the shares add up to 1
    np.testing.assert_allclose(feet @ [-total[1], total[0]], 0, atol=1e-12)


def test_gradient_shares_separate_what_batches_have_in_common_from_noise():
    given = products(noise=2.0)
    figure = viz.gradient_shares(given, "ABC")
    check_figure(figure, 2, 1, "% of a squared length")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[:2] == ["1.00", "0.00"] and figure.axes[0].texts[0].get_weight() == "bold"
    assert abs(float(texts[2])) < 0.1 and figure.axes[0].texts[2].get_weight() == "normal"  # A and C: no agreement
    shares, common = (c.lines[0].get_xdata() for c in figure.axes[1].containers)
    assert shares.sum() == pytest.approx(100)
    np.testing.assert_allclose(shares, [1.5 / 6.25 * 100, 0.75 / 6.25 * 100, 4 / 6.25 * 100], rtol=0.15)
    np.testing.assert_allclose(common[:2], 100, rtol=1e-6)
    assert abs(common[2]) < 5  # the noise of different batches has no product


def test_a_loss_without_a_gradient_has_no_share():
    given = products(noise=0.0)
    figure = viz.gradient_shares(given, "ABC")
    assert figure.axes[0].texts[2].get_text() == "0.00"
    assert figure.axes[1].containers[0].lines[0].get_xdata()[2] == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.projections(PULLS, "AB"),
        lambda: viz.projections(np.array([[1.0, 0.0], [-1.0, 0.0]]), "AB"),
        lambda: viz.gradient_shares(products(1.0), "AB"),
        lambda: viz.gradient_shares(products(1.0, 5), "ABC"),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(DataError):
        call()
