"""LBP-TOP and an SVM: local binary patterns from three orthogonal planes (Zhao and Pietikäinen, 2007).

*IEEE Transactions on Pattern Analysis and Machine Intelligence* 29(6), 915-928, doi:10.1109/TPAMI.2007.1110; for
micro-expressions Pfister et al. (ICCV 2011, doi:10.1109/ICCV.2011.6126401) and, with the values used here, Yan et al.
(CASME II, PLoS ONE 2014, doi:10.1371/journal.pone.0086041).

A clip is a volume of grey values. At each voxel, eight neighbours on an ellipse in the plane x-y, and likewise in x-t
and in y-t, are compared with the voxel itself: eight bits, of which the 58 patterns with at most two changes around the
ellipse have a bin each and all others share one. Histograms of 5 x 5 blocks and three planes make 4,425 features.

As published: radii 1, 1 and 4 (x, y, t), 8 neighbours, uniform patterns, 5 x 5 blocks. Different: faces of 64 x 64
pixels that are cropped by five landmarks, not by 68; 11 frames from onset to offset instead of all frames or of ten
that a temporal interpolation makes; C is chosen inside the training subjects.
"""

import numpy as np

from lfdtcmen.baselines.baseline import Baseline
from lfdtcmen.baselines.hand_crafted import predict_by_clips, split_blocks
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError

RADII = (4, 1, 1)  # t, y, x
BLOCKS = 5
NEIGHBOURS = 8
PLANES = ((1, 2), (0, 2), (0, 1))  # axes of a volume [T, H, W]: y-x, t-x, t-y
ROUNDING = 1e-4  # grey levels by which an interpolated neighbour may be below an equal centre


def number_patterns(neighbours: int = NEIGHBOURS) -> np.ndarray:
    """Return the bin of each binary pattern, int64 [2^neighbours]: uniform ones in order, all others in the last."""
    codes = np.arange(2**neighbours)
    bits = codes[:, None] >> np.arange(neighbours) & 1  # [codes, neighbours]
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(1) <= 2
    return np.where(uniform, uniform.cumsum() - 1, uniform.sum())


BINS = number_patterns()
NUM_BINS = int(BINS.max()) + 1  # 59


def binary_patterns(volume: np.ndarray, axes: tuple[int, int], radii: tuple[int, int, int] = RADII) -> np.ndarray:
    """Return the pattern of each voxel in one plane.

    Neighbour ``p`` lies at the angle ``2 pi p / 8``, which runs from the plane's second axis against its first; between
    voxels it is interpolated bilinearly. It sets bit ``p`` where it is not darker than the voxel.

    Parameters
    ----------
    volume : ndarray
        Grey values, [T, H, W].
    axes : (int, int)
        Of the plane: two of 0 (t), 1 (y) and 2 (x).
    radii : (int, int, int)
        Of the ellipse along t, y and x.

    Returns
    -------
    ndarray
        Codes 0 to 255 of all voxels that are a radius or more away from every border, int64
        [T - 2 radius_t, H - 2 radius_y, W - 2 radius_x].
    """
    volume = np.asarray(volume, np.float64)
    inner = [slice(r, n - r) for r, n in zip(radii, volume.shape, strict=True)]
    centre = volume[tuple(inner)]
    codes = np.zeros(centre.shape, np.int64)
    down, across = axes
    for p in range(NEIGHBOURS):
        angle = 2 * np.pi * p / NEIGHBOURS
        offset = {down: -radii[down] * np.sin(angle), across: radii[across] * np.cos(angle)}
        value = volume
        for axis in range(3):
            value = _shift(value, axis, radii[axis], round(offset.get(axis, 0.0), 9))
        codes += (value >= centre - ROUNDING).astype(np.int64) << p
    return codes


def _shift(volume: np.ndarray, axis: int, margin: int, offset: float) -> np.ndarray:
    """Return the values at ``offset`` from each position along an axis, without ``margin`` positions at both ends."""
    low = int(np.floor(offset))
    length = volume.shape[axis] - 2 * margin

    def at(whole: int) -> np.ndarray:
        return volume[(slice(None),) * axis + (slice(margin + whole, margin + whole + length),)]

    share = offset - low
    return at(low) if share == 0 else (1 - share) * at(low) + share * at(low + 1)


def block_histograms(codes: np.ndarray, bins: int) -> np.ndarray:
    """Return the share of each code in each block of the frame, over all frames, float64 [blocks^2 * bins]."""
    counts = [np.bincount(block.ravel(), minlength=bins) / block.size for block in split_blocks(codes, BLOCKS)]
    return np.concatenate(counts)


def check_length(clip: np.ndarray, radius: int, name: str) -> None:
    """Refuse a clip [T, H, W] in which no voxel has neighbours ``radius`` frames before and after, with a DataError."""
    if len(clip) <= 2 * radius:
        what = f"a clip of {len(clip)} frames is too short, {name} needs {2 * radius + 1}"
        raise DataError(what, "PairSet.clips", "give clips with more frames")


def describe_clip(clip: np.ndarray) -> np.ndarray:
    """Return the features of a clip [T, H, W], float64 [3 * 25 * 59].

    Raises
    ------
    DataError
        Fewer than nine frames.
    """
    check_length(clip, RADII[0], "LBP-TOP")
    return np.concatenate([block_histograms(BINS[binary_patterns(clip, axes)], NUM_BINS) for axes in PLANES])


def predict(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Return probabilities for ``test``, float64 [N_test, C]; the pairs have clips."""
    return predict_by_clips(describe_clip, train, test, seed)


lbp_top = Baseline(
    "lbp-top", predict, needs_clips=True, source="Zhao and Pietikäinen, 2007, doi:10.1109/TPAMI.2007.1110"
)
