"""Which answer to class imbalance helps the optical flow branch? For notebook 16.

The same folds and seeds for the paper's plain cross-entropy and four options of ours, with three classes (CAS(ME)^3's
counts) and, with --seeds-7class, with seven (the same clips). Writes runs/imbalance.

    python benchmarks/imbalance.py --seeds 3 --epochs 8 --jobs 2
"""

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path

import pandas as pd

from lfdtcmen import load_config
from lfdtcmen.config import CHOICES
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.files import make_folder
from lfdtcmen.training import LFDTCMENClassifier

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seeds-7class", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()

    start = time.perf_counter()
    out = make_folder(ROOT / "runs" / "imbalance")
    tables = []
    for label_map, seeds in (("3class", args.seeds), ("7class", args.seeds_7class)):
        if seeds == 0:
            continue
        flow_branch = {"label_map": label_map, "drl": None, "motion": None, "epochs": (0, args.epochs, 0)}
        config = load_config("cpu", **flow_branch)
        pairs = make_dataset(config.preset, label_map, config.subjects, seed=config.seed, n_jobs=-1)
        pairs = prepare_pairs(pairs, n_jobs=-1)
        folds = list(grouped_kfold(pairs.subjects, pairs.labels, args.folds))
        predictions = {}
        for option in CHOICES["imbalance"]:
            model = LFDTCMENClassifier(load_config("cpu", **flow_branch, imbalance=option))
            name = option or "cross_entropy"
            print(f"{label_map}, {name}")
            predictions[name] = cross_validate(
                model, pairs, folds, range(seeds), out / label_map / name, args.jobs, config=model.settings,
                progress=True,
            )  # fmt: skip
        table = score_table(predictions, reference="cross_entropy")
        print(readable(table).to_string())
        tables += [frame.assign(label_map=label_map, option=name) for name, frame in predictions.items()]
    columns = ["label_map", "option", "seed", "fold", "subject", "clip", "label", "prediction", "seconds"]
    pd.concat(tables)[columns].to_csv(out / "predictions.csv.gz", index=False)
    about = {
        "command": " ".join(["python", *sys.argv]),
        "date": f"{date.today()}",
        "minutes": round((time.perf_counter() - start) / 60, 1),
        "jobs": args.jobs,
    }
    (out / "about.json").write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
