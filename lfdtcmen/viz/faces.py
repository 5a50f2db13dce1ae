"""Figures of faces: sheets, pairs with what changed between them, clips, alignment."""

from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from lfdtcmen.images import grey_change
from lfdtcmen.viz.motion import draw_arrows, draw_change, draw_flow
from lfdtcmen.viz.style import (
    DPI,
    PALETTE,
    WIDTH,
    bare,
    check_frames,
    check_titles,
    colour_bar,
    image_grid,
    symmetric_limit,
)


def face_sheet(
    frames: np.ndarray, titles: Sequence[str] | None = None, columns: int = 8, heading: str | None = None
) -> Figure:
    """Draw faces side by side, row after row.

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
    check_titles(titles, len(frames), "face_sheet")
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


def pair_strip(
    onset: np.ndarray,
    apex: np.ndarray,
    flow: np.ndarray | None = None,
    strain: np.ndarray | None = None,
    titles: Sequence[str] | None = None,
    flow_name: str = "TV-L1 flow",
    limits: tuple[float, float, float] | None = None,
) -> Figure:
    """Draw each pair as one row: onset, apex, signed difference, and the flow and strain where given (3.1.1, 3.3.2).

    Parameters
    ----------
    onset, apex : ndarray
        uint8 [N, H, W, 3].
    flow : ndarray, optional
        Motion onset -> apex, [N, 2, H, W], x then y, pixels: its length as colour, its direction as arrows.
    strain : ndarray, optional
        Optical strain [N, H, W], pixels of displacement a pixel (no unit).
    titles : sequence of str, optional
        One name a row, such as its emotion.
    flow_name : str
        Where the flow comes from, for the column's title.
    limits : tuple, optional
        Ends of the colour ranges of difference (grey levels), flow (pixels) and strain, to compare one figure with
        another; from the data by default.

    Raises
    ------
    DataError
        Arrays whose rows do not belong together.
    """
    onset, apex = check_frames(onset, "pair_strip"), check_frames(apex, "pair_strip")
    for name, value in (("apex", apex), ("flow", flow), ("strain", strain), ("titles", titles)):
        check_titles(value, len(onset), f"pair_strip: {name}")
    difference = grey_change(onset, apex)  # [N, H, W]
    columns = ["onset", "apex", "apex - onset"] + [flow_name] * (flow is not None) + ["strain"] * (strain is not None)
    if limits is None:
        lengths = None if flow is None else np.linalg.norm(flow, axis=1)
        limits = tuple(1.0 if values is None else symmetric_limit(values) for values in (difference, lengths, strain))
    figure, axes = image_grid(len(onset), len(columns), titled=True, bars=True)
    for k, row in enumerate(axes):
        row[0].imshow(onset[k])
        row[1].imshow(apex[k])
        change = draw_change(row[2], difference[k], limits[0])
        images = [None, None, change]
        if flow is not None:
            images.append(draw_flow(row[3], flow[k], limits[1]))
        if strain is not None:
            images.append(row[-1].imshow(strain[k], cmap="cividis", vmin=0, vmax=limits[2]))
        if titles is not None:
            row[0].set_ylabel(titles[k], fontsize=9)
    units = {"apex - onset": "grey levels", flow_name: "pixels", "strain": "strain"}
    for ax, name in zip(axes[0], columns, strict=True):
        ax.set_title(name, fontsize=9)
    for column, image in enumerate(images):
        if image is not None:
            colour_bar(figure, image, slice(column, column + 1), units[columns[column]])
    return figure


def action_unit_sheet(
    neutral: np.ndarray, faces: np.ndarray, flows: np.ndarray, titles: Sequence[str], columns: int = 6
) -> Figure:
    """Draw what each action unit does to one face: above the face that shows it, below the motion that makes it.

    Parameters
    ----------
    neutral : ndarray
        The face at rest, uint8 [H, W, 3]: drawn faintly under the arrows.
    faces : ndarray
        The same face with one action unit each, uint8 [A, H, W, 3].
    flows : ndarray
        Motion of each, [A, 2, H, W], pixels.
    titles : sequence of str
        One name each, such as "AU12 lip corner puller": its first word gets a line of its own.
    """
    faces = check_frames(faces, "action_unit_sheet")
    check_titles(titles, len(faces), "action_unit_sheet")
    check_titles(flows, len(faces), "action_unit_sheet: flows")
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
    """Draw a clip: its marked frames, what moved since the onset, and the intensity over time.

    Parameters
    ----------
    frames : ndarray
        uint8 [T, H, W, 3].
    onset, apex, offset : int
        Frame numbers, from 0.
    fps : float
        Frames a second.
    intensity : ndarray, optional
        True strength of the expression in each frame, [T]; without it, the mean grey change since the onset is drawn.
    """
    frames = check_frames(frames, "clip_strip")
    marks = {"onset": onset, "apex": apex, "offset": offset}
    shown = {"before": 0, "onset": onset, "rising": (onset + apex) // 2, "apex": apex, "falling": (apex + offset) // 2}
    shown |= {"offset": offset}
    figure = Figure(figsize=(WIDTH, 5.0), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(3, len(shown), height_ratios=(1.3, 1.3, 1))
    changes = grey_change(np.repeat(frames[onset][None], len(frames), 0), frames)  # [T, H, W]
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
    for (name, k), style in zip(marks.items(), (":", "-", "--"), strict=True):
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
    """Draw one map of a face, with nothing around it: the page that shows it brings title, caption and colour scale.

    Parameters
    ----------
    image : ndarray
        The map, [h, w].
    frame : ndarray, optional
        Face that shows through the map, uint8 [H, W, 3]. The map may be coarser and is spread over it.
    flow : ndarray, optional
        Drawn on top as arrows, [2, H, W], pixels.
    cmap : str
    limits : (low, high)
        Values of the ends of the colour map.
    """
    figure = Figure(figsize=(4, 4), dpi=100)
    ax = bare(figure.add_axes((0, 0, 1, 1)))
    size = np.asarray(image).shape if frame is None else frame.shape[:2]
    extent = (-0.5, size[1] - 0.5, size[0] - 0.5, -0.5)
    look = {"cmap": cmap, "vmin": limits[0], "vmax": limits[1], "interpolation": "bilinear", "extent": extent}
    if frame is not None:
        ax.imshow(check_frames(frame[None], "face_panel")[0].mean(2), cmap="gray", vmin=0, vmax=255)
        look["alpha"] = 0.55
    ax.imshow(image, **look)
    if flow is not None:
        draw_arrows(ax, flow, symmetric_limit(np.linalg.norm(flow, axis=0)))
    return figure


def alignment_sheet(
    views: Sequence[np.ndarray], landmarks: Sequence[np.ndarray], faces: np.ndarray, titles: Sequence[str]
) -> Figure:
    """Draw what alignment does (3.1.1): above each view with the landmarks found in it, below the face cut out of it.

    Parameters
    ----------
    views : sequence of ndarray
        Frames as filmed, uint8 [H, W, 3]; their sizes may differ.
    landmarks : sequence of ndarray
        Of each view, [5, 2], x then y, pixels.
    faces : ndarray
        The aligned faces, uint8 [N, h, w, 3].
    titles : sequence of str
        One short line a view.
    """
    faces = check_frames(faces, "alignment_sheet")
    for name, values in (("views", views), ("landmarks", landmarks), ("titles", titles)):
        check_titles(values, len(faces), f"alignment_sheet: {name}")
    figure, axes = image_grid(2, len(faces), titled=True)
    for k, (above, below) in enumerate(axes.T):
        above.imshow(check_frames(np.asarray(views[k])[None], "alignment_sheet")[0])
        above.scatter(*np.asarray(landmarks[k]).T, s=9, color=PALETTE[8], edgecolor="black", linewidth=0.4)
        above.set_title(titles[k], fontsize=8)
        below.imshow(faces[k])
    return figure
