"""Figures of what goes into the network: flow and where it comes from, weights of a fit, strain, streams."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lfdtcmen.errors import DataError
from lfdtcmen.viz.style import (
    DPI,
    PALETTE,
    WIDTH,
    bare,
    check_count,
    check_frames,
    colour_bar,
    draw_change,
    draw_flow,
    image_grid,
)


def constancy_plot(
    position: np.ndarray, before: np.ndarray, after: np.ndarray, estimate: np.ndarray, true: float
) -> Figure:
    """Plot brightness constancy in one dimension: a pattern that moves, and the motion found at each position.

    Parameters
    ----------
    position : ndarray
        Pixels [N].
    before, after : ndarray
        Brightness at the onset and at the apex, [N].
    estimate : ndarray
        Motion found at each position, pixels [N]; marked where it is beyond 2.5 times the true one.
    true : float
        Motion, pixels.
    """
    figure = Figure(figsize=(WIDTH, 2.7), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(position, before, color=PALETTE[0], label="onset")
    left.plot(position, after, "--", color=PALETTE[1], label="apex")
    left.set(xlabel="position (px)", ylabel="brightness")
    left.legend(frameon=False)
    limit = 2.5 * abs(true)
    right.plot(position, np.where(np.abs(estimate) > limit, np.nan, estimate), "o", color=PALETTE[2], markersize=4)
    for number, x in enumerate(position[np.abs(estimate) > limit]):
        label = None if number else "beyond the plot"
        right.axvspan(x - 0.5, x + 0.5, color=PALETTE[3], alpha=0.2, linewidth=0, label=label)
    right.axhline(true, color="black", linewidth=1, label="true motion")
    right.set(xlabel="position (px)", ylabel="motion found (px)", ylim=(-limit, limit))
    right.legend(frameon=False, loc="lower right")
    return figure


def flow_rows(flows: Mapping[str, np.ndarray]) -> Figure:
    """Show several flows of one face, a row each: length with arrows, U and V, all on one scale.

    Parameters
    ----------
    flows : mapping
        Name -> flow, [2, H, W], x then y, pixels.

    Raises
    ------
    DataError
        No flow.

    Notes
    -----
    The scale ends at the longest motion of all flows, so that nothing is cut off.
    """
    if not flows:
        raise DataError("no flow given", "flow_rows")
    limit = max(float(np.linalg.norm(flow, axis=0).max()) for flow in flows.values()) or 1.0
    figure, axes = image_grid(len(flows), 3, titled=True, bars=True)
    for row, (name, flow) in zip(axes, flows.items(), strict=True):
        length = draw_flow(row[0], flow, limit)
        parts = [draw_change(ax, part, limit) for ax, part in zip(row[1:], flow, strict=True)]
        row[0].set_ylabel(name, fontsize=10)
    for ax, title in zip(axes[0], ("length", "U (to the right)", "V (down)"), strict=True):
        ax.set_title(title, fontsize=10)
    colour_bar(figure, length, slice(0, 1), "pixels")
    colour_bar(figure, parts[1], slice(1, 3), "pixels")
    return figure


def map_row(maps: Mapping[str, np.ndarray], label: str, limit: float | None = None) -> Figure:
    """Show maps of values from 0 up side by side, on one scale.

    Parameters
    ----------
    maps : mapping
        Title -> values, [H, W].
    label : str
        What the values are, with their unit: at the colour bar.
    limit : float, optional
        End of the scale; by default the largest value of all. Say in the caption where it cuts off.
    """
    limit = limit or max(float(values.max()) for values in maps.values())
    figure = Figure(figsize=(WIDTH, 3.2), dpi=DPI, layout="constrained")
    for ax, (title, values) in zip(figure.subplots(1, len(maps)), maps.items(), strict=True):
        image = ax.imshow(values, cmap="cividis", vmin=0, vmax=limit)
        ax.set(title=title, xticks=[], yticks=[])
    figure.colorbar(image, ax=figure.axes, label=label, shrink=0.8)
    return figure


def point_weights(face: np.ndarray, points: np.ndarray, weights: Mapping[str, np.ndarray]) -> Figure:
    """Show how much each point of a fit counts, as a square on the grey face.

    Parameters
    ----------
    face : ndarray
        uint8 [H, W, 3].
    points : ndarray
        x then y, pixels, [P, 2].
    weights : mapping
        Title -> weight of each point, from 0 to 1, [P].

    Raises
    ------
    DataError
        Weights of another number of points.
    """
    grey = check_frames(np.asarray(face)[None], "point_weights")[0].mean(-1)
    figure = Figure(figsize=(WIDTH, 3.2), dpi=DPI, layout="constrained")
    for ax, (title, values) in zip(figure.subplots(1, len(weights), squeeze=False)[0], weights.items(), strict=True):
        check_count(values, len(points), "point_weights")
        bare(ax).imshow(grey, cmap="gray", vmin=0, vmax=255)
        squares = ax.scatter(*points.T, c=values, s=16, marker="s", linewidths=0, cmap="viridis", vmin=0, vmax=1)
        ax.set_title(title)
    figure.colorbar(squares, ax=figure.axes, label="weight", shrink=0.8)
    return figure


def stream_sheet(onset: np.ndarray, streams: np.ndarray, names: Sequence[str]) -> Figure:
    """Show what the flow branch sees of some pairs: onset, U, V and strain, a row a pair, one scale a column.

    Parameters
    ----------
    onset : ndarray
        uint8 [N, H, W, 3].
    streams : ndarray
        U, V (pixels) and strain, [N, 3, 28, 28].
    names : sequence of str
        Of the rows.

    Raises
    ------
    DataError
        Arrays of different numbers of rows.
    """
    onset = check_frames(onset, "stream_sheet")
    check_count(streams, len(onset), "stream_sheet: streams")
    check_count(names, len(onset), "stream_sheet: names")
    limits = np.abs(streams).max((0, 2, 3)) + 1e-9  # [3]
    figure, axes = image_grid(len(onset), 4, titled=True, bars=True)
    for row, face, values, name in zip(axes, onset, streams, names, strict=True):
        row[0].imshow(face)
        row[0].set_ylabel(name, fontsize=10)
        images = [draw_change(row[1 + k], values[k], limits[k]) for k in (0, 1)]
        images.append(row[3].imshow(values[2], cmap="cividis", vmin=0, vmax=limits[2]))
    for ax, title in zip(axes[0], ("onset", "U", "V", "strain"), strict=True):
        ax.set_title(title, fontsize=10)
    for column, (image, unit) in enumerate(zip(images, ("pixels", "pixels", "no unit"), strict=True), 1):
        colour_bar(figure, image, slice(column, column + 1), unit)
    return figure
