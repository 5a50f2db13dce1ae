"""Exercises of notebook 00: how long a clip lasts, what a point of UAR is worth, the point that moves farthest."""

import numpy as np

from lfdtcmen.exercises.answers import Answer, Exercise, Wrong, as_number, call, expect, near


def _duration(answer: Answer) -> None:
    """00.1, ``duration(onset, offset, fps)``: milliseconds from one frame to another."""
    value = as_number(call(answer, 10, 25, 30.0), "The duration")
    step = 1000 / 30
    expect(not near(value, 15 * step / 1000), "That number is in seconds: milliseconds are asked for.")
    expect(not near(value, 15), "Those are frames. How much time passes from one frame to the next?")
    expect(
        not near(value, 16 * step),
        "One step too many: from frame 10 to frame 11 it is one step, not two.",
    )
    expect(not near(value, 15 * 30) and not near(value, 15 * 30_000), "Do more frames a second make a step longer?")
    expect(near(value, 15 * step), "Another time comes out. How long is one step of time, and how many are there?")
    other = as_number(call(answer, 75, 134, 200.0))
    expect(near(other, 59 * 5), "Right at 30 frames a second, but not at 200: is fps used?")


def _points_of_uar(answer: Answer) -> None:
    """00.2, ``points_of_uar(clips, count, classes)``: hundredths of UAR for some more clips of one class."""
    value = as_number(call(answer, 3, 50, 4), "The number of points")
    points = 100 * 3 / 50 / 4
    for message, wrong in {
        "That is how much the recall of this class gains. UAR is a mean: over what?": 100 * 3 / 50,
        "That is a share; a point is a hundredth of the score.": points / 100,
        "That is the recall as a share; UAR is the mean of all recalls, and a point is a hundredth.": 3 / 50,
        "That is for one clip. How many more are recognised?": 100 / 50 / 4,
        "More classes make the mean less sensitive to one of them; yours makes it more so.": 100 * 3 / 50 * 4,
    }.items():
        if near(value, wrong):
            raise Wrong(message)
    expect(near(value, points), "Not that many. Write down the recall before and after, then the mean over classes.")
    expect(near(as_number(call(answer, 1, 55, 3)), 100 / 55 / 3), "Right for 3 clips, 50 and 4, but not in general.")


def _farthest(answer: Answer) -> None:
    """00.3, ``farthest(flow)``: how far the point moves that moves farthest, in pixels."""
    flow = np.zeros((2, 5, 5), np.float32)
    flow[:, 1, 2], flow[:, 3, 3] = (-3.0, 4.0), (1.0, -4.2)
    value = as_number(call(answer, flow), "The length")
    for message, wrong in {
        "That is one component of the motion, to the side or down, without the other: the planted bug.": 4.2,
        "That is a component with its sign: how far is a length.": 4.0,
        "Right and down at once is shorter than the two ways one after the other.": 7.0,
        "That is the length squared: it has the unit px².": 25.0,
        "That is the mean over all points; most of them do not move.": float(np.hypot(*flow).mean()),
    }.items():
        if near(value, wrong):
            raise Wrong(message)
    expect(near(value, 5.0), "The point that goes 3 px to the left and 4 px down moves farthest. How far is that?")
    expect(near(as_number(call(answer, np.zeros((2, 3, 3)))), 0.0), "A flow of zeros should have the length 0.")


EXERCISES = {
    "00.1": Exercise(
        _duration,
        (
            "How many steps of time are there from frame 10 to frame 25?",
            "At fps frames a second, a step lasts 1 / fps seconds.",
        ),
    ),
    "00.2": Exercise(
        _points_of_uar,
        (
            "By how much does the recall of that class change, when some more of its clips are recognised?",
            "UAR is the mean of the recalls of all classes; the others stay as they were.",
        ),
    ),
    "00.3": Exercise(
        _farthest,
        (
            "Draw an arrow that goes 3 px to the left and 4 px down. How long is it?",
            "np.hypot gives the length of arrows from their two components; take the largest.",
        ),
    ),
}
