"""Figures on repairing disentanglement: curves, fields, runs of variants, the two by two."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.viz import repairing
from tests.viz.figures import RNG, check_figure, image, titles

GAIN = {"gain": "motion gain"}


def test_a_long_training_has_a_panel_for_each_measure_with_its_line():
    rows = [(m, e, v, v - 0.1, v + 0.1) for m in repairing.LONG for e, v in ((9, 0.2), (1, 3.0))]
    table = pd.DataFrame(rows, columns=["metric", "epoch", "value", "low", "high"])
    figure = repairing.long_training(table)
    check_figure(figure, 2, 0, "motion gain across people")
    curve, line = figure.axes[0].lines[0], figure.axes[0].lines[-1]
    np.testing.assert_allclose(curve.get_xydata(), [[1, 3.0], [9, 0.2]])
    assert set(line.get_ydata()) == {1} and line.get_label() == "a copy"
    with pytest.raises(DataError, match="no rows of 'motion gain"):
        repairing.long_training(table[table["metric"].ne(repairing.GAIN)])


def test_skin_moves_against_the_field_and_both_changes_have_one_scale():
    change, field = RNG.normal(size=(3, 16, 16)), RNG.normal(size=(3, 8, 8))
    figure = repairing.field_parts(RNG.random((3, 16, 16)), field, 3 * change, change)
    check_figure(figure, 5 + 3, 5, "shift")
    assert titles(figure.axes[:5]) == ["at rest", "shift", "brightness", "generated change", "true change"]
    assert figure.axes[3].images[0].get_clim() == figure.axes[4].images[0].get_clim()
    np.testing.assert_allclose(image(figure.axes[1]), 4 * np.hypot(*field[:2]))
    np.testing.assert_allclose(image(figure.axes[2]), 20 * np.tanh(field[2]))  # percent
    field[:2] = [[[1.0]], [[0.0]]]  # fetched from the right
    (arrows,) = repairing.field_parts(RNG.random((3, 16, 16)), field, change, change).axes[1].collections
    assert (arrows.U < 0).all()


def test_each_run_of_a_variant_is_a_dot_and_their_mean_another():
    table = pd.DataFrame({"model": ["a", "a", "b"], "metric": "gain", "value": [0.1, 0.3, 0.5]})
    figure = repairing.runs_by_variant(table, {"b": "second", "a": "first"}, GAIN)
    check_figure(figure, 1, 0, "motion gain")
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["second", "first"]
    means = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(means, [[0.5, 0], [0.2, 1]])
    np.testing.assert_allclose(sorted(ax.lines[2].get_xdata()), [0.1, 0.3])
    with pytest.raises(DataError, match="no rows of 'c', 'gain'"):
        repairing.runs_by_variant(table, {"c": "third"}, GAIN)


def test_a_generator_is_a_line_through_the_means_of_its_seeds():
    cells = [(g, s, seed) for g in ("image", "warp") for s in ("own pairs", "swaps") for seed in (0, 1)]
    table = pd.DataFrame(cells, columns=["generator", "supervision", "seed"]).assign(metric="gain")
    table["value"] = [0.0, 0.2, 0.1, 0.3, 0.5, 0.7, 0.8, 1.0]
    figure = repairing.two_by_two(table, GAIN)
    check_figure(figure, 1, 0, "motion gain")
    ax = figure.axes[0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["image generator", "warp generator"]
    lines = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_label().endswith("generator")]
    np.testing.assert_allclose([line.get_ydata() for line in lines], [[0.1, 0.2], [0.6, 0.9]])
    dots = [line.get_ydata().tolist() for line in ax.lines if line.get_marker() == "s"]
    assert dots == [[0.5, 0.7], [0.8, 1.0]]
    with pytest.raises(DataError, match="a combination of 'warp'"):
        repairing.two_by_two(table[table["generator"].eq("image")], GAIN)
