"""Forest plots: values with their intervals, one row per value, from tidy tables.

A mark shows the value, a line its 95 % interval over subjects, from the columns of
:data:`lfdtcmen.evaluation.results.COLUMNS`; ``against`` is "" for a score, and the name of the reference for a
difference to it. :func:`forest` plots any such table; each other function plots the table of
one analysis, with the rows, marks and labels that it needs.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH, write_above

LEVEL = 0.05  # largest p, corrected, of a difference that is not grey
LONG_LABEL = 16  # characters: with "(mean, 95 % interval over subjects)" they would run into the next panel
LONG_NAME = 24  # characters: names of rows that leave little room for the panels
TIDY = ("model", "metric", "part", "value", "low", "high", "against")


def forest(
    table: pd.DataFrame,
    metrics: Sequence[str] = ("UF1", "UAR"),
    against: str = "",
    lines: Mapping[str, float] | None = None,
    over: str = "subjects",
) -> Figure:
    """Plot values with their intervals, one panel per metric, one row per model.

    Parameters
    ----------
    table : DataFrame
        Tidy rows, such as those of :func:`lfdtcmen.evaluation.results.score_table`.
    metrics : sequence of str
        Metrics to plot, from the column ``metric``.
    against : str
        Plot the differences to this reference; "" for the scores themselves. Where the table has corrected p (column
        ``holm``), those above :data:`LEVEL` are grey.
    lines : mapping, optional
        Name -> value of vertical lines in every panel, such as ``{"chance level": 1 / 3}``.
    over : str
        What the bootstrap resampled.

    Raises
    ------
    DataError
        A column is missing, or there are no rows of a metric.
    """
    _check_columns(table, TIDY, "forest")
    rows = table[table["against"].eq(against)]
    if missing := [metric for metric in metrics if not rows["metric"].eq(metric).any()]:
        raise DataError(f"no rows of {missing[0]!r}", "forest", f"metrics: {', '.join(dict.fromkeys(rows['metric']))}")
    names = list(dict.fromkeys(rows["model"].astype(str)))
    figure = Figure(figsize=(WIDTH, 1.1 + 0.36 * len(names)), dpi=DPI, layout="constrained")
    narrow = len(metrics) > 2  # such as the recall of each class: compared between panels, too
    crowded = narrow or max(map(len, names)) > LONG_NAME
    axes = figure.subplots(1, len(metrics), squeeze=False, sharex=narrow, sharey=True)[0]
    for ax, metric in zip(axes, metrics, strict=True):
        shown = rows[rows["metric"].eq(metric)]
        kept = shown["holm"].le(LEVEL) if against and "holm" in shown else shown["value"].notna()
        for colour, chosen in ((PALETTE[0], kept), (PALETTE[7], ~kept)):
            places = [names.index(name) for name in shown.loc[chosen, "model"].astype(str)]
            style = {"fmt": "o", "color": colour, "ecolor": PALETTE[7], "capsize": 3}
            _plot_intervals(ax, shown[chosen], places, "{:.3f}", **style)
        for k, (name, value) in enumerate((lines or {}).items()):
            ax.axvline(value, color=PALETTE[3], linestyle=(":", "--", "-.")[k % 3], label=f"{name} {value:.2f}")
        label = f"{metric} minus {against}" if against else metric
        what = f"(mean, 95 % interval\nover {over})" if narrow else f"(mean, 95 % interval over {over})"
        gap = "\n" if crowded or len(label) > LONG_LABEL else " "
        ax.set(xlabel=f"{label}{gap}{what}", ylim=(len(names) - 0.4, -0.7))
        ax.margins(x=0.25 if narrow else 0.12)  # so that the numbers at the edges are not cut off
    _label_rows(axes, names)
    if lines:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", fontsize=8, frameon=False)
    return figure


def inflation_forest(table: pd.DataFrame) -> Figure:
    """Plot the score under each way of evaluating, and its difference to the honest one (4.2).

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.inflation.inflation_table` returns it, the honest way first. Hollow marks are
        differences whose interval contains 0.

    Raises
    ------
    DataError
        A column is missing.
    """
    _check_columns(table, TIDY, "inflation_forest")
    names, metric = list(dict.fromkeys(table["model"])), table["metric"].iloc[0]
    figure = Figure(figsize=(WIDTH, 1.1 + 0.4 * len(names)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, against, number in zip(axes, ("", names[0]), ("{:z.3f}", "{:+z.3f}"), strict=True):
        rows = table[table["against"].eq(against)]
        for k in range(bool(against), len(names)):  # the honest way has no difference to itself
            row = rows.iloc[[k]]
            no_difference = bool(against) and not (row["low"].item() > 0 or row["high"].item() < 0)  # or no interval
            colour = PALETTE[0] if k == 0 else PALETTE[3]
            style = {"color": colour, "ecolor": PALETTE[7], "capsize": 3}
            _plot_intervals(
                ax, row, [k], number, fmt="o", markerfacecolor="white" if no_difference else colour, **style
            )
        ax.locator_params(axis="x", nbins=4)
        ax.axvline(rows["value"].iloc[0], color=PALETTE[0], linestyle="--", linewidth=1)
        ax.set_ylim(len(names) - 0.5, -0.8)
        ax.margins(x=0.12)
    axes[0].set(xlabel=f"{metric} (95 % interval)")
    axes[1].set(xlabel=f"added {metric} (paired, 95 % interval)")
    _label_rows(axes, names)
    return figure


METHODS = {"gradcam": "Grad-CAM", "hirescam": "HiResCAM"}  # the names of the functions, as tables have them


def attribution_forest(table: pd.DataFrame) -> Figure:
    """Plot which share of each attribution map lies on moving skin, and the same share of the reference maps.

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.attribution.attribution_table` returns it: tidy rows with the columns uniform
        map, mean map, untrained, true motion. Rows of differences are not plotted. With the columns untrained low and
        untrained high, a line runs from the lowest to the highest initialisation.

    Raises
    ------
    DataError
        A column is missing.
    """
    marks = {
        "uniform map": ("|", "black", "uniform map (chance level)"),
        "mean map": ("s", PALETTE[1], "the network's mean map"),
        "untrained": ("v", PALETTE[2], "untrained networks"),
        "true motion": ("D", PALETTE[3], "true motion, at the map's resolution"),
    }
    _check_columns(table, (*TIDY, *marks), "attribution_forest")
    table = table[table["against"].eq("")]
    figure = Figure(figsize=(WIDTH, 1.5 + 0.42 * len(table)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    rows = np.arange(len(table))
    if "untrained low" in table:
        ax.hlines(rows + 0.2, table["untrained low"], table["untrained high"], color=PALETTE[2], linewidth=1)
    for column, (marker, colour, name) in marks.items():
        style = {"color": colour} if marker == "|" else {"facecolor": "white", "edgecolor": colour}
        size = 260 if marker == "|" else 34
        ax.scatter(table[column], rows + 0.2 * (marker != "|"), marker=marker, s=size, label=name, **style)
    _plot_intervals(ax, table, rows, "{:.3f}", fmt="o", color=PALETTE[0], capsize=3, label="the network's map")
    names = table["model"] + ": " + table["part"]
    if "method" in table:
        names += ", " + table["method"].replace(METHODS)
    _label_rows([ax], names.tolist(), fontsize=9)
    ax.set(ylim=(len(table) - 0.4, -0.7), xlim=(0, None))
    ax.set_xlabel("share of the attribution on the face that lies on moving skin (95 % interval over subjects)")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return figure


def _plot_intervals(
    ax: Axes, rows: pd.DataFrame, positions: Iterable[float], number: str | None = None, **style
) -> ErrorbarContainer:
    """Plot the values of tidy rows with their intervals; write each value in the format ``number`` above its mark."""
    positions = list(positions)
    bars = ax.errorbar(rows["value"], positions, xerr=_error(rows), **style)
    if number is not None:
        for value, position in zip(rows["value"], positions, strict=True):
            write_above(ax, number, value, position)
    return bars


def _error(rows: pd.DataFrame) -> np.ndarray:
    """Return the lengths of error bars, [2, N], never below 0: a bootstrap interval need not contain the value."""
    return np.maximum([rows["value"] - rows["low"], rows["high"] - rows["value"]], 0)


def _label_rows(axes: Sequence[Axes], names: Sequence[str], **style) -> None:
    """Write the names of a forest's rows at its left edge, and a grid behind every panel."""
    axes[0].set_yticks(range(len(names)), names, **style)
    for ax in axes:
        ax.grid(axis="x", alpha=0.3)


def _check_columns(table: pd.DataFrame, columns: Iterable[str], where: str) -> None:
    if missing := [column for column in columns if column not in table]:
        raise DataError(f"no column {missing[0]!r}", where, f"columns found: {', '.join(map(str, table.columns))}")
