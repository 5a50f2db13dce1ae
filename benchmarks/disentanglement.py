"""Did stage 1 disentangle, in every fold of a finished `lfdtcmen evaluate` run?

Loads the stage-1 checkpoints that the run left behind and measures each on its fold's held-out subjects: copy baseline,
motion gain (same face and across faces, against the rendered counterfactual), identity leak. Writes
disentanglement.csv, one row a seed, fold and measure, into the run's folder.

    lfdtcmen evaluate lfd-tcmen --epochs 2 15 1 --name standard_3class
    python benchmarks/disentanglement.py runs/standard_3class
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from lfdtcmen.analysis.disentanglement import disentanglement_report
from lfdtcmen.config import load_config
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_counterfactuals, make_dataset
from lfdtcmen.preprocessing import prepare
from lfdtcmen.training import stage_checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of the run: metrics.json and checkpoints/")
    parser.add_argument("--seeds", type=int, default=1, help="how many of the run's seeds: 0, 1, ...")
    args = parser.parse_args()

    made_with = json.loads((args.run / "metrics.json").read_text())["config"]
    settings = {name: made_with[name] for name in ("preset", "label_map", "subjects", "folds")}
    settings["epochs"] = tuple(made_with["epochs"])
    config = load_config(made_with["profile"], **settings)
    pairs = make_dataset(config.preset, config.label_map, config.subjects, seed=config.seed, n_jobs=-1)
    pairs = prepare(pairs, n_jobs=-1)
    counterfactuals = make_counterfactuals(config.preset, config.seed)
    reports = []
    for seed in range(args.seeds):
        for fold, (train, test) in enumerate(grouped_kfold(pairs.subjects, pairs.labels, config.folds)):
            seeded = load_config(made_with["profile"], **settings, seed=seed)
            model, _ = stage_checkpoint(1, seeded, pairs.subset(train), args.run)
            report = disentanglement_report(model, pairs.subset(test), counterfactuals, seed)
            reports.append(report.reset_index().assign(seed=seed, fold=fold))
            print(f"seed {seed}, fold {fold}: motion gain {report.loc['motion gain', 'value']:.3f}")
    table = pd.concat(reports)
    table.to_csv(args.run / "disentanglement.csv", index=False, float_format="%.4f")
    print(table.groupby("measure", sort=False)["value"].agg(["mean", "min", "max"]).round(3).to_string())


if __name__ == "__main__":
    main()
