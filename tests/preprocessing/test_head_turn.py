"""A turn of the head is distinguishable from an expression, in the flow that alignment leaves."""

import numpy as np
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic import render_pair
from lfdtcmen.preprocessing.faces import Face
from lfdtcmen.preprocessing.head_turn import HEAD, measure_turn
from lfdtcmen.preprocessing.pair import pair_from_frames
from tests.predict.films import film_turn


def ellipsoid(x_angle: float, y_angle: float) -> np.ndarray:
    """Return the flow of a turned ellipsoid, with a shift as alignment leaves it."""
    y, x = np.mgrid[0:128, 0:128]
    height = np.sqrt(np.clip(1 - ((x - 64) / HEAD[0]) ** 2 - ((y - 72.3) / HEAD[1]) ** 2, 0, 1))
    return np.stack([x_angle * height - 0.5 * x_angle, y_angle * height - 0.5 * y_angle])


def spot(x: float, y: float) -> np.ndarray:
    rows, columns = np.mgrid[0:128, 0:128]
    pull = np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / 8**2)
    return np.stack([0 * pull, -1.5 * pull])


@pytest.mark.parametrize("angles", [(1.0, 0.0), (0.0, -1.0), (-0.7, 0.7)])
def test_a_turned_ellipsoid_is_a_turn_and_moving_spots_are_not(angles):
    turn = measure_turn(ellipsoid(*angles))
    assert turn.share > 0.99 and turn.is_likely
    spots = spot(47, 96) + spot(81, 96)  # the corners of the mouth
    assert measure_turn(spots).share < 0.6 and not measure_turn(spots).is_likely
    assert not measure_turn(0.5 * ellipsoid(*angles) + spots).is_likely


def test_nothing_that_moves_is_no_turn():
    assert not measure_turn(np.zeros((2, 128, 128))).is_likely
    assert not measure_turn(0.1 * ellipsoid(1, 0)).is_likely  # a tenth of a pixel: noise


def rendered(onset: np.ndarray, apex: np.ndarray, landmarks: np.ndarray):
    pair = pair_from_frames([onset, apex], lambda frame: [Face(np.array([10.0, 10, 100, 100]), landmarks, 1.0)])
    return measure_turn(pair.flow)


@pytest.mark.parametrize("emotion", ["happiness", "surprise", "disgust", "sadness"])
def test_rendered_expressions_are_no_turn(emotion):
    for subject in range(3):
        p = render_pair(11, subject, 0, "easy", emotion=emotion)
        assert not rendered(p.onset, p.apex, p.landmarks).is_likely


@pytest.mark.parametrize("direction", [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.6, -0.8)])
def test_rendered_turns_are_turns(direction):
    frames = film_turn(6.0, direction)
    landmarks = np.array([[43.5, 50.5], [84.5, 50.5], [64, 76.3], [47.3, 96], [80.7, 96]])
    assert rendered(frames[0], frames[11], landmarks).is_likely


def test_another_size_is_refused():
    with pytest.raises(DataError, match="128x128"):
        measure_turn(np.zeros((2, 64, 64)))
