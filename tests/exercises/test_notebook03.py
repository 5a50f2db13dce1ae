"""Exercises of notebook 03: the right answer is right, and each typical wrong one has a message of its own."""

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


def freeze_for_good(module):
    module.requires_grad_(False).eval()
    module.train = lambda mode=True: module


def freeze_in_each_layer(module):
    for part in module.requires_grad_(False).eval().modules():
        part.train = lambda mode=True, part=part: part


def freeze_statistics(module):
    for part in module.requires_grad_(False).modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 0.0


def freeze_by_the_batch(module):
    for part in module.requires_grad_(False).modules():
        if isinstance(part, nn.BatchNorm2d):
            part.track_running_stats = False


def freeze_gradients(module):
    module.requires_grad_(False)


def freeze_for_now(module):
    module.requires_grad_(False).eval()


def freeze_weights(module):
    for name, parameter in module.named_parameters():
        parameter.requires_grad_("bias" in name)


def freeze_resets(module):
    for parameter in module.requires_grad_(False).parameters():
        parameter.zero_()


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
        freeze_for_good,
        [freeze_gradients, freeze_weights, freeze_resets, freeze_statistics, lambda module: None],
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


def test_freezing_in_each_layer_is_right_and_without_statistics_is_not(capsys):
    assert message("03.3", freeze_in_each_layer, capsys) == "03.3: right."
    assert "other frames of its batch" in message("03.3", freeze_by_the_batch, capsys)


def test_freezing_for_now_is_found_out(capsys):
    assert message("03.3", freeze_for_now, capsys) == message("03.3", freeze_gradients, capsys)


def test_no_message_and_no_hint_has_the_number_that_is_asked_for(capsys):
    texts = [message("03.2", answer, capsys) for answer in TABLE["03.2"][1]] + list(find("03.2").hints)
    assert not [text for text in texts if "2112" in text or "2,112" in text]
