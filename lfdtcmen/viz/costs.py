"""Figures of cost (4.8, Table 8): shares of components, networks compared, repeated runs."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH

MARKS = "os^D"  # of several measures: distinguishable without colour


def cost_shares(costs: pd.DataFrame, spread: Mapping[str, pd.DataFrame] | None = None) -> Figure:
    """Plot the share of each component in the sum, for several measures of cost.

    Parameters
    ----------
    costs : DataFrame
        Index: component; a column for each measure (parameters, operations, time), up to four. A row "total" is left
        out: the shares are of the components' sum.
    spread : mapping, optional
        Measure -> its bounds, a DataFrame of the same components with the columns low and high, plotted as a thin line.

    Raises
    ------
    DataError
        No measure, more than four, or a measure whose sum is not positive.
    """
    parts = costs.drop("total", errors="ignore").fillna(0)
    if not 1 <= parts.shape[1] <= len(MARKS) or (parts.sum() <= 0).any():
        raise DataError("give one to four measures with positive sums", "cost_shares")
    shares = parts / parts.sum()
    figure = Figure(figsize=(WIDTH, 0.9 + 0.34 * len(parts)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    rows = np.arange(len(parts))
    ax.hlines(rows, shares.min(axis=1), shares.max(axis=1), color="lightgrey", linewidth=2, zorder=1)
    for k, name in enumerate(shares):
        ax.plot(shares[name], rows, MARKS[k], color=PALETTE[k], markersize=8, label=name, linestyle="none")
        if spread is not None and name in spread:
            bounds = spread[name].loc[parts.index] / parts[name].sum()
            ax.hlines(rows, bounds["low"], bounds["high"], color=PALETTE[k], linewidth=1.5)
    ax.set_yticks(rows, parts.index.astype(str))
    ax.invert_yaxis()
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
    ax.set(xlabel="share of all components", xlim=(-0.02, None))
    ax.grid(axis="y", color="whitesmoke")
    figure.legend(loc="outside upper center", ncols=shares.shape[1], frameon=False)
    return figure


def compared_costs(costs: pd.DataFrame, stated: Mapping[str, float]) -> Figure:
    """Plot the costs of several networks on logarithmic scales, one panel a measure.

    Parameters
    ----------
    costs : DataFrame
        Index: network; one or more columns, each a measure. A missing value leaves its row empty.
    stated : mapping
        Network -> the total that the paper states, a cross in the first panel.

    Raises
    ------
    DataError
        A cost is not positive, or a stated network is not in the table.
    """
    if (costs <= 0).any(axis=None) or set(stated) - set(costs.index):
        raise DataError("give positive costs, and stated totals of networks of the table", "compared_costs")
    figure = Figure(figsize=(WIDTH, 1.1 + 0.36 * len(costs)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, costs.shape[1], sharey=True, squeeze=False)[0]
    rows = np.arange(len(costs))
    for k, (ax, name) in enumerate(zip(axes, costs, strict=True)):
        ax.hlines(rows, costs[name].min() / 2, costs[name], color="lightgrey", linewidth=2)
        ax.plot(costs[name], rows, MARKS[k % len(MARKS)], color=PALETTE[k], markersize=8, label="counted here")
        ax.set(xscale="log", xlabel=name, xlim=(costs[name].min() / 2, costs[name].max() * 3))
    where = [list(costs.index).index(name) for name in stated]
    axes[0].plot(list(stated.values()), where, "x", color="black", markersize=9, label="stated by the paper")
    axes[0].set_yticks(rows, costs.index.astype(str))
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure


def run_times(milliseconds: np.ndarray) -> Figure:
    """Plot the time of each of several runs in order, with their median, quartiles and mean.

    Parameters
    ----------
    milliseconds : ndarray
        Of each run, [N].

    Raises
    ------
    DataError
        There is no run.
    """
    times = np.asarray(milliseconds, np.float64)
    if not len(times):
        raise DataError("there is no run to plot", "run_times")
    low, median, high = np.percentile(times, [25, 50, 75])
    figure = Figure(figsize=(WIDTH, 2.6), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    ax.axhspan(low, high, color=PALETTE[0], alpha=0.2, linewidth=0, label="quartiles")
    ax.plot(np.arange(1, len(times) + 1), times, "o", color=PALETTE[0], markersize=5, label="one run")
    ax.axhline(median, color=PALETTE[0], label=f"median {median:.1f} ms")
    ax.axhline(times.mean(), color=PALETTE[1], linestyle="--", label=f"mean {times.mean():.1f} ms")
    ax.set(xlabel="run", ylabel="milliseconds", ylim=(0, 1.08 * times.max()))
    ax.legend(frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    return figure
