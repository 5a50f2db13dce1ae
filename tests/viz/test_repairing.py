"""Figures on repairing disentanglement: curves, fields, runs of variants, what they recognise."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.viz import repairing
from tests.viz.figures import RNG, check_figure, image, titles

GAIN = {"gain": "motion gain"}


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
    table = pd.DataFrame({"model": ["a", "a", "b"], "metric": "gain", "value": [0.1, 0.3, 0.5], "reference": 0.15})
    figure = repairing.runs_by_variant(table, {"b": "second", "a": "first"}, GAIN, "a")
    check_figure(figure, 1, 0, "motion gain")
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["second", "first"]
    means = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(means, [[0.5, 0], [0.2, 1]])
    np.testing.assert_allclose(sorted(ax.lines[2].get_xdata()), [0.1, 0.3])
    lines = {line.get_label(): line.get_xdata() for line in ax.lines}
    np.testing.assert_allclose(lines["mean of first"], 0.2)
    np.testing.assert_allclose(lines["nothing moves, or chance level"], 0.15)
    with pytest.raises(DataError, match="no rows of 'c', 'gain'"):
        repairing.runs_by_variant(table, {"c": "third"}, GAIN, "c")


def test_action_units_alone_come_by_their_gain_after_all_of_them():
    gains = {"all": 0.5, "AU1": 0.2, "AU12": 0.9}
    rows = [("action units", "motion gain", part, gain + seed) for part, gain in gains.items() for seed in (0, 0.1)]
    rows += [("motions", "motion gain", "all", 7.0), ("action units", "motion cosine", "AU1", 7.0)]
    table = pd.DataFrame(rows, columns=["set", "metric", "part", "value"]).assign(reference=1.0)
    ax = repairing.unit_gains(table).axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["all pooled", "lip corner puller (AU 12)", "inner brow raiser (AU 1)"]
    means = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(means, [[0.55, 0], [0.95, 1], [0.25, 2]])
    assert [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"] == [0]  # not the reference, 1
    with pytest.raises(DataError, match="no action units"):
        repairing.unit_gains(table.query("set == 'motions'"))
