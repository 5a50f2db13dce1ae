"""Does the paper's stage 1 begin to move the face when it is trained for longer?

    python experiments/long_stage1.py
    python experiments/long_stage1.py --presets easy standard --seeds 0 1 2 --jobs 2

Trains stage 1 of the paper's recipe on the training people of the first fold, with frames of 32 pixels for VGG-19, and
measures it on the held-out people after some epochs (lfdtcmen.analysis.disentanglement). Writes measures.csv and, for
each training, the mean loss of each epoch to OUT. A run that was stopped continues where it was.
"""

import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
from common import append_rows, finished_jobs, make_parser, prepared_faces, write_about
from joblib import delayed

from lfdtcmen import LFDTCMEN
from lfdtcmen.analysis.disentanglement import disentanglement_report
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.synthetic import make_counterfactuals
from lfdtcmen.experiments import first_fold
from lfdtcmen.files import make_folder
from lfdtcmen.threads import one_thread
from lfdtcmen.training import build_model, train_stage
from lfdtcmen.training.stages import settle_vgg
from lfdtcmen.workers import parallel

KEYS = ["preset", "seed", "epochs", "epoch"]


def train(config: Config, looks: list[int], out: Path) -> None:
    """Train once, and add the measures of each look to the table."""
    with one_thread():
        table = out / "measures.csv"
        done = finished_jobs(table, KEYS)
        known, held_out = first_fold(config, prepared_faces(config, jobs=1))
        motions = make_counterfactuals(config.preset)

        def look(epoch: int, model: LFDTCMEN) -> None:
            keys = (config.preset, config.seed, config.epochs[0], epoch + 1)
            if epoch + 1 in looks and keys not in done:
                report = disentanglement_report(model, known, held_out, motions, config.seed)
                append_rows(table, report.assign(**dict(zip(KEYS, keys, strict=True))))
                gain = report.set_index("metric")["value"].filter(like="motion gain")
                print(f"{keys}\n{gain.round(4).to_string()}", flush=True)

        file = out / f"{config.preset}-{config.seed}-{config.epochs[0]}.pt"
        model = build_model(config, known.num_classes)
        history = train_stage(model, known, 1, settle_vgg(config), file, progress=False, on_epoch=look)
    losses = history.groupby("epoch").mean().reset_index()
    losses.to_csv(out / f"{file.stem}-losses.csv", index=False, float_format="%.4f")


def main() -> None:
    parser = make_parser(__doc__, "long_stage1")
    parser.add_argument("--presets", nargs="+", default=["standard"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=34)
    parser.add_argument("--looks", type=int, nargs="+", default=[1, 3, 6, 10, 15, 20, 27, 34])
    args = parser.parse_args()

    start, out = time.perf_counter(), make_folder(args.out)
    base = load_config("cpu", perceptual_size=32, epochs=(args.epochs, 0, 0))
    configs = [replace(base, preset=preset, seed=seed) for seed in args.seeds for preset in args.presets]
    parallel(n_jobs=args.jobs)(delayed(train)(config, args.looks, out) for config in configs)
    print(pd.read_csv(out / "measures.csv").groupby(["metric", "epoch"])["value"].mean().unstack().round(3).to_string())
    write_about(out, start)


if __name__ == "__main__":
    main()
