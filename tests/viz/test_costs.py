"""Figures of cost: shares, fits, comparisons, repeated runs."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError, viz
from tests.viz.figures import check_figure

COSTS = pd.DataFrame({"parameters": [1.0, 3.0, 4.0], "time": [6.0, 2.0, 8.0]}, index=["encoder", "generator", "total"])
FIGURES = {
    "cost_shares": lambda: viz.cost_shares(COSTS),
    "compared_costs": lambda: viz.compared_costs(COSTS, {"encoder": 1.1}),
    "run_times": lambda: viz.run_times(np.array([9.0, 2.0, 3.0, 2.0])),
}
SHOWN = {
    "cost_shares": (1, 0, "share of all components"),
    "compared_costs": (2, 0, "time"),
    "run_times": (1, 0, "milliseconds"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_panels_and_is_made_without_pyplot(name):
    check_figure(FIGURES[name](), *SHOWN[name])


def test_shares_are_of_the_components_without_the_total():
    (ax,) = FIGURES["cost_shares"]().axes
    assert [list(line.get_xdata()) for line in ax.lines] == [[0.25, 0.75], [0.75, 0.25]]


def test_the_spread_of_a_measure_is_a_line_through_its_marks():
    spread = {"time": pd.DataFrame({"low": [5.0, 1.0], "high": [7.0, 3.0]}, index=["encoder", "generator"])}
    plain, (ax,) = viz.cost_shares(COSTS).axes[0], viz.cost_shares(COSTS, spread).axes
    assert len(ax.collections) == len(plain.collections) + 1
    low, high = ax.collections[-1].get_segments()[0][:, 0]
    assert (low, high) == (5 / 8, 7 / 8)


def test_a_stated_total_is_a_cross_in_the_row_of_its_network():
    left, right = FIGURES["compared_costs"]().axes
    assert [list(left.lines[-1].get_xdata()), list(left.lines[-1].get_ydata())] == [[1.1], [0]]
    assert len(left.lines) == len(right.lines) + 1
    assert left.get_xscale() == right.get_xscale() == "log"


def test_median_and_mean_of_runs_are_lines():
    (ax,) = FIGURES["run_times"]().axes
    assert [line.get_ydata()[0] for line in ax.lines[1:]] == [2.5, 4.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.cost_shares(COSTS[[]]),
        lambda: viz.cost_shares(COSTS * 0),
        lambda: viz.compared_costs(COSTS - 1, {}),
        lambda: viz.compared_costs(COSTS, {"decoder": 1.0}),
        lambda: viz.run_times(np.array([])),
    ],
)
def test_costs_that_do_not_fit_are_refused(call):
    with pytest.raises(DataError):
        call()
