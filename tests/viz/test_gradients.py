"""Figures of losses that pull at the same weights."""

import numpy as np
import pytest

from lfdtcmen import DataError, viz
from tests.viz.figures import check_figure

PULLS = np.array([[3.0, 0.0], [1.0, 2.0], [-1.0, 0.5]])


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


def test_a_large_loss_may_be_nothing_of_the_gradient():
    values = np.array([[8.0, 1.0, 1.0], [10.0, 2.0, 0.0]])  # [batches, L]
    shares = np.array([[0.0, 1.3, -0.3], [0.0, 0.7, 0.3], [0.1, 0.6, 0.3]])
    figure = viz.sum_and_gradient(np.vstack([values, [[0.0, 3.0, 0.0]]]), shares, "ABC")
    check_figure(figure, 2, 0, "share of the sum")
    left, right = figure.axes
    np.testing.assert_allclose([bar.get_width() for bar in left.patches], [72, 24, 4])  # of 25 in all batches
    assert [text.get_text() for text in left.texts] == ["72 %", "24 %", "4 %"]
    *batches, medians, _ = right.lines
    assert {tuple(line.get_ydata()) for line in batches} == {(0, 1, 2)} and len(batches) == len(shares)
    np.testing.assert_allclose([line.get_xdata() for line in batches], 100 * shares)
    np.testing.assert_allclose(medians.get_xdata(), [0, 70, 30])
    assert left.yaxis_inverted() and [label.get_text() for label in left.get_yticklabels()] == list("ABC")


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.projections(PULLS, "AB"),
        lambda: viz.projections(np.array([[1.0, 0.0], [-1.0, 0.0]]), "AB"),
        lambda: viz.sum_and_gradient(np.ones((4, 3)), np.ones((4, 3)), "AB"),
        lambda: viz.sum_and_gradient(np.ones((4, 3)), np.ones((3, 3)), "ABC"),
        lambda: viz.sum_and_gradient(np.zeros((4, 3)), np.ones((4, 3)), "ABC"),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(DataError):
        call()
