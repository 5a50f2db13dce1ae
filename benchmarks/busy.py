"""How much slower is training beside one other busy program?

    python benchmarks/busy.py --rounds 5 --out benchmarks/results/busy.csv

Runs the same stage-1 steps with a thread a core, alone and beside a process that computes without end, in turns; with
the limit on spinning threads that the package sets (lfdtcmen/cli/__init__.py says why), and without it. A ratio
compares two runs of one round; low and high are quartiles. Nothing else should run meanwhile.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lfdtcmen import LFDTCMEN, load_config
from lfdtcmen.cli import SPIN_LIMIT
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.losses import VGG19, SynergisticObjectives
from lfdtcmen.training.stages import use_bf16

LIMITS = {"ours": SPIN_LIMIT, "without a limit": None}


def time_steps(steps: int) -> float:
    """Return the seconds of a stage-1 step by the clock on the wall, the first not counted."""
    config = load_config("cpu")
    torch.manual_seed(0)
    pairs = make_dataset(config.preset, config.label_map, subjects=4, seed=0)
    batch = pairs.batch(np.arange(config.batch_sizes[0]) % len(pairs))
    model, vgg = LFDTCMEN(3), VGG19("random", config.perceptual_taps, config.perceptual_size)
    objectives = SynergisticObjectives(config.stage1, vgg, config.perceptual_weight, config.margin)
    bf16 = use_bf16(config, torch.device("cpu"))
    for step in range(steps + 1):
        if step == 1:
            start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            objectives(model(batch, reconstruct=True, classify=False), batch)[0].backward()
    return (time.perf_counter() - start) / steps


@contextmanager
def busy() -> Iterator[None]:
    """Let another process compute within the block."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def run_steps(limit: str | None, steps: int) -> float:
    """Time the steps in a process of their own: OpenMP reads its limit when it starts."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_NUM_THREADS")
    }
    environment |= {"GOMP_SPINCOUNT": limit} if limit else {}
    command = [sys.executable, __file__, "--steps", str(steps), "--only"]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how many")
    parser.add_argument("--steps", type=int, default=8, help="in each run")
    parser.add_argument("--only", action="store_true", help="print the seconds of a step, nothing else")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    args = parser.parse_args()
    if args.only:
        print(time_steps(args.steps))
        return

    rows = []
    for _ in range(args.rounds):
        row = {}
        for name, limit in LIMITS.items():
            row[f"{name}, s alone"] = run_steps(limit, args.steps)
            with busy():
                row[f"{name}, s beside another"] = run_steps(limit, args.steps)
            row[f"{name}, ratio"] = row[f"{name}, s beside another"] / row[f"{name}, s alone"]
        rows.append(row)
    table = pd.DataFrame(rows).quantile([0.5, 0.25, 0.75]).T.set_axis(["median", "low", "high"], axis=1)
    print(f"{os.cpu_count()} cores, {args.rounds} rounds of {args.steps} steps")
    print(table.rename_axis("training").round(3).to_string())
    if args.out:
        table.rename_axis("training").to_csv(args.out, float_format="%.3f")


if __name__ == "__main__":
    main()
