"""How much do bad practices inflate the score of the optical flow branch? For notebook 11.

Trains the flow branch on the same drawn faces with subjects apart, and with samples split at random, and predicts the
test samples after every epoch; and once more with the epoch chosen on validation subjects. Writes
runs/inflation.

    python benchmarks/inflation.py --seeds 3 --epochs 8 --jobs 2
"""

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path

from lfdtcmen import load_config
from lfdtcmen.analysis.inflation import epoch_predictions, inflation_table, random_kfold
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable
from lfdtcmen.files import make_folder
from lfdtcmen.training import LFDTCMENClassifier

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()

    start = time.perf_counter()
    out = make_folder(ROOT / "runs" / "inflation")
    config = load_config("cpu", drl=None, motion=None, epochs=(0, args.epochs, 0), folds=args.folds)
    pairs = make_dataset(config.preset, config.label_map, config.subjects, seed=config.seed, n_jobs=-1)
    pairs = prepare_pairs(pairs, n_jobs=-1)
    seeds = range(args.seeds)
    splits = {
        "apart": list(grouped_kfold(pairs.subjects, pairs.labels, config.folds)),
        "mixed": random_kfold(pairs.labels, config.folds),
    }
    tables = {}
    for name, folds in splits.items():
        tables[name] = epoch_predictions(config, pairs, folds, seeds, args.jobs, progress=True)
        tables[name].to_csv(out / f"{name}.csv.gz", index=False)
    chooser = LFDTCMENClassifier(config, validation=0.2)
    validated = cross_validate(
        chooser, pairs, splits["apart"], seeds, out, args.jobs, config=chooser.settings, progress=True
    )
    validated[["seed", "fold", "subject", "clip", "label", "prediction"]].to_csv(out / "validated.csv.gz", index=False)
    about = {
        "command": " ".join(["python", *sys.argv]),
        "date": f"{date.today()}",
        "minutes": round((time.perf_counter() - start) / 60, 1),
        "jobs": args.jobs,
        "preset": config.preset,
        "subjects": config.subjects,
    }
    (out / "about.json").write_text(json.dumps(about, indent=2) + "\n")
    for metric in ("uf1", "uar"):
        table = inflation_table(tables["apart"], tables["mixed"], pairs.num_classes, validated, metric)
        print(readable(table).to_string())


if __name__ == "__main__":
    main()
