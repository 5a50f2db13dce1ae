"""Costs of published networks: what others counted, and sums by hand."""

import pytest
import torch

from lfdtcmen import DataError
from lfdtcmen.baselines.alexnet import AlexNet
from lfdtcmen.baselines.bi_woof import bi_woof
from lfdtcmen.baselines.compared import (
    METHODS,
    NETWORKS,
    STATED_PARAMETERS,
    count_parameters,
    family,
    network_costs,
    one_input,
)
from lfdtcmen.baselines.off_apexnet import OFFApexNet
from lfdtcmen.baselines.published import HTNet, published_costs


def test_the_costs_are_those_that_others_counted_or_that_add_up_by_hand():
    costs = published_costs()
    assert costs.loc["HTNet, 8 blocks"].tolist() == [114_429_446, 378_304_512]
    block = 2 * (1024 * 3 * 1020 + 1020 * 1024 + 2 * 4 * 1024**2)  # operations at the one position of the last level
    assert costs.loc["HTNet, 10 blocks", "operations"] - costs.loc["HTNet, 8 blocks", "operations"] == 2 * block
    patches, width = 28 * 28, 512
    linear = (patches + 1) * 12 * width**2 + (patches + 1) ** 2 * 2 * width  # one frame's block: layers, attention
    diagonal = 4 * patches * width**2 + patches**2 * width  # query, key, value, out; a product for each two patches
    others = 2 * patches * 8 * 8 * 3 * width + patches * width + 3 * width  # embedding of both frames, interest, answer
    published = [13_762_051, 2 * (2 * 4 * linear + diagonal + others)]
    assert costs.loc["Micro-BERT, published size"].tolist() == published


def test_they_return_logits_of_three_classes():
    torch.manual_seed(0)
    with torch.no_grad():
        assert OFFApexNet(3)(torch.rand(2, 3, 28, 28)).shape == (2, 3)
        assert AlexNet(3, side=224)(torch.rand(1, 3, 28, 28)).shape == (1, 3)
        assert HTNet((1, 1, 1))(torch.rand(2, 3, 28, 28)).shape == (2, 3)


def test_compared_networks_have_the_parameters_that_others_state():
    costs = network_costs()
    assert list(costs.index) == [method.name for method in NETWORKS]
    assert costs["parameters"].to_dict() == count_parameters(METHODS, 3)
    stated = costs[costs["stated"].notna()]
    assert set(stated.index) == set(STATED_PARAMETERS) and (stated["deviation"].abs() < 0.02).all()
    assert round(costs.loc["off-apexnet", "parameters"] / 1e6, 2) == 2.66  # README of Off-TANet
    assert costs.loc["alexnet", "parameters"] == 57_016_131  # torchvision's alexnet(num_classes=3)
    assert costs.loc["alexnet", "deviation"] == 0  # with the stated one's classes, not with ours
    assert costs.loc["ststnet", "operations"] == 2 * (28 * 28 * 9 * 3 * 16 + 400 * 3)
    assert network_costs(7).loc["ststnet", "parameters"] == 1651 + 4 * 401


def test_a_network_takes_its_input():
    with torch.no_grad():
        for method in NETWORKS:
            if method.name not in ("alexnet", "htnet"):  # 57 and 114 million parameters
                assert method.make(3)(*one_input(method)).shape == (1, 3)
    with pytest.raises(DataError, match=r"no compared network.*psn, alexnet"):
        one_input(bi_woof)


def test_every_method_has_a_family():
    found = {name: family(name) for name in METHODS}
    assert set(found.values()) == {"hand-crafted", "fixed separation", "network on flow", "Transformer"}
    others = {name: family(name) for name in ("majority", "action-units", "rcn+drl-repaired", "lfd-tcmen-repaired")}
    assert list(others.values()) == ["reference", "reference", "with DRL", "this network"]
