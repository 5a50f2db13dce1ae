"""Does the score change when all seeds of a fold share one stage 1?

    python experiments/shared_stage1.py --seeds 1 --folds 2 --jobs 2

Reads config and folds of a finished run of `lfdtcmen ablate ... --share-stage1` from OUT (ablations, if not given),
trains the full network on the same folds with a stage 1 for each seed, and compares the two, paired. Writes
own_stage1.csv.gz to OUT, next to the tables of that run. A run that was stopped continues with the missing folds.
"""

import json

import pandas as pd
from common import make_parser, prepared_faces

from lfdtcmen import load_config
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.training import LFDTCMENClassifier


def main() -> None:
    parser = make_parser(__doc__, "ablations")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2], help="seed 0 has trained the shared stage 1")
    parser.add_argument("--folds", type=int, help="how many of the run's folds; all by default")
    args = parser.parse_args()

    made_with = json.loads((args.out / "metrics.json").read_text(encoding="utf-8"))["config"]
    settings = {name: made_with[name] for name in ("preset", "label_map", "subjects", "folds", "perceptual_size")}
    config = load_config(made_with["profile"], **settings, epochs=tuple(made_with["epochs"]))
    pairs = prepared_faces(config)
    folds = list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))[: args.folds]
    model = LFDTCMENClassifier(config)
    own = cross_validate(model, pairs, folds, args.seeds, args.out / "own-stage1", args.jobs, progress=True)
    own.assign(model="full").to_csv(args.out / "own_stage1.csv.gz", index=False)
    shared = pd.read_csv(args.out / "predictions.csv").query("model == 'full' and seed in @args.seeds")
    shared = shared[shared["fold"] < len(folds)]
    table = score_table({"own": own, "shared": shared.drop(columns="model")}, reference="own")
    print(readable(table).T.to_string())


if __name__ == "__main__":
    main()
