"""How still does alignment hold a face, and does it find the same face in a turned and scaled photograph?

    python experiments/alignment.py                # about four minutes
    python experiments/alignment.py --subjects 20 --views 20

Drawn clips: how far the nose tip is from where it lies in the same clip with the head at rest, in each frame from
onset to offset; and how much farther from the true motion of the muscles the TV-L1 flow is than in that clip.
Photographs: turned by -20 to 20 degrees, scaled by 0.5 to 2, and shifted; how far the eyes are from their canonical
place. All in pixels of the aligned 128x128 face. Aims: nose median 0.1 and 95th percentile 0.3; flow within 0.1;
eyes within 2 in 95 % of the views.
"""

import argparse
from dataclasses import replace

import cv2
import numpy as np
from matplotlib import cbook
from PIL import Image
from skimage.data import astronaut

from lfdtcmen.datasets.synthetic.dataset import CASME3_COUNTS
from lfdtcmen.datasets.synthetic.sequences import Clip, get_settings, make_subject, sample_clip, sample_timing
from lfdtcmen.preprocessing.align import CANONICAL, align_faces
from lfdtcmen.preprocessing.faces import find_detector
from lfdtcmen.preprocessing.flow import tvl1


def drawn_clip(subject: int, preset: str, still: bool) -> Clip:
    """Draw a clip; ``still`` keeps the head where it is at the onset, and changes nothing else."""
    settings = get_settings(preset)
    moving = replace(settings, shift=0, rotation=0, yaw=0, pitch=0) if still else settings
    rng = np.random.default_rng([11, subject])
    emotion = list(CASME3_COUNTS)[subject % len(CASME3_COUNTS)]
    timing = sample_timing(30.0, rng)
    return sample_clip(make_subject(0, subject, settings), emotion, moving, timing, 30.0, rng)


def into_crop(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Take points [..., 2] of a frame to the aligned frame that ``transform`` [2, 3] cuts out of it."""
    inverse = cv2.invertAffineTransform(transform)
    return points @ inverse[:, :2].T + inverse[:, 2]


def measure_clip(subject: int, preset: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the nose's distances before and after alignment [T - 1], and what the flow's error grows by."""
    moving, still = drawn_clip(subject, preset, False), drawn_clip(subject, preset, True)
    rows = slice(moving.onset, moving.offset + 1)
    aligned, reference = align_faces(moving.frames[rows]), align_faces(still.frames[rows])
    place = reference.transforms[0]
    nose = np.stack([into_crop(p[2], m) for p, m in zip(moving.landmarks[rows], aligned.transforms, strict=True)])
    wanted = into_crop(still.landmarks[rows, 2], place)
    before = into_crop(moving.landmarks[rows, 2], place)

    y, x = np.mgrid[:128, :128].astype(np.float64)
    at = np.tensordot(place[:, :2], np.stack([x, y]), 1) + place[:, 2, None, None]
    truth = np.stack([cv2.remap(f, *at.astype(np.float32), cv2.INTER_LINEAR) for f in still.flow])
    truth = np.tensordot(cv2.invertAffineTransform(place)[:, :2], truth, 1)
    face = ((x - 64) / 44) ** 2 + ((y - 70) / 54) ** 2 < 1
    errors = []
    for clip in (aligned, reference):
        found = tvl1(clip.frames[0], clip.frames[moving.apex - moving.onset])
        errors.append(np.linalg.norm(found - truth, axis=0)[face].mean())
    distances = (np.linalg.norm(points - wanted, axis=1)[1:] for points in (before, nose))
    return *distances, errors[0] - errors[1]


def measure_views(image: np.ndarray, views: int) -> np.ndarray:
    """Return how far the farther eye is from its canonical place in each view; infinite where no face was found."""
    (face,) = find_detector()(image)
    rng = np.random.default_rng(0)
    distances = []
    for _ in range(views):
        angle, scale = np.deg2rad(rng.uniform(-20, 20)), rng.uniform(0.5, 2)
        linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        size = [int(side * max(scale, 1)) for side in (image.shape[1], image.shape[0])]
        to = np.array(size) * rng.uniform(0.35, 0.65, 2)
        matrix = np.column_stack([linear, to - linear @ face.landmarks.mean(0)])
        view = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        eyes = face.landmarks[:2] @ matrix[:, :2].T + matrix[:, 2]
        if find_detector()(view):
            eyes = into_crop(eyes, align_faces([view]).transforms[0])
            distances.append(np.linalg.norm(eyes - CANONICAL[:2], axis=1).max())
        else:
            distances.append(np.inf)
    return np.array(distances)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=100, help="drawn clips of each preset, one a subject")
    parser.add_argument("--views", type=int, default=100, help="views of each photograph")
    args = parser.parse_args()

    for preset in ("easy", "standard", "hard"):
        parts = [measure_clip(subject, preset) for subject in range(args.subjects)]
        before, after = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        cost = np.array([part[2] for part in parts])
        print(
            f"{preset}: nose tip before median {np.median(before):.3f} p95 {np.percentile(before, 95):.3f}, "
            f"after median {np.median(after):.3f} p95 {np.percentile(after, 95):.3f}; "
            f"flow error grows by {cost.mean():.3f} in the mean, {cost.max():.3f} at most ({len(parts)} clips)",
            flush=True,
        )
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = np.asarray(Image.open(file))
    for name, image in {"Collins": astronaut(), "Hopper": hopper}.items():
        eyes = measure_views(image, args.views)
        print(
            f"{name}: eyes within 2 px in {np.mean(eyes < 2):.0%} of {len(eyes)} views, "
            f"median {np.median(eyes):.2f}, p95 {np.percentile(eyes, 95):.2f}"
        )


if __name__ == "__main__":
    main()
