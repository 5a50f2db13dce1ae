"""Figure of several trainings."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError, viz
from tests.viz.figures import check_figure


def test_tuning_curves_draw_each_training_in_each_panel():
    steps = [0, 5, 10]
    curves = {name: pd.DataFrame({"a": [1.0, 0.5, k + 0.1], "b": 1.0}, index=steps) for k, name in enumerate("xyz")}
    figure = viz.tuning_curves(curves, {"a": "in training", "b": "others"})
    check_figure(figure, 2, 0, "step")
    left, right = figure.axes
    np.testing.assert_array_equal(left.lines[2].get_xydata(), np.stack([steps, [1.0, 0.5, 2.1]], axis=1))
    assert left.get_yscale() == "log" and right.get_title() == "others"
    assert [text.get_text() for text in figure.legends[0].texts] == ["x", "y", "z"]


@pytest.mark.parametrize("curves", [{}, {"x": pd.DataFrame({"b": [1.0]})}])
def test_what_does_not_fit_is_refused(curves):
    with pytest.raises(DataError):
        viz.tuning_curves(curves, {"a": "in training"})
