"""A face lies in one position, whatever frame it comes from; what cannot be brought there is refused."""

import cv2
import numpy as np
import pytest
from matplotlib import cbook, image
from skimage.data import astronaut

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.preprocessing.align import align_faces
from lfdtcmen.preprocessing.faces import MIRRORED_LANDMARKS, cut, find_detector
from lfdtcmen.preprocessing.geometry import CANONICAL, FARTHEST, check_geometry, check_same_geometry, locate_faces


def hopper():
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        return image.imread(file, format="jpg")


PHOTOGRAPHS = {"Collins": astronaut, "Hopper": hopper}


def crop(frame, landmarks, side, pixels, middle=(0, 0)):
    """Return a square crop, ``side`` distances between the eyes wide, and the landmarks in it."""
    eyes = np.linalg.norm(landmarks[1] - landmarks[0])
    step = side * eyes / pixels
    centre = landmarks.mean(0) + eyes * np.array(middle)
    transform = np.array(
        [[step, 0, centre[0] - step * (pixels - 1) / 2], [0, step, centre[1] - step * (pixels - 1) / 2]]
    )
    return cut(frame, transform, pixels), (landmarks - transform[:, 2]) / step


def off(frame, landmarks):
    """Return how far the eyes are from their canonical position once the frame is aligned, pixels."""
    back = cv2.invertAffineTransform(align_faces([frame]).transforms[0])
    return np.linalg.norm(landmarks[:2] @ back[:, :2].T + back[:, 2] - CANONICAL[:2], axis=1).max()


def bars(tight, points):
    return cv2.copyMakeBorder(tight, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=(255, 255, 255)), points + 20


def mirror(tight, points):
    return np.ascontiguousarray(tight[:, ::-1]), points[MIRRORED_LANDMARKS] * [-1, 1] + [tight.shape[1] - 1, 0]


def grey(tight, points):
    return np.repeat(cv2.cvtColor(tight, cv2.COLOR_RGB2GRAY)[..., None], 3, 2), points


def turn(tight, points):
    middle = (tight.shape[1] - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), 15, 1)
    turned = cv2.warpAffine(tight, matrix, tight.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return turned, points @ matrix[:, :2].T + matrix[:, 2]


def fringe(tight, points):
    haired = tight.copy()
    haired[: int(points[:2, 1].mean() - 0.35 * (points[1, 0] - points[0, 0]))] = 25  # hair over forehead and brows
    return haired, points


FOUND = {  # name -> side in distances between the eyes, pixels, and what else is done to the crop
    "tight": (1.8, 128, None),
    "tight, 64 pixels": (1.8, 64, None),
    "tighter": (1.7, 96, None),
    "tiny": (2.4, 40, None),
    "loose": (3.5, 128, None),
    "very loose": (6.0, 320, None),
    "white bars": (2.0, 128, bars),
    "mirrored": (2.0, 128, mirror),
    "grey": (2.0, 128, grey),
    "turned by 15 degrees": (2.4, 128, turn),
    "hair over the brows": (2.4, 128, fringe),
}


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
@pytest.mark.parametrize("kind", FOUND)
def test_a_cropped_face_comes_to_the_canonical_position(kind, photograph):
    frame = PHOTOGRAPHS[photograph]()
    (face,) = find_detector()(frame)
    side, pixels, change = FOUND[kind]
    cropped, points = crop(frame, face.landmarks, side, pixels)
    if change:
        cropped, points = change(cropped, points)
    assert off(cropped, points) < 4


def upside_down(tight):
    return np.ascontiguousarray(tight[::-1])


REFUSED = {
    "left half": lambda tight: tight[:, :64],
    "right half": lambda tight: tight[:, 64:],
    "upper half": lambda tight: tight[:64],
    "lower half": lambda tight: tight[64:],
    "upside down": upside_down,
    "on its side": lambda tight: np.rot90(tight).copy(),
    "negative": lambda tight: 255 - tight,
    "eyes covered": lambda tight: np.concatenate([tight[:25], np.full_like(tight[:45], 20), tight[70:]]),
    "no face": lambda tight: np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8),
    "one colour": lambda tight: np.full_like(tight, 128),
}


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_whole_face_is_refused_with_its_reason(kind, photograph):
    frame = PHOTOGRAPHS[photograph]()
    (face,) = find_detector()(frame)
    tight, _ = crop(frame, face.landmarks, 1.9, 128)
    with pytest.raises(DataError, match=r"(no face found|cuts off a part of the face).*frame 46"):
        align_faces([np.ascontiguousarray(REFUSED[kind](tight))], numbers=[46])


def test_a_tight_crop_is_noted_and_one_of_two_faces_is_chosen():
    frame = hopper()
    (face,) = find_detector()(frame)
    tight, _ = crop(astronaut(), find_detector()(astronaut())[0].landmarks, 1.7, 128)
    assert "margin" in align_faces([tight]).note
    loose, _ = crop(frame, face.landmarks, 2.6, 128)
    assert align_faces([np.concatenate([loose, loose], axis=1)]).note.startswith("2 faces found")


def test_half_a_face_that_the_detector_completes_is_refused():
    frame = hopper()
    (face,) = find_detector()(frame)

    def guess(image):
        return [type(face)(face.box, face.landmarks - [240, 0], 0.9)]  # one eye lies outside

    with pytest.raises(DataError, match="cuts off a part of the face"):
        locate_faces(frame, guess, "frame 0")


@pytest.fixture(scope="module")
def faces():
    return make_dataset("easy", "3class", subjects=8, seed=5)  # those of tests/evaluation/test_audit.py, from the cache


def test_synthetic_faces_lie_in_the_canonical_position(faces):
    assert np.linalg.norm(faces.landmarks.mean(0) - CANONICAL, axis=1).max() < 1.5
    dfme = make_dataset("easy", subjects=4, domain="dfme")  # its camera is 7 % nearer
    assert np.linalg.norm(dfme.landmarks.mean(0) - CANONICAL, axis=1).max() < FARTHEST
    for landmarks in (faces.landmarks, None):
        assert check_geometry(faces.onset, landmarks) == ""
    assert check_geometry(faces.onset[:1], faces.landmarks[:1]) == ""


@pytest.mark.parametrize("scale, shift", [(1.35, (0, 0)), (1.0, (0, 14)), (0.7, (0, 0)), (1.6, (0, -6))])
def test_faces_elsewhere_are_refused_with_and_without_landmarks(faces, scale, shift):
    matrix = np.array([[scale, 0, 64 - scale * 64 + shift[0]], [0, scale, 64 - scale * 64 + shift[1]]])
    moved = np.stack([
        cv2.warpAffine(face, matrix, (128, 128), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        for face in faces.onset[:12]
    ])  # fmt: skip
    for landmarks in (faces.landmarks[:12] @ matrix[:, :2].T + matrix[:, 2], None):
        with pytest.raises(DataError, match=r"faces lie elsewhere.*not at \(44, 50\), \(84, 50\).*align_faces"):
            check_geometry(moved, landmarks)


def test_a_set_without_a_face_is_warned_of():
    noise = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
    assert "no face was found in 3 of the onsets" in check_geometry(noise, None)


def test_what_was_made_for_another_geometry_is_refused():
    check_same_geometry(None, "file", "train again")  # written before it was kept
    check_same_geometry(CANONICAL.tolist(), "file", "train again")
    with pytest.raises(DataError, match=r"lie elsewhere.*train again"):
        check_same_geometry((CANONICAL * 1.2).tolist(), "file", "train again")
