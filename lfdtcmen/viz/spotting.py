"""Figures of apex spotting (section 6): rhythms, gains over other methods, false alarms."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH, draw_change, symmetric_limit

MARKS = "os^Dv<>P"


def change_row(maps: Mapping[str, np.ndarray], label: str) -> Figure:
    """Show signed values side by side on one scale: blue below 0, red above, grey where there are none.

    Parameters
    ----------
    maps : mapping
        Title -> values, [H, W]; NaN where there are none.
    label : str
        What the values are, with their unit: at the colour bar.
    """
    limit = max(symmetric_limit(values[np.isfinite(values)]) for values in maps.values())
    figure = Figure(figsize=(WIDTH, 3.0), dpi=DPI, layout="constrained")
    for ax, (title, values) in zip(figure.subplots(1, len(maps)), maps.items(), strict=True):
        ax.set_facecolor("0.8")
        image = draw_change(ax, values, limit)
        ax.set(title=title, xticks=[], yticks=[])
    figure.colorbar(image, ax=figure.axes, label=label, shrink=0.8)
    return figure


def rhythms(levels: Mapping[str, np.ndarray], fps: float) -> Figure:
    """Plot how much of its full strength each muscle shows over time, a panel per rhythm.

    Parameters
    ----------
    levels : mapping
        Name -> level of each frame, [T], or of each muscle in it, [T, K].
    fps : float
        Frames a second.
    """
    figure = Figure(figsize=(WIDTH, 2.4), dpi=DPI, layout="constrained")
    for ax, (name, level) in zip(figure.subplots(1, len(levels), sharey=True), levels.items(), strict=True):
        for k, curve in enumerate(level.reshape(len(level), -1).T):
            style = f"{MARKS[k % 8]}{('-', '--', ':')[k % 3]}"
            ax.plot(np.arange(len(curve)) / fps, curve, style, color=PALETTE[k % len(PALETTE)], markersize=4)
        ax.set(title=name, xlabel="time (s)")
        ax.grid(alpha=0.3)
    figure.axes[0].set_ylabel("share of full strength")
    return figure


def gains(table: pd.DataFrame, settings: Sequence[str], methods: Sequence[str], reference: str = "pulse") -> Figure:
    """Plot by how many frames one method is nearer to the apex than others, a panel per method, a row per setting.

    Parameters
    ----------
    table : DataFrame
        From :func:`lfdtcmen.evaluation.spotting.paired_gains`, of one task.
    settings, methods : sequence of str
        What to plot, in this order.
    reference : str
        The method that the gains are of.

    Raises
    ------
    DataError
        The table lacks a setting of a method, or has it twice (two tasks).
    """
    figure = Figure(figsize=(WIDTH, 1.3 + 0.3 * len(settings)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(methods), sharey=True, squeeze=False)[0]
    at = np.arange(len(settings))
    for ax, method in zip(axes, methods, strict=True):
        rows = table[table["method"].eq(method) & table["setting"].isin(settings)].set_index("setting")
        if sorted(rows.index) != sorted(settings):
            raise DataError(
                f"{len(rows)} rows of {len(settings)} settings", f"gains: {method}", "give those of one task"
            )
        rows = rows.loc[list(settings)]
        spread = np.abs(rows[["low", "high"]].to_numpy().T - rows["value"].to_numpy())  # [2, S]
        clear = (rows["low"] > 0) | (rows["high"] < 0)
        ax.errorbar(rows["value"], at, xerr=spread, fmt="none", ecolor=PALETTE[7], capsize=3)
        for is_clear, face in ((True, PALETTE[0]), (False, "white")):
            marked = (clear == is_clear).to_numpy()
            ax.plot(rows["value"][marked], at[marked], "o", color=PALETTE[0], markerfacecolor=face)
        ax.axvline(0, color="black", linestyle="--", linewidth=0.8)
        ax.set(title=method)
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(at, settings)
    axes[0].invert_yaxis()
    figure.supxlabel(f"error of the method minus error of {reference}, same clips (frames)", fontsize=10)
    return figure


def alarms(curves: Mapping[str, pd.DataFrame], chosen: Mapping[str, float]) -> Figure:
    """Plot F1 and the share of clips with a false alarm over the threshold, a line per method, its choice marked.

    Parameters
    ----------
    curves : mapping
        Method -> index: threshold; columns: "F1" and "false alarms".
    chosen : mapping
        Method -> threshold that was chosen.
    """
    figure = Figure(figsize=(WIDTH, 3.2), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, 2)
    titles = {"F1": "F1 of intervals", "false alarms": "clips without expression,\nreported (share)"}
    for ax, (column, title) in zip(axes, titles.items(), strict=True):
        for k, (method, curve) in enumerate(curves.items()):
            ax.plot(curve.index, curve[column], ("-", "--", ":", "-.")[k % 4], color=PALETTE[k], label=method)
            at = chosen[method]
            ax.plot(at, np.interp(at, curve.index, curve[column]), MARKS[k], color=PALETTE[k], markersize=8)
        ax.set(xlabel="threshold of the contrast", title=title, ylim=(-0.03, 1.03), xscale="symlog")
        ax.set_xlim(left=-0.1)  # the scale is linear up to 1
        ax.xaxis.set_major_formatter("{x:g}")
        ax.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure
