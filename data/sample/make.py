"""Make the images and clips of this folder again: python data/sample/make.py"""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from lfdtcmen.datasets.manifest import check_manifest
from lfdtcmen.datasets.synthetic import Pair, draw_face, make_clip, render_pair
from lfdtcmen.datasets.synthetic.action_units import NAMES, facs_code
from lfdtcmen.preprocessing.align import remove_head_motion
from lfdtcmen.preprocessing.flow import tvl1

HERE = Path(__file__).parent
FACES = range(12, 44)  # subjects on the contact sheet
ACTION_UNIT_SUBJECT = 15  # the subject that shows the action units
# emotion, subject, clip: strong expressions, which are visible at this size
PAIRS = [
    ("happiness", 9, 3),
    ("surprise", 13, 0),
    ("disgust", 26, 0),
    ("anger", 24, 0),
    ("fear", 11, 2),
    ("sadness", 33, 1),
]
CLIPS = [("happiness", 0, 0), ("surprise", 7, 0)]  # short clips as frames, in the layout of the reader's own data


def write_on(tile: np.ndarray, text: str, bottom: bool = False) -> np.ndarray:
    """Return the tile with a text in its corner."""
    tile = np.ascontiguousarray(tile)
    position = (3, tile.shape[0] - 5 if bottom else 11)
    for colour, width in (((0, 0, 0), 2), ((255, 255, 255), 1)):
        cv2.putText(tile, text, position, cv2.FONT_HERSHEY_SIMPLEX, 0.36, colour, width, cv2.LINE_AA)
    return tile


def paint_flow(flow: np.ndarray, full: float = 1.5) -> np.ndarray:
    """Return flow [2, H, W] as colours: hue is direction, saturation is length, full at ``full`` pixels."""
    length, angle = np.hypot(*flow), np.degrees(np.arctan2(flow[1], flow[0])) % 360
    hsv = np.stack([angle, np.clip(length / full, 0, 1), np.ones_like(length)], -1).astype(np.float32)
    return np.round(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255).astype(np.uint8)


def strip(emotion: str, pair: Pair) -> list[np.ndarray]:
    """Return onset, apex, amplified difference and TV-L1 flow of a pair, without the head motion."""
    apex = remove_head_motion(pair.onset, pair.apex, pair.landmarks)
    grey = [cv2.cvtColor(cv2.GaussianBlur(f, (0, 0), 0.6), cv2.COLOR_RGB2GRAY).astype(int) for f in (pair.onset, apex)]
    change = np.clip(128 + 4 * (grey[1] - grey[0]), 0, 255).astype(np.uint8)
    return [
        write_on(pair.onset, emotion),
        write_on(apex, facs_code(pair.action_units, threshold=0.3), bottom=True),
        np.dstack([change] * 3),
        paint_flow(tvl1(pair.onset, apex)),
    ]


def save(name: str, tiles: list[np.ndarray], columns: int) -> None:
    """Write tiles, all of one size, as one image."""
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    Image.fromarray(np.vstack(rows)).save(HERE / name, optimize=True)


def save_clips() -> None:
    """Write short clips as numbered frames, and the table that describes them."""
    rows = []
    for emotion, subject, number in CLIPS:
        clip = make_clip(0, subject, number, preset="easy", emotion=emotion)
        path = f"clips/s{subject:03d}_{emotion}"
        (HERE / path).mkdir(parents=True, exist_ok=True)
        for index, frame in enumerate(clip.frames, start=1):
            Image.fromarray(frame).save(HERE / path / f"{index:05d}.jpg", quality=90)
        rows.append(
            {
                "dataset": "sample",
                "subject": f"sample/s{subject:03d}",
                "clip": path.split("/")[1],
                "onset": clip.onset + 1,
                "apex": clip.apex + 1,
                "offset": clip.offset + 1,
                "fps": clip.fps,
                "emotion": emotion,
                "path": path,
            }
        )
    check_manifest(pd.DataFrame(rows)).to_csv(HERE / "manifest.csv", index=False)


def main() -> None:
    faces = [draw_face(subject) for subject in FACES]
    pairs = [
        tile
        for emotion, subject, clip in PAIRS
        for tile in strip(emotion, render_pair(0, subject, clip, preset="easy", emotion=emotion))
    ]
    save("contact_sheet.png", faces + pairs, columns=8)
    units = [write_on(draw_face(ACTION_UNIT_SUBJECT, {unit: 2.5}), f"{unit} {name}") for unit, name in NAMES.items()]
    save("action_units.png", [write_on(draw_face(ACTION_UNIT_SUBJECT), "at rest"), *units], columns=6)
    save_clips()


if __name__ == "__main__":
    main()
