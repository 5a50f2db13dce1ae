"""Figures of matrices, resampled scores and recalls."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen.errors import DataError
from lfdtcmen.viz.matrices import marked_matrix, possible_scores, recall_intervals, resampled_scores

MATRIX = np.array([[3, 1, 2], [1, 1, 0], [0, 0, 2]])


def test_each_class_marks_its_own_row_and_column():
    axes = marked_matrix(MATRIX, ("a", "b", "c")).axes
    texts = [text.get_text() for text in axes[1].texts]
    assert texts == ["3", "1\nFP", "2", "1\nFN", "1\nTP", "0\nFN", "0", "0\nFP", "2"]
    with pytest.raises(DataError, match="2 names"):
        marked_matrix(MATRIX, ("a", "b"))


def test_recalls_without_interval_are_hollow_and_the_papers_have_a_panel_of_their_own():
    rows = [("mine", "a", 9, 0.5, 0.3, 0.7), ("the paper, X", "a", 0, 0.6, np.nan, np.nan)]
    table = pd.DataFrame(rows, columns=["model", "class", "samples", "recall", "low", "high"])
    mine, stated = recall_intervals(table, ["a", "b"]).axes
    assert "synthetic" in mine.get_title() and "other data" in stated.get_title()
    shown = [[line for line in ax.lines if line.get_label() in table["model"].tolist()] for ax in (mine, stated)]
    assert [[line.get_label() for line in lines] for lines in shown] == [["mine"], ["the paper, X"]]
    hollow = [line for line in stated.lines if line.get_markerfacecolor() == "white" and len(line.get_xdata())]
    assert len(hollow) == 1 and hollow[0].get_color() == "black"
    (alone,) = recall_intervals(table[:1], ["a"]).axes
    assert alone.get_title() == ""
    with pytest.raises(DataError, match="no classes"):
        recall_intervals(table, ["b"])


def test_intervals_are_written_above_histograms():
    figure = resampled_scores({"people": np.linspace(0, 1, 201), "clips": np.linspace(0.4, 0.6, 201)}, 0.5, "UF1")
    assert figure.axes[0].get_title() == "people resampled: 95 % interval 0.03 to 0.97 (grey)"


def test_the_truth_is_a_line_of_its_own_in_every_histogram():
    scores = {"people": np.linspace(0, 1, 201), "clips": np.linspace(0.4, 0.6, 201)}
    assert [len(ax.lines) for ax in resampled_scores(scores, 0.5, "UF1").axes] == [1, 1]
    figure = resampled_scores(scores, 0.5, "UF1", truth=0.6)
    assert [ax.lines[1].get_xdata()[0] for ax in figure.axes] == [0.6, 0.6]
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["this sample: 0.50", "truth: 0.60"]


def test_the_line_of_the_target_is_there_only_where_it_is_possible():
    grid = np.add.outer(np.linspace(0, 0.5, 5), np.linspace(0, 0.5, 6))
    inside, outside = possible_scores(grid, 0.5, "x", "y").axes[0], possible_scores(grid, 2.0, "x", "y").axes[0]
    assert len(inside.collections) == len(outside.collections) + 1
