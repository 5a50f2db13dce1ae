"""Synthetic faces among the training pairs: who they are, how much they count, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from lfdtcmen import DataError, load_config
from lfdtcmen.baselines import Baseline
from lfdtcmen.baselines.simple import linear_svm, majority
from lfdtcmen.beyond.imbalance import emotion_loss_of
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.datasets import mixing
from lfdtcmen.datasets.mixing import ADDED, added_faces, channel_rms, mix, split_added
from lfdtcmen.datasets.people import digest_people, name_people
from lfdtcmen.evaluation.audit import audit_fit_predict
from lfdtcmen.evaluation.mixed_training import MixedTraining
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.losses.emotion_loss import emotion
from lfdtcmen.training import build_model
from lfdtcmen.training.checkpoint import describe
from lfdtcmen.training.stages import StageTask
from tests.training.helpers import make_pairs


def faces(count: int = 6, seed: int = 1, data_seed: int = mixing.ADDED_SEED):
    """Pairs that say that they are synthetic, with motion twice as large."""
    pairs = make_pairs(count, subjects=2, seed=seed)
    people = [f"synthetic/s{k % 2:03d}" for k in range(count)]
    manifest = pd.DataFrame({"dataset": "synthetic", "subject": people, "clip": range(count), "seed": data_seed})
    return replace(pairs, manifest=manifest.assign(preset="standard"), streams=2 * pairs.streams)


def test_each_real_pair_comes_several_times_and_an_added_one_once_with_its_weight():
    real, added = make_pairs(8), faces()
    mixed = mix(real, added, 0.3, 3)
    assert len(mixed) == 3 * 8 + 6
    np.testing.assert_array_equal(mixed.weights, np.float32([1] * 24 + [0.3] * 6))
    assert set(mixed.subjects) == {"s0", "s1", "s2", "synthetic/s000@7000", "synthetic/s001@7000"}
    np.testing.assert_array_equal(mixed.streams[:8], real.streams)
    np.testing.assert_allclose(channel_rms(mixed.streams[24:]), channel_rms(real.streams), rtol=1e-5)
    own, back = split_added(mixed)
    assert own.labels.tolist() == real.labels.tolist() and (back.manifest["part"] == ADDED).all() and len(back) == 6
    assert split_added(real) == (real, None)
    assert mixed.fingerprint != mix(real, added, 0.4, 3).fingerprint
    assert replace(real, weights=None).fingerprint == real.fingerprint


def test_people_of_two_seeds_are_two_people_and_one_person_in_both_sets_is_refused():
    one, other = faces(data_seed=0), faces(data_seed=1)
    assert not {*digest_people(one.manifest)} & {*digest_people(other.manifest)}
    assert name_people(make_pairs().manifest)[0] == "s0"
    with pytest.raises(DataError, match=r"2 subjects are both trained on and tested \(synthetic/s000@0, "):
        mix(one, faces(seed=5, data_seed=0), 0.3, 3)
    mixed = MixedTraining(linear_svm, faces(data_seed=0), 0.3, 1)
    with pytest.raises(DataError, match="both trained on and tested"):
        mixed(make_pairs(), one, 0)
    with pytest.raises(DataError, match="both trained on and tested"):
        mixed.prepare(one, [], [0], 1)


def test_what_does_not_fit_is_refused():
    real, added = make_pairs(), faces()
    with pytest.raises(DataError, match="has the classes a, b, c"):
        mix(real, replace(added, label_names=("a", "b", "c")), 0.3, 3)
    with pytest.raises(DataError, match="aligned by nose"):
        mix(real, replace(added, manifest=added.manifest.assign(alignment="nose")), 0.3, 3)
    for weight, repeats in ((0, 1), (-1, 1), (float("nan"), 1), (0.3, 0)):
        with pytest.raises(DataError, match="cannot have weight"):
            mix(real, added, weight, repeats)
    with pytest.raises(DataError, match=r"do not have the classes x, y, z .*--label-map 3class or --label-map 7class"):
        added_faces(replace(real, label_names=("x", "y", "z")))
    with pytest.raises(DataError, match="weights must be float32 and above 0"):
        replace(real, weights=np.zeros(8, np.float32))


def test_added_faces_have_the_classes_and_the_alignment_of_the_data(monkeypatch):
    asked = []

    def make(preset, label_map, subjects, seed, **_):
        asked.append((preset, label_map, subjects, seed))
        return faces()

    monkeypatch.setattr(mixing, "make_dataset", make)
    monkeypatch.setattr(mixing, "prepare_pairs", lambda pairs, alignment, **_: (pairs, alignment))
    monkeypatch.setattr(mixing, "PRESETS", {"standard": {}})
    real = make_pairs()
    real = replace(real, manifest=real.manifest.assign(alignment="nose"))
    found, alignment = added_faces(real, subjects=5)
    assert alignment == "nose" and (found.manifest["preset"] == "standard").all()
    monkeypatch.setattr(mixing, "PRESETS", {"standard": {}, "wild": {}})
    added_faces(real, subjects=5)
    assert asked == [("standard", "3class", 5, 7000), ("wild", "3class", 5, 7000)]


@pytest.mark.parametrize("imbalance", [None, "class_weights", "focal", "logit_adjusted"])
def test_the_weighted_loss_is_the_one_by_hand(imbalance):
    logits, labels = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 0, 1, 2, 0])
    loss, weight = emotion_loss_of(imbalance, torch.tensor([3.0, 1.0, 1.0])), torch.tensor([1.0, 0.3, 1, 0.3, 1])
    each = torch.stack([loss(logits[k : k + 1], labels[k : k + 1]) for k in range(5)])
    if imbalance == "class_weights":
        weight_by_hand = weight * torch.tensor([5 / 9, 5 / 9, 5 / 3, 5 / 3, 5 / 9])
    else:
        weight_by_hand = weight
    assert_close(loss(logits, labels, weight=weight), (weight_by_hand * each).sum() / weight_by_hand.sum())
    assert_close(loss(logits, labels, weight=torch.ones(5)), loss(logits, labels))


def test_a_network_learns_with_the_weights_after_augmentation_too():
    mixed = mix(make_pairs(), faces(), 0.3, 1)
    config = load_config("smoke", drl=None, motion=None, epochs=(0, 1, 0), batch_sizes=(8, 14, 8))
    model = build_model(config, 3)
    task = StageTask(model, mixed, 2, config, EXTENDED, None)
    task.begin()
    (batch,) = task.batches(0)
    assert sorted(batch.weight.tolist()) == pytest.approx([0.3] * 6 + [1.0] * 8)
    total, _ = task.loss(batch)
    each = F.cross_entropy(model(batch, identity=False).logits, batch.label, reduction="none")
    assert_close(total, (each * batch.weight).sum() / batch.weight.sum())
    assert abs(total - emotion(model(batch, identity=False).logits, batch.label)) > 1e-4


def test_linear_models_take_the_weights_and_others_refuse_them():
    mixed, test = mix(make_pairs(12), faces(), 0.3, 2), make_pairs(4, seed=9)
    heavy = replace(mixed, weights=np.where(mixed.weights < 1, 30, mixed.weights).astype(np.float32))
    assert np.abs(linear_svm(mixed, test, 0) - linear_svm(heavy, test, 0)).max() > 1e-4
    few = replace(mixed, labels=np.r_[np.zeros(24, np.int64), np.ones(6, np.int64)], weights=heavy.weights[::-1].copy())
    assert majority(few, test, 0).argmax(1).tolist() == [0] * 4
    assert majority(replace(few, weights=np.float32([0.01] * 24 + [1] * 6)), test, 0).argmax(1).tolist() == [1] * 4
    with pytest.raises(DataError, match=r"plain cannot weigh its training pairs .*leave the model out"):
        Baseline("plain", majority.fit_predict)(mixed, test, 0)


def test_no_added_face_is_tested_and_the_audit_passes(tmp_path):
    real = make_pairs(24, subjects=6)
    model = MixedTraining(linear_svm, faces(), 0.3, 3)
    predictions = cross_validate(model, real, 3, [0], tmp_path / "mixed")
    assert set(predictions["subject"]) == set(real.subjects) and len(predictions) == 24
    audit_fit_predict(model, real.subset(real.subjects < "s4"), real.subset(real.subjects >= "s4"))
    with pytest.raises(DataError, match="another model"):
        cross_validate(MixedTraining(linear_svm, faces(), 0.4, 3), real, 3, [0], tmp_path / "mixed")


def test_a_checkpoint_records_what_was_added():
    mixed = mix(make_pairs(), faces(), 0.3, 3)
    about = describe(load_config("smoke", add_synthetic=0.3), 2, mixed)
    assert about["added"] == {"preset": "standard", "subjects": 2, "samples": 6, "weight": 0.3, "repeats": 3}
    assert about["data"]["subjects"] == 3 and sum(about["data"]["samples"].values()) == 8
    assert not about["data"]["synthetic"] and len(about["data"]["people"]) == 5
