"""Probes downstream: on toy faces it is known what each feature holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis import downstream, probes
from lfdtcmen.analysis.downstream import (
    BRANCH_OUTPUT,
    IDENTITY_DIFFERENCE,
    MOTION_DIFFERENCE,
    ONSET,
    PIXEL_CHANGE,
    STREAMS,
    TRUE_FLOW,
    TRUE_UNITS,
)
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.modules.drl import Codes
from tests.analysis.toys import half_faces, model_of, values


def pairs_of(subjects: int = 8, clips: int = 10) -> PairSet:
    """Faces whose left half is who it is, and whose right half changes by one number: the unit, the flow, the class."""
    (onset, apex, strength), count = half_faces(subjects, clips), subjects * clips
    units, flow = np.zeros((count, 2, 2), np.float32), np.zeros((count, 2, 32, 32), np.float32)
    units[:, 0, 0], flow[:, 1, :, 16:] = strength + 1, strength[:, None, None]
    manifest = pd.DataFrame({"subject": np.repeat([f"toy/{s}" for s in range(subjects)], clips)})
    labels = (strength > 0).astype(np.int64)
    return PairSet(manifest, onset, apex, labels, ("down", "up"), action_units=units, true_flow=flow)


class Halves(nn.Module):
    """The identity code is the left half, the motion code is the right one and, times ``leak``, the left one."""

    identity_encoder = True

    def __init__(self, leak: float = 0.0):
        super().__init__()
        self.leak = leak

    def encode(self, frames, identity=True):
        left, right = (half.mean(1).flatten(1)[:, :64, None, None].expand(-1, -1, 2, 2) for half in halves_of(frames))
        moved = ((right - 100 / 255).abs().mean((1, 2, 3), keepdim=True) > 0.002).float()
        return Codes(right + self.leak * moved * left, (), identity=left if identity else None)


def halves_of(frames):
    return frames.split(16, dim=3)


def test_the_difference_of_codes_holds_the_motion_and_nobody():
    table = downstream.probe_downstream(model_of(Halves()), pairs_of())
    found = values(table)
    assert set(table["part"]) == {MOTION_DIFFERENCE, IDENTITY_DIFFERENCE}  # there is no motion branch
    assert (found["action units"][MOTION_DIFFERENCE] > 0.8).all()
    assert (found["action units"][IDENTITY_DIFFERENCE].abs() < 0.05).all()
    assert (found["subject"][MOTION_DIFFERENCE] < 0.3).all()
    assert set(table["positions"]) == {"mean", "all"} and set(table["probe"]) == {"linear", "kernel"}


def test_identity_in_the_difference_is_found_by_both_probes():
    found = values(downstream.probe_downstream(model_of(Halves(leak=1.0)), pairs_of()))
    assert (found["subject"][MOTION_DIFFERENCE] > 0.7).all()


def test_the_difference_is_probed_as_in_the_table_of_all_codes():
    torch.manual_seed(0)
    model, pairs = LFDTCMEN(num_classes=2).eval(), pairs_of(subjects=5, clips=6)
    ours = downstream.probe_downstream(model, pairs, seed=1)
    theirs = probes.probe_codes(model, pairs, seed=1)
    pick = ["metric", "part", "positions", "probe", "value", "low", "high", "chance level", "shuffled level"]
    ours, theirs = (t.loc[t["part"] == MOTION_DIFFERENCE, pick].reset_index(drop=True) for t in (ours, theirs))
    pd.testing.assert_frame_equal(ours, theirs)


def test_the_output_of_the_motion_branch_is_that_of_the_network_which_stays_as_it_was():
    torch.manual_seed(0)
    model = LFDTCMEN(num_classes=2)
    model.drl.eval()
    pairs = pairs_of(subjects=3, clips=3)
    pairs = replace(pairs, streams=np.zeros((9, 3, 28, 28), np.float32))
    table = downstream.probe_downstream(model, pairs)
    assert BRANCH_OUTPUT in set(table["part"]) and model.training and not model.drl.training
    model.eval()
    codes = downstream.encode_pairs(model, pairs)
    output = downstream.motion_branch_output(model, codes["mo(onset)"], codes["mo(apex)"])
    with torch.no_grad():
        expected = model(pairs.batch(range(9))).spatial.numpy()
    np.testing.assert_allclose(output, expected, atol=1e-5)
    assert downstream.motion_branch_output(LFDTCMEN(2, motion="encoder"), output, output) is None


def test_controls_find_what_is_there():
    table = downstream.probe_controls(pairs_of())
    found = values(table)
    assert set(table["part"]) == {TRUE_UNITS, TRUE_FLOW, PIXEL_CHANGE, ONSET} and set(table["positions"]) == {"all"}
    for control in (TRUE_UNITS, TRUE_FLOW, PIXEL_CHANGE):
        assert (found["action units"][control] > 0.8).all() and (found["emotion"][control] > 0.9).all()
        assert (found["subject"][control] < 0.3).all()
    assert (found["subject"][ONSET] == 1).all() and (found["action units"][ONSET] < 0.05).all()


def test_controls_that_the_pairs_lack_are_left_out():
    few = replace(pairs_of(), action_units=None, true_flow=None, streams=np.zeros((80, 3, 28, 28), np.float32))
    table = downstream.probe_controls(few)
    assert set(table["part"]) == {STREAMS, PIXEL_CHANGE, ONSET} and set(table["metric"]) == {"subject", "emotion"}


def test_a_network_without_encoders_is_refused():
    with pytest.raises(DataError, match="no encoders"):
        downstream.probe_downstream(LFDTCMEN(2, drl=None, motion=None), pairs_of())
