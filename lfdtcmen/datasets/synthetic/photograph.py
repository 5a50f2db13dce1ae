"""Action units on a real photograph: its apex and the exact flow, from five landmarks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np

from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS, Muscles, to_intensity
from lfdtcmen.datasets.synthetic.anatomy import Anatomy, find_anchors, make_lips, make_outline
from lfdtcmen.datasets.synthetic.canvas import Sheet, X, Y, sample, sigmoid
from lfdtcmen.datasets.synthetic.counterfactuals import Counterfactuals
from lfdtcmen.datasets.synthetic.identity import Identity, average_identity
from lfdtcmen.datasets.synthetic.renderer import LANDMARKS, invert_displacement
from lfdtcmen.errors import DataError

PHOTOGRAPH_LIGHT = np.array([0.0, -0.44, 0.90], np.float32)  # the direction is not known: a little from above (assumed)


def warp_photograph(
    image: np.ndarray, landmarks: np.ndarray, units: Mapping[int, float | tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Let the person in a photograph show action units.

    The motion fields of the synthetic faces are mapped onto the photograph by a similarity, and bent so that eyes, nose
    tip and mouth corners fit exactly. Skin moves and wrinkles. Nothing lies behind the skin of a photograph, so parting
    lips only stretch.

    Parameters
    ----------
    image : ndarray
        The onset, RGB uint8 [H, W, 3], the face roughly upright and from the front.
    landmarks : ndarray
        Image-left eye, image-right eye, nose tip, image-left and image-right mouth corner; x and y in pixels [5, 2].
    units : mapping
        {unit: intensity} or {unit: (image-left, image-right)}, in pixels of a face cropped to 128 x 128.

    Returns
    -------
    apex : ndarray
        RGB uint8 [H, W, 3].
    flow : ndarray
        Exact motion onset -> apex, float32 [2, H, W], x then y, pixels of the photograph.

    Raises
    ------
    DataError
        Not an RGB uint8 image, landmarks that are not a face's, or an unknown action unit.
    """
    image, landmarks = np.asarray(image), np.asarray(landmarks, np.float64)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise DataError(f"the photograph must be uint8 [H, W, 3], got {image.dtype} {list(image.shape)}", "image")
    intensity = to_intensity(units)
    anatomy, to_image = _fit(landmarks, image.shape[:2])
    expression = Muscles(anatomy).expression(intensity)

    height, width = image.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    back = np.linalg.inv(to_image).astype(np.float32)
    x = back[0, 0] * columns + back[0, 1] * rows + back[0, 2]  # [H, W] in the 128 x 128 face
    y = back[1, 0] * columns + back[1, 1] * rows + back[1, 2]

    turn = to_image[:2, :2].astype(np.float32)
    dx, dy = sample(expression.dx, x, y), sample(expression.dy, x, y)
    flow = np.stack([turn[0, 0] * dx + turn[0, 1] * dy, turn[1, 0] * dx + turn[1, 1] * dy])
    from_x, from_y = x, y
    if expression.moves:
        from_x, from_y = invert_displacement(expression.dx, expression.dy, x, y)
    # only the displacement is transformed: where nothing moves, the photograph stays as it is, bit for bit
    source_x = columns + turn[0, 0] * (from_x - x) + turn[0, 1] * (from_y - y)
    source_y = rows + turn[1, 0] * (from_x - x) + turn[1, 1] * (from_y - y)
    apex = cv2.remap(image.astype(np.float32), source_x, source_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    apex *= 1 + sample(expression.shade, from_x, from_y)[..., None]
    return np.clip(np.round(apex), 0, 255).astype(np.uint8), flow


def photograph_counterfactuals(
    images: Sequence[np.ndarray], landmarks: Sequence[np.ndarray], like: Counterfactuals, seed: int = 0
) -> Counterfactuals:
    """Apply every motion of synthetic people to photographs: what a swap from a synthetic to a real face should give.

    The people in the photographs are real; their motions are rendered (:func:`warp_photograph`), not real ones.

    Parameters
    ----------
    images : sequence of ndarray
        Aligned faces (:func:`lfdtcmen.preprocessing.align.align_faces`), as large as the synthetic ones, RGB uint8
        [128, 128, 3].
    landmarks : sequence of ndarray
        Landmarks of each image, as for :func:`warp_photograph`.
    like : Counterfactuals
        Whose motions are shown. The noisy frames get normal noise as strong as that of its camera.
    seed : int
        Random seed of the noise.

    Raises
    ------
    DataError
        No image, one of another size, or as :func:`warp_photograph`.
    """
    shape = like.onset.shape[1:]
    if not len(images) or any(np.shape(image) != shape for image in images):
        raise DataError("the photographs must be aligned faces", "photograph_counterfactuals", f"cut them to {shape}")
    rng = np.random.default_rng(seed)
    noise = np.std(like.onset.astype(np.float32) - like.onset_clean)
    motions = [dict(zip(ACTION_UNITS, map(tuple, motion), strict=True)) for motion in like.action_units]
    apexes = [[warp_photograph(*face, units)[0] for units in motions] for face in zip(images, landmarks, strict=True)]
    onset, apex = np.stack(images), np.array(apexes)  # [I, H, W, 3], [I, M, H, W, 3]

    def add_noise(clean: np.ndarray) -> np.ndarray:
        noisy = clean + noise * rng.standard_normal(clean.shape, dtype=np.float32)
        return np.clip(np.round(noisy), 0, 255).astype(np.uint8)

    return Counterfactuals(
        *(add_noise(onset), onset, add_noise(apex), apex, like.emotions, like.action_units),
        landmarks=np.stack(landmarks).astype(np.float32),
    )


def _fit(landmarks: np.ndarray, size: tuple[int, int]) -> tuple[Anatomy, np.ndarray]:
    """Return the average face, bent to fit the landmarks, and the similarity from face to photograph, [3, 3]."""
    if landmarks.shape != (5, 2) or not np.isfinite(landmarks).all():
        raise DataError(f"landmarks must be five finite points [5, 2], got {list(landmarks.shape)}", "landmarks")
    if (landmarks < 0).any() or (landmarks >= [size[1], size[0]]).any():
        raise DataError("a landmark lies outside the photograph", "landmarks", "give x, then y, in pixels")
    left_eye, right_eye, _, left_mouth, right_mouth = landmarks
    if left_eye[0] >= right_eye[0] or left_mouth[0] >= right_mouth[0] or left_eye[1] >= left_mouth[1]:
        raise DataError(
            "the landmarks are not those of an upright face",
            "landmarks",
            "order them: image-left eye, image-right eye, nose tip, image-left and image-right mouth corner",
        )
    p = average_identity()
    to_image = _similarity(np.array([find_anchors(p)[name] for name in LANDMARKS]), landmarks)
    found = (landmarks - to_image[:2, 2]) @ np.linalg.inv(to_image[:2, :2]).T  # in the 128 x 128 face
    p = _adapt(p, found)
    anchors = find_anchors(p)

    # the remaining difference (a turned or crooked face) is removed by a smooth bend
    expected = np.array([anchors[name] for name in LANDMARKS])
    spread = 18.0
    weights = np.exp(-0.5 * ((found[:, None] - found) ** 2).sum(-1) / spread**2)
    pulls = np.linalg.solve(weights, expected - found).astype(np.float32)  # [5, 2]
    near = [np.exp(-0.5 * ((X - np.float32(x)) ** 2 + (Y - np.float32(y)) ** 2) / spread**2) for x, y in found]
    bend = np.tensordot(pulls.T, np.stack(near), 1)  # [2, GRID, GRID]
    sheet = Sheet(bend[0], bend[1])
    skin = sigmoid((0.98 - make_outline(p, sheet)) * 7)
    return Anatomy(p, sheet, anchors, make_lips(p, sheet), skin, PHOTOGRAPH_LIGHT), to_image


def _adapt(p: Identity, found: np.ndarray) -> Identity:
    """Give the average face the proportions of the landmarks [5, 2]."""
    eyes, mouth = found[:2], found[3:]
    return replace(
        p,
        eye_x=float(eyes[1, 0] - eyes[0, 0]) / 2,
        eye_y=float(eyes[:, 1].mean()),
        nose_y=float(found[2, 1]) + 5,
        mouth_y=float(mouth[:, 1].mean()) + 0.8 * p.mouth_curve,
        mouth_width=float(mouth[1, 0] - mouth[0, 0]) / 2,
        chin=float(mouth[:, 1].mean()) + (p.chin - p.mouth_y),
    )


def _similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the similarity that takes points [K, 2] closest to others, least squares, as a matrix [3, 3]."""
    # the plane as complex numbers: one factor turns and scales
    a, b = (points @ [1, 1j] for points in (source, target))
    factor = np.vdot(a - a.mean(), b - b.mean()) / np.vdot(a - a.mean(), a - a.mean())
    shift = b.mean() - factor * a.mean()
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag], [0, 0, 1.0]])
