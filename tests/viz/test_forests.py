"""Forests: tables of numbers with their intervals."""

import pandas as pd
import pytest

from lfdtcmen import DataError, viz
from lfdtcmen.evaluation.results import COLUMNS
from tests.viz.figures import check_figure


def tidy(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def scores() -> pd.DataFrame:
    return tidy([("majority", "UF1", "", 0.26, 0.25, 0.27, ""), ("full", "UF1", "", 0.6, 0.5, 0.7, "")])


def attribution() -> pd.DataFrame:
    rows = [("I", "share", "motion", 0.3, 0.2, 0.4, ""), ("I", "share", "motion", 0.1, 0.0, 0.2, "uniform map")]
    compared = {"uniform map": 0.2, "mean map": 0.25, "untrained": 0.22, "true motion": 0.5}
    return tidy([*rows, ("III", "share", "both", 0.4, 0.3, 0.5, "")]).assign(**compared)


def inflation() -> pd.DataFrame:
    scores = [("honest", 0.6, 0.5, 0.7), ("best epoch", 0.65, 0.55, 0.75), ("lucky seed", 0.61, 0.5, 0.7)]
    added = [("honest", 0, 0, 0), ("best epoch", 0.05, 0.02, 0.08), ("lucky seed", 0.01, -0.01, 0.03)]
    rows = [(name, "UF1", "", *numbers, "") for name, *numbers in scores]
    return tidy(rows + [(name, "UF1", "", *numbers, "honest") for name, *numbers in added])


FIGURES = {
    "forest": lambda: viz.forest(scores(), metrics=["UF1"], lines={"chance level": 1 / 3}),
    "attribution_forest": lambda: viz.attribution_forest(attribution()),
}
# of each figure: visible axes, images, and a text
SHOWN = {
    "forest": (1, 0, "0.600"),
    "attribution_forest": (1, 0, "0.400"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_panels_and_is_made_without_pyplot(name):
    check_figure(FIGURES[name](), *SHOWN[name])


def test_a_difference_that_does_not_survive_the_correction_is_grey():
    rows = [("a", "UF1", "", 0.1, 0.05, 0.15, "b"), ("c", "UF1", "", 0.2, 0.1, 0.3, "b")]
    table = tidy(rows).assign(holm=[0.2, 0.01])
    kept, grey = (bars.lines[0] for bars in viz.forest(table, ["UF1"], "b").axes[0].containers)
    assert kept.get_xdata().tolist() == [0.2] and grey.get_xdata().tolist() == [0.1]
    assert kept.get_color() != grey.get_color() and (kept.get_ydata()[0], grey.get_ydata()[0]) == (1, 0)
    (all_alike, none) = (bars.lines[0] for bars in viz.forest(tidy(rows), ["UF1"], "b").axes[0].containers)
    assert len(all_alike.get_xdata()) == 2 and len(none.get_xdata()) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: viz.attribution_forest(attribution().drop(columns="true motion")),
        lambda: viz.forest(scores(), metrics=["UAR"]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call):
    with pytest.raises(DataError):
        call()


def test_a_forest_of_differences_takes_the_rows_of_its_reference():
    table = tidy([*scores().itertuples(index=False), ("full", "UF1", "", 0.34, 0.2, 0.4, "majority")])
    (ax,) = viz.forest(table, ["UF1"], against="majority", lines={"no difference": 0}).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["full"]
    assert [text.get_text() for text in ax.texts] == ["0.340"]
    assert ax.get_xlabel().startswith("UF1 minus majority\n(") and ax.get_xlabel().endswith("over subjects)")
    assert viz.forest(table, ["UF1"], over="receivers").axes[0].get_xlabel().endswith("over receivers)")
    long = table.assign(model=table["model"] + ", which has a long name")
    assert viz.forest(table, ["UF1"]).axes[0].get_xlabel().startswith("UF1 (")
    assert viz.forest(long, ["UF1"]).axes[0].get_xlabel().startswith("UF1\n(")


@pytest.mark.parametrize("name", ["forest", "attribution_forest"])
def test_no_line_strikes_a_number_through(name):
    ax = FIGURES[name]().axes[0]
    assert len(ax.texts) == 2 and all(text.get_path_effects() for text in ax.texts)
    assert min(text.get_zorder() for text in ax.texts) > max(line.get_zorder() for line in ax.lines)


def test_inflation_forest_says_scores_and_gains_and_leaves_unsure_marks_hollow():
    score, added = viz.inflation_forest(inflation()).axes
    assert [text.get_text() for text in score.texts] == ["0.600", "0.650", "0.610"]
    assert [text.get_text() for text in added.texts] == ["+0.050", "+0.010"]
    marks = [line for line in added.lines if line.get_marker() == "o"]
    assert [mark.get_markerfacecolor() == "white" for mark in marks] == [False, True]


def test_attribution_forest_has_a_row_a_map_and_a_mark_for_all_it_is_compared_with():
    figure = FIGURES["attribution_forest"]()
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["I: motion", "III: both"]
    assert [text.get_text() for text in ax.texts] == ["0.300", "0.400"]
    legend = " ".join(text.get_text() for text in figure.legends[0].get_texts())
    for name in ("uniform map", "mean map", "untrained", "true motion"):
        assert name in legend
