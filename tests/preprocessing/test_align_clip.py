"""A clip's face comes to its canonical place and stays there, whatever the head does; the muscles' motion is kept."""

import tracemalloc
from dataclasses import replace

import cv2
import numpy as np
import pytest
from matplotlib import cbook
from PIL import Image
from skimage.data import astronaut

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic import warp_photograph
from lfdtcmen.datasets.synthetic.sequences import make_subject, sample_clip, sample_timing
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.preprocessing.align import CANONICAL, align_clip, align_faces
from lfdtcmen.preprocessing.faces import find_detector
from lfdtcmen.preprocessing.flow import tvl1


def synthetic_clip(subject, still=False, preset="standard"):
    """Return a synthetic clip from its onset to its offset; the same one with the head at rest when ``still``."""
    settings = get_settings(preset)
    moving = replace(settings, shift=0, rotation=0, yaw=0, pitch=0) if still else settings
    rng = np.random.default_rng([5, subject])
    timing = sample_timing(30.0, rng)
    clip = sample_clip(make_subject(0, subject, settings), "happiness", moving, timing, 30.0, rng)
    rows = slice(clip.onset, clip.offset + 1)
    return replace(clip, frames=clip.frames[rows], landmarks=clip.landmarks[rows], apex=clip.apex - clip.onset)


def into_crop(points, transform):
    """Take points [..., 2] of a frame to the aligned frame that ``transform`` [2, 3] cuts out of it."""
    inverse = cv2.invertAffineTransform(transform)
    return points @ inverse[:, :2].T + inverse[:, 2]


def flow_in_crop(flow, transform):
    """Return a flow [2, H, W] of the frame in pixels of the aligned frame, [2, 128, 128]."""
    y, x = np.mgrid[:128, :128].astype(np.float64)
    at = np.tensordot(transform[:, :2], np.stack([x, y]), 1) + transform[:, 2, None, None]
    seen = np.stack([cv2.remap(f, *at.astype(np.float32), cv2.INTER_LINEAR) for f in flow])
    return np.tensordot(cv2.invertAffineTransform(transform)[:, :2], seen, 1)


@pytest.mark.parametrize("preset", ["standard", "hard"])
def test_head_motion_goes_and_muscle_motion_stays(preset):
    residual, raw, cost = [], [], []
    y, x = np.mgrid[:128, :128]
    face = ((x - 64) / 44) ** 2 + ((y - 70) / 54) ** 2 < 1
    for subject in range(4):
        moving, still = synthetic_clip(subject, preset=preset), synthetic_clip(subject, still=True, preset=preset)
        aligned, reference = align_faces(moving.frames), align_faces(still.frames)
        np.testing.assert_array_equal(aligned.transforms[0], reference.transforms[0])  # they share the onset
        nose = np.stack([into_crop(p[2], m) for p, m in zip(moving.landmarks, aligned.transforms, strict=True)])
        # where the nose is in the clip whose head keeps still: its own muscles move it a little
        wanted = into_crop(still.landmarks[:, 2], reference.transforms[0])
        residual.extend(np.linalg.norm(nose - wanted, axis=1)[1:])
        raw.extend(np.linalg.norm(moving.landmarks[:, 2] - moving.landmarks[0, 2], axis=1)[1:])
        truth = flow_in_crop(still.flow, reference.transforms[0])
        errors = [
            np.linalg.norm(tvl1(a.frames[0], a.frames[moving.apex]) - truth, axis=0)[face].mean()
            for a in (aligned, reference)
        ]
        cost.append(errors[0] - errors[1])
    assert np.median(raw) > 0.3  # there was something to take away
    assert np.median(residual) <= 0.1 and np.percentile(residual, 95) <= 0.3
    assert max(cost) <= 0.1


def random_view(image, middle, rng):
    """Turn, scale and shift a photograph; return it with the similarity [2, 3] that did it."""
    angle, scale = np.deg2rad(rng.uniform(-20, 20)), rng.uniform(0.5, 2)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    width, height = (int(side * max(scale, 1)) for side in (image.shape[1], image.shape[0]))
    to = np.array([width, height]) * rng.uniform(0.35, 0.65, 2)
    matrix = np.column_stack([linear, to - linear @ middle])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(image, matrix, (width, height), flags=flags), matrix


def test_the_eyes_of_a_turned_and_scaled_photograph_come_to_the_same_place():
    image = astronaut()
    (face,) = find_detector()(image)
    straight = align_faces([image])
    eyes = into_crop(face.landmarks[:2], straight.transforms[0])
    assert np.linalg.norm(eyes - CANONICAL[:2], axis=1).max() < 2
    rng = np.random.default_rng(0)
    for _ in range(20):  # experiments/geometry.py has more pictures and changes
        view, matrix = random_view(image, face.landmarks.mean(0), rng)
        aligned = align_faces([view])
        seen = into_crop(face.landmarks[:2] @ matrix[:, :2].T + matrix[:, 2], aligned.transforms[0])
        assert np.linalg.norm(seen - CANONICAL[:2], axis=1).max() < 2


def test_a_large_slow_motion_is_followed():
    image = astronaut()
    still = np.stack([cv2.warpAffine(image, np.eye(2, 3), (512, 512))] * 2)
    frames = [cv2.warpAffine(image, np.array([[1, 0, 2.0 * t], [0, 1, 0.7 * t]]), (512, 512)) for t in range(25)]
    aligned = align_faces(frames)
    assert np.linalg.norm(aligned.transforms[-1][:, 2] - aligned.transforms[0][:, 2] - [48, 16.8]) < 0.5
    assert np.abs(aligned.frames[-1].astype(int) - align_clip(still)[0])[20:108, 20:108].mean() < 4


def test_a_jump_is_found_again():
    image = astronaut()
    frames = [image, cv2.warpAffine(image, np.array([[1.0, 0, 120], [0, 1, 60]]), (512, 512))]
    aligned = align_faces(frames)
    assert np.linalg.norm(aligned.transforms[1][:, 2] - aligned.transforms[0][:, 2] - [120, 60]) < 0.5


@pytest.mark.parametrize("shift", [(40, 0), (0, 30), (-25, 25)])
def test_a_jump_too_large_to_follow_is_not_taken_for_motion(shift):
    image = astronaut()
    moved = cv2.warpAffine(image, np.array([[1.0, 0, shift[0]], [0, 1, shift[1]]]), (512, 512))
    aligned = align_faces([image, moved])
    assert np.linalg.norm(aligned.transforms[1][:, 2] - aligned.transforms[0][:, 2] - shift) < 0.3


def test_another_face_in_the_place_of_the_first_is_refused():
    image = astronaut()
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        other = np.asarray(Image.open(file))[:512]
    with pytest.raises(DataError, match=r"face of the first frame is lost.*frame 1"):
        align_faces([image, other])
    both = np.concatenate([image, other], axis=1)
    gone = both.copy()
    gone[:, :512] = 128
    first = align_faces([both], landmarks=find_detector()(image)[0].landmarks)
    with pytest.raises(DataError, match=r"face of the first frame is lost.*frame 1"):
        align_faces([both, gone], landmarks=find_detector()(image)[0].landmarks)
    # both stay and change places: the first one is followed
    swapped = np.concatenate([other, image], axis=1)
    found = align_faces([both, swapped], landmarks=find_detector()(image)[0].landmarks)
    assert np.abs(found.transforms[1][:, 2] - first.transforms[0][:, 2] - [512, 0]).max() < 1


def test_lighting_is_matched_to_the_first_frame():
    image = astronaut()
    x = np.linspace(0.8, 1.1, 512)[None, :, None]
    lit = np.clip(image * x, 0, 255).astype(np.uint8)
    frames = align_clip([image, lit])
    assert np.abs(frames[1].astype(int) - frames[0])[20:108, 20:108].mean() < 3


def test_a_black_clip_is_called_black():
    with pytest.raises(DataError, match="almost black"):
        align_clip([np.full((200, 200, 3), 12, np.uint8)])


def test_a_face_that_leaves_is_named_by_its_frame():
    image = astronaut()
    with pytest.raises(DataError, match=r"no face found.*frame 2"):
        align_clip([image, image, np.full_like(image, 128)])
    with pytest.raises(DataError, match=r"no face found.*frame 0"):
        align_clip([np.full((200, 200, 3), 128, np.uint8)])
    with pytest.raises(DataError, match=r"no face found.*frame 46"):
        align_faces([np.full((200, 200, 3), 128, np.uint8)], numbers=[46])


def test_grey_frames_give_grey_rgb():
    grey = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)
    aligned = align_clip(np.stack([grey, grey]))
    assert aligned.shape == (2, 128, 128, 3) and aligned.dtype == np.uint8
    assert (aligned[..., 0] == aligned[..., 2]).all()


def test_known_landmarks_and_another_detector_are_used():
    image = astronaut()
    (face,) = find_detector()(image)

    def refuse(frame):
        raise AssertionError("nothing was to be detected")

    known = align_faces([image], detector=refuse, landmarks=face.landmarks)
    np.testing.assert_array_equal(known.frames, align_clip([image], detector=lambda frame: [face]))
    assert np.linalg.norm(known.landmarks[:2] - CANONICAL[:2], axis=1).max() < 2
    with pytest.raises(DataError, match="five finite points"):
        align_clip([image], landmarks=np.zeros((4, 2)))


def test_several_faces_are_said():
    image = np.concatenate([astronaut(), astronaut()[:, 60:]], axis=1)
    assert align_faces([image]).note == "2 faces found, the largest central one taken"


def test_frames_that_do_not_fit_are_named():
    image = astronaut()
    with pytest.raises(DataError, match=r"500x512 where the first is 512x512.*frame 1"):
        align_clip([image, image[:, :500]])
    with pytest.raises(DataError, match=r"uint8 array, got float64.*frame 1"):
        align_clip([image, image.astype(float)])
    with pytest.raises(DataError, match="no frames"):
        align_clip([])


def test_an_apex_on_a_photograph_of_a_moving_head_keeps_its_smile():
    image = astronaut()
    (face,) = find_detector()(image)
    smile, flow = warp_photograph(image, face.landmarks, {12: 2.0})
    moved = cv2.warpAffine(smile, np.array([[1, 0.01, 1.5], [-0.01, 1, -2.0]]), (512, 512), flags=cv2.INTER_CUBIC)
    aligned = align_faces([image, moved])
    truth = flow_in_crop(flow, aligned.transforms[0])
    found = tvl1(*aligned.frames)
    error, size = np.linalg.norm(found - truth, axis=0), np.linalg.norm(truth, axis=0)
    strong = size > 0.5
    assert strong.sum() > 300
    assert error[strong].mean() < 0.5 * size[strong].mean()


def test_a_4k_clip_never_lies_in_memory_whole():
    frame = cv2.resize(astronaut(), (3840, 2160), interpolation=cv2.INTER_LINEAR)
    tracemalloc.start()
    try:
        aligned = align_clip(frame.copy() for _ in range(12))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(aligned) == 12
    assert peak < 6 * frame.nbytes


def test_the_nose_method_shifts_only_and_keeps_the_nose_still():
    moving, still = synthetic_clip(2, preset="hard"), synthetic_clip(2, still=True, preset="hard")
    aligned = align_faces(moving.frames, landmarks=moving.landmarks[0], method="nose")
    first = aligned.transforms[0]
    for transform in aligned.transforms:
        np.testing.assert_allclose(transform[:, :2], first[:, :2])
    nose = np.stack([into_crop(p[2], m) for p, m in zip(moving.landmarks, aligned.transforms, strict=True)])
    wanted = into_crop(still.landmarks[:, 2], first)
    assert np.median(np.linalg.norm(nose - wanted, axis=1)[1:]) < 0.2
    np.testing.assert_array_equal(
        align_clip(moving.frames, landmarks=moving.landmarks[0], method="nose"), aligned.frames
    )
    assert (align_clip(moving.frames, landmarks=moving.landmarks[0]) != aligned.frames).any()


def test_the_nose_method_finds_a_jump_again():
    image = astronaut()
    aligned = align_faces(
        [image, cv2.warpAffine(image, np.array([[1.0, 0, 120], [0, 1, 60]]), (512, 512))], method="nose"
    )
    assert np.linalg.norm(aligned.transforms[1][:, 2] - aligned.transforms[0][:, 2] - [120, 60]) < 0.5


def test_an_unknown_method_is_refused_before_a_face_is_looked_for():
    with pytest.raises(DataError, match="unknown method of alignment 'eyes'"):
        align_clip([np.zeros((64, 64, 3), np.uint8)], lambda frame: pytest.fail("detected"), method="eyes")
