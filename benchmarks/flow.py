"""How much faster is preparation (registration, TV-L1, streams) on two processes than on one?

    python benchmarks/flow.py                   # about two minutes
    python benchmarks/flow.py --pairs 64 --repeats 3

Each repeat prepares the same pairs with one process and then with several, into an empty cache. The result is the
median of the ratios. Workers are started before the first measurement, as starting them takes a few seconds. Aim: 1.8
on two idle cores.
"""

import argparse
import os
import statistics
import tempfile
import time

import numpy as np

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.synthetic import make_dataset


def seconds(pairs: PairSet, n_jobs: int) -> float:
    """Return the time of a preparation with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LFDTCMEN_CACHE"] = folder
        start = time.perf_counter()
        prepare_pairs(pairs, n_jobs=n_jobs)
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=192, help="pairs to prepare")
    parser.add_argument("--repeats", type=int, default=5, help="how many measurements")
    parser.add_argument("--jobs", type=int, default=2, help="processes that are compared with one")
    args = parser.parse_args()

    pairs = make_dataset("standard", subjects=40, n_jobs=args.jobs)
    pairs = pairs.subset(np.arange(min(args.pairs, len(pairs))))
    seconds(pairs.subset(np.arange(min(16, len(pairs)))), args.jobs)  # starts the workers

    ratios = []
    for repeat in range(args.repeats):
        one, many = seconds(pairs, 1), seconds(pairs, args.jobs)
        ratios.append(one / many)
        print(
            f"repeat {repeat}: 1 process {len(pairs) / one:5.1f} pairs/s, {args.jobs} processes "
            f"{len(pairs) / many:5.1f} pairs/s, ratio {ratios[-1]:.2f}",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.2f} (lowest {min(ratios):.2f}, highest {max(ratios):.2f})")


if __name__ == "__main__":
    main()
