"""Exercises of notebook 14: overlap of intervals, the best constant, a contrast with a bug, the second expression."""

from functools import lru_cache

import numpy as np

from lfdtcmen.baselines.spotting import contrast
from lfdtcmen.datasets.synthetic import draw_face, warp_photograph
from lfdtcmen.evaluation.spotting import overlap
from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect, near
from lfdtcmen.preprocessing.align import CANONICAL
from lfdtcmen.preprocessing.apex import trapezoid

FPS = 30.0
CLIPS = ((15, 46), (44, 14))  # apexes of the stronger and of the weaker expression
FRAMES = 62


def _my_iou(answer: Answer) -> None:
    """14.1, ``my_iou(found, true)``: intersection over union of two intervals, (first, last) frame, both inside."""
    for found, true in (((10, 19), (13, 24)), ((13, 24), (10, 19)), ((5, 30), (12, 18))):
        value = as_number(call(answer, found, true), "The IoU")
        common = min(found[1], true[1]) - max(found[0], true[0]) + 1
        lengths = found[1] - found[0] + 1, true[1] - true[0] + 1
        union = sum(lengths) - common
        for message, other in {
            "You divide by the true interval: whoever reports the whole video would score 1.": common / lengths[1],
            "You divide by the found interval: whoever reports one frame would score 1.": common / lengths[0],
            "You divide by both lengths, and so count the common frames twice.": common / sum(lengths),
            "That is twice the intersection over both lengths (Dice). MEGC uses the union.": 2 * common / sum(lengths),
            "Count the frames: first and last both belong to the interval.": (common - 1) / (union - 1),
        }.items():
            expect(not near(value, other) or near(other, common / union), message)
        expect(near(value, overlap(np.array([found]), np.array([true]))[0]), "Not yet, for intervals that overlap.")
    apart = as_number(call(answer, (2, 5), (9, 14)), "The IoU of intervals that do not touch")
    expect(near(apart, 0), f"Intervals that do not touch have nothing in common; yours says {apart:.2f}.")


def _best_share(answer: Answer) -> None:
    """14.2, ``best_share(onsets, apexes, offsets)``: the median share of the way at which apexes lie."""
    onsets, apexes, offsets = np.array([10, 4, 20, 0, 7]), np.array([14, 6, 29, 5, 16]), np.array([20, 14, 32, 40, 25])
    value = as_number(call(answer, onsets, apexes, offsets), "The share")
    way, length = apexes - onsets, offsets - onsets
    for message, other in {
        "That is the mean of the shares. One odd clip pulls it away; take the median.": (way / length).mean(),
        "That is the share of all frames together, in which long clips weigh more.": way.sum() / length.sum(),
        "Count from the onset: a clip may begin long before its expression.": np.median(apexes / offsets),
        "That is the median number of frames. A share has no unit.": np.median(way),
        "That is the median number of frames over the median length; divide clip by clip.": np.median(way)
        / np.median(length),
    }.items():
        expect(not near(value, other), message)
    expect(near(value, np.median(way / length)), "Not yet: the share of the way from onset to offset, clip by clip.")


def _mended_contrast(answer: Answer) -> None:
    """14.3, ``mended_contrast(curve, onset, apex, offset)``: the rise in spreads of the frames at rest."""
    curve = np.array([0.1, -0.2, 0.2, 0.0, 0.4, 1.0, 0.7, 0.2, 0.3, -0.1, 0.0, 0.2])
    onset, apex, offset = 3, 5, 8
    value = as_number(call(answer, curve, onset, apex, offset), "The contrast")
    rest = np.r_[curve[:onset], curve[offset + 1 :]]
    rise = curve[apex] - curve[onset]
    for message, other in {
        "The expression is still among the frames that you take the spread of.": rise / curve.std(),
        "The onset and the offset still count as rest; begin after them.": rise
        / np.r_[curve[: onset + 1], curve[offset:]].std(),
        "Only the frames before count in yours. Those after the offset are at rest, too.": rise / curve[:onset].std(),
        "Only the frames after count in yours. Those before the onset are at rest, too.": rise
        / curve[offset + 1 :].std(),
        "You divide by the variance: a contrast has no unit.": rise / rest.var(),
    }.items():
        expect(not near(value, other), message)
    expect(
        near(value, contrast(curve, onset, apex, offset)), "Not yet: rise from onset to apex, over the spread at rest."
    )


@lru_cache(maxsize=1)
def _films() -> list[np.ndarray]:
    """Return two clips of a face that shows two expressions, uint8 [FRAMES, 128, 128, 3]."""
    face = draw_face(seed=3)
    films = []
    for strong, weak in CLIPS:
        smile, brow = (trapezoid(FRAMES, apex - 4, apex, apex + 7) for apex in (strong, weak))
        rng = np.random.default_rng(0)
        shots = [
            warp_photograph(face, CANONICAL, {12: 1.8 * s, 1: 1.2 * b, 2: 1.2 * b})[0]
            for s, b in zip(smile, brow, strict=True)
        ]
        films.append(np.stack([np.clip(s + rng.normal(0, 1.5, s.shape), 0, 255).astype(np.uint8) for s in shots]))
    return films


def _second_apex(answer: Answer) -> None:
    """14.4, ``second_apex(frames, fps)``: the apex of the weaker of two expressions."""
    for film, (strong, weak) in zip(_films(), CLIPS, strict=True):
        value = as_number(call(answer, film, FPS), "The apex")
        expect(value == int(value), f"A frame is a whole number; yours is {value}.")
        expect(
            abs(value - strong) > 3,
            f"Frame {value:.0f} belongs to the stronger expression. Look at what lies before and after its interval.",
        )
        late = weak > strong
        expect(
            not late or abs(value - (weak - strong - 8)) > 3,
            f"Frame {value:.0f} is counted from the end of the first interval; count from the start of the clip.",
        )
        expect(
            abs(value - weak) <= 2,
            f"At frame {value:.0f} of this clip nothing happens. Which side of the first one has the higher contrast?",
        )


EXERCISES = {
    "14.1": Exercise(
        _my_iou,
        (
            "The intersection begins at the later of the two beginnings. When does it end? How many frames?",
            "Union: both lengths together, less what was counted twice. Use max(0, ...) where nothing is common.",
        ),
    ),
    "14.2": Exercise(
        _best_share,
        (
            "For one clip: how many frames from onset to apex, and how many from onset to offset?",
            "np.median of one division.",
        ),
    ),
    "14.3": Exercise(
        _mended_contrast,
        (
            "What happens to her contrast if the same expression gets ten times as strong?",
            "np.r_ joins two pieces of the curve: the one before the onset, and the one after the offset.",
        ),
    ),
    "14.4": Exercise(
        _second_apex,
        (
            "spot_interval of frames[: first.onset] and of frames[first.offset + 1 :]: each finds something.",
            "contrast(found.curve, found.onset, found.apex, found.offset) says which of the two stands out.",
            "Frame 0 of the part after the offset is frame first.offset + 1 of the clip.",
        ),
    ),
}
