"""Figures of training: loss curves, the share of each loss in the sum, parameters of each component."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH

LOG_COLUMNS = ("stage", "epoch", "step", "gradient_norm", "seconds")  # of a training history: the others are losses


def loss_curves(history: pd.DataFrame) -> Figure:
    """Plot each loss over the steps of training, one panel per loss, one stage after the other (4.4).

    Parameters
    ----------
    history : DataFrame
        One row per step, as :func:`lfdtcmen.training.train_stage` returns it: columns stage, epoch, and one for each
        loss; the rows of several stages follow one another. A loss that a stage does not use is NaN there.
    """
    losses = [c for c in history.columns if c not in LOG_COLUMNS and history[c].notna().any()]
    if not losses:
        raise DataError("the history holds no loss", "loss_curves", f"columns found: {', '.join(history.columns)}")
    not_losses = {"active_fraction": "active fraction (share)", "total": "total (weighted)"}
    rows = -(-len(losses) // 4)
    columns = -(-len(losses) // rows)
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
    if len(lines) > 1:
        figure.legend(handles=lines, loc="outside upper center", ncols=len(lines), fontsize=9, frameon=False)
    return figure


def training_curves(curves: pd.DataFrame, measure: str, copy: float | None = None, top: float | None = None) -> Figure:
    """Plot training and validation loss over the steps, and next to them a measure of what was learned.

    Parameters
    ----------
    curves : DataFrame
        Index: training step; columns ``training``, ``validation`` and the measure.
    measure : str
        Column of the right panel; its name is the axis label.
    copy : float, optional
        The validation loss of a copy of the face at rest, to mark with a dotted line.
    top : float, optional
        End of the axis of losses, so that two figures can be compared; from the data by default.

    Raises
    ------
    DataError
        A column is missing.
    """
    if missing := [name for name in ("training", "validation", measure) if name not in curves]:
        raise DataError(f"the curves have no column {missing[0]!r}", "training_curves")
    figure = Figure(figsize=(WIDTH, 2.7), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, style in (("training", "o-"), ("validation", "s--")):
        left.plot(curves.index, curves[name], style, markersize=4, label=name)
    if copy is not None:
        left.axhline(copy, color="black", linestyle=":", label="a copy")
    left.set(xlabel="training step", ylabel="loss", ylim=(0, top))
    left.legend(frameon=False)
    right.plot(curves.index, curves[measure], "s--", markersize=4, color=PALETTE[2])
    right.axhline(0, color="grey", linewidth=0.8)
    right.set(xlabel="training step", ylabel=measure)
    return figure


def gain_by_motion(table: pd.DataFrame, mark: int | None = None) -> Figure:
    """Plot the motion gain over the steps of training, a line for each size of the motion (mean over seeds).

    Parameters
    ----------
    table : DataFrame
        ``gain.csv`` of ``experiments/strong_motion.py``: columns pixels, seed, step, gain.
    mark : int, optional
        A step to mark with a vertical line, such as the length of another training.
    """
    figure = Figure(figsize=(6.5, 3.1), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    lines = table.groupby(["pixels", "step"])["gain"].mean().unstack("pixels")  # [steps, sizes]
    for k, (pixels, gain) in enumerate(lines.items()):
        marker, colour = "os^Dv<>P"[k % 8], PALETTE[k % len(PALETTE)]
        ax.plot(lines.index, gain, f"{marker}-", color=colour, markersize=4, label=f"{pixels:g}")
    ax.axhline(0, color="grey", linewidth=0.8)
    if mark is not None:
        ax.axvline(mark, color="grey", linestyle="--", linewidth=1)
        ax.annotate(
            f"step {mark}", (mark, 1), (4, -4), xycoords=("data", "axes fraction"), textcoords="offset points", va="top"
        )
    ax.set(xlabel="training step", ylabel="motion gain across people")
    ax.legend(
        *(reversed(part) for part in ax.get_legend_handles_labels()),
        title="strength",
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1, 1),
    )
    return figure


# title of the panel -> metrics with their labels, what to compare them with
STAGE1: dict[str, tuple[dict[str, str | None], tuple[float | None, str]]] = {
    "error over copy": ({"error relative to copying, absolute": None}, (1.0, "a copy")),
    "motion gain": (
        {"motion gain, same identity": "own face", "motion gain, across identities": "across people"},
        (1.0, "target"),
    ),
    "motion cosine": (
        {"motion cosine, same identity": "own face", "motion cosine, across identities": "across people"},
        (1.0, "target"),
    ),
    "motion's share of mo": ({"motion's share of mo": None}, (None, "untrained")),
    "person named from": (
        {"subject from mo(apex), all positions": "one code", "subject from mo(apex) - mo(onset)": "difference of two"},
        (None, "chance level"),
    ),
    "action units from mo (R²)": ({"action units from mo(apex) - mo(onset)": None}, (0.0, "useless")),
}


def stage1_over_epochs(table: pd.DataFrame) -> Figure:
    """Plot what one long training of stage 1 has reached after so many epochs, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        ``measures.csv`` of ``experiments/long_stage1.py``, of one training: columns metric, epoch, value, low, high,
        reference.

    Raises
    ------
    DataError
        One of the measures is missing.
    """
    figure = Figure(figsize=(WIDTH, 4.4), dpi=DPI, layout="constrained")
    for ax, (title, (metrics, (line, name))) in zip(figure.subplots(2, 3).flat, STAGE1.items(), strict=True):
        for marker, (metric, label) in zip("os", metrics.items(), strict=False):
            rows = table[table["metric"].eq(metric)].sort_values("epoch")
            if rows.empty:
                raise DataError(f"no rows of {metric!r}", "stage1_over_epochs")
            error = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
            ax.errorbar(
                rows["epoch"], rows["value"], yerr=error, fmt=f"{marker}-", markersize=4, capsize=2, label=label
            )
        if line is None:  # the untrained network's share, or the chance level
            line = rows["reference"].iloc[-1]
        ax.axhline(line, color="black", linestyle="--", linewidth=1, label=name)
        ax.set_title(title, fontsize=10)
        ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
        ax.grid(alpha=0.3)
        ax.legend(fontsize=8, frameon=False)
    for ax in figure.axes[3:]:
        ax.set_xlabel("epoch")
    return figure


def loss_weight_bars(losses: Mapping[str, float], products: np.ndarray, weights: Mapping[str, float]) -> Figure:
    """Plot what each loss adds to the weighted sum (3.2), and its share of the sum's gradient.

    With gradients g_i before their weights, g = sum of w_i g_i, and the share of loss i is <w_i g_i, g> / <g, g>.
    All shares add up to 1; the gradient of a loss with a negative share points against the sum.

    Parameters
    ----------
    losses : mapping
        Loss -> its value before its weight.
    products : ndarray
        Inner products of the losses' gradients before their weights, in the order of ``losses``, [L, L]:
        ``G @ G.T`` of gradients [L, P]. They give the shares for any weights without another backward pass.
    weights : mapping
        Loss -> its weight.

    Raises
    ------
    DataError
        The size of the products does not fit the losses, or the weights belong to other losses.
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
    _signed_bars(left, terms, "{:.3g}", digits=6)
    _signed_bars(right, shares, "{:.0%}", digits=2)
    left.set_yticks(range(len(names)), [f"{w:.3g} x {name}" for name, w in zip(names, weight, strict=True)], fontsize=9)
    left.set(xlabel=f"weight x loss (sum {terms.sum():.3g})", xlim=(0, max(1.2 * terms.max(), 1e-6)))
    right.set(xlabel="share of the sum's gradient", xlim=(min(-0.4, 1.3 * shares.min()), max(1.2, 1.2 * shares.max())))
    right.xaxis.set_major_formatter("{x:.0%}")
    return figure


def _signed_bars(ax: Axes, values: np.ndarray, number: str, digits: int) -> None:
    """Plot one bar per value, from top to bottom, coloured by its sign, with its number rounded to ``digits``."""
    ax.barh(range(len(values)), values, color=[PALETTE[0] if v >= 0 else PALETTE[1] for v in values])
    for k, value in enumerate(values):
        text = number.format(round(value, digits) + 0.0)  # never "-0"
        offset, side = ((4, 0), "left") if value >= 0 else ((-4, 0), "right")
        ax.annotate(text, (value, k), offset, textcoords="offset points", va="center", ha=side, fontsize=8)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_ylim(len(values) - 0.4, -0.6)


def parameter_bars(
    table: pd.DataFrame,
    column: str = "parameters",
    stated: Mapping[str, float] | None = None,
    groups: Mapping[str, str] | None = None,
) -> Figure:
    """Plot the cost of each component (4.8), and compare the total with the paper's (Table 8).

    Parameters
    ----------
    table : DataFrame
        Index: component; one numeric column to plot. A row "total" is left out: the title gives the total.
    column : str
        The column to plot; its name is the axis label.
    stated : mapping, optional
        Name -> the paper's total, plotted as vertical lines over the summed bars below.
    groups : mapping, optional
        Component -> the group to which it belongs; a group has one colour, and a legend names it. Without groups, each
        component has a colour.
    """
    parts = table[column].drop("total", errors="ignore")
    total = float(parts.sum())
    rows = 1 if stated is None else 2
    figure = Figure(figsize=(WIDTH, 0.9 + 0.32 * len(parts) + 1.2 * (rows - 1)), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(rows, 1, height_ratios=(0.32 * len(parts), 0.9)[:rows])
    ax = figure.add_subplot(grid[0])
    names = list(dict.fromkeys((groups or {}).get(part, part) for part in parts.index))
    colour_of = {name: PALETTE[k % len(PALETTE)] for k, name in enumerate(names)}
    colours = [colour_of[(groups or {}).get(part, part)] for part in parts.index]  # the same ones below
    ax.barh(parts.index.astype(str), parts, color=colours)
    ax.invert_yaxis()
    for k, value in enumerate(parts):
        ax.text(value, k, f" {_with_prefix(value)}  ({_percent(value / total)})", va="center", fontsize=8)
    if groups is not None:
        patches = [Patch(color=colour, label=name) for name, colour in colour_of.items()]
        figure.legend(handles=patches, loc="outside upper center", ncols=len(patches), frameon=False)
    ax.set(xlabel=column, xlim=(0, 1.22 * parts.max()))
    ax.set_title(f"total {_with_prefix(total)}", fontsize=10)
    ax.xaxis.set_major_formatter(lambda x, _: _with_prefix(x))
    if stated is not None:
        below = figure.add_subplot(grid[1])
        left = 0.0
        for value, colour in zip(parts, colours, strict=True):
            below.barh([0], [value], left=left, color=colour, edgecolor="white")
            left += value
        for k, (name, value) in enumerate(stated.items()):
            label = f"paper, {name}: {_with_prefix(value)}"
            below.axvline(value, color="black", linestyle=(":", "--")[k % 2], label=label)
        below.set(yticks=[], xlabel=f"{column}, summed", xlim=(0, 1.05 * max(left, *stated.values())))
        below.xaxis.set_major_formatter(lambda x, _: _with_prefix(x))
        below.legend(fontsize=8, loc="upper left", ncols=2, bbox_to_anchor=(0, 1.35), frameon=False)
    return figure


def _percent(share: float) -> str:
    """Write a share in whole percent; where that is less than one, with a digit more."""
    return f"{share:.0%}" if share >= 0.01 else f"{share:.1%}" if share >= 0.001 else "<0.1%"


def _with_prefix(value: float) -> str:
    """Write a number with the SI prefix k, M or G."""
    for prefix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:g}"
