"""Does the repaired recipe recognise more? Its two branches, each alone and together, against a linear SVM.

With late fusion the branches share nothing that stage 2 trains: each has its own classifier and its own loss. So one
network a seed and fold is trained, and its motion branch, its flow branch and both are asked in turn. Writes
predictions.csv.gz and scores.csv (UF1 of each, and paired differences with 95 % intervals over people) to OUT; folds
that are there are not computed again.

    python benchmarks/branches.py --presets easy standard hard --jobs 2
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lfdtcmen.baselines.simple import linear_svm
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.training import LFDTCMENClassifier, stage_checkpoint

BRANCHES = {"both": None, "motion": 0, "flow": 1}


class Branch:
    """``fit_predict`` of one branch, or both, of a network that is trained once a seed and fold."""

    def __init__(self, name: str, config: Config, run_dir: Path):
        self.branch, self.config, self.run_dir = BRANCHES[name], config, run_dir

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        model, _ = stage_checkpoint(2, replace(self.config, seed=seed), train, self.run_dir, progress=False)
        chunks = np.array_split(np.arange(len(test)), -(-len(test) // 64))
        with torch.no_grad():
            outputs = [model(test.batch(chunk), identity=False) for chunk in chunks]
        logits = [out.logits if self.branch is None else out.branch_logits[self.branch] for out in outputs]
        return torch.cat(logits).softmax(1).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", default=["standard"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=12, help="of stage 2")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/branches"), help="of tables, checkpoints and folds")
    args = parser.parse_args()

    tables, scores = [], []
    for preset in args.presets:
        config = load_config("cpu", recipe="repaired", preset=preset)
        config = replace(config, epochs=(config.epochs[0], args.epochs, 0))
        pairs = prepare_pairs(make_dataset(preset, subjects=config.subjects, n_jobs=-1), n_jobs=-1)
        folds = list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))
        LFDTCMENClassifier(config, args.out).pretrain(args.seeds, args.jobs)
        models = {name: Branch(name, config, args.out) for name in BRANCHES} | {"linear-svm": linear_svm}
        settings = LFDTCMENClassifier(config, stages=2).settings
        predictions = {
            name: cross_validate(
                *(model, pairs, folds, args.seeds, args.out / preset / name, args.jobs),
                config={"model": name} | settings,
                progress=True,
            )
            for name, model in models.items()
        }
        tables += [table.assign(preset=preset, model=name) for name, table in predictions.items()]
        for reference in ("linear-svm", "motion", "flow"):
            table = score_table(predictions, reference)
            scores.append(table.assign(preset=preset))
        print(f"{preset}\n{readable(table).T.to_string()}", flush=True)
    pd.concat(tables).to_csv(args.out / "predictions.csv.gz", index=False, float_format="%.4f")
    pd.concat(scores).drop_duplicates().to_csv(args.out / "scores.csv", index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
