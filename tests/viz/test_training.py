"""Figures of training: losses, their weights, parameters."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError, viz
from lfdtcmen.viz import training
from tests.viz.figures import RNG, check_figure

LOSSES = {"cycle": 0.5, "emotion": 2.0}


def history() -> pd.DataFrame:
    nothing = [np.nan] * 5
    return pd.DataFrame(
        {
            "stage": [1] * 5 + [2] * 5,
            "epoch": 0,
            "step": np.arange(10),
            "reconstruction": [*RNG.random(5), *nothing],
            "emotion": [*nothing, *RNG.random(5)],
            "seconds": 0.1,
        }
    )


GAINS = pd.DataFrame(
    {
        "pixels": [8, 8, 8, 1, 1],
        "seed": [0, 1, 0, 0, 0],
        "step": [60, 60, 120, 60, 120],
        "gain": [0.2, 0.4, 0.5, 0, 0.1],
    }
)
CURVES = pd.DataFrame({"training": [0.5, 0.2], "validation": [0.6, 0.4], "gain": [0.0, 0.3]}, index=[60, 120])
MEASURES = [metric for metrics, _ in training.STAGE1.values() for metric in metrics]
LONG = pd.DataFrame(
    [
        (metric, epoch, value, value - 0.1, value + 0.1, 0.15)
        for metric in MEASURES
        for epoch, value in ((9, 0.2), (1, 3))
    ],
    columns=["metric", "epoch", "value", "low", "high", "reference"],
)
FIGURES = {
    "loss_curves": lambda: viz.loss_curves(history()),
    "training_curves": lambda: viz.training_curves(CURVES, "gain", copy=0.3),
    "gain_by_motion": lambda: viz.gain_by_motion(GAINS),
    "stage1_over_epochs": lambda: viz.stage1_over_epochs(LONG),
    "loss_weight_bars": lambda: viz.loss_weight_bars(LOSSES, np.eye(2), {"cycle": 1.0, "emotion": 0.0}),
    "parameter_bars": lambda: viz.parameter_bars(
        pd.DataFrame({"parameters": [10, 20, 30]}, index=["encoder", "generator", "total"]), stated={"all": 25.0}
    ),
}
# of each figure: visible axes, images, and a text
SHOWN = {
    "loss_curves": (2, 0, "reconstruction"),
    "training_curves": (2, 0, "training step"),
    "gain_by_motion": (1, 0, "training step"),
    "stage1_over_epochs": (6, 0, "motion gain"),
    "loss_weight_bars": (2, 0, "100%"),
    "parameter_bars": (2, 0, "total 30"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_panels_and_is_made_without_pyplot(name):
    check_figure(FIGURES[name](), *SHOWN[name])


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.loss_curves(history()[["stage", "step"]]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call):
    with pytest.raises(DataError):
        call()


def test_loss_curves_draw_one_panel_a_loss():
    titles = [ax.get_title() for ax in viz.loss_curves(history()).axes if ax.get_visible()]
    assert titles == ["reconstruction", "emotion"]


def test_loss_curves_say_what_is_no_loss_before_its_weight():
    figure = viz.loss_curves(history().assign(active_fraction=0.5, total=1.0))
    titles = [ax.get_title() for ax in figure.axes if ax.get_visible()]
    assert titles[2:] == ["active fraction (share)", "total (weighted)"]


def test_loss_curves_plot_each_step_and_the_mean_of_each_epoch():
    values = [3.0, 1.0, 0.5, 0.3]
    history = pd.DataFrame({"stage": 2, "epoch": [0, 0, 1, 1], "step": range(4), "emotion": values, "seconds": 0.1})
    (ax,) = (ax for ax in viz.loss_curves(history).axes if ax.get_visible())
    steps, means = (line.get_xydata() for line in ax.lines)
    np.testing.assert_allclose(steps, np.stack([[1, 2, 3, 4], values], 1))
    np.testing.assert_allclose(means, [[1.5, 2.0], [3.5, 0.4]])


def test_loss_curves_name_the_stages_where_there_are_several():
    assert [text.get_text() for text in viz.loss_curves(history()).legends[0].texts] == ["stage 1", "stage 2"]
    assert not viz.loss_curves(history().query("stage == 1")).legends


def test_loss_curves_fill_their_rows():
    six = history().assign(**{name: 1.0 for name in "abcd"})
    assert all(ax.get_visible() for ax in viz.loss_curves(six).axes)


def test_gain_by_motion_has_a_line_a_size_and_the_mean_over_seeds():
    (ax,) = viz.gain_by_motion(GAINS).axes
    small, large = (line.get_xydata() for line in ax.lines[:2])
    np.testing.assert_allclose(small, [[60, 0], [120, 0.1]])
    np.testing.assert_allclose(large, [[60, 0.3], [120, 0.5]])
    assert [text.get_text() for text in ax.get_legend().texts] == ["8", "1"]
    assert not ax.texts and viz.gain_by_motion(GAINS, mark=90).axes[0].texts[0].get_text() == "step 90"


def test_a_long_stage_1_has_its_curves_in_order_and_lines_to_compare_them_with():
    error, gain, _, share, named, _ = viz.stage1_over_epochs(LONG).axes
    np.testing.assert_allclose(error.lines[0].get_xydata(), [[1, 3], [9, 0.2]])
    dashed = [[line for line in ax.lines if line.get_linestyle() == "--"] for ax in (error, gain, named)]
    assert [line.get_ydata()[0] for (line,) in dashed] == [1, 1, 0.15]
    assert [text.get_text() for text in share.get_legend().texts] == ["untrained"]
    assert [text.get_text() for text in named.get_legend().texts] == ["chance level", "one code", "difference of two"]
    with pytest.raises(DataError, match="no rows of 'motion cosine, same identity'"):
        viz.stage1_over_epochs(LONG[LONG["metric"].ne("motion cosine, same identity")])


def test_loss_weight_bars_share_out_the_gradient_of_the_sum():
    gradients = np.array([[2.0, 0.0], [-1.0, 1.0]])  # the second pulls against the first
    figure = viz.loss_weight_bars(LOSSES, gradients @ gradients.T, {"cycle": 2.0, "emotion": 0.5})
    left, right = figure.axes
    assert [bar.get_width() for bar in left.patches] == [1.0, 1.0]
    total = 2.0 * gradients[0] + 0.5 * gradients[1]  # [3.5, 0.5]
    shares = [w * g @ total / (total @ total) for w, g in zip((2.0, 0.5), gradients, strict=True)]
    np.testing.assert_allclose([bar.get_width() for bar in right.patches], shares)
    assert sum(shares) == pytest.approx(1) and shares[1] < 0
    assert [text.get_text() for text in right.texts] == ["112%", "-12%"]
    assert "sum 2" in left.get_xlabel()
    nothing = viz.loss_weight_bars(LOSSES, np.eye(2), {"cycle": 0.0, "emotion": 0.0}).axes[1]
    assert [text.get_text() for text in nothing.texts] == ["0%", "0%"]
    with pytest.raises(DataError, match="for 2 losses"):
        viz.loss_weight_bars(LOSSES, np.eye(3), LOSSES)
    with pytest.raises(DataError, match="rest"):
        viz.loss_weight_bars(LOSSES, np.eye(2), {"cycle": 1.0, "rest": 1.0})


def test_parameter_bars_have_the_colours_of_their_segments():
    above, below = FIGURES["parameter_bars"]().axes
    colours = [bar.get_facecolor() for bar in above.patches]
    assert colours == [bar.get_facecolor() for bar in below.patches] and len(set(colours)) == 2


def test_parameter_bars_of_one_group_have_one_colour_and_small_shares_a_digit_more():
    table = pd.DataFrame({"parameters": [100, 200, 1]}, index=["encoder", "generator", "MAAG"])
    groups = {"encoder": "DRL", "generator": "DRL", "MAAG": "motion branch"}
    figure = viz.parameter_bars(table, groups=groups)
    (ax,) = figure.axes
    first, second, third = (bar.get_facecolor() for bar in ax.patches)
    assert first == second != third
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["DRL", "motion branch"]
    assert ax.texts[2].get_text() == " 1  (0.3%)"


def test_parameter_bars_are_as_long_as_their_parts_and_add_up_to_the_total_beside_the_stated_one():
    table = pd.DataFrame({"parameters": [10, 20, 30]}, index=["encoder", "generator", "total"])
    above, below = viz.parameter_bars(table, stated={"all": 25.0}).axes
    assert [bar.get_width() for bar in above.patches] == [10, 20] and above.get_title() == "total 30"
    assert [(bar.get_x(), bar.get_width()) for bar in below.patches] == [(0, 10), (10, 20)]
    assert list(below.lines[0].get_xdata()) == [25.0, 25.0] and "all" in below.lines[0].get_label()


def test_the_loss_of_a_copy_is_a_line_of_its_own():
    (with_copy, _), (without, _) = (viz.training_curves(CURVES, "gain", copy=c).axes for c in (0.3, None))
    levels = [line.get_ydata()[0] for line in with_copy.lines if line.get_label() == "a copy"]
    assert levels == [0.3]
    assert viz.training_curves(CURVES, "gain", top=1.5).axes[0].get_ylim() == (0, 1.5)
    assert [text.get_text() for text in without.get_legend().get_texts()] == ["training", "validation"]
