"""Does it matter that all seeds of a fold share a stage 1? The full network again, with a stage 1 for each seed.

Reads config and folds from a finished `lfdtcmen ablate ... --share-stage1` run, trains the full network on the same
folds with stages 1 of their own, and compares both, paired. Writes own_stage1.csv.gz beside the run's results.

    python benchmarks/shared_stage1.py runs/ablations --seeds 1 --folds 2 --jobs 2
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from lfdtcmen import load_config
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.training import LFDTCMENClassifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of the run: metrics.json and predictions.csv")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2], help="seed 0 trains the shared one")
    parser.add_argument("--folds", type=int, help="how many of the run's folds; all by default")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()

    made_with = json.loads((args.run / "metrics.json").read_text())["config"]
    settings = {name: made_with[name] for name in ("preset", "label_map", "subjects", "folds", "perceptual_size")}
    config = load_config(made_with["profile"], **settings, epochs=tuple(made_with["epochs"]))
    pairs = make_dataset(config.preset, config.label_map, config.subjects, seed=config.seed, n_jobs=-1)
    pairs = prepare_pairs(pairs, n_jobs=-1)
    folds = list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))[: args.folds]
    model = LFDTCMENClassifier(config)
    own = cross_validate(
        model, pairs, folds, args.seeds, args.run / "own-stage1", args.jobs, config=model.settings, progress=True
    )
    own.assign(model="full").to_csv(args.run / "own_stage1.csv.gz", index=False)
    shared = pd.read_csv(args.run / "predictions.csv").query("model == 'full' and seed in @args.seeds")
    shared = shared[shared["fold"] < len(folds)]
    table = score_table({"own": own, "shared": shared.drop(columns="model")}, reference="own")
    print(readable(table).T.to_string())


if __name__ == "__main__":
    main()
