"""Frames of every kind come out as RGB uint8; what cannot be read is named, file or frame."""

import io
import os
import re
import struct
import subprocess
import sys
import warnings

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lfdtcmen import DataError
from lfdtcmen.datasets import frames as frames_module
from lfdtcmen.datasets.frames import describe_rate, is_video, list_frames, read_frames, read_image, video_info

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

    fractions = RAMP.astype(np.float32) / 255
    np.testing.assert_allclose(read_image(save(fractions, tmp_path / "float.tif")), grey, atol=1)
    fractions[0, 0] = 1.01  # what a filter leaves
    np.testing.assert_allclose(read_image(save(fractions, tmp_path / "filtered.tif"))[1:], grey[1:], atol=1)
    steps = np.array([[255, 256, 511, 512, 65535]], np.uint16)  # the upper eight bits, as of 16-bit colours
    assert read_image(save(steps, tmp_path / "steps.png"))[0, :, 0].tolist() == [0, 1, 1, 2, 255]

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


def valid_files():
    """Return small image files of each kind, with EXIF where there is such a thing."""
    exif = Image.Exif()
    exif[0x0112] = 6
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8))
    files = []
    for kind, options in (("jpeg", {"exif": exif}), ("tiff", {"exif": exif}), ("png", {}), ("bmp", {}), ("webp", {})):
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        files.append(buffer.getvalue())
    return files


@settings(max_examples=400)
@given(data=st.data())
def test_no_damage_to_an_image_gives_another_error_than_ours(data, tmp_path_factory):
    content = bytearray(data.draw(st.sampled_from(valid_files())))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("bytes") / "a.jpg"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, on damaged metadata
        try:
            image = read_image(path)
        except DataError as error:
            assert "a.jpg" in str(error)
        else:
            assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3


def test_damaged_metadata_is_named(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = bytearray(save(RED, tmp_path / "a.jpg", exif=exif).read_bytes())
    at = content.index(b"Exif\0\0") + 6
    content[at + 4 : at + 8] = b"\xff\xff\xff\x7f"  # where the first directory would be
    content[at + 2] = 99
    (tmp_path / "a.jpg").write_bytes(content)
    try:
        assert read_image(tmp_path / "a.jpg").shape == (20, 30, 3)
    except DataError as error:
        assert "a.jpg" in str(error)


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


def test_one_frame_at_a_time_is_read(tmp_path, monkeypatch):
    video = write_video(tmp_path / "a.mp4", [np.zeros((48, 64, 3), np.uint8)] * 6)
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(6):
        save(RED, folder / f"{number}.png")
    read = []
    real = frames_module.read_image
    monkeypatch.setattr(frames_module, "read_image", lambda path: read.append(path) or real(path))
    frames = read_frames(folder)
    next(frames)
    next(frames)
    assert len(read) == 2

    converted = []
    convert = cv2.cvtColor
    monkeypatch.setattr(frames_module.cv2, "cvtColor", lambda *a: converted.append(1) or convert(*a))
    frames = read_frames(video)
    next(frames)
    next(frames)
    assert len(converted) == 2


def test_a_header_that_counts_wrong_is_not_believed(tmp_path):
    path = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (64, 48))
    for i in range(7):
        writer.write(np.full((48, 64, 3), 30 * i, np.uint8))
    writer.release()
    assert video_info(path)[0] == 7
    content = path.read_bytes()
    total = content.index(b"avih") + 8 + 16  # dwTotalFrames of the main header
    length = content.index(b"strh") + 8 + 32  # dwLength of the stream's
    for wrong in (3, 500):
        changed = bytearray(content)
        changed[total : total + 4] = changed[length : length + 4] = wrong.to_bytes(4, "little")
        path.write_bytes(changed)
        assert video_info(path)[0] == 7
        assert [n for n, _ in read_frames(path)] == list(range(7))


def test_a_folder_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(frames_module.os, "listdir", refuse)
    with pytest.raises(DataError, match=r"cannot be opened \(Permission denied\)"):
        list_frames(tmp_path)


def test_a_video_without_a_frame_that_can_be_decoded_is_named(tmp_path):
    path = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    content = bytearray(path.read_bytes())
    frames = content.index(b"movi") + 4
    content[frames:] = bytes(len(content) - frames)
    path.write_bytes(content)
    for read in (video_info, lambda path: list(read_frames(path))):
        with pytest.raises(DataError, match="no frame that can be decoded"):
            read(path)


def test_a_broken_video_prints_nothing_and_the_environment_stays(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video" * 100)
    code = """
import os, sys
before = os.environ.get("OPENCV_FFMPEG_LOGLEVEL")
from lfdtcmen.datasets.frames import video_info
for _ in range(2):
    try:
        video_info(sys.argv[1])
    except ValueError as error:
        print(error)
assert os.environ.get("OPENCV_FFMPEG_LOGLEVEL") == before
"""
    for own in (None, "-8"):
        environment = {name: value for name, value in os.environ.items() if name != "OPENCV_FFMPEG_LOGLEVEL"}
        environment |= {} if own is None else {"OPENCV_FFMPEG_LOGLEVEL": own}
        command = [sys.executable, "-c", code, str(tmp_path / "a.mp4")]
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.count("cannot be decoded") == 2


@pytest.mark.parametrize("suffix", [".3gp", ".flv", ".mts", ".recording"])
def test_the_decoder_decides_what_a_video_is(tmp_path, suffix):
    path = write_video(tmp_path / "a.mp4", [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(5)])
    path = path.rename(path.with_suffix(suffix))
    assert is_video(path)
    assert video_info(path)[0] == len(list(read_frames(path))) == 5


def test_a_folder_named_like_a_video_is_read_as_a_folder(tmp_path):
    folder = tmp_path / "c.mp4"
    folder.mkdir()
    save(RED, folder / "7.png")
    assert not is_video(folder)
    assert [number for number, _ in read_frames(folder)] == [7]


def set_stamps(path, stamps):
    """Give the blocks of a Matroska video other time stamps, in milliseconds."""
    content = bytearray(path.read_bytes())
    blocks = list(re.finditer(rb"\xa3(?:[\x80-\xff]|[\x40-\x7f].)\x81(..)[\x00\x80]", bytes(content), re.DOTALL))
    assert len(blocks) == len(stamps)
    for block, stamp in zip(blocks, stamps, strict=True):
        content[block.start(1) : block.end(1)] = stamp.to_bytes(2, "big")
    path.write_bytes(content)


@pytest.mark.parametrize("fps", [24, 30, 200, 300, 500])
def test_a_steady_rate_needs_no_remark(tmp_path, fps):
    frames = [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(8)]
    for suffix in (".mp4", ".mkv"):
        assert describe_rate(write_video(tmp_path / f"a{suffix}", frames, fps=fps)) == ""


def test_a_rate_that_varies_is_said(tmp_path):
    path = write_video(tmp_path / "a.mkv", [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(8)], fps=30)
    set_stamps(path, [0, 33, 67, 100, 200, 233, 267, 300])
    assert describe_rate(path) == (
        "frames are 33 to 100 ms apart (variable frame rate, 23.3 a second on average): fps is what the file states"
    )


def test_frames_are_counted_where_a_container_has_no_index_of_them(tmp_path):
    for count in range(30, 50):  # of some, the header gives a number that is wrong and that one can seek to
        path = write_video(tmp_path / f"{count}.mkv", [np.full((48, 64, 3), 4 * i, np.uint8) for i in range(count)])
        gaps = np.random.default_rng(count).choice([17, 33, 50], count - 1, p=[0.15, 0.7, 0.15])
        stamps = np.cumsum([0, *gaps]).tolist()
        set_stamps(path, stamps)
        content = bytearray(path.read_bytes())
        duration = content.find(b"\x44\x89\x88") + 3
        content[duration : duration + 8] = struct.pack(">d", stamps[-1] + 33)
        rate = content.find(b"\x23\xe3\x83")  # a steady one, which becomes an element without a meaning
        content[rate : rate + 2] = bytes([0xEC, 0x80 | (2 + (content[rate + 3] & 0x7F))])
        path.write_bytes(content)
        assert video_info(path)[0] == len(list(read_frames(path))) == count


def test_a_path_with_a_colon_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "10-30.mp4", [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(8)]).rename("10:30.mp4")
    assert video_info("10:30.mp4")[0] == 8


def test_a_negative_number_is_no_frame_of_a_video_and_none_asked_for_are_none(tmp_path):
    path = write_video(tmp_path / "a.mp4", [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(8)])
    with pytest.raises(DataError, match=r"frame -3 is missing .*counted from 0"):
        list(read_frames(path, [-3, 2]))
    assert list(read_frames(path, [])) == []
