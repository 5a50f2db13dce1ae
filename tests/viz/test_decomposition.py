"""Figures of low rank plus sparse: one scale for all parts, changes apart from images, lines and bars as given."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.viz import decomposition
from tests.viz.figures import RNG, check_figure, titles

CLIP = RNG.random((11, 20, 20))
CHANGE = CLIP - CLIP[0]
TABLE = pd.DataFrame(
    [
        {"clip": clip, "part": part, "size": size, "gain": 0.5, "cosine": 0.9}
        for clip in ("without noise", "with noise")
        for part in ("sparse", "low rank")
        for size in (1.0, 1.0, 2.0)
    ]
)

LEAK = pd.DataFrame({"metric": ["low rank", "sparse"], "value": [0.9, 0.1], "low": [0.8, 0.0], "high": [1.0, 0.3]})


def test_every_figure_has_its_panels_and_is_made_without_pyplot():
    check_figure(decomposition.matrix_parts({"low rank": CHANGE[1], "sparse": CHANGE[2]}), 3, 2, "sparse")
    check_figure(decomposition.clip_rows({"clip": CLIP, "sparse": CHANGE}, {"onset": 0, "apex": 5}), 4, 4, "apex")
    check_figure(decomposition.kept_by_size(TABLE), 4, 0, "with noise")
    check_figure(decomposition.leak_bars(LEAK, 0.1), 1, 0, "share of clips whose person is named")
    figure = decomposition.fixed_features(CHANGE, (1, 2), 5, CHANGE[:, :10, :10])
    check_figure(figure, 3, 3, "row of the block")


def test_changes_have_one_scale_around_0_and_images_go_from_black_to_white():
    axes = decomposition.clip_rows({"clip": CLIP, "a": CHANGE, "b": 2 * CHANGE}, {"onset": 0, "apex": 5}).axes
    limits = [ax.images[0].get_clim() for ax in axes]
    assert limits[0] == limits[1] == (0, 1)
    assert len(set(limits[2:])) == 1 and limits[2][0] == -limits[2][1]
    assert titles(axes[:2]) == ["onset", "apex"]
    with pytest.raises(DataError, match="different shapes"):
        decomposition.clip_rows({"clip": CLIP, "short": CLIP[:3]}, {"onset": 0})


def test_a_line_is_the_mean_of_its_rows_and_a_bar_the_accuracy():
    table = TABLE.assign(gain=np.arange(len(TABLE)))
    line = decomposition.kept_by_size(table).axes[0].lines[0]
    assert line.get_label() == "sparse" and line.get_ydata().tolist() == [0.5, 2]
    ax = decomposition.leak_bars(LEAK, 0.2).axes[0]
    assert [bar.get_width() for bar in ax.patches] == [0.9, 0.1]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["low rank  0.90", "sparse  0.10"]
    colours = [bar.get_facecolor() for bar in decomposition.leak_bars(LEAK, 0.2, "sparse").axes[0].patches]
    assert colours[0] == ax.patches[0].get_facecolor() != colours[1]


def test_bars_of_one_network_have_one_colour_and_guessing_two_levels():
    table = pd.concat([LEAK, LEAK, LEAK]).assign(metric=["pixels", "flow", "paper: a", "paper: b", "other: a", "rest"])
    ax = decomposition.leak_bars(table, 0.2, spread=0.1).axes[0]
    pixels, flow, a, b, other, rest = (bar.get_facecolor() for bar in ax.patches)
    assert pixels == flow == rest and a == b and len({pixels, a, other}) == 3
    levels = {line.get_label(): line.get_xdata()[0] for line in ax.lines if "0." in line.get_label()}
    assert levels == {"chance level, 0.20": 0.2, "spread answers, 0.10": 0.1}


def test_the_projection_is_the_mean_of_the_rows_of_its_block():
    figure = decomposition.fixed_features(CHANGE, (1, 2), 5, CHANGE[:, :10, :10])
    np.testing.assert_allclose(figure.axes[1].images[0].get_array(), CHANGE[:, 4:8, 8:12].mean(2))
