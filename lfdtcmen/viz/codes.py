"""Figures of the network's codes and images: swapped motions, attention, embeddings, attribution maps."""

import textwrap
from collections.abc import Mapping, Sequence, Sized

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from lfdtcmen.analysis.swaps import Swapped
from lfdtcmen.datasets.synthetic import Counterfactuals
from lfdtcmen.errors import DataError
from lfdtcmen.images import grey_change
from lfdtcmen.viz.style import (
    DPI,
    WIDTH,
    bare,
    check_count,
    check_frames,
    colour_bar,
    draw_change,
    draw_flow,
    draw_map,
    image_grid,
    symmetric_limit,
)


def swap_grid(
    identities: np.ndarray,
    motions: np.ndarray,
    generated: np.ndarray,
    change: np.ndarray | None = None,
    true_change: np.ndarray | None = None,
) -> Figure:
    """Show every motion on every identity (cross-combination, 3.1), and the change that the motion code alone makes.

    Parameters
    ----------
    identities : ndarray
        Frame that gives the identity code, uint8 [I, H, W, 3]: the left column.
    motions : ndarray
        Apex frame that gives the motion code, uint8 [M, H, W, 3]: the top row.
    generated : ndarray
        Generator's output, uint8 [I, M, H, W, 3].
    change : ndarray, optional
        Output with the apex motion minus output with the onset motion, float [I, M, H, W], grey levels.
    true_change : ndarray, optional
        The true change (rendered counterfactual), float [I, M, H, W], grey levels.
    """
    identities, motions = check_frames(identities, "swap_grid"), check_frames(motions, "swap_grid")
    shape = (len(identities), len(motions))
    for name, value in (("generated", generated), ("change", change), ("true_change", true_change)):
        if value is not None and value.shape[:2] != shape:
            raise DataError(f"{name} is {list(value.shape)} but begins with [I, M] = {list(shape)}", "swap_grid")
    changes = {k: v for k, v in (("generated\nchange", change), ("true\nchange", true_change)) if v is not None}
    rows = 1 + len(changes)
    figure, axes = image_grid(1 + shape[0] * rows, 1 + shape[1], bars=bool(changes), max_side=1.3)
    axes[0, 0].set_visible(False)
    for ax, frame in zip(axes[0, 1:], motions, strict=True):
        ax.imshow(frame)
    axes[0, 1].set_ylabel("motion from", fontsize=8)
    limit = max((symmetric_limit(v) for v in changes.values()), default=1.0)
    image = None
    for i, identity in enumerate(identities):
        top = 1 + i * rows
        axes[top, 0].imshow(identity)
        axes[top, 0].set_ylabel("identity from", fontsize=8)
        for m in range(shape[1]):
            axes[top, 1 + m].imshow(generated[i, m])
            for k, values in enumerate(changes.values(), start=1):
                image = draw_change(axes[top + k, 1 + m], values[i, m], limit)
        axes[top, 1].set_ylabel("generated", fontsize=8)
        for k, name in enumerate(changes, start=1):
            axes[top + k, 0].set_visible(False)
            axes[top + k, 1].set_ylabel(name, fontsize=8)
    if image is not None:
        colour_bar(figure, image, slice(1, None), "grey levels")
    return figure


def swapped_grid(
    counterfactuals: Counterfactuals, swapped: Swapped, people: Sequence[int], driver: int, motions: Sequence[int]
) -> Figure:
    """Show swaps of rendered people by :func:`swap_grid`, with the generated and the true change.

    Parameters
    ----------
    counterfactuals : Counterfactuals
        Who and what was swapped.
    swapped : Swapped
        What :func:`lfdtcmen.analysis.swaps.swap_motions` returned for them, with one driver for all people.
    people, driver, motions
        As they were given there.
    """
    generated = np.clip(255 * swapped.generated, 0, 255).round().astype(np.uint8)  # [P, M, 3, H, W]
    return swap_grid(
        counterfactuals.onset[list(people)],
        counterfactuals.apex[driver, list(motions)],
        np.moveaxis(generated, 2, -1),
        255 * swapped.change.mean(2),
        255 * swapped.true_change.mean(2),
    )


def compared_swaps(swaps: Mapping[str, Swapped], person: int = 0, motion: int = 0) -> Figure:
    """Show one swap by several networks next to the rendered truth: faces above, what the motion code changes below.

    Parameters
    ----------
    swaps : mapping
        Network -> what :func:`lfdtcmen.analysis.swaps.swap_motions` returned, for the same people and motions.
    person, motion : int
        Which of them to show.

    Raises
    ------
    DataError
        No network, or no such person or motion.
    """
    shape = next(iter(swaps.values())).generated.shape[:2] if swaps else (0, 0)
    if not (0 <= person < shape[0] and 0 <= motion < shape[1]):
        raise DataError(f"no swap [{person}, {motion}] in {list(shape)}", "compared_swaps")
    first = next(iter(swaps.values()))
    columns = {"rendered truth": (first.truth, first.true_change)}
    columns |= {name: (swapped.generated, swapped.change) for name, swapped in swaps.items()}
    figure, axes = image_grid(2, len(columns), titled=True, bars=True)
    limit = symmetric_limit(255 * first.true_change[person, motion].mean(0))
    for (above, below), (name, (faces, changes)) in zip(axes.T, columns.items(), strict=True):
        above.imshow(np.clip(np.moveaxis(faces[person, motion], 0, -1), 0, 1))
        above.set_title(name, fontsize=10)
        image = draw_change(below, 255 * changes[person, motion].mean(0), limit)
    axes[0, 0].set_ylabel("apex", fontsize=10)
    axes[1, 0].set_ylabel("change", fontsize=10)
    colour_bar(figure, image, slice(0, None), "change (grey levels)")
    return figure


def swap_strip(
    identity: np.ndarray,
    motion: np.ndarray,
    generated: np.ndarray,
    change: np.ndarray,
    true_change: np.ndarray,
    truth: np.ndarray | None = None,
) -> Figure:
    """Show one swap: identity, motion, the generated face, its change, and the true change.

    Parameters
    ----------
    identity, motion, generated : ndarray
        uint8 [H, W, 3].
    change, true_change : ndarray
        Grey levels, [H, W]. Both have the colour range of the true change; the titles give the largest
        absolute value of each.
    truth : ndarray, optional
        The true face (rendered counterfactual), uint8 [H, W, 3]. With it, a second row shows the errors of the
        generated face and of a copy of the identity's frame, with the mean absolute error of each.

    Raises
    ------
    DataError
        Frames of another shape or dtype, or not all of one size.
    """
    shown = {"identity from": identity, "motion from": motion, "generated": generated}
    shown |= {} if truth is None else {"rendered truth": truth}
    if len({np.shape(frame) for frame in shown.values()}) > 1:
        raise DataError("the frames differ in size", "swap_strip", "crop all of them alike")
    frames = check_frames(np.stack(list(shown.values())), "swap_strip")
    if truth is None:
        figure, axes = image_grid(1, 5, titled=True, bars=True)
        faces, changes = axes[0, :3], axes[0, 3:]
    else:
        figure, axes = image_grid(2, 4, titled=True, bars=True)
        figure.set_figheight(figure.get_figheight() + 0.5)  # a second row of titles
        faces, (*changes, of_generated, of_copy) = axes
        off = _draw_errors((of_generated, of_copy), truth, generated, identity)
        colour_bar(figure, off, slice(2, 4), "error (grey levels)")
    for ax, name, frame in zip(faces, shown, frames, strict=True):
        ax.imshow(frame)
        ax.set_title(name, fontsize=9)
    for ax, name, values in zip(changes, ("generated", "true"), (change, true_change), strict=True):
        image = draw_change(ax, values, symmetric_limit(true_change))
        ax.set_title(f"{name} change\nlargest {np.abs(values).max():.1f}", fontsize=9)
    colour_bar(figure, image, slice(3, 5) if truth is None else slice(0, 2), "change (grey levels)")
    return figure


def _draw_errors(axes: Sequence[Axes], truth: np.ndarray, generated: np.ndarray, copied: np.ndarray) -> AxesImage:
    """Show the errors of the generated face and of a copy of the identity's frame, in one colour range."""
    errors = {
        "generated": grey_change(truth[None], generated[None])[0],
        "copied identity": grey_change(truth[None], copied[None])[0],
    }  # [H, W] each
    limit = max(symmetric_limit(error) for error in errors.values())
    for ax, (name, error) in zip(axes, errors.items(), strict=True):
        image = draw_change(ax, error, limit)
        ax.set_title(f"{name} - truth\nmean error {np.abs(error).mean():.2f}", fontsize=9)
    return image


def map_rows(rows: Mapping[str, np.ndarray], titles: Sequence[str], frames: np.ndarray | None = None) -> Figure:
    """Show coarse maps of the same faces cell by cell, a row for each kind of map, without smoothing between cells.

    Parameters
    ----------
    rows : mapping
        Name of the row, with its unit -> maps [N, h, w]. Each row has a colour range of its own, from the smallest to
        the largest value (99.5th percentile); with values below 0 it runs from blue through white (0) to red.
    titles : sequence of str
        One short line per face.
    frames : ndarray, optional
        Faces above the maps, uint8 [N, H, W, 3].

    Raises
    ------
    DataError
        A row that does not have one map per title.
    """
    rows = {name: np.asarray(maps) for name, maps in rows.items()}
    for name, maps in rows.items():
        check_count(maps, len(titles), f"map_rows: {name}")
    height, above = len(rows) + (frames is not None), int(frames is not None)
    figure = Figure(figsize=(WIDTH * 0.8, 0.3 + 1.75 * height), dpi=DPI, layout="compressed")
    axes = figure.subplots(height, len(titles), squeeze=False)
    for ax in axes.flat:
        bare(ax)
    if frames is not None:
        for ax, frame in zip(axes[0], check_frames(frames, "map_rows"), strict=True):
            ax.imshow(frame)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title)
    for line, (name, maps) in zip(axes[above:], rows.items(), strict=True):
        signed, limit = np.min(maps) < 0, symmetric_limit(maps)
        look = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit} if signed else {"cmap": "cividis", "vmax": limit}
        look |= {} if signed else {"vmin": np.min(maps)}
        for ax, values in zip(line, maps, strict=True):
            image = ax.imshow(values, **look)
        figure.colorbar(image, ax=list(line), shrink=0.9).set_label(textwrap.fill(name, 22))
    return figure


def attribution_grid(
    apex: np.ndarray, flow: np.ndarray, maps: Mapping[str, np.ndarray], titles: Sequence[str], flow_name: str = "flow"
) -> Figure:
    """Show Fig. 6: one column per emotion, with the apex, its motion, and the map of each setting (4.7).

    Parameters
    ----------
    apex : ndarray
        uint8 [C, H, W, 3].
    flow : ndarray
        Motion onset -> apex, [C, 2, H, W], x then y, pixels.
    maps : mapping
        Name of a row, such as a setting of Table 6 -> Grad-CAM of each face, from 0 up, [C, h, w], shown cell by
        cell. The values of two maps cannot be compared, so each has a range of its own, from 0 to its maximum; one
        that is 0 everywhere is left grey and called empty.
    titles : sequence of str
        One name per column.
    flow_name : str
        The label of its row: how the flow was computed.

    Raises
    ------
    DataError
        Arrays of different numbers of columns.
    """
    apex = check_frames(apex, "attribution_grid")
    given: dict[str, Sized] = {"flow": flow, "titles": titles, **maps}
    for name, value in given.items():
        check_count(value, len(apex), f"attribution_grid: {name}")
    figure, axes = image_grid(2 + len(maps), len(apex), titled=True, bars=True)
    limit = symmetric_limit(np.linalg.norm(flow, axis=1))
    for k, column in enumerate(axes.T):
        column[0].imshow(apex[k])
        column[0].set_title(titles[k], fontsize=9)
        length = draw_flow(column[1], flow[k], limit)
        for ax, values in zip(column[2:], maps.values(), strict=True):
            ax.imshow(apex[k].mean(2), cmap="gray", vmin=0, vmax=255)
            if values[k].max() > 0:
                draw_map(ax, values[k], apex.shape[1:3], limits=(0, values[k].max()), alpha=0.6, smooth=False)
            else:
                ax.text(0.5, 0.5, "empty", transform=ax.transAxes, ha="center", backgroundcolor="white", fontsize=9)
    for ax, name in zip(axes[:, 0], ("apex", flow_name, *maps), strict=True):
        ax.set_ylabel(textwrap.fill(name, 16), fontsize=9)
    half = len(apex) // 2
    if half:
        colour_bar(figure, length, slice(0, half), f"{flow_name} (pixels)")
    scale = ScalarMappable(Normalize(0, 1), "inferno")
    colour_bar(figure, scale, slice(half, None), "map (share of its maximum)", alpha=0.6)
    return figure
