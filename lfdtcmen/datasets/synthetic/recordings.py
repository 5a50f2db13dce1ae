"""Recordings that stand in for a reader's own, so that notebook 15 runs without any: films, labelled clips, a set.

They are written as a camera and somebody with a spreadsheet would leave them, slips included. Apart from photographs,
nothing in them is a person: the faces are rendered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lfdtcmen.datasets.synthetic.action_units import to_intensity
from lfdtcmen.datasets.synthetic.camera import take_picture
from lfdtcmen.datasets.synthetic.photograph import warp_photograph
from lfdtcmen.datasets.synthetic.randomness import clip_rng, timing_rng
from lfdtcmen.datasets.synthetic.renderer import pose
from lfdtcmen.datasets.synthetic.sequences import Subject, make_subject, sample_clip, sample_pair, sample_timing
from lfdtcmen.datasets.synthetic.settings import Settings, get_settings
from lfdtcmen.errors import DataError

SIDE = 256  # pixels of a frame as filmed
FPS = 30.0
PART = 24  # frames of each part of a film
FAINT = {1: 0.5, 2: 0.5, 5: 0.3}  # pixels: raised brows that nobody in the room notices
EVERYDAY = ("rest", "talk", "blink", "nod")
SHOWN = ("happiness", "surprise", "anger", "sadness")
CASME3_WORDS = {"happiness": "happy", "sadness": "sad"}  # of the owners' table; the others are the same
CASME3_CLIPS = (  # subject and emotion
    *((1, "happiness"), (1, "anger"), (2, "surprise"), (2, "disgust")),
    *((3, "fear"), (3, "surprise"), (4, "sadness")),
)


def photograph_film(
    photo: np.ndarray,
    landmarks: np.ndarray,
    units: Mapping[int, float],
    level: np.ndarray,
    seed: int = 0,
    shown: Iterable[int] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Film a photograph whose muscles move, while the head drifts and the camera is noisy.

    Parameters
    ----------
    photo, landmarks
        As for :func:`~lfdtcmen.datasets.synthetic.warp_photograph`.
    units : mapping
        Action unit -> pixels of the aligned face, at full strength.
    level : ndarray
        Share of full strength in each frame, [T].
    seed : int
        Random seed of head and noise: two films of one seed differ by their muscles alone.
    shown : iterable of int, optional
        Frames to render; all by default. The noise is another than in the whole film.

    Returns
    -------
    frames : ndarray
        RGB uint8 [T, H, W, 3].
    heads : ndarray
        Motion of the head, from a point of the photograph to that of the frame, float64 [T, 2, 3].
    """
    rng, frames, heads = np.random.default_rng(seed), [], []
    drift = np.cumsum(rng.normal(0, [0.15, 0.15, 0.05], (len(level), 3)), axis=0)  # pixels, pixels, degrees
    height, width = photo.shape[:2]
    for t in range(len(level)) if shown is None else shown:
        frame, _ = warp_photograph(photo, landmarks, {unit: level[t] * pixels for unit, pixels in units.items()})
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), drift[t, 2], 1.0)  # [2, 3]
        head = np.column_stack([turn[:, :2], turn[:, 2] + drift[t, :2]])
        frame = cv2.warpAffine(frame, head, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        frames.append(np.clip(frame + rng.normal(0, 3, frame.shape), 0, 255).astype(np.uint8))
        heads.append(head)
    return np.stack(frames), np.stack(heads)


def write_video(file: Path | str, frames: np.ndarray, fps: float = FPS) -> Path:
    """Write RGB frames, uint8 [T, H, W, 3], as a compressed video (mp4), and return its path.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    size = (frames.shape[2], frames.shape[1])
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    if not writer.isOpened():
        raise DataError("the video cannot be written", str(file), "give a file .mp4 in a folder that is there")
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))  # OpenCV takes blue first
    writer.release()
    return Path(file)


def everyday_film(seed: int = 0, subject: int = 0) -> tuple[np.ndarray, dict[str, tuple[int, int]]]:
    """Film somebody who rests, talks, blinks, nods, and at last raises the brows by half a pixel.

    Parameters
    ----------
    seed, subject : int
        The person, and the noise.

    Returns
    -------
    frames : ndarray
        RGB uint8 [5 * PART, SIDE, SIDE, 3], 30 a second.
    parts : dict
        Name of a part -> its first and last frame: "rest", "talk", "blink", "nod", "faint surprise".
    """
    settings = get_settings("standard")
    person, rng = make_subject(seed, subject, settings), np.random.default_rng([seed, subject])
    seconds = np.arange(PART) / FPS
    levels = {
        "rest": 0 * seconds,
        "talk": np.clip(np.sin(2 * np.pi * 3.7 * (seconds - 0.1)), 0, 1) * ((0.1 < seconds) & (seconds < 0.7)),
        "blink": np.clip(1.15 * np.exp(-0.5 * ((seconds - 0.4) / 0.05) ** 2), 0, 1),
        "nod": np.sin(np.pi * np.clip((seconds - 0.2) / 0.45, 0, 1)) ** 2,
        "faint surprise": np.interp(np.arange(PART), [7, 12, 21], [0, 1, 0]),
    }
    frames = [_shoot(person, settings, rng, name, level) for name, curve in levels.items() for level in curve]
    firsts = range(0, len(frames), PART)
    return np.stack(frames), {name: (first, first + PART - 1) for name, first in zip(levels, firsts, strict=True)}


def write_recordings(root: Path | str, people: int = 12, seed: int = 0) -> Path:
    """Write labelled clips of people whom no network has seen: a folder each, with the frames of onset and apex.

    Everybody shows happiness, surprise, anger and sadness, and, labelled ``others``, rests, talks, blinks and nods.
    Two more rows of the table are of no use: a frame was lost, and one recording shows a wall.

    Parameters
    ----------
    root : path
        Folder that is made.
    people : int
        How many.
    seed : int
        Random seed of people and motions.

    Returns
    -------
    path
        The table, csv, as :func:`lfdtcmen.datasets.folder.load` reads it.
    """
    root, settings = Path(root), get_settings("hard", "dfme")
    settings = replace(settings, label_noise=0.0)
    rows = []
    for number in range(people):
        person, name = make_subject(seed, number, settings), f"p{number:02d}"
        for count, shown in enumerate((*SHOWN, *EVERYDAY)):
            rng = clip_rng(seed, number, count)
            path = f"{name}/{shown}"
            write_frames(root / path, dict(zip((20, 25), _shoot_pair(person, settings, rng, shown), strict=True)))
            emotion = shown if shown in SHOWN else "others"
            rows.append([name, f"{name}_{shown}", 20, 25, emotion, path])
    write_frames(root / "p00/copied badly", {20: _wall()})
    write_frames(root / "p00/test", {20: _wall(), 25: _wall()})
    rows += [["p00", f"p00_{clip}", 20, 25, "anger", f"p00/{clip}"] for clip in ("copied badly", "test")]
    columns = ["subject", "clip", "onset", "apex", "emotion", "path"]
    pd.DataFrame(rows, columns=columns).to_csv(root / "clips.csv", index=False)
    return root / "clips.csv"


def write_casme3(root: Path | str, seed: int = 0, preset: str = "standard") -> Path:
    """Write ten rows and their frames in the layout of CAS(ME)^3 Part A, with slips as the real table has them.

    Frames are counted from 1. Only those around onset, apex and offset are written.

    Parameters
    ----------
    root : path
        Folder that is made.
    seed : int
        Random seed.
    preset : str
        As for :func:`lfdtcmen.datasets.synthetic.make_dataset`.

    Returns
    -------
    path
        The workbook, xlsx.
    """
    root, settings = Path(root), get_settings(preset)
    rows: list[list] = []
    for count, (subject, emotion) in enumerate(CASME3_CLIPS):
        timing = sample_timing(FPS, timing_rng(seed, subject, 0))
        kept = [timing.onset - 1, timing.onset, timing.apex, timing.offset]
        person, rng = make_subject(seed, subject, settings), clip_rng(seed, subject, 0)
        clip = sample_clip(person, emotion, settings, timing, FPS, rng, keep=kept)
        name, times = "ab"[count % 2], [number + 1 for number in kept]
        frames = map(_enlarge, clip.frames)
        write_frames(
            root / "part_A" / f"spNO.{subject}" / name / "color", dict(zip(times, frames, strict=True)), digits=1
        )
        rows.append([f"spNO.{subject}", name, *times[1:], CASME3_WORDS.get(emotion, emotion)])
    onset, apex, offset = rows[0][2:5]
    rows.append(["spNO.1", "a", apex, onset, offset, "happy"])  # onset after apex, as in spNO.149/d of the real table
    rows.append(["spNO.1", "a", onset + 1, apex, offset, "others"])
    rows.append(["spNO.1", "a", onset - 1, onset - 1, offset, "sad"])  # onset = apex, as in 27 real rows
    rows[1][4] = 3460  # an offset far beyond the end, as in the real table
    (root / "part_A" / "spNO.2" / "b" / "color" / f"{rows[3][3]}.jpg").unlink()  # a frame that was lost
    names = ["Subject ", "Filename", "Onset", "APEX", "Offset", "emotion"]  # case and spaces vary
    pd.DataFrame(rows, columns=names).to_excel(root / "label.xlsx", sheet_name="label", index=False)
    return root / "label.xlsx"


def write_frames(folder: Path, frames: Mapping[int, np.ndarray], digits: int = 4) -> None:
    """Write RGB frames as JPEG files that are named by their numbers."""
    folder.mkdir(parents=True)
    for number, frame in frames.items():
        bgr = frame[..., ::-1]  # OpenCV writes blue first
        cv2.imwrite(str(folder / f"{number:0{digits}d}.jpg"), bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])


def _shoot(person: Subject, settings: Settings, rng: np.random.Generator, shown: str, level: float) -> np.ndarray:
    """Take a picture of somebody at a level from 0 to 1 of what is shown, uint8 [SIDE, SIDE, 3]."""
    units = {"talk": {25: 1.5, 26: 3.0}, "faint surprise": FAINT}.get(shown, {})
    expression = person.muscles.expression(to_intensity({unit: level * pixels for unit, pixels in units.items()}))
    if shown == "nod":
        expression = person.face.turn(expression, 0.0, 6.0 * level)  # degrees
    turn, x, y = rng.normal(0, 0.1, 3)  # degrees, pixels, pixels: nobody keeps quite still
    at = pose(turn, settings.zoom, x, y + 2.0 * level * (shown == "nod"))
    frame = person.face.frame(expression, at, blink=level if shown == "blink" else 0.0)
    return _enlarge(take_picture(frame, settings, rng))


def _shoot_pair(person: Subject, settings: Settings, rng: np.random.Generator, shown: str) -> list[np.ndarray]:
    """Return onset and apex of an emotion or of something everyday."""
    if shown in EVERYDAY:
        return [_shoot(person, settings, rng, shown, level) for level in (0.0, rng.uniform(0.4, 1.0))]
    pair = sample_pair(person, shown, settings, rng)
    return [_enlarge(pair.onset), _enlarge(pair.apex)]


def _wall() -> np.ndarray:
    return np.full((SIDE, SIDE, 3), 150, np.uint8)


def _enlarge(frame: np.ndarray) -> np.ndarray:
    return cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
