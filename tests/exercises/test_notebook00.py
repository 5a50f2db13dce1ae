"""Exercises of notebook 00: the right answer is right, and each typical wrong one has a message of its own."""

import numpy as np

from tests.exercises.answers import answer_tests

TABLE = {
    "00.1": (
        lambda onset, offset, fps: 1000 * (offset - onset) / fps,
        [
            lambda onset, offset, fps: (offset - onset) / fps,
            lambda onset, offset, fps: offset - onset,
            lambda onset, offset, fps: 1000 * (offset - onset + 1) / fps,
            lambda onset, offset, fps: 1000 * (offset - onset) * fps,
            lambda onset, offset, fps: 1000 * (offset - onset) / 30,
        ],
    ),
    "00.2": (
        lambda clips, count, classes: 100 * clips / count / classes,
        [
            lambda clips, count, classes: 100 * clips / count,
            lambda clips, count, classes: clips / count / classes,
            lambda clips, count, classes: 100 / count / classes,
            lambda clips, count, classes: 100 * clips / count * classes,
        ],
    ),
    "00.3": (
        lambda flow: np.hypot(*flow).max(),
        [
            lambda flow: np.abs(flow).max(),
            lambda flow: flow.max(),
            lambda flow: np.abs(flow).sum(0).max(),
            lambda flow: np.square(flow).sum(0).max(),
            lambda flow: np.hypot(*flow).mean(),
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)
