"""Figures show the arrays that they are given: every image, line, bar and point where it belongs."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from lfdtcmen import viz
from lfdtcmen.images import grey_change

RNG = np.random.default_rng(1)
FRAMES = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
OTHERS = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
FLOW = RNG.normal(size=(3, 2, 32, 32)).astype(np.float32)
LENGTH = np.linalg.norm(FLOW, axis=1)


def image(ax: Axes, number: int = 0) -> np.ndarray:
    return np.asarray(ax.images[number].get_array())


def titles(axes) -> list[str]:
    return [ax.get_title() for ax in axes]


def test_face_sheet_shows_the_faces_in_reading_order_under_its_heading():
    figure = viz.face_sheet(FRAMES, titles=["a", "b", "c"], columns=2, heading="faces")
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert titles(shown) == ["a", "b", "c"] and figure.get_suptitle() == "faces"
    for ax, frame in zip(shown, FRAMES, strict=True):
        np.testing.assert_array_equal(image(ax), frame)


def test_pair_strip_has_a_row_a_pair_and_one_colour_range_a_column():
    strain = np.abs(FLOW[:, 0])
    figure = viz.pair_strip(FRAMES, OTHERS, FLOW, strain, titles=["a", "b", "c"])
    rows = np.reshape(figure.axes[:15], (3, 5))
    assert titles(rows[0]) == ["onset", "apex", "apex - onset", "TV-L1 flow", "strain"]
    assert [ax.get_ylabel() for ax in rows[:, 0]] == ["a", "b", "c"]
    columns = (FRAMES, OTHERS, grey_change(FRAMES, OTHERS), LENGTH, strain)
    for axes, values in zip(rows.T, columns, strict=True):
        for ax, value in zip(axes, values, strict=True):
            np.testing.assert_allclose(image(ax), value, rtol=1e-6)
    for axes in rows.T[2:]:
        assert len({ax.images[0].get_clim() for ax in axes}) == 1
    assert [ax.get_xlabel() for ax in figure.axes[15:]] == ["grey levels", "pixels", "strain"]


def test_pair_strip_without_flow_has_the_frames_and_their_difference():
    figure = viz.pair_strip(FRAMES, OTHERS)
    assert titles(figure.axes[:3]) == ["onset", "apex", "apex - onset"] and len(figure.axes) == 9 + 1


def test_flow_figure_shows_length_u_and_v_and_the_true_flow_below():
    axes = viz.flow_figure(FRAMES[0], FLOW[0], FLOW[1]).axes
    assert titles(axes[:4]) == ["motion onset to apex", "length", "U (to the right)", "V (down)"]
    assert [axes[0].get_ylabel(), axes[4].get_ylabel()] == ["flow", "true flow"]
    for row, k in ((axes[:4], 0), (axes[4:8], 1)):
        for ax, value in zip(row, (FRAMES[0], LENGTH[k], *FLOW[k]), strict=True):
            np.testing.assert_allclose(image(ax), value, rtol=1e-6)
    low, high = axes[2].images[0].get_clim()
    assert low == -high and axes[7].images[0].get_clim() == (low, high)


def test_action_unit_sheet_puts_each_motion_below_its_face():
    axes = viz.action_unit_sheet(FRAMES[0], OTHERS, FLOW, ["AU1 inner brow", "AU2", "AU4"], columns=3).axes
    assert titles(axes[:3]) == ["AU1\ninner brow", "AU2", "AU4"]
    for k, (above, below) in enumerate(zip(axes[:3], axes[3:6], strict=True)):
        np.testing.assert_array_equal(image(above), OTHERS[k])
        np.testing.assert_allclose(image(below, 0), FRAMES[0].mean(2))
        np.testing.assert_allclose(image(below, 1), LENGTH[k], rtol=1e-6)
    assert axes[6].get_xlabel() + axes[6].get_ylabel() == "motion (pixels)"


def test_swap_grid_has_identities_on_the_left_motions_above_and_changes_below_what_was_generated():
    generated = RNG.integers(0, 256, (2, 3, 32, 32, 3), dtype=np.uint8)
    change, true_change = RNG.normal(size=(2, 2, 3, 32, 32))
    rows = np.reshape(viz.swap_grid(FRAMES[:2], OTHERS, generated, change, true_change).axes[:28], (7, 4))
    for m, ax in enumerate(rows[0, 1:]):
        np.testing.assert_array_equal(image(ax), OTHERS[m])
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


def test_attention_maps_lie_over_their_faces_as_the_mean_over_channels():
    attention = RNG.random((3, 8, 4, 4))
    axes = viz.attention_maps(FRAMES, attention, ["a", "b", "c"]).axes
    above, below = axes[:3], axes[3:6]
    assert titles(above) == ["a", "b", "c"]
    for k in range(3):
        np.testing.assert_array_equal(image(above[k]), FRAMES[k])
        np.testing.assert_allclose(image(below[k], 1), attention[k].mean(0))
    assert axes[6].get_xlabel() + axes[6].get_ylabel() == "attention, 4x4"


def test_attribution_grid_has_each_map_in_a_range_of_its_own():
    maps = {"I": RNG.random((3, 4, 4)), "II": 9 * RNG.random((3, 8, 8))}
    rows = np.reshape(viz.attribution_grid(FRAMES, FLOW, maps, ["a", "b", "c"]).axes[:12], (4, 3))
    assert titles(rows[0]) == ["a", "b", "c"]
    assert [ax.get_ylabel() for ax in rows[:, 0]] == ["apex", "flow", "I", "II"]
    for k in range(3):
        np.testing.assert_array_equal(image(rows[0, k]), FRAMES[k])
        np.testing.assert_allclose(image(rows[1, k]), LENGTH[k], rtol=1e-6)
        for ax, values in zip(rows[2:, k], maps.values(), strict=True):
            np.testing.assert_array_equal(image(ax, 1), values[k])
            assert ax.images[1].get_clim() == (0, values[k].max())


def test_loss_curves_plot_each_step_and_the_mean_of_each_epoch():
    values = [3.0, 1.0, 0.5, 0.3]
    history = pd.DataFrame({"stage": 2, "epoch": [0, 0, 1, 1], "step": range(4), "emotion": values, "seconds": 0.1})
    (ax,) = (ax for ax in viz.loss_curves(history).axes if ax.get_visible())
    steps, means = (line.get_xydata() for line in ax.lines)
    np.testing.assert_allclose(steps, np.stack([[1, 2, 3, 4], values], 1))
    np.testing.assert_allclose(means, [[1.5, 2.0], [3.5, 0.4]])


def test_embedding_plots_the_same_points_in_each_panel_grouped_by_its_values():
    points = RNG.normal(size=(6, 2))
    left, right = viz.embedding(points, {"emotion": list("ababab"), "subject": range(6)}, "PCA").axes
    assert titles((left, right)) == ["coloured by emotion", "coloured by subject"]
    assert (left.get_xlabel(), left.get_ylabel()) == ("PCA 1", "PCA 2")
    groups = {group.get_label(): group.get_offsets() for group in left.collections}
    np.testing.assert_array_equal(groups["a"], points[::2])
    np.testing.assert_array_equal(groups["b"], points[1::2])
    np.testing.assert_array_equal(np.concatenate([group.get_offsets() for group in right.collections]), points)


def test_parameter_bars_are_as_long_as_their_parts_and_add_up_to_the_total_beside_the_stated_one():
    table = pd.DataFrame({"parameters": [10, 20, 30]}, index=["encoder", "generator", "total"])
    above, below = viz.parameter_bars(table, stated={"all": 25.0}).axes
    assert [bar.get_width() for bar in above.patches] == [10, 20] and above.get_title() == "total 30"
    assert [(bar.get_x(), bar.get_width()) for bar in below.patches] == [(0, 10), (10, 20)]
    assert list(below.lines[0].get_xdata()) == [25.0, 25.0] and "all" in below.lines[0].get_label()


def test_prediction_strip_fills_the_bar_of_the_true_class():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3]])
    names = ("negative", "positive", "surprise")
    rows = np.reshape(
        viz.prediction_strip(FRAMES, OTHERS, FLOW, probabilities, names, [0, 2, 2], ["a", "b", "c"]).axes, (3, 4)
    )
    for k, true in enumerate((0, 2, 2)):
        shown = (FRAMES[k], grey_change(FRAMES[k : k + 1], OTHERS[k : k + 1])[0], LENGTH[k])
        for ax, value in zip(rows[k], shown, strict=False):
            np.testing.assert_allclose(image(ax), value, rtol=1e-6)
        bars = rows[k, 3].patches
        assert [bar.get_width() for bar in bars] == pytest.approx(probabilities[k])
        assert [c for c, bar in enumerate(bars) if bar.get_facecolor()[:3] != (1, 1, 1)] == [true]
        assert f"{names[true]} (true)" in [label.get_text() for label in rows[k, 3].get_yticklabels()]
