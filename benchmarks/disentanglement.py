"""Does stage 1 disentangle? The paper's recipe, the repaired one, and each of its parts taken away or added.

Trains stage 1 of each variant in each fold and seed, measures it on the fold's held-out subjects and on rendered
counterfactuals (lfdtcmen.analysis.disentanglement), and adds rows to OUT/measures.csv: what is there is not computed
again, so that a run that was stopped goes on. OUT/costs.csv has the minutes of each stage 1, without pretraining;
recipes.py has both.

    python benchmarks/disentanglement.py paper repaired --jobs 2
    python benchmarks/disentanglement.py ablation --epochs 4 --jobs 2 --out runs/without_parts
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from lfdtcmen.analysis.disentanglement import disentanglement_report
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_counterfactuals, make_dataset
from lfdtcmen.threads import one_thread
from lfdtcmen.training import LFDTCMENClassifier, stage_checkpoint

REPAIRED = load_config("cpu", recipe="repaired")
ALONE = load_config("cpu", recipe="repaired_alone")
PAPER = load_config("cpu", perceptual_size=32, epochs=(2, 20, 2))  # as in the ablations of Tables 4 to 7


def with_losses(config: Config, **weights: float) -> Config:
    return replace(config, stage1=replace(config.stage1, **weights))


MAIN = {
    "paper": PAPER,
    "repaired": REPAIRED,
    "repaired, then fine-tuned": replace(REPAIRED, epochs=(4, *REPAIRED.epochs[1:])),
    "repaired, no pretraining": ALONE,
}
# the paper's other losses beside the change loss, with weights at which none of them outweighs it
OTHERS = {"reconstruction": 1.0, "cycle": 1.0, "consistency": 0.01, "contrastive": 0.02, "orthogonality": 0.1}
PLAIN = replace(ALONE, perceptual_weight=0.0, change_first=0.0, stage1=replace(ALONE.stage1, rest=0.0))
ABLATION = {
    "repaired, no pretraining": ALONE,
    # the option that the recipe lacks
    "with warps of four resolutions": replace(ALONE, generator="warp_multiscale"),
    # each part taken away
    "without contrast normalisation": replace(ALONE, contrast_normalised=False),
    "without bottleneck and rest loss": with_losses(replace(ALONE, bottleneck=0), rest=0.0),
    "without rest loss": PLAIN,
    "without warp": replace(ALONE, generator="image"),
    "without change loss": with_losses(PLAIN, change=0.0, reconstruction=1.0),
    # each part added to the paper's recipe
    "paper": PAPER,
    "paper with contrast normalisation": replace(PAPER, contrast_normalised=True),
    "paper with bottleneck": replace(PAPER, bottleneck=16),
    "paper with warp": replace(PAPER, generator="warp_difference"),
    "paper with change loss": with_losses(PAPER, change=1.0),
    # to "without rest loss", each of the paper's others from the start, then all, then all after the change loss alone
    **{f"with {name}": with_losses(PLAIN, **{name: weight}) for name, weight in OTHERS.items()},
    "with consistency, detached": with_losses(replace(PLAIN, detach_consistency=True), consistency=0.01),
    "with all": with_losses(PLAIN, **OTHERS),
    "with all, change first": with_losses(replace(PLAIN, change_first=0.5), **OTHERS),
}


def measure(name: str, config: Config, seed: int, fold: int, epochs: int | None, out: Path) -> tuple[list, dict]:
    """Train and measure one variant in one fold; return the report's rows and what it cost."""
    with one_thread():
        config = replace(config, seed=seed, epochs=(epochs or config.epochs[0], *config.epochs[1:]))
        pairs = prepare_pairs(make_dataset(config.preset, subjects=config.subjects))
        train, test = list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))[fold]
        start = time.perf_counter()
        model, _ = stage_checkpoint(1, config, pairs.subset(train), out / "runs", progress=False)
        minutes = (time.perf_counter() - start) / 60
        report = disentanglement_report(model, pairs.subset(test), make_counterfactuals(config.preset), seed)
    about = {"preset": config.preset, "seed": seed, "fold": fold}
    rows = report.assign(model=name, **about).to_dict("records")
    return rows, {"preset": config.preset, "variant": name, "seed": seed, "fold": fold, "minutes": minutes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variants", nargs="+", help="names, or main, or ablation")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="which seeds")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="which folds")
    parser.add_argument("--epochs", type=int, help="of stage 1; the variant's own by default")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/disentanglement"))
    args = parser.parse_args()

    known = MAIN | ABLATION
    names = [n for given in args.variants for n in {"main": MAIN, "ablation": ABLATION}.get(given, {given: 0})]
    args.out.mkdir(parents=True, exist_ok=True)
    measures, costs = args.out / "measures.csv", args.out / "costs.csv"
    done = set()
    if costs.exists():
        done = set(pd.read_csv(costs)[["preset", "variant", "seed", "fold"]].itertuples(index=False, name=None))
    # seed by seed: a run that is stopped lacks seeds, not variants
    jobs = [(n, seed, fold) for seed in args.seeds for fold in args.folds for n in names]
    jobs = [job for job in jobs if (args.preset, *job) not in done]
    configs = {name: replace(known[name], preset=args.preset) for name in names}
    # pretraining comes first, once a seed, and is then shared by the folds
    for name in names:
        seeds = {seed for n, seed, _ in jobs if n == name}
        LFDTCMENClassifier(configs[name], args.out / "runs").pretrain(sorted(seeds), args.jobs)
    tasks = (delayed(measure)(n, configs[n], seed, fold, args.epochs, args.out) for n, seed, fold in jobs)
    for rows, cost in Parallel(args.jobs, return_as="generator_unordered")(tasks):
        pd.DataFrame(rows).to_csv(measures, mode="a", header=not measures.exists(), index=False, float_format="%.4f")
        pd.DataFrame([cost]).to_csv(costs, mode="a", header=not costs.exists(), index=False, float_format="%.3f")
        value = {row["metric"]: row["value"] for row in rows}
        print(
            f"{cost['variant']}, seed {cost['seed']}, fold {cost['fold']}: {cost['minutes']:.1f} min, cross-identity "
            f"gain {value['motion gain, across identities']:.3f}, "
            f"cosine {value['motion cosine, across identities']:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
