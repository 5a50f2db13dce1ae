"""Exercises of notebook 03: the right answer is right, and each typical wrong one has a message of its own."""

import pytest
import torch
from torch import nn

from lfdtcmen.exercises import (
    find,
)
from lfdtcmen.modules.flow_branch import WIDTHS
from tests.exercises.answers import answer_tests, message

# 03.2: weights of a stream's three kernel sizes for one input channel
FOR_ONE_CHANNEL = sum(width * kernel**2 for width, kernel in zip(WIDTHS[0], (1, 3, 5), strict=True))


def weights(number):
    return lambda: number


class FrozenForGood(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module.requires_grad_(False)
        self.train()

    def forward(self, x):
        return self.module(x)

    def train(self, mode=True):
        return super().train(False)


def freeze_in_place(module):
    module.requires_grad_(False).eval()
    module.train = lambda mode=True: module
    return module


def freeze_in_each_layer(module):
    for part in module.requires_grad_(False).eval().modules():
        part.train = lambda mode=True, part=part: part
    return module


class FrozenWithGradient(FrozenForGood):
    def __init__(self, module):
        super().__init__(module)
        module.requires_grad_(True)


class FrozenInPart(FrozenForGood):
    def __init__(self, module):
        super().__init__(module)
        for name, parameter in module.named_parameters():
            parameter.requires_grad_("bias" in name)


class FrozenOnTop(FrozenForGood):
    def train(self, mode=True):  # of itself alone, not of its parts
        self.training = False
        return self


class FrozenForNow(FrozenForGood):
    def train(self, mode=True):
        return super(FrozenForGood, self).train(mode)


class FrozenWithoutForward(FrozenForGood):
    def forward(self, x):
        return None


def freeze_statistics(module):
    for part in module.requires_grad_(False).modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 0.0
    return module


def freeze_by_the_batch(module):
    for part in module.requires_grad_(False).modules():
        if isinstance(part, nn.BatchNorm2d):
            part.track_running_stats = False
    return module


def freeze_resets(module):
    for parameter in module.requires_grad_(False).parameters():
        parameter.zero_()
    return module


def turned(u, v, strain, axes=(2, 3)):
    return lambda streams: streams.flip(*axes) * torch.tensor([u, v, strain])[:, None, None]


TABLE = {
    "03.1": (
        lambda code, attention: code * (1 + 0.2 * (2 * attention - 1)),
        [
            lambda code, attention: code * (1 + 0.2 * attention),
            lambda code, attention: code * (1 - 0.2 * (2 * attention - 1)),
            lambda code, attention: code * (1 + 0.2 * (attention - 0.5)),
            lambda code, attention: 1 + 0.2 * (2 * attention.mean() - 1),
        ],
    ),
    "03.2": (
        weights(6 * FOR_ONE_CHANNEL),
        [
            weights(2 * FOR_ONE_CHANNEL),
            weights(3 * FOR_ONE_CHANNEL),
            weights(6 * sum(width * kernel for width, kernel in zip(WIDTHS[0], (1, 3, 5), strict=True))),
            weights(6 * FOR_ONE_CHANNEL - 1),
            weights(100 * FOR_ONE_CHANNEL),
        ],
    ),
    "03.3": (
        FrozenForGood,
        [FrozenWithGradient, FrozenInPart, FrozenForNow, FrozenWithoutForward, freeze_resets, freeze_statistics],
    ),
    "03.4": (
        turned(-1.0, -1.0, 1.0),
        [
            turned(1.0, 1.0, 1.0),
            turned(-1.0, -1.0, -1.0),
            turned(-1.0, 1.0, 1.0),
            turned(-1.0, 1.0, 1.0, axes=[3]),
            turned(1.0, -1.0, 1.0, axes=[2]),
            lambda streams: streams,
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)


@pytest.mark.parametrize("answer", [freeze_in_place, freeze_in_each_layer])
def test_other_ways_to_freeze_for_good_are_right(answer, capsys):
    assert message("03.3", answer, capsys) == "03.3: right."


def test_freezing_without_statistics_is_not_right(capsys):
    assert "other frames of its batch" in message("03.3", freeze_by_the_batch, capsys)


@pytest.mark.parametrize("answer", [FrozenForNow, FrozenOnTop])
def test_freezing_for_now_or_on_top_is_found_out(answer, capsys):
    assert "running statistics moved" in message("03.3", answer, capsys)


def test_no_message_and_no_hint_has_the_number_that_is_asked_for(capsys):
    texts = [message("03.2", answer, capsys) for answer in TABLE["03.2"][1]] + list(find("03.2").hints)
    assert not [text for text in texts if "2112" in text or "2,112" in text]
