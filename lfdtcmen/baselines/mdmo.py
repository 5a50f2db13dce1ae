"""MDMO and an SVM: the main direction of the mean optical flow in 36 regions of the face (Liu et al., 2016).

Y.-J. Liu, J.-K. Zhang, W.-J. Yan, S.-J. Wang, G. Zhao and X. Fu, *IEEE Transactions on Affective Computing* 7(4),
299-310, doi:10.1109/TAFFC.2015.2485205. In each region, the flow vectors are counted by direction in eight bins; the
mean of the vectors of the fullest bin is the region's motion. Its length, divided by that of the region that moves
farthest, and its direction make 36 x 2 = 72 features.

As published: 36 regions, 8 bins, normalised lengths, a polynomial kernel. Different: the regions are boxes of the
canonical face (brows, eyes, nose, mouth; :data:`ROWS`), placed by the five landmarks of the pair or, where there are
none, by the crop, and not polygons between 66 landmarks; one TV-L1 flow from onset to apex instead of the mean over the
flows from the first frame to each; a pair is registered already. Assumed, as the values are not known to us: lengths
and directions weigh alike (the publication has a factor between them), and the kernel is of degree 2.
"""

import cv2
import numpy as np

from lfdtcmen.baselines.baseline import Baseline
from lfdtcmen.baselines.hand_crafted import flow_of, make_polynomial_svm, predict_by_svm
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.preprocessing.geometry import CANONICAL, SIZE, from_canonical

# rows of boxes on the canonical face of 128 x 128 pixels: top, bottom, left, right, boxes
ROWS = (
    (18, 32, 28, 100, 4),  # forehead
    (32, 43, 24, 104, 6),  # brows
    (43, 58, 24, 104, 6),  # eyes
    (58, 72, 24, 104, 6),  # bridge of the nose, upper cheeks
    (72, 86, 24, 104, 6),  # nose tip, lower cheeks
    (86, 104, 28, 100, 6),  # mouth
    (104, 118, 40, 88, 2),  # chin
)
REGIONS = sum(row[4] for row in ROWS)  # 36
DIRECTIONS = 8


def canonical_regions() -> np.ndarray:
    """Return the number of the region of each pixel of the canonical face, 0 for none, uint8 [128, 128]."""
    regions = np.zeros((SIZE, SIZE), np.uint8)
    number = 0
    for top, bottom, left, right, boxes in ROWS:
        edges = np.linspace(left, right, boxes + 1).round().astype(int)
        for k in range(boxes):
            number += 1
            regions[top:bottom, edges[k] : edges[k + 1]] = number
    return regions


def place_regions(landmarks: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """Return the number of the region of each pixel of a frame, 0 for none, uint8 [H, W].

    Parameters
    ----------
    landmarks : ndarray, optional
        Five landmarks in the frame, [5, 2]; without them, the face lies where the crop puts it.
    shape : (H, W)
        Of the frame.
    """
    height, width = shape
    if landmarks is None:
        landmarks = (CANONICAL + 0.5) * [width / SIZE, height / SIZE] - 0.5
    return cv2.warpAffine(canonical_regions(), from_canonical(landmarks), (width, height), flags=cv2.INTER_NEAREST)


def main_motion(flow: np.ndarray) -> np.ndarray:
    """Return the mean of the vectors in the direction that most vectors have, float64 [2].

    Parameters
    ----------
    flow : ndarray
        Vectors of one region, [2, P], x then y. No vectors: no motion.
    """
    if flow.shape[1] == 0:
        return np.zeros(2)
    angle = np.arctan2(flow[1], flow[0]) % (2 * np.pi)
    bins = (angle * DIRECTIONS / (2 * np.pi)).astype(int) % DIRECTIONS
    fullest = np.bincount(bins, minlength=DIRECTIONS).argmax()
    return flow[:, bins == fullest].mean(1, dtype=np.float64)


def describe_flow(flow: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Return the features of a flow [2, H, W]: 36 lengths, 0 to 1, then 36 directions, 0 to 1 (a whole turn)."""
    motions = np.stack([main_motion(flow[:, regions == number]) for number in range(1, REGIONS + 1)])  # [36, 2]
    length = np.linalg.norm(motions, axis=1)
    direction = np.arctan2(motions[:, 1], motions[:, 0]) % (2 * np.pi) / (2 * np.pi)
    return np.concatenate([length / max(length.max(), 1e-12), direction])


def describe_pairs(pairs: PairSet) -> np.ndarray:
    """Return the features of pairs, float64 [N, 72].

    Raises
    ------
    DataError
        The pairs have no flow.
    """
    flows = flow_of(pairs, "mdmo")
    landmarks = [None] * len(pairs) if pairs.landmarks is None else list(pairs.landmarks)
    shape = flows.shape[2], flows.shape[3]
    return np.stack(
        [describe_flow(flow, place_regions(points, shape)) for flow, points in zip(flows, landmarks, strict=True)]
    )


def predict(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Return probabilities for ``test``, float64 [N_test, C]."""
    return predict_by_svm(describe_pairs(train), describe_pairs(test), train, seed, make_polynomial_svm)


mdmo = Baseline("mdmo", predict, takes_weights=True, source="Liu et al., 2016, doi:10.1109/TAFFC.2015.2485205")
