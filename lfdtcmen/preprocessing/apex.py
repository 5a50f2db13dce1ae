"""Apex spotting: find the strongest frame of a micro-expression without an annotated apex (section 6, limitation 2).

The paper takes onset and apex from the annotation and does not spot them: all of this module is ours (assumed).

The method "pulse" has two ideas. First, a small motion changes a frame by the motion times the frame's gradient. So the
effects of smooth motion (a head that turns) and of smooth changes of light lie in the span of a few known pictures: we
subtract them. Second, an expression is one picture times one curve in time that rises, holds and falls: we search for
the curve that explains most of the remaining change, for any picture.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from lfdtcmen.errors import DataError
from lfdtcmen.preprocessing.align import SIZE

METHODS = ("pulse", "flow", "difference", "midpoint")
# boxes of the canonical face, (rows, columns), in which the method "flow" measures motion
REGIONS = {
    "brows and eyes": (slice(28, 58), slice(26, 102)),
    "nose": (slice(60, 86), slice(48, 80)),
    "mouth": (slice(86, 110), slice(38, 90)),
}
# ellipses of the canonical face, (x, y, half width, half height), pixels
FACE = (64, 66, 42, 54)
LEFT_OUT = {  # a blink, or a turn of the head, moves these regions more than an expression does
    "image-left eye": (43.5, 49.5, 14, 8),
    "image-right eye": (84.5, 49.5, 14, 8),
    "nose": (64, 74, 13, 16),
}
COMPARED_SIZE = 64  # pixels, side of the frames that "pulse" compares: enough for smooth motion
BLUR_SIGMA = 1.0  # pixels, of the Gaussian blur against the camera's noise
PLATEAU_SHARE = 0.1  # of a pulse's duration that its plateau lasts
PULSE_SECONDS = (0.13, 0.5)  # from onset to offset: a micro-expression lasts half a second at most
REST_SECONDS = 0.3  # before and after a pulse, in which the face is assumed to be at rest
SEARCH_FPS = 60.0  # a whole clip is searched at this rate at most
LEAST_CHANGE = 1e-6  # grey levels or pixels: smaller changes count as none


@dataclass(frozen=True)
class Spotted:
    """The strongest micro-expression of a clip.

    ``onset``, ``apex`` and ``offset`` are indices of frames; ``curve`` is the share of the expression that each frame
    shows, float64 [T].
    """

    onset: int
    apex: int
    offset: int
    curve: np.ndarray


def spot_apex(frames: np.ndarray, method: str = "pulse", onset: int = 0, offset: int | None = None) -> int:
    """Return the frame in which an expression is strongest; its onset and offset are known.

    Parameters
    ----------
    frames : ndarray
        Aligned clip, uint8 [T, 128, 128, 3].
    method : {"pulse", "flow", "difference", "midpoint"}
        ``pulse`` fits a curve that rises and falls (:func:`pulse_fit`); ``flow`` takes the frame with the longest
        optical flow since the onset (:func:`flow_length`), ``difference`` that with the largest grey difference
        (:func:`frame_difference`), ``midpoint`` the one in the middle, without use of the frames.
    onset, offset : int
        Indices of the first and last frame of the expression; the last frame of the clip by default.

    Returns
    -------
    int
        Index of the apex, after the onset and not after the offset. Where a face holds its expression this is the
        first frame of the plateau. Frames that do not differ give the midpoint.

    Raises
    ------
    DataError
        Frames of another dtype or shape, an unknown method, an onset or offset that is no frame of the clip, or an
        onset that does not come before the offset (as in a clip of one frame).
    """
    frames = _check_frames(frames, "spot_apex")
    last = len(frames) - 1
    offset = last if offset is None else offset
    if method not in METHODS:
        raise DataError(f"unknown method {method!r}", "spot_apex", f"use one of {', '.join(METHODS)}")
    if not 0 <= onset < offset <= last:
        raise DataError(
            f"onset {onset} and offset {offset} are no interval of a clip of {len(frames)} frames",
            "spot_apex",
            f"give 0 <= onset < offset <= {last}, counted from 0",
        )
    middle = int(max(onset + 1, (onset + offset) // 2))
    if method == "midpoint":
        return middle
    curve = {"pulse": pulse_fit, "flow": flow_length, "difference": frame_difference}[method]
    values = curve(frames[onset : offset + 1])[1:]  # after the onset
    return middle if np.ptp(values) < LEAST_CHANGE else int(onset + 1 + values.argmax())


def spot_interval(frames: np.ndarray, fps: float) -> Spotted:
    """Find the strongest micro-expression of a clip without annotation.

    Every trapezoid in time (rise, plateau, fall; 0.13 to 0.5 s) is tried at every time of the clip, with up to 0.3 s of
    rest on either side. The one that explains most of the motion on the face is the expression; its corners are
    onset, apex and offset. Eyes are left out, so that a blink is not taken for an expression. The function always
    returns an interval, also for a clip without any expression: check ``curve`` and the frames.

    Parameters
    ----------
    frames : ndarray
        Aligned clip, uint8 [T, 128, 128, 3].
    fps : float
        Frames a second.

    Returns
    -------
    Spotted
        ``curve`` is the share of the expression that each frame shows: 0 at the onset, 1 at the apex.
        Frames that do not differ, and clips too short for a pulse, give the whole clip and its midpoint.

    Raises
    ------
    DataError
        Frames of another dtype or shape, fewer than two frames, or a rate that is not a number above 0.
    """
    frames = _check_frames(frames, "spot_interval")
    if not np.isfinite(fps) or fps <= 0:
        raise DataError(f"{fps!r} frames a second is not a rate", "spot_interval", "give a number above 0")
    if len(frames) < 2:
        raise DataError("a clip of one frame shows no motion", "spot_interval", "give two frames or more")
    own = own_motion(frames)  # [T, P]
    step = max(1, round(fps / SEARCH_FPS))
    count = len(own) // step
    slow = own[: count * step].reshape(count, step, own.shape[1]).mean(1)  # [T / step, P]
    found = _search(slow, fps / step)
    if found is None:
        return Spotted(0, len(frames) // 2, len(frames) - 1, np.zeros(len(frames)))
    onset, apex, offset = (i * step + step // 2 for i in found)
    if step > 1:  # the search took the mean of every few frames
        apex = onset + 1 + int(_fit(own[onset : offset + 1])[1:].argmax())
    return Spotted(onset, apex, offset, _project(own, onset, apex, offset))


def frame_difference(frames: np.ndarray) -> np.ndarray:
    """Return the mean grey difference of each frame from the first, over the face, grey levels [T]."""
    grey = _grey(frames)  # [T, 128, 128]
    return np.abs(grey - grey[0])[:, _ellipse(*FACE)].mean(1)


def flow_length(frames: np.ndarray) -> np.ndarray:
    """Return the mean length of the optical flow from the first frame to each, over :data:`REGIONS`, pixels [T]."""
    grey = _grey(frames).astype(np.uint8)
    solver = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    measured = np.zeros((SIZE, SIZE), bool)
    for box in REGIONS.values():
        measured[box] = True
    flows = (solver.calc(grey[0], frame, None) for frame in grey)  # type: ignore[call-overload]  # each [H, W, 2]
    lengths = [np.linalg.norm(flow, axis=2)[measured].mean() for flow in flows]
    return np.array(lengths) - lengths[0]


def pulse_fit(frames: np.ndarray) -> np.ndarray:
    """Return, for each frame, how much of a clip's motion a pulse with its apex in this frame explains, [T].

    The pulse is 0 in the first frame and in the last, rises to 1, holds for a tenth of the time, and falls. A straight
    line in time is subtracted from it and from the frames, because a steady drift of the head is no expression. A curve
    ``h`` (of length 1) explains ``|h' X|^2``, the energy of the picture that belongs to it, where the rows of ``X`` are
    the frames' :func:`own_motion`. The first and the last frame get 0.
    """
    return _fit(own_motion(frames))


def own_motion(frames: np.ndarray) -> np.ndarray:
    """Return the motion of the muscles: each frame minus the mean frame and minus what head and light explain.

    A small motion (u, v) changes a frame by ``u M_x + v M_y``, the mean frame's gradient. With u and v any polynomial
    of the second degree in x and y (shift, rotation, approach, and roughly a turn of the head), and the light any
    such polynomial times M, the changes span 19 pictures; their least-squares share is subtracted. Eyes, nose and
    background are left out.

    Returns
    -------
    ndarray
        Grey levels, float32 [T, P], one column per pixel.
    """
    blurred = (cv2.GaussianBlur(frame, (0, 0), BLUR_SIGMA) for frame in _grey(frames))
    size = (COMPARED_SIZE, COMPARED_SIZE)
    small = np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in blurred])  # [T, 64, 64]
    mean = small.mean(0)  # [64, 64]
    down, across = np.gradient(mean)
    axis = np.linspace(-1, 1, COMPARED_SIZE, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    smooth = [x**i * y**j for i in range(3) for j in range(3 - i)]
    pictures = [p * picture for p in smooth for picture in (across, down, mean)] + [np.ones_like(mean)]
    seen = _skin()
    basis = np.linalg.qr(np.stack(pictures, -1)[seen])[0]  # [P, 19]
    change = small[:, seen] - mean[seen]  # [T, P]
    return change - (change @ basis) @ basis.T


def trapezoid(length: int, onset: int, apex: int, offset: int) -> np.ndarray:
    """Return a pulse [length]: 0 up to the onset, 1 from the apex for a tenth of the time, 0 from the offset on."""
    hold = min(apex + round(PLATEAU_SHARE * (offset - onset)), offset - 1)
    time = np.arange(length)
    rise, fall = (time - onset) / (apex - onset), (offset - time) / (offset - hold)
    return np.clip(np.minimum(rise, fall), 0, 1)


def _fit(own: np.ndarray) -> np.ndarray:
    """Return how much of own motion [T, P] a pulse over the whole clip explains, for an apex in each frame, [T]."""
    last = len(own) - 1
    explained = np.zeros(len(own))
    if last >= 2:
        pulses = _flatten(np.stack([trapezoid(len(own), 0, apex, last) for apex in range(1, last)]))
        explained[1:last] = _explained(own @ own.T, pulses)
    return explained


def _search(own: np.ndarray, fps: float) -> tuple[int, int, int] | None:
    """Return onset, apex and offset of the pulse that explains most of own motion [T, P], or None if nothing moves."""
    gram = (own @ own.T).astype(np.float64)  # [T, T]: all that the search needs
    rest = round(REST_SECONDS * fps)
    longest = max(2, round(PULSE_SECONDS[1] * fps))
    best, found = LEAST_CHANGE, None
    for onset in range(len(own) - 2):
        before, after = min(onset, rest), min(len(own) - onset, longest + rest + 1)
        window = slice(onset - before, onset + after)
        corners, pulses = _pulses(before, after, fps)
        explained = _explained(gram[window, window], pulses)  # [K]
        if len(explained) and explained.max() > best:
            k = int(explained.argmax())
            best, found = explained[k], (onset, onset + corners[k][0], onset + corners[k][1])
    return found


@lru_cache(maxsize=256)
def _pulses(before: int, after: int, fps: float) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Return (apex, offset) as seen from the onset, and curve, of each pulse in a window around an onset, [K, L]."""
    shortest, longest = (max(2, round(seconds * fps)) for seconds in PULSE_SECONDS)
    rest = round(REST_SECONDS * fps)
    corners, pulses = [], [np.zeros((0, before + after))]
    for offset in range(shortest, min(longest, after - 1) + 1):
        length = min(before + offset + 1 + rest, before + after)
        apexes = range(1, offset)
        curves = np.stack([trapezoid(length, before, before + apex, before + offset) for apex in apexes])
        pulses.append(np.pad(_flatten(curves), ((0, 0), (0, before + after - length))))
        corners += [(apex, offset) for apex in apexes]
    return corners, np.concatenate(pulses)


def _flatten(pulses: np.ndarray) -> np.ndarray:
    """Subtract the best straight line from each pulse [K, L], and scale the rest to length 1."""
    time = np.arange(pulses.shape[1], dtype=np.float64)
    line = np.linalg.qr(np.stack([np.ones_like(time), time], 1))[0]  # [L, 2]
    rest = pulses - (pulses @ line) @ line.T
    length = np.linalg.norm(rest, axis=1, keepdims=True)
    return np.divide(rest, length, out=np.zeros_like(rest), where=length > 1e-9)


def _explained(gram: np.ndarray, pulses: np.ndarray) -> np.ndarray:
    """Return ``h' X X' h`` for each pulse h of [K, L], X X' being the Gram matrix [L, L]."""
    return ((pulses @ gram) * pulses).sum(1)


def _project(own: np.ndarray, onset: int, apex: int, offset: int) -> np.ndarray:
    """Return the share of a pulse's picture that each frame shows, 0 at the onset and 1 at the apex, [T]."""
    inside = slice(onset, offset + 1)
    length = offset - onset
    pulse = _flatten(trapezoid(length + 1, 0, apex - onset, length)[None])[0]
    curve = own @ (pulse @ own[inside])  # [T]
    height = curve[apex] - curve[onset]
    return (curve - curve[onset]).astype(np.float64) / (height if abs(height) > LEAST_CHANGE else 1.0)


def _check_frames(frames: np.ndarray, where: str) -> np.ndarray:
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[1:] != (SIZE, SIZE, 3) or len(frames) == 0:
        raise DataError(
            f"an aligned clip must be uint8 [T, {SIZE}, {SIZE}, 3], got {frames.dtype} {list(frames.shape)}",
            where,
            "call lfdtcmen.preprocessing.align.align_clip first",
        )
    return frames


def _grey(frames: np.ndarray) -> np.ndarray:
    """Return grey frames, float32 [T, 128, 128]."""
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]).astype(np.float32)


def _ellipse(x: float, y: float, width: float, height: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return ((columns - x) / width) ** 2 + ((rows - y) / height) ** 2 < 1


@lru_cache(maxsize=1)
def _skin() -> np.ndarray:
    """Return the pixels of the small frames that "pulse" compares, bool [64, 64]."""
    seen = _ellipse(*FACE)
    for ellipse in LEFT_OUT.values():
        seen &= ~_ellipse(*ellipse)
    return cv2.resize(seen.astype(np.float32), (COMPARED_SIZE, COMPARED_SIZE), interpolation=cv2.INTER_AREA) > 0.5
