"""How many folds a minute run on one process, on two, and on two Dask workers?

    python benchmarks/scaling.py --rounds 3

The optical flow branch, on the same folds for all three. They take turns, so that other work on the machine slows all
of them alike; their predictions must be the same. A ratio compares two rates of one round; the median of the ratios is
the result.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import pandas as pd
from distributed import Client, LocalCluster

from lfdtcmen import load_config
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import loso
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.training import LFDTCMENClassifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how many")
    parser.add_argument("--folds", type=int, default=8, help="of the 100 of leave-one-subject-out")
    parser.add_argument("--epochs", type=int, default=3, help="of stage 2")
    args = parser.parse_args()

    config = load_config("cpu", drl=None, motion=None, epochs=(0, args.epochs, 0))
    pairs = make_dataset(config.preset, config.label_map, config.subjects, seed=config.seed, n_jobs=-1)
    pairs = prepare_pairs(pairs, n_jobs=-1)
    folds = list(loso(pairs.subjects))[: args.folds]
    model = LFDTCMENClassifier(config)
    ways = {"1 process": (1, "loky"), "2 processes": (2, "loky"), "2 Dask workers": (2, "dask")}
    rates: dict[str, list[float]] = {way: [] for way in ways}
    tables = {}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        tempfile.TemporaryDirectory() as out,
    ):
        for number in range(args.rounds + 1):
            for way, (jobs, backend) in ways.items():
                start = time.perf_counter()
                tables[way] = cross_validate(model, pairs, folds, [0], Path(out) / f"{way} {number}", jobs, backend)
                if number:  # the first round starts the processes
                    rates[way].append(60 * len(folds) / (time.perf_counter() - start))
    first = tables["1 process"].drop(columns="seconds")
    for way, table in tables.items():
        pd.testing.assert_frame_equal(first, table.drop(columns="seconds"), check_exact=True)
        print(f"{way:15s} {statistics.median(rates[way]):6.2f} folds a minute {[round(r, 2) for r in rates[way]]}")
    for one, other in (("2 processes", "1 process"), ("2 Dask workers", "2 processes")):
        ratios = [a / b for a, b in zip(rates[one], rates[other], strict=True)]
        print(f"{one} / {other}: {statistics.median(ratios):.2f} {[round(r, 2) for r in ratios]}")


if __name__ == "__main__":
    main()
