"""Films of synthetic faces, as a video file or a folder of frames, for the tests of a prediction."""

from pathlib import Path

import cv2
import numpy as np

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
