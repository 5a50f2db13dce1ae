"""Where the network looks, and what its codes contain: Grad-CAM scored on true motion, probes, and swaps.

    python experiments/inside.py --jobs 2
    python experiments/inside.py --seeds 0 --epochs 1 --subjects 30 --out runs/try

For each seed and fold, two kinds of training, with stage 1 as in the ablations of Tables 4 to 7:

- full: settings I, II and III of Table 6 through all three stages, on one stage 1. Grad-CAM and HiResCAM of each are
  scored on the fold's held-out subjects (OUT/attribution.csv). The codes of an untrained encoder, after stage 1 and
  after stage 3 are probed (OUT/probes.csv). Swaps after stages 1 and 3 are compared with the rendered truth
  (OUT/swaps.csv).
- without reconstruction, contrastive, consistency, orthogonality, cycle: stage 1 without that loss. Its codes are
  probed. (The emotion loss has no weight in stage 1.)

OUT/costs.csv lists the jobs that are done, with their minutes. A run that was stopped continues with the others.
"""

import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
from common import append_rows, finished_jobs, make_parser, prepared_faces
from joblib import delayed

from lfdtcmen.analysis.ablation import TABLES, configure
from lfdtcmen.analysis.attribution import attribution_table
from lfdtcmen.analysis.class_activation import gradcam, hirescam
from lfdtcmen.analysis.codes import untrained_like
from lfdtcmen.analysis.probes import probe_codes
from lfdtcmen.analysis.swaps import swap_errors
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_counterfactuals
from lfdtcmen.files import make_folder
from lfdtcmen.threads import one_thread
from lfdtcmen.training import stage_checkpoint
from lfdtcmen.workers import parallel

FULL = "full"
LEFT_OUT = ("reconstruction", "contrastive", "consistency", "orthogonality", "cycle")
VARIANTS = (FULL, *(f"without {loss}" for loss in LEFT_OUT))
SETTINGS = {number: run for number, _, run in TABLES["table6"]}  # I, II, III


def measure(variant: str, config: Config, fold: int, out: Path) -> tuple[dict[str, list[pd.DataFrame]], dict]:
    """Train and measure one variant on one fold; return the rows of each file, and what it cost."""
    tables: dict[str, list[pd.DataFrame]] = {"attribution": [], "probes": [], "swaps": []}
    with one_thread():
        pairs = prepared_faces(config, jobs=1)
        train, test = (pairs.subset(i) for i in list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))[fold])
        start = time.perf_counter()
        stage1, _ = stage_checkpoint(1, config, train, out / "runs", progress=False, method=EXTENDED)
        if variant == FULL:
            models = {
                number: stage_checkpoint(
                    3, configure(config, run), train, out / "runs", progress=False, method=EXTENDED
                )[0]
                for number, run in SETTINGS.items()
            }
        trained = time.perf_counter()
        if variant == FULL:
            for method in (gradcam, hirescam):
                table = attribution_table(models, train, test, config.seed, method)
                tables["attribution"].append(table.assign(method=method.__name__))
            truth = make_counterfactuals(config.preset)
            probed = {
                "random": untrained_like(stage1, train, config.seed),
                "stage 1": stage1,
                "stage 3": models["III"],
            }
            for name in ("stage 1", "stage 3"):
                tables["swaps"].append(swap_errors(probed[name], truth, config.seed).assign(model=name))
        else:
            probed = {f"stage 1 {variant}": stage1}
        for name, model in probed.items():
            tables["probes"].append(probe_codes(model, test, config.seed).assign(model=name))
        measured = time.perf_counter()
    labels = {"variant": variant, "seed": config.seed, "fold": fold}
    marked = {
        name: [table.assign(preset=config.preset, seed=config.seed, fold=fold) for table in parts]
        for name, parts in tables.items()
    }
    return marked, labels | {"training": (trained - start) / 60, "measuring": (measured - trained) / 60}


def main() -> None:
    parser = make_parser(__doc__, "inside")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="which seeds")
    parser.add_argument("--folds", type=int, nargs="+", default=[0], help="which folds")
    parser.add_argument("--epochs", type=int, nargs="+", default=[2, 20, 2], help="of stages 1, 2, 3; one number: all")
    parser.add_argument("--subjects", type=int, default=100, help="how many")
    args = parser.parse_args()

    epochs = tuple(args.epochs * 3 if len(args.epochs) == 1 else args.epochs)
    base = load_config("cpu", subjects=args.subjects, perceptual_size=32, epochs=epochs)
    configs = {FULL: base} | {f"without {loss}": replace(base, stage1=base.stage1 | {loss: 0.0}) for loss in LEFT_OUT}
    costs = make_folder(args.out) / "costs.csv"
    done = finished_jobs(costs, ["variant", "seed", "fold"])
    # seed by seed: a run that is stopped lacks seeds, not variants
    jobs = [(name, seed, fold) for seed in args.seeds for fold in args.folds for name in VARIANTS]
    jobs = [job for job in jobs if job not in done]
    tasks = (delayed(measure)(n, replace(configs[n], seed=seed), fold, args.out) for n, seed, fold in jobs)
    for tables, cost in parallel(n_jobs=args.jobs, return_as="generator_unordered")(tasks):
        for name, parts in tables.items():
            for table in parts:
                append_rows(args.out / f"{name}.csv", table)
        append_rows(costs, pd.DataFrame([cost]))
        print(
            f"{cost['variant']}, seed {cost['seed']}, fold {cost['fold']}: {cost['training']:.1f} min training, "
            f"{cost['measuring']:.1f} min measuring",
            flush=True,
        )


if __name__ == "__main__":
    main()
