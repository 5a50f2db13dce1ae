"""Figure of several networks that are trained further (4.4), from the same start and from others."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH


def tuning_curves(curves: Mapping[str, pd.DataFrame], measures: Mapping[str, str], log: bool = True) -> Figure:
    """Plot measures of several trainings over the steps, one panel a measure, one line a training.

    Parameters
    ----------
    curves : mapping
        Training -> index: step; one column a measure.
    measures : mapping
        Column -> title of its panel.
    log : bool
        Logarithmic axes, the same for all panels.

    Raises
    ------
    DataError
        No training, or a column is missing.
    """
    if not curves:
        raise DataError("there are no curves", "tuning_curves")
    for name, table in curves.items():
        if missing := [column for column in measures if column not in table]:
            raise DataError(f"the curves have no column {missing[0]!r}", f"tuning_curves: {name}")
    figure = Figure(figsize=(WIDTH, 3.6), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for ax, (column, title) in zip(axes, measures.items(), strict=True):
        for k, (name, table) in enumerate(curves.items()):
            style = f"{'os^Dv<>P'[k % 8]}{('-', '--', ':')[k % 3]}"
            colour = PALETTE[k % len(PALETTE)]
            ax.plot(table.index, table[column], style, color=colour, markersize=5, label=name)
        ax.set(xlabel="step", title=title)
        ax.grid(alpha=0.3)
        if log:
            ax.set_yscale("log")
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter(NullFormatter())
    axes[0].set_ylabel("emotion loss")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=10, frameon=False)
    return figure
