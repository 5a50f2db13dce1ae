"""Figures of what the network makes of faces: swaps, maps, embeddings."""

import numpy as np
import pytest

from lfdtcmen import DataError, viz
from lfdtcmen.analysis.swaps import Swapped
from tests.viz.figures import FLOW, FLOW_LENGTH, FRAMES, OTHER_FRAMES, RNG, check_figure, image, titles

FIGURES = {
    "swap_grid": lambda: viz.swap_grid(FRAMES[:2], FRAMES, RNG.integers(0, 256, (2, 3, 32, 32, 3), dtype=np.uint8)),
    "swap_grid_changes": lambda: viz.swap_grid(
        FRAMES[:1], FRAMES, FRAMES[None], change=FLOW[None, :, 0], true_change=FLOW[None, :, 1]
    ),
    "swap_strip": lambda: viz.swap_strip(*FRAMES, FLOW[0, 0], FLOW[0, 1]),
    "swap_strip_truth": lambda: viz.swap_strip(*FRAMES, FLOW[0, 0], FLOW[0, 1], FRAMES[1]),
    "attribution_grid": lambda: viz.attribution_grid(FRAMES, FLOW, {"I": RNG.random((3, 4, 4))}, ["a", "b", "c"]),
    "attribution_grid_of_one": lambda: viz.attribution_grid(
        FRAMES[:1], FLOW[:1], {"I": np.zeros((1, 4, 4)), "II": RNG.random((1, 32, 32))}, ["fear"]
    ),
}
# of each figure: visible axes, images, and a text
SHOWN = {
    "swap_grid": (11, 11, "motion from"),
    "swap_grid_changes": (14, 13, "true\nchange"),
    "swap_strip": (6, 5, "identity from"),
    "swap_strip_truth": (10, 8, "rendered truth"),
    "attribution_grid": (11, 12, "flow (pixels)"),
    "attribution_grid_of_one": (5, 5, "empty"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_panels_and_is_made_without_pyplot(name):
    check_figure(FIGURES[name](), *SHOWN[name])


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.swap_grid(FRAMES, FRAMES, FRAMES[None]),
        lambda: viz.attribution_grid(FRAMES, FLOW, {"I": RNG.random((2, 4, 4))}, ["a", "b", "c"]),
        lambda: viz.swap_strip(*FRAMES, FLOW[0, 0], FLOW[0, 1], FRAMES[0, :16]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call):
    with pytest.raises(DataError):
        call()


def test_swap_grid_has_identities_on_the_left_motions_above_and_changes_below_what_was_generated():
    generated = RNG.integers(0, 256, (2, 3, 32, 32, 3), dtype=np.uint8)
    change, true_change = RNG.normal(size=(2, 2, 3, 32, 32))
    rows = np.reshape(viz.swap_grid(FRAMES[:2], OTHER_FRAMES, generated, change, true_change).axes[:28], (7, 4))
    for m, ax in enumerate(rows[0, 1:]):
        np.testing.assert_array_equal(image(ax), OTHER_FRAMES[m])
    for i in range(2):
        np.testing.assert_array_equal(image(rows[1 + 3 * i, 0]), FRAMES[i])
        for m in range(3):
            for below, values in enumerate((generated, change, true_change)):
                np.testing.assert_array_equal(image(rows[1 + 3 * i + below, 1 + m]), values[i, m])
    assert [ax.get_ylabel() for ax in rows[1:4, 1]] == ["generated", "generated\nchange", "true\nchange"]


def test_swap_strip_shows_both_changes_in_the_range_of_the_true_one():
    axes = viz.swap_strip(*FRAMES, 5 * FLOW[0, 0], FLOW[0, 1]).axes
    assert titles(axes[:3]) == ["identity from", "motion from", "generated"]
    for ax, value in zip(axes, (*FRAMES, 5 * FLOW[0, 0], FLOW[0, 1]), strict=False):
        np.testing.assert_array_equal(image(ax), value)
    assert axes[3].images[0].get_clim() == axes[4].images[0].get_clim()
    assert axes[3].images[0].get_clim()[1] < np.abs(5 * FLOW[0, 0]).max()


def swapped() -> Swapped:
    faces, truth, changes, true = RNG.random((4, 2, 3, 3, 32, 32)).astype(np.float32)  # [P, M, 3, H, W] each
    return Swapped(faces, changes, truth, true, faces[:, :1])


def test_compared_swaps_stand_next_to_the_truth_in_its_colour_range():
    swaps = {"before": swapped(), "after": swapped()}
    figure = viz.compared_swaps(swaps, person=1, motion=2)
    check_figure(figure, 7, 6, "rendered truth")
    above, below = figure.axes[:3], figure.axes[3:6]
    assert titles(above) == ["rendered truth", "before", "after"]
    first = swaps["before"]
    shown = [(first.truth, first.true_change)] + [(s.generated, s.change) for s in swaps.values()]
    for top, bottom, (faces, changes) in zip(above, below, shown, strict=True):
        np.testing.assert_allclose(image(top), np.moveaxis(faces[1, 2], 0, -1))
        np.testing.assert_allclose(image(bottom), 255 * changes[1, 2].mean(0), rtol=1e-5)
    assert len({ax.images[0].get_clim() for ax in below}) == 1


@pytest.mark.parametrize(("person", "motion"), [(2, 0), (0, 3), (-1, 0)])
def test_compared_swaps_refuse_what_nobody_swapped(person, motion):
    with pytest.raises(DataError, match="no swap"):
        viz.compared_swaps({"before": swapped()}, person, motion)
    with pytest.raises(DataError, match="no swap"):
        viz.compared_swaps({})


def test_a_swap_says_how_far_it_and_a_copy_are_from_the_truth():
    black, grey = np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 10, np.uint8)
    change = np.zeros((32, 32))
    titles = [ax.get_title() for ax in viz.swap_strip(black, black, grey, change, change, 2 * grey).axes]
    assert "generated - truth\nmean error 10.00" in titles and "copied identity - truth\nmean error 20.00" in titles


def test_a_swap_that_changes_nearly_nothing_says_how_little():
    change = np.full((32, 32), -0.1)
    titles = [ax.get_title() for ax in viz.swap_strip(*FRAMES, change, 100 * change).axes]
    assert "generated change\nlargest 0.1" in titles and "true change\nlargest 10.0" in titles


def test_attribution_grid_has_each_map_in_a_range_of_its_own():
    maps = {"I": RNG.random((3, 4, 4)), "II": 9 * RNG.random((3, 8, 8))}
    rows = np.reshape(viz.attribution_grid(FRAMES, FLOW, maps, ["a", "b", "c"]).axes[:12], (4, 3))
    assert titles(rows[0]) == ["a", "b", "c"]
    assert [ax.get_ylabel() for ax in rows[:, 0]] == ["apex", "flow", "I", "II"]
    for k in range(3):
        np.testing.assert_array_equal(image(rows[0, k]), FRAMES[k])
        np.testing.assert_allclose(image(rows[1, k]), FLOW_LENGTH[k], rtol=1e-6)
        for ax, values in zip(rows[2:, k], maps.values(), strict=True):
            np.testing.assert_array_equal(image(ax, 1), values[k])
            assert ax.images[1].get_clim() == (0, values[k].max())
            assert ax.images[1].get_interpolation() == "nearest"


def test_attribution_grid_calls_a_map_of_zeros_empty():
    figure = viz.attribution_grid(
        FRAMES, FLOW, {"I": np.stack([np.zeros((4, 4)), *RNG.random((2, 4, 4))])}, ["a", "b", "c"]
    )
    empty, *others = figure.axes[6:9]
    assert [text.get_text() for text in empty.texts] == ["empty"] and len(empty.images) == 1
    assert all(not ax.texts and len(ax.images) == 2 for ax in others)


def test_map_rows_shows_cells_without_smoothing_and_each_row_in_its_range():
    rows = {"length (px)": RNG.random((3, 4, 4)), "deviation (std)": RNG.normal(size=(3, 14, 14))}
    figure = viz.map_rows(rows, ["a", "b", "c"], FRAMES)
    axes = np.reshape(figure.axes[:9], (3, 3))
    assert titles(axes[0]) == ["a", "b", "c"]
    for line, maps in zip(axes[1:], rows.values(), strict=True):
        for ax, values in zip(line, maps, strict=True):
            np.testing.assert_array_equal(image(ax), values)
            assert ax.images[0].get_interpolation() not in ("bilinear", "bicubic")
    low, high = axes[2, 0].images[0].get_clim()
    assert low == -high < 0 and axes[1, 0].images[0].get_clim()[0] == rows["length (px)"].min()
    assert [ax.get_title() for ax in viz.map_rows(rows, ["a", "b", "c"]).axes[:3]] == ["a", "b", "c"]
    with pytest.raises(DataError, match="map_rows: length"):
        viz.map_rows(rows, ["a", "b"])
