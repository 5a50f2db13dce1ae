"""How long do one pair, one clip, the import and the help take, on one thread?

    python benchmarks/inference.py                  # about a minute
    python benchmarks/inference.py --rounds 9 --out benchmarks/results/inference.csv

One pair: the network as it is deployed (without identity encoder and generator), frames and flow to logits. One clip:
three seconds of 1280x720 with a face of 420 pixels, from the video to the report, after the import of all that it
needs. Both are the processor's time of this thread, so that other programs count less; of the two commands, all
processor time of the process, and the wall clock.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from lfdtcmen import LFDTCMEN, Batch
from lfdtcmen.datasets.synthetic import make_clip
from lfdtcmen.predict.clip import predict_clip
from lfdtcmen.predict.report import write_report
from lfdtcmen.threads import one_thread
from lfdtcmen.training.weights import find_weights

FPS, SECONDS = 30, 3


def write_video(path: Path) -> None:
    """Write a synthetic clip, forwards and backwards until it is long enough."""
    frames = make_clip(0, 3, 0).frames
    order = np.resize(np.r_[: len(frames), len(frames) - 1 : -1 : -1], FPS * SECONDS)
    rng = np.random.default_rng(0)
    wall = cv2.GaussianBlur(rng.integers(0, 255, (720, 1280, 3), dtype=np.uint8), (0, 0), 9)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), FPS, (1280, 720))  # type: ignore[attr-defined]
    for frame in frames[order]:
        wall[150:570, 400:820] = cv2.resize(frame, (420, 420), interpolation=cv2.INTER_CUBIC)
        writer.write(cv2.cvtColor(wall, cv2.COLOR_RGB2BGR))
    writer.release()


def cpu_seconds(run: Callable[[], object]) -> float:
    start = time.thread_time()
    run()
    return time.thread_time() - start


def time_command(*arguments: str) -> tuple[float, float]:
    """Return the seconds of processor and of wall clock that Python takes with these arguments."""
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, os.times()
    user, system = after.children_user - before.children_user, after.children_system - before.children_system
    return user + system, wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of each; of one pair forty times as many")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    args = parser.parse_args()

    cv2.setNumThreads(1)
    model = LFDTCMEN(3, drl="motion").eval()
    pair = Batch(torch.rand(1, 3, 128, 128), torch.rand(1, 3, 128, 128), torch.randn(1, 3, 28, 28))
    weights = find_weights("shipped")
    times: dict[str, list[float]] = {}
    with one_thread(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        times["one pair"] = [cpu_seconds(lambda: model(pair)) for _ in range(40 * args.rounds + 5)][5:]
        write_video(Path(folder) / "clip.mp4")
        times["one clip"] = [
            cpu_seconds(lambda: write_report(predict_clip(Path(folder) / "clip.mp4", weights), folder))
            for _ in range(args.rounds + 1)
        ][1:]  # the first one loads the detector
    for name, arguments in {
        "import lfdtcmen": ("-c", "import lfdtcmen"),
        "--help": ("-m", "lfdtcmen", "--help"),
    }.items():
        taken = [time_command(*arguments) for _ in range(args.rounds + 1)][1:]
        times[name], times[f"{name}, wall clock"] = map(list, zip(*taken, strict=True))
    rows = {name: np.quantile(values, [0.5, 0.25, 0.75]) for name, values in times.items()}
    table = pd.DataFrame(rows, index=["median", "low", "high"]).T.rename_axis("seconds of")
    print(table.round(4).to_string())
    if args.out:
        table.to_csv(args.out, float_format="%.4f")


if __name__ == "__main__":
    main()
