"""What do models reach that no network was trained for?

    python experiments/baselines.py --jobs 2

Scores the baselines of `lfdtcmen evaluate` on the synthetic faces: the apex frame alone, apex minus onset, and the flow
with a linear SVM and with logistic regression, each regularised as fits best inside its training subjects. The seeds
change the inner folds; the outer ones are the same for all. Writes predictions.csv.gz and scores.csv (UF1 and UAR of
each, and paired differences to the logistic regression with 95 % intervals over subjects) to OUT. A run that was
stopped goes on with the folds that are missing.
"""

import time

import pandas as pd
from common import make_parser, prepared_faces, write_about

from lfdtcmen.baselines import simple
from lfdtcmen.config import load_config
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table

BASELINES = (simple.logistic_regression, simple.linear_svm, simple.difference_svm, simple.apex_svm)
TASKS = ("easy", "standard", "hard", "standard-7class")


def main() -> None:
    parser = make_parser(__doc__, "baselines")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()

    start = time.perf_counter()
    tables, scores = [], []
    for task in args.tasks:
        preset, _, label_map = task.partition("-")
        config = load_config("cpu", preset=preset, label_map=label_map or "3class")
        pairs = prepared_faces(config, args.jobs)
        folds = list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))
        predictions = {
            model.name: cross_validate(
                model, pairs, folds, args.seeds, args.out / task / model.name, args.jobs, progress=True
            )
            for model in BASELINES
        }
        tables += [table.assign(task=task, model=name) for name, table in predictions.items()]
        table = score_table(predictions, simple.logistic_regression.name)
        scores.append(table.assign(task=task))
        print(f"{task}\n{readable(table).T.to_string()}", flush=True)
        pd.concat(tables).to_csv(args.out / "predictions.csv.gz", index=False, float_format="%.4f")
        pd.concat(scores).to_csv(args.out / "scores.csv", index=False, float_format="%.4f")
    write_about(args.out, start)


if __name__ == "__main__":
    main()
