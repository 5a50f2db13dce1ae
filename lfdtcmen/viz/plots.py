"""Every figure of the series: pure functions that are given arrays and return a :class:`matplotlib.figure.Figure`.

A figure is made without pyplot, so nothing is drawn twice in a notebook and nothing stays open behind it.
Colours are safe for colour-blind readers (seaborn's "colorblind", cividis, RdBu_r), sizes fit a notebook's width.
Frames are uint8 RGB [N, H, W, 3]; flows are float32 [N, 2, H, W], x then y, in pixels.
"""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from lfdtcmen.errors import DataError

WIDTH = 8.4  # inches: a notebook's text width
DPI = 90  # with this width 756 pixels: larger pictures of noisy faces make a notebook heavy
PALETTE = sns.color_palette("colorblind")
# 9 colours that stand out on white (no light pink, no yellow) x 12 shapes: enough for 108 groups
GROUP_COLOURS = [*(PALETTE[k] for k in (0, 1, 2, 3, 4, 5, 7, 9)), "black"]
GROUP_MARKERS = "os^Dv<>P*XpH"
LOG_COLUMNS = ("stage", "epoch", "step", "gradient_norm", "seconds")  # of a training history: the others are losses


# ---------------------------------------------------------------- faces and motion


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
    frames = _check_frames(frames, "face_sheet")
    _check_titles(titles, len(frames), "face_sheet")
    columns = min(columns, len(frames))
    figure, axes = _image_grid(-(-len(frames) // columns), columns, titled=titles is not None, heading=heading)
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
    onset, apex = _check_frames(onset, "pair_strip"), _check_frames(apex, "pair_strip")
    for name, value in (("apex", apex), ("flow", flow), ("strain", strain), ("titles", titles)):
        _check_titles(value, len(onset), f"pair_strip: {name}")
    difference = grey_change(onset, apex)  # [N, H, W]
    columns = ["onset", "apex", "apex - onset"] + [flow_name] * (flow is not None) + ["strain"] * (strain is not None)
    if limits is None:
        lengths = None if flow is None else np.linalg.norm(flow, axis=1)
        limits = tuple(1.0 if values is None else _limit(values) for values in (difference, lengths, strain))
    figure, axes = _image_grid(len(onset), len(columns), titled=True, bars=True)
    for k, row in enumerate(axes):
        row[0].imshow(onset[k])
        row[1].imshow(apex[k])
        change = _draw_change(row[2], difference[k], limits[0])
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
            _colour_bar(figure, image, slice(column, column + 1), units[columns[column]])
    return figure


def flow_figure(frame: np.ndarray, flow: np.ndarray, true_flow: np.ndarray | None = None) -> Figure:
    """Draw one flow in full: arrows on the face, then U (x) and V (y) alone; a second row for the true flow.

    Parameters
    ----------
    frame : ndarray
        The onset frame, uint8 [H, W, 3].
    flow, true_flow : ndarray
        [2, H, W], x then y, pixels. Positive U points right, positive V points down, as image rows do.
    """
    frame = _check_frames(np.asarray(frame)[None], "flow_figure")[0]
    flows = {"flow": np.asarray(flow)} | ({} if true_flow is None else {"true flow": np.asarray(true_flow)})
    limit = _limit(np.stack(list(flows.values())))
    figure, axes = _image_grid(len(flows), 4, titled=True, bars=True)
    for row, (name, field) in zip(axes, flows.items(), strict=True):
        row[0].imshow(frame)
        _draw_arrows(row[0], field, limit, colour=PALETTE[1])
        length = draw_flow(row[1], field, limit, arrows=False)
        components = [_draw_change(ax, part, limit) for ax, part in zip(row[2:], field, strict=True)]
        row[0].set_ylabel(name, fontsize=9)
    for ax, title in zip(axes[0], ("motion onset to apex", "length", "U (to the right)", "V (down)"), strict=True):
        ax.set_title(title, fontsize=9)
    _colour_bar(figure, length, slice(1, 2), "pixels")
    _colour_bar(figure, components[1], slice(2, 4), "pixels")
    return figure


def draw_flow(ax: Axes, flow: np.ndarray, limit: float | None = None, arrows: bool = True) -> AxesImage:
    """Draw one flow [2, H, W] into given axes: its length as colour, its direction as arrows."""
    limit = limit or _limit(np.linalg.norm(flow, axis=0))
    image = ax.imshow(np.linalg.norm(flow, axis=0), cmap="cividis", vmin=0, vmax=limit)
    if arrows:
        _draw_arrows(ax, flow, limit)
    return image


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
    faces = _check_frames(faces, "action_unit_sheet")
    _check_titles(titles, len(faces), "action_unit_sheet")
    _check_titles(flows, len(faces), "action_unit_sheet: flows")
    columns = min(columns, len(faces))
    blocks = -(-len(faces) // columns)
    figure, axes = _image_grid(2 * blocks, columns, titled=True, bars=True)
    limit = _limit(np.linalg.norm(flows, axis=1))
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
    _colour_bar(figure, scale, slice(None), "motion (pixels)", alpha=0.65)
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
    frames = _check_frames(frames, "clip_strip")
    marks = {"onset": onset, "apex": apex, "offset": offset}
    shown = {"before": 0, "onset": onset, "rising": (onset + apex) // 2, "apex": apex, "falling": (apex + offset) // 2}
    shown |= {"offset": offset}
    figure = Figure(figsize=(WIDTH, 5.0), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(3, len(shown), height_ratios=(1.3, 1.3, 1))
    changes = grey_change(np.repeat(frames[onset][None], len(frames), 0), frames)  # [T, H, W]
    limit = _limit(changes)
    for column, (name, k) in enumerate(shown.items()):
        ax, below = (_bare(figure.add_subplot(grid[row, column])) for row in (0, 1))
        ax.imshow(frames[k])
        ax.set_title(f"{name}\n{k / fps:.2f} s", fontsize=9)
        _draw_change(below, changes[k], limit)
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


# ---------------------------------------------------------------- inside the network


def swap_grid(
    identities: np.ndarray,
    motions: np.ndarray,
    generated: np.ndarray,
    change: np.ndarray | None = None,
    true_change: np.ndarray | None = None,
) -> Figure:
    """Draw every motion on every identity (cross-combination, 3.1), with what changed when only the motion changed.

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
        The same change as it should be (rendered counterfactual), float [I, M, H, W], grey levels.
    """
    identities, motions = _check_frames(identities, "swap_grid"), _check_frames(motions, "swap_grid")
    shape = (len(identities), len(motions))
    for name, value in (("generated", generated), ("change", change), ("true_change", true_change)):
        if value is not None and value.shape[:2] != shape:
            raise DataError(f"{name} is {list(value.shape)} but begins with [I, M] = {list(shape)}", "swap_grid")
    changes = {k: v for k, v in (("generated\nchange", change), ("true\nchange", true_change)) if v is not None}
    rows = 1 + len(changes)
    figure, axes = _image_grid(1 + shape[0] * rows, 1 + shape[1], bars=bool(changes), max_side=1.3)
    axes[0, 0].set_visible(False)
    for ax, frame in zip(axes[0, 1:], motions, strict=True):
        ax.imshow(frame)
    axes[0, 1].set_ylabel("motion from", fontsize=8)
    limit = max((_limit(v) for v in changes.values()), default=1.0)
    image = None
    for i, identity in enumerate(identities):
        top = 1 + i * rows
        axes[top, 0].imshow(identity)
        axes[top, 0].set_ylabel("identity from", fontsize=8)
        for m in range(shape[1]):
            axes[top, 1 + m].imshow(generated[i, m])
            for k, values in enumerate(changes.values(), start=1):
                image = _draw_change(axes[top + k, 1 + m], values[i, m], limit)
        axes[top, 1].set_ylabel("generated", fontsize=8)
        for k, name in enumerate(changes, start=1):
            axes[top + k, 0].set_visible(False)
            axes[top + k, 1].set_ylabel(name, fontsize=8)
    if image is not None:
        _colour_bar(figure, image, slice(1, None), "grey levels")
    return figure


def swap_strip(
    identity: np.ndarray,
    motion: np.ndarray,
    generated: np.ndarray,
    change: np.ndarray,
    true_change: np.ndarray,
    truth: np.ndarray | None = None,
) -> Figure:
    """Draw one swap: who, which motion, the generated face, its change, and the change as it should be.

    Parameters
    ----------
    identity, motion, generated : ndarray
        uint8 [H, W, 3].
    change, true_change : ndarray
        Grey levels, [H, W]. Both are drawn in the true change's range; the titles say the largest value of each.
    truth : ndarray, optional
        The face as it should be (rendered counterfactual), uint8 [H, W, 3]. With it, a second row also shows how far
        off the generated face is, and how far a copy of the identity's frame would be, with both mean absolute errors.

    Raises
    ------
    DataError
        Frames of another shape or dtype, or not all of one size.
    """
    shown = {"identity from": identity, "motion from": motion, "generated": generated}
    shown |= {} if truth is None else {"rendered truth": truth}
    if len({np.shape(frame) for frame in shown.values()}) > 1:
        raise DataError("the frames differ in size", "swap_strip", "crop all alike")
    frames = _check_frames(np.stack(list(shown.values())), "swap_strip")
    if truth is None:
        figure, axes = _image_grid(1, 5, titled=True, bars=True)
        faces, changes = axes[0, :3], axes[0, 3:]
    else:
        figure, axes = _image_grid(2, 4, titled=True, bars=True)
        figure.set_figheight(figure.get_figheight() + 0.5)  # a second row of titles
        faces, (*changes, of_generated, of_copy) = axes
        errors = {
            name: grey_change(truth[None], frame[None])[0]
            for name, frame in (("generated", generated), ("copied identity", identity))
        }
        limit = max(_limit(error) for error in errors.values())
        for ax, (name, error) in zip((of_generated, of_copy), errors.items(), strict=True):
            off = _draw_change(ax, error, limit)
            ax.set_title(f"{name} - truth\nmean error {np.abs(error).mean():.2f}", fontsize=9)
        _colour_bar(figure, off, slice(2, 4), "error (grey levels)")
    for ax, name, frame in zip(faces, shown, frames, strict=True):
        ax.imshow(frame)
        ax.set_title(name, fontsize=9)
    for ax, name, values in zip(changes, ("generated", "true"), (change, true_change), strict=True):
        image = _draw_change(ax, values, _limit(true_change))
        ax.set_title(f"{name} change\nat most {np.abs(values).max():.1f}", fontsize=9)
    _colour_bar(figure, image, slice(3, 5) if truth is None else slice(0, 2), "change (grey levels)")
    return figure


def attention_maps(
    frames: np.ndarray, attention: np.ndarray, titles: Sequence[str] | None = None, name: str = "attention"
) -> Figure:
    """Draw a map over each face: MAAG's attention weights (3.3.1) or a Grad-CAM (4.7).

    Parameters
    ----------
    frames : ndarray
        uint8 [N, H, W, 3].
    attention : ndarray
        [N, h, w], or [N, C, h, w], of which the mean over channels is drawn. No unit. With values below 0, such as
        deviations from a mean, the colours run from blue over white (0) to red.
    titles : sequence of str, optional
        One short line a face.
    name : str
        What the map is, for the colour bar.
    """
    frames, attention = _check_frames(frames, "attention_maps"), np.asarray(attention)
    _check_titles(attention, len(frames), "attention_maps: attention")
    _check_titles(titles, len(frames), "attention_maps")
    maps = attention.mean(1) if attention.ndim == 4 else attention  # [N, h, w]
    figure, axes = _image_grid(2, len(frames), titled=True, bars=True)
    extent = (-0.5, frames.shape[2] - 0.5, frames.shape[1] - 0.5, -0.5)  # the map's cells spread over the face
    limits, cmap = {"vmin": maps.min(), "vmax": max(maps.max(), maps.min() + 1e-6)}, "inferno"
    if maps.min() < 0:
        limits, cmap = {"vmin": -np.abs(maps).max(), "vmax": np.abs(maps).max()}, "RdBu_r"
    for k, (above, below) in enumerate(axes.T):
        above.imshow(frames[k])
        below.imshow(frames[k].mean(2), cmap="gray")
        below.imshow(maps[k], extent=extent, interpolation="bilinear", cmap=cmap, alpha=0.55, **limits)
        if titles is not None:
            above.set_title(titles[k], fontsize=8)
    scale = ScalarMappable(Normalize(**limits), cmap)
    _colour_bar(figure, scale, slice(None), f"{name}, {maps.shape[1]}x{maps.shape[2]}", alpha=0.55)
    return figure


def loss_curves(history: pd.DataFrame) -> Figure:
    """Draw each loss over the steps of training, one panel a loss, the stages after one another (4.4).

    Parameters
    ----------
    history : DataFrame
        One row a step, as :func:`lfdtcmen.training.train_stage` returns it: columns stage, epoch, and one for each
        loss; of several stages, one below the other. A loss that a stage does not use is NaN there.
    """
    losses = [c for c in history.columns if c not in LOG_COLUMNS and history[c].notna().any()]
    if not losses:
        raise DataError("the history holds no loss", "loss_curves", f"columns found: {', '.join(history.columns)}")
    not_losses = {"active_fraction": "active fraction (share)", "total": "total (weighted)"}
    columns = min(4, len(losses))
    rows = -(-len(losses) // columns)
    figure = Figure(figsize=(WIDTH, 0.4 + 1.9 * rows), dpi=DPI, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    position = pd.Series(np.arange(1, len(history) + 1), index=history.index)
    for ax, name in zip(axes.flat, losses, strict=False):
        for stage, part in history.groupby("stage"):
            colour, x = PALETTE[int(stage) - 1], position[part.index]
            ax.plot(x, part[name], color=colour, alpha=0.35, linewidth=0.8)
            ax.plot(x.groupby(part["epoch"]).mean(), part[name].groupby(part["epoch"]).mean(), ".-", color=colour)
        ax.set_title(not_losses.get(name, name), fontsize=9)
        ax.tick_params(labelsize=8)
        ax.set_xlim(0.5, len(history) + 0.5)
    for ax in axes.flat[len(losses) :]:
        ax.set_visible(False)
    figure.supxlabel("training step (thin: each step; dots: mean of an epoch)", fontsize=9)
    figure.supylabel("value\n(losses: before their weight)", fontsize=9, ma="center")
    stages = sorted(history["stage"].unique())
    lines = [Line2D([], [], color=PALETTE[int(stage) - 1], label=f"stage {stage}") for stage in stages]
    figure.legend(handles=lines, loc="outside upper center", ncols=len(lines), fontsize=9, frameon=False)
    return figure


def loss_weight_bars(losses: Mapping[str, float], products: np.ndarray, weights: Mapping[str, float]) -> Figure:
    """Draw what each loss adds to the weighted sum (3.2), and which share of the sum's gradient it is.

    With gradients g_i before their weights, g = sum of w_i g_i, and the share of loss i is <w_i g_i, g> / <g, g>.
    All shares add up to 1; a loss below 0 pulls against the sum of all.

    Parameters
    ----------
    losses : mapping
        Loss -> its value before its weight.
    products : ndarray
        Inner products of the losses' gradients before their weights, in the order of ``losses``, [L, L]:
        ``G @ G.T`` of gradients [L, P]. From them any weights' shares follow without another backward pass.
    weights : mapping
        Loss -> its weight.

    Raises
    ------
    DataError
        Products of another size, or weights of other losses.
    """
    names, products = list(losses), np.asarray(products, np.float64)
    if products.shape != (len(names), len(names)):
        raise DataError(f"products {list(products.shape)} for {len(names)} losses", "loss_weight_bars", "give G @ G.T")
    if set(weights) != set(names):
        raise DataError(f"weights of {sorted(weights)}, losses {sorted(names)}", "loss_weight_bars")
    weight = np.array([weights[name] for name in names])  # [L]
    terms = weight * np.array(list(losses.values()))  # [L]
    pulls = weight * (products @ weight)  # [L]: <w_i g_i, g>
    shares = pulls / max(pulls.sum(), 1e-30)  # all weights 0: no gradient, no share
    figure = Figure(figsize=(WIDTH, 1.0 + 0.34 * len(names)), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for ax, values, digits, number in ((left, terms, 6, "{:.3g}"), (right, shares, 2, "{:.0%}")):
        ax.barh(range(len(names)), values, color=[PALETTE[0] if v >= 0 else PALETTE[1] for v in values])
        for k, value in enumerate(values):
            aside = {"xytext": (4 if value >= 0 else -4, 0), "ha": "left" if value >= 0 else "right"}
            text = number.format(round(value, digits) + 0.0)  # never "-0"
            ax.annotate(text, (value, k), textcoords="offset points", va="center", fontsize=8, **aside)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_ylim(len(names) - 0.4, -0.6)
    left.set_yticks(range(len(names)), [f"{w:.3g} x {name}" for name, w in zip(names, weight, strict=True)], fontsize=9)
    left.set(xlabel=f"weight x loss (sum {terms.sum():.3g})", xlim=(0, max(1.2 * terms.max(), 1e-6)))
    right.set(xlabel="share of the sum's gradient", xlim=(min(-0.4, 1.3 * shares.min()), max(1.2, 1.2 * shares.max())))
    right.xaxis.set_major_formatter("{x:.0%}")
    return figure


def embedding(points: np.ndarray, colour_by: Mapping[str, Sequence], axis_name: str = "component") -> Figure:
    """Draw the same points once for each colouring: is a code grouped by emotion, or by who it is?

    Parameters
    ----------
    points : ndarray
        Codes brought to the plane (PCA, t-SNE), [N, 2].
    colour_by : mapping
        Panel title -> one value a point, such as ``{"emotion": names, "subject": subjects}``.
    axis_name : str
        Name of the two axes.
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 2:
        raise DataError(f"points must be [N, 2], got {list(points.shape)}", "embedding", "project them first, with PCA")
    figure = Figure(figsize=(WIDTH, 4.2), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(colour_by), squeeze=False, sharex=True, sharey=True)[0]
    for ax, (title, values) in zip(axes, colour_by.items(), strict=True):
        _check_titles(values, len(points), f"embedding: {title}")
        groups, code = np.unique(np.asarray(values).astype(str), return_inverse=True)
        few = len(groups) <= 10
        for k, group in enumerate(groups):
            row, column = divmod(k, len(GROUP_COLOURS))  # in each round over the colours, every colour's shape is new
            marker = GROUP_MARKERS[(column + row) % len(GROUP_MARKERS)]
            look = {"marker": marker, "color": GROUP_COLOURS[column], "s": 36, "linewidths": 0, "alpha": 0.8}
            ax.scatter(*points[code == k].T, label=group, **look)
        ax.set_title(f"coloured by {title}" + ("" if few else f" ({len(groups)})"), fontsize=10)
        ax.set_xlabel(f"{axis_name} 1")
        if few:
            ax.legend(fontsize=8)
    axes[0].set_ylabel(f"{axis_name} 2")
    return figure


# ---------------------------------------------------------------- results


def confusion_pair(
    confusion: np.ndarray,
    names: Sequence[str],
    stated: Mapping[str, Mapping[str, float]] | None = None,
    data_name: str = "drawn faces",
    stated_name: str = "CAS(ME)$^3$ Part A",
) -> Figure:
    """Draw our confusion matrix beside the recall rates that the paper states for its own data (Figs 7-9).

    Parameters
    ----------
    confusion : ndarray
        Counts, int [C, C], a row for each true class.
    names : sequence of str
        Class names, in the order of the rows.
    stated : mapping, optional
        True class -> predicted class -> rate in [0, 1], only what the text states
        (:data:`lfdtcmen.paper.numbers.RECALL`). All other cells stay blank: the figures themselves are not copied.
    data_name, stated_name : str
        Which data each side is measured on: they differ, so the two sides are to be compared in kind only.
    """
    confusion = np.asarray(confusion)
    if confusion.shape != (len(names), len(names)):
        raise DataError(f"{len(names)} names for a matrix of {list(confusion.shape)}", "confusion_pair")
    rates = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    text = [[f"{rates[t, p]:.0%}\n{confusion[t, p]}" for p in range(len(names))] for t in range(len(names))]
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


def parameter_bars(
    table: pd.DataFrame, column: str = "parameters", stated: Mapping[str, float] | None = None
) -> Figure:
    """Draw what each component costs (4.8), and the totals beside the paper's (Table 8).

    Parameters
    ----------
    table : DataFrame
        Index: component; one numeric column to draw. A row "total" is left to the title.
    column : str
        Which column: its name is the axis label.
    stated : mapping, optional
        Name -> the paper's total, drawn as vertical lines on the running total below.
    """
    parts = table[column].drop("total", errors="ignore")
    total = float(parts.sum())
    rows = 1 if stated is None else 2
    figure = Figure(figsize=(WIDTH, 0.9 + 0.32 * len(parts) + 1.2 * (rows - 1)), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(rows, 1, height_ratios=(0.32 * len(parts), 0.9)[:rows])
    ax = figure.add_subplot(grid[0])
    colours = [PALETTE[k % len(PALETTE)] for k in range(len(parts))]  # the same ones below
    ax.barh(parts.index.astype(str), parts, color=colours)
    ax.invert_yaxis()
    for k, value in enumerate(parts):
        ax.text(value, k, f" {_thousands(value)}  ({value / total:.0%})", va="center", fontsize=8)
    ax.set(xlabel=column, xlim=(0, 1.22 * parts.max()))
    ax.set_title(f"total {_thousands(total)}", fontsize=10)
    ax.xaxis.set_major_formatter(lambda x, _: _thousands(x))
    if stated is not None:
        ax = figure.add_subplot(grid[1])
        left = 0.0
        for value, colour in zip(parts, colours, strict=True):
            ax.barh([0], [value], left=left, color=colour, edgecolor="white")
            left += value
        for k, (name, value) in enumerate(stated.items()):
            ax.axvline(value, color="black", linestyle=(":", "--")[k % 2], label=f"paper, {name}: {_thousands(value)}")
        ax.set(yticks=[], xlabel=f"{column}, summed", xlim=(0, 1.05 * max(left, *stated.values())))
        ax.xaxis.set_major_formatter(lambda x, _: _thousands(x))
        ax.legend(fontsize=8, loc="upper left", ncols=2, bbox_to_anchor=(0, 1.35), frameon=False)
    return figure


def score_forest(
    table: pd.DataFrame, metrics: Sequence[str] = ("UF1", "UAR"), reference: Mapping[str, float] | None = None
) -> Figure:
    """Draw mean and interval of each model's score, one panel a metric.

    Parameters
    ----------
    table : DataFrame
        One row a model: column ``model`` (or the index) and, for each metric, columns "<metric>", "<metric> low",
        "<metric> high" (95 % interval over subjects). "<metric> mean" is taken as well.
    metrics : sequence of str
        Which scores to draw.
    reference : mapping, optional
        Name -> value, drawn as vertical lines in every panel, such as ``{"chance": 1 / 3}``.
    """
    names = (table["model"] if "model" in table else table.index.to_series()).astype(str).tolist()
    figure = Figure(figsize=(WIDTH, 1.1 + 0.36 * len(names)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(metrics), squeeze=False, sharey=True)[0]
    for ax, metric in zip(axes, metrics, strict=True):
        column = metric if metric in table else f"{metric} mean"
        if missing := [c for c in (column, f"{metric} low", f"{metric} high") if c not in table]:
            raise DataError(f"no column {missing[0]!r}", "score_forest", f"columns found: {', '.join(table.columns)}")
        mean, low, high = (table[c].to_numpy(float) for c in (column, f"{metric} low", f"{metric} high"))
        # the interval of a bootstrap need not hold the mean over seeds: a bar is never drawn backwards
        error = np.maximum([mean - low, high - mean], 0)
        ax.errorbar(mean, range(len(names)), xerr=error, fmt="o", color=PALETTE[0], ecolor=PALETTE[7], capsize=3)
        for k, value in enumerate(mean):
            _write_above(ax, "{:.3f}", value, k)
        for k, (name, value) in enumerate((reference or {}).items()):
            ax.axvline(value, color=PALETTE[3], linestyle=(":", "--", "-.")[k % 3], label=f"{name} {value:.2f}")
        ax.set(xlabel=f"{metric} (mean, 95 % interval over subjects)", ylim=(len(names) - 0.4, -0.7))
        ax.grid(axis="x", alpha=0.3)
        ax.margins(x=0.12)  # a number at the edge would lie on the frame
    axes[0].set_yticks(range(len(names)), names)
    if reference:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", fontsize=8, frameon=False)
    return figure


def report_forest(report: pd.DataFrame) -> Figure:
    """Draw a disentanglement report: each measure with its interval, beside what it is to be held against.

    Parameters
    ----------
    report : DataFrame
        As :func:`lfdtcmen.analysis.disentanglement.disentanglement_report` returns it: index measure; columns value,
        low, high, reference, wanted.
    """
    figure = Figure(figsize=(WIDTH, 1.0 + 0.36 * len(report)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    rows = np.arange(len(report))
    value, low, high = (report[c].to_numpy(float) for c in ("value", "low", "high"))
    error = np.maximum([value - low, high - value], 0)
    ax.errorbar(value, rows, xerr=error, fmt="o", color=PALETTE[0], ecolor=PALETTE[7], capsize=3, label="value")
    ax.scatter(report["reference"], rows, marker="|", s=110, color=PALETTE[3], label="held against")
    for k in rows:
        _write_above(ax, "{:z.2f}", value[k], k)
    label = "value (no unit)"
    if np.nanmax(np.abs([low, value, high, report["reference"]])) > 1.1:
        ax.set_xscale("symlog", linthresh=1.0)  # a gain of 0.02 and an error ten times that of copying, in one picture
        left, right = ax.get_xlim()
        ticks = [tick for tick in (-10, -3, -1, -0.5, 0, 0.25, 0.5, 0.75, 1, 3, 10, 30, 100) if left <= tick <= right]
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        label = "value (no unit; linear up to 1, logarithmic above)"
    ax.set_yticks(rows, [f"{m}  (wanted: {w})" for m, w in report["wanted"].items()], fontsize=8)
    ax.set(ylim=(len(report) - 0.5, -0.8), xlabel=label)
    ax.grid(axis="x", alpha=0.3)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper right", fontsize=8, ncols=2, frameon=False)
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
    """Draw each pair as one row: onset, signed difference, flow, and the class probabilities beside the true class.

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
        One short line a row.

    Raises
    ------
    DataError
        Arrays whose rows do not belong together.
    """
    onset, probabilities = _check_frames(onset, "prediction_strip"), np.asarray(probabilities)
    for name, value in {"apex": apex, "flow": flow, "probabilities": probabilities, "labels": labels}.items():
        _check_titles(value, len(onset), f"prediction_strip: {name}")
    _check_titles(titles, len(onset), "prediction_strip: titles")
    change = grey_change(onset, apex)  # [N, H, W]
    limits = _limit(change), _limit(np.linalg.norm(flow, axis=1))
    figure = Figure(figsize=(WIDTH, 0.5 + 1.45 * len(onset)), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(onset), 4, squeeze=False, width_ratios=(1, 1, 1, 2.6))
    figure.get_layout_engine().set(w_pad=0.02, wspace=0.01)
    for k, (face, difference, motion, bars) in enumerate(axes):
        _bare(face).imshow(onset[k])
        _draw_change(_bare(difference), change[k], limits[0])
        draw_flow(_bare(motion), flow[k], limits[1])
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


# ---------------------------------------------------------------- one clip, for a report


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
    ax = _bare(figure.add_axes((0, 0, 1, 1)))
    size = np.asarray(image).shape if frame is None else frame.shape[:2]
    extent = (-0.5, size[1] - 0.5, size[0] - 0.5, -0.5)
    look = {"cmap": cmap, "vmin": limits[0], "vmax": limits[1], "interpolation": "bilinear", "extent": extent}
    if frame is not None:
        ax.imshow(_check_frames(frame[None], "face_panel")[0].mean(2), cmap="gray", vmin=0, vmax=255)
        look["alpha"] = 0.55
    ax.imshow(image, **look)
    if flow is not None:
        _draw_arrows(ax, flow, _limit(np.linalg.norm(flow, axis=0)))
    return figure


def clip_curve(
    numbers: np.ndarray, curve: np.ndarray, fps: float, onset: int, apex: int, name: str = "motion since the onset"
) -> Figure:
    """Draw how much a face moves over a clip, with the onset and the apex marked.

    Parameters
    ----------
    numbers : ndarray
        Frame numbers [T].
    curve : ndarray
        A value for each, [T].
    fps : float
        Frames a second: the axis above tells the time.
    onset, apex : int
        Frame numbers.
    name : str
        What the curve is, with its unit.
    """
    figure = Figure(figsize=(5.2, 2.6), dpi=170, layout="constrained")  # narrow: it is read on a phone, too
    ax = figure.add_subplot()
    ax.plot(numbers, curve, color=PALETTE[0], linewidth=2)
    ax.axvspan(onset, apex, color=PALETTE[1], alpha=0.25, linewidth=0)
    for (mark, number), style in zip({"onset": onset, "apex": apex}.items(), (":", "-"), strict=True):
        ax.axvline(number, color=PALETTE[3], linestyle=style, linewidth=1.8, label=f"{mark}: {number}")
    ax.set(xlabel="frame", ylabel=name, xlim=(numbers[0], numbers[-1]), ylim=(min(0.0, curve.min()), None))
    first = numbers[0]
    above = ax.secondary_xaxis("top", functions=(lambda n: (n - first) / fps, lambda s: s * fps + first))
    above.set_xlabel("seconds")
    ax.legend(loc="best", fontsize=10, framealpha=0.6)
    ax.grid(alpha=0.25)
    return figure


# ---------------------------------------------------------------- helpers that callers use too


def as_frames(images: torch.Tensor) -> np.ndarray:
    """Return images [N, 3, H, W] in [0, 1] as uint8 frames [N, H, W, 3], for the figures above."""
    images = images.detach().float().clamp(0, 1).mul(255).round().byte()
    return images.permute(0, 2, 3, 1).cpu().numpy()


def grey_change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return after - before in grey levels, float32 [N, H, W], of uint8 frames [N, H, W, 3]."""
    return after.astype(np.float32).mean(-1) - before.astype(np.float32).mean(-1)


# ---------------------------------------------------------------- drawing


def _image_grid(
    rows: int,
    columns: int,
    titled: bool = False,
    bars: bool = False,
    heading: str | None = None,
    max_side: float = 2.0,
) -> tuple[Figure, np.ndarray]:
    """Return a figure no wider than a notebook and its [rows, columns] axes, square and without ticks.

    ``bars`` leaves a thin row below for :func:`_colour_bar`, so that a bar takes no room from the images above it.
    """
    side = min(WIDTH / columns, max_side)  # inches
    height = rows * side * 1.03 + 0.25 * titled + 0.7 * bars + (0.35 if heading else 0)
    figure = Figure(figsize=(side * columns + 0.2, height), dpi=DPI, layout="compressed")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    grid = figure.add_gridspec(rows + bars, columns, height_ratios=[1] * rows + [0.08] * bars)
    axes = [[_bare(figure.add_subplot(grid[r, c])) for c in range(columns)] for r in range(rows)]
    if heading:
        figure.suptitle(heading, fontsize=11)
    return figure, np.array(axes)


def _bare(ax: Axes) -> Axes:
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def _limit(values: np.ndarray) -> float:
    """Return the colour range that leaves out the few largest values: noise would else hide the motion."""
    return float(max(np.percentile(np.abs(values), 99.5), 1e-6))


def _draw_change(ax: Axes, change: np.ndarray, limit: float) -> AxesImage:
    return ax.imshow(change, cmap="RdBu_r", vmin=-limit, vmax=limit)


def _draw_arrows(ax: Axes, flow: np.ndarray, limit: float, colour="white") -> None:
    step = max(1, flow.shape[-1] // 14)
    rows, columns = np.mgrid[step // 2 : flow.shape[1] : step, step // 2 : flow.shape[2] : step]
    u, v = flow[:, rows, columns]
    moving = np.hypot(u, v) > 0.15 * limit
    # y runs down in an image: with angles="xy" an arrow points where the skin goes
    ax.quiver(
        columns[moving],
        rows[moving],
        u[moving],
        v[moving],
        color=colour,
        angles="xy",
        scale_units="xy",
        scale=limit / (1.3 * step),
        width=0.008,
        headwidth=4,
    )


def _draw_matrix(ax: Axes, rates: np.ndarray, text: Sequence[Sequence[str]], names: Sequence[str]) -> AxesImage:
    cmap = mpl.colormaps["cividis"].with_extremes(bad="white")
    image = ax.imshow(np.ma.masked_invalid(rates), cmap=cmap, vmin=0, vmax=1)
    size = 10 if len(names) <= 4 else 7
    for t, row in enumerate(rates):
        for p, rate in enumerate(row):
            colour = "grey" if np.isnan(rate) else "white" if rate < 0.55 else "black"
            ax.text(p, t, text[t][p], ha="center", va="center", color=colour, fontsize=size - 2 * np.isnan(rate))
    ax.set_xticks(range(len(names)), names, rotation=30 if len(names) > 4 else 0, fontsize=9)
    ax.set_yticks(range(len(names)), names, fontsize=9)
    ax.set_xlabel("predicted class")
    return image


def _colour_bar(
    figure: Figure, image: AxesImage | ScalarMappable, columns: slice, label: str, alpha: float | None = None
) -> None:
    """Draw a colour bar into the last row of an image grid, below the given columns, as see-through as the image."""
    last_row = figure.axes[0].get_gridspec()[-1, columns]
    bar = figure.colorbar(image, cax=figure.add_subplot(last_row), orientation="horizontal", alpha=alpha)
    if len(last_row.colspan) == 1:
        bar.locator = MaxNLocator(3)  # the numbers of narrow bars side by side would run into each other
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def _write_above(ax: Axes, number: str, x: float, y: float) -> None:
    """Write x, in the format ``number``, above its mark, with a white edge: a line would strike it through."""
    look = {"ha": "center", "fontsize": 8, "zorder": 4, "path_effects": [withStroke(linewidth=3, foreground="white")]}
    ax.annotate(number.format(x), (x, y), (0, 6), textcoords="offset points", **look)


def _thousands(value: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:g}"


def _check_frames(frames: np.ndarray, where: str) -> np.ndarray:
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not len(frames):
        raise DataError(
            f"frames must be uint8 [N, H, W, 3] with N > 0, got {frames.dtype} {list(frames.shape)}",
            where,
            "turn network output into frames with lfdtcmen.viz.plots.as_frames",
        )
    return frames


def _check_titles(values: Sequence | None, count: int, where: str) -> None:
    if values is not None and len(values) != count:
        raise DataError(f"{len(values)} given for {count} images", where)


# ---------------------------------------------------------------- alignment, and a clip of one's own


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
    faces = _check_frames(faces, "alignment_sheet")
    for name, values in (("views", views), ("landmarks", landmarks), ("titles", titles)):
        _check_titles(values, len(faces), f"alignment_sheet: {name}")
    figure, axes = _image_grid(2, len(faces), titled=True)
    for k, (above, below) in enumerate(axes.T):
        above.imshow(_check_frames(np.asarray(views[k])[None], "alignment_sheet")[0])
        above.scatter(*np.asarray(landmarks[k]).T, s=9, color=PALETTE[8], edgecolor="black", linewidth=0.4)
        above.set_title(titles[k], fontsize=8)
        below.imshow(faces[k])
    return figure


def nose_paths(before: np.ndarray, after: np.ndarray, fps: float) -> Figure:
    """Draw where the nose tip of a clip goes as filmed, and what alignment leaves of it.

    Parameters
    ----------
    before, after : ndarray
        The nose tip in each frame, [T, 2], x then y, pixels of the aligned face: as filmed, and aligned.
    fps : float
        Frames a second.
    """
    paths = {"as filmed": (before, PALETTE[1]), "aligned": (after, PALETTE[0])}
    figure = Figure(figsize=(WIDTH, 2.7), dpi=DPI, layout="constrained")
    place, time = figure.subplots(1, 2, width_ratios=(1, 2))
    for name, (points, colour) in paths.items():
        x, y = (np.asarray(points, float) - points[0]).T  # [T], [T]
        place.plot(x, y, ".-", color=colour, linewidth=1, markersize=4)
        time.plot(np.arange(len(x)) / fps, np.hypot(x, y), ".-", color=colour, linewidth=1.5, label=name)
    place.set(xlabel="to the right (px)", ylabel="down (px)", title="path of the nose tip", aspect="equal")
    place.set_adjustable("datalim")
    place.invert_yaxis()
    time.set(xlabel="time (s)", ylabel="distance (px)", title="distance from where it was in the first frame")
    time.legend(fontsize=9)
    return figure


def clip_answer(
    onset: np.ndarray,
    apex: np.ndarray,
    flow: np.ndarray,
    maps: Mapping[str, np.ndarray],
    probabilities: np.ndarray,
    label_names: Sequence[str],
) -> Figure:
    """Draw what a network was given of one clip, where it looked, and what it says.

    Parameters
    ----------
    onset, apex : ndarray
        Aligned, uint8 [H, W, 3].
    flow : ndarray
        Onset -> apex, [2, H, W], x then y, pixels.
    maps : mapping
        Grad-CAM of each branch for the most probable class, name -> [h, w] (4.7). Each has a colour range of its own.
    probabilities : ndarray
        [C].
    label_names : sequence of str
        Class of each probability.
    """
    frames = _check_frames(np.stack([onset, apex]), "clip_answer")
    _check_titles(label_names, len(probabilities), "clip_answer")
    columns = 3 + len(maps)
    figure = Figure(figsize=(WIDTH, WIDTH / columns + 1.7), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2, columns, height_ratios=(WIDTH / columns, 0.9))
    axes = [_bare(figure.add_subplot(grid[0, k])) for k in range(columns)]
    for ax, frame in zip(axes, frames, strict=False):
        ax.imshow(frame)
    limit = _limit(np.linalg.norm(flow, axis=0))
    draw_flow(axes[2], flow, limit)
    extent = (-0.5, frames.shape[2] - 0.5, frames.shape[1] - 0.5, -0.5)
    for ax, values in zip(axes[3:], maps.values(), strict=True):
        ax.imshow(frames[0].mean(2), cmap="gray")
        ax.imshow(values, extent=extent, interpolation="bilinear", cmap="inferno", alpha=0.55)
    heads = [f"Grad-CAM, {name}\n(own scale, bright: more)" for name in maps]
    for ax, title in zip(axes, ["onset", "apex", f"flow (to {limit:.1f} px)", *heads], strict=True):
        ax.set_title(title, fontsize=8)
    ax = figure.add_subplot(grid[1, :])
    bars = ax.barh(list(label_names), probabilities, color=PALETTE[0])
    ax.bar_label(bars, [f"{p:.2f}" for p in probabilities], padding=3, fontsize=9)
    ax.set(xlim=(0, 1.08), xlabel="probability")
    ax.invert_yaxis()
    return figure


# ---------------------------------------------------------------- apex spotting


def spotting_curves(
    curves: Mapping[str, np.ndarray],
    fps: float,
    truth: Mapping[str, int],
    found: Mapping[str, int],
    start: int = 0,
) -> Figure:
    """Draw one panel a curve over time, the frame that it takes for the apex, and the truth (section 6).

    Parameters
    ----------
    curves : mapping
        Name with unit -> value of each frame, [T].
    fps : float
        Frames a second.
    truth : mapping
        onset, apex, offset -> frame of the clip: dashed lines.
    found : mapping
        Name of a curve -> the frame of the clip that it takes for the apex. A curve that takes none may be missing.
    start : int
        The frame of the clip that the curves begin with.
    """
    figure = Figure(figsize=(WIDTH, 0.6 + 1.35 * len(curves)), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(curves), 1, squeeze=False, sharex=True)[:, 0]
    for ax, (name, values), colour in zip(axes, curves.items(), PALETTE, strict=False):
        ax.plot((start + np.arange(len(values))) / fps, values, ".-", color=colour, linewidth=1.2, markersize=4)
        for label, frame in truth.items():
            ax.axvline(frame / fps, color="black", linestyle="--", linewidth=1.6 if label == "apex" else 0.7)
        if name in found:
            frame = found[name]
            ax.plot(frame / fps, values[frame - start], "D", color=colour, markeredgecolor="black", markersize=8)
            off = frame - truth["apex"]
            text = f"{off:+d} frame{'s' if abs(off) > 1 else ''}" if off else "right"
            ax.text(1.01, 0.5, text, transform=ax.transAxes, va="center", fontsize=8)
        ax.set_ylabel(name, fontsize=8)
        ax.margins(y=0.15)
    sides = {"onset": "right", "apex": "center", "offset": "left"}  # they may be close to one another
    for label, frame in truth.items():
        at = (frame / fps, 1.03)
        axes[0].annotate(label, at, xycoords=("data", "axes fraction"), fontsize=8, ha=sides.get(label, "center"))
    axes[-1].set_xlabel("time (s); diamond: taken for the apex, dashed: the truth")
    return figure


def spotting_errors(errors: Mapping[str, Sequence[int]], reach: int = 6) -> Figure:
    """Draw how far spotted frames are from the truth, a panel a method (section 6).

    Parameters
    ----------
    errors : mapping
        Method -> spotted less true frame of each clip.
    reach : int
        The outermost bars hold everything that is this many frames off, or more.
    """
    figure = Figure(figsize=(WIDTH, 2.5), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(errors), squeeze=False, sharey=True)[0]
    bars = np.arange(-reach, reach + 1)
    for ax, (name, values), colour in zip(axes, errors.items(), PALETTE, strict=False):
        values = np.asarray(values)
        share = [100 * (np.clip(values, -reach, reach) == k).mean() for k in bars]
        ax.bar(bars, share, color=colour, edgecolor="white", width=1)
        ax.axvline(0, color="black", linestyle="--", linewidth=0.8)
        ax.set_title(f"{name}\nmean error {np.abs(values).mean():.2f} frames", fontsize=9)
        ax.set_xticks([-reach, 0, reach], [f"-{reach} or\nbefore", "0", f"{reach} or\nafter"])
    axes[0].set_ylabel("clips (%)")
    figure.supxlabel("spotted less true frame (frames)", fontsize=9)
    return figure


def clip_timeline(
    frames: np.ndarray,
    shown: int,
    curve: np.ndarray,
    fps: float,
    since: int = 0,
    apexes: Mapping[str, int] | None = None,
    name: str = "motion",
) -> Figure:
    """Draw one moment of a clip: the frame, its change since another one, and where it stands on a curve (section 6).

    Parameters
    ----------
    frames : ndarray
        uint8 [T, H, W, 3].
    shown : int
        The frame to show.
    curve : ndarray
        A value for each frame, such as how much has moved, [T].
    fps : float
        Frames a second.
    since : int
        The frame from which the change is taken, usually the onset.
    apexes : mapping, optional
        Who says so ("true", "spotted"; three at most) -> the frame of the apex.
    name : str
        What the curve is, with its unit.

    Raises
    ------
    DataError
        A curve of another length, or a frame that the clip does not have.
    """
    frames, curve = _check_frames(frames, "clip_timeline"), np.asarray(curve)
    _check_titles(curve, len(frames), "clip_timeline: curve")
    apexes = dict(apexes or {})
    for what, frame in {"shown": shown, "since": since, **apexes}.items():
        if not 0 <= frame < len(frames):
            raise DataError(f"frame {frame} of a clip of {len(frames)} frames", f"clip_timeline: {what}")
    changes = grey_change(np.repeat(frames[since][None], len(frames), 0), frames)  # [T, H, W]
    figure = Figure(figsize=(WIDTH, 2.6), dpi=DPI, layout="constrained")
    face, change, ax = figure.subplots(1, 3, width_ratios=(1, 1.2, 2.2))
    _bare(face).imshow(frames[shown])
    face.set_title(f"{shown / fps:.2f} s (frame {shown})", fontsize=9)
    image = _draw_change(_bare(change), changes[shown], _limit(changes))  # one range for the whole clip
    change.set_title(f"change since {since / fps:.2f} s", fontsize=9)
    figure.colorbar(image, ax=change, label="grey levels", shrink=0.7)
    seconds = np.arange(len(frames)) / fps
    ax.plot(seconds, curve, ".-", color=PALETTE[0], linewidth=1.2, markersize=4)
    ax.plot(seconds[shown], curve[shown], "o", color="black", markersize=9, label="shown")
    looks = (("black", "--", 1.3), (PALETTE[1], "-", 4), (PALETTE[2], "-", 4))  # told apart also where they agree
    for (who, frame), (colour, style, width) in zip(apexes.items(), looks, strict=False):
        look = {"color": colour, "linestyle": style, "linewidth": width, "alpha": 1 if width < 2 else 0.6}
        ax.axvline(frame / fps, label=f"{who} apex", **look)
    ax.set(xlabel="time (s)", ylabel=name, xlim=(-0.5 / fps, (len(frames) - 0.5) / fps))
    ax.margins(y=0.15)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper right", ncols=4, fontsize=8, frameon=False)
    return figure


# ---------------------------------------------------------------- how scores get inflated


def inflation_forest(table: pd.DataFrame, metric: str = "UF1") -> Figure:
    """Draw the score that each practice reports, and what it adds to the honest one (4.2).

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.inflation.inflation_table` returns it, the honest practice first: columns practice,
        score, score low, score high, added, added low, added high (95 % intervals over subjects). Hollow marks are
        differences whose interval holds 0.
    metric : str
        What was scored, for the axes.
    """
    names = table["practice"].astype(str).tolist()
    figure = Figure(figsize=(WIDTH, 1.1 + 0.4 * len(names)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    unsure = (table["added low"] <= 0) & (table["added high"] >= 0)
    for ax, name, number in zip(axes, ("score", "added"), ("{:z.3f}", "{:+z.3f}"), strict=True):
        low, high = f"{name} low", f"{name} high"
        for k, row in enumerate(table.to_dict("records")):
            if name == "added" and k == 0:
                continue  # nothing, by definition
            colour = PALETTE[0] if k == 0 else PALETTE[3]
            error = np.maximum([[row[name] - row[low]], [row[high] - row[name]]], 0)
            ax.errorbar(row[name], k, xerr=error, fmt="none", ecolor=PALETTE[7], capsize=3)
            face = "white" if name == "added" and unsure.iloc[k] else colour
            ax.plot(row[name], k, "o", color=colour, markerfacecolor=face)
            _write_above(ax, number, row[name], k)
        ax.locator_params(axis="x", nbins=4)
        ax.axvline(table[name].iloc[0], color=PALETTE[0], linestyle="--", linewidth=1)
        ax.set_ylim(len(names) - 0.5, -0.8)
        ax.grid(axis="x", alpha=0.3)
        ax.margins(x=0.12)
    axes[0].set(xlabel=f"{metric} (95 % interval)")
    axes[1].set(xlabel=f"added {metric} (paired, 95 % interval)")
    axes[0].set_yticks(range(len(names)), names)
    return figure


def score_steps(steps: Mapping[str, float], metric: str = "UF1") -> Figure:
    """Draw how a score grows from the honest one to the reported one, a bar a step.

    Parameters
    ----------
    steps : mapping
        Name -> score after this step: the honest one first; the last one is what is reported.
    metric : str
        What was scored, for the axis, which runs from 0 to 1, so that one picture can be compared with another.
    """
    if len(steps) < 2:
        raise DataError(f"{len(steps)} steps", "score_steps", "give the honest score and one step or more")
    names, values = [*steps, "reported"], [*steps.values()]
    figure = Figure(figsize=(WIDTH, 0.9 + 0.36 * len(names)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    ax.barh([0, len(steps)], [values[0], values[-1]], color=[PALETTE[0], PALETTE[3]])
    for k, (before, after) in enumerate(pairwise(values), start=1):
        ax.barh(k, after - before, left=before, color=PALETTE[1] if after >= before else PALETTE[7])
        ax.plot([before, before], [k - 1, k], color="black", linewidth=0.6)
        ax.text(max(before, after) + 0.01, k, f"{after - before:+z.3f}", va="center", fontsize=9)
    for k, value in ((0, values[0]), (len(steps), values[-1])):
        ax.text(value + 0.01, k, f"{value:.3f}", va="center", fontsize=9, weight="bold")
    ax.axvline(values[0], color=PALETTE[0], linestyle="--", linewidth=1)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel=metric, xlim=(0, 1.08), ylim=(len(names) - 0.4, -0.6))
    ax.set_xticks(np.linspace(0, 1, 6))
    return figure


# ---------------------------------------------------------------- class imbalance


def confusion_row(confusions: Mapping[str, np.ndarray], names: Sequence[str]) -> Figure:
    """Draw confusion matrices of several models side by side, all on the same data and in one colour range (4.7).

    Parameters
    ----------
    confusions : mapping
        Model -> counts, int [C, C], a row for each true class.
    names : sequence of str
        Class names, in the order of the rows.

    Raises
    ------
    DataError
        No matrix, or one of another number of classes.
    """
    if not confusions:
        raise DataError("there is no matrix to draw", "confusion_row")
    size = len(names)
    figure = Figure(figsize=(WIDTH, WIDTH / max(2, len(confusions)) + 0.5), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(confusions), squeeze=False, sharey=True)[0]
    for ax, (model, counts) in zip(axes, confusions.items(), strict=True):
        counts = np.asarray(counts)
        if counts.shape != (size, size):
            raise DataError(f"{size} names for a matrix of {list(counts.shape)}", f"confusion_row: {model}")
        rates = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        text = [[f"{rates[t, p]:.0%}\n{counts[t, p]}" for p in range(size)] for t in range(size)]
        image = _draw_matrix(ax, rates, text, names)
        ax.set_title(model, fontsize=10)
    axes[0].set_ylabel("true class")
    figure.colorbar(image, ax=list(axes), shrink=0.8, label="share of the true class")
    return figure


def recall_marks(
    recalls: Mapping[str, np.ndarray],
    names: Sequence[str],
    counts: Sequence[int] | None = None,
    stated: Mapping[str, Mapping[str, float]] | None = None,
) -> Figure:
    """Draw the recall of each class, a mark a model, beside the rates that the paper states for its own data (4.7).

    Parameters
    ----------
    recalls : mapping
        Model -> recall of each class, [C]; NaN leaves a mark out.
    names : sequence of str
        Class names.
    counts : sequence of int, optional
        Our samples of each class, written below its name.
    stated : mapping, optional
        Data set of the paper -> class -> recall, drawn as dashed lines. They are measured on other data than the marks.

    Raises
    ------
    DataError
        Values that are not one a class.
    """
    for model, values in {**recalls, **({} if counts is None else {"counts": counts})}.items():
        if len(values) != len(names):
            raise DataError(f"{len(values)} values for {len(names)} classes", f"recall_marks: {model}")
    figure = Figure(figsize=(WIDTH, 3.2), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    place = np.arange(len(names))
    for k, (model, values) in enumerate(recalls.items()):
        aside = 0.7 * ((k + 0.5) / len(recalls) - 0.5)
        marker = "os^Dv<>P*X"[k % 10]
        ax.plot(place + aside, values, marker, color=PALETTE[k % len(PALETTE)], label=model, markersize=7)
    for k, (data, rates) in enumerate((stated or {}).items()):
        known = [c for c, name in enumerate(names) if name in rates]
        height = [rates[names[c]] for c in known]
        look = {"colors": "black", "linestyles": ("--", ":", "-.")[k % 3], "linewidths": 1.3}
        ax.hlines(height, [c - 0.42 for c in known], [c + 0.42 for c in known], label=f"the paper, {data}", **look)
    labels = names if counts is None else [f"{n}\n({c})" for n, c in zip(names, counts, strict=True)]
    ax.set_xticks(place, labels, fontsize=9)
    ax.set(ylabel="recall (share called right)", ylim=(-0.05, 1.05), xlim=(-0.55, len(names) - 0.45))
    ax.set_xlabel("true class" + ("" if counts is None else " (our samples of it)"))
    for c in place[1:]:
        ax.axvline(c - 0.5, color="black", alpha=0.15, linewidth=0.8)
    ax.grid(axis="y", alpha=0.3)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right upper", fontsize=8, frameon=False)
    return figure


# ---------------------------------------------------------------- ablations


def ablation_forest(
    table: pd.DataFrame, metric: str = "UF1", title: str | None = None, stated: Mapping[str, float] | None = None
) -> Figure:
    """Draw a table of ablations (4.6): each setting's score, and its step from the row above.

    Parameters
    ----------
    table : DataFrame
        Of :func:`lfdtcmen.analysis.ablation.ablation_table`, in the paper's order: columns setting, what, "<metric>"
        and "<metric> - above", both with " low" and " high" (95 % intervals over subjects).
    metric : {"UF1", "UAR"}
    title : str, optional
        One line above both panels.
    stated : mapping, optional
        Setting -> the step from the row above that the paper states for its own data, as a share of 1.
    """
    for column in (metric, f"{metric} - above"):
        if missing := [c for c in (column, f"{column} low", f"{column} high") if c not in table]:
            raise DataError(f"no column {missing[0]!r}", "ablation_forest", "give it what ablation_table returns")
    rows = table.to_dict("records")
    figure = Figure(figsize=(WIDTH, 1.5 + 0.5 * len(rows)), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    # shape as well as colour says where a step goes
    looks = {"up": ("^", PALETTE[2]), "down": ("v", PALETTE[3]), "not told apart": ("o", PALETTE[7])}
    marks = {}
    for k, row in enumerate(rows):
        _draw_interval(left, k, row, metric, "{:z.3f}", fmt="o", color=PALETTE[0])
        column = f"{metric} - above"
        if np.isnan(row[column]):
            continue  # the first row has nothing above it
        way = "up" if row[f"{column} low"] > 0 else "down" if row[f"{column} high"] < 0 else "not told apart"
        marker, colour = looks[way]
        marks[way] = _draw_interval(right, k, row, column, "{:+z.3f}", fmt=marker, color=colour)
        if row["setting"] in (stated or {}):
            place = (stated[row["setting"]], k + 0.27)
            look = {"color": "black", "markerfacecolor": "white", "markersize": 6}
            marks["the paper, on its own data"] = right.plot(*place, "D", **look)[0]
    right.axvline(0, color="black", linewidth=1)
    look = {"fontsize": 8, "color": "grey", "va": "center", "ha": "right"}
    right.text(0.98, 0, "nothing above", transform=right.get_yaxis_transform(), **look)
    names = [textwrap.fill(f"{row['setting']}: {row['what']}", 26) for row in rows]
    left.set_yticks(range(len(rows)), names, fontsize=9)
    left.set(ylim=(len(rows) - 0.4, -0.6), xlabel=f"{metric} (95 % interval over subjects)")
    right.set_xlabel(f"step in {metric} from the row above (95 %)")
    right.locator_params(axis="x", nbins=6)
    for ax in (left, right):
        ax.grid(axis="x", alpha=0.3)
        ax.margins(x=0.12)
    names = [name for name in (*looks, "the paper, on its own data") if name in marks]
    handles = [marks[name] for name in names]
    figure.legend(handles, names, loc="outside lower right", ncols=len(names), fontsize=8, frameon=False)
    if title is not None:
        figure.suptitle(title, fontsize=11)
    return figure


def _draw_interval(ax: Axes, place: float, row: Mapping, column: str, number: str, **look):
    """Draw a value with its interval and its number; a bar is never drawn backwards."""
    value, low, high = (row[f"{column}{end}"] for end in ("", " low", " high"))
    error = np.maximum([[value - low], [high - value]], 0)
    drawn = ax.errorbar(value, place, xerr=error, capsize=3, linewidth=1.5, **look)
    _write_above(ax, number, value, place)
    return drawn


# ---------------------------------------------------------------- what it looks at, what its codes tell


def attribution_grid(
    apex: np.ndarray, flow: np.ndarray, maps: Mapping[str, np.ndarray], titles: Sequence[str], flow_name: str = "flow"
) -> Figure:
    """Draw Fig. 6: a column an emotion; below each other the apex, its motion, and the map of each setting (4.7).

    Parameters
    ----------
    apex : ndarray
        uint8 [C, H, W, 3].
    flow : ndarray
        Motion onset -> apex, [C, 2, H, W], x then y, pixels.
    maps : mapping
        Name of a row, such as a setting of Table 6 -> Grad-CAM of each face, from 0 up, [C, h, w]. Two maps cannot be
        compared, so each one is drawn in a range of its own, from 0 to its maximum.
    titles : sequence of str
        One name a column.
    flow_name : str
        Where the flow comes from, for its row.

    Raises
    ------
    DataError
        Arrays whose columns do not belong together.
    """
    apex = _check_frames(apex, "attribution_grid")
    for name, values in {"flow": flow, "titles": titles, **maps}.items():
        _check_titles(values, len(apex), f"attribution_grid: {name}")
    figure, axes = _image_grid(2 + len(maps), len(apex), titled=True, bars=True)
    extent = (-0.5, apex.shape[2] - 0.5, apex.shape[1] - 0.5, -0.5)  # a map's cells spread over the face
    limit = _limit(np.linalg.norm(flow, axis=1))
    for k, column in enumerate(axes.T):
        column[0].imshow(apex[k])
        column[0].set_title(titles[k], fontsize=9)
        length = draw_flow(column[1], flow[k], limit)
        for ax, values in zip(column[2:], maps.values(), strict=True):
            ax.imshow(apex[k].mean(2), cmap="gray", vmin=0, vmax=255)
            look = {"extent": extent, "interpolation": "bilinear", "cmap": "inferno", "alpha": 0.6}
            ax.imshow(values[k], vmin=0, vmax=max(values[k].max(), 1e-12), **look)
    for ax, name in zip(axes[:, 0], ("apex", flow_name, *maps), strict=True):
        ax.set_ylabel(textwrap.fill(name, 16), fontsize=9)
    half = len(apex) // 2
    if half:
        _colour_bar(figure, length, slice(0, half), f"{flow_name} (pixels)")
    scale = ScalarMappable(Normalize(0, 1), "inferno")
    _colour_bar(figure, scale, slice(half, None), "map (share of its maximum)", alpha=0.6)
    return figure


def attribution_forest(table: pd.DataFrame) -> Figure:
    """Draw how much of each map lies on pixels that truly move, beside what it is to be held against.

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.attribution.attribution_table` returns it: columns model, map; value, low, high
        (95 % interval over subjects); chance, mean map, untrained, true motion.

    Raises
    ------
    DataError
        A column is missing.
    """
    marks = {
        "chance": ("|", "black"),
        "mean map": ("s", PALETTE[1]),
        "untrained": ("v", PALETTE[2]),
        "true motion": ("D", PALETTE[3]),
    }
    names = {
        "chance": "chance: the same everywhere",
        "mean map": "the network's mean map",
        "untrained": "untrained network",
        "true motion": "true motion, as coarse",
    }
    if missing := [c for c in ("model", "map", "value", "low", "high", *marks) if c not in table]:
        raise DataError(f"no column {missing[0]!r}", "attribution_forest", "give it what attribution_table returns")
    figure = Figure(figsize=(WIDTH, 1.5 + 0.42 * len(table)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    rows = np.arange(len(table))
    value, low, high = (table[c].to_numpy(float) for c in ("value", "low", "high"))
    error = np.maximum([value - low, high - value], 0)
    for column, (marker, colour) in marks.items():
        look = {"color": colour} if marker == "|" else {"facecolor": "white", "edgecolor": colour}
        size = 260 if marker == "|" else 34
        ax.scatter(table[column], rows + 0.2 * (marker != "|"), marker=marker, s=size, label=names[column], **look)
    ax.errorbar(
        value, rows, xerr=error, fmt="o", color=PALETTE[0], ecolor=PALETTE[0], capsize=3, label="the network's map"
    )
    for k in rows:
        _write_above(ax, "{:.3f}", value[k], k)
    ax.set_yticks(rows, [f"{m}: {kind}" for m, kind in zip(table["model"], table["map"], strict=True)], fontsize=9)
    ax.set(ylim=(len(table) - 0.4, -0.7), xlim=(0, None))
    ax.set_xlabel("share of the attribution on the face that lies on moving skin (95 % interval over subjects)")
    ax.grid(axis="x", alpha=0.3)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return figure


def probe_forest(table: pd.DataFrame) -> Figure:
    """Draw what probes read off codes: a panel a question, a row a code and probe, a mark a network.

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.probes.probe_table` returns it: columns model, asked, code, places, probe; value,
        low, high (95 % interval over subjects); chance, drawn as a line.

    Raises
    ------
    DataError
        A column is missing, or there are more networks than marks that can be told apart.
    """
    needed = ("model", "asked", "code", "places", "probe", "value", "low", "high", "chance")
    if missing := [c for c in needed if c not in table]:
        raise DataError(f"no column {missing[0]!r}", "probe_forest", "give it what probe_table returns")
    questions, models = list(dict.fromkeys(table["asked"])), list(dict.fromkeys(table["model"]))
    if len(models) > len(PALETTE):
        raise DataError(f"{len(models)} networks", "probe_forest", f"draw {len(PALETTE)} at most")
    names = table["code"] + ", " + table["places"].replace({"mean": "mean of places", "all": "all places"})
    names += ", " + table["probe"]
    order = {name: k for k, name in enumerate(dict.fromkeys(names))}
    figure = Figure(figsize=(WIDTH, 1.2 + (0.16 + 0.1 * len(models)) * len(order)), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(questions), squeeze=False, sharey=True)[0]
    units = {"subject": "share named rightly", "emotion": "mean recall", "action units": "$R^2$"}
    for ax, question in zip(axes, questions, strict=True):
        part = table[table["asked"] == question]
        for k, model in enumerate(models):
            rows = part[part["model"] == model]
            place = names[rows.index].map(order) + 0.7 * ((k + 0.5) / len(models) - 0.5)
            value, low, high = (rows[c].to_numpy(float) for c in ("value", "low", "high"))
            error = np.maximum([value - low, high - value], 0)
            look = {"fmt": "os^Dv<>P*X"[k], "color": PALETTE[k], "markersize": 4.5, "elinewidth": 0.9}
            ax.errorbar(value, place, xerr=error, label=model, **look)
        ax.axvline(part["chance"].mean(), color="black", linestyle="--", linewidth=1, label="chance")
        ax.set(xlabel=f"{question}\n{units.get(question, '')}", ylim=(len(order) - 0.4, -0.6))
        for k in range(1, len(order)):
            ax.axhline(k - 0.5, color="black", alpha=0.12, linewidth=0.7)
        ax.grid(axis="x", alpha=0.3)
        ax.locator_params(axis="x", nbins=3)
    axes[0].set_yticks(range(len(order)), list(order), fontsize=8)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8, frameon=False)
    return figure


def swap_bars(table: pd.DataFrame) -> Figure:
    """Draw the error of swaps against the rendered truth for each person, as a multiple of a copy's error.

    Parameters
    ----------
    table : DataFrame
        As :func:`lfdtcmen.analysis.swaps.swap_errors` returns it: columns identity; over copy, low, high.

    Raises
    ------
    DataError
        A column is missing.
    """
    if missing := [c for c in ("identity", "over copy", "low", "high") if c not in table]:
        raise DataError(f"no column {missing[0]!r}", "swap_bars", "give it what swap_errors returns")
    figure = Figure(figsize=(WIDTH, 2.8), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    value, low, high = (table[c].to_numpy(float) for c in ("over copy", "low", "high"))
    error = np.maximum([value - low, high - value], 0)
    place = np.arange(len(table))
    colours = [PALETTE[1] if name == "all" else PALETTE[0] for name in table["identity"]]
    ax.bar(place, value, color=colours, yerr=error, capsize=3, ecolor="black")
    ax.axhline(1, color="black", linestyle="--", linewidth=1, label="copy of the onset")
    ax.set_xticks(place, table["identity"].astype(str))
    ax.set(
        xlabel="whose face (number of the drawn person)", ylabel="squared error of the change,\nmultiple of a copy's"
    )
    ax.legend(fontsize=8)
    ax.grid(axis="y", alpha=0.3)
    return figure
