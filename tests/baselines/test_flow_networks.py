"""The compared networks: parameters as published, each can learn, and says what it lacks."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from lfdtcmen import DataError
from lfdtcmen.baselines.dual_inception import dual_inception
from lfdtcmen.baselines.off_apexnet import off_apexnet
from lfdtcmen.baselines.ststnet import ststnet
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.evaluation.protocol import cross_validate

NETWORKS = (ststnet, off_apexnet, dual_inception)
PUBLISHED = {"ststnet": 1_670, "off-apexnet": 2_660_000, "dual-inception": 6_450_000}
EPOCHS = {"ststnet": 300, "off-apexnet": 30, "dual-inception": 40}  # to learn 16 pairs by heart


@pytest.fixture(scope="module")
def pairs() -> PairSet:
    """Sixteen pairs of eight people, with flows that say nothing of the class."""
    rng = np.random.default_rng(0)
    frames = np.zeros((16, 32, 32, 3), np.uint8)
    manifest = pd.DataFrame({"subject": [f"s{k // 2}" for k in range(16)], "clip": range(16)})
    streams = rng.standard_normal((16, 3, 28, 28)).astype(np.float32)
    return PairSet(manifest, frames, frames, np.arange(16) % 3, ("a", "b", "c"), streams=streams)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_the_parameters_are_within_two_percent_of_the_published_ones(network):
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


def test_pairs_without_flow_are_refused(pairs):
    with pytest.raises(DataError, match=r"no flow streams \[ststnet\]; call prepare_pairs first"):
        ststnet(replace(pairs, streams=None), pairs, 0)
