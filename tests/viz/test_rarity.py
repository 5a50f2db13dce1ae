"""Figures of rare classes."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.metrics import uar, uf1
from lfdtcmen.viz.rarity import by_number, class_sizes, edge_scores, focal_curves, trade_offs, two_classes


def test_sizes_say_how_uneven_they_are():
    first, second = class_sizes({"ours": {"a": 80, "b": 10}, "theirs": {"a": 5, "b": 5}}).axes
    assert first.get_title() == "ours\n8.0 to 1" and second.get_title() == "theirs\n1.0 to 1"
    with pytest.raises(DataError, match="at least one sample"):
        class_sizes({"ours": {"a": 3, "b": 0}})


def test_scores_of_an_edge_are_those_of_many_samples():
    rng = np.random.default_rng(0)
    label = np.repeat([0, 1], [90_000, 10_000])
    x = rng.normal(2 * label - 1)
    for edge in (0.0, 1.1):
        found = edge_scores(0.9, np.array(edge))
        predicted = (x > edge).astype(int)
        np.testing.assert_allclose(found, [uf1(label, predicted, 2), uar(label, predicted, 2)], atol=0.01)


def test_each_edge_is_a_line_in_each_panel():
    edges = {"plain": 1.1, "weighted": 0.0}
    assert [len(ax.lines) for ax in two_classes(0.9, edges).axes] == [2]
    assert [len(ax.lines) for ax in two_classes(0.9, edges, scores=True).axes] == [2, 4]
    with pytest.raises(DataError, match="a share of 1"):
        two_classes(1, edges)


def test_there_is_a_line_for_each_exponent():
    table = pd.DataFrame({0: [1.0, 2.0], 2: [0.5, 1.0]}, index=[0.5, 0.9])
    assert [len(ax.lines) for ax in focal_curves(table, table).axes] == [2, 3]


def test_a_point_has_the_colour_of_its_own_curve_or_of_the_first():
    rates = np.linspace(0, 0.2, 5)
    curves = pd.DataFrame({"plain": rates * 4, "better": rates * 5}, rates)
    rows = [
        (model, part, 0.1, 0.4) for model in ("better", "shifted") for part in ("positive", "all") for _ in range(2)
    ]
    points = pd.DataFrame(rows, columns=["model", "part", "false_alarms", "recall"])
    (ax,) = trade_offs(curves, points, "positive").axes
    colours = [line.get_color() for line in ax.lines]
    assert colours[2] == colours[1] != colours[0] == colours[3]
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == ["plain", "better", "shifted"]
    with pytest.raises(DataError, match="no point of 'negative'"):
        trade_offs(curves, points, "negative")


def test_parts_of_the_clips_are_the_ticks_and_ways_of_training_the_lines():
    models = [f"{way}, {part}" for way in ("plain", "weighted") for part in ("half", "all")]
    rows = [(model, 0.8, 0.7, 0.9, against) for model in models for against in ("", "plain, all")]
    table = pd.DataFrame(rows, columns=["model", "value", "low", "high", "against"])
    (ax,) = by_number(table, "area").axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["half", "all"]
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == ["plain", "weighted"]
    with pytest.raises(DataError, match="without its part"):
        by_number(table.assign(model="plain"), "area")
