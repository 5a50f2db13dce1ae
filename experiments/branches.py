"""Which branch recognises what? Motion branch, flow branch and both together, against logistic regression on flow.

    python experiments/branches.py --presets easy standard hard quarter foreign --jobs 2

`quarter` trains on a quarter of the training subjects of each fold of `standard`; `foreign` trains on all of `standard`
and tests on other people in front of another camera.
With late fusion (recipe repaired) the branches share nothing that stage 2 trains: each has its own classifier and its
own loss. So one network is trained for each seed and fold, and its motion branch, its flow branch and both together
predict in turn. With the paper's one classifier, each of the three is a network of its own.
Writes predictions.csv.gz and scores.csv (UF1 of each, and paired differences with 95 % intervals over subjects) to OUT.
A run that was stopped continues with the folds that are missing.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from common import BRANCHES, Branch, foreign_people, make_parser, prepared_faces, write_about

from lfdtcmen.baselines.simple import logistic_regression
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.pairs import PairSet, concatenate
from lfdtcmen.datasets.splits import Fold, grouped_kfold, holdout
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.protocol import Model, cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.settings import parse_settings
from lfdtcmen.training import LFDTCMENClassifier

ALONE: dict[str, dict] = {"both": {}, "motion": {"flow": None}, "flow": {"motion": None, "drl": None}}


def task(name: str, config: Config) -> tuple[PairSet, list[Fold]]:
    """Return pairs and folds of a preset, of `quarter` or of `foreign`."""
    pairs = prepared_faces(replace(config, preset="standard" if name in ("quarter", "foreign") else name))
    if name == "foreign":
        pairs = concatenate({"standard": pairs, "foreign": foreign_people(config)})
        return pairs, list(holdout(pairs.manifest["part"], "standard"))
    folds = list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))
    if name == "quarter":
        folds = [(quarter(pairs, train, number), test) for number, (train, test) in enumerate(folds)]
    return pairs, folds


def quarter(pairs: PairSet, train: np.ndarray, seed: int) -> np.ndarray:
    """Return the samples of a quarter of the training subjects, among whom each class has three samples or more."""
    rng = np.random.default_rng(seed)
    people = np.unique(pairs.subjects[train])
    for _ in range(1000):
        few = train[np.isin(pairs.subjects[train], rng.permutation(people)[: len(people) // 4])]
        if np.bincount(pairs.labels[few], minlength=pairs.num_classes).min() >= 3:
            return few
    raise DataError(
        f"no quarter of {len(people)} subjects has three samples of each class", "quarter", "use more subjects"
    )


def make_models(config: Config, out: Path) -> dict[str, Model]:
    """Return the compared models by name."""
    if config.fusion == "late":
        network = LFDTCMENClassifier(config, out, stages=2, method=EXTENDED)
        models: dict[str, Model] = {"both": network} | {name: Branch(network, name) for name in BRANCHES}
    else:
        models = {
            name: LFDTCMENClassifier(replace(config, **changes), out, stages=2, method=EXTENDED)
            for name, changes in ALONE.items()
        }
    return models | {logistic_regression.name: logistic_regression}


def main() -> None:
    parser = make_parser(__doc__, "branches")
    parser.add_argument("--presets", nargs="+", default=["standard"], help="presets, quarter, foreign")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, help="of stage 2; the recipe's own by default")
    parser.add_argument("--recipe", default="repaired", choices=("repaired", "repaired_alone", "paper"))
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE", help="other fields of the config")
    args = parser.parse_args()

    start, tables, scores = time.perf_counter(), [], []
    for name in args.presets:
        config = load_config("cpu", args.recipe)
        config = load_config("cpu", args.recipe, **parse_settings(args.set, config))
        config = replace(config, epochs=(config.epochs[0], args.epochs or config.epochs[1], 0))
        pairs, folds = task(name, config)
        predictions = {
            model: cross_validate(fit, pairs, folds, args.seeds, args.out / name / model, args.jobs, progress=True)
            for model, fit in make_models(config, args.out).items()
        }
        tables += [table.assign(preset=name, model=model) for model, table in predictions.items()]
        for reference in (logistic_regression.name, "motion", "flow"):
            table = score_table(predictions, reference)
            scores.append(table.assign(preset=name))
        print(f"{name}\n{readable(table).T.to_string()}", flush=True)
        pd.concat(tables).to_csv(args.out / "predictions.csv.gz", index=False, float_format="%.4f")
        pd.concat(scores).drop_duplicates().to_csv(args.out / "scores.csv", index=False, float_format="%.4f")
    write_about(args.out, start, presets=args.presets)


if __name__ == "__main__":
    main()
