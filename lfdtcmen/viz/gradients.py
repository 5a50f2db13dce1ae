"""Figures of several losses that pull at the same weights (3.2, 4.4): what each one adds to their common gradient.

With gradients g_i (each times its weight) and g = sum of g_i, the *share* of loss i is <g_i, g> / <g, g>: its
projection onto g. All shares add up to 1.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH, frame_arrows


def projections(gradients: np.ndarray, names: Sequence[str]) -> Figure:
    """Plot gradients in two dimensions, their sum, and the projection of each onto the sum.

    Parameters
    ----------
    gradients : ndarray
        Each loss's gradient times its weight, [L, 2].
    names : sequence of str
        Of the losses, [L].

    Raises
    ------
    DataError
        Another shape, or a sum of length 0.
    """
    gradients = np.asarray(gradients, np.float64)
    if gradients.shape != (len(names), 2):
        raise DataError(f"gradients {list(gradients.shape)} for {len(names)} losses", "projections", "give [L, 2]")
    total = gradients.sum(0)
    if not total.any():
        raise DataError("the gradients cancel each other: no sum to project onto", "projections")
    shares = gradients @ total / (total @ total)
    figure = Figure(figsize=(5.6, 3.6), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0}
    ends = [(total, "black", "the sum", 3.0)]
    ends += [(g, PALETTE[k], f"{names[k]}: share {shares[k]:+.2f}", 2.0) for k, g in enumerate(gradients)]
    for end, colour, name, width in ends:
        ax.annotate("", end, (0, 0), arrowprops={**arrow, "color": colour, "linewidth": width, "mutation_scale": 18})
        ax.plot([], [], color=colour, linewidth=width, label=name)
    if shares.min() < 0:
        ax.plot(*np.stack([np.zeros(2), shares.min() * total], axis=1), "--", color="black", linewidth=1)
    for k, (gradient, share) in enumerate(zip(gradients, shares, strict=True)):
        foot = share * total
        ax.plot(*np.stack([gradient, foot], axis=1), ":", color=PALETTE[k])
        ax.plot(*foot, "o", color=PALETTE[k], markersize=7)
    points = np.vstack([gradients, total, shares[:, None] * total, np.zeros(2)])
    frame_arrows(ax, points, "gradient of the first parameter", "gradient of the second")
    figure.legend(loc="outside right upper", fontsize=10, frameon=False)
    return figure


def sum_and_gradient(values: np.ndarray, shares: np.ndarray, names: Sequence[str]) -> Figure:
    """Compare how much of a weighted sum each loss makes up with how much of the sum's gradient.

    Parameters
    ----------
    values : ndarray
        Each loss times its weight, 0 or more, in each batch, [K, L].
    shares : ndarray
        Share of each loss in the gradient of each batch, [K, L]: 1 in total, single ones may be negative.
    names : sequence of str
        Of the losses, [L].

    Returns
    -------
    Figure
        One row a loss, in per cent. Left: bars, share of the sum over all batches. Right: a dot for each batch, a line
        at the median.

    Raises
    ------
    DataError
        Other shapes, or a sum of 0.
    """
    values, shares = np.asarray(values, np.float64), np.asarray(shares, np.float64)
    if values.shape != shares.shape or values.ndim != 2 or values.shape[1] != len(names):
        shapes = f"values {list(values.shape)} and shares {list(shares.shape)} for {len(names)} losses"
        raise DataError(shapes, "sum_and_gradient", "give [batches, L] twice")
    if not values.sum():
        raise DataError("the sum of all losses is 0", "sum_and_gradient")
    rows, medians = np.arange(len(names)), 100 * np.median(shares, axis=0)  # [L]
    figure = Figure(figsize=(WIDTH, 1.0 + 0.38 * len(names)), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    bars = left.barh(rows, 100 * values.sum(0) / values.sum(), color=PALETTE[0])
    left.bar_label(bars, fmt="{:.0f} %", padding=3, fontsize=10)
    right.plot(100 * shares.T, rows, "o", color=PALETTE[0], alpha=0.45, markersize=6, markeredgewidth=0)
    right.plot(medians, rows, "|", color="black", markersize=18, markeredgewidth=2.5)
    right.axvline(0, color="black", linewidth=0.8)
    left.set(xlim=(0, 100), xlabel="%", title="share of the sum", ylim=(len(names) - 0.5, -0.5))
    right.set(xlabel="% (dot: a batch; line: median)", title="share of the sum's gradient")
    left.set_yticks(rows, names)
    for ax in (left, right):
        ax.grid(axis="x", alpha=0.3)
    return figure
