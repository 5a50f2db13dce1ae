"""Which remedy against class imbalance helps the optical flow branch?

    python experiments/imbalance.py --seeds 3 --seeds-7class 3 --epochs 8 --jobs 2

Trains with the paper's plain cross-entropy and with four options of ours, on the same folds and seeds: with three
classes (the counts of CAS(ME)^3) and with seven (the same clips). Logistic regression on flow and the model of the true
action units are trained on the same folds, with one seed. Writes predictions.csv.gz, with the probabilities of each
class, and about.json to OUT. A run that was stopped continues with the folds that are missing.
"""

import time
from dataclasses import replace

import pandas as pd
from common import make_parser, prepared_faces, write_about

from lfdtcmen import load_config
from lfdtcmen.baselines import simple
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import CHOICES
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.files import make_folder
from lfdtcmen.training import LFDTCMENClassifier


def main() -> None:
    parser = make_parser(__doc__, "imbalance")
    parser.add_argument("--seeds", type=int, default=3, help="how many with three classes")
    parser.add_argument("--seeds-7class", type=int, default=3, help="how many with seven classes; 0 leaves them out")
    parser.add_argument("--epochs", type=int, default=8, help="of stage 2")
    parser.add_argument("--folds", type=int, default=5, help="how many")
    args = parser.parse_args()

    start = time.perf_counter()
    out = make_folder(args.out)
    tables = []
    for label_map, seeds in (("3class", args.seeds), ("7class", args.seeds_7class)):
        if seeds == 0:
            continue
        flow_branch: dict = {"label_map": label_map, "drl": None, "motion": None, "epochs": (0, args.epochs, 0)}
        config = load_config("cpu", **flow_branch)
        pairs = prepared_faces(config)
        folds = list(grouped_kfold(pairs.subjects, pairs.labels, args.folds))
        models: dict = {
            option or "cross_entropy": LFDTCMENClassifier(replace(config, imbalance=option), method=EXTENDED)
            for option in CHOICES["imbalance"]
        }
        references = {"logistic-regression": simple.logistic_regression, "action-units": simple.action_units}
        predictions = {}
        for name, model in {**models, **references}.items():
            print(f"{label_map}, {name}")
            predictions[name] = cross_validate(
                model, pairs, folds, range(1 if name in references else seeds), out / label_map / name, args.jobs,
                progress=True,
            )  # fmt: skip
        table = score_table(predictions, reference="cross_entropy")
        print(readable(table).to_string())
        tables += [frame.assign(label_map=label_map, option=name) for name, frame in predictions.items()]
    table = pd.concat(tables)
    first = ["label_map", "option", "seed", "fold", "subject", "clip", "label", "prediction"]
    table = table[[*first, *sorted(set(table) - set(first))]]
    table.to_csv(out / "predictions.csv.gz", index=False, float_format="%.4g")
    write_about(out, start, jobs=args.jobs)


if __name__ == "__main__":
    main()
