"""The measures on networks of which the truth is known: an oracle, a copier, a network of noise."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis import disentanglement
from lfdtcmen.analysis.codes import untrained_like
from lfdtcmen.analysis.swaps import change_error, change_products, cosine
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.evaluation.intervals import ratio
from lfdtcmen.modules.drl import Codes

SIDE, WHO, MOVES = 32, slice(0, 16), slice(16, 32)  # in these toy faces who it is stands left, how it moves right


class ToyDRL(nn.Module):
    """A DRL without weights: it cuts toy faces where they are made of two parts, so that swaps are exact."""

    generator = True

    def __init__(self, follows_motion: bool):
        super().__init__()
        self.follows_motion = follows_motion

    def encode(self, frames, identity=True):
        return Codes(motion=frames[..., MOVES], motion_skips=(), identity=frames)

    def generate(self, identity, motion, rest=None):
        moves = motion.motion if self.follows_motion else identity.identity[..., MOVES]
        return torch.cat([identity.identity[..., WHO], moves], dim=3)


class NoiseDRL(nn.Module):
    """Codes that know nothing of the frame."""

    def encode(self, frames, identity=True):
        return Codes(motion=torch.randn(len(frames), 256, 4, 4), motion_skips=())


class RestingDRL(ToyDRL):
    """A warp generator's habit: the motion is added to the frame as its difference to where it begins."""

    def __init__(self):
        super().__init__(follows_motion=True)

    def generate(self, identity, motion, rest=None):
        moves = identity.identity[..., MOVES] + motion.motion - (rest or identity).motion
        return torch.cat([identity.identity[..., WHO], moves], dim=3)


def model_of(drl: nn.Module) -> nn.Module:
    model = nn.Module()
    model.drl = drl
    return model


ORACLE, COPIER = model_of(ToyDRL(follows_motion=True)), model_of(ToyDRL(follows_motion=False))


def toy_pairs(subjects: int = 6, clips: int = 4) -> PairSet:
    rng = np.random.default_rng(0)
    who = rng.integers(0, 256, (subjects, SIDE, SIDE, 3), dtype=np.uint8)
    onset = np.repeat(who, clips, axis=0)
    apex = onset.copy()
    apex[:, :, MOVES] = rng.integers(0, 256, (len(onset), SIDE, 16, 3))
    names = np.repeat([f"toy/{k}" for k in range(subjects)], clips)
    return PairSet(
        pd.DataFrame({"subject": names}), onset, apex, np.zeros(len(onset), np.int64), ("negative", "positive")
    )


def toy_counterfactuals(people: int = 6, motions: int = 6) -> SimpleNamespace:
    rng = np.random.default_rng(1)
    onset = rng.integers(0, 256, (people, SIDE, SIDE, 3), dtype=np.uint8)
    onset[:, :, MOVES] = onset[0, :, MOVES]  # at rest, everyone looks alike on the right
    apex = onset[:, None].repeat(motions, axis=1)
    apex[:, :, :, MOVES] = rng.integers(0, 256, (motions, SIDE, 16, 3))
    units = np.arange(motions)
    return SimpleNamespace(onset=onset, onset_clean=onset, apex=apex, apex_clean=apex, action_units=units)


def values(table: pd.DataFrame) -> pd.Series:
    return table.set_index("metric")["value"]


def test_an_oracle_gains_everything_and_a_copier_nothing():
    pairs = toy_pairs()
    oracle = values(disentanglement.motion_gain(ORACLE, pairs))
    assert oracle["motion gain"] == pytest.approx(1, abs=1e-6)
    assert oracle["motion cosine"] == pytest.approx(1, abs=1e-6)
    copier = values(disentanglement.motion_gain(COPIER, pairs))
    assert copier["motion gain"] == 0
    assert copier["motion cosine"] == 0


def test_an_oracle_makes_no_error_and_a_copier_that_of_copying():
    pairs = toy_pairs()
    assert values(disentanglement.copy_baseline(ORACLE, pairs)).tolist() == [0, 0]
    assert values(disentanglement.copy_baseline(COPIER, pairs)).tolist() == [1, 1]


def test_swaps_across_identities_are_compared_with_the_rendered_truth():
    oracle = values(disentanglement.cross_identity_gain(ORACLE, toy_counterfactuals()))
    copier = values(disentanglement.cross_identity_gain(COPIER, toy_counterfactuals()))
    for name in ("same identity", "across identities"):
        assert oracle[f"motion gain, {name}"] == pytest.approx(1, abs=1e-6)
        assert oracle[f"change error relative to copying, {name}"] == pytest.approx(0, abs=1e-6)
        assert copier[f"motion gain, {name}"] == 0
        assert copier[f"change error relative to copying, {name}"] == 1


def test_a_motion_begins_at_the_onset_of_its_driver():
    faces = toy_counterfactuals()
    faces.onset[:] = np.random.default_rng(2).integers(50, 200, faces.onset.shape)  # nobody rests alike
    faces.apex[:] = faces.onset[:, None]
    faces.apex[:, :, :, MOVES] += np.random.default_rng(3).integers(0, 50, (6, SIDE, 16, 3), dtype=np.uint8)
    table = values(disentanglement.cross_identity_gain(model_of(RestingDRL()), faces))
    assert table["motion gain, across identities"] == pytest.approx(1, abs=1e-5)


def test_photographs_are_measured_apart_as_shown_faces_and_as_drivers_of_motion():
    class BlindToTheDark(RestingDRL):
        """Reads no motion from faces whose left half is black."""

        def encode(self, frames, identity=True):
            seen = frames[..., WHO].amax((1, 2, 3), keepdim=True) > 0
            return Codes(frames[..., MOVES] * seen, (), identity=frames)

    faces = toy_counterfactuals()
    onset, apex = faces.onset[:2].copy(), faces.apex[:2].copy()
    onset[..., WHO, :], apex[..., WHO, :] = 0, 0
    units = faces.action_units
    photographs = SimpleNamespace(onset=onset, onset_clean=onset, apex=apex, apex_clean=apex, action_units=units)
    table = values(disentanglement.photograph_gain(model_of(BlindToTheDark()), photographs, faces))
    assert table["motion gain, synthetic motion on photographs"] == pytest.approx(1, abs=1e-5)
    assert table["motion cosine, synthetic motion on photographs"] == pytest.approx(1, abs=1e-5)
    assert table["change error relative to copying, synthetic motion on photographs"] == pytest.approx(0, abs=1e-5)
    assert table["motion gain, photographs' motion on synthetic faces"] == 0
    assert table["change error relative to copying, photographs' motion on synthetic faces"] == 1
    with pytest.raises(DataError, match="other motions"):
        disentanglement.photograph_gain(ORACLE, toy_counterfactuals(motions=2), faces)


def test_probes_read_what_is_there_and_only_that():
    class Telling(nn.Module):
        identity_encoder = True

        def encode(self, frames, identity=True):
            motion = frames[..., 20].flatten(1)[:, :64, None, None].expand(-1, -1, 2, 2)
            return Codes(motion, (), identity=torch.randn(len(frames), 16, 1, 1))

    torch.manual_seed(0)
    pairs = toy_pairs(subjects=10, clips=12)
    shown = (pairs.apex.astype(float) - pairs.onset)[:, :4, 20, :2] / 255  # of the first pixels that the code holds
    pairs = replace(pairs, action_units=(shown + 1).astype(np.float32), labels=np.arange(120) % 2)
    table = values(disentanglement.readability(model_of(Telling()), pairs, model_of(Telling())))
    assert table["action units from mo(apex) - mo(onset)"] > 0.9
    assert table["emotion from id(apex)"] == pytest.approx(0.5, abs=0.15)
    assert 0.1 < table["motion's share of mo"] < 0.9
    still = replace(pairs, apex=pairs.onset)
    assert (
        values(disentanglement.readability(model_of(Telling()), still, model_of(Telling())))["motion's share of mo"]
        == 0
    )
    with pytest.raises(DataError, match="two subjects"):
        disentanglement.readability(ORACLE, toy_pairs(subjects=1), ORACLE)


def test_a_generator_that_moves_half_as_much_gains_a_half():
    true = torch.randn(5, 3, 8, 8)
    products = change_products(0.5 * true, true)
    total = products.sum(0)
    assert ratio(total) == pytest.approx(0.5)
    assert cosine(total) == pytest.approx(1)
    assert change_error(total) == pytest.approx(0.25)


def test_without_camera_noise_the_ceiling_is_one():
    table = disentanglement.noise_ceiling(toy_counterfactuals())
    assert table["value"].item() == pytest.approx(1)


def test_random_codes_leak_nobody():
    torch.manual_seed(0)
    table = disentanglement.identity_leak(model_of(NoiseDRL()), toy_pairs(subjects=8, clips=60), model_of(NoiseDRL()))
    assert table["reference"].unique() == pytest.approx(1 / 8)
    assert table["value"].to_numpy() == pytest.approx(1 / 8, abs=0.08)  # 240 test clips: four standard deviations


def test_a_code_that_is_the_face_leaks_everybody():
    class Face(nn.Module):
        def encode(self, frames, identity=True):
            return Codes(motion=frames.flatten(1)[:, :256, None, None].expand(-1, -1, 4, 4), motion_skips=())

    table = disentanglement.identity_leak(model_of(Face()), toy_pairs(subjects=8, clips=6), model_of(Face()))
    assert values(table)["subject from mo(apex)"] == 1


def test_report_of_the_real_network_leaves_it_as_it_was():
    torch.manual_seed(0)
    model = LFDTCMEN(num_classes=3)
    model.drl.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    report = disentanglement.disentanglement_report(model, toy_pairs(), toy_pairs(), toy_counterfactuals())
    assert np.isfinite(report[["value", "low", "high", "reference"]]).all(axis=None)
    assert report["metric"].is_unique
    assert model.training and not model.drl.training
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_the_untrained_network_of_the_report_has_seen_training_frames_only():
    torch.manual_seed(0)
    model, test = LFDTCMEN(num_classes=3).eval(), toy_pairs()
    train = replace(test, onset=test.onset // 8, apex=test.apex // 4)  # far darker people than those of the test
    report = values(disentanglement.disentanglement_report(model, train, test))
    name = "motion's share of mo, untrained"
    of_train, of_test = (
        values(disentanglement.readability(model, test, untrained_like(model, pairs)))[name] for pairs in (train, test)
    )
    assert report[name] == of_train != pytest.approx(of_test, rel=1e-3)


def test_report_is_the_same_for_the_same_seed():
    first, second = (disentanglement.disentanglement_report(ORACLE, toy_pairs(), toy_pairs(), seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(DataError, match="no generator"):
        disentanglement.motion_gain(LFDTCMEN(num_classes=3, drl="motion"), toy_pairs())
    with pytest.raises(DataError, match="two clips"):
        disentanglement.identity_leak(ORACLE, toy_pairs(subjects=3, clips=1), ORACLE)
    with pytest.raises(DataError, match="two identities"):
        disentanglement.cross_identity_gain(ORACLE, toy_counterfactuals(people=1))
