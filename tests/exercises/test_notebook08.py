"""Exercises of notebook 08: the right answer is right, and each typical wrong one has a message of its own."""

import numpy as np
import torch

from lfdtcmen.beyond.warp_generator import warp
from tests.exercises.answers import answer_tests, message


def field_with(x, y, brightness=0.0):
    def shift_field(right, down):
        field = torch.zeros(1, 3, 32, 32)
        field[:, 0], field[:, 1], field[:, 2] = x(right, down), y(right, down), brightness
        return field

    return shift_field


RIGHT_FIELD = field_with(lambda right, down: -right / 4, lambda right, down: -down / 4)


def rest_ratio(rest_mean=1.0, motion_mean=0.0, whole=True, of=lambda r: r, exchanged=False):
    def ratio(onset, apex):
        d, at_rest = apex - onset, onset - rest_mean * onset.mean(0)
        d = d - motion_mean * d.mean(0)
        covariances = [x.T @ x if whole else (x.T @ x).diagonal().diag() for x in (d, at_rest)]
        return of(torch.linalg.solve(*covariances[:: -1 if exchanged else 1]).diagonal().mean()).item()

    return ratio


def given(difference):
    return lambda encode, receiver, onset, apex: difference(encode, receiver, onset, apex)


def effects(warp_of=None, swaps_of=None, interaction_of=None, order=(0, 1, 2), scale=1.0):
    def of(gains):
        (a, b), (c, d) = gains
        warp = warp_of(a, b, c, d) if warp_of else (c + d - a - b) / 2
        swaps = swaps_of(a, b, c, d) if swaps_of else (b + d - a - c) / 2
        interaction = interaction_of(a, b, c, d) if interaction_of else (d - c) - (b - a)
        return [scale * (warp, swaps, interaction)[k] for k in order]

    return of


TABLE = {
    "08.1": (
        RIGHT_FIELD,
        [
            field_with(lambda right, down: right / 4, lambda right, down: down / 4),
            field_with(lambda right, down: -down / 4, lambda right, down: -right / 4),
            field_with(lambda right, down: -right, lambda right, down: -down),
            field_with(lambda right, down: -right / 128, lambda right, down: -down / 128),
            field_with(lambda right, down: -4 * right, lambda right, down: -4 * down),
            field_with(lambda right, down: -right / 4, lambda right, down: -down / 4, brightness=0.1),
            lambda right, down: torch.zeros(3, 32, 32),
        ],
    ),
    "08.2": (
        rest_ratio(),
        [
            rest_ratio(rest_mean=0.0),
            rest_ratio(motion_mean=1.0),
            rest_ratio(exchanged=True),
            rest_ratio(of=lambda r: 6 * r),
            rest_ratio(of=torch.log1p),
            rest_ratio(whole=False),
        ],
    ),
    "08.3": (
        given(lambda encode, receiver, onset, apex: encode(apex) - encode(onset)),
        [
            given(lambda encode, receiver, onset, apex: encode(apex) - encode(receiver)),
            given(lambda encode, receiver, onset, apex: encode(onset) - encode(apex)),
            given(lambda encode, receiver, onset, apex: encode(apex)),
            given(lambda encode, receiver, onset, apex: encode(apex - onset)),
            given(lambda encode, receiver, onset, apex: encode(apex) - encode(onset) + encode(receiver)),
        ],
    ),
    "08.4": (
        effects(),
        [
            effects(order=(1, 0, 2)),
            effects(lambda a, b, c, d: c + d - a - b, lambda a, b, c, d: b + d - a - c),
            effects(lambda a, b, c, d: c - a, lambda a, b, c, d: b - a),
            effects(scale=-1.0),
            effects(interaction_of=lambda a, b, c, d: ((d - c) - (b - a)) / 2),
            effects(interaction_of=lambda a, b, c, d: d - a),
            effects(order=(0, 1)),
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)


def test_the_right_field_moves_a_face_as_the_package_does():
    face = torch.rand(1, 3, 128, 128, generator=torch.manual_seed(0))
    moved = warp(face, RIGHT_FIELD(2, 4))
    np.testing.assert_allclose(moved[..., 4:, 2:], face[..., :-4, :-2], atol=1e-4)


def test_a_covariance_over_one_less_is_right_as_well(capsys):
    def unbiased(onset, apex):
        d = apex - onset
        return torch.linalg.solve(d.T @ d / len(d), torch.cov(onset.T)).diagonal().mean().item()

    assert message("08.2", unbiased, capsys) == "08.2: right."
