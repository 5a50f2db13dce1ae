"""A synthetic head motion is found to a tenth of a pixel and removed; a muscle's motion stays."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from lfdtcmen import DataError
from lfdtcmen.preprocessing.align import estimate_head_motion, register_flow, remove_head_motion
from lfdtcmen.preprocessing.flow import tvl1

LANDMARKS = np.array([[40, 56], [84, 58], [65, 77], [46, 99], [79, 99]], np.float32)  # eyes, nose tip, mouth corners


def similarity(angle, scale, shift, centre=(64.0, 64.0)):
    """Return the similarity [2, 3] about the centre of a 128x128 frame."""
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([linear, np.array(centre) + shift - linear @ centre])


def moved_face(motion, muscle=None, gain=1.0):
    """Return onset and apex of the astronaut, whose face is 128 pixels of the photograph."""
    photo = astronaut().astype(np.float32)
    y, x = np.mgrid[:128, :128].astype(np.float32)

    def cut(at_x, at_y):
        return cv2.remap(photo, 163 + at_x, 45 + at_y, cv2.INTER_CUBIC)

    inverse = cv2.invertAffineTransform(motion)
    back_x = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
    back_y = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
    if muscle is not None:
        back_x, back_y = back_x - muscle[0], back_y - muscle[1]
    apex = np.clip(cut(back_x.astype(np.float32), back_y.astype(np.float32)) * gain, 0, 255)
    return np.clip(cut(x, y), 0, 255).astype(np.uint8), apex.astype(np.uint8)


def random_motion(seed):
    rng = np.random.default_rng(seed)
    return similarity(rng.normal(0, 0.015), 1 + rng.normal(0, 0.008), rng.normal(0, 1.0, 2))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("landmarks", [LANDMARKS, None], ids=["nose", "middle"])
def test_synthetic_head_motion_is_found_to_a_tenth_of_a_pixel(seed, landmarks):
    motion = random_motion(seed)
    onset, apex = moved_face(motion)
    found = estimate_head_motion(onset, apex, landmarks)
    residual = LANDMARKS @ (found - motion)[:, :2].T + (found - motion)[:, 2]
    assert np.linalg.norm(residual, axis=1).max() < 0.1


def test_muscle_motion_and_light_do_not_pull_at_the_head_motion():
    y, x = np.mgrid[:128, :128]
    mouth = np.exp(-((x - 79) ** 2 + (y - 99) ** 2) / (2 * 6**2))
    motion = similarity(0.01, 1.004, (0.8, -0.6))
    onset, apex = moved_face(motion, muscle=(1.2 * mouth, -1.5 * mouth), gain=1.05)
    found = estimate_head_motion(onset, apex, LANDMARKS)
    nose = LANDMARKS[2]
    assert np.linalg.norm((found - motion)[:, :2] @ nose + (found - motion)[:, 2]) < 0.1

    registered = remove_head_motion(onset, apex, LANDMARKS)
    assert registered.shape == onset.shape
    assert registered.dtype == np.uint8
    change = np.abs(registered.astype(float) - onset).mean(2)
    assert change[65:82, 52:78].mean() < 3  # the nose stands still, in the same light
    still = similarity(0, 1, (0, 0))
    wanted = tvl1(*moved_face(still, muscle=(1.2 * mouth, -1.5 * mouth)))  # the same smile on a head that keeps still
    found_flow = tvl1(onset, registered)
    assert wanted[1][94:104, 74:84].mean() < -0.6  # the mouth corner rises
    assert np.linalg.norm(found_flow - wanted, axis=0)[20:-20, 20:-20].mean() < 0.1


def test_true_flow_of_a_registered_head_motion_is_zero():
    motion = similarity(0.02, 0.99, (1.5, -0.5))
    y, x = np.mgrid[:64, :80].astype(np.float64)
    points = np.stack([x, y])
    flow = np.tensordot(motion[:, :2], points, axes=1) + motion[:, 2, None, None] - points
    assert np.abs(register_flow(flow, motion)).max() < 1e-5


def test_equal_frames_stay_as_they_are():
    onset, _ = moved_face(similarity(0, 1, (0, 0)))
    np.testing.assert_allclose(estimate_head_motion(onset, onset), np.eye(2, 3), atol=1e-3)
    assert np.abs(remove_head_motion(onset, onset).astype(int) - onset).max() <= 1


def test_a_black_frame_stays_finite():
    black = np.zeros((64, 64, 3), np.uint8)
    assert remove_head_motion(black, black).max() == 0


@pytest.mark.parametrize("landmarks", [np.zeros((4, 2)), np.full((5, 2), np.nan)])
def test_landmarks_that_are_none_are_refused(landmarks):
    frame = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(DataError, match="five finite points"):
        estimate_head_motion(frame, frame, landmarks)


def test_frames_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="give both frames the same size"):
        remove_head_motion(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 32, 3), np.uint8))
    with pytest.raises(DataError, match="uint8"):
        remove_head_motion(np.full((64, 64, 3), np.nan), np.zeros((64, 64, 3), np.uint8))


def test_the_nose_method_finds_the_shift_of_the_nose_tip_and_nothing_else():
    motion = similarity(0.03, 1.01, (1.2, -0.8))
    found = estimate_head_motion(*moved_face(motion), LANDMARKS, method="nose")
    np.testing.assert_array_equal(found[:, :2], np.eye(2))
    nose = LANDMARKS[2]
    assert np.linalg.norm(found @ [*nose, 1] - motion @ [*nose, 1]) < 0.1
    eyes = np.linalg.norm(LANDMARKS[:2] @ (found - motion)[:, :2].T + (found - motion)[:, 2], axis=1)
    assert eyes.min() > 0.3  # the rotation stays
    registered = remove_head_motion(*moved_face(motion), LANDMARKS, found)
    assert np.abs(tvl1(moved_face(motion)[0], registered)[:, 72:82, 60:70].mean((1, 2))).max() < 0.15


def test_an_unknown_method_is_refused():
    frame = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(DataError, match=r"unknown method of alignment 'eyes'.*use one of similarity, nose"):
        estimate_head_motion(frame, frame, method="eyes")
