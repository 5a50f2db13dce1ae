"""Figures of what an answer depends on."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb

from lfdtcmen.viz.interpretability import blanked_cells, blanking_forest, probe_nulls, toy_maps
from tests.viz.figures import FRAMES, check_figure

TIDY = ["model", "metric", "part", "value", "low", "high", "against"]


def test_small_maps_have_their_numbers_in_them():
    figure = toy_maps({"a": np.array([[1.0, -2.0]]), "b": np.array([[0.5], [-0.0]])})
    check_figure(figure, 2, 2, "-2")
    assert [text.get_text() for text in figure.axes[1].texts] == ["0.5", "0"]


def test_blanked_cells_lie_on_the_face_in_their_colours():
    moving = np.zeros((28, 28), bool)
    moving[3, 4] = True
    still = np.roll(moving, 5)
    figure = blanked_cells(FRAMES[0], {"moving": moving, "still": still}, {"U": np.ones((28, 28)), "blanked": moving})
    check_figure(figure, 4, 5, "blanked")  # a face with two tints, two streams, a colour bar
    face, first, second = (np.asarray(image.get_array()) for image in figure.axes[0].images)
    assert face.shape == (32, 32) and (first[..., 3] > 0).sum() == (second[..., 3] > 0).sum() == 1
    assert first[3, 4, 3] > 0 and [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["moving", "still"]
    assert figure.axes[1].images[0].get_clim() == (-1, 1)


def test_the_forest_of_blanking_has_a_panel_a_network_and_a_row_a_choice():
    rows = [
        (model, "change", part, value, value - 1, value + 1, against, blanked)
        for model in ("paper", "repaired")
        for part, blanked, value in (("flow", "moving skin", -3), ("flow", "still skin", 0), ("frames", "x", -1))
        for against in ("", "still skin")
    ]
    table = pd.DataFrame(rows, columns=[*TIDY, "blanked"])
    figure = blanking_forest(table)
    check_figure(figure, 2, 0, "paper")
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == [
        *("flow: moving skin", "flow: still skin", "frames: x")
    ]
    flow, frames = figure.axes[1].containers
    assert flow.lines[0].get_xdata().tolist() == [-3, 0] and frames.lines[0].get_ydata().tolist() == [2]


def test_a_probe_that_reads_no_more_than_luck_has_a_hollow_mark():
    rows = [
        ("probe", question, part, value, value - 0.1, value + 0.1, "", 0.3, 0.4)
        for question in ("subject", "emotion")
        for part, value in (("flow", 0.8), ("code", 0.35))
    ]
    figure = probe_nulls(pd.DataFrame(rows, columns=[*TIDY, "null", "null high"]))
    check_figure(figure, 2, 0, "0.80")
    ax = figure.axes[0]
    assert [(bar.get_x(), round(bar.get_width(), 6)) for bar in ax.patches] == [(0.3, 0.1)] * 2
    points = [container.lines[0] for container in ax.containers if hasattr(container, "lines")]
    full, hollow = (to_rgb(point.get_markerfacecolor()) for point in points)
    assert hollow == (1, 1, 1) != full
    assert "mean recall" in figure.axes[1].get_xlabel()
