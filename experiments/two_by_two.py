"""Which part of the repaired recipe moves the face: its generator, or its supervision? All four combinations.

    python experiments/two_by_two.py --jobs 2
    python experiments/two_by_two.py --steps 144 --generators warp  # as few steps as without pretraining

{the paper's generator, which paints an image; one that warps} x {own pairs; swaps}. Everything else is that of the
repaired recipe's pretraining, in all four alike: encoders, 480 synthetic people and their motions, targets without
camera noise, losses, steps. With own pairs the driver of a motion is always the person shown; with swaps, in four of
five, somebody else. Measures each network on the counterfactual people of development (not the final test's), and how
well it paints clips of held-out people. Writes measures.csv to OUT. A run that was stopped continues with the last
saved step of each training.
"""

import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
from common import append_rows, finished_jobs, make_parser, prepared_faces, write_about
from joblib import delayed

from lfdtcmen.analysis.disentanglement import copy_baseline, cross_identity_gain
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.beyond.pretraining import pretrain
from lfdtcmen.beyond.swap_batches import OTHER_PERSON
from lfdtcmen.config import Config, load_config
from lfdtcmen.datasets.synthetic import make_counterfactuals, make_swaps
from lfdtcmen.experiments import first_fold
from lfdtcmen.files import make_folder
from lfdtcmen.threads import one_thread
from lfdtcmen.training import build_model
from lfdtcmen.workers import parallel

GENERATORS = {"image": "image", "warp": "warp_difference"}
SUPERVISION = {"own pairs": 0.0, "swaps": OTHER_PERSON}  # share of the swaps whose driver is another person
KEYS = ["generator", "supervision", "seed", "steps"]


def train(config: Config, supervision: str, out: Path) -> pd.DataFrame:
    """Train one network, or go on with it, and measure it."""
    with one_thread():
        model = build_model(config, 3, EXTENDED)
        pretrain(model, config, out / "runs", progress=False, other_person=SUPERVISION[supervision])
        _, held_out = first_fold(config, prepared_faces(config, jobs=1))
        swapped = cross_identity_gain(model, make_counterfactuals(config.preset), config.seed)
        return pd.concat([swapped, copy_baseline(model, held_out, config.seed)], ignore_index=True)


def measure(generator: str, supervision: str, seed: int, base: Config, out: Path) -> pd.DataFrame:
    """Return the measures of one cell of the table, with its keys."""
    table = train(replace(base, generator=GENERATORS[generator], seed=seed), supervision, out)
    return table.assign(**dict(zip(KEYS, (generator, supervision, seed, base.pretraining), strict=True)))


def main() -> None:
    parser = make_parser(__doc__, "two_by_two")
    parser.add_argument("--profile", default="cpu")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--generators", nargs="+", choices=GENERATORS, default=[*GENERATORS])
    parser.add_argument("--steps", type=int, help="of training; the recipe's own by default")
    args = parser.parse_args()

    start, out = time.perf_counter(), make_folder(args.out)
    base = load_config(args.profile, recipe="repaired")
    base = replace(base, pretraining=args.steps or base.pretraining)
    make_swaps(base.pretraining_preset, base.pretraining_groups, n_jobs=args.jobs)  # rendered once, for all
    prepared_faces(base, args.jobs)
    done = finished_jobs(out / "measures.csv", KEYS)
    # seed by seed: a run that is stopped lacks seeds, not cells
    jobs = [(g, s, seed) for seed in args.seeds for g in args.generators for s in SUPERVISION]
    tasks = (delayed(measure)(*job, base, out) for job in jobs if (*job, base.pretraining) not in done)
    for table in parallel(n_jobs=args.jobs, return_as="generator_unordered")(tasks):
        append_rows(out / "measures.csv", table)
        value = table.set_index("metric")["value"]
        gain, error = value["motion gain, across identities"], value["error relative to copying, squared"]
        print(f"{dict(table[KEYS].iloc[0])}: gain {gain:.3f}, image error over copy {error:.2f}", flush=True)
    write_about(out, start, seeds=len(args.seeds))


if __name__ == "__main__":
    main()
