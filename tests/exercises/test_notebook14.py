"""Exercises of notebook 14: the right answer is right, and each typical wrong one has a message of its own."""

import numpy as np

from lfdtcmen.baselines import spotting
from lfdtcmen.preprocessing.apex import spot_interval
from tests.exercises.answers import answer_tests


def iou(divide=lambda common, found, true: found + true - common, ends=1, least=0):
    def answer(found, true):
        common = max(least, min(found[1], true[1]) - max(found[0], true[0]) + ends)
        return common / divide(common, found[1] - found[0] + ends, true[1] - true[0] + ends)

    return answer


def contrast_with(rest=lambda curve, onset, offset: np.r_[curve[:onset], curve[offset + 1 :]], spread=np.std):
    return lambda curve, onset, apex, offset: (curve[apex] - curve[onset]) / spread(rest(curve, onset, offset))


def second_apex(frames, fps, from_start=True, best=max):
    first = spot_interval(frames, fps)
    sides = []
    for start, side in ((0, frames[: first.onset]), (first.offset + 1, frames[first.offset + 1 :])):
        found = spot_interval(side, fps)
        sides.append(
            (spotting.contrast(found.curve, found.onset, found.apex, found.offset), from_start * start + found.apex)
        )
    return best(sides)[1]


TABLE = {
    "14.1": (
        iou(),
        [
            iou(lambda common, found, true: true),
            iou(lambda common, found, true: found),
            iou(lambda common, found, true: found + true),
            iou(lambda common, found, true: (found + true) / 2),
            iou(ends=0),
            iou(least=-99),
        ],
    ),
    "14.2": (
        lambda onsets, apexes, offsets: np.median((apexes - onsets) / (offsets - onsets)),
        [
            lambda onsets, apexes, offsets: np.mean((apexes - onsets) / (offsets - onsets)),
            lambda onsets, apexes, offsets: (apexes - onsets).sum() / (offsets - onsets).sum(),
            lambda onsets, apexes, offsets: np.median(apexes / offsets),
            lambda onsets, apexes, offsets: np.median(apexes - onsets),
            lambda onsets, apexes, offsets: np.median(apexes - onsets) / np.median(offsets - onsets),
        ],
    ),
    "14.3": (
        contrast_with(),
        [
            contrast_with(lambda curve, onset, offset: curve),
            contrast_with(lambda curve, onset, offset: np.r_[curve[: onset + 1], curve[offset:]]),
            contrast_with(lambda curve, onset, offset: curve[:onset]),
            contrast_with(lambda curve, onset, offset: curve[offset + 1 :]),
            contrast_with(spread=np.var),
        ],
    ),
    "14.4": (
        second_apex,
        [
            lambda frames, fps: spot_interval(frames, fps).apex,
            lambda frames, fps: second_apex(frames, fps, from_start=False),
            lambda frames, fps: second_apex(frames, fps, best=min),
            lambda frames, fps: second_apex(frames, fps) + 0.5,
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
