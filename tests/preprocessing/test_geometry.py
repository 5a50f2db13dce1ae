"""A face lies in one position, whatever frame it comes from; what cannot be brought there is refused."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic import make_dataset, package_photographs
from lfdtcmen.preprocessing.align import align_faces
from lfdtcmen.preprocessing.faces import find_detector
from lfdtcmen.preprocessing.geometry import CANONICAL, FARTHEST, check_geometry, check_same_geometry, locate_faces

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))
from geometry import FOUND, REFUSED, crop, measure_off  # noqa: E402 (it measures the same kinds)

sys.path.remove(str(ROOT / "experiments"))
PHOTOGRAPHS = package_photographs()


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
@pytest.mark.parametrize("kind", FOUND)
def test_a_cropped_face_comes_to_the_canonical_position(kind, photograph):
    frame = PHOTOGRAPHS[photograph]
    (face,) = find_detector()(frame)
    side, pixels, change = FOUND[kind]
    cropped, points = crop(frame, face.landmarks, side, pixels)
    if change:
        cropped, points = change(cropped, points)
    assert measure_off(cropped, points) < 4


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_whole_face_is_refused_with_its_reason(kind, photograph):
    frame = PHOTOGRAPHS[photograph]
    (face,) = find_detector()(frame)
    tight, _ = crop(frame, face.landmarks, 1.9, 128)
    with pytest.raises(DataError, match=r"(no face found|cuts off a part of the face).*frame 46"):
        align_faces([np.ascontiguousarray(REFUSED[kind](tight))], numbers=[46])


def test_a_tight_crop_is_noted_and_one_of_two_faces_is_chosen():
    frame = PHOTOGRAPHS["Hopper"]
    (face,) = find_detector()(frame)
    collins = PHOTOGRAPHS["Collins"]
    tight, _ = crop(collins, find_detector()(collins)[0].landmarks, 1.7, 128)
    assert "margin" in align_faces([tight]).note
    loose, _ = crop(frame, face.landmarks, 2.6, 128)
    assert align_faces([np.concatenate([loose, loose], axis=1)]).note.startswith("2 faces found")


def test_half_a_face_that_the_detector_completes_is_refused():
    frame = PHOTOGRAPHS["Hopper"]
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
