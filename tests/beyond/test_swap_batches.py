"""Random changes of the frames in pretraining."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lfdtcmen.beyond import swap_batches
from lfdtcmen.beyond.swap_batches import SwapBatch, move, vary


@pytest.fixture
def batch():
    """Two swaps and two further pairs: smooth frames whose apexes are 1 % brighter."""
    ramp = torch.linspace(0.2, 0.6, 64).expand(4, 3, 64, 64)
    frames = torch.cat([ramp, 1.01 * ramp])
    swap = torch.cat([ramp[:2], 1.01 * ramp[:2]])
    return SwapBatch(swap, swap.clone(), frames, torch.ones(4, 17, 2))


def only(monkeypatch, **kept):
    """Switch all changes off but those given."""
    still = {"angle": 0.0, "scale": 0.0, "shift": 0.0}
    off = {"POSE": still, "REGISTRATION": still}
    off |= dict.fromkeys(("AMPLITUDE", "GAMMA", "LAMP", "GRADIENT", "BLURRED", "NOISE"), 0.0)
    for name, value in (off | kept).items():
        monkeypatch.setattr(swap_batches, name, value)


def test_a_larger_amplitude_is_one_of_driver_target_and_action_units(batch, monkeypatch):
    only(monkeypatch, AMPLITUDE=0.3)
    varied = vary(batch, 1.0, np.random.default_rng(0))
    assert_close(varied.identity, batch.identity)
    factor = varied.action_units[:, 0, 0]
    assert factor.std() > 0.05
    for name in ("motion", "clean"):
        onset, apex = getattr(varied, name).chunk(2)
        onset_before, apex_before = getattr(batch, name).chunk(2)
        assert_close(onset, onset_before)
        found = (apex - onset).mean((1, 2, 3)) / (apex_before - onset_before).mean((1, 2, 3))
        assert_close(found, factor[: len(found)], rtol=1e-3, atol=1e-3)


def test_the_face_moves_alike_in_driver_identity_and_target(batch, monkeypatch):
    only(monkeypatch, POSE={"angle": 0.0, "scale": 0.0, "shift": 2.0})
    varied = vary(batch, 1.0, np.random.default_rng(0))
    assert not torch.allclose(varied.identity, batch.identity)
    assert_close(varied.identity, varied.clean)
    onset, apex = varied.motion.chunk(2)
    assert_close(torch.cat([onset[:2], apex[:2]]), varied.identity)


def test_errors_of_registration_light_and_noise_are_the_drivers_alone(batch, monkeypatch):
    only(monkeypatch, REGISTRATION={"angle": 0.0, "scale": 0.0, "shift": 0.25}, LAMP=0.02, NOISE=0.02)
    varied = vary(batch, 1.0, np.random.default_rng(0))
    for name in ("identity", "clean", "action_units"):
        assert_close(getattr(varied, name), getattr(batch, name))
    assert not torch.allclose(varied.motion, batch.motion, atol=1e-3)
    assert varied.motion.min() >= 0 and varied.motion.max() <= 1


def test_a_pose_shifts_by_pixels_of_a_frame_128_wide():
    frames = torch.zeros(1, 3, 64, 64)
    frames[..., 30, 30] = 1
    shifted = move(frames, torch.tensor([[0.0, 0.0, 4.0, 0.0]]))  # 2 pixels of 64: taken from the right
    assert shifted[0, 0, 30, 28].item() == pytest.approx(1, abs=1e-4)
