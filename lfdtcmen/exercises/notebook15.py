"""Exercises of notebook 15: frame numbers, a gate against false alarms, a pair with a bug, how many people."""

import math

import cv2
import numpy as np

from lfdtcmen.datasets.synthetic import action_unit_field, draw_face
from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect, near
from lfdtcmen.preprocessing.align import CANONICAL, align_faces
from lfdtcmen.preprocessing.faces import Face

NUMBERS = ((26, 25, 50), (1, 25, 30), (46, 30, 30), (12, 200, 30), (32, 60, 25))  # frame, annotated and own rate
SLIP = (3.0, 2.0)  # pixels by which the check's detector misses the face when it is asked again


def _to_video_frame(answer: Answer) -> None:
    """15.1, ``to_video_frame(number, annotated_fps, video_fps)``: the nearest frame, counted from 0."""
    for number, annotated, own in NUMBERS:
        value = as_number(call(answer, number, annotated, own), "The frame")
        seconds = (number - 1) / annotated
        right = round(own * seconds)
        case = f"Frame {number} at {annotated} a second, in a video of {own}: yours says {value:g}."
        for message, other in {
            "The annotator's first frame is 1: at which time does it begin?": round(number * own / annotated),
            "Frames of a video are counted from 0.": right + 1,
            "Seconds times frames a second are frames; one of your rates is upside down.": round(
                (number - 1) * annotated / own
            ),
        }.items():
            expect(value != other or other == right, f"{case} {message}")
        expect(value == int(value), f"{case} A frame is a whole number.")
        expect(value != math.floor(own * seconds) or value == right, f"{case} Another frame is nearer in time.")
        expect(value == right, case)


def _something_moved(answer: Answer) -> None:
    """15.2, ``something_moved(flow)``: whether a flow [2, 128, 128] shows more than noise."""
    noise = np.stack([_noise(seed) for seed in range(3)])  # [3, 2, 128, 128]
    wild = noise[0].copy()
    wild[0, ::40, ::40] = 9.0  # 16 pixels
    smile, brows = action_unit_field({12: 0.5, 6: 0.3}, 2), action_unit_field({1: 0.5, 2: 0.5}, 2)
    for flow in noise:
        _expect_closed(answer, flow, "It opens for a face at rest, whose flow is noise: a tenth of a pixel at most.")
    _expect_closed(answer, wild, "Sixteen wild pixels of 16,384 open it. The largest value is a bad judge.")
    for name, flow in {"smile": smile + noise[1], "raised brows": brows + noise[2]}.items():
        opened = _as_decision(answer, flow)
        expect(opened, f"It stays closed for a {name} of half a pixel: a mean over the face hides what moves in spots.")
    expect(_as_decision(answer, np.stack([0 * smile[0], np.abs(smile[0])]) + noise[1]), "It looks at U alone.")


def _noise(seed: int) -> np.ndarray:
    """Return a smooth flow of random directions, float64 [2, 128, 128], of a tenth of a pixel at most."""
    rng = np.random.default_rng(seed)
    flow = np.stack([cv2.GaussianBlur(rng.normal(size=(128, 128)), (0, 0), 3.0) for _ in range(2)])
    return 0.1 * flow / np.hypot(*flow).max()


def _as_decision(answer: Answer, flow: np.ndarray) -> bool:
    value = call(answer, flow)
    expect(np.ndim(value) == 0, "Answer with one True or False, not with one for each pixel.")
    return bool(value)


def _expect_closed(answer: Answer, flow: np.ndarray, message: str) -> None:
    expect(not _as_decision(answer, flow), message)


class _Detector:
    """A detector that is exact at first and misses the face by SLIP when it is asked again."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, frame: np.ndarray) -> list[Face]:
        shift = np.array(SLIP) * min(self.asked, 1)
        self.asked += 1
        return [Face(np.array([10.0, 10.0, 108.0, 108.0]), CANONICAL + shift, 1.0)]


def _mended_pair(answer: Answer) -> None:
    """15.3, ``mended_pair(onset, apex, detector)``: two aligned frames, uint8 [2, 128, 128, 3]."""
    onset = draw_face(2)
    matrix = np.array([[1.0, 0, 2.0], [0, 1, 1.0]])
    apex = cv2.warpAffine(draw_face(2, {12: 1.0}), matrix, (128, 128), borderMode=cv2.BORDER_REPLICATE)
    detector = _Detector()
    pair = np.asarray(call(answer, onset, apex, detector))
    expect(
        pair.shape == (2, 128, 128, 3) and pair.dtype == np.uint8,
        f"Return both aligned frames, uint8 [2, 128, 128, 3]; yours is {pair.dtype} {list(pair.shape)}.",
    )
    expect(not np.array_equal(pair[0], pair[1]), "Your two frames are the same one.")
    right = align_faces([onset, apex], _Detector()).frames
    turned = align_faces([apex, onset], _Detector()).frames
    expect(not np.array_equal(pair, turned), "You aligned the onset on the apex: the first frame is the reference.")
    expect(not np.array_equal(pair, turned[::-1]), "You aligned the onset on the apex: the first frame leads.")
    expect(
        detector.asked < 2,
        "The detector was asked twice, and slipped the second time: its error is now a motion of the whole face.",
    )
    expect(detector.asked == 1, "Nobody looked for the face: find it on the onset.")
    expect(np.array_equal(pair, right), "Not yet: the apex is to be registered on the onset.")


def _people_needed(answer: Answer) -> None:
    """15.4, ``people_needed(people, width, target)``: how many people give an interval of another width."""
    for people, width, target in ((12, 0.26, 0.10), (12, 0.26, 0.13), (30, 0.08, 0.05)):
        value = as_number(call(answer, people, width, target), "The number of people")
        exact = people * (width / target) ** 2
        case = f"{people} people give a width of {width:g}; for {target:g}, yours says {value:g}."
        for message, other in {
            "The width falls with the square root of the number, not with the number.": people * width / target,
            "That is upside down: a narrower interval needs more people.": people * (target / width) ** 2,
            "That is how many more; they ask for all.": exact - people,
        }.items():
            expect(abs(value - other) > 1 or near(other, exact), f"{case} {message}")
        expect(value == int(value), f"{case} People come in whole numbers.")
        expect(value >= exact - 1e-9, f"{case} Rounded down, the interval stays a little too wide.")
        expect(value == math.ceil(exact - 1e-9), case)


EXERCISES = {
    "15.1": Exercise(
        _to_video_frame,
        (
            "When, in seconds after the start, does the annotator's frame 1 begin? And frame 2?",
            "round() of those seconds times one of the rates.",
        ),
    ),
    "15.2": Exercise(
        _something_moved,
        (
            "How long is the arrow at each pixel? np.hypot, or np.linalg.norm over the first axis.",
            "A smile moves a few hundred pixels of 16,384, noise a handful far: which percentile lies between?",
            "Sections 5 and 6 warn of a face at rest: the pixels in the warning are a limit that noise can reach.",
        ),
    ),
    "15.3": Exercise(
        _mended_pair,
        (
            "What does her flow show if the detector's second answer is off by two pixels?",
            "One call of align_faces takes a list of frames.",
        ),
    ),
    "15.4": Exercise(
        _people_needed,
        (
            "Four times as many people: how much narrower?",
            "Solve target = width * sqrt(people / needed) for needed, and round up (math.ceil, np.ceil).",
        ),
    ),
}
