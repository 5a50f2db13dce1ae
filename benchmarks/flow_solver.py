"""How exact and how fast is TV-L1 with other settings of OpenCV's solver?

    python benchmarks/flow_solver.py                 # about five minutes of one core
    python benchmarks/flow_solver.py --pairs 100 --repeats 5 --out benchmarks/results/flow_solver.csv

All settings solve the same registered pairs in turn, in one run; a repeat goes through all of them. The error is the
distance to the exact flow (end-point error, pixels, mean over pairs and pixels; on moving skin: where the exact flow is
longer than 0.2 pixels), the time is the median over repeats, in milliseconds a pair. `ratio` compares with the
settings of the package; `difference` is the paired difference of the errors, with a 95 % interval over pairs.
"""

import argparse
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.preprocessing.flow import TVL1_SETTINGS

MOVING = 0.2  # pixels
CHANGES: dict[str, dict[str, float]] = {
    "package": {},
    "2 warps": {"WarpingsNumber": 2},
    "1 warp": {"WarpingsNumber": 1},
    "3 outer iterations": {"OuterIterations": 3},
    "2 outer iterations": {"OuterIterations": 2},
    "10 inner iterations": {"InnerIterations": 10},
    "15 inner iterations": {"InnerIterations": 15},
    "no median filter": {"MedianFiltering": 1},
    "median of 3": {"MedianFiltering": 3},
    "3 scales": {"ScalesNumber": 3},
    "2 scales": {"ScalesNumber": 2},
    "scale step 0.5, 3 scales": {"ScaleStep": 0.5, "ScalesNumber": 3},
    "epsilon 0.05": {"Epsilon": 0.05},
    "epsilon 0.1": {"Epsilon": 0.1},
    "2 warps, scale step 0.5, 3 scales": {"WarpingsNumber": 2, "ScaleStep": 0.5, "ScalesNumber": 3},
    "2 warps, 3 outer": {"WarpingsNumber": 2, "OuterIterations": 3},
    "2 warps, 15 inner": {"WarpingsNumber": 2, "InnerIterations": 15},
}


def solve(frames: list[tuple[np.ndarray, np.ndarray]], changes: dict[str, float]) -> tuple[np.ndarray, float]:
    """Return the flows [N, 2, H, W] and the milliseconds that one pair took."""
    solver = cv2.optflow.DualTVL1OpticalFlow.create()
    for name, value in (TVL1_SETTINGS | changes).items():
        getattr(solver, f"set{name}")(value)
    start = time.perf_counter()
    flows = [solver.calc(onset, apex, None) for onset, apex in frames]  # type: ignore[call-overload]
    taken = time.perf_counter() - start
    return np.stack(flows).transpose(0, 3, 1, 2), 1000 * taken / len(frames)


def errors_of(flows: np.ndarray, pairs: PairSet) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean end-point error of each pair, on all pixels and on moving skin (NaN: nothing moves), [N] each."""
    assert pairs.true_flow is not None
    distance = np.linalg.norm(flows - pairs.true_flow, axis=1)  # [N, H, W]
    moving = np.linalg.norm(pairs.true_flow, axis=1) > MOVING
    on_skin = [d[m].mean() if m.any() else np.nan for d, m in zip(distance, moving, strict=True)]
    return distance.mean((1, 2)), np.array(on_skin)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the mean, by resampling pairs."""
    rng = np.random.default_rng(0)
    means = [np.nanmean(rng.choice(values, len(values))) for _ in range(1000)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100, help="of other people each")
    parser.add_argument("--repeats", type=int, default=3, help="how many measurements of the time")
    parser.add_argument("--preset", default="standard", help="of the synthetic faces")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    args = parser.parse_args()

    cv2.setNumThreads(1)
    pairs = make_dataset(args.preset, subjects=args.pairs, n_jobs=1)
    first = np.unique(pairs.subjects, return_index=True)[1][: args.pairs]  # one pair a person
    pairs = prepare_pairs(pairs.subset(first), n_jobs=1)
    grey = [[cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames] for frames in (pairs.onset, pairs.apex)]
    frames = list(zip(*grey, strict=True))
    times: dict[str, list[float]] = {name: [] for name in CHANGES}
    errors: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for repeat in range(args.repeats):
        for name, changes in CHANGES.items():
            flows, taken = solve(frames, changes)
            times[name].append(taken)
            errors[name] = errors_of(flows, pairs)
        print(f"repeat {repeat + 1} of {args.repeats}", flush=True)
    rows = []
    for name, (everywhere, on_skin) in errors.items():
        difference = everywhere - errors["package"][0]
        low, high = interval(difference)
        rows.append(
            {
                "settings": name,
                "error": everywhere.mean(),
                "error on moving skin": np.nanmean(on_skin),
                "difference": difference.mean(),
                "low": low,
                "high": high,
                "ms a pair": statistics.median(times[name]),
                "ratio": statistics.median(times["package"]) / statistics.median(times[name]),
            }
        )
    table = pd.DataFrame(rows)
    print(table.round(4).to_string(index=False))
    if args.out:
        table.to_csv(args.out, index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
