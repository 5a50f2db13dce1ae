"""Figures of rare classes: their sizes, where a threshold lies, what it trades, what a number of samples is worth."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import norm

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH

LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)))


def class_sizes(sets: Mapping[str, Mapping[str, int]]) -> Figure:
    """Plot the samples of each class of several sets, a panel a set; the title has the largest divided by the smallest.

    Parameters
    ----------
    sets : mapping
        Set -> class -> samples.

    Raises
    ------
    DataError
        No set, or a class without samples.
    """
    if not sets or any(min(sizes.values()) < 1 for sizes in sets.values()):
        raise DataError("each class needs at least one sample", "class_sizes")
    figure = Figure(figsize=(WIDTH, 2.9), dpi=DPI, layout="constrained")
    for ax, (title, sizes) in zip(figure.subplots(1, len(sets), squeeze=False)[0], sets.items(), strict=True):
        most, least = max(sizes.values()), min(sizes.values())
        colours = [PALETTE[1] if size == least else PALETTE[0] for size in sizes.values()]
        ax.bar_label(ax.barh(list(sizes), list(sizes.values()), color=colours), padding=2)
        ax.set(title=f"{title}\n{most / least:.1f} to 1", xlabel="samples", xlim=(0, 1.3 * most))
        ax.title.set_fontsize(10)
        ax.invert_yaxis()
    return figure


def two_classes(share: float, edges: Mapping[str, float], scores: bool = False) -> Figure:
    """Plot a frequent and a rare class on one feature, and where classifiers put the edge between them.

    Both are normal with variance 1, the frequent one around -1, the rare one around +1; a sample above the edge is
    predicted as rare.

    Parameters
    ----------
    share : float
        Of the frequent class, in (0, 1).
    edges : mapping
        Classifier -> its edge.
    scores : bool
        Add a panel with UF1 and UAR of every edge.

    Raises
    ------
    DataError
        ``share`` is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise DataError(f"a share of {share}", "two_classes", "give one between 0 and 1")
    figure = Figure(figsize=(WIDTH, 3.6), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, 2 if scores else 1, squeeze=False)[0]
    x = np.linspace(-4, 4, 401)
    for k, (name, part, centre) in enumerate((("frequent", share, -1), ("rare", 1 - share, 1))):
        axes[0].fill_between(x, part * norm.pdf(x, centre), color=PALETTE[k], alpha=0.5, label=f"{name}, {part:.0%}")
    axes[0].set(xlabel="feature x", ylabel="density of samples", xlim=(-4, 4), ylim=(0, None))
    if scores:
        for name, values, line in zip(("UF1", "UAR"), edge_scores(share, x), ("-", "--"), strict=True):
            axes[1].plot(x, values, line, color="black", label=name)
        axes[1].set(xlabel="edge: rare is predicted above it", ylabel="score", xlim=(-1.5, 2.5), ylim=(0.5, 1))
    for k, (name, edge) in enumerate(edges.items()):
        for ax in axes:
            style = {"linestyle": LINES[k % len(LINES)], "color": PALETTE[2 + k % 6], "linewidth": 4 - 0.6 * k}
            ax.axvline(edge, label=name if ax is axes[0] else None, **style)
    handles = [h for ax in axes for h in ax.get_legend_handles_labels()[0]]
    figure.legend(handles, [h.get_label() for h in handles], loc="outside lower center", ncols=3, frameon=False)
    return figure


def edge_scores(share: float, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return UF1 and UAR of edges between the two classes of :func:`two_classes`, exactly: for endless samples."""
    right = np.stack([share * norm.cdf(edge + 1), (1 - share) * norm.sf(edge - 1)])  # [2, ...]: frequent, rare
    wrong = share + (1 - share) - right.sum(0)
    true = np.array([share, 1 - share]).reshape(2, *[1] * np.ndim(edge))
    return (2 * right / (2 * right + wrong)).mean(0), (right / true).mean(0)


def focal_curves(losses: pd.DataFrame, answers: pd.DataFrame) -> Figure:
    """Plot the focal loss of a sample, and what it answers where features tell nothing, a line for each exponent.

    Parameters
    ----------
    losses : DataFrame
        Index: probability of the true class; columns: exponents; nats.
    answers : DataFrame
        Index: share of the frequent class; columns: the same exponents; the best probability of that class.
    """
    figure = Figure(figsize=(WIDTH, 3.3), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2)
    for ax, table in ((left, losses), (right, answers)):
        for k, exponent in enumerate(table):
            style = {"color": PALETTE[k], "linestyle": LINES[k % len(LINES)], "linewidth": 2}
            ax.plot(table.index, table[exponent], label=f"$\\gamma$ = {exponent}", **style)
    left.set(xlabel="probability of the true class", ylabel="loss of the sample (nats)", ylim=(0, 4))
    right.axhline(0.5, color="black", linewidth=1)
    right.text(answers.index.max(), 0.47, "below: the rare class is predicted", ha="right", va="top")
    right.set(xlabel="share of the frequent class", ylabel="its best probability", ylim=(0.3, 1))
    left.legend(frameon=False)
    return figure


def trade_offs(
    curves: Mapping[str, np.ndarray], points: Mapping[str, tuple[str, float, float]], rates: np.ndarray, class_name: str
) -> Figure:
    """Plot the share of a class that is found against the share of others that are taken for it.

    Parameters
    ----------
    curves : mapping
        Model -> share found at each of ``rates``, [G].
    points : mapping
        Model -> (name of the curve that it is to be compared with, false alarms, share found), where it puts the
        threshold itself; it has that curve's colour.
    rates : ndarray
        Shares of false alarms, [G].
    class_name : str

    Raises
    ------
    DataError
        A point names no curve.
    """
    if unknown := [curve for curve, _, _ in points.values() if curve not in curves]:
        raise DataError(f"there is no curve {unknown[0]!r}", "trade_offs", f"curves: {', '.join(curves)}")
    figure = Figure(figsize=(WIDTH, 4.2), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    for k, (name, found) in enumerate(curves.items()):
        ax.plot(rates, found, linestyle=LINES[k % len(LINES)], color=PALETTE[k], linewidth=2, label=name)
    for k, (name, (curve, alarms, found)) in enumerate(points.items()):
        colour = PALETTE[list(curves).index(curve)]
        style = {"color": colour, "markersize": 10, "markeredgecolor": "black", "linestyle": "none"}
        ax.plot(alarms, found, marker="osD^vP*X<>"[k % 10], label=name, **style)
    ax.set(xlabel=f"false alarms: share of the others predicted as {class_name}", ylabel=f"share of {class_name} found")
    ax.set(xlim=(0, rates[-1]), ylim=(0, 1.02))
    ax.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False, labelspacing=0.9)
    return figure


def by_number(table: pd.DataFrame, ylabel: str) -> Figure:
    """Plot a measure against the number of samples of a class in training, with intervals, one line a model.

    Parameters
    ----------
    table : DataFrame
        Columns model, samples, value, low, high.
    ylabel : str
        What was measured.
    """
    figure = Figure(figsize=(WIDTH, 3.4), dpi=DPI, layout="constrained")
    ax: Axes = figure.subplots()
    for k, (model, rows) in enumerate(table.groupby("model", sort=False)):
        x = rows["samples"] * 1.03 ** (k - 0.5)  # so that intervals do not lie on each other
        error = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        ax.errorbar(x, rows["value"], error, fmt=f"{'osD^'[k % 4]}{('-', '--', ':')[k % 3]}", capsize=4, label=model)
    ticks: Sequence = sorted(set(table["samples"]))
    ax.set_xscale("log")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set(xlabel="samples of the class in training, mean of the folds", ylabel=ylabel)
    ax.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False)
    return figure
