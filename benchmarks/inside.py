"""What the network looks at, and what its codes tell: Grad-CAM on true motion, probes, swaps (notebook 10).

For each seed and fold, two kinds of training, with stage 1 as in the ablations of Tables 4 to 7:

- full: settings I, II and III of Table 6 through all three stages, on one stage 1. Grad-CAM and HiResCAM of each are
  scored on the fold's held-out subjects (OUT/attribution.csv); the codes are probed of a random encoder, after stage 1
  and after stage 3 (OUT/probes.csv); swaps after stages 1 and 3 are held to the rendered truth (OUT/swaps.csv);
- without reconstruction, contrastive, consistency, orthogonality, cycle: stage 1 without that loss, probed (emotion has
  no weight in stage 1).

What OUT/costs.csv says is done is not computed again, so that a run that was stopped goes on.

    python benchmarks/inside.py --jobs 2
    python benchmarks/inside.py --seeds 0 --epochs 1 --subjects 30 --out runs/try
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from lfdtcmen.analysis.ablation import TABLES, configure
from lfdtcmen.analysis.attribution import attribution_table
from lfdtcmen.analysis.codes import untrained_like
from lfdtcmen.analysis.gradcam import gradcam, hirescam
from lfdtcmen.analysis.probes import probe_codes
from lfdtcmen.analysis.swaps import swap_errors
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_counterfactuals, make_dataset
from lfdtcmen.threads import one_thread
from lfdtcmen.training import stage_checkpoint

FULL = "full"
LEFT_OUT = ("reconstruction", "contrastive", "consistency", "orthogonality", "cycle")
VARIANTS = (FULL, *(f"without {loss}" for loss in LEFT_OUT))
SETTINGS = {number: run for number, _, run in TABLES["table6"]}  # I, II, III


def measure(variant: str, config: Config, fold: int, out: Path) -> tuple[dict[str, list[pd.DataFrame]], dict]:
    """Train and measure one variant on one fold; return the rows of each file, and what it cost."""
    tables: dict[str, list[pd.DataFrame]] = {"attribution": [], "probes": [], "swaps": []}
    with one_thread():
        pairs = prepare_pairs(make_dataset(config.preset, subjects=config.subjects))
        train, test = (pairs.subset(i) for i in list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))[fold])
        start = time.perf_counter()
        stage1, _ = stage_checkpoint(1, config, train, out / "runs", progress=False)
        if variant == FULL:
            models = {
                number: stage_checkpoint(3, configure(config, run), train, out / "runs", progress=False)[0]
                for number, run in SETTINGS.items()
            }
        trained = time.perf_counter()
        if variant == FULL:
            for method in (gradcam, hirescam):
                table = attribution_table(models, test, config.seed, method)
                tables["attribution"].append(table.assign(method=method.__name__))
            truth = make_counterfactuals(config.preset)
            probed = {
                "random": untrained_like(stage1, test, config.seed),
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="which seeds")
    parser.add_argument("--folds", type=int, nargs="+", default=[0], help="which folds")
    parser.add_argument("--epochs", type=int, nargs="+", default=[2, 20, 2], help="of stages 1, 2, 3; one number: all")
    parser.add_argument("--subjects", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/inside"))
    args = parser.parse_args()

    epochs = tuple(args.epochs * 3 if len(args.epochs) == 1 else args.epochs)
    base = load_config("cpu", subjects=args.subjects, perceptual_size=32, epochs=epochs)
    configs = {FULL: base} | {
        f"without {loss}": replace(base, stage1=replace(base.stage1, **{loss: 0.0})) for loss in LEFT_OUT
    }
    args.out.mkdir(parents=True, exist_ok=True)
    costs, done = args.out / "costs.csv", set()
    if costs.exists():
        done = set(pd.read_csv(costs)[["variant", "seed", "fold"]].itertuples(index=False, name=None))
    # seed by seed: a run that is stopped lacks seeds, not variants
    jobs = [(name, seed, fold) for seed in args.seeds for fold in args.folds for name in VARIANTS]
    jobs = [job for job in jobs if job not in done]
    tasks = (delayed(measure)(n, replace(configs[n], seed=seed), fold, args.out) for n, seed, fold in jobs)
    for tables, cost in Parallel(args.jobs, return_as="generator_unordered")(tasks):
        for name, parts in tables.items():
            for table in parts:
                append(args.out / f"{name}.csv", table)
        append(costs, pd.DataFrame([cost]))
        print(
            f"{cost['variant']}, seed {cost['seed']}, fold {cost['fold']}: {cost['training']:.1f} min training, "
            f"{cost['measuring']:.1f} min measuring",
            flush=True,
        )


def append(path: Path, table: pd.DataFrame) -> None:
    table.to_csv(path, mode="a", header=not path.exists(), index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
