"""Figures of scores: confusion matrices, recalls, the steps of a score, single predictions."""

from collections.abc import Mapping, Sequence, Sized
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from lfdtcmen.errors import DataError
from lfdtcmen.images import grey_change
from lfdtcmen.viz.style import (
    DPI,
    PALETTE,
    WIDTH,
    bare,
    check_count,
    check_frames,
    draw_change,
    draw_flow,
    symmetric_limit,
)


def confusion_pair(
    confusion: np.ndarray,
    names: Sequence[str],
    stated: Mapping[str, Mapping[str, float]] | None = None,
    data_name: str = "synthetic faces",
    stated_name: str = "CAS(ME)$^3$ Part A",
) -> Figure:
    """Plot our confusion matrix next to the recall rates that the paper states for its own data (Figs 7-9).

    Parameters
    ----------
    confusion : ndarray
        Counts, [C, C], a row for each true class; means over seeds are shown rounded.
    names : sequence of str
        Class names, in the order of the rows.
    stated : mapping, optional
        True class -> predicted class -> rate in [0, 1], only what the text states
        (:data:`lfdtcmen.paper.numbers.RECALL`). All other cells stay blank: the figures themselves are not copied.
    data_name, stated_name : str
        Which data each side is measured on: they differ, so the patterns can be compared, and the numbers cannot.
    """
    confusion = np.asarray(confusion)
    if confusion.shape != (len(names), len(names)):
        raise DataError(f"{len(names)} names for a matrix of {list(confusion.shape)}", "confusion_pair")
    rates = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    text = [[f"{rates[t, p]:.0%}\n{confusion[t, p]:.0f}" for p in range(len(names))] for t in range(len(names))]
    sides = 1 if stated is None else 2
    figure = Figure(figsize=(WIDTH if sides == 2 else WIDTH / 2 + 0.5, 4.3), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, sides, squeeze=False)[0]
    image = _draw_matrix(axes[0], rates, text, names)
    axes[0].set_title(f"ours, {data_name}: row rate and count", fontsize=10)
    axes[0].set_ylabel("true class")
    if stated is not None:
        if unknown := set(stated) - set(names):
            raise DataError(f"the paper's rates name {sorted(unknown)}, which are no classes here", "confusion_pair")
        paper = np.array([[stated.get(t, {}).get(p, np.nan) for p in names] for t in names])  # [C, C]
        text = [["not\nstated" if np.isnan(rate) else f"{rate:.0%}" for rate in row] for row in paper]
        _draw_matrix(axes[1], paper, text, names)
        axes[1].set_title(f"the paper's text, {stated_name}", fontsize=10)
    figure.colorbar(image, ax=list(axes), shrink=0.8, label="share of the true class")
    return figure


def confusion_row(confusions: Mapping[str, np.ndarray], names: Sequence[str], framed: str | None = None) -> Figure:
    """Plot confusion matrices of several models or test sets side by side, in one colour range (4.7).

    Where there are more than four classes, cells without samples have no text.

    Parameters
    ----------
    confusions : mapping
        Model -> counts, [C, C], a row for each true class; means over seeds are shown rounded.
    names : sequence of str
        Class names, in the order of the rows.
    framed : str, optional
        True class whose row gets a frame.

    Raises
    ------
    DataError
        No matrix, one of another number of classes, or ``framed`` is no class.
    """
    if not confusions:
        raise DataError("there is no matrix to plot", "confusion_row")
    if framed is not None and framed not in names:
        raise DataError(f"{framed!r} is no class here", "confusion_row", f"classes: {', '.join(names)}")
    size = len(names)
    figure = Figure(figsize=(WIDTH, WIDTH / max(2, len(confusions)) + 0.5), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(confusions), squeeze=False, sharey=True)[0]
    for ax, (model, counts) in zip(axes, confusions.items(), strict=True):
        counts = np.asarray(counts)
        if counts.shape != (size, size):
            raise DataError(f"{size} names for a matrix of {list(counts.shape)}", f"confusion_row: {model}")
        rates = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        cells = [[f"{rates[t, p]:.0%}\n{counts[t, p]:.0f}" for p in range(size)] for t in range(size)]
        text = [["" if size > 4 and not round(counts[t, p]) else cells[t][p] for p in range(size)] for t in range(size)]
        image = _draw_matrix(ax, rates, text, names)
        ax.set_title(model, fontsize=10)
        if framed is not None:
            row = names.index(framed)
            ax.add_patch(Rectangle((-0.5, row - 0.5), size, 1, fill=False, edgecolor=PALETTE[3], linewidth=3))
    axes[0].set_ylabel("true class")
    figure.colorbar(image, ax=list(axes), shrink=0.8, label="share of the true class")
    return figure


def _draw_matrix(ax: Axes, rates: np.ndarray, text: Sequence[Sequence[str]], names: Sequence[str]) -> AxesImage:
    cmap = mpl.colormaps["cividis"].with_extremes(bad="white")
    image = ax.imshow(np.ma.masked_invalid(rates), cmap=cmap, vmin=0, vmax=1)
    size = 10 if len(names) <= 4 else 7
    for t, row in enumerate(rates):
        for p, rate in enumerate(row):
            colour = "grey" if np.isnan(rate) else "white" if rate < 0.55 else "black"
            ax.text(p, t, text[t][p], ha="center", va="center", color=colour, fontsize=size - 2 * np.isnan(rate))
    slanted: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if len(names) > 3 else {}
    ax.set_xticks(range(len(names)), names, fontsize=9, **slanted)
    ax.set_yticks(range(len(names)), names, fontsize=9)
    ax.set_xlabel("predicted class")
    return image


def score_steps(steps: Mapping[str, float], metric: str = "UF1") -> Figure:
    """Plot how a score grows from the honest one to the reported one: a point for either, a bar per step.

    Parameters
    ----------
    steps : mapping
        Name -> score after this step: the honest one first; the last one is what is reported.
    metric : str
        What was scored, for the axis. It depends on the honest score alone, unless others are far from it, so that one
        picture can be compared with another.
    """
    if len(steps) < 2:
        raise DataError(f"{len(steps)} steps", "score_steps", "give the honest score and one step or more")
    names, values = [*steps, "reported"], [*steps.values()]
    figure = Figure(figsize=(WIDTH, 0.9 + 0.36 * len(names)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    for k, (before, after) in enumerate(pairwise(values), start=1):
        ax.barh(k, after - before, left=before, color=PALETTE[1] if after >= before else PALETTE[7])
        ax.plot([before, before], [k - 1, k], color="black", linewidth=0.6)
        ax.text(max(before, after) + 0.005, k, f"{after - before:+z.3f}", va="center", fontsize=9)
    for k, value, colour in ((0, values[0], PALETTE[0]), (len(steps), values[-1], PALETTE[3])):
        ax.plot(value, k, "o", color=colour, markersize=9)
        ax.text(value + 0.005, k, f"{value:.3f}", va="center", fontsize=9, weight="bold")
    ax.axvline(values[0], color=PALETTE[0], linestyle="--", linewidth=1)
    ax.set_yticks(range(len(names)), names)
    limits = min([*values, values[0] - 0.03]) - 0.02, max([*values, values[0] + 0.1]) + 0.03
    ax.set(xlabel=metric, xlim=limits, ylim=(len(names) - 0.4, -0.6))
    return figure


def prediction_strip(
    onset: np.ndarray,
    apex: np.ndarray,
    flow: np.ndarray,
    probabilities: np.ndarray,
    names: Sequence[str],
    labels: Sequence[int],
    titles: Sequence[str] | None = None,
) -> Figure:
    """Show each pair as one row: onset, signed difference, flow, and the class probabilities with the true class.

    Parameters
    ----------
    onset, apex : ndarray
        uint8 [N, H, W, 3].
    flow : ndarray
        [N, 2, H, W], pixels.
    probabilities : ndarray
        Of each class, [N, C], as :func:`lfdtcmen.training.predict` returns them.
    names : sequence of str
        Class names [C].
    labels : sequence of int
        True class of each pair [N]: its bar is filled, the others are hollow.
    titles : sequence of str, optional
        One short line per row.

    Raises
    ------
    DataError
        Arrays whose rows do not belong together.
    """
    onset, probabilities = check_frames(onset, "prediction_strip"), np.asarray(probabilities)
    given: dict[str, Sized] = {"apex": apex, "flow": flow, "probabilities": probabilities, "labels": labels}
    for name, value in given.items():
        if len(value) != len(onset):
            raise DataError(f"{len(value)} given for {len(onset)} images", f"prediction_strip: {name}")
    check_count(titles, len(onset), "prediction_strip: titles")
    change = grey_change(onset, apex)  # [N, H, W]
    limits = symmetric_limit(change), symmetric_limit(np.linalg.norm(flow, axis=1))
    engine = ConstrainedLayoutEngine(w_pad=0.02, wspace=0.01)
    figure = Figure(figsize=(WIDTH, 0.5 + 1.45 * len(onset)), dpi=DPI, layout=engine)
    axes = figure.subplots(len(onset), 4, squeeze=False, width_ratios=(1, 1, 1, 2.6))
    for k, (face, difference, motion, bars) in enumerate(axes):
        bare(face).imshow(onset[k])
        draw_change(bare(difference), change[k], limits[0])
        draw_flow(bare(motion), flow[k], limits[1])
        colours = [PALETTE[0] if c == labels[k] else "white" for c in range(len(names))]
        bars.barh(range(len(names)), probabilities[k], color=colours, edgecolor=PALETTE[0])
        bars.set_yticks(
            range(len(names)), [n + " (true)" * bool(c == labels[k]) for c, n in enumerate(names)], fontsize=8
        )
        for c, value in enumerate(probabilities[k]):
            bars.text(value, c, f" {value:.2f}", va="center", fontsize=8)
        bars.set(xlim=(0, 1.15), ylim=(len(names) - 0.4, -0.6), xticks=(0, 0.5, 1))
        bars.tick_params(axis="x", labelsize=8, labelbottom=k == len(onset) - 1)
        bars.set_title(titles[k] if titles is not None else "", fontsize=9, loc="left")
    heads = ("onset", f"apex - onset\n(±{limits[0]:.3g} grey levels)", f"flow\n(to {limits[1]:.2g} px)")
    for ax, head in zip(axes[0], heads, strict=False):
        ax.set_title(head, fontsize=8)
    axes[-1, 3].set_xlabel("probability", fontsize=9)
    return figure
