"""Every figure is drawn once from random arrays; what a figure must say is asked of its texts."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from lfdtcmen import DataError, viz
from lfdtcmen.evaluation.results import COLUMNS
from lfdtcmen.images import as_frames, grey_change

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
FLOW = RNG.normal(size=(3, 2, 32, 32)).astype(np.float32)
NAMES = ("negative", "positive", "surprise")
LOSSES = {"cycle": 0.5, "emotion": 2.0}
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


def tidy(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def scores() -> pd.DataFrame:
    return tidy([("majority", "UF1", "", 0.26, 0.25, 0.27, ""), ("full", "UF1", "", 0.6, 0.5, 0.7, "")])


def report() -> pd.DataFrame:
    rows = [("a", "motion gain", "", 0.02, 0.01, 0.03, ""), ("a", "identity leak", "", 0.9, 0.8, 1.0, "")]
    return tidy(rows).assign(reference=[1.0, 0.1], target=["1", "chance"])


def attribution() -> pd.DataFrame:
    rows = [("I", "share", "motion", 0.3, 0.2, 0.4, ""), ("I", "share", "motion", 0.1, 0.0, 0.2, "chance")]
    compared = {"chance": 0.2, "mean map": 0.25, "untrained": 0.22, "true motion": 0.5}
    return tidy([*rows, ("III", "share", "both", 0.4, 0.3, 0.5, "")]).assign(**compared)


def probe_answers() -> pd.DataFrame:
    score = {"value": [0.9, 0.4, 0.0], "low": [0.8, 0.3, -0.1], "high": [1.0, 0.5, 0.1], "chance": [0.1, 0.33, 0.0]}
    asked = {"metric": ["subject", "emotion", "action units"], "part": "mo(apex)", "against": ""}
    asked |= {"positions": "all", "probe": "linear"}
    return pd.concat([pd.DataFrame({"model": m, **asked, **score}) for m in ("untrained", "a")], ignore_index=True)


def swap_table() -> pd.DataFrame:
    return tidy([("a", "error", "0", 0.5, 0.4, 0.6, ""), ("a", "error", "all", 0.6, 0.5, 0.7, "")])


FIGURES = {
    "face_sheet": lambda: viz.face_sheet(FRAMES, titles=["a", "b", "c"], columns=2, heading="faces"),
    "pair_strip": lambda: viz.pair_strip(FRAMES, FRAMES[::-1], FLOW, np.abs(FLOW[:, 0]), titles=["a", "b", "c"]),
    "pair_strip_frames_only": lambda: viz.pair_strip(FRAMES, FRAMES[::-1]),
    "flow_figure": lambda: viz.flow_figure(FRAMES[0], FLOW[0], FLOW[1]),
    "action_unit_sheet": lambda: viz.action_unit_sheet(FRAMES[0], FRAMES, FLOW, ["AU1", "AU2", "AU4"], columns=2),
    "clip_strip": lambda: viz.clip_strip(np.repeat(FRAMES, 4, axis=0), onset=2, apex=5, offset=9, fps=30),
    "swap_grid": lambda: viz.swap_grid(FRAMES[:2], FRAMES, RNG.integers(0, 256, (2, 3, 32, 32, 3), dtype=np.uint8)),
    "swap_grid_changes": lambda: viz.swap_grid(
        FRAMES[:1], FRAMES, FRAMES[None], change=FLOW[None, :, 0], true_change=FLOW[None, :, 1]
    ),
    "swap_strip": lambda: viz.swap_strip(*FRAMES, FLOW[0, 0], FLOW[0, 1]),
    "swap_strip_truth": lambda: viz.swap_strip(*FRAMES, FLOW[0, 0], FLOW[0, 1], FRAMES[1]),
    "loss_weight_bars": lambda: viz.loss_weight_bars(LOSSES, np.eye(2), {"cycle": 1.0, "emotion": 0.0}),
    "clip_timeline": lambda: viz.clip_timeline(FRAMES, 1, np.arange(3), 30, 0, {"true": 1, "spotted": 2}),
    "attention_maps": lambda: viz.attention_maps(FRAMES, RNG.random((3, 256, 4, 4)), ["a", "b", "c"]),
    "loss_curves": lambda: viz.loss_curves(history()),
    "embedding": lambda: viz.embedding(
        RNG.normal(size=(30, 2)), {"emotion": ["a", "b", "c"] * 10, "subject": np.arange(30)}
    ),
    "confusion_pair": lambda: viz.confusion_pair(np.diag([5, 0, 2]), NAMES, STATED),
    "parameter_bars": lambda: viz.parameter_bars(
        pd.DataFrame({"parameters": [10, 20, 30]}, index=["encoder", "generator", "total"]), stated={"all": 25.0}
    ),
    "forest": lambda: viz.forest(scores(), metrics=["UF1"], lines={"chance": 1 / 3}),
    "report_forest": lambda: viz.report_forest(report()),
    "attribution_grid": lambda: viz.attribution_grid(FRAMES, FLOW, {"I": RNG.random((3, 4, 4))}, ["a", "b", "c"]),
    "attribution_grid_of_one": lambda: viz.attribution_grid(
        FRAMES[:1], FLOW[:1], {"I": np.zeros((1, 4, 4)), "II": RNG.random((1, 32, 32))}, ["fear"]
    ),
    "attribution_forest": lambda: viz.attribution_forest(attribution()),
    "probe_forest": lambda: viz.probe_forest(probe_answers()),
    "swap_bars": lambda: viz.swap_bars(swap_table()),
    "prediction_strip": lambda: viz.prediction_strip(
        FRAMES, FRAMES[::-1], FLOW, np.full((3, 3), 1 / 3), NAMES, np.arange(3), ["a", "b", "c"]
    ),
}


# of each figure: visible axes (colour bars too), images, and a text (what they show: test_figure_data.py)
SHOWN = {
    "face_sheet": (3, 3, "b"),
    "pair_strip": (18, 15, "apex - onset"),
    "pair_strip_frames_only": (10, 9, "apex - onset"),
    "flow_figure": (10, 8, "true flow"),
    "action_unit_sheet": (7, 9, "AU2"),
    "clip_strip": (13, 12, "apex\n0.17 s"),
    "swap_grid": (11, 11, "motion from"),
    "swap_grid_changes": (14, 13, "true\nchange"),
    "swap_strip": (6, 5, "identity from"),
    "swap_strip_truth": (10, 8, "rendered truth"),
    "loss_weight_bars": (2, 0, "100%"),
    "clip_timeline": (4, 2, "0.03 s (frame 1)"),
    "attention_maps": (7, 9, "b"),
    "loss_curves": (2, 0, "reconstruction"),
    "embedding": (2, 0, "coloured by emotion"),
    "confusion_pair": (3, 2, "100%\n5"),
    "parameter_bars": (2, 0, "total 30"),
    "score_forest": (1, 0, "0.600"),
    "report_forest": (1, 0, "0.90"),
    "attribution_grid": (11, 12, "flow (pixels)"),
    "attribution_grid_of_one": (5, 6, "fear"),
    "attribution_forest": (1, 0, "0.400"),
    "probe_forest": (3, 0, "action units\n$R^2$"),
    "swap_bars": (1, 0, "squared error of the change,\nmultiple of a copy's"),
    "prediction_strip": (12, 9, " 0.33"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_panels_and_is_made_without_pyplot(name):
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    assert figure.get_figwidth() <= viz.WIDTH + 0.3
    figure.savefig(io.BytesIO(), format="png")
    panels, images, text = SHOWN[name]
    axes = [ax for ax in figure.axes if ax.get_visible()]
    assert len(axes) == panels and sum(len(ax.images) for ax in axes) == images
    labels = [(ax.get_title(), ax.get_xlabel(), ax.get_ylabel(), *(t.get_text() for t in ax.texts)) for ax in axes]
    assert text in [label for of_one in labels for label in of_one]
    assert plt.get_fignums() == []  # nothing stays open, nothing is shown twice


def test_confusion_pair_shows_rates_counts_and_only_the_stated_cells():
    ours, paper, _ = FIGURES["confusion_pair"]().axes
    assert "100%\n5" in [text.get_text() for text in ours.texts]
    stated = [text.get_text() for text in paper.texts]
    assert {"77%", "47%", "38%"} < set(stated)
    assert stated.count("not\nstated") == 6


def test_confusion_pair_refuses_rates_of_other_classes():
    with pytest.raises(DataError, match="contempt"):
        viz.confusion_pair(np.eye(3, dtype=int), NAMES, {"contempt": {"contempt": 0.21}})


def test_loss_curves_draw_one_panel_a_loss():
    titles = [ax.get_title() for ax in viz.loss_curves(history()).axes if ax.get_visible()]
    assert titles == ["reconstruction", "emotion"]


def test_loss_curves_say_what_is_no_loss_before_its_weight():
    figure = viz.loss_curves(history().assign(active_fraction=0.5, total=1.0))
    titles = [ax.get_title() for ax in figure.axes if ax.get_visible()]
    assert titles[2:] == ["active fraction (share)", "total (weighted)"]


def test_embedding_draws_every_group_with_a_mark_of_its_own():
    for groups in (3, 25, 100):
        points = RNG.normal(size=(2 * groups, 2))
        ax = viz.embedding(points, {"subject": np.arange(2 * groups) % groups}).axes[0]
        looks = {(*c.get_facecolor()[0], c.get_paths()[0].vertices.tobytes()) for c in ax.collections}
        assert len(looks) == len(ax.collections) == groups
        assert len({look[:4] for look in looks}) < 10  # more colours cannot be told apart


def test_signed_maps_are_drawn_around_zero_and_the_bar_is_as_see_through_as_they_are():
    maps = RNG.random((3, 4, 4))
    for values, cmap in ((maps - 0.3, "RdBu_r"), (maps, "inferno")):
        figure = viz.attention_maps(FRAMES, values)
        drawn = [image for ax in figure.axes for image in ax.images if image.get_cmap().name == cmap]
        assert len(drawn) == 3
        low, high = drawn[0].get_clim()
        assert (low == -high) == (cmap == "RdBu_r") and low <= values.min() and high >= values.max()
        assert drawn[0].get_alpha() in [part.get_alpha() for part in figure.axes[-1].collections]


@pytest.mark.parametrize("largest", [0.9, 9.5])
def test_report_forest_can_be_read_between_zero_and_one(largest):
    table = report().assign(value=[0.02, largest], low=[0.01, largest], high=[0.03, largest])
    ax = viz.report_forest(table).axes[0]
    assert sum(0 <= tick <= 1 for tick in ax.get_xticks()) >= 3
    assert ax.get_xscale() == ("linear" if largest < 1 else "symlog")


@pytest.mark.parametrize("name", ["report_forest", "forest", "attribution_forest"])
def test_no_line_strikes_a_number_through(name):
    ax = FIGURES[name]().axes[0]
    assert len(ax.texts) == 2 and all(text.get_path_effects() for text in ax.texts)
    assert min(text.get_zorder() for text in ax.texts) > max(line.get_zorder() for line in ax.lines)


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


def test_parameter_bars_have_the_colours_of_their_segments():
    above, below = FIGURES["parameter_bars"]().axes
    colours = [bar.get_facecolor() for bar in above.patches]
    assert colours == [bar.get_facecolor() for bar in below.patches] and len(set(colours)) == 2


def test_arrows_point_where_the_skin_goes():
    """A flow to the right and down: arrows in image coordinates, in which y runs down."""
    figure = viz.flow_figure(FRAMES[0], np.ones((2, 32, 32), np.float32))
    arrows = figure.axes[0].collections[0]
    assert arrows.angles == "xy" and (arrows.U > 0).all() and (arrows.V > 0).all()
    low, high = figure.axes[0].get_ylim()
    assert low > high  # y runs down


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.face_sheet(FRAMES.astype(np.float32)),
        lambda: viz.face_sheet(FRAMES, titles=["one"]),
        lambda: viz.pair_strip(FRAMES, FRAMES[:2]),
        lambda: viz.swap_grid(FRAMES, FRAMES, FRAMES[None]),
        lambda: viz.embedding(RNG.normal(size=(5, 3)), {"emotion": range(5)}),
        lambda: viz.loss_curves(history()[["stage", "step"]]),
        lambda: viz.attribution_grid(FRAMES, FLOW, {"I": RNG.random((2, 4, 4))}, ["a", "b", "c"]),
        lambda: viz.attribution_forest(attribution().drop(columns="true motion")),
        lambda: viz.probe_forest(probe_answers().drop(columns="chance")),
        lambda: viz.probe_forest(pd.concat([probe_answers().assign(model=str(k)) for k in range(11)])),
        lambda: viz.swap_strip(*FRAMES, FLOW[0, 0], FLOW[0, 1], FRAMES[0, :16]),
        lambda: viz.swap_bars(swap_table().drop(columns="low")),
        lambda: viz.forest(scores(), metrics=["UAR"]),
        lambda: viz.prediction_strip(FRAMES, FRAMES, FLOW[:2], np.eye(3), NAMES, [0, 1, 2]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call):
    with pytest.raises(DataError):
        call()


def test_as_frames_turns_network_output_into_frames():
    images = torch.tensor([[[[0.0, 1.0]], [[0.5, 2.0]], [[-1.0, 0.2]]]])  # [1, 3, 1, 2]
    assert as_frames(images).tolist() == [[[[0, 128, 0], [255, 255, 51]]]]


def test_alignment_sheet_marks_the_landmarks_on_the_view_and_shows_the_face_below():
    points = [RNG.uniform(4, 28, (5, 2)) for _ in FRAMES]
    views = [FRAMES[0], FRAMES[1], np.repeat(FRAMES[2], 2, axis=0)]  # sizes may differ
    axes = viz.alignment_sheet(views, points, FRAMES, ["a", "b", "c"]).axes
    assert [ax.get_title() for ax in axes[:3]] == ["a", "b", "c"]
    np.testing.assert_allclose(axes[1].collections[0].get_offsets(), points[1])
    np.testing.assert_array_equal(axes[4].images[0].get_array(), FRAMES[1])
    with pytest.raises(DataError, match="landmarks"):
        viz.alignment_sheet(views, points[:2], FRAMES, ["a", "b", "c"])


def test_nose_paths_begin_at_zero_and_measure_from_there():
    before = np.array([[60.0, 70.0], [63.0, 74.0]])
    place, time = viz.nose_paths(before, before[[0, 0]], fps=10).axes
    assert [line.get_label() for line in time.lines] == ["as filmed", "aligned"]
    np.testing.assert_allclose(time.lines[0].get_xydata(), [[0, 0], [0.1, 5]])
    np.testing.assert_allclose(time.lines[1].get_ydata(), 0)
    np.testing.assert_allclose(place.lines[0].get_xydata(), [[0, 0], [3, 4]])


def test_clip_answer_says_every_probability_and_names_every_map():
    maps = {"motion": RNG.random((4, 4)), "flow": RNG.random((14, 14))}
    axes = viz.clip_answer(FRAMES[0], FRAMES[1], FLOW[0], maps, np.array([0.7, 0.2, 0.1]), NAMES).axes
    scale = "(own scale, bright: more)"
    assert [ax.get_title() for ax in axes[3:5]] == [f"Grad-CAM, motion\n{scale}", f"Grad-CAM, flow\n{scale}"]
    assert [text.get_text() for text in axes[-1].texts] == ["0.70", "0.20", "0.10"]
    assert [label.get_text() for label in axes[-1].get_yticklabels()] == list(NAMES)
    with pytest.raises(DataError):
        viz.clip_answer(FRAMES[0], FRAMES[1], FLOW[0], maps, np.array([0.7, 0.3]), NAMES)


def inflation() -> pd.DataFrame:
    scores = [("honest", 0.6, 0.5, 0.7), ("best epoch", 0.65, 0.55, 0.75), ("lucky seed", 0.61, 0.5, 0.7)]
    added = [("honest", 0, 0, 0), ("best epoch", 0.05, 0.02, 0.08), ("lucky seed", 0.01, -0.01, 0.03)]
    rows = [(name, "UF1", "", *numbers, "") for name, *numbers in scores]
    return tidy(rows + [(name, "UF1", "", *numbers, "honest") for name, *numbers in added])


def test_a_forest_of_differences_takes_the_rows_of_its_reference():
    table = tidy([*scores().itertuples(index=False), ("full", "UF1", "", 0.34, 0.2, 0.4, "majority")])
    (ax,) = viz.forest(table, ["UF1"], against="majority", lines={"no difference": 0}).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["full"]
    assert [text.get_text() for text in ax.texts] == ["0.340"]
    assert ax.get_xlabel().startswith("UF1 - majority (")


def test_inflation_forest_says_scores_and_gains_and_leaves_unsure_marks_hollow():
    score, added = viz.inflation_forest(inflation()).axes
    assert [text.get_text() for text in score.texts] == ["0.600", "0.650", "0.610"]
    assert [text.get_text() for text in added.texts] == ["+0.050", "+0.010"]
    marks = [line for line in added.lines if line.get_marker() == "o"]
    assert [mark.get_markerfacecolor() == "white" for mark in marks] == [False, True]


def test_score_steps_lead_from_the_honest_score_to_the_reported_one():
    ax = viz.score_steps({"honest": 0.5, "lucky": 0.56, "unlucky": 0.53}).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["honest", "lucky", "unlucky", "reported"]
    assert [text.get_text() for text in ax.texts] == ["+0.060", "-0.030", "0.500", "0.530"]
    still = viz.score_steps({"honest": 0.5, "unlucky": 0.4999}).axes[0]
    assert still.texts[0].get_text() == "+0.000"
    with pytest.raises(DataError, match="1 steps"):
        viz.score_steps({"honest": 0.5})


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


def test_recall_marks_draw_a_mark_a_model_and_only_what_the_paper_states():
    recalls = {"plain": np.array([0.9, 0.2, 0.7]), "weighted": np.array([0.8, np.nan, 0.7])}
    ax = viz.recall_marks(recalls, NAMES, (457, 55, 187), {"its data": {"positive": 0.38, "fear": 0.5}}).axes[0]
    marks = {line.get_label(): line.get_ydata() for line in ax.lines if not line.get_label().startswith("_")}
    np.testing.assert_array_equal(marks["plain"], recalls["plain"])
    np.testing.assert_array_equal(marks["weighted"], recalls["weighted"])
    lines = ax.collections[0]
    assert lines.get_label() == "the paper, its data" and len(lines.get_segments()) == 1  # fear is no class here
    np.testing.assert_allclose(lines.get_segments()[0], [[0.58, 0.38], [1.42, 0.38]])
    assert "positive\n(55)" in [label.get_text() for label in ax.get_xticklabels()]
    with pytest.raises(DataError):
        viz.recall_marks({"plain": [0.5]}, NAMES)


def ablations() -> pd.DataFrame:
    settings = {"I": "motion encoder only", "II": "b", "III": "c", "IV": "d"}
    rows = [(setting, "UF1", "", 0.5, 0.4, 0.6, "") for setting in settings]
    rows += [("II", "UF1", "", 0.1, 0.05, 0.2, "above"), ("III", "UF1", "", -0.1, -0.15, -0.05, "above")]
    table = tidy([*rows, ("IV", "UF1", "", 0.0, -0.1, 0.1, "above")])
    return table.assign(what=table["model"].map(settings))


def test_ablation_forest_says_where_each_step_goes_and_where_the_papers_went():
    figure = viz.ablation_forest(ablations(), title="Table 4", stated={"II": 0.0136})
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()][1] == "II: b"
    assert left.get_ylim()[0] > left.get_ylim()[1]  # the paper's order, from top to bottom
    assert [text.get_text() for text in right.texts] == ["+0.100", "-0.100", "+0.000", "nothing above"]
    assert [line.get_marker() for line in right.lines if line.get_marker() in tuple("^voD")] == ["^", "D", "v", "o"]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["up", "down", "not distinguishable", "the paper, on its own data"]


def test_ablation_forest_refuses_a_table_without_steps():
    with pytest.raises(DataError, match="no steps in UF1 from above"):
        viz.ablation_forest(ablations().query("against == ''"))
    with pytest.raises(DataError, match="UAR"):
        viz.ablation_forest(ablations(), metric="UAR")


def test_loss_weight_bars_share_out_the_gradient_of_the_sum():
    gradients = np.array([[2.0, 0.0], [-1.0, 1.0]])  # the second pulls against the first
    figure = viz.loss_weight_bars(LOSSES, gradients @ gradients.T, {"cycle": 2.0, "emotion": 0.5})
    left, right = figure.axes
    assert [bar.get_width() for bar in left.patches] == [1.0, 1.0]
    total = 2.0 * gradients[0] + 0.5 * gradients[1]  # [3.5, 0.5]
    shares = [w * g @ total / (total @ total) for w, g in zip((2.0, 0.5), gradients, strict=True)]
    np.testing.assert_allclose([bar.get_width() for bar in right.patches], shares)
    assert sum(shares) == pytest.approx(1) and shares[1] < 0
    assert [text.get_text() for text in right.texts] == ["112%", "-12%"]
    assert "sum 2" in left.get_xlabel()
    nothing = viz.loss_weight_bars(LOSSES, np.eye(2), {"cycle": 0.0, "emotion": 0.0}).axes[1]
    assert [text.get_text() for text in nothing.texts] == ["0%", "0%"]
    with pytest.raises(DataError, match="for 2 losses"):
        viz.loss_weight_bars(LOSSES, np.eye(3), LOSSES)
    with pytest.raises(DataError, match="rest"):
        viz.loss_weight_bars(LOSSES, np.eye(2), {"cycle": 1.0, "rest": 1.0})


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


def test_attribution_forest_has_a_row_a_map_and_a_mark_for_all_it_is_compared_with():
    figure = FIGURES["attribution_forest"]()
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["I: motion", "III: both"]
    assert [text.get_text() for text in ax.texts] == ["0.300", "0.400"]
    legend = " ".join(text.get_text() for text in figure.legends[0].get_texts())
    for name in ("chance", "mean map", "untrained", "true motion"):
        assert name in legend


def test_a_swap_says_how_far_it_and_a_copy_are_from_the_truth():
    black, grey = np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 10, np.uint8)
    change = np.zeros((32, 32))
    titles = [ax.get_title() for ax in viz.swap_strip(black, black, grey, change, change, 2 * grey).axes]
    assert "generated - truth\nmean error 10.00" in titles and "copied identity - truth\nmean error 20.00" in titles


def test_a_swap_that_changes_nearly_nothing_says_how_little():
    change = np.full((32, 32), -0.1)
    titles = [ax.get_title() for ax in viz.swap_strip(*FRAMES, change, 100 * change).axes]
    assert "generated change\nat most 0.1" in titles and "true change\nat most 10.0" in titles
