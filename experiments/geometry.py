"""How sure is the position of a face: in changed pictures, in crops of many kinds, with motions of several sizes?

    python experiments/geometry.py
    python experiments/geometry.py --views 2 --subjects 1 --out runs/try

Lengths are pixels of the aligned 128x128 face. Writes to OUT:

- landmarks.csv: how far the five landmarks move, on average, when a picture is rotated, scaled, shifted, compressed or
  halved: as MTCNN finds them at first, and as they are refined afterwards. Two photographs and synthetic faces; median
  and 95th percentile over views.
- kinds.csv: how each kind of crop is taken: how far the eyes of both photographs are from their canonical positions
  once aligned, or why it is refused.
- sizes.csv: synthetic clips with a motion of the head, and others with an expression, of several sizes (of the nose
  tip, and of the farthest point of the skin): what alignment leaves of the head's motion, and the share of the
  expression that the flow has, with the head aligned and with a head that has never moved.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import cv2
import numpy as np
import pandas as pd
from alignment import compare_flow, film, into_crop, into_crop_flow
from common import make_parser, write_about
from joblib import delayed

from lfdtcmen.datasets.synthetic import package_photographs
from lfdtcmen.datasets.synthetic.sequences import Clip
from lfdtcmen.datasets.synthetic.settings import Settings, get_settings
from lfdtcmen.errors import DataError
from lfdtcmen.files import make_folder
from lfdtcmen.preprocessing.align import align_faces
from lfdtcmen.preprocessing.faces import MIRRORED_LANDMARKS, MTCNN, Detector, choose_face, cut, find_detector
from lfdtcmen.preprocessing.flow import tvl1
from lfdtcmen.preprocessing.geometry import CANONICAL, from_canonical
from lfdtcmen.workers import parallel

EYES = np.linalg.norm(CANONICAL[1] - CANONICAL[0])
SIZES = (0.25, 0.5, 1.0, 2.0, 3.0)
LEAST_HEAD = 0.4  # pixels by which a head of `standard` moves in the clips whose motion is made larger or smaller
Cropped = tuple[np.ndarray, np.ndarray]  # a frame, and the landmarks in it


# --- kinds of crop


def crop(frame: np.ndarray, landmarks: np.ndarray, side: float, pixels: int, middle: tuple = (0, 0)) -> Cropped:
    """Return a square crop, ``side`` distances between the eyes wide, and the landmarks in it."""
    eyes = np.linalg.norm(landmarks[1] - landmarks[0])
    step = side * eyes / pixels
    corner = landmarks.mean(0) + eyes * np.array(middle) - step * (pixels - 1) / 2
    return cut(frame, np.column_stack([step * np.eye(2), corner]), pixels), (landmarks - corner) / step


def bars(tight: np.ndarray, points: np.ndarray) -> Cropped:
    return cv2.copyMakeBorder(tight, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=(255, 255, 255)), points + 20


def mirror(tight: np.ndarray, points: np.ndarray) -> Cropped:
    return np.ascontiguousarray(tight[:, ::-1]), points[MIRRORED_LANDMARKS] * [-1, 1] + [tight.shape[1] - 1, 0]


def grey(tight: np.ndarray, points: np.ndarray) -> Cropped:
    return np.repeat(cv2.cvtColor(tight, cv2.COLOR_RGB2GRAY)[..., None], 3, 2), points


def turn(tight: np.ndarray, points: np.ndarray) -> Cropped:
    middle = (tight.shape[1] - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), 15, 1)
    turned = cv2.warpAffine(tight, matrix, tight.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return turned, points @ matrix[:, :2].T + matrix[:, 2]


def fringe(tight: np.ndarray, points: np.ndarray) -> Cropped:
    haired = tight.copy()
    haired[: int(points[:2, 1].mean() - 0.35 * (points[1, 0] - points[0, 0]))] = 25  # hair over forehead and brows
    return haired, points


def cover_eyes(tight: np.ndarray) -> np.ndarray:
    return np.concatenate([tight[:25], np.full_like(tight[:45], 20), tight[70:]])


def no_face(tight: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, tight.shape, dtype=np.uint8)


FOUND: dict[str, tuple[float, int, Callable | None]] = {
    # name -> side in distances between the eyes, pixels, and what else is done to the crop
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
REFUSED: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # of a tight crop of 128 pixels
    "left half": lambda tight: tight[:, :64],
    "right half": lambda tight: tight[:, 64:],
    "upper half": lambda tight: tight[:64],
    "lower half": lambda tight: tight[64:],
    "upside down": lambda tight: tight[::-1],
    "on its side": np.rot90,
    "negative": lambda tight: 255 - tight,
    "eyes covered": cover_eyes,
    "no face": no_face,
    "one colour": lambda tight: np.full_like(tight, 128),
}


def measure_off(frame: np.ndarray, landmarks: np.ndarray) -> float:
    """Return how far the farther eye is from its canonical position once the frame is aligned."""
    eyes = into_crop(landmarks[:2], align_faces([frame]).transforms[0])
    return float(np.linalg.norm(eyes - CANONICAL[:2], axis=1).max())


def measure_kinds() -> pd.DataFrame:
    """Return a row for each kind of crop: how far both photographs' eyes are off, or why it is refused."""
    rows = []
    photographs = {name: (frame, find_detector()(frame)[0].landmarks) for name, frame in package_photographs().items()}
    for kind in (*FOUND, *REFUSED):
        row = {"kind": kind}
        for name, (frame, landmarks) in photographs.items():
            if kind in FOUND:
                side, pixels, change = FOUND[kind]
                cropped = crop(frame, landmarks, side, pixels)
                cropped = change(*cropped) if change else cropped
            else:
                tight, points = crop(frame, landmarks, 1.9, 128)
                cropped = np.ascontiguousarray(REFUSED[kind](tight)), points
            try:
                row[name] = f"{measure_off(*cropped):.1f}"
            except DataError as error:
                row[name] = str(error).split(" [")[0]
        rows.append(row)
    return pd.DataFrame(rows)


# --- landmarks in changed pictures


def change_picture(kind: str, image: np.ndarray, centre: np.ndarray, rng: np.random.Generator) -> Cropped:
    """Return a changed picture, and the map [2, 3] from points of the picture as it was."""
    matrix, size = np.eye(2, 3), image.shape[1::-1]
    if kind == "JPEG":
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 91))])[1]
        return cv2.imdecode(coded, cv2.IMREAD_COLOR), matrix
    if kind == "half resolution":
        halved = cv2.resize(image, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
        return cv2.resize(halved, size, interpolation=cv2.INTER_CUBIC), matrix
    angle = rng.uniform(-20, 20) if kind == "rotated" else 0.0
    scale = rng.uniform(0.7, 1.4) if kind == "scaled" else 1.0
    matrix = cv2.getRotationMatrix2D(tuple(map(float, centre)), angle, scale)
    if kind == "shifted":
        matrix[:, 2] += rng.uniform(-0.05, 0.05, 2) * size
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), matrix


def measure_landmarks(source: str, image: np.ndarray, views: int) -> pd.DataFrame:
    """Return how far landmarks move in changed views of one picture, at first and refined; rows of kind and view."""
    at_first = MTCNN()
    at_first._refine_landmarks = lambda image, landmarks: landmarks  # type: ignore[method-assign]
    detectors: dict[str, Detector] = {"at first": at_first, "refined": find_detector()}
    known = {name: choose_face(found(image), image.shape)[0].landmarks for name, found in detectors.items()}
    rows, rng = [], np.random.default_rng(0)
    for kind in ("rotated", "scaled", "shifted", "JPEG", "half resolution"):
        for view in range(1 if kind == "half resolution" else views):
            changed, matrix = change_picture(kind, image, known["refined"].mean(0), rng)
            for name, found in detectors.items():
                if not (faces := found(changed)):
                    rows.append({"change": kind, "view": view, "landmarks": name, "distance": np.inf})
                    continue
                points = into_crop(choose_face(faces, changed.shape)[0].landmarks, matrix)
                scale = EYES / np.linalg.norm(known[name][1] - known[name][0])
                distance = scale * np.linalg.norm(points - known[name], axis=1).mean()
                rows.append({"change": kind, "view": view, "landmarks": name, "distance": distance})
    return pd.DataFrame(rows).assign(source=source)


# --- motions of several sizes


def with_head(settings: Settings, times: float) -> Settings:
    """Return the settings with the motion of the head, between frames, so many times as large."""
    parts = ("shift", "rotation", "scale", "yaw", "pitch")
    return replace(settings, **{name: times * getattr(settings, name) for name in parts})


def find_head(subject: int, settings: Settings) -> tuple[list[int], float, Clip]:
    """Return the seed of a clip whose head moves, by how many pixels the nose tip, and the clip with the head still."""
    for take in count():
        seed = [13, subject, take]
        moving, held = (film(subject, with_head(settings, times), seed) for times in (1, 0))
        crop_of = from_canonical(held.landmarks[held.onset])
        ends = [into_crop(clip.landmarks[clip.apex, 2], crop_of) for clip in (moving, held)]
        if (moved := float(np.linalg.norm(ends[0] - ends[1]))) > LEAST_HEAD:  # else a turn grows beyond all measure
            return seed, moved, held
    raise AssertionError("there is always another take")


def measure_sizes(subject: int) -> pd.DataFrame:
    """Return rows of one person's clips: what is left of a head's motion, what is kept of an expression."""
    rows, calm = [], replace(get_settings("standard"), peak=(0.25, 0.25))
    head_seed, moved, held = find_head(subject, calm)
    for size in SIZES:
        expression = replace(calm, peak=(size, size))
        seed = [13, subject, 0]
        still, moving = film(subject, with_head(expression, 0), seed), film(subject, expression, seed)
        for head, clip in {"still": still, "aligned": moving}.items():
            aligned = align_faces(clip.frames[still.onset : still.apex + 1])
            truth = into_crop_flow(still.flow, aligned.transforms[0])
            share = compare_flow(tvl1(aligned.frames[0], aligned.frames[-1]), truth)[1]
            rows.append({"motion": "expression", "pixels": size, "of": f"share, head {head}", "value": share})

        shaken = film(subject, with_head(calm, size / moved), head_seed)
        aligned = align_faces(shaken.frames[shaken.onset : shaken.apex + 1])
        onset = aligned.transforms[0]
        target = into_crop(held.landmarks[held.apex], onset)
        for of, transform in {"as filmed": onset, "left": aligned.transforms[-1]}.items():
            distance = np.linalg.norm(into_crop(shaken.landmarks[shaken.apex], transform) - target, axis=1).mean()
            rows.append({"motion": "head", "pixels": size, "of": of, "value": distance})
    return pd.DataFrame(rows).assign(subject=subject)


def spread(table: pd.DataFrame, keys: list[str], column: str) -> pd.DataFrame:
    """Return median and 95th percentile of a column, a row for each group."""
    groups = table.groupby(keys, sort=False)[column]
    return pd.DataFrame({"n": groups.size(), "median": groups.median(), "p95": groups.quantile(0.95)}).reset_index()


def main() -> None:
    parser = make_parser(__doc__, "geometry")
    parser.add_argument("--views", type=int, default=30, help="of each picture and change")
    parser.add_argument("--subjects", type=int, default=16, help="synthetic people")
    args = parser.parse_args()

    start, out = time.perf_counter(), make_folder(args.out)
    people = range(args.subjects)
    pictures = {name: ("photographs", image) for name, image in package_photographs().items()}
    for subject in people:
        clip = film(subject, get_settings("standard"), [13, subject, 0])
        pictures[f"subject {subject}"] = "synthetic faces", clip.frames[clip.onset]
    run = parallel(n_jobs=args.jobs)
    moved = pd.concat(run(delayed(measure_landmarks)(*picture, args.views) for picture in pictures.values()))
    sizes = pd.concat(run(delayed(measure_sizes)(subject) for subject in people))
    tables = {
        "landmarks": spread(moved, ["source", "change", "landmarks"], "distance"),
        "kinds": measure_kinds(),
        "sizes": spread(sizes, ["motion", "pixels", "of"], "value"),
    }
    for name, table in tables.items():
        table.to_csv(out / f"{name}.csv", index=False, float_format="%.3f")
        print(table.round(3).to_string(index=False), flush=True)
    write_about(out, start)


if __name__ == "__main__":
    main()
