"""Figures on repairing disentanglement: a long training, a field that moves pixels, variants, the two by two."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lfdtcmen.beyond.warp_generator import BRIGHTNESS, STEP
from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import (
    DPI,
    PALETTE,
    WIDTH,
    colour_bar,
    draw_change,
    draw_flow,
    image_grid,
    symmetric_limit,
)

MARKS, STYLES = "osD^", ("-", "--", ":", "-.")
GAIN = "motion gain, across identities"
LONG = {  # metric -> label, value to compare it with, what that is
    "error relative to copying, absolute": ("error over copy", 1.0, "a copy"),
    GAIN: ("motion gain across people", 1.0, "target"),
}
CARRIED = {GAIN: "motion gain across people", "subject from mo(apex)": "person named from the mean code"}
PARTS = {  # variants of the run `without_parts` in which no loss re-encodes generated images, and one in which some do
    "paper": "paper's recipe",
    "paper with change loss": "paper's, with change loss",
    "paper with bottleneck": "paper's, with bottleneck",
    "paper with warp": "paper's, with warp",
    "repaired, no pretraining": "repaired, not pretrained",
    "without warp": "without warp",
    "without change loss": "without change loss",
    "without rest loss": "without rest loss",
    "without bottleneck and rest loss": "without bottleneck, rest loss",
    "without contrast normalisation": "without contrast normalisation",
}


def long_training(table: pd.DataFrame) -> Figure:
    """Plot error over copy and motion gain over the epochs of one training, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        ``measures.csv`` of ``experiments/long_stage1.py``, of one training: columns metric, epoch, value, low, high.

    Raises
    ------
    DataError
        One of both measures is missing.
    """
    figure = Figure(figsize=(WIDTH, 2.8), dpi=DPI, layout="constrained")
    for ax, (metric, (label, line, name)) in zip(figure.subplots(1, 2), LONG.items(), strict=True):
        rows = table[table["metric"].eq(metric)].sort_values("epoch")
        if rows.empty:
            raise DataError(f"no rows of {metric!r}", "long_training")
        error = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        ax.errorbar(rows["epoch"], rows["value"], yerr=error, fmt="o-", markersize=4, capsize=3)
        ax.axhline(line, color=PALETTE[3], linestyle="--", label=name)
        ax.set(xlabel="epoch", ylabel=label, ylim=(min(0, *rows["low"]) - 0.05, 1.08 * max(1, *rows["high"])))
        ax.legend(frameon=False)
        ax.grid(alpha=0.3)
    return figure


def field_parts(frame: np.ndarray, field: np.ndarray, generated: np.ndarray, true: np.ndarray) -> Figure:
    """Show a face, the field by which a generator moves it, and the change that results, next to the true one.

    Parameters
    ----------
    frame : ndarray
        RGB in [0, 1], [3, H, W].
    field : ndarray
        Of :meth:`lfdtcmen.beyond.warp_generator.WarpGenerator.field`, [3, h, w]. It says where pixels are fetched;
        the arrows show the opposite, where the skin moves.
    generated, true : ndarray
        Changes, RGB in units of white, [3, H, W]; both have the colours of the true one.
    """
    figure, (axes,) = image_grid(1, 5, titled=True, bars=True)
    axes[0].imshow(np.clip(np.moveaxis(frame, 0, -1), 0, 1))
    shift, brightness = -STEP * field[:2], 100 * BRIGHTNESS * np.tanh(field[2])
    changes = [255 * change.mean(0) for change in (generated, true)]
    limit = symmetric_limit(changes[1])
    images = [draw_flow(axes[1], shift), draw_change(axes[2], brightness, symmetric_limit(brightness))]
    images += [draw_change(ax, change, limit) for ax, change in zip(axes[3:], changes, strict=True)]
    bars = (slice(1, 2), "pixels"), (slice(2, 3), "%"), (slice(3, 5), "grey levels")
    for image, (columns, label) in zip(images, bars, strict=False):  # both changes share the last one
        colour_bar(figure, image, columns, label)
    for ax, title in zip(axes, ("at rest", "shift", "brightness", "generated change", "true change"), strict=True):
        ax.set_title(title, fontsize=10)
    return figure


def runs_by_variant(
    table: pd.DataFrame, variants: Mapping[str, str] = PARTS, metrics: Mapping[str, str] = CARRIED
) -> Figure:
    """Plot each run of each variant as a dot, and their mean, a panel for each metric.

    Parameters
    ----------
    table : DataFrame
        ``measures.csv`` of ``experiments/disentanglement.py``: columns model, metric, value.
    variants : mapping
        Model -> its label, from top to bottom.
    metrics : mapping
        Metric -> label of its axis.

    Raises
    ------
    DataError
        A variant has no rows of a metric.
    """
    figure = Figure(figsize=(WIDTH, 0.9 + 0.33 * len(variants)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for ax, (metric, label) in zip(axes, metrics.items(), strict=True):
        for row, model in enumerate(variants):
            values = table.loc[table["model"].eq(model) & table["metric"].eq(metric), "value"].to_numpy()
            if not len(values):
                raise DataError(f"no rows of {model!r}, {metric!r}", "runs_by_variant")
            spread = np.linspace(-0.18, 0.18, len(values))
            ax.plot(values, row + spread, ".", color=PALETTE[7], markersize=5)
            ax.plot(values.mean(), row, "D", color=PALETTE[0], markersize=7)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_xlabel(label)
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(variants)), variants.values())
    axes[0].set_ylim(len(variants) - 0.5, -0.5)
    return figure


def two_by_two(
    table: pd.DataFrame, metrics: Mapping[str, str], generators: Sequence[str] = ("image", "warp")
) -> Figure:
    """Plot the four combinations of generator and supervision: a line a generator, a dot a seed, a panel a metric.

    Parameters
    ----------
    table : DataFrame
        ``measures.csv`` of ``experiments/two_by_two.py``: columns generator, supervision, seed, metric, value.
    metrics : mapping
        Metric -> label of its axis.
    generators : sequence of str
        Their names in the table, in the order of the legend.

    Raises
    ------
    DataError
        A combination is missing.
    """
    supervision = list(dict.fromkeys(table["supervision"]))
    figure = Figure(figsize=(WIDTH, 3.0), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(metrics), squeeze=False)[0]
    for ax, (metric, label) in zip(axes, metrics.items(), strict=True):
        rows = table[table["metric"].eq(metric)]
        for k, name in enumerate(generators):
            runs = [rows.loc[rows["generator"].eq(name) & rows["supervision"].eq(s), "value"] for s in supervision]
            if any(values.empty for values in runs):
                raise DataError(f"a combination of {name!r} has no {metric!r}", "two_by_two")
            at = np.arange(len(runs)) + 0.06 * (k - 0.5)
            ax.plot(at, [values.mean() for values in runs], STYLES[k], color=PALETTE[k], label=f"{name} generator")
            for x, values in zip(at, runs, strict=True):
                ax.plot([x] * len(values), values, MARKS[k], color=PALETTE[k], markersize=6)
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set_xticks(range(len(supervision)), supervision)
        ax.set(xlabel="supervision", ylabel=label, xlim=(-0.4, len(supervision) - 0.6))
        ax.grid(axis="y", alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False)
    return figure
