"""Figures of scores: matrices, recalls, steps, predictions."""

import numpy as np
import pytest

from lfdtcmen import DataError, viz
from lfdtcmen.images import grey_change
from tests.viz.figures import FLOW, FLOW_LENGTH, FRAMES, NAMES, OTHER_FRAMES, check_figure, image

STATED = {"negative": {"negative": 0.77}, "positive": {"negative": 0.47, "positive": 0.38}}


FIGURES = {
    "confusion_pair": lambda: viz.confusion_pair(np.diag([5, 0, 2]), NAMES, STATED),
    "prediction_strip": lambda: viz.prediction_strip(
        FRAMES, FRAMES[::-1], FLOW, np.full((3, 3), 1 / 3), NAMES, np.arange(3), ["a", "b", "c"]
    ),
}
# of each figure: visible axes, images, and a text
SHOWN = {
    "confusion_pair": (3, 2, "100%\n5"),
    "prediction_strip": (12, 9, " 0.33"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_panels_and_is_made_without_pyplot(name):
    check_figure(FIGURES[name](), *SHOWN[name])


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.prediction_strip(FRAMES, FRAMES, FLOW[:2], np.eye(3), NAMES, [0, 1, 2]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call):
    with pytest.raises(DataError):
        call()


def test_confusion_pair_shows_rates_counts_and_only_the_stated_cells():
    ours, paper, _ = FIGURES["confusion_pair"]().axes
    assert "100%\n5" in [text.get_text() for text in ours.texts]
    stated = [text.get_text() for text in paper.texts]
    assert {"77%", "47%", "38%"} < set(stated)
    assert stated.count("not\nstated") == 6


def test_confusion_pair_refuses_rates_of_other_classes():
    with pytest.raises(DataError, match="contempt"):
        viz.confusion_pair(np.eye(3, dtype=int), NAMES, {"contempt": {"contempt": 0.21}})


def test_confusion_row_draws_every_model_in_one_colour_range():
    figure = viz.confusion_row({"plain": np.diag([5, 0, 2]), "weighted": np.full((3, 3), 2)}, NAMES)
    plain, weighted, _ = figure.axes
    assert [plain.get_title(), weighted.get_title()] == ["plain", "weighted"]
    assert "100%\n5" in [text.get_text() for text in plain.texts]
    assert [text.get_text() for text in weighted.texts] == ["33%\n2"] * 9
    assert plain.images[0].get_clim() == weighted.images[0].get_clim() == (0, 1)
    for wrong in ({}, {"plain": np.eye(2, dtype=int)}):
        with pytest.raises(DataError):
            viz.confusion_row(wrong, NAMES)


def test_of_many_classes_empty_cells_have_no_text_and_a_row_can_be_framed():
    names = [*"abcdefg"]
    ax = viz.confusion_row({"A": np.diag([5, 0, 2, 1, 1, 1, 1])}, names, framed="c").axes[0]
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["100%\n5", "100%\n2"] + ["100%\n1"] * 4
    (frame,) = ax.patches
    assert (frame.get_y(), frame.get_height(), frame.get_width()) == (1.5, 1, 7)
    with pytest.raises(DataError, match="'x' is no class"):
        viz.confusion_row({"A": np.eye(7, dtype=int)}, names, framed="x")


def test_score_steps_lead_from_the_honest_score_to_the_reported_one():
    ax = viz.score_steps({"honest": 0.5, "lucky": 0.56, "unlucky": 0.53}).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["honest", "lucky", "unlucky", "reported"]
    assert [text.get_text() for text in ax.texts] == ["+0.060", "-0.030", "0.500", "0.530"]
    still = viz.score_steps({"honest": 0.5, "unlucky": 0.4999}).axes[0]
    assert still.texts[0].get_text() == "+0.000"
    with pytest.raises(DataError, match="1 steps"):
        viz.score_steps({"honest": 0.5})


def test_prediction_strip_fills_the_bar_of_the_true_class():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3]])
    rows = np.reshape(
        viz.prediction_strip(FRAMES, OTHER_FRAMES, FLOW, probabilities, NAMES, [0, 2, 2], ["a", "b", "c"]).axes, (3, 4)
    )
    for k, true in enumerate((0, 2, 2)):
        shown = (FRAMES[k], grey_change(FRAMES[k : k + 1], OTHER_FRAMES[k : k + 1])[0], FLOW_LENGTH[k])
        for ax, value in zip(rows[k], shown, strict=False):
            np.testing.assert_allclose(image(ax), value, rtol=1e-6)
        bars = rows[k, 3].patches
        assert [bar.get_width() for bar in bars] == pytest.approx(probabilities[k])
        assert [c for c, bar in enumerate(bars) if bar.get_facecolor()[:3] != (1, 1, 1)] == [true]
        assert f"{NAMES[true]} (true)" in [label.get_text() for label in rows[k, 3].get_yticklabels()]


def test_panels_without_a_colour_bar_say_their_scale():
    apex = FRAMES[[0]].copy()
    apex[0, :8] = np.where(FRAMES[0, :8] > 127, FRAMES[0, :8] - 24, FRAMES[0, :8] + 24)
    flow = np.full((1, 2, 32, 32), [[[[3.0]], [[4.0]]]])
    axes = viz.prediction_strip(FRAMES[[0]], apex, flow, np.full((1, 3), 1 / 3), NAMES, [0]).axes
    assert [ax.get_title() for ax in axes[:3]] == ["onset", "apex - onset\n(±24 grey levels)", "flow\n(to 5 px)"]
    assert axes[1].images[0].get_clim() == (-24, 24) and axes[2].images[0].get_clim() == (0, 5)
    clip = np.concatenate([FRAMES[[0]], apex, FRAMES[[0]]])
    below = viz.clip_strip(clip, onset=0, apex=1, offset=2, fps=30).axes[1]
    assert below.get_ylabel().endswith("(±24 grey levels)") and below.images[0].get_clim() == (-24, 24)
