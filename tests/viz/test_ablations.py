"""Figures of the ablations: marks where the numbers are, a dot for each seed, constant answers hollow."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen.errors import DataError
from lfdtcmen.viz.ablations import holm_ladder, overview, paired_cloud, power_curve, setting_grid, steps
from tests.viz.figures import check_figure


def table(*values, degenerate=(), against=("", "above")):
    rows = []
    for k, value in enumerate(values):
        row = {"model": "I" * (k + 1), "what": f"part {k}", "metric": "UF1", "degenerate": k in degenerate}
        scored = {"value": value, "low": value - 0.05, "high": value + 0.05, "by_seed": (value - 0.01, value + 0.01)}
        rows.append(row | scored | {"against": ""})
        if k:
            step = value - values[k - 1]
            rows.append(row | {"value": step, "low": step - 0.02, "high": step + 0.02, "by_seed": (step,)})
            rows[-1]["against"] = "above"
    return pd.DataFrame(rows)


def marks(ax, size):
    return [line for line in ax.lines if line.get_marker() == "o" and line.get_markersize() == size]


def test_each_setting_has_its_score_its_step_and_a_dot_for_each_seed():
    figure = steps({"paper": table(0.5, 0.6, 0.55), "repaired": table(0.5, 0.7)})
    check_figure(figure, 2, 0, "step in UF1 from the row above (95 %)")
    left, right = figure.axes
    assert [mark.get_xdata()[0] for mark in marks(left, 6)] == [0.5, 0.6, 0.55, 0.5, 0.7]
    np.testing.assert_allclose([mark.get_xdata()[0] for mark in marks(right, 6)], [0.1, -0.05, 0.2])
    dots = marks(left, 2.5)
    assert [len(line.get_xdata()) for line in dots] == [2] * 5 and list(dots[1].get_xdata()) == [0.59, 0.61]
    rows = [mark.get_ydata()[0] for mark in marks(left, 6)]
    assert rows[0] < 0 < rows[3] < rows[1] < 1 < rows[4]  # a setting's recipes lie around its row
    assert [label.get_text() for label in left.get_yticklabels()] == ["I: part 0", "II: part 1", "III: part 2"]
    (absent,) = left.texts
    assert absent.get_text() == "repaired recipe: does not exist" and absent.get_position()[1] > 2 and not right.texts


def test_a_constant_answer_is_hollow():
    left, _ = steps({"paper": table(0.26, 0.26, 0.7, degenerate=(0, 1))}).axes
    assert [mark.get_markerfacecolor() == "white" for mark in marks(left, 6)] == [True, True, False]


def test_the_overview_has_a_panel_a_recipe_and_leaves_out_what_was_not_run():
    scores = {"paper": table(0.5, 0.6, 0.7), "repaired": table(0.8)}
    figure = overview(scores, {"I": "one", "II": "two", "III": "three"}, 0.26)
    check_figure(figure, 2, 0, "repaired recipe")
    assert [len(marks(ax, 6)) for ax in figure.axes] == [3, 1]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["one", "two", "three"]


def test_what_is_missing_is_named():
    with pytest.raises(DataError, match="no column 'by_seed'"):
        steps({"paper": table(0.5, 0.6).drop(columns="by_seed")})
    with pytest.raises(DataError, match="no tables"):
        steps({})


def test_holms_bounds_start_at_the_level_over_the_number_of_tests():
    found = pd.DataFrame({"p": [0.2, 0.001, 1.0], "holm": [0.4, 0.003, 1.0], "degenerate": [False, False, True]})
    figure = holm_ladder(found, ["b", "a", "c"])
    check_figure(figure, 1, 0, "p (logarithmic)")
    (ax,) = figure.axes
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [0.05 / 3, 0.05 / 2, 0.05])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    kinds = [text.get_text() for text in figure.legends[0].get_texts()]
    assert kinds[:3] == ["a finding after Holm", "no finding", "degenerate"]


def test_the_other_figures_have_their_panels():
    check_figure(setting_grid({"4, I": ["a"], "5, I": ["a", "b"]}, ["a", "b"], 1, {("5, I", "b"): "3"}), 1, 0, "3")
    check_figure(paired_cloud(np.random.default_rng(0).random((50, 2)), ("A", "B")), 2, 0, "subtracted; dashed: 95 %")
    ratio = np.linspace(0, 2, 9)
    check_figure(power_curve(ratio, ratio / 2), 1, 0, "80% at 1.43")
