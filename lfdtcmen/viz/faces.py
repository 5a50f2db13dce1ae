"""Figures of faces: sheets, pairs with what changed between them, clips, alignment."""

from collections.abc import Mapping, Sequence, Sized

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from lfdtcmen.images import grey_change
from lfdtcmen.viz.style import (
    DPI,
    PALETTE,
    WIDTH,
    bare,
    check_count,
    check_frames,
    colour_bar,
    draw_arrows,
    draw_change,
    draw_flow,
    draw_map,
    image_grid,
    symmetric_limit,
)


def face_sheet(
    frames: np.ndarray, titles: Sequence[str] | None = None, columns: int = 8, heading: str | None = None
) -> Figure:
    """Show faces next to each other, row after row.

    Parameters
    ----------
    frames : ndarray
        uint8 [N, H, W, 3].
    titles : sequence of str, optional
        One short line above each face.
    columns : int
        Faces in a row.
    heading : str, optional
        One line above the whole sheet.

    Raises
    ------
    DataError
        Frames of another shape or dtype, or another number of titles than of frames.
    """
    frames = check_frames(frames, "face_sheet")
    check_count(titles, len(frames), "face_sheet")
    columns = min(columns, len(frames))
    figure, axes = image_grid(-(-len(frames) // columns), columns, titled=titles is not None, heading=heading)
    for k, ax in enumerate(axes.flat):
        if k < len(frames):
            ax.imshow(frames[k])
            if titles is not None:
                ax.set_title(titles[k], fontsize=8)
        else:
            ax.set_visible(False)
    return figure


def face_rows(rows: Mapping[str, np.ndarray]) -> Figure:
    """Show the same faces in several versions: a row for each version, a column for each face.

    Parameters
    ----------
    rows : mapping
        Name of the row -> frames, uint8 [N, H, W, 3], the same number in each row.

    Raises
    ------
    DataError
        Frames of another shape or dtype, or rows of different lengths.
    """
    checked = {name: check_frames(frames, f"face_rows: {name}") for name, frames in rows.items()}
    columns = len(next(iter(checked.values())))
    figure, axes = image_grid(len(checked), columns)
    for line, (name, frames) in zip(axes, checked.items(), strict=True):
        check_count(frames, columns, f"face_rows: {name}")
        line[0].set_ylabel(name, fontsize=9)
        for ax, frame in zip(line, frames, strict=True):
            ax.imshow(frame)
    return figure


def pair_strip(
    onset: np.ndarray,
    apex: np.ndarray,
    flow: np.ndarray | None = None,
    strain: np.ndarray | None = None,
    titles: Sequence[str] | None = None,
    flow_name: str = "TV-L1 flow",
    limits: tuple[float, float, float] | None = None,
) -> Figure:
    """Show each pair as one row: onset, apex, signed difference, and the flow and strain where given (3.1.1, 3.3.2).

    Parameters
    ----------
    onset, apex : ndarray
        uint8 [N, H, W, 3].
    flow : ndarray, optional
        Motion onset -> apex, [N, 2, H, W], x then y, pixels: length as colour, direction as arrows.
    strain : ndarray, optional
        Optical strain [N, H, W], pixels of displacement a pixel (no unit).
    titles : sequence of str, optional
        A label for each row, such as its emotion.
    flow_name : str
        The column's title: how the flow was computed.
    limits : tuple, optional
        Ends of the colour ranges of difference (grey levels), flow (pixels) and strain, fixed so that figures can be
        compared; from the data by default.

    Raises
    ------
    DataError
        Arrays of different numbers of rows.
    """
    onset, apex = check_frames(onset, "pair_strip"), check_frames(apex, "pair_strip")
    given: dict[str, Sized | None] = {"apex": apex, "flow": flow, "strain": strain, "titles": titles}
    for name, value in given.items():
        check_count(value, len(onset), f"pair_strip: {name}")
    difference = grey_change(onset, apex)  # [N, H, W]
    lengths = None if flow is None else np.linalg.norm(flow, axis=1)  # [N, H, W]
    if limits is None:
        limit, longest, strongest = (1.0 if v is None else symmetric_limit(v) for v in (difference, lengths, strain))
    else:
        limit, longest, strongest = limits
    units = {"apex - onset": "grey levels"}  # of the columns with a colour bar
    units |= {} if flow is None else {flow_name: "pixels"}
    units |= {} if strain is None else {"strain": "strain"}
    figure, axes = image_grid(len(onset), 2 + len(units), titled=True, bars=True)
    for k, row in enumerate(axes):
        row[0].imshow(onset[k])
        row[1].imshow(apex[k])
        images = [draw_change(row[2], difference[k], limit)]
        if flow is not None:
            images.append(draw_flow(row[3], flow[k], longest))
        if strain is not None:
            images.append(row[-1].imshow(strain[k], cmap="cividis", vmin=0, vmax=strongest))
        if titles is not None:
            row[0].set_ylabel(titles[k], fontsize=9)
    for ax, name in zip(axes[0], ("onset", "apex", *units), strict=True):
        ax.set_title(name, fontsize=9)
    for column, (image, unit) in enumerate(zip(images, units.values(), strict=True), start=2):
        colour_bar(figure, image, slice(column, column + 1), unit)
    return figure


def action_unit_sheet(
    neutral: np.ndarray, faces: np.ndarray, flows: np.ndarray, titles: Sequence[str], columns: int = 6
) -> Figure:
    """Show each action unit on one face: the face with the unit above, the motion below.

    Parameters
    ----------
    neutral : ndarray
        The face at rest, uint8 [H, W, 3], shown faintly under the arrows.
    faces : ndarray
        The same face with one action unit each, uint8 [A, H, W, 3].
    flows : ndarray
        Motion of each, [A, 2, H, W], pixels.
    titles : sequence of str
        One name each, such as "AU12 lip corner puller"; the first word gets a line of its own.
    """
    faces = check_frames(faces, "action_unit_sheet")
    check_count(titles, len(faces), "action_unit_sheet")
    check_count(flows, len(faces), "action_unit_sheet: flows")
    columns = min(columns, len(faces))
    blocks = -(-len(faces) // columns)
    figure, axes = image_grid(2 * blocks, columns, titled=True, bars=True)
    limit = symmetric_limit(np.linalg.norm(flows, axis=1))
    for k in range(blocks * columns):
        above, below = axes[2 * (k // columns), k % columns], axes[2 * (k // columns) + 1, k % columns]
        if k >= len(faces):
            above.set_visible(False)
            below.set_visible(False)
            continue
        above.imshow(faces[k])
        above.set_title(titles[k].replace(" ", "\n", 1), fontsize=8)
        below.imshow(np.asarray(neutral).mean(2), cmap="gray")
        draw_flow(below, flows[k], limit).set_alpha(0.65)
    scale = ScalarMappable(Normalize(0, limit), "cividis")
    colour_bar(figure, scale, slice(None), "motion (pixels)", alpha=0.65)
    return figure


def clip_strip(
    frames: np.ndarray, onset: int, apex: int, offset: int, fps: float, intensity: np.ndarray | None = None
) -> Figure:
    """Show a clip: its annotated frames, the change since the onset, and the intensity over time.

    Parameters
    ----------
    frames : ndarray
        uint8 [T, H, W, 3].
    onset, apex, offset : int
        Frame numbers, from 0.
    fps : float
        Frames a second.
    intensity : ndarray, optional
        True strength of the expression in each frame, [T]; by default the mean grey change since the onset is
        plotted.
    """
    frames = check_frames(frames, "clip_strip")
    marks = {"onset": onset, "apex": apex, "offset": offset}
    shown = {"before": 0, "onset": onset, "rising": (onset + apex) // 2, "apex": apex, "falling": (apex + offset) // 2}
    shown |= {"offset": offset}
    figure = Figure(figsize=(WIDTH, 5.0), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(3, len(shown), height_ratios=(1.3, 1.3, 1))
    changes = grey_change(frames[[onset]], frames)  # [T, H, W]
    limit = symmetric_limit(changes)
    for column, (name, k) in enumerate(shown.items()):
        ax, below = (bare(figure.add_subplot(grid[row, column])) for row in (0, 1))
        ax.imshow(frames[k])
        ax.set_title(f"{name}\n{k / fps:.2f} s", fontsize=9)
        draw_change(below, changes[k], limit)
        if column == 0:
            below.set_ylabel(f"change since\nthe onset\n(±{limit:.3g} grey levels)", fontsize=9)
    ax = figure.add_subplot(grid[2, :])
    seconds = np.arange(len(frames)) / fps
    ax.plot(seconds, np.abs(changes).mean((1, 2)) if intensity is None else intensity, color=PALETTE[0])
    for (name, k), style in zip(marks.items(), (":", "--", "-."), strict=True):
        ax.axvline(k / fps, color=PALETTE[3], linestyle=style, label=name)
    ax.set(xlabel="time (s)", ylabel="grey change" if intensity is None else "intensity", xlim=(0, seconds[-1]))
    ax.legend(fontsize=8, ncols=3, loc="upper right")
    return figure


def face_panel(
    image: np.ndarray,
    frame: np.ndarray | None = None,
    flow: np.ndarray | None = None,
    cmap: str = "cividis",
    limits: tuple[float, float] = (0.0, 1.0),
) -> Figure:
    """Show one map of a face without title or colour bar, for a page that has its own.

    Parameters
    ----------
    image : ndarray
        The map, [h, w].
    frame : ndarray, optional
        Face that stays visible below the map, uint8 [H, W, 3]. A coarser map is spread over it.
    flow : ndarray, optional
        Shown on top as arrows, [2, H, W], pixels.
    cmap : str
    limits : (low, high)
        Values of the ends of the colour map.
    """
    figure = Figure(figsize=(4, 4), dpi=100)
    ax = bare(figure.add_axes((0, 0, 1, 1)))
    size = np.asarray(image).shape if frame is None else frame.shape[:2]
    if frame is not None:
        ax.imshow(check_frames(frame[None], "face_panel")[0].mean(2), cmap="gray", vmin=0, vmax=255)
    draw_map(ax, image, (size[0], size[1]), cmap, limits, alpha=None if frame is None else 0.55)
    if flow is not None:
        draw_arrows(ax, flow, symmetric_limit(np.linalg.norm(flow, axis=0)))
    return figure


def alignment_sheet(
    views: Sequence[np.ndarray], landmarks: Sequence[np.ndarray], faces: np.ndarray, titles: Sequence[str]
) -> Figure:
    """Show alignment (3.1.1): each view with its landmarks above, the aligned face cut out of it below.

    Parameters
    ----------
    views : sequence of ndarray
        Frames as filmed, uint8 [H, W, 3]; their sizes may differ.
    landmarks : sequence of ndarray
        Of each view, [5, 2], x then y, pixels.
    faces : ndarray
        The aligned faces, uint8 [N, h, w, 3].
    titles : sequence of str
        One short line per view.
    """
    faces = check_frames(faces, "alignment_sheet")
    for name, values in (("views", views), ("landmarks", landmarks), ("titles", titles)):
        check_count(values, len(faces), f"alignment_sheet: {name}")
    figure, axes = image_grid(2, len(faces), titled=True)
    for k, (above, below) in enumerate(axes.T):
        above.imshow(check_frames(np.asarray(views[k])[None], "alignment_sheet")[0])
        above.scatter(*np.asarray(landmarks[k]).T, s=9, color=PALETTE[8], edgecolor="black", linewidth=0.4)
        above.set_title(titles[k], fontsize=8)
        below.imshow(faces[k])
    return figure
