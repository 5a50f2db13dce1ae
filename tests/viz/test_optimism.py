"""Figures of chosen epochs, label habits and coverage."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen.errors import DataError
from lfdtcmen.viz.optimism import best_of_looks, chosen_epochs, coverage_curves, habit_gain, right_or_wrong


def test_each_curve_of_looks_is_a_line_above_the_truth():
    curves = {"one": np.array([0.6, 0.7]), "two": np.array([0.6, 0.8, 0.9])}
    first, second = best_of_looks({"a": curves, "b": {"one": curves["one"]}}, 0.6).axes
    assert len(first.lines) == 3 and len(second.lines) == 2
    assert second.lines[1].get_ydata()[0] == 0.6 and first.get_title() == "a"


def test_best_epochs_are_starred_and_the_last_one_is_ringed():
    right = np.array([[True, False, True, True], [False, False, True, True], [True, False, True, False]])
    _, curve = right_or_wrong(right).axes
    accuracy, best, last = curve.lines
    np.testing.assert_allclose(accuracy.get_ydata(), [2 / 3, 0, 1, 2 / 3])
    assert best.get_xdata().tolist() == [3] and list(last.get_xdata()) == [4]


def test_chosen_epochs_have_a_line_each_in_both_panels():
    keys = [("loso", "best"), ("apart", "best"), ("loso", "last"), ("apart", "last")]
    rows = [(*key, epochs, 0.7 + epochs / 1000, 0.7) for key in keys for epochs in (200, 8)]
    table = pd.DataFrame(rows, columns=["split", "choice", "epochs", "reported", "fresh"])
    reported, fresh = chosen_epochs(table).axes
    assert len(reported.lines) == len(fresh.lines) == 3
    assert list(reported.lines[0].get_xdata()) == [8, 200]
    with pytest.raises(DataError, match="no row of apart, best"):
        chosen_epochs(table[table["split"] == "loso"])


def test_habits_have_a_line_per_input_and_one_for_real_people():
    rows = [(name, habit, habit / 2, habit / 2 - 0.1, habit / 2 + 0.1) for name in ("flow", "apex") for habit in (0, 1)]
    table = pd.DataFrame(rows, columns=["input", "habit", "added", "low", "high"])
    (ax,) = habit_gain(table, 0.21).axes
    assert next(text.get_text() for text in ax.get_legend().get_texts()) == "real people (MEGC 2019): 0.21"
    assert len(ax.containers) == 2


def test_coverage_has_a_curve_for_scores_and_for_differences():
    keys = [(metric, what, n) for metric in ("uf1", "uar") for what in ("score", "difference") for n in (10, 50)]
    rows = [(*key, 0.9, 0.8, 0.95) for key in keys]
    table = pd.DataFrame(rows, columns=["metric", "of", "subjects", "coverage", "low", "high"])
    left, right = coverage_curves(table, {10: 0.1, 50: 0.3}).axes
    assert len(left.containers) == 2 and right.lines[0].get_ydata().tolist() == [0.1, 0.3]
