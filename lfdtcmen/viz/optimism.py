"""Figures of scores that are too high, and of how sure a score is (4.2): chosen epochs, label habits, coverage."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH

LINES, MARKS = ("-", "--", ":", "-."), "osD^"
# split, choice -> label and style of the figure of chosen epochs
REPORTED: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("loso", "best"): ("LOSO, best epoch of each test person", {"color": PALETTE[3], "marker": "s"}),
    ("apart", "best"): (
        "5 folds, best epoch of each test fold",
        {"color": PALETTE[1], "marker": "D", "linestyle": "--"},
    ),
    ("loso", "last"): ("LOSO, last epoch", {"color": PALETTE[0], "marker": "o"}),
}


def best_of_looks(panels: Mapping[str, Mapping[str, np.ndarray]], true: float) -> Figure:
    """Plot the expected best accuracy over the number of epochs looked at, a panel per mapping, a line per entry.

    Parameters
    ----------
    panels : mapping
        Title -> label -> accuracy after 1, 2, ... looks, [epochs].
    true : float
        Accuracy at every epoch.
    """
    figure = Figure(figsize=(WIDTH, 3.2), dpi=DPI, layout="constrained")
    for ax, (title, curves) in zip(figure.subplots(1, len(panels), sharey=True), panels.items(), strict=True):
        for k, (label, values) in enumerate(curves.items()):
            looks = np.arange(1, len(values) + 1)
            ax.plot(looks, values, LINES[k % len(LINES)], color=PALETTE[k], linewidth=2, label=label)
        ax.axhline(true, color="black", linewidth=0.8, label="true accuracy")
        ax.set(title=title, xlabel="epochs looked at", xscale="log", ylim=(0.5, 1.02))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.legend(fontsize=9, frameon=False, loc="upper left")
        ax.grid(alpha=0.3)
    figure.axes[0].set_ylabel("accuracy of the best look")
    return figure


def right_or_wrong(right: np.ndarray) -> Figure:
    """Show which of a person's clips each epoch predicts correctly, its accuracy below, the best epochs marked.

    Parameters
    ----------
    right : ndarray
        bool [clips, epochs].
    """
    accuracy = right.mean(0)  # [epochs]
    epochs = np.arange(1, right.shape[1] + 1)
    figure = Figure(figsize=(WIDTH, 2.6 + 0.12 * len(right)), dpi=DPI, layout="constrained")
    grid, curve = figure.subplots(2, 1, sharex=True, height_ratios=(len(right), 6))
    colours = ListedColormap(["white", PALETTE[0]])
    extent = (0.5, right.shape[1] + 0.5, len(right) + 0.5, 0.5)
    grid.imshow(right, colours, aspect="auto", interpolation="nearest", extent=extent, vmin=0, vmax=1)
    grid.set(ylabel="clip", title="filled: predicted correctly")
    grid.set_yticks(np.arange(1, len(right) + 1))
    curve.plot(epochs, accuracy, ".-", color=PALETTE[0])
    best = accuracy == accuracy.max()
    curve.plot(epochs[best], accuracy[best], "*", color=PALETTE[3], markersize=11, label="best epochs")
    curve.plot(epochs[-1], accuracy[-1], "o", color="black", fillstyle="none", markersize=10, label="last epoch")
    curve.set(xlabel="epoch", ylabel="accuracy", ylim=(-0.05, 1.12))
    curve.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(*curve.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def chosen_epochs(table: pd.DataFrame) -> Figure:
    """Plot reported scores over the epochs looked at (left), and the same models' scores on fresh people (right).

    Parameters
    ----------
    table : DataFrame
        Columns: split, choice, epochs, reported, fresh; a row for each that :data:`REPORTED` names.

    Raises
    ------
    DataError
        A split or choice has no row.
    """
    figure = Figure(figsize=(WIDTH, 3.6), dpi=DPI, layout="constrained")
    titles = {"reported": "reported: people of the data set", "fresh": "the same models on fresh people"}
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for ax, (column, title) in zip(axes, titles.items(), strict=True):
        for (split, choice), (label, style) in REPORTED.items():
            rows = table[table["split"].eq(split) & table["choice"].eq(choice)].sort_values("epochs")
            if rows.empty:
                raise DataError(f"no row of {split}, {choice}", "chosen_epochs", "give the table of all splits")
            ax.plot(rows["epochs"], rows[column], label=label, **style)
        ax.set(title=title, xlabel="epochs looked at", xscale="log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("UF1 (mean over seeds)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def habit_gain(table: pd.DataFrame, real: float) -> Figure:
    """Plot what a split at random adds over the strength of label habits, a line per input.

    Parameters
    ----------
    table : DataFrame
        Columns: input, habit, added, low, high.
    real : float
        Strength of the habits of real people.
    """
    figure = Figure(figsize=(WIDTH, 3.3), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    for k, (name, rows) in enumerate(table.groupby("input", sort=False)):
        place = rows["habit"] + 0.008 * (k - 0.5)  # beside each other
        _error_bars(
            ax, place, rows["added"], rows, color=PALETTE[(0, 3)[k % 2]], fmt=f"{MARKS[k]}{LINES[k]}", label=name
        )
    ax.axhline(0, color="black", linewidth=0.8)
    ax.axvline(real, color=PALETTE[7], linestyle="--", label=f"real people (MEGC 2019): {real:.2f}")
    ax.set(xlabel="habit share: 0 no habits, 1 one class each", ylabel="UF1 added by a random split")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, loc="upper left")
    return figure


def coverage_curves(table: pd.DataFrame, found: Mapping[int, float], metric: str = "uf1") -> Figure:
    """Plot how often intervals contain the true value, and how often a true difference is found.

    Parameters
    ----------
    table : DataFrame
        Of ``experiments/coverage.py``: columns subjects, metric, of, coverage, low, high.
    found : mapping
        Number of subjects -> share of the intervals of a true difference that leave out 0.
    metric : {"uf1", "uar"}
    """
    figure = Figure(figsize=(WIDTH, 3.3), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True)
    rows = table[table["metric"].eq(metric)]
    labels = {"score": "of a score", "difference": "of a paired difference"}
    for k, (what, part) in enumerate(rows.groupby("of", sort=False)):
        place = part["subjects"] * 1.04 ** (2 * k - 1)  # beside each other
        style = {"color": PALETTE[k], "fmt": f"{MARKS[k]}{LINES[k]}", "label": labels[str(what)]}
        _error_bars(left, place, part["coverage"], part, **style)
    left.axhline(0.95, color="black", linestyle=":", label="what they promise")
    left.set(ylabel="intervals with the true value")
    left.legend(frameon=False, loc="lower right")
    right.plot(list(found), list(found.values()), "s-", color=PALETTE[1])
    right.set(ylabel="true difference found", ylim=(0, 1.03))
    ticks = sorted(rows["subjects"].unique())
    for ax in (left, right):
        ax.set(xscale="log", xlabel="people")
        ax.set_xticks(ticks, ticks)
        ax.minorticks_off()
        ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        ax.grid(alpha=0.3)
    return figure


def _error_bars(ax: Axes, x: pd.Series, y: pd.Series, rows: pd.DataFrame, **style: Any) -> None:
    """Plot values with the interval of their rows."""
    ax.errorbar(x, y, np.maximum([y - rows["low"], rows["high"] - y], 0), capsize=3, **style)
