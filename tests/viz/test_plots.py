"""Every figure is drawn once from random arrays; what a figure must say is asked of its texts."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from lfdtcmen import DataError
from lfdtcmen.viz import plots

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
FLOW = RNG.normal(size=(3, 2, 32, 32)).astype(np.float32)
NAMES = ("negative", "positive", "surprise")
STATED = {"negative": {"negative": 0.77}, "positive": {"negative": 0.47, "positive": 0.38}}


def history() -> pd.DataFrame:
    nothing = [np.nan] * 5
    return pd.DataFrame(
        {
            "stage": [1] * 5 + [2] * 5,
            "epoch": 0,
            "step": np.arange(10),
            "reconstruction": [*RNG.random(5), *nothing],
            "emotion": [*nothing, *RNG.random(5)],
            "seconds": 0.1,
        }
    )


def scores() -> pd.DataFrame:
    return pd.DataFrame(
        {"model": ["majority", "full"], "UF1": [0.26, 0.6], "UF1 low": [0.25, 0.5], "UF1 high": [0.27, 0.7]}
    )


def report() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "value": [0.02, 0.9],
            "low": [0.01, 0.8],
            "high": [0.03, 1.0],
            "reference": [1.0, 0.1],
            "wanted": ["1", "chance"],
        },
        index=pd.Index(["motion gain", "identity leak"], name="measure"),
    )


FIGURES = {
    "face_sheet": lambda: plots.face_sheet(FRAMES, titles=["a", "b", "c"], columns=2, heading="faces"),
    "pair_strip": lambda: plots.pair_strip(FRAMES, FRAMES[::-1], FLOW, np.abs(FLOW[:, 0]), titles=["a", "b", "c"]),
    "pair_strip_frames_only": lambda: plots.pair_strip(FRAMES, FRAMES[::-1]),
    "flow_figure": lambda: plots.flow_figure(FRAMES[0], FLOW[0], FLOW[1]),
    "action_unit_sheet": lambda: plots.action_unit_sheet(FRAMES[0], FRAMES, FLOW, ["AU1", "AU2", "AU4"], columns=2),
    "clip_strip": lambda: plots.clip_strip(np.repeat(FRAMES, 4, axis=0), onset=2, apex=5, offset=9, fps=30),
    "swap_grid": lambda: plots.swap_grid(FRAMES[:2], FRAMES, RNG.integers(0, 256, (2, 3, 32, 32, 3), dtype=np.uint8)),
    "swap_grid_changes": lambda: plots.swap_grid(
        FRAMES[:1], FRAMES, FRAMES[None], change=FLOW[None, :, 0], true_change=FLOW[None, :, 1]
    ),
    "swap_strip": lambda: plots.swap_strip(*FRAMES, FLOW[0, 0], FLOW[0, 1]),
    "attention_maps": lambda: plots.attention_maps(FRAMES, RNG.random((3, 256, 4, 4)), ["a", "b", "c"]),
    "loss_curves": lambda: plots.loss_curves(history()),
    "embedding": lambda: plots.embedding(
        RNG.normal(size=(30, 2)), {"emotion": ["a", "b", "c"] * 10, "subject": np.arange(30)}
    ),
    "confusion_pair": lambda: plots.confusion_pair(np.diag([5, 0, 2]), NAMES, STATED),
    "parameter_bars": lambda: plots.parameter_bars(
        pd.DataFrame({"parameters": [10, 20, 30]}, index=["encoder", "generator", "total"]), stated={"all": 25.0}
    ),
    "score_forest": lambda: plots.score_forest(scores(), metrics=["UF1"], reference={"chance": 1 / 3}),
    "report_forest": lambda: plots.report_forest(report()),
    "prediction_strip": lambda: plots.prediction_strip(
        FRAMES, FRAMES[::-1], FLOW, np.full((3, 3), 1 / 3), NAMES, np.arange(3), ["a", "b", "c"]
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_without_pyplot(name):
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    assert figure.get_figwidth() <= plots.WIDTH + 0.3
    png = io.BytesIO()
    figure.savefig(png, format="png")
    assert png.tell() > 1000
    assert plt.get_fignums() == []  # nothing stays open, nothing is shown twice


def test_confusion_pair_shows_rates_counts_and_only_the_stated_cells():
    ours, paper, _ = FIGURES["confusion_pair"]().axes
    assert "100%\n5" in [text.get_text() for text in ours.texts]
    stated = [text.get_text() for text in paper.texts]
    assert {"77%", "47%", "38%"} < set(stated)
    assert stated.count("not\nstated") == 6


def test_confusion_pair_refuses_rates_of_other_classes():
    with pytest.raises(DataError, match="contempt"):
        plots.confusion_pair(np.eye(3, dtype=int), NAMES, {"contempt": {"contempt": 0.21}})


def test_loss_curves_draw_one_panel_a_loss():
    titles = [ax.get_title() for ax in plots.loss_curves(history()).axes if ax.get_visible()]
    assert titles == ["reconstruction", "emotion"]


def test_arrows_point_where_the_skin_goes():
    """A flow to the right and down: arrows in image coordinates, in which y runs down."""
    figure = plots.flow_figure(FRAMES[0], np.ones((2, 32, 32), np.float32))
    arrows = figure.axes[0].collections[0]
    assert arrows.angles == "xy" and (arrows.U > 0).all() and (arrows.V > 0).all()
    low, high = figure.axes[0].get_ylim()
    assert low > high  # y runs down


@pytest.mark.parametrize(
    "call",
    [
        lambda: plots.face_sheet(FRAMES.astype(np.float32)),
        lambda: plots.face_sheet(FRAMES, titles=["one"]),
        lambda: plots.pair_strip(FRAMES, FRAMES[:2]),
        lambda: plots.swap_grid(FRAMES, FRAMES, FRAMES[None]),
        lambda: plots.embedding(RNG.normal(size=(5, 3)), {"emotion": range(5)}),
        lambda: plots.loss_curves(history()[["stage", "step"]]),
        lambda: plots.score_forest(scores(), metrics=["UAR"]),
        lambda: plots.prediction_strip(FRAMES, FRAMES, FLOW[:2], np.eye(3), NAMES, [0, 1, 2]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call):
    with pytest.raises(DataError):
        call()


def test_as_frames_turns_network_output_into_frames():
    images = torch.tensor([[[[0.0, 1.0]], [[0.5, 2.0]], [[-1.0, 0.2]]]])  # [1, 3, 1, 2]
    assert plots.as_frames(images).tolist() == [[[[0, 128, 0], [255, 255, 51]]]]


def test_alignment_sheet_marks_the_landmarks_on_the_view_and_shows_the_face_below():
    points = [RNG.uniform(4, 28, (5, 2)) for _ in FRAMES]
    views = [FRAMES[0], FRAMES[1], np.repeat(FRAMES[2], 2, axis=0)]  # sizes may differ
    axes = plots.alignment_sheet(views, points, FRAMES, ["a", "b", "c"]).axes
    assert [ax.get_title() for ax in axes[:3]] == ["a", "b", "c"]
    np.testing.assert_allclose(axes[1].collections[0].get_offsets(), points[1])
    np.testing.assert_array_equal(axes[4].images[0].get_array(), FRAMES[1])
    with pytest.raises(DataError, match="landmarks"):
        plots.alignment_sheet(views, points[:2], FRAMES, ["a", "b", "c"])


def test_nose_paths_begin_at_zero_and_measure_from_there():
    before = np.array([[60.0, 70.0], [63.0, 74.0]])
    place, time = plots.nose_paths(before, before[[0, 0]], fps=10).axes
    assert [line.get_label() for line in time.lines] == ["as filmed", "aligned"]
    np.testing.assert_allclose(time.lines[0].get_xydata(), [[0, 0], [0.1, 5]])
    np.testing.assert_allclose(time.lines[1].get_ydata(), 0)
    np.testing.assert_allclose(place.lines[0].get_xydata(), [[0, 0], [3, 4]])


def test_clip_answer_says_every_probability_and_names_every_map():
    maps = {"motion": RNG.random((4, 4)), "flow": RNG.random((14, 14))}
    axes = plots.clip_answer(FRAMES[0], FRAMES[1], FLOW[0], maps, np.array([0.7, 0.2, 0.1]), NAMES).axes
    assert [ax.get_title() for ax in axes[3:5]] == ["Grad-CAM, motion", "Grad-CAM, flow"]
    assert [text.get_text() for text in axes[-1].texts] == ["0.70", "0.20", "0.10"]
    assert [label.get_text() for label in axes[-1].get_yticklabels()] == list(NAMES)
    with pytest.raises(DataError):
        plots.clip_answer(FRAMES[0], FRAMES[1], FLOW[0], maps, np.array([0.7, 0.3]), NAMES)
