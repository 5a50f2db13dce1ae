"""Where a face lies in the aligned frame (3.1.1), how it gets there, and what is refused because it lies elsewhere.

A network reads motion by its position. One constant, CANONICAL, holds the position for synthetic faces, photographs,
clips and frames that somebody has cropped already.
"""

import cv2
import numpy as np

from lfdtcmen.errors import DataError
from lfdtcmen.preprocessing.faces import Detector, Face, choose_face, cut, find_detector

SIZE = 128  # pixels (assumed: the number is missing in the text of the paper that we have)
# positions of eyes, nose tip and mouth corners in the aligned frame (assumed: the mean of the synthetic faces)
CANONICAL = np.array([[43.5, 50.5], [84.5, 50.5], [64.0, 76.3], [47.3, 96.0], [80.7, 96.0]])
# weights of the landmarks in finding the face: a smile moves the corners of the mouth; the eyes move least
LANDMARK_WEIGHTS = np.array([1.0, 1.0, 0.25, 0.1, 0.1])
ALMOST_BLACK = 30  # grey levels: in a frame without brighter pixels no face can be found
TIGHT_SIDE = 192  # pixels to which a frame is scaled in which no face was found; a margin of half of it is added
OUTSIDE = 0.1  # times the distance between the eyes: how far beyond the border of the frame a landmark may be
# pixels of a 128x128 face between the mean of a set's landmarks and CANONICAL. Linear model, trained on the synthetic
# preset `standard` and tested on the same flow elsewhere: 4 px cost it .02 of UF1, 6 px .04, 12 px .10 to .16
FARTHEST = 6.0
SPREAD = 6.0  # pixels: by how much one person's face differs from the mean face, so much more may a single pair
SAMPLE = 9  # onsets in which a face is looked for, where a set has no landmarks
CHECK_ADVICE = (
    "cut the faces out of the frames as filmed with `lfdtcmen data prepare` or preprocessing.align.align_faces, which "
    "take tight crops as well"
)


def check_points(landmarks: np.ndarray) -> np.ndarray:
    """Return five landmarks as float64 [5, 2]; raises DataError if they are none."""
    landmarks = np.asarray(landmarks, dtype=np.float64)
    if landmarks.shape != (5, 2) or not np.isfinite(landmarks).all():
        raise DataError(
            f"landmarks must be five finite points [5, 2], got {list(landmarks.shape)}",
            "landmarks",
            "give eyes, nose tip and mouth corners, x then y, or leave them out",
        )
    return landmarks


def from_canonical(landmarks: np.ndarray) -> np.ndarray:
    """Return the similarity from points of the canonical face to points of a frame, by weighted least squares.

    Parameters
    ----------
    landmarks : ndarray
        Five landmarks in the frame, [5, 2], x then y, pixels.

    Returns
    -------
    ndarray
        float64 [2, 3].

    Raises
    ------
    DataError
        Landmarks of another shape or not finite.
    """
    weight = LANDMARK_WEIGHTS / LANDMARK_WEIGHTS.sum()
    # with points as complex numbers, one factor rotates and scales
    canonical, found = CANONICAL @ [1, 1j], check_points(landmarks) @ [1, 1j]
    middles = weight @ canonical, weight @ found
    canonical, found = canonical - middles[0], found - middles[1]
    factor = (weight * canonical.conj()) @ found / (weight @ np.abs(canonical) ** 2)
    shift = middles[1] - factor * middles[0]
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def locate_faces(frame: np.ndarray, detector: Detector | None, name: str) -> tuple[list[Face], str]:
    """Find the faces of a frame, also of one that is cropped so tightly that the face touches its border.

    Where the detector finds no face, the frame is scaled, surrounded by a blurred margin, and searched again. What is
    found there counts only if the detector finds it a second time in the aligned frame.

    Parameters
    ----------
    frame : ndarray
        RGB, uint8 [H, W, 3].
    detector : callable, optional
        MTCNN by default.
    name : str
        Of the frame, for messages.

    Returns
    -------
    faces : list of Face
        One or more.
    note : str
        Says that a margin was needed; else empty.

    Raises
    ------
    DataError
        No face, or only faces of which the border of the frame cuts off eyes, nose or mouth.
    """
    detector = detector or find_detector()
    faces, note = detector(frame), ""
    if not faces:
        faces, note = _find_in_margin(frame, detector), "cropped tightly: the face was found with a margin added"
    if not faces:
        what = "no face found" if frame.max() > ALMOST_BLACK else "no face found, the frame is almost black"
        raise DataError(what, name, "give frames in which one face is seen upright and from the front")
    whole = [face for face in faces if _is_inside(face.landmarks, frame.shape)]
    if not whole:
        raise DataError(
            "the border of the frame cuts off a part of the face", name, "give frames with eyes, nose and mouth"
        )
    return whole, note


def check_geometry(onset: np.ndarray, landmarks: np.ndarray | None) -> str:
    """Refuse cropped faces that lie elsewhere than CANONICAL: a network that is trained on others is at chance level.

    Parameters
    ----------
    onset : ndarray
        Cropped faces, RGB, uint8 [N, H, W, 3].
    landmarks : ndarray, optional
        Five landmarks of each, [N, 5, 2], x then y, pixels. Without them, a detector looks at up to SAMPLE onsets.

    Returns
    -------
    str
        A warning where no face was found, so that nothing is known; else empty.

    Raises
    ------
    DataError
        The mean face lies elsewhere.
    """
    if landmarks is None:
        rows = np.unique(np.linspace(0, len(onset) - 1, SAMPLE).round().astype(int))
        found = [face.landmarks for row in rows if (face := _find_one(onset[row])) is not None]
        if not found:
            return (
                f"no face was found in {len(rows)} of the onsets: whether faces lie where the network expects them is "
                "not known"
            )
        landmarks = np.stack(found)
    side = np.array([onset.shape[2], onset.shape[1]])
    points = (landmarks + 0.5) * SIZE / side - 0.5  # in a 128x128 frame, [N, 5, 2]
    distance = np.linalg.norm(points.mean(0) - CANONICAL, axis=1).max()
    if distance > FARTHEST + SPREAD / np.sqrt(len(points)):
        eyes = ", ".join(f"({x:.0f}, {y:.0f})" for x, y in points.mean(0)[:2])
        expected = ", ".join(f"({x:.0f}, {y:.0f})" for x, y in CANONICAL[:2])
        raise DataError(
            f"the faces lie elsewhere: in a {SIZE}x{SIZE} frame the eyes are at {eyes} on average, not at {expected}, "
            f"and the farthest landmark is off by {distance:.0f} px",
            "PairSet.onset",
            CHECK_ADVICE,
        )
    return ""


def check_same_geometry(geometry: list | None, where: str, advice: str) -> None:
    """Refuse what was made for other canonical positions, given as a list [5][2]; None: not kept."""
    if geometry is not None and not np.array_equal(geometry, CANONICAL):
        raise DataError("the faces lie elsewhere than this version puts them", where, advice)


def _find_one(frame: np.ndarray) -> Face | None:
    try:
        return choose_face(locate_faces(frame, None, "onset")[0], frame.shape)[0]
    except DataError:  # no face, or a half one: the other onsets decide
        return None


def _is_inside(landmarks: np.ndarray, shape: tuple[int, ...]) -> bool:
    margin = OUTSIDE * np.linalg.norm(landmarks[1] - landmarks[0])
    return bool((landmarks > -margin).all() and (landmarks < np.array([shape[1], shape[0]]) - 1 + margin).all())


def _find_in_margin(frame: np.ndarray, detector: Detector) -> list[Face]:
    """Return the faces that the detector finds once a frame has a margin, and again once they are aligned."""
    scale = TIGHT_SIDE / max(frame.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    height, width = (max(1, round(side * scale)) for side in frame.shape[:2])
    small = cv2.resize(frame, (width, height), interpolation=method)
    margin = TIGHT_SIDE // 2
    padded = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    padded = cv2.GaussianBlur(padded, (0, 0), margin / 2)  # without the streaks of a repeated border
    padded[margin:-margin, margin:-margin] = small
    found = []
    for face in detector(padded):
        landmarks = (face.landmarks - margin + 0.5) / scale - 0.5
        corner, size = (face.box[:2] - margin) / scale, face.box[2:] / scale
        again = detector(cut(frame, from_canonical(landmarks), SIZE))
        if any(np.linalg.norm(other.landmarks - CANONICAL, axis=1).mean() < 2 * FARTHEST for other in again):
            found.append(Face(np.concatenate([corner, size]), landmarks, face.score))
    return found
