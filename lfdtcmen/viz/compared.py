"""Figures of the compared methods: what each family sees of a clip, and score against size."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH, bare, draw_change, symmetric_limit

FAMILY_MARKS = "osD^vP*X"  # families are distinguishable without colour


def three_planes(clip: np.ndarray, place: tuple[int, int, int], shares: Mapping[str, np.ndarray]) -> Figure:
    """Show a clip cut along its three planes, and the histogram of patterns in each.

    Parameters
    ----------
    clip : ndarray
        Grey values, [T, H, W].
    place : (t, y, x)
        Where the planes cross.
    shares : mapping
        Title -> share of each pattern, [P], in the order of the planes y-x, t-x and t-y.

    Raises
    ------
    DataError
        Not three histograms.
    """
    if len(shares) != 3:
        raise DataError(f"{len(shares)} histograms for three planes", "three_planes")
    t, y, x = place
    cuts = ((clip[t], "x", "y", y, x), (clip[:, y], "x", "t", t, x), (clip[:, :, x], "y", "t", t, y))
    figure = Figure(figsize=(WIDTH, 4.3), dpi=DPI, layout="constrained")
    axes = figure.subplots(2, 3)
    for (cut, across, down, row, column), (title, share), above, below in zip(cuts, shares.items(), *axes, strict=True):
        above.imshow(cut, cmap="gray", vmin=0, vmax=255, aspect="auto" if down == "t" else "equal")
        above.axhline(row, color=PALETTE[1], linewidth=1)
        above.axvline(column, color=PALETTE[1], linewidth=1, linestyle="--")
        above.set(xlabel=across, ylabel=down, title=title)
        above.locator_params(integer=True, nbins=5)
        below.bar(range(len(share)), share, color=PALETTE[0], width=1.0)
        below.set(xlabel="pattern", ylabel="share", ylim=(0, max(s.max() for s in shares.values())))
    return figure


def flow_descriptions(
    face: np.ndarray, regions: np.ndarray, motions: np.ndarray, weights: np.ndarray, histograms: pd.DataFrame
) -> Figure:
    """Show what two methods make of a flow: a motion for each region of the face, and weighted directions of blocks.

    Parameters
    ----------
    face : ndarray
        uint8 RGB [H, W, 3].
    regions : ndarray
        Number of the region of each pixel, 0 for none, [H, W].
    motions : ndarray
        Main motion of each region, x then y, [R, 2].
    weights : ndarray
        Weight of each block, [b, b].
    histograms : DataFrame
        Index: direction in degrees, from x to y (down); columns: one or two ways of counting; shares.
    """
    figure = Figure(figsize=(WIDTH, 3.1), dpi=DPI, layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1.1, 1.2])
    bare(left).imshow(face)
    left.contour(regions, levels=np.arange(0.5, len(motions)), colors="white", linewidths=0.5)
    centres = np.array([np.argwhere(regions == k + 1).mean(0)[::-1] for k in range(len(motions))])  # [R, 2]: x, y
    scale = np.linalg.norm(motions, axis=1).max() / 18  # the longest arrow: 18 pixels
    style = {
        "angles": "xy",
        "scale_units": "xy",
        "scale": scale or 1,
        "color": PALETTE[3],
        "width": 0.012,
        "headwidth": 3,
    }
    left.quiver(*centres.T, *motions.T, **style)
    left.set_title("MDMO: main motion\nof 36 regions", fontsize=10)
    image = bare(middle).imshow(weights, cmap="cividis")
    figure.colorbar(image, ax=middle, shrink=0.7, label="mean strain")
    row, column = np.unravel_index(weights.argmax(), weights.shape)
    middle.plot(column, row, "x", color="white", markersize=10, markeredgewidth=2)
    middle.set_title("Bi-WOOF: global\nweight of each block", fontsize=10)
    place, width = np.arange(len(histograms)), 0.8 / len(histograms.columns)
    for k, name in enumerate(histograms):
        right.bar(
            place + (k - 0.5) * width, histograms[name], width, color=PALETTE[k], hatch=("", "//")[k % 2], label=name
        )
    right.set_xticks(place, ["→"] * len(place))
    for label, angle in zip(right.get_xticklabels(), histograms.index, strict=True):
        label.set(rotation=-angle, va="center", fontsize=14)  # y runs down: a positive angle turns clockwise
    right.tick_params(axis="x", pad=10)
    right.set(ylabel="share")
    right.set_title("the block at the cross:\ndirections", fontsize=10)
    right.legend(frameon=False)
    return figure


def patch_views(
    strain: np.ndarray,
    corners: np.ndarray,
    window: int,
    areas: np.ndarray,
    patch: int,
    frame: np.ndarray,
    change: np.ndarray,
) -> Figure:
    """Show what two Transformers see: four windows of the strain, cut into tokens; two frames compared patch by patch.

    Parameters
    ----------
    strain : ndarray
        [28, 28].
    corners : ndarray
        Left and top of each window, [4, 2].
    window, patch : int
        Sides of a window and of a token, in cells of the strain.
    areas : ndarray
        The windows side by side, [28, 28].
    frame : ndarray
        The apex, uint8 RGB [H, W, 3].
    change : ndarray
        How much each patch of the frame changes, [n, n].
    """
    figure = Figure(figsize=(WIDTH, 2.5), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, 4)
    for ax, values in ((axes[0], strain), (axes[1], areas)):
        bare(ax).imshow(values, cmap="cividis", vmin=0, vmax=symmetric_limit(strain))
    for k, (left, top) in enumerate(corners):
        box_x, box_y = np.array([0, 1, 1, 0, 0]) * window + left - 0.5, np.array([0, 0, 1, 1, 0]) * window + top - 0.5
        axes[0].plot(box_x, box_y, color=PALETTE[1 + k], linewidth=2, linestyle=("-", "--", "-.", ":")[k])
    for edge in np.arange(patch, areas.shape[0], patch) - 0.5:
        thick = 2.5 if (edge + 0.5) % window == 0 else 0.8
        axes[1].axhline(edge, color="white", linewidth=thick)
        axes[1].axvline(edge, color="white", linewidth=thick)
    bare(axes[2]).imshow(frame)
    for edge in np.linspace(0, len(frame), len(change) + 1)[1:-1] - 0.5:
        axes[2].axhline(edge, color="white", linewidth=0.6)
        axes[2].axvline(edge, color="white", linewidth=0.6)
    draw_change(bare(axes[3]), change, symmetric_limit(change))
    titles = ("HTNet: four windows\nof the strain", "its 16 tokens", "Micro-BERT: 64 patches\nof each frame")
    for ax, title in zip(axes, (*titles, "change of brightness\nof each patch"), strict=True):
        ax.set_title(title, fontsize=10)
    return figure


def score_by_size(table: pd.DataFrame, reference: Mapping[str, float]) -> Figure:
    """Plot the score of networks against their number of parameters, with intervals; a mark for each family.

    Parameters
    ----------
    table : DataFrame
        Columns model, family, parameters, value, low, high.
    reference : mapping
        Name -> score of what has no parameters to count, a horizontal line each.

    Raises
    ------
    DataError
        More families than marks, or no network.
    """
    families = list(dict.fromkeys(table["family"]))
    if not 0 < len(families) <= len(FAMILY_MARKS):
        raise DataError(f"{len(families)} families", "score_by_size", f"plot 1 to {len(FAMILY_MARKS)}")
    figure = Figure(figsize=(WIDTH, 5.0), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    for k, name in enumerate(families):
        rows = table[table["family"].eq(name)]
        error = np.maximum([rows["value"] - rows["low"], rows["high"] - rows["value"]], 0)
        ax.errorbar(rows["parameters"], rows["value"], error, fmt="none", ecolor=PALETTE[7], capsize=3)
        ax.plot(rows["parameters"], rows["value"], FAMILY_MARKS[k], color=PALETTE[k], markersize=8, label=name)
    for k, row in enumerate(table.sort_values("parameters").to_dict("records")):
        beside = (7, -13 if k % 2 else 4)  # points: names of neighbours above and below their marks
        white = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}  # over the references' lines
        ax.annotate(row["model"], (row["parameters"], row["value"]), beside, textcoords="offset points", bbox=white)
    for k, (name, value) in enumerate(reference.items()):
        ax.axhline(value, color="black", linestyle=("--", ":", "-.")[k % 3], linewidth=1.2, label=name)
    low, high = table["parameters"].min() / 2, table["parameters"].max() * 25  # room for the last name
    ax.set(xscale="log", xlim=(low, high), xlabel="parameters", ylabel="UF1 (mean, 95 % interval over subjects)")
    ax.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure
