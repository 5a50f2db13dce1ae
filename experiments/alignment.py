"""How still does alignment keep a face, by similarity and by nose tip?

    python experiments/alignment.py
    python experiments/alignment.py --subjects 20

Synthetic clips: each is compared with the same clip in which the head does not move. Measured is what is left of the
head's motion: the distance of the nose tip, and that of all five landmarks on average, from their positions there, in
each frame from onset to offset. And what is lost of the expression, between onset and apex: the error of the TV-L1 flow
to the true motion of the muscles, and the share of that motion which the flow has (its projection on the true one).
Scores: UF1 and UAR of the linear SVM on the pairs of a preset, each aligned by one of the methods. Lengths are pixels
of the aligned 128x128 face. Aims, for the similarity: nose median 0.1 and 95th percentile 0.3; flow error within 0.1
of that of a still head. Prints the values, and writes clips.csv and scores.csv to OUT. geometry.py looks at landmarks.
"""

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from common import make_parser, write_about
from joblib import delayed

from lfdtcmen.baselines.simple import linear_svm
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.datasets.synthetic.plan import CASME3_COUNTS
from lfdtcmen.datasets.synthetic.sequences import Clip, make_subject, sample_clip, sample_timing
from lfdtcmen.datasets.synthetic.settings import Settings, get_settings
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.files import make_folder
from lfdtcmen.preprocessing.align import METHODS, align_faces
from lfdtcmen.preprocessing.flow import tvl1
from lfdtcmen.workers import parallel


def synthetic_clip(subject: int, preset: str, still: bool) -> Clip:
    """Return a clip; ``still`` keeps the head where it is at the onset, and changes nothing else."""
    settings = get_settings(preset)
    moving = replace(settings, shift=0, rotation=0, yaw=0, pitch=0) if still else settings
    return film(subject, moving, [11, subject])


def film(subject: int, settings: Settings, seed: list[int]) -> Clip:
    """Return a clip of a person with a whole expression, each of whom shows another emotion than the next."""
    rng = np.random.default_rng(seed)
    emotion = list(CASME3_COUNTS)[subject % len(CASME3_COUNTS)]
    timing = sample_timing(30.0, rng)
    return sample_clip(make_subject(0, subject, settings), emotion, settings, timing, 30.0, rng)


def into_crop(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Convert points [..., 2] of a frame to the coordinates of the aligned frame; ``transform`` [2, 3] leads back."""
    inverse = cv2.invertAffineTransform(transform)
    return points @ inverse[:, :2].T + inverse[:, 2]


def measure_clip(subject: int, preset: str) -> pd.DataFrame:
    """Return a row for each frame after the onset and each method, and for the clip as filmed and with a still head."""
    moving, still = synthetic_clip(subject, preset, False), synthetic_clip(subject, preset, True)
    rows = slice(moving.onset, moving.offset + 1)
    clips = {method: align_faces(moving.frames[rows], method=method) for method in METHODS}
    clips["still head"] = align_faces(still.frames[rows])
    transform = clips["still head"].transforms[0]  # the onset's, the same in all of them
    truth = into_crop_flow(still.flow, transform)
    target = into_crop(still.landmarks[rows], transform)  # [T, 5, 2]

    tables = [distances(into_crop(moving.landmarks[rows], transform), target).assign(method="as filmed")]
    for method, clip in clips.items():
        landmarks = still.landmarks if method == "still head" else moving.landmarks
        seen = np.stack([into_crop(p, m) for p, m in zip(landmarks[rows], clip.transforms, strict=True)])
        found = tvl1(clip.frames[0], clip.frames[moving.apex - moving.onset])
        error, kept = compare_flow(found, truth)
        tables.append(distances(seen, target).assign(method=method, error=error, kept=kept))
    return pd.concat(tables).assign(preset=preset, clip=subject)


def into_crop_flow(flow: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Return a frame's flow [2, H, W] as that of the aligned frame, [2, 128, 128]."""
    y, x = np.mgrid[:128, :128].astype(np.float64)
    at = np.tensordot(transform[:, :2], np.stack([x, y]), 1) + transform[:, 2, None, None]
    moved = np.stack([cv2.remap(f, *at.astype(np.float32), cv2.INTER_LINEAR) for f in flow])
    return np.tensordot(cv2.invertAffineTransform(transform)[:, :2], moved, 1)


def compare_flow(found: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Return the mean error of a flow on the face, in pixels, and the share of the true motion that it has."""
    y, x = np.mgrid[:128, :128]
    face = ((x - 64) / 44) ** 2 + ((y - 70) / 54) ** 2 < 1
    found, truth = found[:, face], truth[:, face]
    return float(np.linalg.norm(found - truth, axis=0).mean()), float((found * truth).sum() / (truth**2).sum())


def distances(landmarks: np.ndarray, target: np.ndarray) -> pd.DataFrame:
    """Return how far the nose tip, and all landmarks on average, are from where they belong, a row a later frame."""
    far = np.linalg.norm(landmarks - target, axis=2)[1:]  # [T - 1, 5]
    return pd.DataFrame({"nose": far[:, 2], "landmarks": far.mean(1)})


def summarise(frames: pd.DataFrame) -> pd.DataFrame:
    """Return a row a preset and method: distances over frames, error and share over clips."""
    groups = frames.groupby(["preset", "method"], sort=False)
    clips = frames.groupby(["preset", "method", "clip"], sort=False)[["error", "kept"]].first()
    clips = clips.groupby(["preset", "method"], sort=False)
    return pd.DataFrame(
        {
            "clips": groups["clip"].nunique(),
            "nose, median": groups["nose"].median(),
            "nose, p95": groups["nose"].quantile(0.95),
            "landmarks, median": groups["landmarks"].median(),
            "landmarks, p95": groups["landmarks"].quantile(0.95),
            "flow error": clips["error"].mean(),
            "share of the motion": clips["kept"].mean(),
        }
    ).reset_index()


def score_methods(preset: str, jobs: int, out: Path) -> pd.DataFrame:
    """Return UF1 and UAR of the linear SVM on pairs aligned by each method, and the differences to the similarity."""
    faces = make_dataset(preset, n_jobs=jobs)
    predictions = {}
    for method in METHODS:
        pairs = prepare_pairs(faces, jobs, progress=True, alignment=method)
        folds = list(grouped_kfold(pairs.subjects, pairs.labels, 5))
        predictions[method] = cross_validate(linear_svm, pairs, folds, [0], out / preset / method, jobs)
    return score_table(predictions, "similarity").query("model != against").assign(preset=preset)


def main() -> None:
    parser = make_parser(__doc__, "alignment")
    parser.add_argument("--subjects", type=int, default=100, help="clips of each preset, one per subject")
    parser.add_argument("--preset", default="standard", help="of the pairs that the scores are of")
    args = parser.parse_args()

    out, start = make_folder(args.out), time.perf_counter()
    parts = parallel(n_jobs=args.jobs)(
        delayed(measure_clip)(subject, preset)
        for preset in ("easy", "standard", "hard")
        for subject in range(args.subjects)
    )
    clips = summarise(pd.concat(parts))
    clips.to_csv(out / "clips.csv", index=False, float_format="%.3f")
    print(clips.round(3).to_string(index=False), flush=True)
    scores = score_methods(args.preset, args.jobs, out)
    scores.to_csv(out / "scores.csv", index=False, float_format="%.4f")
    print(readable(scores).T.to_string())
    write_about(out, start)


if __name__ == "__main__":
    main()
