"""DiSTLBP-RIP and an SVM: binary patterns of integral projections of the sparse part of a clip (Huang et al., 2019).

X. Huang, S.-J. Wang, X. Liu, G. Zhao, X. Feng and M. Pietikäinen, *IEEE Transactions on Affective Computing*, 2017
(volume 10(1), 32-47, 2019), doi:10.1109/TAFFC.2017.2713359. Robust principal component analysis takes the face out of
the clip (:mod:`lfdtcmen.baselines.rpca`). Of each block of what is left, the mean of each row and of each column are
taken, the integral projections. Their patterns along the row or column tell the shape; with one frame below the other
they are an image in space and time, and its patterns tell the motion.

As published: the revisited projection of the sparse part, one-dimensional patterns for the shape, uniform patterns of 8
neighbours for the motion, in both directions. Different: the selection of features by a Laplacian score for each pair
of classes ("Di") is left to the SVM's regularisation; input and choice of C as for LBP-TOP. Assumed: 5 x 5 blocks, 4
neighbours along the projection, radius 1 in space and time.
"""

import numpy as np

from lfdtcmen.baselines.baseline import Baseline
from lfdtcmen.baselines.hand_crafted import predict_by_clips, split_blocks
from lfdtcmen.baselines.lbp_top import BINS, NUM_BINS, binary_patterns
from lfdtcmen.baselines.rpca import sparse_motion
from lfdtcmen.datasets.pairs import PairSet

BLOCKS = 5
STEPS = (-2, -1, 1, 2)  # neighbours along a projection


def shape_patterns(projection: np.ndarray) -> np.ndarray:
    """Return the one-dimensional pattern (0 to 15) at each position of projections [T, L], int64 [T, L - 4]."""
    reach = max(STEPS)
    length = projection.shape[1] - 2 * reach
    centre = projection[:, reach : reach + length]
    codes = np.zeros(centre.shape, np.int64)
    for bit, step in enumerate(STEPS):
        codes += (projection[:, reach + step : reach + step + length] >= centre).astype(np.int64) << bit
    return codes


def describe_projection(projection: np.ndarray) -> np.ndarray:
    """Return the shares of shape and motion patterns of projections [T, L], float64 [16 + 59]."""
    shape = np.bincount(shape_patterns(projection).ravel(), minlength=2 ** len(STEPS))
    levels = 255 * projection[..., None]  # [T, L, 1]: a volume of one column, for the plane of its first two axes
    motion = np.bincount(BINS[binary_patterns(levels, (0, 1), (1, 1, 0))].ravel(), minlength=NUM_BINS)
    return np.concatenate([shape / shape.sum(), motion / motion.sum()])


def describe_clip(clip: np.ndarray) -> np.ndarray:
    """Return the features of a clip [T, H, W], float64 [25 * 2 * 75].

    Raises
    ------
    DataError
        Fewer than three frames.
    """
    blocks = split_blocks(sparse_motion(clip), BLOCKS)
    return np.concatenate([describe_projection(block.mean(axis)) for block in blocks for axis in (2, 1)])


def predict(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Return probabilities for ``test``, float64 [N_test, C]; the pairs have clips."""
    return predict_by_clips(describe_clip, train, test, seed)


distlbp_rip = Baseline(
    "distlbp-rip", predict, needs_clips=True, source="Huang et al., 2019, doi:10.1109/TAFFC.2017.2713359"
)
