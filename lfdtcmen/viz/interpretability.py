"""Figures of what an answer depends on: the motion that counts, cells that are blanked, probes and their nulls."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lfdtcmen.viz.style import DPI, PALETTE, WIDTH, bare, check_frames, write_above

UNITS = {"subject": "accuracy", "emotion": "mean recall", "action units": "$R^2$"}


def toy_maps(maps: Mapping[str, np.ndarray]) -> Figure:
    """Show small maps as squares with their numbers: negative in blue, 0 white, positive in red.

    Parameters
    ----------
    maps : mapping
        Title -> values [h, w].
    """
    limit = max(float(np.abs(values).max()) for values in maps.values())
    figure = Figure(figsize=(WIDTH, 2.0), dpi=DPI, layout="constrained")
    for ax, (title, values) in zip(figure.subplots(1, len(maps), squeeze=False)[0], maps.items(), strict=True):
        ax.imshow(values, cmap="RdBu_r", vmin=-1.5 * limit, vmax=1.5 * limit)
        for (row, column), value in np.ndenumerate(values):
            ax.text(column, row, f"{value + 0:g}", ha="center", va="center", fontsize=12)
        ax.set_title(title)
        ax.set(xticks=[], yticks=[])
    return figure


def blanked_cells(frame: np.ndarray, cells: Mapping[str, np.ndarray], streams: Mapping[str, np.ndarray]) -> Figure:
    """Show which cells of a face are blanked, and one stream of its flow before and after.

    Parameters
    ----------
    frame : ndarray
        uint8 [H, W, 3].
    cells : mapping
        Name of a choice -> cells, bool [28, 28].
    streams : mapping
        Title -> one component of the flow, [28, 28], pixels.
    """
    grey = check_frames(frame[None], "blanked_cells")[0].mean(2)
    height, width = grey.shape
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    figure = Figure(figsize=(WIDTH, 2.9), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, 1 + len(streams), width_ratios=[1] * (1 + len(streams)))
    bare(axes[0]).imshow(grey, cmap="gray", vmin=0, vmax=255)
    colours = (PALETTE[3], PALETTE[0])
    for colour, chosen in zip(colours, cells.values(), strict=True):
        tint = np.zeros((*chosen.shape, 4))
        tint[chosen] = (*colour, 0.7)
        axes[0].imshow(tint, extent=extent, interpolation="nearest")
    patches = [Patch(color=colour, alpha=0.7) for colour in colours]
    axes[0].legend(patches, cells, loc="upper center", bbox_to_anchor=(0.5, -0.02), frameon=False)
    limit = max(float(np.abs(values).max()) for values in streams.values())
    for ax, (title, values) in zip(axes[1:], streams.items(), strict=True):
        image = bare(ax).imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
        ax.set_title(title)
    figure.colorbar(image, ax=list(axes[1:]), shrink=0.7, label="pixels")
    return figure


def blanking_forest(table: pd.DataFrame) -> Figure:
    """Plot how blanking changes the log-odds of the predicted class: a panel per network, a row per choice of cells.

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.blanking.blanking_table` returns it, or several of them below each other. Rows of
        differences are not plotted.
    """
    table = table[table["against"].eq("")]
    names = table["part"] + ": " + table["blanked"]
    rows = list(dict.fromkeys(names))
    models = list(dict.fromkeys(table["model"]))
    figure = Figure(figsize=(WIDTH, 1.0 + 0.42 * len(rows)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(models), sharey=True, sharex=True, squeeze=False)[0]
    for ax, model in zip(axes, models, strict=True):
        for part, colour in (("flow", PALETTE[0]), ("frames", PALETTE[3])):
            shown = table[table["model"].eq(model) & table["part"].eq(part)]
            _intervals(ax, shown, [rows.index(name) for name in names[shown.index]], colour, "{:+z.2f}")
        ax.axvline(0, color="black", linewidth=1)
        ax.set(title=model, xlabel="change of the log-odds", ylim=(len(rows) - 0.4, -0.7))
    axes[0].set_yticks(range(len(rows)), rows)
    return figure


def probe_nulls(table: pd.DataFrame) -> Figure:
    """Plot what a linear probe reads from features, and what it reads where the answers are permuted.

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.linear_probes.probe_with_nulls` returns it. Grey: from the mean of the permutations
        to the value that 95 % of them stay below. A hollow mark is below that value.
    """
    questions, rows = list(dict.fromkeys(table["metric"])), list(dict.fromkeys(table["part"]))
    figure = Figure(figsize=(WIDTH, 1.0 + 0.38 * len(rows)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(questions), sharey=True, squeeze=False)[0]
    for ax, question in zip(axes, questions, strict=True):
        shown = table[table["metric"].eq(question)]
        for k, (_, row) in enumerate(shown.iterrows()):
            ax.barh(k, row["null high"] - row["null"], left=row["null"], height=0.7, color="0.8")
            full = row["value"] > row["null high"]
            _intervals(ax, shown.iloc[[k]], [k], PALETTE[0], "{:z.2f}", full)
        ax.set(xlabel=f"{question}\n{UNITS.get(question, '')}", ylim=(len(rows) - 0.4, -0.7))
        ax.margins(x=0.15)
    axes[0].set_yticks(range(len(rows)), rows)
    return figure


def _intervals(
    ax: Axes, rows: pd.DataFrame, positions: list[int], colour: tuple, number: str, full: bool = True
) -> None:
    """Plot the values of tidy rows with their intervals, each value written above its mark."""
    reach = np.maximum([rows["value"] - rows["low"], rows["high"] - rows["value"]], 0)
    inside = colour if full else "white"
    ax.errorbar(rows["value"], positions, xerr=reach, fmt="o", color=colour, markerfacecolor=inside, capsize=3)
    for value, position in zip(rows["value"], positions, strict=True):
        write_above(ax, number, value, position)
    ax.grid(axis="x", alpha=0.3)
