"""The compared networks on flow: parameters as published, each can learn, and says what it lacks."""

import pickle
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from lfdtcmen import DataError
from lfdtcmen.baselines.alexnet import AlexNet, alexnet
from lfdtcmen.baselines.dual_inception import dual_inception
from lfdtcmen.baselines.htnet import HTNet, cut_areas, htnet
from lfdtcmen.baselines.networks import mirror
from lfdtcmen.baselines.off_apexnet import off_apexnet
from lfdtcmen.baselines.rcn import RCN, rcn
from lfdtcmen.baselines.ststnet import ststnet
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.evaluation.audit import audit_fit_predict
from lfdtcmen.evaluation.protocol import cross_validate

PUBLISHED = {
    "ststnet": 1_670,
    "off-apexnet": 2_660_000,
    "dual-inception": 6_450_000,
    "alexnet": 57_016_131,  # torchvision's, with three classes
    "rcn": 15_331,  # the authors' code
    "htnet": 114_429_446,  # the authors' code, 8 blocks
}
# the two large ones in small, to train them in a test
SMALL_ALEXNET = replace(alexnet, make=partial(AlexNet, side=64, hidden=32), learning_rate=1e-3)
SMALL_HTNET = replace(htnet, make=partial(HTNet, width=24, blocks=(1, 1, 1)), learning_rate=1e-3)
NETWORKS = (ststnet, off_apexnet, dual_inception, SMALL_ALEXNET, rcn, SMALL_HTNET)
# to learn 16 pairs by heart
EPOCHS = {"ststnet": 300, "off-apexnet": 30, "dual-inception": 40, "alexnet": 30, "rcn": 60, "htnet": 60}


@pytest.fixture(scope="module")
def pairs() -> PairSet:
    """Sixteen pairs of eight people, with flows that say nothing of the class."""
    rng = np.random.default_rng(0)
    frames = np.zeros((16, 32, 32, 3), np.uint8)
    manifest = pd.DataFrame({"subject": [f"s{k // 2}" for k in range(16)], "clip": range(16)})
    streams = rng.standard_normal((16, 3, 28, 28)).astype(np.float32)
    return PairSet(manifest, frames, frames, np.arange(16) % 3, ("a", "b", "c"), streams=streams)


@pytest.mark.parametrize("network", (*NETWORKS[:3], alexnet, rcn, htnet), ids=lambda network: network.name)
def test_the_parameters_are_within_two_percent_of_the_published_ones(network):
    with torch.device("meta"):  # shapes without numbers
        count = sum(p.numel() for p in network.make(3).parameters())
    assert count == pytest.approx(PUBLISHED[network.name], rel=0.02)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_each_network_learns_sixteen_pairs_by_heart(network, pairs):
    torch.manual_seed(0)
    made = network.make(3)
    for module in made.modules():  # without dropout: what is asked is whether it can learn
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    found = replace(network, make=lambda _: made, epochs=EPOCHS[network.name], weight_decay=0.0)(pairs, pairs, 0)
    assert (found.argmax(1) == pairs.labels).all()
    np.testing.assert_allclose(found.sum(1), 1)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_the_gradient_reaches_every_parameter(network, pairs):
    made = network.make(3)
    made(torch.from_numpy(pairs.streams)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in made.parameters())


def test_the_same_seed_gives_the_same_answer_and_no_global_seed_is_used(pairs):
    short = replace(ststnet, epochs=2)
    before = torch.get_rng_state()
    one, same, other = (short(pairs, pairs, seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


def test_networks_go_through_the_protocol_on_people_apart(pairs, tmp_path):
    short = replace(ststnet, epochs=1)
    folds = list(grouped_kfold(pairs.subjects, pairs.labels, 2))
    table = cross_validate(short, pairs, folds, [0], tmp_path)
    assert len(table) == 16 and set(table["subject"]) == set(pairs.subjects)
    assert pickle.loads(pickle.dumps(short)).settings == short.settings
    assert replace(short, epochs=2).settings != short.settings


def test_a_class_without_a_training_pair_and_weights_are_heeded(pairs):
    two = pairs.subset(pairs.labels < 2)
    assert np.isfinite(replace(ststnet, epochs=1)(two, pairs, 0)).all()
    light = replace(pairs, weights=np.where(np.arange(16) < 8, 1e-6, 1.0).astype(np.float32))
    equal = replace(off_apexnet, epochs=5)(pairs, pairs, 0)
    weighed = replace(off_apexnet, epochs=5)(light, pairs, 0)
    assert not np.allclose(equal, weighed)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_nothing_of_the_test_set_is_used(network, pairs):
    rows = np.arange(16)
    audit_fit_predict(replace(network, epochs=1), pairs.subset(rows < 10), pairs.subset(rows >= 10))


def test_a_mirrored_pair_moves_the_other_way(pairs):
    mirrored = mirror(pairs)
    np.testing.assert_array_equal(mirrored.streams[:, 0], -pairs.streams[:, 0, :, ::-1])
    np.testing.assert_array_equal(mirrored.streams[:, 1:], pairs.streams[:, 1:, :, ::-1])
    np.testing.assert_array_equal(mirrored.onset, pairs.onset[:, :, ::-1])
    np.testing.assert_array_equal(mirror(mirrored).streams, pairs.streams)


def test_the_attention_of_rcn_is_that_of_its_classifiers_weights():
    torch.manual_seed(0)
    network, maps = RCN(3), torch.rand(2, 32, 5, 5)
    by_class = []
    for weight in network.classifier.weight.reshape(3, 32, 5, 5):
        speaks = (maps * weight).sum(1)  # [2, 5, 5]
        low, high = speaks.flatten(1).min(1).values, speaks.flatten(1).max(1).values
        by_class.append((speaks - low[:, None, None]) / (high - low)[:, None, None])
    found = network.attend(maps)
    torch.testing.assert_close(found[:, 0], torch.stack(by_class).mean(0), atol=1e-4, rtol=1e-4)
    assert found.min() >= 0 and found.max() <= 1


def test_htnet_looks_at_four_areas_and_at_both_sides_alike():
    flow = torch.rand(2, 3, 28, 28)
    areas = cut_areas(flow)
    assert areas.shape == (2, 3, 28, 28)
    torch.testing.assert_close(areas[:, :, :14, :14], flow[:, :, 4:18, 3:17])  # the eye on the left of the image
    torch.testing.assert_close(areas[:, :, 14:, 14:], flow[:, :, 14:28, 11:25])  # the right corner of the mouth
    torch.testing.assert_close(cut_areas(flow.flip(3)), areas.flip(3))


def test_htnet_attends_inside_an_area_first_and_between_areas_then():
    torch.manual_seed(0)
    network = HTNet(3, width=24, blocks=(1, 1, 1)).eval()
    x = torch.rand(1, 24, 4, 4)
    changed = x.clone()
    changed[:, :, 0, 0] += 1
    with torch.no_grad():
        first = (network.levels[0](changed) - network.levels[0](x)).abs().sum(1)[0] > 1e-6  # [4, 4]
        small, other = torch.rand(1, 48, 2, 2), torch.rand(1, 48, 1, 1)
        second = (network.levels[1](small + torch.eye(2) * other) - network.levels[1](small)).abs().sum(1)[0] > 1e-6
    assert first[:2, :2].all() and first.sum() == 4
    assert second.all()


def test_pairs_without_flow_are_refused(pairs):
    with pytest.raises(DataError, match=r"no flow streams \[ststnet\]; call prepare_pairs first"):
        ststnet(replace(pairs, streams=None), pairs, 0)
