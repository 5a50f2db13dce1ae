"""Encoding leaves a model as it was, an untrained copy is new and calibrated, and clips are split within subjects."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis.codes import (
    drl_of,
    encode_pairs,
    evaluation_mode,
    plant_motion,
    split_clips,
    untrained_like,
)
from lfdtcmen.datasets.pairs import PairSet


def pairs_of(count: int = 6) -> PairSet:
    frames = np.random.default_rng(0).integers(0, 256, (2, count, 32, 32, 3), dtype=np.uint8)
    manifest = pd.DataFrame({"subject": [f"toy/{k // 2}" for k in range(count)]})
    return PairSet(manifest, *frames, np.zeros(count, np.int64), ("negative", "positive"))


def test_codes_are_whole_maps_and_the_model_stays_in_its_mode():
    torch.manual_seed(0)
    model = LFDTCMEN(num_classes=2)
    model.drl.eval()
    codes = encode_pairs(model, pairs_of())
    assert list(codes) == ["mo(onset)", "id(onset)", "mo(apex)", "id(apex)"]
    assert codes["mo(apex)"].shape == (6, 256, 1, 1)
    assert list(encode_pairs(model, pairs_of(), identity=False)) == ["mo(onset)", "mo(apex)"]
    assert model.training and not model.drl.training


def test_each_part_comes_back_in_its_own_mode_after_an_error_too():
    model = nn.Sequential(nn.Dropout(), nn.Dropout())
    model[0].eval()
    with pytest.raises(ValueError), evaluation_mode(model):
        assert not model[1].training
        raise ValueError
    assert model.training and model[1].training and not model[0].training


def test_the_untrained_network_is_new_and_calibrated():
    model = LFDTCMEN(num_classes=3)
    fresh = untrained_like(model, pairs_of())
    assert not torch.equal(fresh.drl.motion_encoder.conv1[0].weight, model.drl.motion_encoder.conv1[0].weight)
    assert fresh.drl.motion_encoder.conv1[1].running_mean.abs().max() > 0
    assert model.drl.motion_encoder.conv1[1].running_mean.abs().max() == 0


def test_clips_are_split_within_each_subject():
    subjects = np.array(["a"] * 4 + ["b"] + ["c"] * 5)
    train, test = split_clips(subjects, seed=0)
    assert sorted(np.concatenate([train, test])) == [0, 1, 2, 3, 5, 6, 7, 8, 9]  # b has one clip only
    assert (subjects[train] == "a").sum() == (subjects[test] == "a").sum() == 2
    assert (subjects[train] == "c").sum() == 2 and (subjects[test] == "c").sum() == 3
    with pytest.raises(DataError, match="two clips"):
        split_clips(np.array(["a", "a", "b"]), seed=0)


def test_a_model_without_encoders_is_refused():
    with pytest.raises(DataError, match="no encoders"):
        drl_of(LFDTCMEN(num_classes=2, drl=None, motion=None))


def test_planted_motion_is_in_two_channels_as_strong_as_the_code_and_turns_with_a_mirrored_frame():
    rng = np.random.default_rng(0)
    code, motion = torch.tensor(rng.normal(0, 3, (5, 8, 2, 2))), rng.normal(size=(5, 2, 6, 6))
    planted = plant_motion(code, motion)
    assert (planted[:, 2:] == code[:, 2:]).all()
    added = (planted - code)[:, :2].numpy()
    assert added.std() == pytest.approx(code.std(correction=0).item())
    cell = motion[3, 1, :3, 3:].mean()  # of the lower component, right upper cell
    assert added[3, 1, 0, 1] / added[0, 0, 0, 0] == pytest.approx(cell / motion[0, 0, :3, :3].mean())
    turned = (plant_motion(code, motion, mirrored=True) - code)[:, :2].numpy()
    np.testing.assert_allclose(turned[:, 0], -added[:, 0, :, ::-1])
    np.testing.assert_allclose(turned[:, 1], added[:, 1, :, ::-1])
