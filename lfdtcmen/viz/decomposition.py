"""Figures of a clip as low rank plus sparse: its parts, what is kept in them, and the features of two methods."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH, bare, draw_change, image_grid, symmetric_limit

LINES = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"))
BARS = (0, 7, 1, 2, 4, 5, 6, 8)  # of the palette: without the red of the lines


def matrix_parts(parts: Mapping[str, np.ndarray]) -> Figure:
    """Show matrices side by side, from blue (negative) over white (0) to red, on one scale.

    Parameters
    ----------
    parts : mapping
        Title -> matrix [m, n].
    """
    limit = max(symmetric_limit(values) for values in parts.values())
    figure = Figure(figsize=(WIDTH, 2.9), dpi=DPI, layout="constrained")
    for ax, (title, values) in zip(figure.subplots(1, len(parts)), parts.items(), strict=True):
        image = draw_change(bare(ax), values, limit)
        ax.set_title(title, fontsize=10)
    figure.colorbar(image, ax=figure.axes, label="entry", shrink=0.8)
    return figure


def clip_rows(rows: Mapping[str, np.ndarray], frames: Mapping[str, int], limit: float | None = None) -> Figure:
    """Show parts of a clip, a row each, in some of its frames.

    Parameters
    ----------
    rows : mapping
        Name -> part, [T, H, W], in units of white. A part with negative values is shown as a change, the others as grey
        images.
    frames : mapping
        Title -> number of a frame, from 0.
    limit : float, optional
        End of the colours of changes, in units of white; from the data by default.

    Raises
    ------
    DataError
        Parts of different shapes.
    """
    if len({part.shape for part in rows.values()}) != 1:
        raise DataError("the parts have different shapes", "clip_rows")
    signed = {name: part.min() < -1e-9 for name, part in rows.items()}
    changes = [symmetric_limit(part) for name, part in rows.items() if signed[name]]
    limit = limit or max(changes, default=1.0)
    figure, axes = image_grid(len(rows), len(frames), titled=True)
    for line, (name, part) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(f"{name}\n(±{255 * limit:.0f} grey levels)" if signed[name] else name, fontsize=10)
        for ax, k in zip(line, frames.values(), strict=True):
            if signed[name]:
                draw_change(ax, part[k], limit)
            else:
                ax.imshow(part[k], cmap="gray", vmin=0, vmax=1)
    for ax, title in zip(axes[0], frames, strict=True):
        ax.set_title(title, fontsize=10)
    return figure


def kept_by_size(table: pd.DataFrame) -> Figure:
    """Plot how much of a known motion is in each part of a clip, against the size of the motion.

    Parameters
    ----------
    table : DataFrame
        Columns ``clip`` (a column of panels each), ``part`` (a line each), ``size`` (pixels), ``gain``, ``cosine``.
    """
    clips, parts = table["clip"].unique(), table["part"].unique()
    figure = Figure(figsize=(WIDTH, 5.0), dpi=DPI, layout="constrained")
    axes = figure.subplots(2, len(clips), sharex=True, sharey=True, squeeze=False)
    for line, measure in zip(axes, ("gain", "cosine"), strict=True):
        for ax, clip in zip(line, clips, strict=True):
            for part, colour, (style, marker) in zip(parts, PALETTE, LINES, strict=False):
                mean = table[(table["clip"] == clip) & (table["part"] == part)].groupby("size")[measure].mean()
                ax.plot(mean.index, mean, style, marker=marker, color=colour, label=part)
            ax.axhline(0, color="grey", linewidth=0.8)
            ax.axhline(1, color="grey", linewidth=0.8)
            ax.set_xscale("log", base=2)
            ax.set_xticks(sorted(table["size"].unique()), [f"{size:.2g}" for size in sorted(table["size"].unique())])
        line[0].set_ylabel(measure)
    for ax, clip in zip(axes[0], clips, strict=True):
        ax.set_title(clip, fontsize=11)
    for ax in axes[1]:
        ax.set_xlabel("strength of the action units")
    axes[0, 0].legend(frameon=False, loc="center left", fontsize=10)
    return figure


def leak_bars(table: pd.DataFrame, chance_level: float, apart: str = "", spread: float | None = None) -> Figure:
    """Plot how often a probe names the person from each code, with 95 % intervals and the levels of guessing.

    Parameters
    ----------
    table : DataFrame
        Columns ``metric`` (the code), ``value``, ``low`` and ``high``; see
        :func:`lfdtcmen.evaluation.results.measure_table`. Names that begin alike, up to a colon, have one colour.
    chance_level : float
    apart : str
        Bars whose name begins so have another colour, in the place of a colour for each beginning.
    spread : float, optional
        The level of answers that are spread over all people.
    """
    figure = Figure(figsize=(WIDTH, 0.45 * len(table) + 1.2), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    rows = range(len(table))
    error = [table["value"] - table["low"], table["high"] - table["value"]]
    if apart:
        colours = [PALETTE[1 if name.startswith(apart) else 0] for name in table["metric"]]
    else:
        groups = [name.split(":")[0] if ":" in name else "" for name in table["metric"]]
        of_group = dict(zip(dict.fromkeys(groups), (PALETTE[k] for k in BARS), strict=False))
        colours = [of_group[group] for group in groups]
    ax.barh(rows, table["value"], xerr=error, color=colours, ecolor="black", height=0.6, capsize=3)
    ax.axvline(chance_level, color=PALETTE[3], linestyle="--", label=f"chance level, {chance_level:.2f}")
    if spread is not None:
        ax.axvline(spread, color=PALETTE[3], linestyle=":", label=f"spread answers, {spread:.2f}")
    ax.set_yticks(rows, [f"{name}  {value:.2f}" for name, value in zip(table["metric"], table["value"], strict=True)])
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.05), xlabel="share of clips whose person is named")
    ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def fixed_features(sparse: np.ndarray, block: tuple[int, int], blocks: int, small: np.ndarray) -> Figure:
    """Show what two methods see of the sparse part of a clip: the mean of each row of a block, and a network's input.

    Parameters
    ----------
    sparse : ndarray
        [T, H, W], in units of white.
    block : (row, column)
        Which of the blocks is projected.
    blocks : int
        In each direction.
    small : ndarray
        The network's input, [T, h, w].

    Returns
    -------
    Figure
        Three panels.
    """
    apex, side = len(sparse) // 2, sparse.shape[1] // blocks
    top, left = block[0] * side, block[1] * side
    figure = Figure(figsize=(WIDTH, 2.8), dpi=DPI, layout="constrained")
    first, second, third = figure.subplots(1, 3)
    limit = symmetric_limit(sparse[apex])
    draw_change(bare(first), sparse[apex], limit)
    corners_x = [left, left + side, left + side, left, left]
    corners_y = [top, top, top + side, top + side, top]
    first.plot(np.array(corners_x) - 0.5, np.array(corners_y) - 0.5, color="black", linewidth=1.5)
    first.set_title("sparse part\nat the apex, a block", fontsize=10)
    rows = sparse[:, top : top + side, left : left + side].mean(2)  # [T, side]
    second.imshow(rows, cmap="RdBu_r", vmin=-symmetric_limit(rows), vmax=symmetric_limit(rows), aspect="auto")
    second.set(xlabel="row of the block", ylabel="frame")
    second.set_title("mean of each row:\nDiSTLBP-RIP looks here", fontsize=10)
    draw_change(bare(third), small[apex], symmetric_limit(small[apex]))
    third.set_title(f"PSN's input, {small.shape[1]} x {small.shape[2]},\none of {len(small)} frames", fontsize=10)
    return figure
