"""Figures on measuring disentanglement: projections, squares of cosines, shares that add up, codes with colours."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.viz import measuring
from tests.viz.figures import RNG, check_figure, image, titles

SHARES = pd.DataFrame({"motion": [0.3, 0.2], "face": [0.7, 0.5], "driver": [0.0, 0.3]}, index=["truth", "network"])


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_every_figure_has_its_panels_and_is_made_without_pyplot():
    check_figure(measuring.gain_vectors([2, 1], {"half": np.array([1, 0.5])}), 1, 0, "change of the first pixel")
    square = RNG.uniform(-1, 1, (3, 3))
    check_figure(measuring.motions_alike({"truth": square, "network": square}, "abc"), 3, 2, "true change of")
    check_figure(measuring.whose_change(SHARES), 1, 0, "share of the squared change")
    codes = RNG.normal(size=(30, 2))
    check_figure(measuring.rotated_codes({"one": codes, "other": codes}, codes[:, 0]), 3, 0, "first number")


def test_a_gain_is_where_the_projection_ends():
    figure = measuring.gain_vectors([2, 1], {"half": [1, 0.5], "beside": [1, 3], "back": [-2, -1]})
    assert legend(figure) == ["true change", "half: gain 0.50", "beside: gain 1.00", "back: gain -1.00"]
    feet = [line.get_xydata()[0] for line in figure.axes[0].lines if line.get_marker() == "o"]
    np.testing.assert_allclose(feet, [[2, 1], [1, 0.5], [2, 1], [-2, -1]])
    for true, change in (([0, 0], [1, 1]), ([2, 1], [1, 2, 3])):
        with pytest.raises(DataError, match="two numbers"):
            measuring.gain_vectors(true, {"a": change})


def test_cosines_have_one_scale_from_minus_1_to_1():
    square = np.array([[1.0, 0.2], [0.2, 1.0]])
    figure = measuring.motions_alike({"truth": square, "network": 0.1 * square}, ["smile", "frown"])
    assert titles(figure.axes[:2]) == ["truth", "network"]
    assert [ax.images[0].get_clim() for ax in figure.axes[:2]] == [(-1, 1)] * 2
    np.testing.assert_allclose(image(figure.axes[1]), 0.1 * square)
    with pytest.raises(DataError, match="not 3 x 3"):
        measuring.motions_alike({"truth": square}, "abc")


def test_the_parts_of_a_bar_follow_each_other_and_tell_their_share():
    ax = measuring.whose_change(SHARES).axes[0]
    assert [bar.get_x() for bar in ax.patches] == pytest.approx([0, 0, 0.3, 0.2, 1, 0.7])
    assert sorted(text.get_text() for text in ax.texts) == ["20%", "30%", "30%", "50%", "70%"]
    for wrong in (SHARES - 0.1, SHARES.assign(driver=0.5)):
        with pytest.raises(DataError, match="add up to 1"):
            measuring.whose_change(wrong)


def test_colours_tell_who_it_is():
    codes = RNG.normal(size=(30, 2))
    figure = measuring.rotated_codes({"one": codes, "other": codes[:, ::-1]}, codes[:, 0])
    (cloud,) = (collection for collection in figure.axes[1].collections if len(collection.get_offsets()) == 30)
    np.testing.assert_allclose(cloud.get_array(), codes[:, 0])
    np.testing.assert_allclose(cloud.get_offsets(), codes[:, ::-1])
