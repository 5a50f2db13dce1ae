"""Apex spotting as published before: a curve of change, its largest value or a binary search; and a learned baseline.

``pulse`` of :mod:`lfdtcmen.preprocessing.apex` is compared with them. The paper spots no apex (section 6).
"""

from collections.abc import Sequence

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from lfdtcmen.baselines.hand_crafted import split_blocks
from lfdtcmen.errors import DataError, missing_extra
from lfdtcmen.preprocessing.apex import FACE, flow_length, frame_difference

CELLS = 6  # a side: Moilanen et al. (2014) divide the face into 6 x 6 blocks
PATTERNS = 10  # rotation-invariant uniform patterns of 8 neighbours


def lbp_distance(frames: np.ndarray) -> np.ndarray:
    """Return how far the local binary patterns of each frame are from those of the first one, [T].

    The distance is chi-square, summed over 6 x 6 blocks of the face, as in Moilanen et al. (2014,
    doi 10.1109/ICPR.2014.303); their radius, threshold and spotting of several peaks are left out.

    Parameters
    ----------
    frames : ndarray
        Aligned clip, uint8 [T, 128, 128, 3].

    Raises
    ------
    DataError
        scikit-image is not installed.
    """
    histograms = np.stack([_histograms(frame) for frame in frames])  # [T, CELLS * CELLS, PATTERNS]
    total = histograms + histograms[:1]
    squares = np.divide((histograms - histograms[:1]) ** 2, total, out=np.zeros_like(total), where=total > 0)
    return squares.sum((1, 2))


def _histograms(frame: np.ndarray) -> np.ndarray:
    try:
        from skimage.feature import local_binary_pattern
    except ModuleNotFoundError as error:
        raise missing_extra("lbp_distance", "notebooks") from error
    x, y, width, height = FACE
    box = frame[y - height : y + height, x - width : x + width]
    patterns = local_binary_pattern(cv2.cvtColor(box, cv2.COLOR_RGB2GRAY), 8, 1, "uniform").astype(int)  # [H, W]
    cells = split_blocks(patterns, CELLS)
    return np.stack([np.bincount(cell.ravel(), minlength=PATTERNS) / cell.size for cell in cells])


def binary_search(values: np.ndarray) -> int:
    """Return the frame at which a curve is highest, by halves: the half with the larger sum, and so on.

    So Liong et al. (2015, doi 10.1109/ACPR.2015.7486586) search a curve of change since the onset: a single noisy frame
    does not win against a hill.

    Parameters
    ----------
    values : ndarray
        Change of each frame, [T].

    Raises
    ------
    DataError
        No values.
    """
    if len(values) == 0:
        raise DataError("there is no frame to find", "binary_search", "give the change of one frame or more")
    low, high = 0, len(values)  # the frames from low to high - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if values[low:middle].sum() > values[middle:high].sum() else (middle, high)
    return low


def frame_features(frames: np.ndarray) -> np.ndarray:
    """Return what the learned baseline knows of each frame of an expression, [T, 5].

    Grey difference, flow length and LBP distance from the first frame, each as a share of its largest value, and the
    frame's share of the way from onset to offset, with its square.

    Parameters
    ----------
    frames : ndarray
        Aligned frames from onset to offset, uint8 [T, 128, 128, 3].
    """
    curves = [frame_difference(frames), flow_length(frames), lbp_distance(frames)]
    shares = [curve / max(float(curve.max()), 1e-6) for curve in curves]
    way = np.linspace(0, 1, len(frames))
    return np.stack([*shares, way, way**2], axis=1)


def learn_apex(features: Sequence[np.ndarray], apexes: Sequence[int]) -> Pipeline:
    """Train a logistic regression that tells the apex from the other frames.

    Parameters
    ----------
    features : sequence of ndarray
        :func:`frame_features` of each training clip.
    apexes : sequence of int
        True apex of each, counted from its onset.

    Raises
    ------
    DataError
        Another number of apexes than of clips, or no clip.
    """
    if not len(features) or len(features) != len(apexes):
        raise DataError(f"{len(features)} clips and {len(apexes)} apexes", "learn_apex", "give one apex a clip")
    is_apex = [np.arange(len(clip)) == apex for clip, apex in zip(features, apexes, strict=True)]
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    return model.fit(np.concatenate(features), np.concatenate(is_apex))


def predict_apex(model: Pipeline, features: np.ndarray) -> int:
    """Return the frame that a trained model finds most like an apex, never the onset."""
    return 1 + int(model.decision_function(features[1:]).argmax())
