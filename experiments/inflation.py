"""How much do bad practices inflate the score of the optical flow branch?

    python experiments/inflation.py --seeds 3 --epochs 8 --jobs 2

Trains the flow branch on the same synthetic faces three times: with the subjects of training and test apart, with
samples split at random, and with the epoch chosen on validation subjects. In the first two, it predicts the test
samples after every epoch. Writes the predictions (apart.csv.gz, mixed.csv.gz, validated.csv.gz) and about.json to OUT.
A run that was stopped trains the first two again.
"""

import time

from common import make_parser, prepared_faces, write_about

from lfdtcmen import load_config
from lfdtcmen.analysis.inflation import epoch_predictions, inflation_table, random_kfold
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable
from lfdtcmen.files import make_folder
from lfdtcmen.training import LFDTCMENClassifier


def main() -> None:
    parser = make_parser(__doc__, "inflation")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--epochs", type=int, default=8, help="of stage 2")
    parser.add_argument("--folds", type=int, default=5, help="how many")
    args = parser.parse_args()

    start = time.perf_counter()
    out = make_folder(args.out)
    config = load_config("cpu", drl=None, motion=None, epochs=(0, args.epochs, 0), folds=args.folds)
    pairs = prepared_faces(config)
    seeds = range(args.seeds)
    splits = {
        "apart": list(grouped_kfold(pairs.subjects, pairs.labels, config.folds)),
        "mixed": random_kfold(pairs.labels, config.folds),
    }
    tables = {}
    for name, folds in splits.items():
        tables[name] = epoch_predictions(config, pairs, folds, seeds, args.jobs, progress=True)
        tables[name].to_csv(out / f"{name}.csv.gz", index=False)
    chooser = LFDTCMENClassifier(config, validation=0.2)
    validated = cross_validate(chooser, pairs, splits["apart"], seeds, out, args.jobs, progress=True)
    validated[["seed", "fold", "subject", "clip", "label", "prediction"]].to_csv(out / "validated.csv.gz", index=False)
    write_about(out, start, jobs=args.jobs, preset=config.preset, subjects=config.subjects)
    for metric in ("uf1", "uar"):
        table = inflation_table(tables["apart"], tables["mixed"], pairs.num_classes, validated, metric)
        print(f"{metric}\n{readable(table).to_string()}")


if __name__ == "__main__":
    main()
