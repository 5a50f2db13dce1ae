"""Figures of training: loss curves, what each loss weighs, parameters of each component."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH, thousands

LOG_COLUMNS = ("stage", "epoch", "step", "gradient_norm", "seconds")  # of a training history: the others are losses


def loss_curves(history: pd.DataFrame) -> Figure:
    """Draw each loss over the steps of training, one panel a loss, the stages after one another (4.4).

    Parameters
    ----------
    history : DataFrame
        One row a step, as :func:`lfdtcmen.training.train_stage` returns it: columns stage, epoch, and one for each
        loss; of several stages, one below the other. A loss that a stage does not use is NaN there.
    """
    losses = [c for c in history.columns if c not in LOG_COLUMNS and history[c].notna().any()]
    if not losses:
        raise DataError("the history holds no loss", "loss_curves", f"columns found: {', '.join(history.columns)}")
    not_losses = {"active_fraction": "active fraction (share)", "total": "total (weighted)"}
    columns = min(4, len(losses))
    rows = -(-len(losses) // columns)
    figure = Figure(figsize=(WIDTH, 0.4 + 1.9 * rows), dpi=DPI, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    position = pd.Series(np.arange(1, len(history) + 1), index=history.index)
    for ax, name in zip(axes.flat, losses, strict=False):
        for stage, part in history.groupby("stage"):
            colour, x = PALETTE[int(stage) - 1], position[part.index]
            ax.plot(x, part[name], color=colour, alpha=0.35, linewidth=0.8)
            ax.plot(x.groupby(part["epoch"]).mean(), part[name].groupby(part["epoch"]).mean(), ".-", color=colour)
        ax.set_title(not_losses.get(name, name), fontsize=9)
        ax.tick_params(labelsize=8)
        ax.set_xlim(0.5, len(history) + 0.5)
    for ax in axes.flat[len(losses) :]:
        ax.set_visible(False)
    figure.supxlabel("training step (thin: each step; dots: mean of an epoch)", fontsize=9)
    figure.supylabel("value\n(losses: before their weight)", fontsize=9, ma="center")
    stages = sorted(history["stage"].unique())
    lines = [Line2D([], [], color=PALETTE[int(stage) - 1], label=f"stage {stage}") for stage in stages]
    figure.legend(handles=lines, loc="outside upper center", ncols=len(lines), fontsize=9, frameon=False)
    return figure


def loss_weight_bars(losses: Mapping[str, float], products: np.ndarray, weights: Mapping[str, float]) -> Figure:
    """Draw what each loss adds to the weighted sum (3.2), and which share of the sum's gradient it is.

    With gradients g_i before their weights, g = sum of w_i g_i, and the share of loss i is <w_i g_i, g> / <g, g>.
    All shares add up to 1; a loss below 0 pulls against the sum of all.

    Parameters
    ----------
    losses : mapping
        Loss -> its value before its weight.
    products : ndarray
        Inner products of the losses' gradients before their weights, in the order of ``losses``, [L, L]:
        ``G @ G.T`` of gradients [L, P]. From them any weights' shares follow without another backward pass.
    weights : mapping
        Loss -> its weight.

    Raises
    ------
    DataError
        Products of another size, or weights of other losses.
    """
    names, products = list(losses), np.asarray(products, np.float64)
    if products.shape != (len(names), len(names)):
        raise DataError(f"products {list(products.shape)} for {len(names)} losses", "loss_weight_bars", "give G @ G.T")
    if set(weights) != set(names):
        raise DataError(f"weights of {sorted(weights)}, losses {sorted(names)}", "loss_weight_bars")
    weight = np.array([weights[name] for name in names])  # [L]
    terms = weight * np.array(list(losses.values()))  # [L]
    pulls = weight * (products @ weight)  # [L]: <w_i g_i, g>
    shares = pulls / max(pulls.sum(), 1e-30)  # all weights 0: no gradient, no share
    figure = Figure(figsize=(WIDTH, 1.0 + 0.34 * len(names)), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for ax, values, digits, number in ((left, terms, 6, "{:.3g}"), (right, shares, 2, "{:.0%}")):
        ax.barh(range(len(names)), values, color=[PALETTE[0] if v >= 0 else PALETTE[1] for v in values])
        for k, value in enumerate(values):
            aside = {"xytext": (4 if value >= 0 else -4, 0), "ha": "left" if value >= 0 else "right"}
            text = number.format(round(value, digits) + 0.0)  # never "-0"
            ax.annotate(text, (value, k), textcoords="offset points", va="center", fontsize=8, **aside)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_ylim(len(names) - 0.4, -0.6)
    left.set_yticks(range(len(names)), [f"{w:.3g} x {name}" for name, w in zip(names, weight, strict=True)], fontsize=9)
    left.set(xlabel=f"weight x loss (sum {terms.sum():.3g})", xlim=(0, max(1.2 * terms.max(), 1e-6)))
    right.set(xlabel="share of the sum's gradient", xlim=(min(-0.4, 1.3 * shares.min()), max(1.2, 1.2 * shares.max())))
    right.xaxis.set_major_formatter("{x:.0%}")
    return figure


def parameter_bars(
    table: pd.DataFrame, column: str = "parameters", stated: Mapping[str, float] | None = None
) -> Figure:
    """Draw what each component costs (4.8), and the totals beside the paper's (Table 8).

    Parameters
    ----------
    table : DataFrame
        Index: component; one numeric column to draw. A row "total" is left to the title.
    column : str
        Which column: its name is the axis label.
    stated : mapping, optional
        Name -> the paper's total, drawn as vertical lines on the running total below.
    """
    parts = table[column].drop("total", errors="ignore")
    total = float(parts.sum())
    rows = 1 if stated is None else 2
    figure = Figure(figsize=(WIDTH, 0.9 + 0.32 * len(parts) + 1.2 * (rows - 1)), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(rows, 1, height_ratios=(0.32 * len(parts), 0.9)[:rows])
    ax = figure.add_subplot(grid[0])
    colours = [PALETTE[k % len(PALETTE)] for k in range(len(parts))]  # the same ones below
    ax.barh(parts.index.astype(str), parts, color=colours)
    ax.invert_yaxis()
    for k, value in enumerate(parts):
        ax.text(value, k, f" {thousands(value)}  ({value / total:.0%})", va="center", fontsize=8)
    ax.set(xlabel=column, xlim=(0, 1.22 * parts.max()))
    ax.set_title(f"total {thousands(total)}", fontsize=10)
    ax.xaxis.set_major_formatter(lambda x, _: thousands(x))
    if stated is not None:
        ax = figure.add_subplot(grid[1])
        left = 0.0
        for value, colour in zip(parts, colours, strict=True):
            ax.barh([0], [value], left=left, color=colour, edgecolor="white")
            left += value
        for k, (name, value) in enumerate(stated.items()):
            ax.axvline(value, color="black", linestyle=(":", "--")[k % 2], label=f"paper, {name}: {thousands(value)}")
        ax.set(yticks=[], xlabel=f"{column}, summed", xlim=(0, 1.05 * max(left, *stated.values())))
        ax.xaxis.set_major_formatter(lambda x, _: thousands(x))
        ax.legend(fontsize=8, loc="upper left", ncols=2, bbox_to_anchor=(0, 1.35), frameon=False)
    return figure
