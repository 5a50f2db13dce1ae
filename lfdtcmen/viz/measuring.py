"""Figures on measuring disentanglement: gain as a projection, motions alike, whose change it is, rotated codes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH, draw_change, frame_arrows

HATCHES = ("", "//", "..", "xx")  # so that parts of a bar remain distinguishable without colours
PARTS = (0, 2, 3, 1)  # of the palette


def gain_vectors(true: np.ndarray, generated: Mapping[str, np.ndarray]) -> Figure:
    """Plot generated changes of two numbers, and the projection of each onto the true change: its motion gain.

    Parameters
    ----------
    true : ndarray
        The true change, [2].
    generated : mapping
        Name -> generated change, [2].

    Raises
    ------
    DataError
        A change that has not two numbers, or a true one of length 0.
    """
    true = np.asarray(true, float)
    changes = {name: np.asarray(change, float) for name, change in generated.items()}
    if any(change.shape != (2,) for change in (true, *changes.values())) or not true.any():
        raise DataError("changes must have two numbers, and the true one a length", "gain_vectors")
    figure = Figure(figsize=(6.6, 3.0), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 16}
    ends = [("true change", true, "black", 3.5)]
    ends += [(name, change, colour, 2.0) for (name, change), colour in zip(changes.items(), PALETTE, strict=False)]
    for name, end, colour, width in ends:
        gain = end @ true / (true @ true)
        label = name if end is true else f"{name}: gain {gain:.2f}"
        ax.annotate("", tuple(end), (0, 0), arrowprops={**arrow, "color": colour, "linewidth": width})
        ax.plot([], [], color=colour, linewidth=width, label=label)
        ax.plot(*np.stack([end, gain * true], axis=1), ":", color=colour)
        ax.plot(*(gain * true), "o", color=colour, markersize=6, zorder=4)  # above the arrows
    points = np.vstack([np.zeros(2), *(end for _, end, _, _ in ends)])
    frame_arrows(ax, points, "change of the first pixel", "change of the second")
    figure.legend(loc="outside right upper", fontsize=10, frameon=False)
    return figure


def motions_alike(cosines: Mapping[str, np.ndarray], motions: Sequence[str]) -> Figure:
    """Show how much changes resemble the true change of each motion: a square of cosines for each generator.

    Parameters
    ----------
    cosines : mapping
        Title -> cosine of the change by motion m (row) with the true change of motion n (column), [M, M].
    motions : sequence of str
        A name for each, [M].

    Raises
    ------
    DataError
        A matrix of another shape.
    """
    count = len(motions)
    if any(np.shape(matrix) != (count, count) for matrix in cosines.values()):
        raise DataError(f"a matrix that is not {count} x {count}", "motions_alike", "give a cosine for any two motions")
    figure = Figure(figsize=(WIDTH, 3.9), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(cosines), sharey=True, squeeze=False)[0]
    for ax, (title, matrix) in zip(axes, cosines.items(), strict=True):
        image = draw_change(ax, np.asarray(matrix), 1.0)
        ax.set_title(title, fontsize=10)
        ax.set_xticks(range(count), motions, rotation=90)
        ax.set_xlabel("true change of")
    axes[0].set_yticks(range(count), motions)
    axes[0].set_ylabel("change by the motion of")
    figure.colorbar(image, ax=axes, label="cosine", shrink=0.7)
    return figure


def whose_change(shares: pd.DataFrame) -> Figure:
    """Plot of what changes consist: a bar for each generator, divided into the shares of motion, face and driver.

    Parameters
    ----------
    shares : DataFrame
        A row for each generator, a column for each part (four at most); rows add up to 1.

    Raises
    ------
    DataError
        Shares below 0, or a row that does not add up to 1.
    """
    values = shares.to_numpy(float)
    if (values < 0).any() or not np.allclose(values.sum(1), 1, atol=1e-3):
        raise DataError("shares must not be negative and must add up to 1", "whose_change")
    figure = Figure(figsize=(WIDTH, 1.3 + 0.45 * len(shares)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    left = np.zeros(len(shares))
    for part, width, colour, hatch in zip(shares, values.T, PARTS, HATCHES, strict=False):
        bars = ax.barh(range(len(shares)), width, left=left, color=PALETTE[colour], hatch=hatch, edgecolor="white")
        bars.set_label(str(part))
        for row, share in enumerate(width):
            if share > 0.04:  # else there is no room for the number
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
                ax.text(left[row] + share / 2, row, f"{share:.0%}", ha="center", va="center", bbox=box)
        left += width
    ax.set_yticks(range(len(shares)), list(shares.index))
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="share of the squared change")
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper right", ncols=len(shares.columns), frameon=False)
    return figure


def rotated_codes(codes: Mapping[str, np.ndarray], who: np.ndarray) -> Figure:
    """Plot codes of two numbers, coloured by who it is, with an arrow for what the first number alone changes.

    Parameters
    ----------
    codes : mapping
        Title -> codes, [N, 2].
    who : ndarray
        A number that tells the identity, [N].
    """
    figure = Figure(figsize=(WIDTH, 3.6), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(codes), sharex=True, sharey=True, squeeze=False)[0]
    for ax, (title, points) in zip(axes, codes.items(), strict=True):
        cloud = ax.scatter(*np.asarray(points).T, c=who, cmap="cividis", s=14, linewidths=0)
        arrow = {"arrowstyle": "-|>", "color": PALETTE[3], "linewidth": 3, "mutation_scale": 18}
        ax.annotate("", (2.4, 0), (-2.4, 0), arrowprops=arrow)
        ax.set(title=title, xlabel="first number", aspect="equal")
    axes[0].set_ylabel("second number")
    figure.colorbar(cloud, ax=axes, label="who (true)", shrink=0.8)
    return figure
