"""How many clips a second does ``lfdtcmen data prepare`` turn from 1280x720 frames into aligned pairs with flow?

    python benchmarks/prepare.py                  # about two minutes
    python benchmarks/prepare.py --clips 40 --repeats 3

The clips are synthetic: JPEG frames of 1280x720 with a face of 420 pixels. Each is read, its face is found, onset and
apex are aligned, flow and streams are computed and written. Each repeat does all of it with one process and then with
several. Workers are started before the first measurement. Aims on two idle cores: 6 clips a second, and 1.7 times one
process.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lfdtcmen.datasets.clips import prepare_clips
from lfdtcmen.datasets.synthetic import make_clip


def write_clips(root: Path, number: int) -> pd.DataFrame:
    """Write synthetic clips as folders of frames, and return their manifest."""
    rng = np.random.default_rng(0)
    wall = cv2.GaussianBlur(rng.integers(0, 255, (720, 1280, 3), dtype=np.uint8), (0, 0), 9)
    rows = []
    for subject in range(number):
        clip = make_clip(0, subject, 0)
        folder = root / f"s{subject}"
        folder.mkdir()
        for i in range(clip.onset, clip.offset + 1):
            frame = wall.copy()
            frame[150:570, 400:820] = cv2.resize(clip.frames[i], (420, 420), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(folder / f"{i}.jpg"), frame[..., ::-1])
        rows.append(
            {
                "dataset": "synthetic",
                "subject": f"synthetic/{subject}",
                "clip": "0",
                "onset": clip.onset,
                "apex": clip.apex,
                "offset": clip.offset,
                "fps": clip.fps,
                "emotion": clip.emotion,
                "label": 0,
                "path": str(folder),
            }
        )
    return pd.DataFrame(rows)


def clips_a_second(manifest: pd.DataFrame, n_jobs: int) -> float:
    """Prepare the clips into an empty folder; return how many a second."""
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        prepare_clips(manifest, out, n_jobs=n_jobs)
        return len(manifest) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100, help="clips to prepare")
    parser.add_argument("--repeats", type=int, default=3, help="how many measurements")
    parser.add_argument("--jobs", type=int, default=2, help="processes that are compared with one")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as root:
        manifest = write_clips(Path(root), args.clips)
        clips_a_second(manifest.head(4), args.jobs)  # starts the workers
        pairs = []
        for repeat in range(args.repeats):
            pairs.append((clips_a_second(manifest, 1), clips_a_second(manifest, args.jobs)))
            one, many = pairs[-1]
            print(
                f"repeat {repeat}: 1 process {one:.1f} clips/s, {args.jobs} processes {many:.1f} clips/s, "
                f"ratio {many / one:.2f}",
                flush=True,
            )
    rate, ratio = statistics.median(many for _, many in pairs), statistics.median(many / one for one, many in pairs)
    print(f"median {rate:.1f} clips/s with {args.jobs} processes, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
