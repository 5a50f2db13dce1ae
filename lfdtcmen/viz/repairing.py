"""Figures on repairing disentanglement: a field that moves pixels, runs of variants, the gain of each action unit."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lfdtcmen.beyond.warp_generator import BRIGHTNESS, STEP
from lfdtcmen.datasets.synthetic.action_units import NAMES
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

GAIN = "motion gain, across identities"
CARRIED = {GAIN: "motion gain across people", "subject from mo(apex)": "person named from the mean code"}
PARTS = {  # variants of the run `without_parts`; docs/trials.md has the others
    "paper": "paper's recipe",
    "paper with change loss": "paper's, with change loss",
    "paper with bottleneck": "paper's, with bottleneck",
    "paper with contrast normalisation": "paper's, with contrast normalisation",
    "paper with warp": "paper's, with warp",
    "paper with warp, without cycle": "paper's, with warp, no cycle",
    "repaired, no pretraining": "repaired, not pretrained",
    "without warp": "without warp",
    "without change loss": "L1, no change or rest loss",
    "without rest loss": "without rest loss",
    "without bottleneck and rest loss": "without bottleneck, rest loss",
    "without contrast normalisation": "without contrast normalisation",
}
WHOLE = "repaired, no pretraining"  # the variant that the later ones take a part from


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
    table: pd.DataFrame,
    variants: Mapping[str, str] = PARTS,
    metrics: Mapping[str, str] = CARRIED,
    whole: str = WHOLE,
) -> Figure:
    """Plot each run of each variant as a dot, and their mean, a panel for each metric.

    A dashed line marks the mean of one variant, a dotted one what the metric is compared with (chance level, 0).

    Parameters
    ----------
    table : DataFrame
        ``measures.csv`` of ``experiments/disentanglement.py``: columns model, metric, value, reference, target.
    variants : mapping
        Model -> its label, from top to bottom.
    metrics : mapping
        Metric -> label of its axis.
    whole : str
        The variant of the dashed line; those below it lack a part of it.

    Raises
    ------
    DataError
        A variant has no rows of a metric.
    """
    figure = Figure(figsize=(WIDTH, 0.9 + 0.33 * len(variants)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    nothing = "nothing moves" if set(metrics) == {GAIN} else "nothing moves, or chance level"
    for ax, (metric, label) in zip(axes, metrics.items(), strict=True):
        for row, model in enumerate(variants):
            values = table.loc[table["model"].eq(model) & table["metric"].eq(metric), "value"].to_numpy()
            if not len(values):
                raise DataError(f"no rows of {model!r}, {metric!r}", "runs_by_variant")
            spread = np.linspace(-0.18, 0.18, len(values))
            ax.plot(values, row + spread, ".", color=PALETTE[7], markersize=5)
            ax.plot(values.mean(), row, "D", color=PALETTE[0], markersize=7)
        of_metric = table[table["metric"].eq(metric)]
        middle = of_metric.loc[of_metric["model"].eq(whole), "value"].mean()
        rows = [list(variants).index(whole) - 0.5, len(variants) - 0.5]
        ax.plot([middle] * 2, rows, "--", color=PALETTE[1], linewidth=1.2, label=f"mean of {variants[whole]}")
        floor = 0.0 if metric == GAIN else of_metric["reference"].mean()  # a gain's reference is its target
        ax.axvline(floor, color="black", linestyle=":", linewidth=1.2, label=nothing)
        ax.axhline(rows[0], color="black", linewidth=0.8)
        ax.set_xlabel(label)
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(variants)), variants.values())
    axes[0].set_ylim(len(variants) - 0.5, -0.5)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=9, frameon=False)
    return figure


def unit_gains(table: pd.DataFrame) -> Figure:
    """Plot the motion gain of each action unit alone, the largest first: a dot for each training, and their mean.

    Parameters
    ----------
    table : DataFrame
        ``gains.csv`` of ``experiments/final_test.py``, of one recipe: columns set, metric, part, value, reference.

    Raises
    ------
    DataError
        There are no action units.
    """
    table = table[table["set"].eq("action units") & table["metric"].eq("motion gain")]
    units = table[table["part"].str.match("AU")]
    if units.empty:
        raise DataError("no action units", "unit_gains", "give gains.csv of experiments/final_test.py")
    parts = units.groupby("part")["value"].mean().sort_values(ascending=False).index
    names = {"all": "all pooled"} | {part: f"{NAMES[int(part[2:])]} (AU {part[2:]})" for part in parts}
    return runs_by_variant(table.assign(model=table["part"], metric=GAIN), names, {GAIN: "motion gain"}, whole="all")
