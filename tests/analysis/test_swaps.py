"""Swaps against the rendered truth: an oracle is right, a copier copies, and faces and drivers are not mixed up."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis import disentanglement, swaps
from lfdtcmen.modules.drl import Codes


class Cut(nn.Module):
    """In these toy faces who it is stands left, how it moves right; so swaps are exact."""

    generator = True

    def __init__(self, follows_motion: float):
        super().__init__()
        self.follows_motion = follows_motion

    def encode(self, frames, identity=True):
        return Codes(motion=frames[..., 16:], motion_skips=(), identity=frames)

    def generate(self, identity, motion, rest=None):
        still = identity.identity[..., 16:]
        moves = still + self.follows_motion * (motion.motion - still)
        return torch.cat([identity.identity[..., :16], moves], dim=3)


def model_of(follows_motion: float) -> nn.Module:
    model = nn.Module()
    model.drl = Cut(follows_motion)
    return model


def faces(people: int = 6, motions: int = 6) -> SimpleNamespace:
    rng = np.random.default_rng(1)
    onset = rng.integers(0, 256, (people, 32, 32, 3), dtype=np.uint8)
    onset[:, :, 16:] = onset[0, :, 16:]  # at rest, everyone looks alike on the right
    apex = onset[:, None].repeat(motions, axis=1)
    apex[:, :, :, 16:] = rng.integers(0, 256, (motions, 32, 16, 3))
    return SimpleNamespace(onset=onset, onset_clean=onset, apex=apex, apex_clean=apex)


def test_an_oracle_draws_the_truth_on_the_right_person():
    swapped = swaps.swap_motions(model_of(1.0), faces(), [0, 2], [1, 1], [2, 0])
    assert swapped.generated.shape == (2, 2, 3, 32, 32) and swapped.copy.shape == (2, 1, 3, 32, 32)
    np.testing.assert_allclose(swapped.generated, swapped.truth, atol=1e-6)
    np.testing.assert_allclose(swapped.change, swapped.true_change, atol=1e-6)
    expected = faces().apex[2, 0].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(swapped.truth[1, 1], expected, atol=1e-6)
    np.testing.assert_allclose(swapped.copy[0, 0], faces().onset[0].transpose(2, 0, 1) / 255, atol=1e-6)


def test_errors_of_an_oracle_a_copier_and_one_that_goes_half_way():
    for follows, expected in ((1.0, 0.0), (0.5, 0.25), (0.0, 1.0)):
        table = swaps.swap_errors(model_of(follows), faces())
        assert table["part"].tolist() == ["0", "1", "2", "3", "4", "5", "all"]
        assert table["value"].to_numpy() == pytest.approx(expected, abs=1e-5)
        assert table["error"].to_numpy() == pytest.approx(np.sqrt(expected) * table["copy error"].to_numpy(), abs=0.1)
        assert (table["low"] <= table["value"] + 1e-9).all() and (table["copy error"] > 1).all()


def test_over_all_people_it_is_the_measure_of_the_disentanglement_report():
    torch.manual_seed(0)
    model = LFDTCMEN(num_classes=3).eval()
    every = swaps.swap_errors(model, faces()).iloc[-1]
    report = disentanglement.cross_identity_gain(model, faces()).set_index("metric")
    expected = report.loc["change error relative to copying, across identities", ["value", "low", "high"]]
    assert every[["value", "low", "high"]].tolist() == pytest.approx(expected.tolist())


def test_what_cannot_be_swapped_is_refused():
    with pytest.raises(DataError, match="no generator"):
        swaps.swap_motions(LFDTCMEN(num_classes=3, drl="motion"), faces(), [0], [1], [0])
    with pytest.raises(DataError, match="1 people and 2 drivers"):
        swaps.swap_motions(model_of(1.0), faces(), [0], [1, 2], [0])
    with pytest.raises(DataError, match="no such identity"):
        swaps.swap_motions(model_of(1.0), faces(), [0], [6], [0])
    with pytest.raises(DataError, match="no such motion"):
        swaps.swap_motions(model_of(1.0), faces(), [0], [1], [-1])
    with pytest.raises(DataError, match="two identities"):
        swaps.swap_errors(model_of(1.0), faces(people=1))


@pytest.mark.parametrize("counts", [(9, 1), (1, 9), (3, 3), (2, 5, 1)])
def test_another_persons_apex_is_never_ones_own(counts):
    subjects = np.repeat(np.arange(len(counts)).astype(str), counts)
    other = swaps._of_another(subjects)
    assert (subjects[other] != subjects).all()
    with pytest.raises(DataError, match="only one subject"):
        swaps._of_another(subjects[:1])
