"""Figures of how a score is made: the counts in a matrix, resampled scores, recalls with intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH

COUNTS = {"TP": PALETTE[2], "FN": PALETTE[1], "FP": PALETTE[4]}


def marked_matrix(matrix: np.ndarray, names: Sequence[str]) -> Figure:
    """Plot a confusion matrix once for each class, with the cells of its TP, FN and FP in colour (4.2).

    Parameters
    ----------
    matrix : ndarray
        Counts, int [C, C], a row for each true class.
    names : sequence of str
        Class names [C].
    """
    size = len(names)
    if np.shape(matrix) != (size, size):
        raise DataError(f"{size} names for a matrix of {list(np.shape(matrix))}", "marked_matrix")
    figure = Figure(figsize=(WIDTH, WIDTH / size + 0.3), dpi=DPI, layout="constrained")
    for c, ax in enumerate(figure.subplots(1, size, sharey=True)):
        for i, j in np.ndindex(size, size):
            kind = "TP" if i == j == c else "FN" if i == c else "FP" if j == c else ""
            colour = COUNTS.get(kind, "white")
            ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=colour, edgecolor="black", alpha=0.6))
            ax.text(j, i, f"{matrix[i][j]}\n{kind}".strip(), ha="center", va="center", fontsize=12)
        ax.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal", xlabel="predicted class")
        ax.set_title(f"counts of {names[c]}", fontsize=11)
        ax.set_xticks(range(size), names)
        ax.set_yticks(range(size), names)
    figure.axes[0].set_ylabel("true class")
    return figure


def resampled_scores(scores: Mapping[str, np.ndarray], score: float, name: str, truth: float | None = None) -> Figure:
    """Plot the scores of bootstrap resamples, a histogram for each way of resampling, with 95 % intervals.

    Parameters
    ----------
    scores : mapping
        What was resampled -> scores [R].
    score : float
        Of the sample itself.
    name : str
        Of the score, for the axis.
    truth : float, optional
        What the sample estimates, where it is known.
    """
    both = np.concatenate(list(scores.values()))
    edges = np.linspace(both.min(), both.max(), 41)
    figure = Figure(figsize=(WIDTH, 2.2 * len(scores)), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(scores), 1, sharex=True, squeeze=False)[:, 0]
    for k, (ax, (what, values)) in enumerate(zip(axes, scores.items(), strict=True)):
        low, high = np.quantile(values, [0.025, 0.975])
        ax.hist(values, edges, color=PALETTE[k], alpha=0.7)
        ax.axvspan(low, high, color="grey", alpha=0.2)
        ax.axvline(score, color="black", linestyle="--", linewidth=1.2, label=f"this sample: {score:.2f}")
        if truth is not None:
            ax.axvline(truth, color=PALETTE[3], linewidth=2.5, label=f"truth: {truth:.2f}")
        ax.set_title(f"{what} resampled: 95 % interval {low:.2f} to {high:.2f} (grey)", fontsize=10)
        ax.set_ylabel("resamples")
    axes[0].legend(fontsize=10, frameon=False)
    axes[-1].set_xlabel(name)
    return figure


def recall_intervals(table: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Plot recalls with their intervals, grouped by class, a mark per model; hollow where no interval is known.

    What the paper states is of other data, and has a panel of its own.

    Parameters
    ----------
    table : DataFrame
        Columns model, class, samples, recall, low, high
        (:func:`~lfdtcmen.evaluation.comparisons.recalls`). The paper's models begin with "the paper".
    names : sequence of str
        Class names, in the order to plot them.

    Raises
    ------
    DataError
        A class of the table is not in ``names``.
    """
    if unknown := set(table["class"]) - set(names):
        raise DataError(f"{sorted(unknown)} are no classes here", "recall_intervals")
    papers = table["model"].str.startswith("the paper")
    panels = {"our runs: synthetic faces": table[~papers], "the paper: other data": table[papers]}
    panels = {title: rows for title, rows in panels.items() if len(rows)}
    figure = Figure(figsize=(WIDTH, 1.8 + 2 * len(panels)), dpi=DPI, layout="constrained")
    for ax, (title, rows) in zip(figure.subplots(len(panels), squeeze=False)[:, 0], panels.items(), strict=True):
        _recalls(ax, rows, list(names), black=title.startswith("the paper"))
        if len(panels) > 1:
            ax.set_title(title, fontsize=10)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _recalls(ax: Axes, table: pd.DataFrame, names: list[str], black: bool) -> None:
    """Plot the recalls of one panel."""
    models = list(dict.fromkeys(table["model"]))
    for k, model in enumerate(models):
        rows = table[table["model"] == model]
        x = np.array([names.index(c) for c in rows["class"]]) + 0.8 * ((k + 0.5) / len(models) - 0.5)
        colour, marker = ("black", "DXd"[k % 3]) if black else (PALETTE[k % len(PALETTE)], "os^v<>P*"[k % 8])
        known = rows["low"].notna().to_numpy()
        ax.vlines(x[known], rows["low"][known], rows["high"][known], color=colour, linewidth=1.5)
        ax.plot(x[known], rows["recall"][known], marker, color=colour, label=model)
        ax.plot(x[~known], rows["recall"][~known], marker, color=colour, markerfacecolor="white")
    ax.set_xticks(range(len(names)), names)
    ax.set(ylabel="recall", ylim=(-0.03, 1.03), xlim=(-0.5, len(names) - 0.5))
    for c in range(1, len(names)):
        ax.axvline(c - 0.5, color="black", alpha=0.15, linewidth=0.8)
    ax.grid(axis="y", alpha=0.3)


def possible_scores(scores: np.ndarray, target: float, xlabel: str, ylabel: str) -> Figure:
    """Plot the scores of all matrices that two unknown counts allow, and the line on which a score is the target.

    Parameters
    ----------
    scores : ndarray
        [rows, columns]: of each pair of counts; the column is the count on the x-axis.
    target : float
        Score of the line.
    xlabel, ylabel : str
        What is counted.
    """
    figure = Figure(figsize=(WIDTH * 0.75, 3.4), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    filled = ax.contourf(scores, levels=12, cmap="cividis")
    if scores.min() < target < scores.max():
        ax.contour(scores, levels=[target], colors="white", linewidths=2.5)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    figure.colorbar(filled, label="UF1", ticks=MaxNLocator(6))
    return figure
