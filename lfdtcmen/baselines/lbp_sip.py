"""LBP-SIP and an SVM: local binary patterns with six intersection points (Wang, See, Phan and Oh, ACCV 2014).

doi:10.1007/978-3-319-16865-4_34. The three planes of LBP-TOP meet in three lines, and on these lie six different
neighbours of a voxel: left, right, above, below, before and after. LBP-SIP compares only them with the voxel. The four
in the frame give a pattern of 4 bits, the two in time one of 2 bits: 16 + 4 = 20 bins a block, where LBP-TOP with four
neighbours in each plane has 3 x 16.

As published: six neighbours, 20 bins, and the radii 1, 1 and 4 and 5 x 5 blocks that LBP-TOP has on CASME II.
Different: the input and the choice of C, as for LBP-TOP (:mod:`lfdtcmen.baselines.lbp_top`); no Wiener filter and no
Gaussian pyramid before.
"""

import numpy as np

from lfdtcmen.baselines.baseline import Baseline
from lfdtcmen.baselines.hand_crafted import predict_by_clips
from lfdtcmen.baselines.lbp_top import RADII, block_histograms, check_length
from lfdtcmen.datasets.pairs import PairSet


def six_points(clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pattern in the frame (0 to 15) and in time (0 to 3) of each voxel of a clip [T, H, W].

    Bits of the first, from the lowest: right, above, left, below; of the second: after, before. Voxels closer to a
    border than a radius are left out.
    """
    clip = np.asarray(clip, np.int64)
    t, y, x = RADII
    centre = clip[t:-t, y:-y, x:-x]
    right, above = clip[t:-t, y:-y, 2 * x :], clip[t:-t, : -2 * y, x:-x]
    left, below = clip[t:-t, y:-y, : -2 * x], clip[t:-t, 2 * y :, x:-x]
    after, before = clip[2 * t :, y:-y, x:-x], clip[: -2 * t, y:-y, x:-x]
    in_frame = sum((value >= centre).astype(np.int64) << bit for bit, value in enumerate((right, above, left, below)))
    in_time = sum((value >= centre).astype(np.int64) << bit for bit, value in enumerate((after, before)))
    return np.asarray(in_frame), np.asarray(in_time)


def describe_clip(clip: np.ndarray) -> np.ndarray:
    """Return the features of a clip [T, H, W], float64 [25 * (16 + 4)].

    Raises
    ------
    DataError
        Fewer than nine frames.
    """
    check_length(clip, RADII[0], "LBP-SIP")
    in_frame, in_time = six_points(clip)
    return np.concatenate([block_histograms(in_frame, 16), block_histograms(in_time, 4)])


def predict(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Return probabilities for ``test``, float64 [N_test, C]; the pairs have clips."""
    return predict_by_clips(describe_clip, train, test, seed)


lbp_sip = Baseline("lbp-sip", predict, needs_clips=True, source="Wang et al., 2014, doi:10.1007/978-3-319-16865-4_34")
