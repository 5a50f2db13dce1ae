"""Figures of several losses that pull at the same weights (3.2, 4.4): what each one adds to their common gradient.

With gradients g_i (each times its weight) and g = sum of g_i, the *share* of loss i is <g_i, g> / <g, g>: its
projection onto g. All shares add up to 1. The gradient of one batch is that of all data plus noise, and the noise of
the same batch is in both factors; between two different batches it has no product on average.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lfdtcmen.analysis.gradient_noise import jackknife, same_and_different
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import LEAST_SUBJECTS
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


def gradient_shares(products: np.ndarray, names: Sequence[str]) -> Figure:
    """Plot whether losses pull the same way, and how much of their sum each one makes up.

    All numbers are ratios of sums over batches, so that a batch with a short gradient does not count as much as one
    with a long gradient. Intervals (95 %) are a jackknife over batches.

    Parameters
    ----------
    products : ndarray
        Inner product of each loss's gradient in each batch with each other one, [batches, L, batches, L].
    names : sequence of str
        Of the losses, [L].

    Returns
    -------
    Figure
        Left, above the diagonal: cosine of two losses' gradients in the same batch, bold where its interval excludes 0;
        below: half of the interval's width. Right: share of each loss in the squared length of the sum's gradient
        (grey: single batches), and which part of the loss's own squared length is common to all batches.

    Raises
    ------
    DataError
        Another shape, or too few batches for an interval.
    """
    products, losses = np.asarray(products, np.float64), len(names)
    count = len(products)
    if products.shape != (count, losses, count, losses):
        shape = f"products {list(products.shape)} for {losses} losses"
        raise DataError(shape, "gradient_shares", "give [batches, L, batches, L]")
    if count < LEAST_SUBJECTS:
        raise DataError(f"{count} batches", "gradient_shares", f"give {LEAST_SUBJECTS} or more")
    cosines, cosine_errors = jackknife(products, _cosines)
    shares, share_errors = jackknife(products, _shares)  # [2, L]
    figure = Figure(figsize=(WIDTH, 3.9), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.05, 1))
    _draw_cosines(left, cosines, cosine_errors, names)
    of_batches = np.stack([(one := products[k, :, k]).sum(1) / one.sum() for k in range(count)])  # [K, L]
    rows = np.arange(losses)
    right.plot(100 * of_batches.T, rows[:, None] - 0.17 + np.zeros(count), ".", color="grey", alpha=0.5)
    series = (("o", "share of the gradient", -0.17), ("s", "common to all batches, of the loss's own", 0.17))
    for k, (marker, label, offset) in enumerate(series):
        drawn = {"fmt": marker, "color": PALETTE[k], "capsize": 4, "markersize": 6, "label": label}
        right.errorbar(100 * shares[k], rows + offset, xerr=100 * share_errors[k], **drawn)
    right.axvline(0, color="black", linewidth=0.8)
    right.set(yticks=rows, ylim=(losses - 0.5, -0.5), xlabel="% of a squared length")
    right.set_yticklabels(names)
    right.set_title("grey: share of the gradient in one batch", fontsize=10)
    right.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower right", ncols=2, fontsize=10, frameon=False)
    return figure


def _draw_cosines(ax: Axes, cosines: np.ndarray, errors: np.ndarray, names: Sequence[str]) -> None:
    """Write cosines [L, L] above the diagonal, on their colours, and half the width of their intervals below it."""
    losses = len(names)
    upper = np.triu(np.ones((losses, losses), bool), 1)
    ax.imshow(np.where(upper, cosines, 0), cmap="RdBu_r", vmin=-1, vmax=1)
    for row, column in zip(*np.nonzero(upper), strict=True):
        value, error = cosines[row, column], errors[row, column]
        sure = abs(value) > error
        colour = "white" if abs(value) > 0.6 else "black" if sure else "grey"
        text = f"{round(value, 2) + 0.0:.2f}"  # never "-0.00"
        ax.text(column, row, text, ha="center", va="center", color=colour, weight="bold" if sure else None)
        ax.text(row, column, f"{error:.2f}", ha="center", va="center", color="grey")
    ax.set_xticks(range(losses), names, rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(losses), names)
    ax.set_title("cosine in the same batch (below: its ±)", fontsize=10)


def _cosines(products: np.ndarray) -> np.ndarray:
    same, _ = same_and_different(products)
    length = np.sqrt(np.maximum(same.diagonal(), 1e-30))  # [L]: a loss without a gradient has cosine 0
    return same / np.outer(length, length)


def _shares(products: np.ndarray) -> np.ndarray:
    """Return the share of each loss in the sum, and the part of its own that batches have in common, [2, L]."""
    same, different = same_and_different(products)
    own = np.maximum(same.diagonal(), 1e-30)  # a loss without a gradient has nothing in common
    return np.stack([same.sum(1) / same.sum(), different.diagonal() / own])
