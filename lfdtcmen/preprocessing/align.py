"""Registration of the apex on the onset frame: head motion and lighting out, muscle motion in (3.1.1).

The paper aligns faces on the nose tip ("nose-tip-based facial alignment", its reference [39]) and says no more.
Stated: the nose is the anchor, and global head motion is removed. Assumed, ours: the transform is a similarity
(shift, rotation, scale); it is fitted to dense flow with weights that fall with the distance from the nose and with
the residual, so that neither moving lips nor a blink pull at it; and lighting is matched by a smooth gain.

A prototype showed what it is worth: without it, head motion is most of what changes between the two frames, and the
motion branch learns nothing else.
"""

import cv2
import numpy as np

from lfdtcmen.errors import DataError
from lfdtcmen.preprocessing.flow import check_frame

PASSES = 2  # flow is biased towards zero: what the first pass leaves, the second finds
ROBUST_STEPS = 8
GRID_STEP = 4  # pixels between the points of the fit
LIGHT_CELLS = 3  # the gain is measured on 3x3 cells, far coarser than any wrinkle


def estimate_rigid(onset: np.ndarray, apex: np.ndarray, landmarks: np.ndarray | None = None) -> np.ndarray:
    """Return the similarity that takes points of the onset frame to the apex frame: the head's motion.

    Parameters
    ----------
    onset, apex : ndarray
        Frames of the same size, uint8 [H, W, 3] or [H, W].
    landmarks : ndarray, optional
        Eyes, nose tip, mouth corners on the onset frame, [5, 2], x then y, pixels. They say where the nose is;
        the middle of the frame is taken where they are not given.

    Returns
    -------
    ndarray
        float64 [2, 3]: ``apex_point = M[:, :2] @ onset_point + M[:, 2]``.

    Raises
    ------
    DataError
        Frames of another dtype or shape, landmarks of another shape or not finite.
    """
    first, second = check_frame(onset, "onset"), check_frame(apex, "apex")
    if first.shape != second.shape:
        raise DataError(f"onset is {list(first.shape)} but apex is {list(second.shape)}", "align", "crop both alike")
    height, width = first.shape
    nose, reach = _nose_region(landmarks, height, width)
    solver = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    y, x = np.mgrid[GRID_STEP : height - GRID_STEP : GRID_STEP, GRID_STEP : width - GRID_STEP : GRID_STEP]
    points = np.stack([x.ravel(), y.ravel()], 1).astype(np.float64)  # [P, 2]
    prior = np.exp(-0.5 * (np.linalg.norm(points - nose, axis=1) / reach) ** 2)  # [P]

    rigid = np.eye(3)
    for _ in range(PASSES):
        flow = solver.calc(first, _warp(second, rigid), None)  # [H, W, 2]
        step = _fit_similarity(points, flow[y, x].reshape(-1, 2).astype(np.float64), prior, nose)
        rigid = rigid @ step
    return rigid[:2]


def remove_rigid_motion(
    onset: np.ndarray, apex: np.ndarray, landmarks: np.ndarray | None = None, rigid: np.ndarray | None = None
) -> np.ndarray:
    """Return the apex frame as it would look had the head and the light not changed since the onset (3.1.1).

    Parameters
    ----------
    onset, apex, landmarks
        As for :func:`estimate_rigid`.
    rigid : ndarray, optional
        What :func:`estimate_rigid` returned, where it is known already.

    Returns
    -------
    ndarray
        Registered apex, uint8, shape of ``apex``.

    Raises
    ------
    DataError
        As :func:`estimate_rigid`.
    """
    if rigid is None:
        rigid = estimate_rigid(onset, apex, landmarks)
    registered = _warp(apex.astype(np.float32), np.vstack([rigid, [0, 0, 1]]))
    gain = _lighting_gain(onset, registered)
    if apex.ndim == 3:
        gain = gain[..., None]
    return np.clip(registered * gain + 0.5, 0, 255).astype(np.uint8)


def register_flow(flow: np.ndarray, rigid: np.ndarray) -> np.ndarray:
    """Return the motion from the onset to the *registered* apex, given that to the apex as filmed.

    Parameters
    ----------
    flow : ndarray
        x then y, pixels, [2, H, W].
    rigid : ndarray
        What :func:`estimate_rigid` returned for the pair.

    Returns
    -------
    ndarray
        float32 [2, H, W]: a point p went to p + flow(p), and registration takes that back by the similarity's inverse.
    """
    height, width = flow.shape[1:]
    start = np.stack(np.meshgrid(np.arange(width), np.arange(height)))  # [2, H, W]: x, y
    inverse = cv2.invertAffineTransform(rigid)
    end = np.tensordot(inverse[:, :2], start + flow, axes=1) + inverse[:, 2, None, None]
    return (end - start).astype(np.float32)


def _nose_region(landmarks: np.ndarray | None, height: int, width: int) -> tuple[np.ndarray, float]:
    """Return the nose tip (x, y) and how far its neighbourhood reaches, in pixels."""
    if landmarks is None:
        return np.array([(width - 1) / 2, (height - 1) / 2]), 0.3 * min(height, width)
    landmarks = np.asarray(landmarks, dtype=np.float64)
    if landmarks.shape != (5, 2) or not np.isfinite(landmarks).all():
        raise DataError(
            f"landmarks must be five finite points [5, 2], got {list(landmarks.shape)}",
            "align",
            "give eyes, nose tip and mouth corners, x then y, or leave them out",
        )
    return landmarks[2], max(8.0, np.linalg.norm(landmarks[1] - landmarks[0]))  # the distance between the eyes


def _fit_similarity(points: np.ndarray, flow: np.ndarray, prior: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Fit [3, 3] to displacements [P, 2] at points [P, 2] by reweighted least squares.

    A similarity near the identity displaces by ``(a X - b Y + tx, b X + a Y + ty)``, linear in (a, b, tx, ty).
    """
    X, Y = (points - centre).T
    one, zero = np.ones_like(X), np.zeros_like(X)
    rows = np.concatenate([np.stack([X, -Y, one, zero], 1), np.stack([Y, X, zero, one], 1)])  # [2P, 4]
    target = np.concatenate([flow[:, 0], flow[:, 1]])
    weight = prior
    for _ in range(ROBUST_STEPS):
        root = np.sqrt(np.concatenate([weight, weight]))
        solution = np.linalg.lstsq(rows * root[:, None], target * root, rcond=None)[0]
        residual = np.linalg.norm((target - rows @ solution).reshape(2, -1), axis=0)  # [P]
        scale = max(0.05, np.median(residual))
        weight = prior / (1 + (residual / scale) ** 2)  # Cauchy: far points lose their say, smoothly
    a, b, tx, ty = solution
    linear = np.array([[1 + a, -b], [b, 1 + a]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre + np.array([tx, ty]) - linear @ centre
    return matrix


def _warp(frame: np.ndarray, rigid: np.ndarray) -> np.ndarray:
    """Return the frame sampled where the similarity takes each pixel."""
    size = (frame.shape[1], frame.shape[0])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(frame, rigid[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _lighting_gain(onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
    """Return the factor [H, W] that gives the apex the onset's brightness, cell by cell, blended between cells."""

    def brightness(frame):
        grey = frame.astype(np.float32)
        grey = grey.mean(2) if grey.ndim == 3 else grey
        return cv2.resize(grey, (LIGHT_CELLS, LIGHT_CELLS), interpolation=cv2.INTER_AREA)

    gain = np.maximum(brightness(onset), 4) / np.maximum(brightness(apex), 4)  # 4: a black cell tells nothing
    return cv2.resize(gain, (onset.shape[1], onset.shape[0]), interpolation=cv2.INTER_LINEAR)
