"""The paper's thesis: where looks and emotions go together, does less identity in the code help on new people?

    python experiments/entangled.py --jobs 2
    python experiments/entangled.py --degrees 0 1 --models apex-svm logistic-regression --out runs/try

Faces on which who and what are entangled by some degrees (lfdtcmen.datasets.synthetic.make_entangled). Each model is
scored twice on the same pairs: with folds of clips, so that the people are known (`random`), and with folds of people
(`subject`); the difference is what a model owes to knowing the people. `apex-svm` sees the apex alone, the linear
model the flow alone; the motion branch is trained by the paper's recipe and by the repaired one, without flow.
Writes predictions.csv.gz, scores.csv (UF1 and UAR of each split and their paired difference, 95 % intervals over
people) and leak.csv (how well a probe tells people by each branch's codes, on new people) to OUT. Each model, split
and fold is a file: a run that was stopped continues with those that are missing.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from common import append_rows, finished_jobs, make_parser, write_about
from sklearn.model_selection import StratifiedKFold

from lfdtcmen.analysis.codes import untrained_like
from lfdtcmen.analysis.disentanglement import identity_leak
from lfdtcmen.baselines.simple import apex_svm, logistic_regression
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import load_config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import Fold, grouped_kfold
from lfdtcmen.datasets.synthetic import make_entangled
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.files import make_folder
from lfdtcmen.training import LFDTCMENClassifier, stage_checkpoint

FOLDS = 5
NETWORKS = {  # short stages 1 for the paper's recipe: longer ones change neither gain nor leak (long_stage1.py)
    "motion branch, paper": load_config("cpu", flow=None, perceptual_size=32, epochs=(2, 20, 0)),
    "motion branch, repaired": load_config("cpu", "repaired", flow=None, epochs=(0, 20, 0)),
}
BASELINES = {model.name: model for model in (apex_svm, logistic_regression)}


def as_strangers(pairs: PairSet) -> PairSet:
    """Return the pairs with each clip as a subject of its own, so that the protocol splits clips and not people."""
    clips = pairs.manifest["subject"] + "/" + pairs.manifest["clip"]
    return replace(pairs, manifest=pairs.manifest.assign(subject=clips))


def measure_leak(name: str, degree: float, pairs: PairSet, folds: list[Fold], seeds: list[int], out: Path) -> None:
    """Add the identity leak of each fold's network, on people whom it has not seen."""
    file, keys = out / "leak.csv", ["model", "degree", "seed", "fold"]
    done = finished_jobs(file, keys)
    for seed in seeds:
        for number, (train, test) in enumerate(folds):
            if (name, degree, seed, number) in done:
                continue
            config = replace(NETWORKS[name], seed=seed)
            known, asked = pairs.subset(train), pairs.subset(test)
            model, _ = stage_checkpoint(2, config, known, out, progress=False, method=EXTENDED)
            table = identity_leak(model, asked, untrained_like(model, known, seed), seed)
            append_rows(file, table.assign(**dict(zip(keys, (name, degree, seed, number), strict=True))))


def main() -> None:
    parser = make_parser(__doc__, "entangled")
    parser.add_argument("--degrees", type=float, nargs="+", default=[0.0, 0.5, 1.0])
    parser.add_argument("--models", nargs="+", default=[*BASELINES, *NETWORKS], help="names of models")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    args = parser.parse_args()
    if unknown := [name for name in args.models if name not in BASELINES | NETWORKS]:
        parser.error(f"unknown model {unknown[0]!r}; one of: {', '.join(BASELINES | NETWORKS)}")

    start, out = time.perf_counter(), make_folder(args.out)
    scores, tables = [], []
    for degree in args.degrees:
        pairs = prepare_pairs(make_entangled(degree, args.people, n_jobs=args.jobs), n_jobs=args.jobs)
        clips = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(pairs.labels, pairs.labels)
        splits = {
            "random": (as_strangers(pairs), list(clips)),
            "subject": (pairs, list(grouped_kfold(pairs.subjects, pairs.labels, FOLDS, names=pairs.label_names))),
        }
        for name in args.models:
            predicted = {}
            for split, (split_pairs, folds) in splits.items():
                model = BASELINES.get(name) or LFDTCMENClassifier(NETWORKS[name], out, stages=2, method=EXTENDED)
                folder = out / f"{degree:g}" / split / name
                table = cross_validate(model, split_pairs, folds, args.seeds, folder, args.jobs, progress=True)
                predicted[split] = table.assign(subject=np.tile(pairs.subjects, len(args.seeds)))  # people again
                tables.append(predicted[split].assign(model=name, degree=degree, split=split))
            table = score_table(predicted, "subject")
            print(f"{name}, degree {degree:g}\n{readable(table).to_string()}", flush=True)
            scores.append(table.rename(columns={"model": "split"}).assign(model=name, degree=degree))
            if name in NETWORKS:
                measure_leak(name, degree, *splits["subject"], args.seeds, out)
    pd.concat(scores).to_csv(out / "scores.csv", index=False, float_format="%.4f")
    pd.concat(tables).to_csv(out / "predictions.csv.gz", index=False, float_format="%.4f")
    write_about(out, start)


if __name__ == "__main__":
    main()
