"""Action units on a real photograph: its apex and the exact flow, from five landmarks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd

from lfdtcmen.datasets.manifest import LABEL_MAPS, check_manifest, map_emotion
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS, Muscles, facs_code, to_intensity
from lfdtcmen.datasets.synthetic.anatomy import Anatomy, find_anchors, make_lips, make_outline
from lfdtcmen.datasets.synthetic.canvas import Sheet, X, Y, sample, sigmoid
from lfdtcmen.datasets.synthetic.counterfactuals import Counterfactuals
from lfdtcmen.datasets.synthetic.dataset import check_label_map
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS, sample_action_units
from lfdtcmen.datasets.synthetic.identity import Identity, average_identity
from lfdtcmen.datasets.synthetic.plan import PHOTOGRAPH_BLOCK, SUBJECTS_PER_BLOCK
from lfdtcmen.datasets.synthetic.randomness import check_seed, clip_rng, subject_rng
from lfdtcmen.datasets.synthetic.renderer import LANDMARKS, invert_displacement
from lfdtcmen.datasets.synthetic.sequences import sample_style
from lfdtcmen.datasets.synthetic.settings import Settings, get_settings
from lfdtcmen.errors import DataError
from lfdtcmen.preprocessing.align import AlignedClip, align_faces

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


def package_photographs() -> dict[str, np.ndarray]:
    """Return the photographs of persons that come with packages, uint8 [H, W, 3] each.

    Eileen Collins (scikit-image) and Grace Hopper (Matplotlib), both in the public domain. scikit-learn has none, and
    the other faces of scikit-image are 25 pixels wide.

    Raises
    ------
    DataError
        scikit-image is not installed.
    """
    try:
        from skimage.data import astronaut
    except ImportError:
        raise DataError("scikit-image is not installed", "photographs", "pip install scikit-image") from None
    from matplotlib import cbook  # not above: the processes that draw faces would import it, too
    from matplotlib import image as picture_files

    hopper = str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    return {"Collins": astronaut(), "Hopper": picture_files.imread(hopper)}


def photograph_pairs(
    photographs: Mapping[str, np.ndarray] | None = None,
    label_map: str = "3class",
    motions: int = 42,
    seed: int = 0,
    preset: str = "standard",
) -> PairSet:
    """Return onset-apex pairs of real people with rendered motions: a classifier can be scored on them.

    Each person moves as one synthetic subject would: with habits of its own, and all seven emotions in turn. The
    camera's noise differs between onset and apex; the head keeps still.

    Parameters
    ----------
    photographs : mapping, optional
        Name -> photograph with one face, uint8 [H, W, 3]. :func:`package_photographs` by default.
    label_map : {"3class", "7class"}
        How the emotions are labelled.
    motions : int
        Pairs of each photograph.
    seed : int
        Random seed of habits, motions and noise.
    preset : str
        How strong the expressions are, and the camera's noise: as for :func:`make_dataset`.

    Returns
    -------
    PairSet
        With the exact flow, landmarks and true action units. Subjects are called photograph/NAME.

    Raises
    ------
    DataError
        No photograph, no motion, a photograph without a face; unknown preset or label map; a seed that is negative.
    """
    check_label_map(label_map)
    check_seed(seed)
    settings = get_settings(preset)
    photographs = package_photographs() if photographs is None else photographs
    if not photographs or motions < 1:
        raise DataError("there must be a photograph and a motion", "photograph_pairs", "give 1 or more of each")
    parts = [
        _move_photograph(align_faces([photo]), number, motions, seed, settings)
        for number, photo in enumerate(photographs.values())
    ]
    arrays = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    emotions = [EMOTIONS[m % len(EMOTIONS)] for m in range(motions)] * len(photographs)
    labels = np.array([map_emotion(emotion, label_map) for emotion in emotions], np.int64)
    names = LABEL_MAPS[label_map]
    manifest = pd.DataFrame(
        {
            "dataset": "photograph",
            "subject": [f"photograph/{name}" for name in photographs for _ in range(motions)],
            "clip": [f"c{m:04d}" for _ in photographs for m in range(motions)],
            **{"onset": 1, "apex": 2, "offset": 3, "fps": settings.fps},
            "emotion": emotions,
            "label": [names[label] for label in labels],
            "au": [facs_code(units) for units in arrays["action_units"]],
            "path": "",
        }
    )
    return PairSet(check_manifest(manifest), labels=labels, label_names=names, **arrays)


def _move_photograph(
    face: AlignedClip, number: int, motions: int, seed: int, settings: Settings
) -> dict[str, np.ndarray]:
    """Return the pairs of one photograph as arrays of a PairSet."""
    style = sample_style(settings, subject_rng(seed, PHOTOGRAPH_BLOCK * SUBJECTS_PER_BLOCK + number))
    onset = face.frames[0]
    rows: dict[str, list[np.ndarray]] = {name: [] for name in ("onset", "apex", "true_flow", "action_units")}
    for motion in range(motions):
        rng = clip_rng(seed, PHOTOGRAPH_BLOCK * SUBJECTS_PER_BLOCK + number, motion)
        units = sample_action_units(EMOTIONS[motion % len(EMOTIONS)], style, settings, rng)
        apex, flow = warp_photograph(onset, face.landmarks, dict(zip(ACTION_UNITS, map(tuple, units), strict=True)))
        for name, picture in (("onset", onset), ("apex", apex)):
            noise = 255 * settings.sensor_noise * rng.standard_normal(picture.shape)
            rows[name].append(np.clip(np.round(picture + noise), 0, 255).astype(np.uint8))
        rows["true_flow"].append(flow)
        rows["action_units"].append(units.astype(np.float32))
    arrays = {name: np.stack(values) for name, values in rows.items()}
    return {**arrays, "landmarks": np.repeat(face.landmarks[None], motions, axis=0)}


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
