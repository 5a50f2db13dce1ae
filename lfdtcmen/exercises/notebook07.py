"""Exercises of notebook 07: chance level, a gain with a planted bug, SAP, and DCI's score of a block."""

import numpy as np
import torch
from torch import Tensor

from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect, near

PEOPLE = np.array(["a", "b", "a", "c", "d", "a", "c", "b", "a", "e"])
# [axes, factors]: the second best of the last factor is among negative scores
SCORES = np.array([[0.9, 0.1, -0.3], [0.2, 0.5, 0.6], [0.7, 0.45, -0.1], [0.05, 0.3, -0.2]])
BLOCKS = np.array([[0.9, 0.1], [0.2, 0.6], [0.3, 0.3], [0.0, 0.4]])  # [codes, questions]


def _chance_level(answer: Answer) -> None:
    """07.1, ``chance_level(people)``: accuracy of the best constant answer, people of the test clips."""
    value = as_number(call(answer, PEOPLE.copy()), "The chance level")
    counts = np.unique(PEOPLE, return_counts=True)[1]
    shares = counts / len(PEOPLE)
    for message, other in {
        "That is a random guess among people. The best constant answer profits from whoever has most clips.": 1
        / len(counts),
        "That is a number of clips; divide it by all test clips.": counts.max(),
        "That is for guessing in proportion to the clips. Always giving one and the same answer is better.": (
            shares**2
        ).sum(),
        "That is the accuracy of the worst constant answer.": shares.min(),
        "You divide by the number of people; every clip counts, so divide by the clips.": counts.max() / len(counts),
    }.items():
        expect(not near(value, other), message)
    expect(near(value, shares.max()), "Not yet: which one answer is right most often, and how often?")


def _smooth(images: Tensor) -> Tensor:
    """Return a row of pixels averaged over its neighbours: a generator that paints softly."""
    return (images + images.roll(1, -1) + images.roll(-1, -1)) / 3


def _mended_gain(answer: Answer) -> None:
    """07.2, ``mended_gain(generate, onset, apex)``: 0 for a generator that never moves, whatever it paints."""
    rng = torch.Generator().manual_seed(0)
    face, move = torch.rand(20, 16, generator=rng), 0.2 * torch.randn(20, 16, generator=rng)
    noise = 0.1 * torch.randn(2, 20, 16, generator=rng)
    onset, apex = face + noise[0], face + move + noise[1]

    def generator(strength: float):
        def generate(identity: Tensor, motion: Tensor) -> Tensor:
            moves = torch.stack([move if torch.equal(frame, apex) else 0 * move for frame in (motion, identity)])
            return _smooth(identity) + strength * (moves[0] - moves[1])

        return generate

    def gain(strength: float) -> float:
        return as_number(call(answer, generator(strength), onset.clone(), apex.clone()), "The gain")

    still = gain(0.0)
    first, true = _smooth(onset) - onset, apex - onset
    expect(
        not near(still, (first * true).sum() / true.square().sum()),
        "Still hers: a generator that never moves has a gain. Her change contains how softly it paints the onset.",
    )
    expect(not near(still, 1.0), "That is the gain of the true change itself.")
    expect(near(still, 0.0), f"A generator that never moves, but paints softly, should have 0; it has {still:.2f}.")
    half, whole = gain(0.5), gain(1.0)
    right = float((move * true).sum() / true.square().sum())
    expect(not near(whole, -right), "The sign is wrong: what minus what is the change from onset to apex?")
    expect(near(whole, 2 * half), "Half of the motion should have half of the gain: divide by the true change alone.")
    expect(near(whole, right), "Not yet: the generated change times the true one, over the true one's square.")


def _sap(answer: Answer) -> None:
    """07.3, ``sap(scores)``: mean over factors of the best axis minus the second best, scores [axes, factors]."""
    given = SCORES.copy()
    value = as_number(call(answer, given), "SAP")
    expect(np.array_equal(given, SCORES), "You changed the scores that you were given: np.sort returns a copy.")
    ranked = np.sort(SCORES, axis=0)
    across = np.sort(SCORES, axis=1)
    for message, other in {
        "You compare factors of an axis; SAP compares axes of a factor.": (across[:, -1] - across[:, -2]).mean(),
        "That is the best axis minus the worst one.": (ranked[-1] - ranked[0]).mean(),
        "That is the best axis alone; a code that repeats itself would score as high.": ranked[-1].mean(),
        "That is the best axis minus the mean of all.": (ranked[-1] - SCORES.mean(0)).mean(),
        "That is one gap for each factor added up: take their mean.": (ranked[-1] - ranked[-2]).sum(),
    }.items():
        expect(not near(value, other), message)
    expect(near(value, (ranked[-1] - ranked[-2]).mean()), "Not yet: for each factor the two best axes, subtracted.")


def _purity(answer: Answer) -> None:
    """07.4, ``purity(matrix)``: 1 minus the entropy of each row's shares, in units of an even row's."""
    given = BLOCKS.copy()
    value = np.asarray(call(answer, given), float)
    expect(np.array_equal(given, BLOCKS), "You changed the matrix that you were given; work on a copy.")
    expect(value.shape == (4,), f"One number for each of 4 rows, please; yours has the shape {list(value.shape)}.")
    expect(np.isfinite(value).all(), "There is a NaN or an infinite value: 0 times log 0 counts as 0.")
    expect((value <= 1 + 1e-9).all(), "A purity cannot exceed 1: the entropy of shares is never negative.")
    shares = BLOCKS / BLOCKS.sum(1, keepdims=True)

    def entropy(p: np.ndarray) -> np.ndarray:
        return -(p * np.log2(np.where(p > 0, p, 1))).sum(1)

    for message, other in {
        "That is the entropy: 0 for a pure row. Subtract it from 1.": entropy(shares),
        "Make the rows add up to 1 first.": 1 - entropy(BLOCKS),
        "That is with natural logarithms: an even row should have purity 0. Use np.log2.": 1
        - np.log(2) * entropy(shares),
        "Make the rows add up to 1, not the columns.": 1 - entropy(BLOCKS / BLOCKS.sum(0)),
        "That is the larger share. DCI takes the entropy of all.": shares.max(1),
    }.items():
        expect(not near(value, other), message)
    expect(near(value, 1 - entropy(shares)), "Not yet: shares of each row, their entropy in bits, 1 minus that.")


EXERCISES = {
    "07.1": Exercise(
        _chance_level,
        (
            "Somebody who has seen no code at all always gives the same answer. Which one is best?",
            "np.unique with return_counts=True counts the clips of each person.",
        ),
    ),
    "07.2": Exercise(
        _mended_gain,
        (
            "What is in her change, if the generator paints the onset softly and moves nothing?",
            "Everything but the motion code should be equal in the two images that are subtracted.",
            "The same generator can also be asked for the onset.",
        ),
    ),
    "07.3": Exercise(
        _sap,
        (
            "Each column has the scores of all axes for one factor.",
            "np.sort along axis 0 puts the best axis of each factor last.",
        ),
    ),
    "07.4": Exercise(
        _purity,
        (
            "Divide each row by its sum; keepdims=True keeps the shapes compatible.",
            "The entropy in bits is minus the sum of share times log2(share), and 0 log 0 counts as 0.",
        ),
    ),
}
