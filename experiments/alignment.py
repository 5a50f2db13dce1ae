"""How still does alignment keep a face, and does it find the same face in a rotated and scaled photograph?

    python experiments/alignment.py
    python experiments/alignment.py --subjects 20 --views 20

Synthetic clips: each is compared with the same clip in which the head does not move. Measured are the distance of the
nose tip from its position there, in each frame from onset to offset, and by how much the error of the TV-L1 flow (to
the true motion of the muscles) is larger than there. Photographs: rotated by -20 to 20 degrees, scaled by 0.5 to 2, and
shifted; measured is the distance of the eyes from their canonical positions. All values are pixels of the aligned
128x128 face. Aims: nose median 0.1 and 95th percentile 0.3; flow within 0.1; eyes within 2 in 95 % of the views. Prints
the values, and writes clips.csv and views.csv to OUT.
"""

from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
from common import make_parser, photographs
from joblib import delayed

from lfdtcmen.datasets.synthetic.plan import CASME3_COUNTS
from lfdtcmen.datasets.synthetic.sequences import Clip, make_subject, sample_clip, sample_timing
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.files import make_folder
from lfdtcmen.preprocessing.align import CANONICAL, align_faces
from lfdtcmen.preprocessing.faces import find_detector
from lfdtcmen.preprocessing.flow import tvl1
from lfdtcmen.workers import parallel


def synthetic_clip(subject: int, preset: str, still: bool) -> Clip:
    """Return a clip; ``still`` keeps the head where it is at the onset, and changes nothing else."""
    settings = get_settings(preset)
    moving = replace(settings, shift=0, rotation=0, yaw=0, pitch=0) if still else settings
    rng = np.random.default_rng([11, subject])
    emotion = list(CASME3_COUNTS)[subject % len(CASME3_COUNTS)]
    timing = sample_timing(30.0, rng)
    return sample_clip(make_subject(0, subject, settings), emotion, moving, timing, 30.0, rng)


def into_crop(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Convert points [..., 2] of a frame to the coordinates of the aligned frame; ``transform`` [2, 3] leads back."""
    inverse = cv2.invertAffineTransform(transform)
    return points @ inverse[:, :2].T + inverse[:, 2]


def measure_clip(subject: int, preset: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the nose's distances before and after alignment, [T - 1] each, and the increase of the flow's error."""
    moving, still = synthetic_clip(subject, preset, False), synthetic_clip(subject, preset, True)
    rows = slice(moving.onset, moving.offset + 1)
    aligned, reference = align_faces(moving.frames[rows]), align_faces(still.frames[rows])
    transform = reference.transforms[0]
    nose = np.stack([into_crop(p[2], m) for p, m in zip(moving.landmarks[rows], aligned.transforms, strict=True)])
    target = into_crop(still.landmarks[rows, 2], transform)
    before = into_crop(moving.landmarks[rows, 2], transform)

    y, x = np.mgrid[:128, :128].astype(np.float64)
    at = np.tensordot(transform[:, :2], np.stack([x, y]), 1) + transform[:, 2, None, None]
    truth = np.stack([cv2.remap(f, *at.astype(np.float32), cv2.INTER_LINEAR) for f in still.flow])
    truth = np.tensordot(cv2.invertAffineTransform(transform)[:, :2], truth, 1)
    face = ((x - 64) / 44) ** 2 + ((y - 70) / 54) ** 2 < 1
    errors = []
    for clip in (aligned, reference):
        found = tvl1(clip.frames[0], clip.frames[moving.apex - moving.onset])
        errors.append(np.linalg.norm(found - truth, axis=0)[face].mean())
    distances = (np.linalg.norm(points - target, axis=1)[1:] for points in (before, nose))
    return *distances, errors[0] - errors[1]


def measure_views(image: np.ndarray, views: int) -> np.ndarray:
    """Return the distance of the farther eye from its canonical position, [views]; infinite where no face was found."""
    (face,) = find_detector()(image)
    rng = np.random.default_rng(0)
    distances = []
    for _ in range(views):
        angle, scale = np.deg2rad(rng.uniform(-20, 20)), rng.uniform(0.5, 2)
        linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        size = [int(side * max(scale, 1)) for side in (image.shape[1], image.shape[0])]
        centre = np.array(size) * rng.uniform(0.35, 0.65, 2)
        matrix = np.column_stack([linear, centre - linear @ face.landmarks.mean(0)])
        view = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        eyes = face.landmarks[:2] @ matrix[:, :2].T + matrix[:, 2]
        if find_detector()(view):
            eyes = into_crop(eyes, align_faces([view]).transforms[0])
            distances.append(np.linalg.norm(eyes - CANONICAL[:2], axis=1).max())
        else:
            distances.append(np.inf)
    return np.array(distances)


def main() -> None:
    parser = make_parser(__doc__, "alignment")
    parser.add_argument("--subjects", type=int, default=100, help="clips of each preset, one per subject")
    parser.add_argument("--views", type=int, default=100, help="views of each photograph")
    args = parser.parse_args()

    out = make_folder(args.out)
    rows = []
    for preset in ("easy", "standard", "hard"):
        parts = parallel(n_jobs=args.jobs)(delayed(measure_clip)(subject, preset) for subject in range(args.subjects))
        before, after = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        cost = np.array([part[2] for part in parts])
        row = {"preset": preset, "clips": len(parts)}
        for name, nose in {"before": before, "after": after}.items():
            row |= {f"nose {name}, median": np.median(nose), f"nose {name}, p95": np.percentile(nose, 95)}
        rows.append(row | {"flow error grows by, mean": cost.mean(), "flow error grows by, most": cost.max()})
    views = []
    for name, photo in photographs().items():
        eyes = measure_views(photo, args.views)
        row = {"photograph": name, "views": len(eyes), "within 2 px": np.mean(eyes < 2)}
        views.append(row | {"median": np.median(eyes), "p95": np.percentile(eyes, 95)})
    for name, table in {"clips": pd.DataFrame(rows), "views": pd.DataFrame(views)}.items():
        table.to_csv(out / f"{name}.csv", index=False, float_format="%.3f")
        print(table.round(3).T.to_string(header=False))


if __name__ == "__main__":
    main()
