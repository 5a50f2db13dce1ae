"""Figures of faces: sheets, pairs, clips, alignment."""

import numpy as np
import pytest

from lfdtcmen import DataError, viz
from lfdtcmen.images import grey_change
from tests.viz.figures import FLOW, FLOW_LENGTH, FRAMES, OTHER_FRAMES, RNG, check_figure, image, titles

FIGURES = {
    "face_sheet": lambda: viz.face_sheet(FRAMES, titles=["a", "b", "c"], columns=2, heading="faces"),
    "face_rows": lambda: viz.face_rows({"at rest": FRAMES, "generated": OTHER_FRAMES}),
    "pair_strip": lambda: viz.pair_strip(FRAMES, FRAMES[::-1], FLOW, np.abs(FLOW[:, 0]), titles=["a", "b", "c"]),
    "pair_strip_frames_only": lambda: viz.pair_strip(FRAMES, FRAMES[::-1]),
    "action_unit_sheet": lambda: viz.action_unit_sheet(FRAMES[0], FRAMES, FLOW, ["AU1", "AU2", "AU4"], columns=2),
    "clip_strip": lambda: viz.clip_strip(np.repeat(FRAMES, 4, axis=0), onset=2, apex=5, offset=9, fps=30),
}
# of each figure: visible axes, images, and a text
SHOWN = {
    "face_sheet": (3, 3, "b"),
    "face_rows": (6, 6, "generated"),
    "pair_strip": (18, 15, "apex - onset"),
    "pair_strip_frames_only": (10, 9, "apex - onset"),
    "action_unit_sheet": (7, 9, "AU2"),
    "clip_strip": (13, 12, "apex\n0.17 s"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_panels_and_is_made_without_pyplot(name):
    check_figure(FIGURES[name](), *SHOWN[name])


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.face_sheet(FRAMES.astype(np.float32)),
        lambda: viz.face_sheet(FRAMES, titles=["one"]),
        lambda: viz.face_rows({"a": FRAMES, "b": FRAMES[:2]}),
        lambda: viz.pair_strip(FRAMES, FRAMES[:2]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call):
    with pytest.raises(DataError):
        call()


def test_face_sheet_shows_the_faces_in_reading_order_under_its_heading():
    figure = viz.face_sheet(FRAMES, titles=["a", "b", "c"], columns=2, heading="faces")
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert titles(shown) == ["a", "b", "c"] and figure.get_suptitle() == "faces"
    for ax, frame in zip(shown, FRAMES, strict=True):
        np.testing.assert_array_equal(image(ax), frame)


def test_face_rows_have_a_row_a_version_in_the_order_given():
    rows = np.reshape(viz.face_rows({"at rest": FRAMES, "generated": OTHER_FRAMES}).axes, (2, 3))
    assert [ax.get_ylabel() for ax in rows[:, 0]] == ["at rest", "generated"]
    for axes, frames in zip(rows, (FRAMES, OTHER_FRAMES), strict=True):
        for ax, frame in zip(axes, frames, strict=True):
            np.testing.assert_array_equal(image(ax), frame)


def test_pair_strip_has_a_row_a_pair_and_one_colour_range_a_column():
    strain = np.abs(FLOW[:, 0])
    figure = viz.pair_strip(FRAMES, OTHER_FRAMES, FLOW, strain, titles=["a", "b", "c"])
    rows = np.reshape(figure.axes[:15], (3, 5))
    assert titles(rows[0]) == ["onset", "apex", "apex - onset", "TV-L1 flow", "strain"]
    assert [ax.get_ylabel() for ax in rows[:, 0]] == ["a", "b", "c"]
    columns = (FRAMES, OTHER_FRAMES, grey_change(FRAMES, OTHER_FRAMES), FLOW_LENGTH, strain)
    for axes, values in zip(rows.T, columns, strict=True):
        for ax, value in zip(axes, values, strict=True):
            np.testing.assert_allclose(image(ax), value, rtol=1e-6)
    for axes in rows.T[2:]:
        assert len({ax.images[0].get_clim() for ax in axes}) == 1
    assert [ax.get_xlabel() for ax in figure.axes[15:]] == ["grey levels", "pixels", "strain"]


def test_pair_strip_without_flow_has_the_frames_and_their_difference():
    figure = viz.pair_strip(FRAMES, OTHER_FRAMES)
    assert titles(figure.axes[:3]) == ["onset", "apex", "apex - onset"] and len(figure.axes) == 9 + 1


def test_action_unit_sheet_puts_each_motion_below_its_face():
    axes = viz.action_unit_sheet(FRAMES[0], OTHER_FRAMES, FLOW, ["AU1 inner brow", "AU2", "AU4"], columns=3).axes
    assert titles(axes[:3]) == ["AU1\ninner brow", "AU2", "AU4"]
    for k, (above, below) in enumerate(zip(axes[:3], axes[3:6], strict=True)):
        np.testing.assert_array_equal(image(above), OTHER_FRAMES[k])
        np.testing.assert_allclose(image(below, 0), FRAMES[0].mean(2))
        np.testing.assert_allclose(image(below, 1), FLOW_LENGTH[k], rtol=1e-6)
    assert axes[6].get_xlabel() + axes[6].get_ylabel() == "motion (pixels)"


def test_alignment_sheet_marks_the_landmarks_on_the_view_and_shows_the_face_below():
    points = [RNG.uniform(4, 28, (5, 2)) for _ in FRAMES]
    views = [FRAMES[0], FRAMES[1], np.repeat(FRAMES[2], 2, axis=0)]  # sizes may differ
    axes = viz.alignment_sheet(views, points, FRAMES, ["a", "b", "c"]).axes
    assert [ax.get_title() for ax in axes[:3]] == ["a", "b", "c"]
    np.testing.assert_allclose(axes[1].collections[0].get_offsets(), points[1])
    np.testing.assert_array_equal(axes[4].images[0].get_array(), FRAMES[1])
    with pytest.raises(DataError, match="landmarks"):
        viz.alignment_sheet(views, points[:2], FRAMES, ["a", "b", "c"])
