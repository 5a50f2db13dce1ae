"""Figures of motion: flows, paths, curves and spotted apexes."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from lfdtcmen import DataError, viz
from lfdtcmen.images import grey_change
from tests.viz.figures import FLOW_LENGTH, FRAMES, check_figure

FIGURES = {
    "clip_timeline": lambda: viz.clip_timeline(FRAMES, 1, np.arange(3), 30, 0, {"true": 1, "spotted": 2}),
}
# of each figure: visible axes, images, and a text
SHOWN = {
    "clip_timeline": (4, 2, "0.03 s (frame 1)"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_panels_and_is_made_without_pyplot(name):
    check_figure(FIGURES[name](), *SHOWN[name])


def test_arrows_point_where_the_skin_goes():
    """A flow to the right and down: arrows in image coordinates, in which y runs down."""
    figure = viz.face_panel(FLOW_LENGTH[0], flow=np.ones((2, 32, 32), np.float32))
    arrows = figure.axes[0].collections[0]
    assert arrows.angles == "xy" and (arrows.U > 0).all() and (arrows.V > 0).all()
    low, high = figure.axes[0].get_ylim()
    assert low > high  # y runs down


def test_nose_paths_begin_at_zero_and_measure_from_there():
    before = np.array([[60.0, 70.0], [63.0, 74.0]])
    path, time = viz.nose_paths(before, before[[0, 0]], fps=10).axes
    assert [line.get_label() for line in time.lines] == ["as filmed", "aligned"]
    np.testing.assert_allclose(time.lines[0].get_xydata(), [[0, 0], [0.1, 5]])
    np.testing.assert_allclose(time.lines[1].get_ydata(), 0)
    np.testing.assert_allclose(path.lines[0].get_xydata(), [[0, 0], [3, 4]])


def test_clip_timeline_marks_the_frame_and_both_apexes():
    figure = viz.clip_timeline(FRAMES, 2, np.array([0.0, 5, 3]), 10, 0, {"true": 1, "spotted": 2}, "flow (px)")
    face, change, ax = figure.axes[:3]
    assert face.get_title() == "0.20 s (frame 2)" and change.get_title() == "change since 0.00 s"
    np.testing.assert_allclose(change.images[0].get_array(), grey_change(FRAMES[:1], FRAMES[2:])[0])
    marks = {line.get_label(): line.get_xydata()[0] for line in ax.lines}
    assert marks["shown"].tolist() == [0.2, 3.0]
    assert (marks["true apex"][0], marks["spotted apex"][0]) == (0.1, 0.2)
    assert ax.get_ylabel() == "flow (px)"
    with pytest.raises(DataError, match="2 given for 3 images"):
        viz.clip_timeline(FRAMES, 0, np.arange(2), 30)
    for wrong in ({"shown": 3}, {"since": -1}, {"apexes": {"true": 7}}):
        with pytest.raises(DataError, match="of a clip of 3 frames"):
            viz.clip_timeline(FRAMES, **{"shown": 0} | wrong, curve=np.arange(3), fps=30)


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
    assert "+7 frames" in texts(figure) and "exact" in texts(figure) and "grey levels" in texts(figure)


def test_a_clip_at_rest_has_no_true_frames_and_no_error():
    curves, truth = {"moves": np.arange(12.0), "rests": np.arange(12.0)}, {"onset": 1, "apex": 4, "offset": 9}
    figure = viz.spotting_curves(curves, 30, truth, dict.fromkeys(curves, 6), at_rest=["rests"])
    assert [len(ax.lines) for ax in figure.axes] == [5, 2]  # curve and diamond; three lines where something happens
    assert "+2 frames" in texts(figure) and "no apex" in texts(figure) and texts(figure).count("frame") == 1
