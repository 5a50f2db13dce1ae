"""Does stage 1 disentangle? The paper's recipe, the repaired one, and the repaired one with parts removed or added.

    python experiments/disentanglement.py paper repaired --jobs 2
    python experiments/disentanglement.py ablation --epochs 4 --jobs 2 --out runs/without_parts

Trains stage 1 of each variant for each fold and seed, measures it on the fold's held-out subjects and on rendered
counterfactuals (lfdtcmen.analysis.disentanglement), and adds rows to OUT/measures.csv. OUT/costs.csv lists the jobs
that are done, with the minutes of each stage 1 without pretraining (benchmarks/recipes.py times both). A run that was
stopped continues with the other jobs.
"""

import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
from common import append_rows, check_same_settings, finished_jobs, make_parser, prepared_faces
from joblib import delayed

from lfdtcmen.analysis.disentanglement import disentanglement_report
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_counterfactuals
from lfdtcmen.files import make_folder
from lfdtcmen.threads import one_thread
from lfdtcmen.training import stage_checkpoint
from lfdtcmen.workers import parallel

REPAIRED = load_config("cpu", recipe="repaired")
NOT_PRETRAINED = load_config("cpu", recipe="repaired_alone")
PAPER = load_config("cpu", perceptual_size=32, epochs=(2, 20, 2))  # as in the ablations of Tables 4 to 7


def with_losses(config: Config, **weights: float) -> Config:
    """Return the config with other weights of these losses in stage 1."""
    return replace(config, stage1=config.stage1 | weights)


MAIN = {
    "paper": PAPER,
    "repaired": REPAIRED,
    "repaired, then fine-tuned": replace(REPAIRED, epochs=(4, *REPAIRED.epochs[1:])),
    "repaired, no pretraining": NOT_PRETRAINED,
}
# nearly as many steps as pretraining has
LONGER = {"repaired, no pretraining, 55 epochs": replace(NOT_PRETRAINED, epochs=(55, *NOT_PRETRAINED.epochs[1:]))}
# the paper's losses, added to the change loss with weights at which none of them outweighs it
PAPER_LOSSES = {"reconstruction": 1.0, "cycle": 1.0, "consistency": 0.01, "contrastive": 0.02, "orthogonality": 0.1}
WITHOUT_REST = with_losses(replace(NOT_PRETRAINED, perceptual_weight=0.0, change_first=0.0), rest=0.0)
WARP = replace(PAPER, generator="warp_difference")
HELD = ("consistency", "cycle", "contrastive", "consistency and cycle")  # losses that may hold the warp down
ABLATION = {
    "repaired, no pretraining": NOT_PRETRAINED,
    # an option that the recipe does not use
    "with warps of four resolutions": replace(NOT_PRETRAINED, generator="warp_multiscale"),
    # each part removed
    "without contrast normalisation": replace(NOT_PRETRAINED, contrast_normalised=False),
    "without bottleneck and rest loss": with_losses(replace(NOT_PRETRAINED, bottleneck=0), rest=0.0),
    "without rest loss": WITHOUT_REST,
    "without warp": replace(NOT_PRETRAINED, generator="image"),
    "without change loss": with_losses(WITHOUT_REST, change=0.0, reconstruction=1.0),
    # each part added to the paper's recipe
    "paper": PAPER,
    "paper with contrast normalisation": replace(PAPER, contrast_normalised=True),
    "paper with bottleneck": replace(PAPER, bottleneck=16),
    "paper with warp": WARP,
    "paper with change loss": with_losses(PAPER, change=1.0),
    **{f"paper with warp, without {n}": with_losses(WARP, **dict.fromkeys(n.split(" and "), 0.0)) for n in HELD},
    # added to "without rest loss": each of the paper's losses from the start, all of them, all in the second half
    **{f"with {name}": with_losses(WITHOUT_REST, **{name: weight}) for name, weight in PAPER_LOSSES.items()},
    "with consistency, detached": with_losses(replace(WITHOUT_REST, detach_consistency=True), consistency=0.01),
    "with all": with_losses(WITHOUT_REST, **PAPER_LOSSES),
    "with all, change first": with_losses(replace(WITHOUT_REST, change_first=0.5), **PAPER_LOSSES),
}


def measure(name: str, config: Config, seed: int, fold: int, epochs: int, out: Path) -> tuple[list, dict]:
    """Train and measure one variant in one fold; return the report's rows and what it cost."""
    with one_thread():
        config = replace(config, seed=seed, epochs=(epochs, *config.epochs[1:]))
        pairs = prepared_faces(config, jobs=1)
        folds = list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))
        train, test = (pairs.subset(index) for index in folds[fold])
        start = time.perf_counter()
        model, _ = stage_checkpoint(1, config, train, out / "runs", progress=False, method=EXTENDED)
        minutes = (time.perf_counter() - start) / 60
        report = disentanglement_report(model, train, test, make_counterfactuals(config.preset), seed)
    about = {"preset": config.preset, "seed": seed, "fold": fold}
    rows = report.assign(model=name, **about).to_dict("records")
    return rows, {
        "preset": config.preset,
        "variant": name,
        "seed": seed,
        "fold": fold,
        "epochs": epochs,
        "minutes": minutes,
    }


def main() -> None:
    parser = make_parser(__doc__, "disentanglement")
    parser.add_argument("variants", nargs="+", help="names of variants, or main, or ablation")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="which seeds")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="which folds")
    parser.add_argument("--epochs", type=int, help="of stage 1; the variant's own by default")
    parser.add_argument("--preset", default="standard")
    args = parser.parse_args()

    known = MAIN | LONGER | ABLATION
    groups = {"main": MAIN, "ablation": ABLATION} | {name: [name] for name in known}
    if unknown := [given for given in args.variants if given not in groups]:
        parser.error(f"unknown variant {unknown[0]!r}; one of: {', '.join(groups)}")
    names = [name for given in args.variants for name in groups[given]]
    out = make_folder(args.out)
    costs = out / "costs.csv"
    done = finished_jobs(costs, ["preset", "variant", "seed", "fold", "epochs"])
    configs = {name: replace(known[name], preset=args.preset) for name in names}
    epochs = {name: args.epochs or configs[name].epochs[0] for name in names}
    # seed by seed: a run that is stopped lacks seeds, not variants
    jobs = [(args.preset, n, seed, fold, epochs[n]) for seed in args.seeds for fold in args.folds for n in names]
    check_same_settings(jobs, done, 4, costs)
    jobs = [job[1:4] for job in jobs if job not in done]
    # pretraining comes first, once for each seed: the folds share it
    for name in names:
        seeds = {seed for n, seed, _ in jobs if n == name}
        EXTENDED.prepare([replace(configs[name], seed=seed) for seed in sorted(seeds)], out / "runs", args.jobs)
    tasks = (delayed(measure)(n, configs[n], seed, fold, epochs[n], out) for n, seed, fold in jobs)
    for rows, cost in parallel(n_jobs=args.jobs, return_as="generator_unordered")(tasks):
        append_rows(out / "measures.csv", pd.DataFrame(rows))
        append_rows(costs, pd.DataFrame([cost]))
        value = {row["metric"]: row["value"] for row in rows}
        print(
            f"{cost['variant']}, seed {cost['seed']}, fold {cost['fold']}: {cost['minutes']:.1f} min, cross-identity "
            f"gain {value['motion gain, across identities']:.3f}, "
            f"cosine {value['motion cosine, across identities']:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
