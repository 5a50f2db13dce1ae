"""Exercises of notebook 04: the right answer is right, and each typical wrong one has a message of its own."""

import torch

from lfdtcmen.exercises import (
    notebook04,
)
from lfdtcmen.training import set_trainable
from tests.exercises.answers import answer_tests


def shares(*values):
    return lambda: dict(zip(notebook04.SHARES, values, strict=True))


def surgery(keep=True, times=1.0):
    def without_conflict(gradient, emotion):
        product = gradient @ emotion
        if keep and product >= 0:
            return gradient
        return gradient - times * product / (emotion @ emotion) * emotion

    return without_conflict


def start(model, rate):
    set_trainable(model, 3)
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], rate)


def start_too_late(model, rate):
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], rate)
    set_trainable(model, 3)
    return optimiser


def start_half_frozen(model, rate):
    return torch.optim.AdamW(model.requires_grad_(True).parameters(), rate)


TABLE = {
    "04.1": (
        lambda values, weights: sum(weights[name] * values[name] for name in weights),
        [
            lambda values, weights: sum(values.values()),
            lambda values, weights: sum(weights[name] * values[name] for name in values),
            lambda values, weights: sum(weights.get(name, 1) * values[name] for name in values),
            lambda values, weights: sum(weights[n] * values[n] for n in weights) / sum(weights.values()),
        ],
    ),
    "04.2": (
        shares(0.25, 0.1, -0.5),
        [shares(0.75, 0.1, -0.5), shares(0.25, 0.25, -0.5), shares(0.25, 0.1, -0.25), shares(0.25, 0.1, 1), dict],
    ),
    "04.3": (
        surgery(),
        [
            surgery(keep=False),
            surgery(times=2),
            surgery(times=0.5),
            lambda gradient, emotion: gradient,
            lambda gradient, emotion: gradient * (gradient @ emotion >= 0),
        ],
    ),
    "04.4": (
        start,
        [
            start_too_late,
            start_half_frozen,
            lambda model, rate: torch.optim.AdamW(model.parameters(), rate),
            lambda model, rate: start(model, 1e-3),
            lambda model, rate: set_trainable(model, 3),
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
