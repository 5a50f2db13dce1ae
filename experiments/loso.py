"""Leave one subject out over 100 subjects with the optical flow branch: killed twice on the way, and unbroken.

Runs `lfdtcmen evaluate flow-branch --protocol loso` as a process of its own, kills it and its workers with SIGKILL when
a third and two thirds of the folds are there, lets it go on, and compares the pooled predictions with those of a second
run that nobody killed. They are in runs/loso and runs/loso-unbroken.

    python experiments/loso.py --epochs 2 --jobs 2
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SUBJECTS = 100


def command(name: str, args: argparse.Namespace) -> list[str]:
    options = f"--protocol loso --seeds 1 --epochs 0 {args.epochs} 0 --subjects {SUBJECTS} --jobs {args.jobs}"
    return [sys.executable, "-m", "lfdtcmen", "evaluate", "flow-branch", *options.split(), "--name", name]


def run_until(name: str, files: int, args: argparse.Namespace) -> None:
    """Start or go on with a run, and kill the whole process group once so many folds are there."""
    folder = ROOT / "runs" / name / "flow-branch"
    process = subprocess.Popen(command(name, args), cwd=ROOT, start_new_session=True)
    while process.poll() is None and len(list(folder.glob("seed*.json"))) < files:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    print(f"killed with {len(list(folder.glob('seed*.json')))} of {SUBJECTS} folds there")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()

    for name in ("loso", "loso-unbroken"):
        shutil.rmtree(ROOT / "runs" / name, ignore_errors=True)
    start = time.perf_counter()
    run_until("loso", SUBJECTS // 3, args)
    run_until("loso", 2 * SUBJECTS // 3, args)
    subprocess.run(command("loso", args), cwd=ROOT, check=True)
    killed = time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run(command("loso-unbroken", args), cwd=ROOT, check=True)
    unbroken = time.perf_counter() - start
    tables = [
        pd.read_csv(ROOT / "runs" / name / "predictions.csv").drop(columns="seconds")
        for name in ("loso", "loso-unbroken")
    ]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    print(
        f"the same {len(tables[0])} predictions; {killed / 60:.1f} min killed twice, {unbroken / 60:.1f} min unbroken"
    )


if __name__ == "__main__":
    main()
