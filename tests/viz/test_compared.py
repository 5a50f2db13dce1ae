"""Figures of the compared methods: what they show is what they are given."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.viz import compared
from tests.viz.figures import RNG, check_figure

CLIP = RNG.integers(0, 256, (11, 20, 24))
SHARES = {name: np.full(59, 1 / 59) for name in ("y-x", "t-x", "t-y")}
FACE = RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)
REGIONS = np.repeat(np.arange(4), 8)[:, None] * np.ones((1, 32), int)  # 1 to 3, and 0
TABLE = pd.DataFrame(
    {"model": ["a", "b", "c"], "family": ["x", "y", "x"], "parameters": [1e3, 1e5, 1e7]}
    | {"value": [0.5, 0.6, 0.7], "low": [0.4, 0.5, 0.6], "high": [0.6, 0.7, 0.8]}
)


def histograms() -> pd.DataFrame:
    shares = {"counted": np.full(8, 1 / 8), "weighted": np.full(8, 1 / 8)}
    return pd.DataFrame(shares, np.arange(8) * 45.0)


def flow_descriptions():
    motions = np.array([[1.0, 0], [0, 2.0], [-1.0, 0]])
    return compared.flow_descriptions(FACE, REGIONS, motions, np.eye(8)[::-1] * np.arange(1, 9), histograms())


def patch_views():
    corners = np.array([[4, 2], [10, 2], [6, 14], [12, 14]])
    strains = RNG.random((2, 28, 28))
    return compared.patch_views(strains[0], corners, 14, strains[1], 7, FACE, RNG.normal(size=(8, 8)))


def test_every_figure_has_its_panels_and_is_made_without_pyplot():
    check_figure(compared.three_planes(CLIP, (5, 3, 7), SHARES), 6, 3, "t-x")
    check_figure(flow_descriptions(), 4, 2, "share")
    check_figure(patch_views(), 4, 4, "its 16 tokens")
    check_figure(compared.score_by_size(TABLE, {"line": 0.55}), 1, 0, "parameters")


def test_the_planes_cross_where_they_should():
    axes = compared.three_planes(CLIP, (5, 3, 7), SHARES).axes
    for ax, cut in zip(axes[:3], (CLIP[5], CLIP[:, 3], CLIP[:, :, 7]), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), cut)
    assert [ax.lines[0].get_ydata()[0] for ax in axes[:3]] == [3, 5, 5]
    with pytest.raises(DataError, match="2 histograms for three planes"):
        compared.three_planes(CLIP, (5, 3, 7), {"y-x": SHARES["y-x"], "t-x": SHARES["t-x"]})


def test_the_cross_marks_the_heaviest_block_and_arrows_turn_with_their_angle():
    axes = flow_descriptions().axes
    assert (axes[1].lines[0].get_xdata()[0], axes[1].lines[0].get_ydata()[0]) == (7, 0)
    # down, in an image, is 90 degrees from x to y; text turns the other way
    assert [label.get_rotation() for label in axes[2].get_xticklabels()][:3] == [0, 315, 270]


def test_a_family_has_one_mark_and_all_its_networks():
    ax = compared.score_by_size(TABLE, {"line": 0.55}).axes[0]
    marks = {line.get_label(): line for line in ax.lines}
    assert marks["x"].get_xdata().tolist() == [1e3, 1e7] and marks["y"].get_ydata().tolist() == [0.6]
    assert marks["x"].get_marker() != marks["y"].get_marker()
    with pytest.raises(DataError, match="0 families"):
        compared.score_by_size(TABLE.iloc[:0], {})
