"""Pretraining on swaps of synthetic faces."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from lfdtcmen import DataError
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.beyond.pretraining import pretrain, pretrain_each
from lfdtcmen.beyond.swap_batches import OTHER_PERSON, SwapTensors, sample_batch
from lfdtcmen.datasets.synthetic import make_counterfactuals, make_swaps
from lfdtcmen.training import LFDTCMENClassifier, build_model, stage_checkpoint
from tests.training.helpers import smaller, state


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory) -> Iterator[None]:
    """Render the swaps once for all tests, and train on small frames."""
    with pytest.MonkeyPatch.context() as patch:
        small = "lfdtcmen.beyond.pretraining.make_swaps"
        patch.setattr(small, lambda *arguments, **options: smaller(make_swaps(*arguments, **options)))
        patch.setenv("LFDTCMEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def test_pretraining_is_done_once_and_on_other_people(tmp_path, repaired, monkeypatch):
    config = replace(repaired, pretraining=4, pretraining_groups=1, change_first=0.5)
    first, second = (build_model(config, 3, EXTENDED) for _ in range(2))
    history = pretrain(first, config, tmp_path, progress=False)
    assert history[["change", "gain", "action_units", "rest"]].notna().sum().tolist() == [4, 4, 4, 2]
    monkeypatch.setattr("lfdtcmen.beyond.pretraining.sample_batch", None)  # training again would fail
    pretrain(second, config, tmp_path, progress=False)
    assert_close(state(second), state(first), rtol=0, atol=0)
    fresh = build_model(config, 3, EXTENDED).state_dict()
    learned = {name for name, value in state(first).items() if not torch.equal(value, fresh[name])}
    assert any(name.startswith("tcme.motion_branch") for name in learned)
    assert not any(name.startswith(("tcme.flow_branch", "tcme.classifier")) for name in learned)
    measured = make_counterfactuals("standard", 0, 8, 1).onset_clean
    assert not any((face == measured).all((1, 2, 3)).any() for face in make_swaps("standard", 1).onset_clean[0])


def test_pretraining_takes_the_preset_and_the_variation_of_the_config(tmp_path, repaired):
    config = replace(repaired, pretraining=1, pretraining_groups=1)
    changed = [config, replace(config, pretraining_preset="easy"), replace(config, pretraining_variation=1.0)]
    pretrain_each(changed, tmp_path, 1, EXTENDED)
    losses = [pretrain(build_model(c, 2, EXTENDED), c, tmp_path, progress=False)["change"].item() for c in changed]
    assert len(set(losses)) == 3
    assert len(list((tmp_path / "checkpoints").iterdir())) == 3


def test_pretraining_goes_on_to_the_weights_of_an_unbroken_run(tmp_path, repaired, monkeypatch):
    monkeypatch.setattr("lfdtcmen.training.loop.SAVE_EVERY", 0.0)
    config = replace(repaired, pretraining=4, pretraining_groups=1, change_first=0.5)
    whole, broken, resumed = (build_model(config, 3, EXTENDED) for _ in range(3))
    pretrain(whole, config, progress=False)
    steps = iter([True, True, False])

    def stop(*args):
        if not next(steps):
            raise KeyboardInterrupt
        return sample_batch(*args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("lfdtcmen.beyond.pretraining.sample_batch", stop)
        pretrain(broken, config, tmp_path, progress=False)
    assert len(pretrain(resumed, config, tmp_path, progress=False)) == 4
    assert_close(state(resumed), state(whole), rtol=0, atol=0)


def test_the_last_fifth_of_pretraining_normalises_as_the_finished_network_does(tmp_path, repaired, monkeypatch):
    config = replace(repaired, pretraining=5, pretraining_groups=1)
    model, seen = build_model(config, 3, EXTENDED), []
    norms = [m for m in model.drl.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    monkeypatch.setattr(
        "lfdtcmen.beyond.pretraining.gain",
        lambda moved, *_: seen.append({norm.training for norm in norms}) or moved.sum() * 0,
    )
    pretrain(model, config, progress=False)
    assert seen == [{True}] * 4 + [{False}]


def test_without_a_motion_branch_no_action_unit_is_read(tmp_path, repaired):
    config = replace(repaired, pretraining=1, pretraining_groups=1, motion="encoder")
    assert "action_units" not in pretrain(build_model(config, 3, EXTENDED), config, progress=False)


PAPERS = {"generator": "image", "bottleneck": 0, "contrast_normalised": False}
PAPERS |= {"normalised_difference": False, "fusion": "concatenate"}


@pytest.mark.parametrize("changes", [PAPERS, {"drl": "encoders"}])
def test_what_has_no_generator_or_no_extension_is_refused(repaired, changes):
    model = build_model(replace(repaired, **{"pretraining": 0, **changes}), 3, EXTENDED)
    with pytest.raises(DataError, match="only a DRL with a generator and one of our extensions"):
        pretrain(model, repaired, progress=False)


def test_training_on_own_pairs_is_another_training_with_a_checkpoint_of_its_own(tmp_path, repaired):
    config = replace(repaired, pretraining=1, pretraining_groups=1)
    losses = [
        pretrain(build_model(config, 2, EXTENDED), config, tmp_path, progress=False, other_person=share)[
            "change"
        ].item()
        for share in (OTHER_PERSON, 0.0)
    ]
    assert losses[0] != losses[1] and len(list((tmp_path / "checkpoints").iterdir())) == 2


def test_an_image_generator_learns_from_swaps_as_well(repaired):
    config = replace(repaired, generator="image", pretraining=8, pretraining_groups=1, change_first=0.0)
    history = pretrain(build_model(config, 3, EXTENDED), config, progress=False)
    assert history["change"].iloc[-1] < 0.75 * history["change"].iloc[0]  # it begins to draw the face


def test_a_row_of_swaps_is_one_motion_on_two_people(tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))
    drawn, cached = make_swaps("easy", 1), make_swaps("easy", 1)
    for name, value in vars(drawn).items():
        np.testing.assert_array_equal(value, getattr(cached, name))
    count = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1, 1, 1)  # each apex tells its person and its motion
    told = replace(drawn, **{name: np.broadcast_to(count, (1, 8, 8, 4, 4, 3)) for name in ("apex", "apex_clean")})
    told = replace(told, **{n: np.broadcast_to(count[:, :, 0], (1, 8, 4, 4, 3)) for n in ("onset", "onset_clean")})
    units = np.zeros((1, 8, 17, 2), np.float32)
    units[0, :, 0] = np.arange(8)[:, None] + [0, 0.5]  # and each intensity its motion and its side
    told = SwapTensors(replace(told, action_units=units), torch.device("cpu"))
    batch = sample_batch(told, 200, 0, np.random.default_rng(0))
    identity, clean, motion = (
        (frames * 255).round().long().amax((1, 2, 3)).view(2, -1)
        for frames in (batch.identity, batch.clean, batch.motion)
    )
    driving = motion[:, :200]
    assert torch.equal(identity, clean)
    assert torch.equal(identity[1] % 8, driving[1] % 8)  # one motion
    assert torch.equal(identity[0] // 8, identity[1] // 8) and torch.equal(motion[0] // 8, motion[1] // 8)
    assert (identity[0] != driving[0]).float().mean().item() == pytest.approx(0.8, abs=0.1)
    assert torch.equal(batch.action_units[:, 0].amin(1).long(), motion[1] % 8)
    left = batch.action_units[:, 0, 0] % 1 == 0
    assert left.float().mean().item() == pytest.approx(0.5, abs=0.1)  # the others are mirrored
    own = sample_batch(told, 50, 0, np.random.default_rng(0), other_person=0.0)
    assert torch.equal(own.identity, own.motion[torch.cat([torch.arange(50), 100 + torch.arange(50)])])


def test_a_pretrained_stage_1_begins_where_pretraining_ended(tmp_path, pairs, repaired):
    config = replace(repaired, pretraining=2, pretraining_groups=1, epochs=(0, 0, 0))
    model, _ = stage_checkpoint(1, config, pairs, tmp_path, progress=False, method=EXTENDED)
    other = build_model(config, 3, EXTENDED)
    pretrain(other, config, tmp_path, progress=False)
    assert_close(state(model), state(other), rtol=0, atol=0)


def test_with_a_shared_stage_1_the_motion_branch_is_pretrained_too(tmp_path, pairs, repaired, monkeypatch):
    config = replace(repaired, pretraining=2, pretraining_groups=1, epochs=(0, 1, 0))
    begun = []
    monkeypatch.setattr(
        "lfdtcmen.training.classifier.train_stage",
        lambda model, *args, **kwargs: begun.append(state(model)) or pd.DataFrame(),
    )
    subjects = sorted(set(pairs.subjects))
    test = pairs.subjects == subjects[0]
    shared = LFDTCMENClassifier(config, tmp_path, 2, {s: int(s != subjects[0]) for s in subjects}, method=EXTENDED)
    shared.prepare(pairs, [(np.flatnonzero(~test), np.flatnonzero(test))], [5])
    shared(pairs.subset(~test), pairs.subset(test), seed=5)
    other = build_model(config, 3, EXTENDED)
    pretrain(other, config, tmp_path, progress=False)
    for name, value in state(other.tcme.motion_branch).items():
        assert_close(begun[-1][f"tcme.motion_branch.{name}"], value, rtol=0, atol=0)
