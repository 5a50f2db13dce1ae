"""Exercises of notebook 12: changes of a pattern, what a description forgets, C chosen on the test set, the plug-in."""

import numpy as np
import torch

from lfdtcmen.baselines.bi_woof import describe_flow
from lfdtcmen.baselines.lbp_top import NUM_BINS, describe_clip
from lfdtcmen.baselines.mdmo import canonical_regions
from lfdtcmen.baselines.mdmo import describe_flow as describe_regions
from lfdtcmen.baselines.plug_in import MotionBeside
from lfdtcmen.baselines.ststnet import STSTNet
from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect, near

QUESTIONS = (
    "LBP-TOP, a brighter clip",
    "LBP-TOP, twice the contrast",
    "MDMO, twice the flow",
    "Bi-WOOF, twice the flow",
)


def _bits(code: int) -> list[int]:
    return [code >> k & 1 for k in range(8)]


def _changes(answer: Answer) -> None:
    """12.1, ``changes(bits)``: how often eight bits on a circle change."""
    patterns = [_bits(code) for code in range(256)]
    given = np.array([as_number(call(answer, bits), "The number of changes") for bits in patterns])
    around = np.array([np.abs(np.diff(bits, append=bits[:1])).sum() for bits in patterns])
    for message, other in {
        "You go along a line. On a circle, the last bit is a neighbour of the first one.": [
            np.abs(np.diff(bits)).sum() for bits in patterns
        ],
        "You count one direction only; from 0 to 1 is a change, and from 1 to 0 is one.": around / 2,
        "You count the bits that are 1; count where neighbours differ.": [sum(bits) for bits in patterns],
        "Return how many changes there are, not whether there are few.": around <= 2,
        "Changes in both directions cancel in your sum: take each as 1.": 0 * around,
    }.items():
        expect(not (given == np.asarray(other)).all(), message)
    text = f"Yours finds {(given <= 2).sum()} patterns with two changes at most, there are {NUM_BINS - 1}."
    expect((given == around).all(), text)


def _unchanged(answer: Answer) -> None:
    """12.2, ``unchanged()``: which descriptions stay the same under which change of the input."""
    given = call(answer)
    expect(
        isinstance(given, dict) and set(given) == set(QUESTIONS),
        f"Give a dictionary with the keys {', '.join(QUESTIONS)}.",
    )
    rng = np.random.default_rng(0)
    clip, flow = rng.integers(40, 90, (11, 30, 30)), rng.normal(size=(2, 128, 128))
    regions = canonical_regions()
    truth = {
        "LBP-TOP, a brighter clip": near(describe_clip(clip + 20), describe_clip(clip)),
        "LBP-TOP, twice the contrast": near(describe_clip(2 * clip), describe_clip(clip)),
        "MDMO, twice the flow": near(describe_regions(2 * flow, regions), describe_regions(flow, regions)),
        "Bi-WOOF, twice the flow": near(describe_flow(2 * flow), describe_flow(flow)),
    }
    advice = (
        "Each voxel is compared with its neighbours. Does a number added to all of them change which one is darker?",
        "Each voxel is compared with its neighbours. Does a factor on all of them change which one is darker?",
        "What are the lengths divided by?",
        "Is anything divided by? Look at both weights.",
    )
    for name, message in zip(QUESTIONS, advice, strict=True):
        expect(isinstance(given[name], bool | np.bool_), f"{name!r}: answer True or False.")
        expect(bool(given[name]) == truth[name], f"Not {name!r}: {message}")


def _honest_score(answer: Answer) -> None:
    """12.3, ``honest_score(inner, outer)``: each fold's test score with the C that its training subjects choose."""
    rng = np.random.default_rng(0)
    inner, outer = rng.uniform(0.4, 0.6, (6, 4)), rng.uniform(0.4, 0.6, (6, 4))
    value = as_number(call(answer, inner, outer), "The score")
    folds = np.arange(6)
    for message, other in {
        "The test scores still choose C, fold by fold.": outer.max(1).mean(),
        "One C for all folds, but the test scores choose it.": outer.mean(0).max(),
        "That is the inner score of the best C: it has been chosen for being high. Report the test score.": (
            inner.max(1).mean()
        ),
        "One C for all folds: a fold's own test subjects are among the training subjects of the others.": outer[
            :, inner.mean(0).argmax()
        ].mean(),
        "That is the mean over all C. A method has one.": outer.mean(),
        "You took the worst C of the inner folds.": outer[folds, inner.argmin(1)].mean(),
    }.items():
        expect(not near(value, other), message)
    expect(
        near(value, outer[folds, inner.argmax(1)].mean()), "Not yet: of each fold, the outer score of its inner best."
    )


def _added(answer: Answer) -> None:
    """12.4, ``added(num_classes)``: parameters that the plug-in adds to a network."""
    for classes in (3, 7):
        value = as_number(call(answer, classes), "The number of parameters")
        with torch.device("meta"):
            joined = MotionBeside(STSTNet(classes), classes)
        truth = sum(p.numel() for p in joined.parameters()) - sum(p.numel() for p in joined.network.parameters())
        reduce = joined.reduce.weight.numel()
        for message, other in {
            "You counted biases. Neither layer has one: no motion, no influence.": truth + 16 + classes,
            "The linear layer gets a bias in yours; it has none.": truth + classes,
            "The 1x1 convolution gets a bias in yours; it has none.": truth + 16,
            "That is the 1x1 convolution alone.": reduce,
            "That is the linear layer alone.": truth - reduce,
            "The linear layer sees every one of the 16 cells of 16 channels.": reduce + 16 * classes,
            "The network's own parameters are not added by the plug-in.": truth
            + sum(p.numel() for p in joined.network.parameters()),
        }.items():
            expect(value != other, message)
        expect(value == truth, f"Not yet, with {classes} classes: a 1x1 convolution, and a linear layer on 4x4 cells.")


EXERCISES = {
    "12.1": Exercise(
        _changes,
        (
            "How many neighbours does the first bit have, and which?",
            "bits[k - 1] is the bit before bits[k], also for k = 0.",
        ),
    ),
    "12.2": Exercise(
        _unchanged,
        (
            "Which of the descriptions compare, and which measure?",
            "Write down the first step of each, once with the changed input. What cancels?",
        ),
    ),
    "12.3": Exercise(
        _honest_score,
        (
            "Who may see the outer scores before C is fixed?",
            "inner.argmax(axis=1) has one choice for each fold.",
        ),
    ),
    "12.4": Exercise(
        _added,
        (
            "Two layers. What goes into each, and what comes out?",
            "The change of the code is 256x4x4; after the 1x1 convolution it is 16x4x4.",
        ),
    ),
}
