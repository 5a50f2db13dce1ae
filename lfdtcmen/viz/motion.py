"""Figures of motion: optical flow, the path of the nose, curves and spotted apexes over the frames of a clip."""

from collections.abc import Collection, Mapping
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

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
    symmetric_limit,
)


def clip_curve(
    numbers: np.ndarray, curve: np.ndarray, fps: float, onset: int, apex: int, name: str = "motion since the onset"
) -> Figure:
    """Plot how much a face moves over a clip, with the onset and the apex marked.

    Parameters
    ----------
    numbers : ndarray
        Frame numbers [T].
    curve : ndarray
        A value for each, [T].
    fps : float
        Frames a second: the axis above shows the time.
    onset, apex : int
        Frame numbers.
    name : str
        What the curve is, with its unit.
    """

    def to_seconds(number: ArrayLike) -> np.ndarray:
        return (np.asarray(number) - numbers[0]) / fps

    def to_number(seconds: ArrayLike) -> np.ndarray:
        return np.asarray(seconds) * fps + numbers[0]

    figure = Figure(figsize=(5.2, 2.6), dpi=170, layout="constrained")  # narrow: it is read on a phone, too
    ax = figure.add_subplot()
    ax.plot(numbers, curve, color=PALETTE[0], linewidth=2)
    ax.axvspan(onset, apex, color=PALETTE[1], alpha=0.25, linewidth=0)
    for (mark, number), style in zip({"onset": onset, "apex": apex}.items(), (":", "-"), strict=True):
        ax.axvline(number, color=PALETTE[3], linestyle=style, linewidth=1.8, label=f"{mark}: {number}")
    ax.set(xlabel="frame", ylabel=fill(name, 20), xlim=(numbers[0], numbers[-1]), ylim=(min(0.0, curve.min()), None))
    ax.secondary_xaxis("top", functions=(to_seconds, to_number)).set_xlabel("seconds")
    ax.legend(loc="best", fontsize=10, framealpha=0.6)
    ax.grid(alpha=0.25)
    return figure


def nose_paths(before: np.ndarray, after: np.ndarray, fps: float) -> Figure:
    """Plot the path of the nose tip over a clip, as filmed and after alignment.

    Parameters
    ----------
    before, after : ndarray
        The nose tip in each frame, [T, 2], x then y, pixels of the aligned face: as filmed, and aligned.
    fps : float
        Frames a second.
    """
    paths = {"as filmed": (before, PALETTE[1]), "aligned": (after, PALETTE[0])}
    figure = Figure(figsize=(WIDTH, 2.7), dpi=DPI, layout="constrained")
    path, time = figure.subplots(1, 2, width_ratios=(1, 2))
    for name, (points, colour) in paths.items():
        x, y = (np.asarray(points, float) - points[0]).T  # [T], [T]
        path.plot(x, y, ".-", color=colour, linewidth=1, markersize=4)
        time.plot(np.arange(len(x)) / fps, np.hypot(x, y), ".-", color=colour, linewidth=1.5, label=name)
    path.set(xlabel="to the right (px)", ylabel="down (px)", title="path of the nose tip", aspect="equal")
    path.set_adjustable("datalim")
    path.invert_yaxis()
    time.set(xlabel="time (s)", ylabel="distance (px)", title="distance from its position in the first frame")
    time.legend(fontsize=9)
    return figure


def spotting_curves(
    curves: Mapping[str, np.ndarray],
    fps: float,
    truth: Mapping[str, int],
    found: Mapping[str, int],
    start: int = 0,
    at_rest: Collection[str] = (),
) -> Figure:
    """Plot each curve over time in a panel of its own, with its spotted apex and the true frames (section 6).

    Parameters
    ----------
    curves : mapping
        Name with unit -> value of each frame, [T].
    fps : float
        Frames a second.
    truth : mapping
        onset, apex, offset -> true frame of the clip: dashed lines.
    found : mapping
        Name of a curve -> its spotted apex, a frame of the clip. A curve that spots none may be missing.
    start : int
        Number of the frame with which the curves begin.
    at_rest : collection
        Names of curves of a clip in which nothing happens: it has no true frames, and its spotted apex no error.
    """
    figure = Figure(figsize=(WIDTH, 0.6 + 1.35 * len(curves)), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(curves), 1, squeeze=False, sharex=True)[:, 0]
    for ax, (name, values), colour in zip(axes, curves.items(), PALETTE, strict=False):
        ax.plot((start + np.arange(len(values))) / fps, values, ".-", color=colour, linewidth=1.2, markersize=4)
        for label, frame in truth.items() if name not in at_rest else ():
            ax.axvline(frame / fps, color="black", linestyle="--", linewidth=1.6 if label == "apex" else 0.7)
        if name in found:
            frame = found[name]
            ax.plot(frame / fps, values[frame - start], "D", color=colour, markeredgecolor="black", markersize=8)
            off = frame - truth["apex"]
            text = f"{off:+d} frame{'s' if abs(off) > 1 else ''}" if off else "exact"
            text = "no apex" if name in at_rest else text
            ax.text(1.01, 0.5, text, transform=ax.transAxes, va="center", fontsize=8)
        ax.set_ylabel(name, fontsize=8)
        ax.margins(y=0.15)
    sides = {"onset": "right", "apex": "center", "offset": "left"}  # so that close labels do not overlap
    for label, frame in truth.items():
        at = (frame / fps, 1.03)
        axes[0].annotate(label, at, xycoords=("data", "axes fraction"), fontsize=8, ha=sides.get(label, "center"))
    axes[-1].set_xlabel("time (s); diamond: spotted apex, dashed: true frames")
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
    """Show one frame of a clip, its change since another one, and its point on a curve (section 6).

    Parameters
    ----------
    frames : ndarray
        uint8 [T, H, W, 3].
    shown : int
        The frame to show.
    curve : ndarray
        A value for each frame, such as the length of the motion, [T].
    fps : float
        Frames a second.
    since : int
        The frame from which the change is taken, usually the onset.
    apexes : mapping, optional
        Where it comes from ("true", "spotted"; three at most) -> the frame of the apex.
    name : str
        What the curve is, with its unit.

    Raises
    ------
    DataError
        A curve of another length, or a frame that the clip does not have.
    """
    frames, curve = check_frames(frames, "clip_timeline"), np.asarray(curve)
    check_count(curve, len(frames), "clip_timeline: curve")
    apexes = dict(apexes or {})
    for what, frame in {"shown": shown, "since": since, **apexes}.items():
        if not 0 <= frame < len(frames):
            raise DataError(f"frame {frame} of a clip of {len(frames)} frames", f"clip_timeline: {what}")
    changes = grey_change(frames[[since]], frames)  # [T, H, W]
    figure = Figure(figsize=(WIDTH, 2.6), dpi=DPI, layout="constrained")
    face, change, ax = figure.subplots(1, 3, width_ratios=(1, 1.2, 2.2))
    bare(face).imshow(frames[shown])
    face.set_title(f"{shown / fps:.2f} s (frame {shown})", fontsize=9)
    image = draw_change(bare(change), changes[shown], symmetric_limit(changes))  # one range for the whole clip
    change.set_title(f"change since {since / fps:.2f} s", fontsize=9)
    figure.colorbar(image, ax=change, label="grey levels", shrink=0.7)
    seconds = np.arange(len(frames)) / fps
    ax.plot(seconds, curve, ".-", color=PALETTE[0], linewidth=1.2, markersize=4)
    ax.plot(seconds[shown], curve[shown], "o", color="black", markersize=9, label="shown")
    # widths that remain distinguishable where two apexes coincide
    looks = (("black", "--", 1.3), (PALETTE[1], "-", 4), (PALETTE[2], "-", 4))
    for (source, frame), (colour, style, width) in zip(apexes.items(), looks, strict=False):
        look = {"color": colour, "linestyle": style, "linewidth": width, "alpha": 1 if width < 2 else 0.6}
        ax.axvline(frame / fps, label=f"{source} apex", **look)
    ax.set(xlabel="time (s)", ylabel=name, xlim=(-0.5 / fps, (len(frames) - 0.5) / fps))
    ax.margins(y=0.15)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper right", ncols=4, fontsize=8, frameon=False)
    return figure
