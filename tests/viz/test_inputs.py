"""Figures of what goes into the network: nothing is cut off, and rows and columns are what they are called."""

import numpy as np
import pytest

from lfdtcmen import DataError, viz
from tests.viz.figures import FLOW, FRAMES, NAMES, RNG, check_figure, image, titles

STREAMS = RNG.normal(size=(3, 3, 28, 28)).astype(np.float32)
X = np.arange(5.0)


def test_every_figure_has_its_panels_and_is_made_without_pyplot():
    check_figure(viz.constancy_plot(X, X, X + 1, np.array([9.0, 0.4, 0.4, 0.3, 0.4]), 0.4), 2, 0, "brightness")
    check_figure(viz.flow_rows({"exact": FLOW[0], "TV-L1": FLOW[1]}), 8, 6, "TV-L1")
    check_figure(viz.map_row({"one": FLOW[0, 0] ** 2, "two": FLOW[0, 1] ** 2}, "strain"), 3, 2, "two")
    check_figure(viz.stream_sheet(FRAMES, STREAMS, NAMES), 15, 12, "surprise")
    check_figure(viz.point_weights(FRAMES[0], np.ones((5, 2)), {"start": X / 4, "end": X / 5}), 3, 2, "end")


def test_flow_rows_shows_each_flow_on_one_scale_that_cuts_nothing_off():
    axes = viz.flow_rows({"exact": FLOW[0], "TV-L1": 3 * FLOW[1]}).axes
    assert titles(axes[:3]) == ["length", "U (to the right)", "V (down)"]
    np.testing.assert_allclose(image(axes[4]), 3 * FLOW[1, 0], rtol=1e-6)
    largest = max(np.linalg.norm(FLOW[0], axis=0).max(), 3 * np.linalg.norm(FLOW[1], axis=0).max())
    for ax in axes[:6]:
        assert ax.images[0].get_clim()[1] == pytest.approx(largest)
    with pytest.raises(DataError):
        viz.flow_rows({})


def test_streams_have_one_scale_a_column_that_cuts_nothing_off():
    axes = viz.stream_sheet(FRAMES, STREAMS, NAMES).axes
    assert titles(axes[:4]) == ["onset", "U", "V", "strain"]
    for stream in range(3):
        limits = {axes[4 * row + stream + 1].images[0].get_clim()[1] for row in range(3)}
        assert limits == {np.float32(np.abs(STREAMS[:, stream]).max() + 1e-9)}
    with pytest.raises(DataError):
        viz.stream_sheet(FRAMES, STREAMS[:2], NAMES)


def test_where_the_estimate_is_off_the_plot_it_is_marked_and_not_drawn():
    right = viz.constancy_plot(X, X, X, np.array([9.0, 0.4, 0.4, -3.0, np.inf]), 0.4).axes[1]
    assert np.isnan(right.lines[0].get_ydata()).tolist() == [True, False, False, True, True]
    assert len(right.patches) == 3
    assert [text.get_text() for text in right.get_legend().texts] == ["beyond the plot", "true motion"]


def test_weights_lie_at_their_points_on_one_scale_from_0_to_1():
    points = np.stack([X, 2 * X], 1)
    axes = viz.point_weights(FRAMES[0], points, {"start": X / 4, "end": X / 8}).axes
    for ax, weights in zip(axes[:2], (X / 4, X / 8), strict=True):
        squares = ax.collections[0]
        np.testing.assert_allclose(squares.get_offsets(), points)
        np.testing.assert_allclose(squares.get_array(), weights)
        assert squares.get_clim() == (0, 1)
    with pytest.raises(DataError):
        viz.point_weights(FRAMES[0], points, {"start": X[:4]})


def test_maps_share_a_scale_that_ends_at_the_largest_value_or_where_it_is_told():
    maps = {"one": np.full((4, 4), 0.5), "two": np.full((4, 4), 2.0)}
    for limit, end in ((None, 2.0), (0.25, 0.25)):
        assert {ax.images[0].get_clim() for ax in viz.map_row(maps, "strain", limit).axes[:2]} == {(0, end)}
