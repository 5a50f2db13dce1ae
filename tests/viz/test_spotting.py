"""Figures of apex spotting show what they are given."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.viz import spotting

ROWS = [
    {"setting": setting, "method": method, "value": 1.0 + k, "low": k - 0.5, "high": 2.0 + k}
    for k, setting in enumerate(("easy", "hard"))
    for method in ("flow", "midpoint")
]


def test_changes_share_a_scale_and_nothing_is_grey():
    values = np.full((4, 4), 2.0)
    values[0, 0] = np.nan
    figure = spotting.change_row({"small": values, "large": -3 * values}, "grey levels")
    images = [ax.images[0] for ax in figure.axes[:2]]
    assert [image.get_clim() for image in images] == [(-6, 6)] * 2
    assert figure.axes[2].get_ylabel() == "grey levels"


def test_a_rhythm_has_a_line_for_each_muscle():
    figure = spotting.rhythms({"one": np.arange(5.0), "two": np.ones((5, 2))}, fps=10)
    assert [len(ax.lines) for ax in figure.axes] == [1, 2]
    assert figure.axes[0].lines[0].get_xdata()[-1] == 0.4


def test_gains_whose_interval_has_zero_in_it_are_hollow():
    figure = spotting.gains(pd.DataFrame(ROWS), ["hard", "easy"], ["flow", "midpoint"])
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["hard", "easy"]
    clear, unclear = ax.lines[-3:-1]
    assert clear.get_xydata().tolist() == [[2.0, 0.0]] and unclear.get_xydata().tolist() == [[1.0, 1.0]]
    assert unclear.get_markerfacecolor() == "white"
    with pytest.raises(DataError, match="those of one task"):
        spotting.gains(pd.DataFrame(ROWS + ROWS), ["easy"], ["flow"])
    with pytest.raises(DataError, match="1 rows of 2 settings"):
        spotting.gains(pd.DataFrame(ROWS), ["easy", "still"], ["flow"])


def test_alarms_mark_the_chosen_threshold():
    curve = pd.DataFrame({"F1": [0.2, 0.6, 0.4], "false alarms": [1.0, 0.5, 0.0]}, index=[0.0, 1.0, 2.0])
    figure = spotting.alarms({"pulse": curve, "flow": curve / 2}, {"pulse": 1.0, "flow": 0.5})
    first = figure.axes[0].lines
    assert len(first) == 4 and first[1].get_ydata() == pytest.approx(0.6) and first[3].get_ydata() == pytest.approx(0.2)
