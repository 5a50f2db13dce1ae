"""Costs of published networks: what others counted, and sums by hand."""

import torch

from lfdtcmen.baselines.alexnet import AlexNet
from lfdtcmen.baselines.off_apexnet import OFFApexNet
from lfdtcmen.baselines.published import HTNet, published_costs


def test_the_costs_are_those_that_others_counted_or_that_add_up_by_hand():
    costs = published_costs()
    assert round(costs.loc["OFF-ApexNet", "parameters"] / 1e6, 2) == 2.66  # README of Off-TANet
    assert costs.loc["AlexNet", "parameters"] == 57_016_131  # torchvision's alexnet(num_classes=3)
    assert costs.loc["HTNet, 8 blocks"].tolist() == [114_429_446, 378_304_512]
    block = 2 * (1024 * 3 * 1020 + 1020 * 1024 + 2 * 4 * 1024**2)  # operations at the one position of the last level
    assert costs.loc["HTNet, 10 blocks", "operations"] - costs.loc["HTNet, 8 blocks", "operations"] == 2 * block


def test_they_return_logits_of_three_classes():
    torch.manual_seed(0)
    with torch.no_grad():
        assert OFFApexNet(3)(torch.rand(2, 3, 28, 28)).shape == (2, 3)
        assert AlexNet(3, side=224)(torch.rand(1, 3, 28, 28)).shape == (1, 3)
        assert HTNet((1, 1, 1))(torch.rand(2, 3, 28, 28)).shape == (2, 3)
