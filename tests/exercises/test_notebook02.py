"""Exercises of notebook 02: the right answer is right, and each typical wrong one has a message of its own."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lfdtcmen.exercises import (
    find,
    notebook02,
)
from lfdtcmen.losses import identity_contrastive
from tests.exercises.answers import answer_tests, message


def pixels_seen(strides):
    return 1 + 2 * sum(np.prod(strides[:k]) for k in range(len(strides)))


def fair(pairs):
    return sum((a - b).square().mean() / b.square().mean() for a, b in pairs)


def by_cosine(pairs):
    return sum((1 - F.cosine_similarity(a.flatten(1), b.flatten(1))).mean() for a, b in pairs)


def fixed_targets(pairs):
    return fair([(a, b.detach()) for a, b in pairs])


def still_shrinks(pairs):
    return sum((a - b).square().mean() / b.square().mean().detach() for a, b in pairs)


def by_first_pair(pairs):
    return fair(pairs[:1])


def gains(*values):
    return lambda: dict(zip(notebook02.GAINS, values, strict=True))


def contrast(angle):
    def loss(features, subjects, margin):
        unit = F.normalize(features, dim=1)
        i, j = torch.triu_indices(len(unit), len(unit), offset=1)
        theta, same = angle((unit @ unit.T)[i, j]), subjects[i] == subjects[j]
        apart = F.relu(margin - theta[~same]).square()
        return theta[same].square().mean() + (apart.mean() if len(apart) else 0)

    return loss


TABLE = {
    "02.1": (
        pixels_seen,
        [
            lambda strides: 1 + 2 * len(strides),
            lambda strides: 1 + 2 * sum(np.prod(strides[: k + 1]) for k in range(len(strides))),
            lambda strides: np.prod(strides),
            lambda strides: 3 * pixels_seen(strides),
        ],
    ),
    "02.2": (
        fair,
        [
            lambda pairs: sum(F.mse_loss(a, b) for a, b in pairs),
            lambda pairs: 8 - by_cosine(pairs),
            lambda pairs: fair([(a.detach(), b) for a, b in pairs]),
            still_shrinks,
            by_first_pair,
            lambda pairs: fair(pairs) * 0,
        ],
    ),
    "02.3": (
        gains(0.5, 0, -1, 1),
        [gains(1, 0, -1, 1), gains(0.5, 1, -1, 1), gains(0.5, 0, 1, 1), gains(0.5, 0, -1, 5**0.5), lambda: {}],
    ),
    "02.4": (
        contrast(lambda cosine: torch.arccos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))),
        [
            contrast(lambda cosine: torch.arccos(cosine.clamp(-1, 1))),
            contrast(lambda cosine: torch.arccos(cosine * 0.9)),
            contrast(lambda cosine: torch.arccos(cosine.clamp(-1 + 1e-6, 1 - 1e-6)).detach()),
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)


@pytest.mark.parametrize("answer", [by_cosine, fixed_targets])
def test_other_ways_to_a_fair_consistency_are_right(answer, capsys):
    assert message("02.2", answer, capsys) == "02.2: right."


def test_the_table_of_the_contrastive_loss_is_the_packages(capsys):
    features, subjects = torch.randn(6, 4), torch.tensor([0, 0, 1, 1, 2, 2])
    torch.testing.assert_close(TABLE["02.4"][0](features, subjects, 1.0), identity_contrastive(features, subjects))


def test_no_message_and_no_hint_has_the_numbers_that_are_asked_for(capsys):
    texts = [message("02.3", answer, capsys) for answer in TABLE["02.3"][1]] + list(find("02.3").hints)
    assert not [text for text in texts if re.search(r"0\.5|\b-1\b", text.removeprefix("02.3: not yet. "))]
