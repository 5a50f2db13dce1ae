"""Frames of every kind come out as RGB uint8; what cannot be read is named, file or frame."""

import os
import shutil

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lfdtcmen import DataError
from lfdtcmen.preprocessing.frames import is_video, list_frames, read_frames, read_image, video_info

RED = np.zeros((20, 30, 3), np.uint8)
RED[..., 0] = 200
RAMP = np.tile(np.linspace(0, 255, 30, dtype=np.uint8), (20, 1))


def save(array, path, **options):
    Image.fromarray(array).save(path, **options)
    return path


def write_video(path, frames, fps=30.0):
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (width, height))
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp"])
def test_colours_are_rgb_in_each_format(tmp_path, suffix):
    image = read_image(save(RED, tmp_path / f"a{suffix}"))
    assert image.shape == (20, 30, 3) and image.dtype == np.uint8
    assert np.abs(image.reshape(-1, 3).mean(0) - [200, 0, 0]).max() < 3


def test_grey_16_bit_palette_and_transparent_images_become_rgb(tmp_path):
    grey = np.repeat(RAMP[..., None], 3, 2)
    np.testing.assert_array_equal(read_image(save(RAMP, tmp_path / "grey.png")), grey)
    np.testing.assert_array_equal(read_image(save(RAMP.astype(np.uint16) * 257, tmp_path / "deep.png")), grey)
    np.testing.assert_array_equal(read_image(save(RAMP.astype(np.uint16) * 257, tmp_path / "deep.tif")), grey)
    np.testing.assert_array_equal(read_image(save(RAMP.astype(np.uint16), tmp_path / "dark.png")), grey)

    cv2.imwrite(str(tmp_path / "deep rgb.png"), (RED[..., ::-1].astype(np.uint16) * 257))
    np.testing.assert_array_equal(read_image(tmp_path / "deep rgb.png"), RED)

    half = np.dstack([RED, np.full(RED.shape[:2], 255, np.uint8)])
    half[:10, :, 3] = 0
    image = read_image(save(half, tmp_path / "alpha.png"))
    assert image[:10].max() == 0
    np.testing.assert_array_equal(image[10:], RED[10:])

    Image.fromarray(RED).quantize(8).save(tmp_path / "palette.png")
    assert np.abs(read_image(tmp_path / "palette.png").astype(int) - RED).max() < 10


def test_a_photograph_that_was_taken_sideways_is_set_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert read_image(save(RED, tmp_path / "a.jpg", exif=exif)).shape == (30, 20, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_a_file_that_is_cut_off_is_refused(tmp_path, suffix):
    rng = np.random.default_rng(0)
    path = save(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8), tmp_path / f"a{suffix}")
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(DataError, match=f"cannot be read.*a{suffix}"):
        read_image(path)


def test_missing_empty_and_foreign_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"no such image.*7\.jpg"):
        read_image(tmp_path / "7.jpg")
    (tmp_path / "8.jpg").touch()
    with pytest.raises(DataError, match=r"is empty.*8\.jpg"):
        read_image(tmp_path / "8.jpg")
    (tmp_path / "9.jpg").write_text("not an image")
    with pytest.raises(DataError, match=r"not an image.*9\.jpg"):
        read_image(tmp_path / "9.jpg")
    with pytest.raises(DataError, match="cannot be read"):
        read_image(tmp_path)


@given(data=st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("bytes") / "a.png"
    path.write_bytes(data)
    with pytest.raises(DataError):
        read_image(path)


def test_frames_are_numbered_by_the_end_of_their_names(tmp_path):
    names = ["img9.jpg", "img10.JPG", "006_0011.jpg", "reg_img12.jpg", "notes.txt", "cover.jpg", ".13.jpg"]
    for name in names:
        (tmp_path / name).touch()
    frames = list_frames(tmp_path)
    assert list(frames) == [9, 10, 11, 12]
    assert frames[12].name == "reg_img12.jpg"


def test_two_frames_of_one_number_and_folders_without_frames_are_refused(tmp_path):
    with pytest.raises(DataError, match="no numbered images"):
        list_frames(tmp_path)
    with pytest.raises(DataError, match=r"no such folder.*gone"):
        list_frames(tmp_path / "gone")
    (tmp_path / "1.jpg").touch()
    (tmp_path / "001.png").touch()
    with pytest.raises(DataError, match=r"frame number 1: 001\.png and 1\.jpg"):
        list_frames(tmp_path)


def test_a_folder_is_read_in_order_with_its_gaps(tmp_path):
    folder = tmp_path / "Ünï cödé folder"
    folder.mkdir()
    for number in (11, 2, 30):
        save(np.full((4, 4, 3), number, np.uint8), folder / f"{number}.png")
    assert [(n, f[0, 0, 0]) for n, f in read_frames(folder)] == [(2, 2), (11, 11), (30, 30)]
    assert [n for n, _ in read_frames(folder, [30, 2, 2])] == [2, 30]
    with pytest.raises(DataError, match=r"frame 12 is missing.*3 frames, 2 to 30"):
        list(read_frames(folder, [2, 12]))


def test_a_video_is_read_in_order_from_frame_0(tmp_path):
    frames = [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(8)]
    path = write_video(tmp_path / "klíp 1.mp4", frames, fps=25.0)
    assert is_video(path) and not is_video(tmp_path)
    assert video_info(path) == (8, 25.0)
    read = list(read_frames(path))
    assert [n for n, _ in read] == list(range(8))
    assert np.abs([f.mean() - 20 * n for n, f in read]).max() < 4
    assert [n for n, _ in read_frames(path, [5, 1])] == [1, 5]
    with pytest.raises(DataError, match=r"frame 8 is missing.*ends with frame 7"):
        list(read_frames(path, [7, 8, 11]))


def test_videos_are_rgb(tmp_path):
    path = write_video(tmp_path / "red.mp4", [cv2.resize(RED, (64, 48))] * 3)
    _, frame = next(read_frames(path))
    assert frame[..., 0].mean() > 150 > 60 > frame[..., 2].mean()


def test_a_video_that_cannot_be_decoded_is_named(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"not a video at all")
    for read in (video_info, lambda path: list(read_frames(path))):
        with pytest.raises(DataError, match=r"cannot be decoded.*a\.mp4"):
            read(tmp_path / "a.mp4")
        with pytest.raises(DataError, match=r"no such.*gone\.mp4"):
            read(tmp_path / "gone.mp4")
    (tmp_path / "a.txt").touch()
    with pytest.raises(DataError, match="the file is no video"):
        list(read_frames(tmp_path / "a.txt"))
    with pytest.raises(DataError, match="no such folder or video"):
        list(read_frames(tmp_path / "nothing"))


def test_the_whole_of_a_long_video_is_never_in_memory(tmp_path):
    path = write_video(tmp_path / "a.mp4", [np.zeros((48, 64, 3), np.uint8)] * 5)
    frames = read_frames(path)
    next(frames)
    shutil.copy(path, tmp_path / "b.mp4")
    frames.close()  # a reader may stop early; the file is let go
    path.unlink()
