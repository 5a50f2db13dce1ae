"""How exact and how fast is TV-L1 with other settings of OpenCV's solver?

    python benchmarks/flow_solver.py                 # about two minutes of one core
    python benchmarks/flow_solver.py --pairs 20 --out benchmarks/results/flow_solver.csv

All settings solve the same registered pairs in one run, in turn at each pair. The error is the distance to the exact
flow (end-point error, pixels, mean over pairs and pixels; on moving skin: where the exact flow is longer than 0.2
pixels), the time is the median over pairs, in milliseconds of this thread's processor time. `ratio` compares with the
settings of the package (median over pairs); `difference` is the paired difference of the errors, with a 95 % interval
over pairs.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.evaluation.intervals import measure, ratio
from lfdtcmen.preprocessing.flow import TVL1_SETTINGS, make_solver

MOVING = 0.2  # pixels
HALVED = {"ScaleStep": 0.5, "ScalesNumber": 3}  # each scale half of the one before
CHANGES: dict[str, dict[str, float]] = {
    "package": {},
    "2 warps": {"WarpingsNumber": 2},
    "1 warp": {"WarpingsNumber": 1},
    "2 outer iterations": {"OuterIterations": 2},
    "15 inner iterations": {"InnerIterations": 15},
    "10 inner iterations": {"InnerIterations": 10},
    "no median filter": {"MedianFiltering": 1},
    "2 scales": {"ScalesNumber": 2},
    "scale step 0.5": HALVED,
    "epsilon 0.03": {"Epsilon": 0.03},
    "epsilon 0.05": {"Epsilon": 0.05},
    "scale step 0.5, 1 warp": HALVED | {"WarpingsNumber": 1},
    "scale step 0.5, 15 inner": HALVED | {"InnerIterations": 15},
    "scale step 0.5, 10 inner": HALVED | {"InnerIterations": 10},
    "scale step 0.5, 1 warp, 15 inner": HALVED | {"WarpingsNumber": 1, "InnerIterations": 15},
}


def errors_of(flows: np.ndarray, pairs: PairSet) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean end-point error of each pair, on all pixels and on moving skin (NaN: nothing moves), [N] each."""
    assert pairs.true_flow is not None
    distance = np.linalg.norm(flows - pairs.true_flow, axis=1)  # [N, H, W]
    moving = np.linalg.norm(pairs.true_flow, axis=1) > MOVING
    on_skin = [d[m].mean() if m.any() else np.nan for d, m in zip(distance, moving, strict=True)]
    return distance.mean((1, 2)), np.array(on_skin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100, help="of other people each")
    parser.add_argument("--preset", default="standard", help="of the synthetic faces")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    args = parser.parse_args()

    cv2.setNumThreads(1)
    pairs = make_dataset(args.preset, n_jobs=1)
    first = np.unique(pairs.subjects, return_index=True)[1][: args.pairs]  # one pair a person
    pairs = prepare_pairs(pairs.subset(first), n_jobs=1)
    flows: dict[str, list[np.ndarray]] = {name: [] for name in CHANGES}
    times: dict[str, list[float]] = {name: [] for name in CHANGES}
    for pair in zip(pairs.onset, pairs.apex, strict=True):
        onset, apex = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in pair)
        for name, changes in CHANGES.items():
            solver = make_solver(TVL1_SETTINGS | changes)
            start = time.thread_time()
            flow = solver.calc(onset, apex, None)  # type: ignore[call-overload]  # [H, W, 2]
            times[name].append(1000 * (time.thread_time() - start))
            flows[name].append(flow.transpose(2, 0, 1))
    errors = {name: errors_of(np.stack(found), pairs) for name, found in flows.items()}
    rows = []
    for name, (everywhere, on_skin) in errors.items():
        difference = everywhere - errors["package"][0]
        mean = measure(name, ratio, np.stack([difference, np.ones_like(difference)], axis=1), pairs.subjects)
        rows.append(
            {
                "settings": name,
                "error": everywhere.mean(),
                "error on moving skin": np.nanmean(on_skin),
                "difference": mean.value,
                "low": mean.low,
                "high": mean.high,
                "ms a pair": np.median(times[name]),
                "ratio": np.median(np.array(times["package"]) / times[name]),
            }
        )
    table = pd.DataFrame(rows)
    print(table.round(4).to_string(index=False))
    if args.out:
        table.to_csv(args.out, index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
