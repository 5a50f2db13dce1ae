"""Bi-WOOF and an SVM: bi-weighted oriented optical flow between onset and apex (Liong, See, Wong and Phan, 2018).

*Signal Processing: Image Communication* 62, 82-92, doi:10.1016/j.image.2017.11.006. The frame is cut into blocks. In
each, the flow vectors are counted by direction, each with its length (the local weight); the histogram is then
multiplied by the block's mean optical strain (the global weight).

As published: onset and apex only, TV-L1 flow, eight directions from -pi to pi, both weights, a linear SVM. Different: C
is chosen inside the training subjects (published: 10,000); the apex is the annotated one. Assumed: 8 x 8 blocks, as the
publication varies them with the data set.
"""

import numpy as np

from lfdtcmen.baselines.baseline import Baseline
from lfdtcmen.baselines.hand_crafted import describe_each, flow_of, predict_by_svm, split_blocks
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.preprocessing.flow import strain

BLOCKS = 8
DIRECTIONS = 8


def describe_flow(flow: np.ndarray) -> np.ndarray:
    """Return the features of a flow [2, H, W], x then y: float64 [64 * 8], block by block."""
    length = np.hypot(flow[0], flow[1])
    turn = (np.arctan2(flow[1], flow[0]) + np.pi) / (2 * np.pi)  # 0 to 1, from the direction -pi on
    direction = (turn * DIRECTIONS).astype(int).clip(0, DIRECTIONS - 1)
    features = []
    for of_block in split_blocks(np.stack([direction, length, strain(flow)]), BLOCKS):
        directions, lengths, strains = of_block.reshape(3, -1)
        local = np.bincount(directions.astype(int), weights=lengths, minlength=DIRECTIONS)
        features.append(local * strains.mean())
    return np.concatenate(features)


def describe_pairs(pairs: PairSet) -> np.ndarray:
    """Return the features of pairs, float32 [N, 512].

    Raises
    ------
    DataError
        The pairs have no flow.
    """
    return describe_each(flow_of(pairs, "bi-woof"), describe_flow)


def predict(train: PairSet, test: PairSet, seed: int) -> np.ndarray:
    """Return probabilities for ``test``, float64 [N_test, C]."""
    return predict_by_svm(describe_pairs(train), describe_pairs(test), train, seed)


bi_woof = Baseline("bi-woof", predict, takes_weights=True, source="Liong et al., 2018, doi:10.1016/j.image.2017.11.006")
