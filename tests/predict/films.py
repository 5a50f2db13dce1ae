"""Films of synthetic faces, as a video file or a folder of frames, for the tests of a prediction."""

from pathlib import Path

import cv2
import numpy as np

from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS
from lfdtcmen.datasets.synthetic.camera import take_picture
from lfdtcmen.datasets.synthetic.renderer import pose
from lfdtcmen.datasets.synthetic.sequences import make_subject
from lfdtcmen.datasets.synthetic.settings import get_settings

NAMES = ("negative", "positive", "surprise")


def scene(frames: np.ndarray) -> list[np.ndarray]:
    """Put 128x128 faces, three times as large, in the middle of frames of 640x480."""
    room = np.full((480, 640, 3), 90, np.uint8)
    filmed = []
    for frame in frames:
        filmed.append(room.copy())
        filmed[-1][48:432, 128:512] = cv2.resize(frame, (384, 384), interpolation=cv2.INTER_CUBIC)
    return filmed


def write_video(path: Path, frames: list[np.ndarray], fps: float = 30.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, frames[0].shape[1::-1])
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def write_folder(path: Path, frames: list[np.ndarray], first: int = 0) -> Path:
    path.mkdir()
    for number, frame in enumerate(frames, start=first):
        cv2.imwrite(str(path / f"{number:04d}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    return path


def film_turn(degrees: float, direction: tuple[float, float], smile: float = 0.0) -> np.ndarray:
    """Film a head that turns (x to the side, y nodding) and back, 24 frames, with a smile of so many pixels on it."""
    settings, rng = get_settings("standard"), np.random.default_rng(0)
    subject = make_subject(3, 1, settings)
    level = np.interp(np.arange(24), [6, 11, 17], [0, 1, 0])
    frames = []
    for share in level:
        units = np.zeros((len(ACTION_UNITS), 2))
        units[[ACTION_UNITS.index(6), ACTION_UNITS.index(12)]] = smile * share
        turned = subject.face.turn(subject.muscles.expression(units), *(degrees * share * np.array(direction)))
        frames.append(take_picture(subject.face.frame(turned, pose(scale=settings.zoom)), settings, rng))
    return np.stack(frames)
