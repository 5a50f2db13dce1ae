"""Figures of the ablations (4.6, Tables 4 to 7): what a setting has, its score and its step, with a dot for each seed.

A mark shows the mean over seeds, a line its 95 % interval over subjects, a small dot one seed. No figure here shows a
number of the paper: those are of other faces.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import power
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH

COLOURS = {"paper": PALETTE[0], "repaired": PALETTE[1]}
NEEDED = ("model", "metric", "value", "low", "high", "against", "by_seed", "degenerate")


def setting_grid(
    has: Mapping[str, Sequence[str]], columns: Sequence[str], parts: int, notes: Mapping[tuple[str, str], str]
) -> Figure:
    """Plot which parts and losses each setting has.

    Parameters
    ----------
    has : mapping
        Name of a setting -> the columns that it has.
    columns : sequence of str
        Parts, then losses.
    parts : int
        How many of the columns are parts.
    notes : mapping
        (setting, column) -> text in its square, such as how many streams a branch has.
    """
    figure = Figure(figsize=(WIDTH, 1.5 + 0.3 * len(has)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    for k, (name, own) in enumerate(has.items()):
        for column, what in enumerate(columns):
            filled = what in own
            style: dict[str, Any] = {"marker": "s", "s": 150} if filled else {"marker": "x", "s": 14, "linewidth": 1}
            ax.scatter(column, k, color=PALETTE[column >= parts] if filled else "0.7", **style)
            ax.text(column, k, notes.get((name, what), ""), ha="center", va="center_baseline", color="white")
        if k and name.split(",")[0] != list(has)[k - 1].split(",")[0]:
            ax.axhline(k - 0.5, color="black", linewidth=0.8)
    ax.axvline(parts - 0.5, color="black", linewidth=0.8)
    ax.set_xticks(range(len(columns)), [name.replace(" ", "\n") for name in columns], rotation=35, ha="left")
    ax.set_yticks(range(len(has)), list(has))
    ax.set(xlim=(-0.6, len(columns) - 0.4), ylim=(len(has) - 0.4, -0.6))
    ax.xaxis.tick_top()
    marks = [Line2D([], [], marker="s", linestyle="", markersize=9, color=PALETTE[k]) for k in (0, 1)]
    figure.legend(marks, ["a part", "a loss"], loc="outside lower right", ncols=2, frameon=False)
    return figure


def paired_cloud(scores: np.ndarray, names: tuple[str, str]) -> Figure:
    """Plot the scores of two models on the same resamples, and their differences.

    Parameters
    ----------
    scores : ndarray
        [resamples, 2].
    names : tuple of str
        Of the two models.
    """
    figure = Figure(figsize=(WIDTH, 3.5), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2)
    ends = [scores.min() - 0.01, scores.max() + 0.01]
    left.scatter(*scores.T, s=4, color=PALETTE[7], linewidths=0)
    left.plot(ends, ends, color="black", linewidth=1, label="equal scores")
    bounds, middle = np.quantile(scores, [0.025, 0.975], axis=0).T, scores.mean(0)  # [2, 2], [2]
    left.plot(bounds[0], [middle[1]] * 2, color=PALETTE[0], linewidth=3, label=f"{names[0]}, 95 %")
    left.plot([middle[0]] * 2, bounds[1], color=PALETTE[1], linewidth=3, label=f"{names[1]}, 95 %")
    left.set(xlabel=f"UF1: {names[0]}", ylabel=f"UF1: {names[1]}", xlim=ends, ylim=ends, title="a dot: one resample")
    left.legend(fontsize=9, loc="upper left", frameon=False)
    differences = scores[:, 1] - scores[:, 0]
    right.hist(differences, bins=40, color=PALETTE[7])
    right.axvline(0, color="black", linewidth=1)
    for bound in np.quantile(differences, [0.025, 0.975]):
        right.axvline(bound, color=PALETTE[2], linestyle="--", linewidth=2)
    right.set(xlabel="difference in UF1", ylabel="resamples", title="subtracted; dashed: 95 %")
    return figure


def overview(scores: Mapping[str, pd.DataFrame], names: Mapping[str, str], floor: float) -> Figure:
    """Plot the UF1 of every model, a panel for each recipe.

    Parameters
    ----------
    scores : mapping
        Recipe -> rows of :func:`~lfdtcmen.evaluation.results.score_table` with seeds
        (:func:`~lfdtcmen.analysis.ablation.add_seeds`). A hollow mark is a constant answer.
    names : mapping
        Model -> what it is; the rows, from top to bottom.
    floor : float
        UF1 of always giving the most frequent class.

    Raises
    ------
    DataError
        A column is missing.
    """
    figure = Figure(figsize=(WIDTH, 1.3 + 0.33 * len(names)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(scores), squeeze=False, sharex=True, sharey=True)[0]
    for ax, (recipe, table) in zip(axes, scores.items(), strict=True):
        _check_columns(table, "overview")
        rows = table[table["metric"].eq("UF1") & table["against"].eq("")].set_index("model")
        for k, name in enumerate(names):
            if name in rows.index:
                _plot_row(ax, rows.loc[name], k, COLOURS[recipe])
        ax.axvline(floor, color="black", linestyle=":", linewidth=1)
        ax.set(title=f"{recipe} recipe", xlabel="UF1 (95 % interval over people)")
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(names)), list(names.values()))
    axes[0].set_ylim(len(names) - 0.4, -0.6)
    _legend(figure, {"most frequent class": Line2D([], [], color="black", linestyle=":")})
    return figure


def steps(tables: Mapping[str, pd.DataFrame], metric: str = "UF1") -> Figure:
    """Plot a table of ablations: each setting's score, and its difference to the row above (its step).

    Parameters
    ----------
    tables : mapping
        Recipe -> what :func:`lfdtcmen.analysis.ablation.ablation_table` returned, of one and the same table.
    metric : {"UF1", "UAR"}

    Raises
    ------
    DataError
        No tables, or a column is missing.
    """
    if not tables:
        raise DataError("there are no tables", "steps", "pass what ablation_table returned")
    what = {row["model"]: row["what"] for table in reversed([*tables.values()]) for row in table.to_dict("records")}
    settings = list(dict.fromkeys(model for table in tables.values() for model in table["model"]))
    figure = Figure(figsize=(WIDTH, 1.6 + 0.55 * len(settings)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for shift, (recipe, table) in zip(_offsets(len(tables)), tables.items(), strict=True):
        _check_columns(table, "steps")
        for absent in [model for model in settings if model not in set(table["model"])]:
            place = axes[0].get_yaxis_transform()
            text = f"{recipe} recipe: does not exist"
            y = settings.index(absent) + shift
            axes[0].text(0.5, y, text, transform=place, ha="center", va="center", color=COLOURS[recipe], fontsize=10)
        for ax, against in zip(axes, ("", "above"), strict=True):
            rows = table[table["metric"].eq(metric) & table["against"].eq(against)]
            for _, row in rows.iterrows():
                _plot_row(ax, row, settings.index(row["model"]) + shift, COLOURS[recipe])
    axes[1].axvline(0, color="black", linewidth=1)
    axes[0].set_yticks(range(len(settings)), [textwrap.fill(f"{name}: {what[name]}", 27) for name in settings])
    axes[0].set(ylim=(len(settings) - 0.4, -0.6), xlabel=f"{metric} (95 % interval over people)")
    axes[1].set_xlabel(f"step in {metric} from the row above (95 %)")
    for ax in axes:
        ax.grid(axis="x", alpha=0.3)
    _legend(figure, {f"{recipe} recipe": Line2D([], [], marker="o", color=COLOURS[recipe]) for recipe in tables})
    return figure


def holm_ladder(found: pd.DataFrame, names: Sequence[str], level: float = 0.05) -> Figure:
    """Plot p-values, the smallest first, with the bound that Holm's rule compares each with.

    Parameters
    ----------
    found : DataFrame
        Columns p, holm and degenerate, one row a test (:func:`lfdtcmen.analysis.ablation.steps_of`).
    names : sequence of str
        Of the tests.
    level : float
    """
    order = np.argsort(found["p"].to_numpy(), kind="stable")
    p, adjusted, degenerate = (found[name].to_numpy()[order] for name in ("p", "holm", "degenerate"))
    rank = np.arange(len(p))
    figure = Figure(figsize=(WIDTH, 1.3 + 0.26 * len(p)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    kinds = {
        "a finding after Holm": (adjusted <= level, {"marker": "o", "color": PALETTE[2]}),
        "no finding": ((adjusted > level) & ~degenerate.astype(bool), {"marker": "x", "color": "0.4"}),
        "degenerate": (degenerate.astype(bool), {"marker": "o", "facecolor": "white", "edgecolor": "0.4"}),
    }
    for kind, (chosen, style) in kinds.items():
        if chosen.any():
            ax.scatter(p[chosen], rank[chosen], s=40, label=kind, **style)
    ax.plot(level / (len(p) - rank), rank, "k--", linewidth=1.2, label="Holm's bound")
    ax.axvline(level, color=PALETTE[3], linestyle=":", linewidth=1.5, label=f"{level} for each alone")
    ax.set_yticks(rank, [names[k] for k in order], fontsize=10)
    ax.set(xscale="log", xlim=(p.min() / 2, 1.5), ylim=(len(p) - 0.4, -0.6), xlabel="p (logarithmic)")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.grid(axis="x", alpha=0.3)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper right", ncols=3, fontsize=9, frameon=False)
    return figure


def power_curve(ratio: np.ndarray, simulated: np.ndarray) -> Figure:
    """Plot how often an interval excludes zero, over the true effect in half-widths of the interval.

    The line is :func:`lfdtcmen.evaluation.intervals.power`.

    Parameters
    ----------
    ratio : ndarray
        Effect divided by half-width, [N].
    simulated : ndarray
        Share of simulated studies whose interval excludes zero, [N].
    """
    figure = Figure(figsize=(0.7 * WIDTH, 3.4), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    fine = np.linspace(0, ratio.max(), 501)
    formula = [power(effect, 1.0) for effect in fine]
    ax.plot(fine, formula, color=PALETTE[0], label="formula")
    ax.plot(ratio, simulated, "o", color=PALETTE[1], markersize=5, label="simulated studies")
    for level in (0.5, 0.8):
        at = np.interp(level, formula, fine)
        ax.plot([0, at, at], [level, level, 0], color="0.4", linestyle="--", linewidth=1)
        ax.annotate(f"{level:.0%} at {at:.2f}", (at, level), (6, -12), textcoords="offset points")
    ax.set(xlabel="true effect / half-width of the interval", ylabel="power", xlim=(0, ratio.max()), ylim=(0, 1.03))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, loc="lower right")
    return figure


def _plot_row(ax: Axes, row: pd.Series, position: float, colour: str) -> None:
    """Plot one value with its interval, and above it a dot for each seed; hollow and grey where it is degenerate."""
    shown = "0.45" if row["degenerate"] else colour
    error = np.maximum([[row["value"] - row["low"]], [row["high"] - row["value"]]], 0)  # a bootstrap's may be below 0
    face = "white" if row["degenerate"] else shown
    ax.errorbar(row["value"], position, xerr=error, fmt="o", color=shown, markerfacecolor=face, capsize=3, markersize=6)
    ax.plot(row["by_seed"], [position - 0.2] * len(row["by_seed"]), "o", color=shown, markersize=2.5, alpha=0.8)


def _offsets(count: int) -> np.ndarray:
    return (np.arange(count) - (count - 1) / 2) * 0.42


def _legend(figure: Figure, others: Mapping[str, Line2D]) -> None:
    """Write below a figure what its marks are."""
    marks = dict(others) | {
        "one seed": Line2D([], [], marker="o", linestyle="", markersize=3, color="0.3"),
        "constant answer": Line2D([], [], marker="o", linestyle="", markerfacecolor="white", color="0.45"),
    }
    figure.legend(marks.values(), marks.keys(), loc="outside lower right", ncols=len(marks), fontsize=9, frameon=False)


def _check_columns(table: pd.DataFrame, where: str) -> None:
    if missing := [column for column in NEEDED if column not in table]:
        raise DataError(f"no column {missing[0]!r}", where, f"columns found: {', '.join(map(str, table.columns))}")
