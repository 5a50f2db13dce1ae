"""Where the networks look, what their answers depend on, and what their codes contain: both recipes, with controls.

    python experiments/inside.py --jobs 2
    python experiments/inside.py --variants full --seeds 0 --epochs 1 --subjects 30 --out runs/try

For each seed and fold, four kinds of training, with stage 1 as in the ablations of Tables 4 to 7:

- full: settings I, II and III of Table 6 through all three stages, on one stage 1. Their maps are scored on the fold's
  held-out subjects (OUT/attribution.csv); the flow and the frames of setting III are blanked (OUT/blanking.csv); the
  codes of an untrained encoder, after stage 1 and after stage 3 are probed (OUT/probes.csv), and those after stage 3
  and the inputs with positive controls and permuted answers (OUT/controls.csv). Swaps after stages 1 and 3 are compared
  with the rendered truth (OUT/swaps.csv).
- repaired: the whole network by the repaired recipe, through all three stages; scored, blanked and probed likewise, as
  the model "repaired".
- labels: the flow branch alone, trained on true and on shuffled labels (OUT/labels.csv).
- without reconstruction, contrastive, consistency, orthogonality, cycle: stage 1 without that loss. Its codes are
  probed. (The emotion loss has no weight in stage 1.)

Where skin moves is what the muscles move, without the head. OUT/costs.csv lists the jobs that are done, with their
minutes. A run that was stopped continues with the others.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from common import append_rows, check_same_settings, finished_jobs, make_parser, prepared_faces
from joblib import delayed

from lfdtcmen.analysis import blanking
from lfdtcmen.analysis.ablation import TABLES, configure
from lfdtcmen.analysis.attribution import attribution_maps, attribution_table, moving_skin
from lfdtcmen.analysis.attribution_tables import label_test
from lfdtcmen.analysis.class_activation import gradcam, hirescam
from lfdtcmen.analysis.codes import encode_pairs, untrained_like
from lfdtcmen.analysis.linear_probes import probe_with_nulls
from lfdtcmen.analysis.probes import probe_codes
from lfdtcmen.analysis.swaps import swap_errors
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_counterfactuals
from lfdtcmen.datasets.synthetic.muscle_motion import muscle_fields
from lfdtcmen.files import make_folder
from lfdtcmen.images import grey_change
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.threads import one_thread
from lfdtcmen.training import stage_checkpoint
from lfdtcmen.workers import parallel

FULL, REPAIRED, LABELS = "full", "repaired", "labels"
LEFT_OUT = ("reconstruction", "contrastive", "consistency", "orthogonality", "cycle")
VARIANTS = (FULL, REPAIRED, LABELS, *(f"without {loss}" for loss in LEFT_OUT))
SETTINGS = {number: run for number, _, run in TABLES["table6"]}  # I, II, III
METHODS = {"Grad-CAM": gradcam, "HiResCAM": hirescam}
Tables = dict[str, pd.DataFrame]


def measure(variant: str, config: Config, fold: int, out: Path) -> tuple[Tables, dict]:
    """Train and measure one variant on one fold; return the rows of each file, and what it cost."""
    with one_thread():
        pairs = prepared_faces(config, jobs=1)
        train, test = (pairs.subset(i) for i in list(grouped_kfold(pairs.subjects, pairs.labels, config.folds))[fold])
        start = time.perf_counter()
        models = trained(variant, config, train, out / "runs")
        ended = time.perf_counter()
        tables = measured(variant, models, train, test, config)
    labels = {"preset": config.preset, "seed": config.seed, "fold": fold}
    minutes = {"training": (ended - start) / 60, "measuring": (time.perf_counter() - ended) / 60}
    cost = {"variant": variant, "seed": config.seed, "fold": fold, **sizes(config)} | minutes
    return {name: table.assign(**labels) for name, table in tables.items()}, cost


def sizes(config: Config) -> dict:
    """Return what the options change, for the table of what is done."""
    return {"epochs": "-".join(map(str, config.epochs)), "subjects": config.subjects}


def trained(variant: str, config: Config, train: PairSet, runs: Path) -> dict[str, LFDTCMEN]:
    """Return the networks of a variant by name, trained on one fold."""

    def network(stage: int, config: Config, pairs: PairSet = train) -> LFDTCMEN:
        return stage_checkpoint(stage, config, pairs, runs, progress=False, method=EXTENDED)[0]

    if variant == REPAIRED:
        return {REPAIRED: network(3, config)}
    if variant == LABELS:
        alone = replace(config, drl=None, motion=None)
        shuffled = replace(train, labels=np.random.default_rng(config.seed).permutation(train.labels))
        return {"true labels": network(2, alone), "shuffled labels": network(2, alone, shuffled)}
    stage1 = {"stage 1": network(1, config)}
    return stage1 | ({n: network(3, configure(config, run)) for n, run in SETTINGS.items()} if variant == FULL else {})


def measured(variant: str, models: dict[str, LFDTCMEN], train: PairSet, test: PairSet, config: Config) -> Tables:
    """Return the tables of a variant's networks, on held-out subjects."""
    seed, motion = config.seed, muscle_fields(test)
    if variant == LABELS:
        return {"labels": label_test(models, test, motion, list(METHODS.values()), seed=seed)}
    if variant not in (FULL, REPAIRED):
        return {"probes": probe_codes(models["stage 1"], test, seed).assign(model=f"stage 1 {variant}")}
    whole = {name: models[name] for name in ("III", REPAIRED) if name in models}
    scored = {name: model for name, model in models.items() if name != "stage 1"}
    tables = {
        "attribution": attribution_table(scored, train, test, seed, list(METHODS.values()), motion),
        "blanking": blanked(whole, test, motion, seed),
        "controls": controls(whole, train, test, motion, seed),
    }
    if variant == FULL:
        truth = make_counterfactuals(config.preset)
        after = {"stage 1": models["stage 1"], "stage 3": models["III"]}
        tables["swaps"] = pd.concat([swap_errors(m, truth, seed).assign(model=name) for name, m in after.items()])
        probed = {"random": untrained_like(models["stage 1"], train, seed)} | after
        tables["probes"] = pd.concat([probe_codes(m, test, seed).assign(model=name) for name, m in probed.items()])
    return tables


def blanked(models: dict[str, LFDTCMEN], test: PairSet, motion: np.ndarray, seed: int) -> pd.DataFrame:
    """Blank moving skin, as much still skin, the largest flow, and what each map marks most."""
    moving, face = moving_skin(test, motion)
    moves, still = blanking.moving_and_still(moving, face, seed)
    counts, on_face = moves.sum((1, 2)), blanking.to_cells(face[None])[0] >= 0.5
    cells = {}
    for name, model in models.items():
        marks = {"largest flow": np.linalg.norm(test.flow, axis=1)}
        marks |= {word: attribution_maps(model, test, method)["flow"] for word, method in METHODS.items()}
        chosen = {n: blanking.largest_cells(blanking.to_cells(v), counts, on_face) for n, v in marks.items()}
        cells[name] = {"moving skin": moves} | chosen | {blanking.STILL: still}
    return pd.concat([blanking.blanking_table(models, test, cells, part, seed) for part in blanking.BLANK])


def controls(models: dict[str, LFDTCMEN], train: PairSet, test: PairSet, motion: np.ndarray, seed: int) -> pd.DataFrame:
    """Probe codes, with the inputs as positive controls and with permuted answers."""
    features = {"true motion": np.stack([blanking.to_cells(motion[:, axis]) for axis in (0, 1)], 1)}
    features |= {"TV-L1 flow": test.streams[:, :2]}
    features |= {"apex - onset": blanking.to_cells(grey_change(test.onset, test.apex))}
    untrained = {f"{name}, untrained": untrained_like(model, train, seed) for name, model in models.items()}
    for name, model in (models | untrained).items():
        codes = encode_pairs(model, test)
        for code in ("mo", "id"):
            onset, apex = codes[f"{code}(onset)"], codes[f"{code}(apex)"]
            features |= {f"{code}(apex), {name}": apex, f"{code}(apex) - {code}(onset), {name}": apex - onset}
    return probe_with_nulls(features, test, seed)


def main() -> None:
    parser = make_parser(__doc__, "inside")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS, help="kinds of training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="which seeds")
    parser.add_argument("--folds", type=int, nargs="+", default=[0], help="which folds")
    parser.add_argument(
        "--epochs", type=int, nargs="+", help="of stages 1, 2, 3; one number: all; by default those of each recipe"
    )
    parser.add_argument("--subjects", type=int, default=100, help="how many")
    args = parser.parse_args()

    epochs = {"epochs": tuple(args.epochs * 3 if len(args.epochs) == 1 else args.epochs)} if args.epochs else {}
    base = load_config("cpu", subjects=args.subjects, perceptual_size=32, **epochs)
    repaired = load_config("cpu", recipe="repaired", subjects=args.subjects, **epochs)
    configs = {FULL: base, LABELS: base, REPAIRED: repaired}
    configs |= {f"without {loss}": replace(base, stage1=base.stage1 | {loss: 0.0}) for loss in LEFT_OUT}
    costs = make_folder(args.out) / "costs.csv"
    done = finished_jobs(costs, ["variant", "seed", "fold", "epochs", "subjects"])
    # seed by seed: a run that is stopped lacks seeds, not variants
    jobs = [
        (name, seed, fold, *sizes(configs[name]).values())
        for seed in args.seeds
        for fold in args.folds
        for name in args.variants
    ]
    check_same_settings(jobs, done, 3, costs)
    jobs = [job[:3] for job in jobs if job not in done]
    tasks = (delayed(measure)(n, replace(configs[n], seed=seed), fold, args.out) for n, seed, fold in jobs)
    for tables, cost in parallel(n_jobs=args.jobs, return_as="generator_unordered")(tasks):
        for name, table in tables.items():
            append_rows(args.out / f"{name}.csv", table)
        append_rows(costs, pd.DataFrame([cost]))
        print(
            f"{cost['variant']}, seed {cost['seed']}, fold {cost['fold']}: {cost['training']:.1f} min training, "
            f"{cost['measuring']:.1f} min measuring",
            flush=True,
        )


if __name__ == "__main__":
    main()
