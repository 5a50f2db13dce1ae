"""Alignment (3.1.1): move the face to a canonical position; remove head motion and changes of light.

The paper aligns faces on the nose tip ("nose-tip-based facial alignment", its reference [39]) and gives no details.
Stated: the nose is the anchor, and global head motion is removed. Assumed, ours: five landmarks of the onset frame set
the crop. The transform is a similarity (shift, rotation, scale). It is fitted to dense flow with weights that fall with
the distance from the nose and with the residual, so that moving lips and a blink have little effect on it.
:mod:`lfdtcmen.preprocessing.lighting` matches the lighting, :mod:`lfdtcmen.preprocessing.geometry` has the canonical
position.

``method="nose"`` is what the paper's source probably does (He et al., Pattern Recognition Letters 2022, by public
accounts of it): a shift alone, by which the nose tip keeps its position. How the nose tip is followed is assumed: by
the same flow, close to it.

Without alignment, head motion is most of what changes between the two frames, and the motion branch learns it instead
of the expression.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from lfdtcmen.errors import DataError
from lfdtcmen.preprocessing.faces import Detector, choose_face, cut
from lfdtcmen.preprocessing.flow import check_frame
from lfdtcmen.preprocessing.geometry import (
    CANONICAL,
    LANDMARK_WEIGHTS,
    SIZE,
    check_points,
    from_canonical,
    locate_faces,
)
from lfdtcmen.preprocessing.lighting import match_lighting

__all__ = [
    "CANONICAL",
    "LANDMARK_WEIGHTS",
    "SIZE",
    "AlignedClip",
    "align_clip",
    "align_faces",
    "check_method",
    "estimate_head_motion",
    "register_flow",
    "remove_head_motion",
]

LEAST_CORRELATION = 0.8  # with the onset: below it, a frame no longer shows the same face in the same position
LONG_STEP = 2.0  # pixels: flow measures long steps roughly, so the frame is registered a second time

METHODS = ("similarity", "nose")
NOSE_SHARE = 0.25  # times the distance between the eyes: radius around the nose tip in which "nose" measures motion
# Flow is biased towards zero: each pass finds what the ones before left. Finest level of each pass: half, quarter, ...
# resolution is 1, 2, ...; coarse passes are cheap, and the last one is fine.
PASSES = (2, 2, 1)
ROBUST_STEPS = 8  # rounds of the fit; after each, points that do not move with the head get less weight
GRID_STEP = 4  # pixels between the points of the fit


@dataclass(frozen=True)
class AlignedClip:
    """A clip's face in its canonical position.

    ``frames`` uint8 [T, 128, 128, 3]; ``landmarks`` on the first of them, float32 [5, 2], x then y, pixels;
    ``transforms`` float64 [T, 2, 3] from a point of the aligned frame to that of frame t as filmed; ``note`` says when
    several faces were found.
    """

    frames: np.ndarray
    landmarks: np.ndarray
    transforms: np.ndarray
    note: str = ""


def align_clip(
    frames: Iterable[np.ndarray],
    detector: Detector | None = None,
    landmarks: np.ndarray | None = None,
    method: str = "similarity",
) -> np.ndarray:
    """Return the face of a clip, cropped, upright and without head motion (3.1.1).

    Parameters and errors as for :func:`align_faces`.

    Returns
    -------
    ndarray
        uint8 [T, 128, 128, 3], RGB.
    """
    return align_faces(frames, detector, landmarks, method=method).frames


def align_faces(
    frames: Iterable[np.ndarray],
    detector: Detector | None = None,
    landmarks: np.ndarray | None = None,
    numbers: Sequence[int] | None = None,
    method: str = "similarity",
) -> AlignedClip:
    """Find the face on the first frame, and follow it through the clip.

    The five landmarks of the first frame (the onset) give the similarity to the canonical face. Each later frame is
    registered on the first one around the nose, to a fraction of a pixel; its crop is made from the frame as filmed by
    one interpolation. Its lighting is matched to the first frame's.

    Parameters
    ----------
    frames : iterable of ndarray
        Frames as filmed, uint8 [H, W, 3] RGB or [H, W] grey, all of one size: an array [T, H, W, 3] as well as a
        generator, of which one frame at a time is in memory.
    detector : callable, optional
        From RGB frame to list of Face (see :mod:`lfdtcmen.preprocessing.faces`); MTCNN by default.
    landmarks : ndarray, optional
        Image-left and image-right eye, nose tip, image-left and image-right mouth corner on the first frame, [5, 2],
        x then y, where they are known. The detector is then used only on a later frame in which the face is lost.
    numbers : sequence of int, optional
        Numbers of the frames in error messages: 0, 1, ... by default.
    method : {"similarity", "nose"}
        What of the head's motion is removed: shift, rotation and scale, or the shift of the nose tip alone.

    Returns
    -------
    AlignedClip

    Raises
    ------
    DataError
        No frames, no face on the first frame, or the face is lost on a later one (the message has the frame's number);
        frames of several sizes, or not uint8; unknown ``method``.
    """
    check_method(method)
    note = ""
    aligned: list[np.ndarray] = []
    transforms: list[np.ndarray] = []
    for t, frame in enumerate(frames):
        name = f"frame {t if numbers is None else numbers[t]}"
        frame = _as_rgb(frame, name)
        if not aligned:
            shape = frame.shape
            if landmarks is None:
                faces, margin = locate_faces(frame, detector, name)
                face, choice = choose_face(faces, shape)
                landmarks, note = face.landmarks, "; ".join(filter(None, (margin, choice)))
            transform = from_canonical(landmarks)
            to_crop = cv2.invertAffineTransform(transform)
            onset_landmarks = cv2.transform(np.asarray(landmarks, np.float64)[None], to_crop)[0]  # in the crop, [5, 2]
            aligned.append(cut(frame, transform, SIZE))
        else:
            if frame.shape != shape:
                size = f"{frame.shape[1]}x{frame.shape[0]} where the first is {shape[1]}x{shape[0]}"
                raise DataError(f"the frame is {size}", name, "give a clip's frames in one size")
            transform, crop = _follow_face(aligned[0], frame, transforms[-1], onset_landmarks, detector, name, method)
            aligned.append(match_lighting(aligned[0], crop))
        transforms.append(transform)
    if not aligned:
        raise DataError("the clip has no frames", "align_faces")
    return AlignedClip(np.stack(aligned), onset_landmarks.astype(np.float32), np.stack(transforms), note)


def check_method(method: str) -> None:
    """Refuse a method of alignment that is not known, with a DataError."""
    if method not in METHODS:
        raise DataError(f"unknown method of alignment {method!r}", "align", f"use one of {', '.join(METHODS)}")


def _as_rgb(frame: np.ndarray, name: str) -> np.ndarray:
    check_frame(frame, name)
    return np.repeat(frame[..., None], 3, 2) if frame.ndim == 2 else frame


def _follow_face(
    onset: np.ndarray,
    frame: np.ndarray,
    last: np.ndarray,
    landmarks: np.ndarray,
    detector: Detector | None,
    name: str,
    method: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the transform of a frame and its crop, given the transform of the frame before."""
    # the head has moved little since the last frame
    transform, crop = _register(onset, frame, last, landmarks, method)
    if _correlation(onset, crop) < LEAST_CORRELATION:  # it jumped, or another person is seen: detect the face again
        found = [face.landmarks for face in locate_faces(frame, detector, name)[0]]
        if method == "nose":
            guesses = [_shift_to(last, landmarks[2], points[2]) for points in found]
        else:
            guesses = [from_canonical(points) for points in found]
        tries = [_register(onset, frame, guess, landmarks, method) for guess in guesses]
        transform, crop = max(tries, key=lambda tried: _correlation(onset, tried[1]))
        if _correlation(onset, crop) < LEAST_CORRELATION:
            fix = "give a clip of one person, seen from the front in every frame"
            raise DataError("the face of the first frame is lost", name, fix)
    return transform, crop


def _shift_to(transform: np.ndarray, point: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return a transform [2, 3] with another shift: it takes the point to the target."""
    return np.column_stack([transform[:, :2], target - transform[:, :2] @ point])


def _register(
    onset: np.ndarray, frame: np.ndarray, guess: np.ndarray, landmarks: np.ndarray, method: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the transform of a frame, near a guess, and its crop."""
    for _ in range(2):
        head = estimate_head_motion(onset, cut(frame, guess, SIZE), landmarks, method)
        moved = np.vstack([head, [0, 0, 1]])
        guess = guess @ moved
        nose = landmarks[2]
        if np.linalg.norm(moved[:2, :2] @ nose + moved[:2, 2] - nose) < LONG_STEP:
            break
    return guess, cut(frame, guess, SIZE)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation of two frames' grey values over the middle of the face."""
    inner = slice(SIZE // 5, -SIZE // 5)
    a, b = (frame[inner, inner].mean(2).ravel() for frame in (a, b))
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-9))


def estimate_head_motion(
    onset: np.ndarray, apex: np.ndarray, landmarks: np.ndarray | None = None, method: str = "similarity"
) -> np.ndarray:
    """Return the similarity (shift, rotation, scale) from onset points to apex points: the motion of the head.

    Parameters
    ----------
    onset, apex : ndarray
        Frames of the same size, uint8 [H, W, 3] or [H, W].
    landmarks : ndarray, optional
        Eyes, nose tip, mouth corners on the onset frame, [5, 2], x then y, pixels. The fit is centred on the nose tip;
        without landmarks, on the middle of the frame.
    method : {"similarity", "nose"}
        As for :func:`align_faces`; the result of ``"nose"`` is a shift.

    Returns
    -------
    ndarray
        float64 [2, 3]: ``apex_point = M[:, :2] @ onset_point + M[:, 2]``.

    Raises
    ------
    DataError
        Frames of another dtype or shape, landmarks of another shape or not finite; unknown ``method``.
    """
    check_method(method)
    first, second = check_frame(onset, "onset"), check_frame(apex, "apex")
    if first.shape != second.shape:
        raise DataError(
            f"onset is {list(first.shape)} but apex is {list(second.shape)}",
            "estimate_head_motion",
            "give both frames the same size",
        )
    height, width = first.shape
    nose, reach = _nose_region(landmarks, height, width)
    if method == "nose":
        reach *= NOSE_SHARE
    solver = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    y, x = np.mgrid[GRID_STEP : height - GRID_STEP : GRID_STEP, GRID_STEP : width - GRID_STEP : GRID_STEP]
    points = np.stack([x.ravel(), y.ravel()], 1).astype(np.float64)  # [P, 2]
    prior = np.exp(-0.5 * (np.linalg.norm(points - nose, axis=1) / reach) ** 2)  # [P]

    similarity = np.eye(3)
    for finest in PASSES:
        solver.setFinestScale(finest)
        flow = solver.calc(first, _warp(second, similarity), None)  # type: ignore[call-overload]  # [H, W, 2]
        step = _fit_motion(points, flow[y, x].reshape(-1, 2).astype(np.float64), prior, nose, method)
        similarity = similarity @ step
    return similarity[:2]


def remove_head_motion(
    onset: np.ndarray, apex: np.ndarray, landmarks: np.ndarray | None = None, similarity: np.ndarray | None = None
) -> np.ndarray:
    """Return the apex frame without the changes of head and light since the onset (3.1.1).

    Parameters
    ----------
    onset, apex, landmarks
        As for :func:`estimate_head_motion`.
    similarity : ndarray, optional
        Result of :func:`estimate_head_motion`, where it is known already.

    Returns
    -------
    ndarray
        Registered apex, uint8, shape of ``apex``.

    Raises
    ------
    DataError
        As :func:`estimate_head_motion`.
    """
    if similarity is None:
        similarity = estimate_head_motion(onset, apex, landmarks)
    return match_lighting(onset, _warp(apex.astype(np.float32), np.vstack([similarity, [0, 0, 1]])))


def register_flow(flow: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """Return the motion from the onset to the *registered* apex, given that to the apex as filmed.

    Parameters
    ----------
    flow : ndarray
        x then y, pixels, [2, H, W].
    similarity : ndarray
        Result of :func:`estimate_head_motion` for the pair.

    Returns
    -------
    ndarray
        float32 [2, H, W]: a point p went to p + flow(p); registration applies the inverse of the similarity to that.
    """
    height, width = flow.shape[1:]
    start = np.stack(np.meshgrid(np.arange(width), np.arange(height)))  # [2, H, W]: x, y
    inverse = cv2.invertAffineTransform(similarity)
    end = np.tensordot(inverse[:, :2], start + flow, axes=1) + inverse[:, 2, None, None]
    return (end - start).astype(np.float32)


def _nose_region(landmarks: np.ndarray | None, height: int, width: int) -> tuple[np.ndarray, float]:
    """Return the nose tip (x, y) and the radius of its neighbourhood, in pixels."""
    if landmarks is None:
        return np.array([(width - 1) / 2, (height - 1) / 2]), 0.3 * min(height, width)
    landmarks = check_points(landmarks)
    return landmarks[2], max(8.0, float(np.linalg.norm(landmarks[1] - landmarks[0])))  # the distance between the eyes


def _fit_motion(points: np.ndarray, flow: np.ndarray, prior: np.ndarray, centre: np.ndarray, method: str) -> np.ndarray:
    """Fit [3, 3] to displacements [P, 2] at points [P, 2] by reweighted least squares.

    A similarity near the identity displaces by ``(a X - b Y + tx, b X + a Y + ty)``, linear in (a, b, tx, ty); for
    ``"nose"``, a and b are 0.
    """
    X, Y = (points - centre).T
    one, zero = np.ones_like(X), np.zeros_like(X)
    terms = np.stack([np.r_[X, Y], np.r_[-Y, X], np.r_[one, zero], np.r_[zero, one]])  # [4, 2P]: all x before all y
    if method == "nose":
        terms = terms[2:]  # [2, 2P]
    target, weight = flow.T.ravel(), prior  # [2P], [P]
    for _ in range(ROBUST_STEPS):
        weighted = terms * np.tile(weight, 2)
        solution = np.linalg.solve(weighted @ terms.T, weighted @ target)
        residual = np.hypot(*(target - solution @ terms).reshape(2, -1))  # [P]
        scale = max(0.05, np.median(residual))
        weight = prior / (1 + (residual / scale) ** 2)  # Cauchy: the weight of points that do not fit falls smoothly
    a, b, tx, ty = solution if method == "similarity" else (0, 0, *solution)
    linear = np.array([[1 + a, -b], [b, 1 + a]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre + np.array([tx, ty]) - linear @ centre
    return matrix


def _warp(frame: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """Return the frame sampled at the point to which the similarity takes each pixel."""
    size = (frame.shape[1], frame.shape[0])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(frame, similarity[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
