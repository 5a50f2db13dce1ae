"""Exercises of notebook 15: the right answer is right, and each typical wrong one has a message of its own."""

import math

import numpy as np

from lfdtcmen.preprocessing.align import align_faces
from tests.exercises.answers import answer_tests


def frame_number(zero=1, first=0, of=lambda seconds, own: seconds * own, whole=round):
    return lambda number, annotated, own: whole(of((number - zero) / annotated, own)) + first


def gate(percentile=99, least=0.2, lengths=lambda flow: np.hypot(*flow)):
    return lambda flow: np.percentile(lengths(flow), percentile) > least


def people_needed(of=lambda people, ratio: people * ratio**2, whole=math.ceil):
    return lambda people, width, target: whole(of(people, width / target))


TABLE = {
    "15.1": (
        frame_number(),
        [
            frame_number(zero=0),
            frame_number(first=1),
            lambda number, annotated, own: round((number - 1) * annotated / own),
            frame_number(whole=math.floor),
            frame_number(whole=float),
        ],
    ),
    "15.2": (
        gate(),
        [
            gate(99, 0.01),
            gate(100),
            lambda flow: np.hypot(*flow).mean() > 0.2,
            gate(lengths=lambda flow: np.abs(flow[0])),
            lambda flow: np.hypot(*flow) > 0.2,
        ],
    ),
    "15.3": (
        lambda onset, apex, detector: align_faces([onset, apex], detector).frames,
        [
            lambda onset, apex, detector: np.stack([align_faces([f], detector).frames[0] for f in (onset, apex)]),
            lambda onset, apex, detector: align_faces([apex, onset], detector).frames,
            lambda onset, apex, detector: align_faces([apex, onset], detector).frames[::-1],
            lambda onset, apex, detector: align_faces([onset, onset], detector).frames,
            lambda onset, apex, detector: align_faces([onset, apex], detector).frames[1],
            lambda onset, apex, detector: np.stack([onset, apex]),
            lambda onset, apex, detector: align_faces([onset, apex], detector, method="nose").frames,
        ],
    ),
    "15.4": (
        people_needed(),
        [
            people_needed(lambda people, ratio: people * ratio),
            people_needed(lambda people, ratio: people / ratio**2),
            people_needed(lambda people, ratio: people * (ratio**2 - 1)),
            people_needed(whole=math.floor),
            people_needed(whole=float),
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
