"""Probes on codes of which it is known what they hold, compared with the disentanglement report."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis import disentanglement, probes
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.modules.drl import Codes
from tests.analysis.toys import half_faces, model_of, values


def pairs_of(subjects: int = 8, clips: int = 10) -> PairSet:
    """Faces whose left half is who it is, and in whose apex's right half one number is the emotion and the unit."""
    (onset, apex, strength), count = half_faces(subjects, clips), subjects * clips
    units = np.zeros((count, 2, 2), np.float32)
    units[:, 0, 0], units[:, 1, 0] = strength + 1, strength**2 + 0.1  # a line, and a curve
    names = np.repeat([f"toy/{s}" for s in range(subjects)], clips)
    labels = (np.abs(strength) > 0.5).astype(np.int64)  # large or small: no straight line tells
    return PairSet(pd.DataFrame({"subject": names}), onset, apex, labels, ("small", "large"), action_units=units)


class Halves(nn.Module):
    """The identity code is the left half, the motion code the right one."""

    identity_encoder = True

    def encode(self, frames, identity=True):
        left, right = (half.mean(1).flatten(1)[:, :64, None, None] for half in frames.split(16, dim=3))
        return Codes(right.expand(-1, -1, 2, 2), (), identity=left.expand(-1, -1, 2, 2) if identity else None)


class Noise(nn.Module):
    def encode(self, frames, identity=True):
        codes = torch.randn(2, len(frames), 16, 2, 2)
        return Codes(codes[0], (), identity=codes[1])


@pytest.fixture(scope="module")
def halves() -> pd.Series:
    """What is read from the codes that are known."""
    return values(probes.probe_codes(model_of(Halves()), pairs_of()))


def test_each_code_tells_what_it_holds_and_nothing_else(halves):
    table = halves
    assert (table["subject"]["id(apex)"] == 1).all()
    assert (table["subject"]["mo(apex)"] < 0.4).all() and (table["subject"]["mo(apex) - mo(onset)"] < 0.4).all()
    assert (table["action units"]["id(apex)"] < 0.1).all()
    assert (np.abs(table["emotion"]["id(apex)"] - 0.5) < 0.2).all()
    assert (table["action units"]["mo(apex)"] > 0.5).all()


def test_only_a_kernel_reads_what_is_folded(halves):
    emotion = halves["emotion"]["mo(apex)"]["mean"]
    assert emotion["kernel"] > 0.9 and emotion["linear"] < 0.7


def test_noise_tells_nothing():
    torch.manual_seed(0)
    table = probes.probe_codes(model_of(Noise()), pairs_of(subjects=8, clips=12))
    off = table["value"] - table["chance level"]
    assert (off[table["metric"] != "action units"].abs() < 0.2).all()
    assert (off[table["metric"] == "action units"] < 0.1).all()
    assert set(table.loc[table["metric"] == "subject", "chance level"].round(3)) == {0.125}
    assert set(table.loc[table["metric"] == "emotion", "chance level"]) == {0.5}


def test_linear_probes_are_those_of_the_disentanglement_report():
    torch.manual_seed(0)
    model, pairs = LFDTCMEN(num_classes=2).eval(), pairs_of(subjects=5, clips=6)
    table = values(probes.probe_codes(model, pairs))
    leak = disentanglement.identity_leak(model, pairs, model).set_index("metric")["value"]
    read = disentanglement.readability(model, pairs, model).set_index("metric")["value"]
    assert table["subject", "mo(apex)", "mean", "linear"] == leak["subject from mo(apex)"]
    assert table["subject", "mo(apex)", "all", "linear"] == leak["subject from mo(apex), all positions"]
    assert table["subject", "mo(apex) - mo(onset)", "mean", "linear"] == leak["subject from mo(apex) - mo(onset)"]
    assert table["emotion", "id(apex)", "mean", "linear"] == pytest.approx(read["emotion from id(apex)"])
    units = table["action units", "mo(apex) - mo(onset)", "all", "linear"]
    assert units == pytest.approx(read["action units from mo(apex) - mo(onset)"], abs=1e-6)


def test_what_a_network_or_the_data_lack_is_left_out():
    model = LFDTCMEN(num_classes=2, drl="motion", flow=None).eval()
    table = probes.probe_codes(model, replace(pairs_of(subjects=4, clips=4), action_units=None))
    assert set(table["part"]) == {"mo(apex)", "mo(apex) - mo(onset)"}
    assert set(table["metric"]) == {"subject", "emotion"}


def test_what_cannot_be_probed_is_refused():
    with pytest.raises(DataError, match="two clips"):
        probes.probe_codes(model_of(Halves()), pairs_of(subjects=4, clips=1))


def test_linear_reading_finds_what_is_mixed_in_and_nothing_else():
    rng, people = np.random.default_rng(0), np.repeat(np.arange(12), 10)
    truth = rng.standard_normal(120)
    mixed = np.stack([truth, rng.standard_normal(120)], axis=1) @ rng.standard_normal((2, 300))
    read = probes.linear_reading("where", mixed.reshape(120, 3, 10, 10), truth, people)
    assert (read.name, read.reference) == ("where", 0.0) and read.low < read.value < read.high and read.value > 0.9
    nothing = probes.linear_reading("where", rng.standard_normal((120, 300)), truth, people)
    assert nothing.value < 0.05
    shifted = probes.linear_reading("where", people[:, None] * np.ones(3), truth + 100.0 * (people > 7), people)
    assert shifted.value < 1  # a bias of the reading counts as an error, too


def test_shuffled_subjects_are_hit_as_often_as_the_shares_of_answers_and_truth_say():
    subjects = np.array(list("aaaabbc"))
    predicted = np.array(list("abbbbba"))  # a: 2/7, b: 5/7; of 4/7 a, 2/7 b, 1/7 c
    expected = (2 * 4 + 5 * 2) / 49
    assert probes.shuffled_accuracy(predicted, subjects) == pytest.approx(expected)
    rng = np.random.default_rng(0)
    found = np.mean([(predicted == rng.permutation(subjects)).mean() for _ in range(4000)])
    assert found == pytest.approx(expected, abs=0.01)
    assert probes.shuffled_accuracy(np.array(list("aaaa")), subjects) == probes.subject_chance_level(subjects)


def test_the_shuffled_level_of_a_probe_that_spreads_its_answers_is_below_the_chance_level():
    torch.manual_seed(0)
    pairs = pairs_of(subjects=12, clips=10)
    pairs = pairs.subset(np.r_[0:15, 20:120:2])  # one subject has twice as many clips as the others
    table = probes.probe_codes(model_of(Noise()), pairs)
    subject = table[table["metric"] == "subject"]
    linear = subject[(subject["probe"] == "linear") & (subject["positions"] == "all")]
    assert (linear["shuffled level"] < linear["chance level"]).all()
    others = table[table["metric"] != "subject"]
    assert (others["shuffled level"] == others["chance level"]).all()


def test_a_single_unit_is_read_like_several():
    pairs = pairs_of()
    codes = pairs.action_units[:, 0, :1] + 0.01 * np.random.default_rng(0).standard_normal((80, 3))
    one = replace(pairs, action_units=pairs.action_units[:, :1])
    errors = probes.action_unit_errors(codes, one)
    assert errors.shape == (80, 2) and probes.explained(errors.sum(0)) > 0.95
    both = probes.action_unit_errors(codes, replace(pairs, action_units=np.repeat(one.action_units, 2, axis=1)))
    np.testing.assert_allclose(2 * errors, both, rtol=1e-4)
