"""What does stage 1 cost in each recipe? One core, one fold of the `standard` faces, all in one run.

    python benchmarks/recipes.py

Times a few steps of each recipe in turn, in several rounds, and multiplies the median step by the recipe's number of
steps. Pretraining is shared by the folds. Writes costs.csv to OUT.
"""

import argparse
import math
from dataclasses import replace

import pandas as pd

from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.beyond.pretraining import pretrain
from lfdtcmen.config import load_config
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.files import make_folder, parse_folder, runs_dir
from lfdtcmen.threads import one_thread
from lfdtcmen.training import build_model, train_stage

RECIPES = ("paper", "repaired", "repaired_alone")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how many")
    parser.add_argument("--steps", type=int, default=8, help="timed in each round")
    parser.add_argument("--out", type=parse_folder, default=runs_dir() / "recipes", help="folder of the table")
    args = parser.parse_args()

    pairs = prepare_pairs(make_dataset("standard", n_jobs=-1), n_jobs=-1)
    train = pairs.subset(next(iter(grouped_kfold(pairs.subjects, pairs.labels, 5)))[0])
    configs = {name: load_config("cpu", recipe=name) for name in RECIPES}
    few = train.subset(range(args.steps * configs["paper"].batch_sizes[0]))
    times = []
    for _ in range(args.rounds):
        for name, config in configs.items():
            model = build_model(config, train.num_classes, EXTENDED)
            with one_thread():
                if config.pretraining:
                    history = pretrain(model, replace(config, pretraining=args.steps), progress=False)
                else:
                    history = train_stage(
                        model, few, 1, replace(config, epochs=(1, 0, 0)), progress=False, method=EXTENDED
                    )
            times += [(name, seconds) for seconds in history["seconds"][1:]]  # the first step sets up
    times = pd.DataFrame(times, columns=["recipe", "seconds per step"])
    costs = times.groupby("recipe", sort=False)["seconds per step"].median().to_frame()
    per_epoch = math.ceil(len(train) / configs["paper"].batch_sizes[0])
    costs["steps"] = [config.pretraining or config.epochs[0] * per_epoch for config in configs.values()]
    costs["minutes"] = costs["seconds per step"] * costs["steps"] / 60
    folds = [config.folds if config.pretraining else 1 for config in configs.values()]
    costs["minutes per fold"] = costs["minutes"] / folds
    print(costs.round(2).to_string())
    costs.round(3).to_csv(make_folder(args.out) / "costs.csv")


if __name__ == "__main__":
    main()
