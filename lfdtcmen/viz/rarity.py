"""Figures of rare classes: their sizes, where a threshold lies, what it trades, what a number of samples is worth."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
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
            style = {"linestyle": LINES[k % len(LINES)], "color": PALETTE[2 + k % 6], "linewidth": 3.5 - 0.6 * k}
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
            ax.plot(table.index, table[exponent], label=f"$\\gamma$ = {exponent:g}", **style)
    left.set(xlabel="probability of the true class", ylabel="loss of the sample (nats)", ylim=(0, 4))
    right.axhline(0.5, color="black", linewidth=1)
    right.text(answers.index.max(), 0.47, "below: the rare class is predicted", ha="right", va="top")
    right.set(xlabel="share of the frequent class", ylabel="its best probability", ylim=(0.3, 1))
    left.legend(frameon=False)
    return figure


def trade_offs(curves: pd.DataFrame, points: pd.DataFrame, class_name: str) -> Figure:
    """Plot the share of a class that is found against the share of others that are taken for it.

    Parameters
    ----------
    curves : DataFrame
        Index: shares of false alarms; one column a model: the share found.
    points : DataFrame
        Of :func:`~lfdtcmen.evaluation.thresholds.matched_table`: where each model puts its threshold itself. The mark
        has the colour of the model's own curve, or of the first one, with which it is to be compared.
    class_name : str

    Raises
    ------
    DataError
        There is no curve, or the points are not of this class.
    """
    shown = points[points["part"] == class_name].drop_duplicates("model")
    if curves.empty or shown.empty:
        raise DataError(f"there is no curve, or no point of {class_name!r}", "trade_offs")
    figure = Figure(figsize=(WIDTH, 4.2), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    names = list(curves)
    for k, name in enumerate(names):
        ax.plot(curves.index, curves[name], linestyle=LINES[k % len(LINES)], color=PALETTE[k], linewidth=2, label=name)
    for k, row in enumerate(shown.to_dict("records")):
        own = row["model"] in names
        colour = PALETTE[names.index(row["model"]) if own else 0]
        style = {"color": colour, "markersize": 10, "markeredgecolor": "black", "linestyle": "none"}
        label = None if own else row["model"]
        ax.plot(row["false_alarms"], row["recall"], marker="osD^vP*X<>"[k % 10], label=label, **style)
    ax.set(xlabel=f"false alarms: share of the others predicted as {class_name}", ylabel=f"share of {class_name} found")
    ax.set(xlim=(0, curves.index.max()), ylim=(0, 1.02))
    ax.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False, labelspacing=0.9)
    return figure


def by_number(table: pd.DataFrame, ylabel: str) -> Figure:
    """Plot a measure against how much of the training clips was used, with intervals, one line a way of training.

    Parameters
    ----------
    table : DataFrame
        Tidy rows whose models are named "plain, half": the way of training, and the part. Differences are left out.
    ylabel : str
        What was measured.

    Raises
    ------
    DataError
        A model's name has no comma.
    """
    rows = table[table["against"] == ""]
    if not rows["model"].str.contains(", ").all():
        raise DataError("a model is named without its part", "by_number", 'name it such as "plain, half"')
    ways, parts = (rows["model"].str.split(", ").str[k] for k in (0, 1))
    order = list(dict.fromkeys(parts))
    figure = Figure(figsize=(WIDTH, 3.2), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    for k, (way, own) in enumerate(rows.groupby(ways, sort=False)):
        x = np.array([order.index(part) for part in parts[own.index]]) + 0.08 * (k - 0.5)
        error = [own["value"] - own["low"], own["high"] - own["value"]]
        ax.errorbar(x, own["value"], error, fmt=f"{'osD^'[k % 4]}{('-', '--', ':')[k % 3]}", capsize=4, label=way)
    ax.set_xticks(range(len(order)), order)
    ax.set(xlabel="part of the training clips of every class", ylabel=ylabel)
    ax.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False)
    return figure
