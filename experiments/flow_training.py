"""Which parts of the flow branch's training help: on each preset, on few people, on people of another camera?

    python experiments/flow_training.py --jobs 2
    python experiments/flow_training.py --tasks few foreign --variants shift jitter --seeds 0

Each variant adds one part to the training of the paper's recipe, which has mirroring alone; ``shift and jitter`` adds
two, and the last one is the training of the repaired recipe.
Tasks: easy, standard, hard: trained on the 100 people of a preset and scored on 100 others of it; few: trained on a
quarter of the subjects of standard and scored on the others; foreign, wild: trained on standard or on wild and scored
on the people, camera and light of DFME. Writes
predictions.csv.gz and scores.csv (UF1 and UAR of each, and paired differences to the logistic regression on the same
flow and to the paper's recipe, with 95 % intervals over subjects) to OUT. A run that was stopped goes on with the
folds that are missing.
"""

import time
from dataclasses import replace

import pandas as pd
from common import foreign_people, make_parser, other_people, prepared_faces, write_about

from lfdtcmen.baselines.simple import logistic_regression
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.beyond.recipes import RECIPES
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.pairs import PairSet, concatenate
from lfdtcmen.datasets.splits import Fold, grouped_kfold, holdout
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.training import LFDTCMENClassifier

TASKS = ("easy", "standard", "hard", "few", "foreign", "wild")
VARIANTS: dict[str, dict] = {
    "as in the paper's recipe": {},
    "shift": {"flow_shift": 2},
    "jitter": {"amplitude_jitter": 0.4},
    "shift and jitter": {"flow_shift": 2, "amplitude_jitter": 0.4},
    "class weights": {"imbalance": "class_weights"},
    "weight decay .05": {"weight_decay": 0.05},
    "warm-up .3": {"warmup": 0.3},
    "batches of 64": {"batch_sizes": (16, 64, 16), "learning_rates": (1e-3, 2e-3, 3e-4)},
    "twice the epochs": {"epochs": (0, 40, 0)},
    "as in the repaired recipe": {
        name: RECIPES["repaired"][name] for name in ("imbalance", "flow_shift", "amplitude_jitter")
    },
}


def make_task(task: str, config: Config, jobs: int) -> tuple[PairSet, list[Fold]]:
    """Return the pairs and the folds of a task."""
    config = replace(config, preset="standard" if task in ("few", "foreign") else task)
    known = prepared_faces(config, jobs)
    if task == "few":
        rest, quarter = next(iter(grouped_kfold(known.subjects, known.labels, 4)))
        return known, [(quarter, rest)]
    others = (foreign_people if task in ("foreign", "wild") else other_people)(config, jobs)
    pairs = concatenate({"known": known, "others": others})
    return pairs, list(holdout(pairs.manifest["part"], "known"))


def main() -> None:
    parser = make_parser(__doc__, "flow_training")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=[*VARIANTS])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()

    start = time.perf_counter()
    config = replace(load_config("cpu"), drl=None, motion=None, epochs=(0, 20, 0))
    models = {
        name: LFDTCMENClassifier(replace(config, **VARIANTS[name]), stages=2, method=EXTENDED) for name in args.variants
    } | {logistic_regression.name: logistic_regression}
    tables, scores = [], []
    for task in args.tasks:
        pairs, folds = make_task(task, config, args.jobs)
        predictions = {
            name: cross_validate(model, pairs, folds, args.seeds, args.out / task / name, args.jobs, progress=True)
            for name, model in models.items()
        }
        tables += [table.assign(task=task, model=name) for name, table in predictions.items()]
        for reference in (logistic_regression.name, args.variants[0]):
            table = score_table(predictions, reference)
            scores.append(table.assign(task=task))
        print(f"{task}\n{readable(table).T.to_string()}", flush=True)
        pd.concat(tables).to_csv(args.out / "predictions.csv.gz", index=False, float_format="%.4f")
        pd.concat(scores).drop_duplicates().to_csv(args.out / "scores.csv", index=False, float_format="%.4f")
    write_about(args.out, start)


if __name__ == "__main__":
    main()
