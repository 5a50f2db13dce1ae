"""How difficult are the synthetic faces?

    python experiments/synthetic.py --presets easy standard hard
    python experiments/synthetic.py --presets easy --seeds 0

Measures UF1 over three classes (5 folds of subjects, predictions pooled) of

- an SVM on the apex frame alone: near chance level, if the faces do not show the emotion without motion,
- a linear SVM on TV-L1 flow: what a simple model of the motion reaches,
- logistic regression on the true action units: about the best that is possible with emotions as ambiguous as these,

and the mean end-point error of TV-L1 compared with the exact flow (EPE), the error of a zero flow (zero), and the
median of the largest motion on the skin (peak), in pixels. Writes synthetic.csv to OUT, a row per preset and seed. A
run that was stopped continues with the rows that are missing.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from common import append_rows, finished_jobs, make_parser

from lfdtcmen.baselines.simple import action_units, apex_svm, linear_svm, majority
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset, render_pair
from lfdtcmen.datasets.synthetic.settings import PRESETS
from lfdtcmen.evaluation.metrics import uf1
from lfdtcmen.files import make_folder
from lfdtcmen.preprocessing.flow import tvl1

MODELS = {"majority": majority, "apex SVM": apex_svm, "TV-L1 SVM": linear_svm, "true AU": action_units}


def score(
    pairs: PairSet, fit_predict: Callable[[PairSet, PairSet, int], np.ndarray], seed: int, folds: int = 5
) -> float:
    """Return UF1 of the pooled predictions."""
    predicted = np.empty(len(pairs), np.int64)
    for train, test in grouped_kfold(pairs.subjects, pairs.labels, folds, seed):
        predicted[test] = fit_predict(pairs.subset(train), pairs.subset(test), seed).argmax(1)
    return uf1(pairs.labels, predicted, pairs.num_classes)


def flow_error(pairs: PairSet, seed: int, preset: str, subjects: int, every: int = 10) -> dict[str, float]:
    """Compare TV-L1 with the exact flow, head motion included, on the skin of every tenth pair. All in pixels."""
    errors, zeros, peaks = [], [], []
    for _, record in pairs.manifest.iloc[::every].iterrows():
        subject, clip = int(record["subject"].split("/s")[1]), int(record["clip"][1:])
        pair = render_pair(seed, subject, clip, preset, subjects)
        found = tvl1(pair.onset, pair.apex)  # [2, H, W]
        errors.append(np.hypot(*(found - pair.flow))[pair.skin].mean())
        zeros.append(np.hypot(*pair.flow)[pair.skin].mean())
        peaks.append(np.hypot(*pair.flow)[pair.skin].max())
    return {"EPE": np.mean(errors), "zero": np.mean(zeros), "peak": np.median(peaks)}


def main() -> None:
    parser = make_parser(__doc__, "synthetic")
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=["standard"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--subjects", type=int, default=100, help="how many")
    args = parser.parse_args()

    file = make_folder(args.out) / "synthetic.csv"
    done = finished_jobs(file, ["preset", "seed", "subjects"])
    jobs = [(preset, seed) for preset in args.presets for seed in args.seeds]
    for preset, seed in jobs:
        if (preset, seed, args.subjects) in done:
            continue
        pairs = make_dataset(preset, subjects=args.subjects, seed=seed, n_jobs=args.jobs)
        pairs = prepare_pairs(pairs, n_jobs=args.jobs)
        row = {"preset": preset, "seed": seed, "subjects": args.subjects}
        row |= {name: score(pairs, fit_predict, seed) for name, fit_predict in MODELS.items()}
        append_rows(file, pd.DataFrame([row | flow_error(pairs, seed, preset, args.subjects)]))
    table = pd.read_csv(file)
    print(table.round(3).to_string(index=False))
    print(table.groupby("preset", sort=False).mean().drop(columns=["seed", "subjects"]).round(3).to_string())


if __name__ == "__main__":
    main()
