"""The two figures of apex spotting say what was found, and how far from the truth it is."""

import numpy as np
from matplotlib.figure import Figure

from lfdtcmen import viz


def texts(figure: Figure) -> str:
    return " ".join(text.get_text() for ax in figure.axes for text in [*ax.texts, ax.title, ax.yaxis.label])


def test_curves_mark_what_was_found_and_how_far_off_it_is():
    curves = {"difference (grey levels)": np.arange(12.0), "pulse (%)": np.sin(np.arange(12) / 4), "eyes": np.ones(12)}
    truth = {"onset": 10, "apex": 14, "offset": 21}
    figure = viz.spotting_curves(curves, 30, truth, {"difference (grey levels)": 21, "pulse (%)": 14}, start=10)
    assert [len(ax.lines) for ax in figure.axes] == [
        5,
        5,
        4,
    ]  # curve, three lines, maybe a diamond
    assert figure.axes[0].lines[-1].get_xydata().tolist() == [[21 / 30, 11.0]]
    assert "+7 frames" in texts(figure) and "right" in texts(figure) and "grey levels" in texts(figure)


def test_errors_beyond_the_reach_are_counted_in_the_outermost_bars():
    figure = viz.spotting_errors({"midpoint": [1, 2, 0, 1], "pulse": [0, 0, -60, 0]}, reach=6)
    heights = [bar.get_height() for bar in figure.axes[1].patches]
    assert heights[0] == 25 and heights[6] == 75 and sum(heights) == 100
    assert "mean error 15.00 frames" in texts(figure)
