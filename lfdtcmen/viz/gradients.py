"""Figures of several losses that pull at the same weights (3.2, 4.4): what each one adds to their common step.

With gradients g_i (each times its weight), g = sum of g_i: the *part* of losses i and j is <g_i, g_j> / <g, g>. All
parts add up to 1. A row's sum, <g_i, g> / <g, g>, is the *share* of loss i: its projection onto g.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import LEAST_SUBJECTS, interval, resample
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH


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
    for k, (gradient, share) in enumerate(zip(gradients, shares, strict=True)):
        foot = share * total
        ax.plot(*np.stack([gradient, foot], axis=1), ":", color=PALETTE[k])
        ax.plot(*foot, "o", color=PALETTE[k], markersize=7)
    points = np.vstack([gradients, total, shares[:, None] * total, np.zeros(2)])
    low, high = points.min(0) - 0.3, points.max(0) + 0.3
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    ax.set(xlabel="change of the first weight", ylabel="change of the second")
    ax.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=10, frameon=False)
    return figure


def gradient_shares(parts: np.ndarray, names: Sequence[str]) -> Figure:
    """Plot the part of each two losses in the common step, and the share of each loss, as means over batches.

    Parameters
    ----------
    parts : ndarray
        <g_i, g_j> / <g, g> of each batch, [batches, L, L].
    names : sequence of str
        Of the losses, [L].

    Returns
    -------
    Figure
        Left: mean parts in percent; grey where the 95 % interval over batches (bootstrap) has both signs in it. Right:
        the share of each loss in each batch, its mean and the interval.

    Raises
    ------
    DataError
        Another shape, or too few batches for an interval.
    """
    parts, losses = np.asarray(parts, np.float64), len(names)
    if parts.ndim != 3 or parts.shape[1:] != (losses, losses):
        raise DataError(f"parts {list(parts.shape)} for {losses} losses", "gradient_shares", "give [batches, L, L]")
    if len(parts) < LEAST_SUBJECTS:
        raise DataError(f"{len(parts)} batches", "gradient_shares", f"give {LEAST_SUBJECTS} or more")
    shares = parts.sum(2)  # [K, L]
    figure = Figure(figsize=(WIDTH, 3.7), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    means = parts.mean(0)  # [L, L]
    left.imshow(means, cmap="RdBu_r", vmin=-1, vmax=1)
    for row, column in np.ndindex(losses, losses):
        low, high = _interval(parts[:, row, column])
        sure, value = low > 0 or high < 0, round(100 * means[row, column], 1) + 0.0  # never "-0"
        colour = "white" if abs(value) > 60 else "black" if sure else "grey"
        left.text(column, row, f"{value:.1f}", ha="center", va="center", color=colour, weight="bold" if sure else None)
    left.set_xticks(range(losses), names, rotation=40, ha="right", rotation_mode="anchor")
    left.set_yticks(range(losses), names)
    left.set_title("part of two losses (%)", fontsize=10)
    right.plot(100 * shares.T, np.arange(losses)[:, None] + np.zeros(len(parts)), ".", color="grey", alpha=0.5)
    bounds = 100 * np.array([_interval(share) for share in shares.T])  # [L, 2]
    mean = 100 * shares.mean(0)
    error = np.maximum([mean - bounds[:, 0], bounds[:, 1] - mean], 0)
    right.errorbar(mean, range(losses), xerr=error, fmt="o", color=PALETTE[0], capsize=4, markersize=7)
    right.axvline(0, color="black", linewidth=0.8)
    right.set(yticks=[], ylim=(losses - 0.5, -0.5), xlabel="share of the loss (%)")
    right.set_title("grey: one batch", fontsize=10)
    right.grid(axis="x", alpha=0.3)
    return figure


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the mean of one value per batch."""
    return interval(resample(len(values)) @ values / len(values), len(values))
