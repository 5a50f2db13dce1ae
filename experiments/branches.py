"""Does the repaired recipe recognise more? Its two branches, each alone and both together, against a linear SVM.

    python experiments/branches.py --presets easy standard hard --jobs 2

With late fusion the branches share nothing that stage 2 trains: each has its own classifier and its own loss. So one
network is trained for each seed and fold, and its motion branch, its flow branch and both together predict in turn.
Writes predictions.csv.gz and scores.csv (UF1 of each, and paired differences with 95 % intervals over subjects) to OUT.
A run that was stopped continues with the folds that are missing.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from common import make_parser, prepared_faces

from lfdtcmen.baselines.simple import linear_svm
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.training import LFDTCMENClassifier, stage_checkpoint

BRANCHES = {"both": None, "motion": 0, "flow": 1}


class Branch:
    """One branch, or both, of a network that is trained once for each seed and fold: a model for `cross_validate`."""

    def __init__(self, name: str, config: Config, run_dir: Path):
        self.branch, self.config, self.run_dir = BRANCHES[name], config, run_dir
        self.network = LFDTCMENClassifier(config, run_dir, stages=2, method=EXTENDED)
        self.settings = {"model": name} | self.network.settings
        self.prepare = self.network.prepare

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        model, _ = stage_checkpoint(
            2, replace(self.config, seed=seed), train, self.run_dir, progress=False, method=EXTENDED
        )
        chunks = np.array_split(np.arange(len(test)), -(-len(test) // 64))
        with torch.no_grad():
            outputs = [model(test.batch(chunk), identity=False) for chunk in chunks]
        logits = [out.logits if self.branch is None else out.branch_logits[self.branch] for out in outputs]
        return torch.cat(logits).softmax(1).numpy()


def main() -> None:
    parser = make_parser(__doc__, "branches")
    parser.add_argument("--presets", nargs="+", default=["standard"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=12, help="of stage 2")
    args = parser.parse_args()

    tables, scores = [], []
    for preset in args.presets:
        config = load_config("cpu", recipe="repaired", preset=preset)
        config = replace(config, epochs=(config.epochs[0], args.epochs, 0))
        pairs = prepared_faces(config)
        folds = list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))
        models = {name: Branch(name, config, args.out) for name in BRANCHES} | {"linear-svm": linear_svm}
        predictions = {
            name: cross_validate(model, pairs, folds, args.seeds, args.out / preset / name, args.jobs, progress=True)
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
