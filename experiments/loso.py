"""Leave one subject out over 100 subjects with the optical flow branch: killed twice, and in one go.

    python experiments/loso.py --jobs 2

Runs `lfdtcmen evaluate flow-branch --protocol loso` as a process of its own, kills it and its workers with SIGKILL when
a third and two thirds of the folds are done, lets it go on, and compares the pooled predictions with those of a second
run that is not interrupted. They are in OUT and OUT-unbroken. Starts from nothing each time: both folders are emptied.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pandas as pd
from common import make_parser

SUBJECTS = 100


def start(out: Path, args: argparse.Namespace) -> subprocess.Popen:
    """Start the evaluation, or go on with it, in a process group of its own."""
    options = f"--protocol loso --seeds 1 --epochs 0 {args.epochs} 0 --subjects {SUBJECTS} --jobs {args.jobs}"
    command = [sys.executable, "-m", "lfdtcmen", "evaluate", "flow-branch", *options.split(), "--name", out.name]
    env = os.environ | {"LFDTCMEN_RUNS": str(out.parent.resolve())}
    return subprocess.Popen(command, env=env, start_new_session=True)


def finish(out: Path, args: argparse.Namespace) -> None:
    """Run to the end.

    Raises
    ------
    subprocess.CalledProcessError
        The command failed.
    """
    process = start(out, args)
    if code := process.wait():
        raise subprocess.CalledProcessError(code, process.args)


def kill_after(folds: int, out: Path, args: argparse.Namespace) -> None:
    """Run, and kill the whole process group once this many folds are done."""
    process = start(out, args)
    while process.poll() is None and len(folds_done(out)) < folds:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    print(f"killed with {len(folds_done(out))} of {SUBJECTS} folds done", flush=True)


def folds_done(out: Path) -> list[Path]:
    return list((out / "flow-branch").glob("seed*.json"))


def main() -> None:
    parser = make_parser(__doc__, "loso")
    parser.add_argument("--epochs", type=int, default=2, help="of stage 2")
    args = parser.parse_args()

    killed, unbroken = args.out, args.out.with_name(f"{args.out.name}-unbroken")
    for folder in (killed, unbroken):
        shutil.rmtree(folder, ignore_errors=True)
    times = [time.perf_counter()]
    kill_after(SUBJECTS // 3, killed, args)
    kill_after(2 * SUBJECTS // 3, killed, args)
    finish(killed, args)
    times.append(time.perf_counter())
    finish(unbroken, args)
    times.append(time.perf_counter())
    tables = [pd.read_csv(folder / "predictions.csv").drop(columns="seconds") for folder in (killed, unbroken)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    minutes = [(end - begin) / 60 for begin, end in pairwise(times)]
    print(f"the same {len(tables[0])} predictions; {minutes[0]:.1f} min killed twice, {minutes[1]:.1f} min in one go")


if __name__ == "__main__":
    main()
