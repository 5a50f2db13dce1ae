"""Frames from disk: folders of images and video files, read one frame at a time.

Frames of a folder have the number at the end of their file name (``img0046.jpg`` is 46). Numbers may start anywhere and
have gaps. Frames of a video are numbered from 0.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lfdtcmen.errors import DataError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
#: Files that are listed as videos. A file with another name that is given by its path is tried, too.
VIDEO_SUFFIXES = (
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".3gp", ".3g2", ".flv", ".f4v", ".mts",
    ".m2ts", ".ts", ".vob", ".asf", ".ogv", ".mxf", ".mjpeg", ".gif",
)  # fmt: skip
INDEXED_SUFFIXES = (".mp4", ".mov", ".m4v", ".avi")
RATE_FRAMES = 300  # frames whose time stamps are compared: enough to see that a phone varies its rate
NUMBER = re.compile(r"(\d+)\D*$")


def read_image(path: Path | str) -> np.ndarray:
    """Read an image of any depth and kind (grey, 16-bit, palette, with alpha) as RGB.

    Parameters
    ----------
    path : path
        Image file. A photograph that its camera marked as rotated is turned upright.

    Returns
    -------
    ndarray
        uint8 [H, W, 3]. 16-bit values keep their upper eight bits, but grey ones that are all below 256 are taken as
        they are; fractions from 0 to 1 become 0 to 255; transparent pixels become black.

    Raises
    ------
    DataError
        The file is missing, empty, cut off, or not an image.
    """
    path = Path(path)
    try:
        if path.stat().st_size == 0:
            raise DataError("the image file is empty", str(path), "copy it again from its source")
        with Image.open(path) as file:
            image: Image.Image = ImageOps.exif_transpose(file)  # decodes all of it: a file that is cut off raises here
            if image.mode.startswith("I") or image.mode == "F":
                return _from_deep(np.asarray(image))
            if image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
            return np.asarray(image.convert("RGB"))
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError("there is no such image file", str(path), "look at the folder and the frame number") from error
    except UnidentifiedImageError as error:
        raise DataError("the file is not an image", str(path), "copy it again from its source") from error
    except Exception as error:  # for a damaged file, decoders raise anything: struct.error, TypeError, ...
        raise DataError(f"the image cannot be read ({error})", str(path), "copy it again from its source") from error


def list_frames(folder: Path | str) -> dict[int, Path]:
    """Return the image files of a folder by frame number, rising.

    Raises
    ------
    DataError
        As :func:`frame_names`.
    """
    return {number: Path(folder) / name for number, name in frame_names(folder).items()}


def frame_names(folder: Path | str) -> dict[int, str]:
    """Return the names of the image files of a folder by frame number, rising: faster than paths for a million frames.

    Raises
    ------
    DataError
        The folder is missing or cannot be opened, holds no numbered image, or two images with the same number.
    """
    if not os.path.isdir(folder):
        raise DataError("there is no such folder of frames", str(folder))
    try:
        files = os.listdir(folder)
    except OSError as error:
        raise DataError(f"the folder of frames cannot be opened ({error.strerror})", str(folder)) from error
    names: dict[int, str] = {}
    for file in files:
        stem, suffix = os.path.splitext(file)
        if suffix.lower() not in IMAGE_SUFFIXES or file.startswith("."):
            continue
        if match := NUMBER.search(stem):
            number = int(match[1])
            if number in names:
                both = " and ".join(sorted([file, names[number]]))
                raise DataError(f"two images have the frame number {number}: {both}", str(folder), "remove one")
            names[number] = file
    if not names:
        kinds = ", ".join(IMAGE_SUFFIXES)
        raise DataError("the folder holds no numbered images", str(folder), f"frames are files like 0001.jpg ({kinds})")
    return dict(sorted(names.items()))


def is_video(path: Path | str) -> bool:
    """Return whether a path is that of a file that may be a video: any but a still image. The decoder decides."""
    return Path(path).suffix.lower() not in IMAGE_SUFFIXES and os.path.isfile(path)


def video_info(path: Path | str) -> tuple[int, float]:
    """Return the number of frames of a video, and its frames per second (0 where the file does not have the rate).

    The number in the header is often wrong (recordings of a browser have none). It is used where the container has an
    index of its frames, and the frame with the last number exists and none follows it. Else all frames are counted.

    Raises
    ------
    DataError
        The file is missing, or is no video that OpenCV can decode.
    """
    with _open_video(path) as capture:
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        capture.set(cv2.CAP_PROP_POS_FRAMES, count - 1)
        indexed = Path(path).suffix.lower() in INDEXED_SUFFIXES  # in others one gets to a frame by its time: a guess
        if indexed and count >= 1 and capture.grab() and not capture.grab():
            return count, fps
    with _open_video(path) as capture:
        count = 0
        while capture.grab():
            count += 1
    if count == 0:
        raise DataError("the video holds no frame that can be decoded", str(path), "convert it to H.264 mp4")
    return count, fps


def describe_rate(path: Path | str) -> str:
    """Return a remark where the frames of a video do not come at one rate, "" where they do.

    The time stamps of the first ``RATE_FRAMES`` frames are compared; the remark has their average rate. What
    :func:`video_info` returns is the rate that the file states.

    Raises
    ------
    DataError
        The file is missing, or is no video that OpenCV can decode.
    """
    stamps: list[float] = []  # milliseconds
    with _open_video(path) as capture:
        while len(stamps) < RATE_FRAMES and capture.grab():
            stamps.append(capture.get(cv2.CAP_PROP_POS_MSEC))
    gaps = np.diff(stamps)
    if len(gaps) < 2 or (gaps <= 0).any():  # no usable time stamps
        return ""
    usual = float(np.median(gaps))
    uneven = np.abs(gaps - usual) > max(usual / 2, 1.5)  # stamps may be rounded to milliseconds
    if not uneven.any():
        return ""
    apart = f"frames are {gaps.min():.0f} to {gaps.max():.0f} ms apart"
    return f"{apart} (variable frame rate, {1000 / gaps.mean():.1f} a second on average): fps is what the file states"


def read_frames(path: Path | str, numbers: Iterable[int] | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (number, frame) of a folder of images or of a video, rising, one frame in memory at a time.

    Parameters
    ----------
    path : path
        Folder of frames, or video file.
    numbers : iterable of int, optional
        Numbers of the frames; all by default.

    Yields
    ------
    (int, ndarray)
        Frame number and RGB frame, uint8 [H, W, 3].

    Raises
    ------
    DataError
        The path or one of the frames is missing or cannot be read; the message has the frame's number.
    """
    path = Path(path)
    requested = None if numbers is None else sorted({int(number) for number in numbers})
    if requested == []:
        return
    if path.is_dir():
        files = list_frames(path)
        for number in files if requested is None else requested:
            if number not in files:
                raise DataError(f"frame {number} is missing", str(path), f"there are {_span(list(files))}")
            yield number, read_image(files[number])
    elif is_video(path):
        yield from _read_video(path, requested)
    else:
        what = "the file is no video" if path.exists() else "there is no such folder or video"
        raise DataError(what, str(path), "give a folder of images, or a video")


def _read_video(path: Path, requested: list[int] | None) -> Iterator[tuple[int, np.ndarray]]:
    last = None if requested is None else max(requested, default=-1)
    selected = None if requested is None else set(requested)
    if requested and requested[0] < 0:
        raise DataError(f"frame {requested[0]} is missing", str(path), "frames of a video are counted from 0")
    number = -1
    with _open_video(path) as capture:
        while last is None or number < last:
            if not capture.grab():  # the end: the number of frames in the header is often wrong
                break
            number += 1
            if selected is None or number in selected:
                ok, frame = capture.retrieve()
                if not ok:
                    raise DataError(f"frame {number} cannot be decoded", str(path), "convert the video, or cut it")
                yield number, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    if number < 0:
        raise DataError("the video holds no frame that can be decoded", str(path), "convert it to H.264 mp4")
    if selected is not None and last is not None and number < last:
        missing = min(n for n in selected if n > number)
        raise DataError(f"frame {missing} is missing", str(path), f"the video ends with frame {number}, counted from 0")


@contextmanager
def _open_video(path: Path | str) -> Iterator[cv2.VideoCapture]:
    path = Path(path)
    if not path.is_file():
        raise DataError("there is no such video file", str(path))
    with _quiet_ffmpeg():
        capture = cv2.VideoCapture(os.path.abspath(path))  # FFmpeg takes "10:" of a relative path for a protocol
    if not capture.isOpened():
        known = path.suffix.lower() in VIDEO_SUFFIXES
        what = "the video cannot be decoded" if known else "the file is no video that can be decoded"
        raise DataError(what, str(path), "convert it to H.264 mp4")
    try:
        yield capture
    finally:
        capture.release()


@contextmanager
def _quiet_ffmpeg() -> Iterator[None]:
    """Keep FFmpeg from printing about broken videos: a DataError says in one line what is wrong.

    OpenCV reads the level once, when a process opens its first video.
    """
    name = "OPENCV_FFMPEG_LOGLEVEL"
    if name in os.environ:  # the user's own choice
        yield
        return
    os.environ[name] = "-8"
    try:
        yield
    finally:
        os.environ.pop(name, None)


def _from_deep(values: np.ndarray) -> np.ndarray:
    """Return grey values of more than 8 bits as RGB uint8.

    The largest value decides: fractions, which filters may have brought a little above 1, and whole numbers up to 255
    have that range, all others 16 bits.
    """
    floating = values.dtype.kind == "f"
    values = np.nan_to_num(values.astype(np.float64))
    if floating and values.max(initial=0) <= 2:
        values = values * 255
    elif values.max(initial=0) > 255:
        values = values // 256
    return np.repeat(np.clip(values, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _span(numbers: list[int]) -> str:
    return f"{len(numbers)} frames, {numbers[0]} to {numbers[-1]}"
