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


def test_a_point_has_the_colour_of_its_curve():
    rates = np.linspace(0, 0.2, 5)
    curves = {"plain": rates * 4, "better": rates * 5}
    (ax,) = trade_offs(curves, {"shifted": ("better", 0.1, 0.5)}, rates, "positive").axes
    assert ax.lines[2].get_color() == ax.lines[1].get_color() != ax.lines[0].get_color()
    with pytest.raises(DataError, match="no curve 'best'"):
        trade_offs(curves, {"shifted": ("best", 0.1, 0.5)}, rates, "positive")


def test_numbers_of_samples_are_the_ticks():
    rows = [("plain", 11, 0.8, 0.7, 0.9), ("plain", 44, 0.9, 0.8, 0.95), ("weighted", 44, 0.9, 0.8, 0.95)]
    (ax,) = by_number(pd.DataFrame(rows, columns=["model", "samples", "value", "low", "high"]), "area").axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["11", "44"]
