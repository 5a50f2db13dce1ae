"""Apex spotting: the right frame where it is known, better than the baselines on synthetic clips, sane elsewhere."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.data import astronaut

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic import make_clip, warp_photograph
from lfdtcmen.preprocessing.align import CANONICAL, align_clip
from lfdtcmen.preprocessing.apex import METHODS, own_motion, spot_apex, spot_interval, trapezoid

EYES = CANONICAL[:2].round().astype(int)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """The astronaut's face in its canonical place, uint8 [128, 128, 3]."""
    return align_clip([astronaut()], landmarks=[[203, 101], [246, 103], [223, 127], [204, 140], [244, 141]])[0]


def film(face: np.ndarray, strength: np.ndarray, units: dict, blink_at: int | None = None, noise=2.0) -> np.ndarray:
    """Let a face show action units, each frame as strongly as given, with the camera's noise and perhaps a blink."""
    rng = np.random.default_rng(0)
    frames = []
    for t, s in enumerate(strength):
        frame = warp_photograph(face, CANONICAL, {u: float(s) * a for u, a in units.items()})[0]
        if blink_at is not None and abs(t - blink_at) <= 2:  # the lids, in the colour of the cheek
            for x, y in EYES:
                cv2.ellipse(frame, (int(x), int(y)), (8, 4), 0, 0, 360, face[y + 14, x].tolist(), -1)
        frames.append(np.clip(frame + rng.normal(0, noise, frame.shape), 0, 255).astype(np.uint8))
    return np.stack(frames)


@pytest.mark.parametrize("units", [{12: 1.5}, {1: 1.5, 2: 1.5}, {4: 1.5}, {15: 1.5, 17: 1.0}], ids=str)
@pytest.mark.parametrize("at", [3, 5, 8])
def test_each_method_finds_the_frame_at_which_a_photograph_smiles_most(portrait, units, at):
    frames = film(portrait, trapezoid(12, 0, at, 11), units)
    assert spot_apex(frames) == at
    assert abs(spot_apex(frames, "flow") - at) <= 1
    assert abs(spot_apex(frames, "difference") - at) <= 1


def test_the_interval_may_lie_within_the_clip(portrait):
    frames = film(portrait, trapezoid(30, 8, 12, 19), {12: 1.5})
    found = {method: spot_apex(frames, method, 8, 19) for method in METHODS}
    assert found["pulse"] == 12 and found["midpoint"] == 13
    assert abs(found["flow"] - 12) <= 1 and abs(found["difference"] - 12) <= 1
    assert spot_apex(frames[8:20]) == 4


def test_a_whole_clip_gives_onset_apex_and_offset(portrait):
    found = spot_interval(film(portrait, trapezoid(50, 22, 26, 33), {12: 1.2}), fps=30)
    assert abs(found.onset - 22) <= 1 and found.apex == 26 and abs(found.offset - 33) <= 1
    assert found.curve.shape == (50,) and found.curve.dtype == np.float64
    assert found.curve[found.onset] == 0 and found.curve[found.apex] == 1
    assert np.abs(found.curve[:20]).max() < 0.4 and np.abs(found.curve[36:]).max() < 0.4


def test_a_fast_camera_is_searched_coarsely_and_answered_exactly(portrait):
    found = spot_interval(film(portrait, trapezoid(150, 52, 72, 112), {12: 1.5}), fps=200)
    assert abs(found.apex - 72) <= 4  # a fiftieth of a second
    assert abs(found.onset - 52) <= 8 and abs(found.offset - 112) <= 8


@pytest.mark.parametrize("blink_at", [8, 40])
def test_a_blink_does_not_win(portrait, blink_at):
    strength = trapezoid(50, 22, 26, 33)
    frames = film(portrait, strength, {12: 0.6}, blink_at)
    assert spot_apex(frames, "difference") in range(blink_at - 2, blink_at + 3)  # the baseline is fooled
    assert abs(spot_interval(frames, fps=30).apex - 26) <= 1


def test_a_blink_within_the_interval_does_not_win(portrait):
    frames = film(portrait, trapezoid(12, 0, 4, 11), {12: 0.6}, blink_at=8)
    assert spot_apex(frames, "difference") in range(6, 11)
    assert abs(spot_apex(frames) - 4) <= 1


def test_neither_a_slow_head_nor_the_light_counts_as_own_motion(portrait):
    frames = []
    for t in range(12):
        matrix = cv2.getRotationMatrix2D((64, 64), 0.05 * t, 1 + 0.0005 * t)
        matrix[:, 2] += 0.06 * t, -0.04 * t
        moved = cv2.warpAffine(portrait, matrix, (128, 128), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        frames.append(np.clip(moved * (1 + 0.01 * t), 0, 255).astype(np.uint8))
    smile = film(portrait, trapezoid(12, 0, 4, 11), {12: 1.0}, noise=0.0)
    kept = []
    for clip in (np.stack(frames), smile):
        grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip]).astype(float)
        kept.append(own_motion(clip).std() / (grey - grey.mean(0)).std())
    assert kept[0] < 0.1 and kept[1] > 0.3


def test_better_than_midpoint_and_difference_on_synthetic_clips():
    """The benchmark's claim on a handful: seed 2, neither the one it was developed on nor the one that is reported."""
    errors = {method: [] for method in METHODS}
    whole = []
    for subject in range(8):
        clip = make_clip(2, subject, emotion=("happiness", "anger", "surprise", "sadness")[subject % 4])
        between = align_clip(clip.frames[clip.onset : clip.offset + 1], landmarks=clip.landmarks[clip.onset])
        for method in METHODS:
            errors[method].append(abs(clip.onset + spot_apex(between, method) - clip.apex))
        found = spot_interval(align_clip(clip.frames, landmarks=clip.landmarks[0]), clip.fps)
        whole.append(abs(found.apex - clip.apex))
    error = {method: np.mean(values) for method, values in errors.items()}
    assert error["pulse"] < error["midpoint"] and error["pulse"] < error["difference"]
    assert error["pulse"] <= 1.5 and np.mean(whole) <= 1.5


def test_the_same_answer_twice(portrait):
    frames = film(portrait, trapezoid(20, 4, 8, 16), {4: 0.3}, noise=4)
    assert [spot_apex(frames, m) for m in METHODS] == [spot_apex(frames, m) for m in METHODS]
    first, second = spot_interval(frames, 30), spot_interval(frames, 30)
    np.testing.assert_array_equal(first.curve, second.curve)
    assert (first.onset, first.apex, first.offset) == (second.onset, second.apex, second.offset)


@settings(max_examples=40)
@given(
    length=st.integers(2, 24),
    onset=st.integers(0, 22),
    span=st.integers(1, 23),
    method=st.sampled_from(METHODS),
    contrast=st.sampled_from([0, 1, 40]),
    seed=st.integers(0, 5),
)
def test_an_apex_lies_after_the_onset_and_not_after_the_offset(length, onset, span, method, contrast, seed):
    rng = np.random.default_rng(seed)
    frames = (100 + contrast * rng.standard_normal((length, 128, 128, 3))).clip(0, 255).astype(np.uint8)
    onset = min(onset, length - 2)
    offset = min(onset + span, length - 1)
    assert onset < spot_apex(frames, method, onset, offset) <= offset
    found = spot_interval(frames, fps=float(rng.uniform(1, 500)))
    assert 0 <= found.onset < found.apex <= found.offset < length
    assert found.curve.shape == (length,) and np.isfinite(found.curve).all()


@pytest.mark.parametrize("method", METHODS)
def test_frames_that_do_not_differ_give_the_midpoint(portrait, method):
    frames = np.repeat(portrait[None], 11, 0)
    assert spot_apex(frames, method) == 5
    assert spot_apex(frames[:2], method) == 1  # never the onset itself: such a pair shows no motion
    assert spot_interval(frames, 30).apex == 5


def test_what_is_no_clip_or_no_interval_is_refused(portrait):
    frames = np.repeat(portrait[None], 6, 0)
    for onset, offset in ((3, 3), (4, 2), (-1, 3), (0, 6)):
        with pytest.raises(DataError, match="0 <= onset < offset <= 5"):
            spot_apex(frames, "pulse", onset, offset)
    with pytest.raises(DataError, match="no interval of a clip of 1 frames"):
        spot_apex(frames[:1])
    with pytest.raises(DataError, match="one frame shows no motion"):
        spot_interval(frames[:1], 30)
    with pytest.raises(DataError, match="use one of pulse, flow, difference, midpoint"):
        spot_apex(frames, "peak")
    for wrong in (frames.astype(float), frames[..., 0], frames[:, :64], frames[:0]):
        with pytest.raises(DataError, match="align_clip"):
            spot_apex(wrong)
        with pytest.raises(DataError, match="align_clip"):
            spot_interval(wrong, 30)
    for rate in (0, -30, float("nan")):
        with pytest.raises(DataError, match="above 0"):
            spot_interval(frames, rate)


def test_a_pulse_is_flat_rises_holds_and_falls():
    np.testing.assert_allclose(trapezoid(8, 1, 3, 6), [0, 0, 0.5, 1, 2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(trapezoid(14, 1, 5, 11), [0, 0, 0.25, 0.5, 0.75, 1, 1, 0.8, 0.6, 0.4, 0.2, 0, 0, 0])


def test_fast_enough_for_a_course(portrait):
    """Wide bounds, so that a busy machine passes too: 15 frames take 3 ms, and 300 frames 0.1 s, on an idle core."""
    frames = np.repeat(portrait[None], 300, 0)
    frames = np.clip(frames + np.random.default_rng(0).normal(0, 3, frames.shape), 0, 255).astype(np.uint8)
    start = time.process_time()
    spot_apex(frames[:15])
    middle = time.process_time()
    spot_interval(frames, 30)
    assert middle - start < 1 and time.process_time() - middle < 8
