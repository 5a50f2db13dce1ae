"""Does matching the lighting take an opening mouth away?

    python experiments/lighting.py --subjects 10 --score

Alignment multiplies the apex by a smooth gain that gives it the onset's brightness. An opening mouth is dark, and so it
changes the brightness as well. Synthetic faces show one motion each with a head that keeps
still, in light that does not change, that changes as a plane (level and gradient), and that brightens one cheek. TV-L1
flow is measured without a gain; with a gain on 3x3 cells, as earlier versions had it; and with exp of a polynomial of
the position, fitted to the logarithm of the ratio of both frames' brightness by reweighted least squares, so that a
mouth has little weight: a plane, and the package's, which is quadratic.
Writes motions.csv to OUT: for each motion, light and gain, the share of the rendered motion that the flow has where the
skin moves (its projection on the true one); the difference of that share to flow without a gain in unchanged light,
with a 95 % interval over subjects; and the mean error on the skin, in pixels. With --score also scores.csv: the linear
SVM on `standard`, with each gain, compared with the package's.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from common import make_parser, prepared_faces, write_about
from joblib import delayed

from lfdtcmen.baselines.simple import linear_svm
from lfdtcmen.config import load_config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.datasets.synthetic.action_units import Muscles, to_intensity
from lfdtcmen.datasets.synthetic.camera import take_picture
from lfdtcmen.datasets.synthetic.renderer import Expression
from lfdtcmen.datasets.synthetic.sequences import make_subject, sample_pose
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.evaluation.intervals import interval
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.files import make_folder
from lfdtcmen.preprocessing.align import estimate_head_motion
from lfdtcmen.preprocessing.flow import to_streams, tvl1
from lfdtcmen.preprocessing.lighting import match_lighting
from lfdtcmen.threads import one_cv2_thread
from lfdtcmen.workers import parallel

MOTIONS: dict[str, dict[int, float]] = {
    "jaw drop": {26: 1.5},
    "lips part": {25: 1.5},
    "mouth opening": {25: 1.5, 26: 1.5},
    "smile": {12: 1.5, 6: 1.0},
    "brows up": {1: 1.5, 2: 1.5},
    "brows down": {4: 1.5},
    "chin and lips": {17: 1.5, 24: 1.0},
}  # action unit -> pixels
# level, gradient to the right, gradient downwards, brightness of a spot on a cheek
LIGHTS = {"unchanged": (1, 0, 0, 0), "plane": (1.03, 0.05, -0.04, 0), "cheek": (1.01, 0.02, -0.02, 0.08)}
CELLS = 16  # of the brightness that the plane is fitted to, in a row and in a column
Gain = Callable[[np.ndarray, np.ndarray], np.ndarray]


def cell_gain(onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
    """Return the apex, uint8 [H, W, 3], with the onset's brightness in each of 3x3 cells, blended between them."""
    cells = [cv2.resize(frame.mean(2), (3, 3), interpolation=cv2.INTER_AREA) for frame in (onset, apex)]
    first, second = (np.maximum(cell, 4) for cell in cells)  # at least 4 grey levels, as in the package
    gain = cv2.resize(first / second, (apex.shape[1], apex.shape[0]), interpolation=cv2.INTER_LINEAR)[..., None]
    return np.clip(apex * gain + 0.5, 0, 255).astype(np.uint8)


def plane_gain(onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
    """Return the apex, uint8 [H, W, 3], with a gain whose logarithm is linear in the position."""
    size = (CELLS, CELLS)
    cells = [cv2.resize(frame.mean(2), size, interpolation=cv2.INTER_AREA) for frame in (onset, apex)]
    first, second = (np.maximum(cell, 4) for cell in cells)
    target = np.log(first / second).ravel()  # [CELLS^2]
    terms, weight = plane(CELLS), np.ones(CELLS**2)
    for _ in range(8):
        root = np.sqrt(weight)
        solution = np.linalg.lstsq(terms * root[:, None], target * root, rcond=None)[0]
        residual = np.abs(target - terms @ solution)
        weight = 1 / (1 + (residual / max(0.002, np.median(residual))) ** 2)
    gain = np.exp(plane(len(apex)) @ solution).reshape(len(apex), -1, 1)
    return np.clip(apex * gain + 0.5, 0, 255).astype(np.uint8)


def plane(side: int) -> np.ndarray:
    """Return the terms 1, x and y at each of side x side positions, [side^2, 3]."""
    axis = (np.arange(side) + 0.5) * 2 / side - 1
    x, y = (values.ravel() for values in np.meshgrid(axis, axis))
    return np.stack([np.ones_like(x), x, y], 1)


GAINS: dict[str, Gain] = {
    "none": lambda onset, apex: apex,
    "3x3 cells": cell_gain,
    "robust plane": plane_gain,
    "package": match_lighting,
}


def measure_subject(number: int) -> pd.DataFrame:
    """Return share and error for each motion, light and gain, on one face."""
    settings = get_settings("standard")
    face = make_subject(7, number, settings).face
    muscles, at = Muscles(face.anatomy), sample_pose(settings, np.random.default_rng([3, number]))
    skin = face.skin_mask(at)
    onset = take_picture(face.frame(Expression.neutral(), at), settings, np.random.default_rng([1, number]))
    rows = []
    for motion, units in MOTIONS.items():
        expression = muscles.expression(to_intensity(units))
        image, true = face.frame(expression, at), face.flow(expression, at, at)
        length = np.hypot(*true)
        moving = skin & (length > 0.25 * length.max())
        for light, (level, across, down, spot) in LIGHTS.items():
            noise = np.random.default_rng([2, number])
            apex = take_picture(image * brighten_cheek(image.shape[1], spot), settings, noise, (level, across, down))
            for name, gain in GAINS.items():
                with one_cv2_thread():
                    flow = tvl1(onset, gain(onset, apex))
                share = (flow * true)[:, moving].sum() / (true**2)[:, moving].sum()
                error = np.hypot(*(flow - true))[skin].mean()
                rows.append((number, motion, light, name, share, error))
    return pd.DataFrame(rows, columns=["subject", "motion", "light", "gain", "share", "error"])


def brighten_cheek(side: int, amount: float) -> np.ndarray:
    """Return the factor by which a lamp brightens one cheek, float32 [side, side]."""
    y, x = np.mgrid[:side, :side] / side
    return (1 + amount * np.exp(-((x - 0.30) ** 2 + (y - 0.62) ** 2) / (2 * 0.2**2))).astype(np.float32)


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means over subjects, and the paired difference to flow without a gain in unchanged light."""
    best = rows.query("light == 'unchanged' and gain == 'none'").set_index(["subject", "motion"])["share"]
    without = best.reindex(pd.MultiIndex.from_frame(rows[["subject", "motion"]])).to_numpy()
    rows = rows.assign(difference=rows["share"] - without)
    resamples = np.random.default_rng(0).integers(0, rows["subject"].nunique(), (2000, rows["subject"].nunique()))
    found = []
    for (motion, light, gain), group in rows.groupby(["motion", "light", "gain"], sort=False):
        low, high = interval(group["difference"].to_numpy()[resamples].mean(1), rows["subject"].nunique())
        means = group[["share", "difference", "error"]].mean()
        found.append({"motion": motion, "light": light, "gain": gain, **means, "low": low, "high": high})
    columns = ["motion", "light", "gain", "share", "difference", "low", "high", "error"]
    return pd.DataFrame(found)[columns]


def streams_with(gain: Gain, onset: np.ndarray, apex: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Return the streams of a pair whose lighting is matched in another way, float32 [3, 28, 28]."""
    with one_cv2_thread():
        rigid = estimate_head_motion(onset, apex, landmarks)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        size = (apex.shape[1], apex.shape[0])
        registered = cv2.warpAffine(apex.astype(np.float32), rigid, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return to_streams(tvl1(onset, gain(onset, registered)))


def score_gains(gains: list[str], jobs: int, out: Path) -> pd.DataFrame:
    """Return UF1 and UAR of the linear SVM on `standard` with each gain, and the differences to the package's."""
    config = load_config("cpu")
    faces, usual = make_dataset(config.preset, n_jobs=jobs), prepared_faces(config, jobs)
    folds = list(grouped_kfold(usual.subjects, usual.labels, config.folds))
    sets: dict[str, PairSet] = {"package": usual}
    for name in gains:
        found = parallel(n_jobs=jobs)(
            delayed(streams_with)(GAINS[name], *pair)
            for pair in zip(faces.onset, faces.apex, faces.landmarks, strict=True)
        )
        sets[name] = replace(usual, streams=np.stack(found))
    predictions = {
        name: cross_validate(linear_svm, pairs, folds, [0], out / "folds" / name, jobs) for name, pairs in sets.items()
    }
    return score_table(predictions, "package").query("model != against")


def main() -> None:
    parser = make_parser(__doc__, "lighting")
    parser.add_argument("--subjects", type=int, default=10, help="faces, each with every motion in every light")
    parser.add_argument("--score", action="store_true", help="also score the linear SVM with other gains")
    parser.add_argument("--gains", nargs="+", choices=[*GAINS], default=["3x3 cells"], help="to score")
    args = parser.parse_args()

    out, start = make_folder(args.out), time.perf_counter()
    rows = pd.concat(parallel(n_jobs=args.jobs)(delayed(measure_subject)(number) for number in range(args.subjects)))
    motions = summarise(rows)
    motions.to_csv(out / "motions.csv", index=False, float_format="%.4f")
    for value in ("share", "difference", "error"):
        print(value, motions.pivot_table(value, ["light", "motion"], "gain", sort=False).round(3).to_string(), sep="\n")
    if args.score:
        scores = score_gains(args.gains, args.jobs, out)
        scores.to_csv(out / "scores.csv", index=False, float_format="%.4f")
        print(readable(scores).T.to_string())
    write_about(out, start, subjects=args.subjects)


if __name__ == "__main__":
    main()
