"""Networks trained side by side learn what each would learn alone, and nothing of their test clips."""

import numpy as np
import pytest
import torch
from torch import nn

from lfdtcmen.analysis.small_networks import (
    HIDDEN,
    SmallNetworks,
    epoch_predictions,
    flow_values,
    fold_numbers,
    predict_classes,
    train_small_networks,
)
from lfdtcmen.errors import DataError

LABELS = np.tile([0, 0, 1, 2], 12)
PEOPLE = np.repeat(np.arange(6), 8)
VALUES = np.random.default_rng(0).normal(size=(48, 10)).astype(np.float32) + np.eye(3, 10, dtype=np.float32)[LABELS]
FOLDS = [(np.flatnonzero(PEOPLE != person), np.flatnonzero(PEOPLE == person)) for person in range(6)]


def test_each_is_a_network_of_two_layers():
    networks = SmallNetworks(3, 10, 4).eval()
    second = slice(HIDDEN, 2 * HIDDEN)
    one = nn.Sequential(nn.Linear(10, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 4))
    with torch.no_grad():
        one[0].weight[:], one[0].bias[:] = networks.hidden.weight[second], networks.hidden.bias[second]
        one[2].weight[:], one[2].bias[:] = networks.weight[1].T, networks.bias[1, 0]
    x = torch.randn(5, 10)
    torch.testing.assert_close(networks(x)[1], one(x))


def test_what_a_network_is_tested_on_does_not_touch_it():
    mine = PEOPLE == 2
    labels, values = LABELS.copy(), VALUES.copy()
    labels[mine] = (labels[mine] + 1) % 3
    values[mine] += 100
    trained_on = np.stack([PEOPLE != person for person in range(6)])
    one, other = (train_small_networks(*given, trained_on, 3, 0) for given in ((VALUES, LABELS), (values, labels)))
    torch.testing.assert_close(one.weight[2], other.weight[2])
    assert not torch.allclose(one.weight[0], other.weight[0])  # the others did learn from them


def test_they_learn_and_a_training_that_is_longer_begins_alike():
    found = epoch_predictions(VALUES, LABELS, FOLDS, 40, seed=0)
    assert (found[:, -1] == LABELS).mean() > (found[:, 0] == LABELS).mean()
    np.testing.assert_array_equal(found[:, :8], epoch_predictions(VALUES, LABELS, FOLDS, 8, seed=0))
    assert (found != epoch_predictions(VALUES, LABELS, FOLDS, 40, seed=1)).any()


def test_chosen_networks_are_taken_over_and_the_others_stay():
    mine, theirs = SmallNetworks(3, 10, 3).eval(), SmallNetworks(3, 10, 3).eval()
    before = [networks(torch.from_numpy(VALUES)) for networks in (mine, theirs)]
    mine.copy_networks(np.array([False, True, False]), theirs)
    after = mine(torch.from_numpy(VALUES))
    for number, source in enumerate((before[0], before[1], before[0])):
        torch.testing.assert_close(after[number], source[number])
    assert predict_classes(mine, VALUES, chunk=7).tolist() == after.argmax(2).tolist()


def test_flow_is_pooled_in_cells_of_two_by_two():
    streams = np.zeros((2, 3, 28, 28), np.float32)
    streams[1, 2, 4:6, 6:8] = [[0.2, 0.4], [0.6, 0.8]]
    values = flow_values(streams).reshape(2, 3, 14, 14)
    assert values[1, 2, 2, 3] == pytest.approx(2.5) and np.count_nonzero(values) == 1


def test_mistakes_are_named():
    with pytest.raises(DataError, match="no training sample of some class"):
        train_small_networks(VALUES, LABELS, (LABELS != 1)[None], 1, 0)
    with pytest.raises(DataError, match="8 samples are tested in no fold"):
        fold_numbers(FOLDS[:-1], 48)
