"""From what size of motion on, and up to what noise, does a recipe learn to carry motion from face to face?

    python experiments/size_and_noise.py --jobs 2
    python experiments/size_and_noise.py --pixels 8 1 --noise 0 --seeds 0 --steps 100 --out runs/try

The small task of `strong_motion.py`, for motions of several sizes and with camera noise of several strengths; every
frame that a network sees has noise of its own. Two networks:

- `paper`: the paper's DRL, which generates images and is trained on a person's own pairs, with the L1 between generated
  and filmed image alone. (The other losses do not ask for motion: notebook 08.)
- `repaired`: ours, which warps the face at rest by the change of a narrow motion code, and is trained on swaps whose
  answer is rendered, with change loss and gain loss.

Writes gain.csv to OUT: after every twentieth of the steps, the motion gain across people on held-out combinations of
person and expression, and the error relative to showing the face at rest. A run that was stopped continues with the
trainings that are missing.
"""

import time
from itertools import product

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from common import append_rows, finished_jobs, make_parser, write_about
from joblib import delayed
from strong_motion import BATCH, choose_drivers, measure, optimise, render, split_combinations
from torch import Tensor

from lfdtcmen.beyond.change_loss import change
from lfdtcmen.beyond.extended_drl import ExtendedDRL, generate_from
from lfdtcmen.beyond.gain_loss import gain
from lfdtcmen.beyond.recipes import RECIPES
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.files import make_folder
from lfdtcmen.modules.drl import DRL
from lfdtcmen.threads import one_thread
from lfdtcmen.workers import parallel

KEYS = ["network", "pixels", "noise", "seed", "steps"]
STANDARD = get_settings("standard").sensor_noise / 2  # of the frames of 64 pixels: each is the mean of four of 128


def make_network(name: str) -> DRL:
    """Return the paper's DRL, or the one of the repaired recipe."""
    if name == "paper":
        return DRL()
    return ExtendedDRL(
        **{field: RECIPES["repaired"][field] for field in ("generator", "bottleneck", "contrast_normalised")}
    )


def film(faces: Tensor, strength: float) -> Tensor:
    """Return the frames with normal noise: a ``strength`` of 1 is that of `standard`."""
    return faces + strength * STANDARD * torch.randn_like(faces)


def own_pairs_loss(model: DRL, faces: Tensor, seen: np.ndarray, noise: float, rng: np.random.Generator) -> Tensor:
    """Return the L1 of the paper's cross-combination, on pairs of one person each."""
    person, expression = seen[rng.integers(len(seen), size=BATCH)].T
    onset, apex = film(faces[person, 0], noise), film(faces[person, expression], noise)
    codes = model.encode(torch.cat([onset, apex]))
    return F.l1_loss(model.generate(codes, codes.exchanged()), torch.cat([apex, onset]))


def swaps_loss(model: DRL, faces: Tensor, seen: np.ndarray, noise: float, rng: np.random.Generator) -> Tensor:
    """Return change loss and gain loss of swaps: another person's motion, on a face whose own is rendered."""
    who, expression = seen[rng.integers(len(seen), size=BATCH)].T
    driver = np.array([rng.choice(seen[seen[:, 1] == k, 0]) for k in expression])
    target, rest = faces[who, expression], faces[who, 0]
    moved = swap(model, rest, faces[driver, 0], faces[driver, expression], noise)
    return change(moved, target, rest) + gain(moved, target, rest)


def swap(model: DRL, rest: Tensor, driver_rest: Tensor, driver_apex: Tensor, noise: float) -> Tensor:
    """Return faces ``rest`` with the motions of drivers; encoders see noise, the pixels that are warped have none."""
    identity = model.encode(film(rest, noise))
    if isinstance(model, ExtendedDRL):
        identity.frames = rest
    start, end = (model.encode(film(frames, noise)) for frames in (driver_rest, driver_apex))
    return generate_from(model, identity, end, start)


@torch.no_grad()
def look(model: DRL, faces: Tensor, seen: np.ndarray, unseen: np.ndarray, noise: float) -> dict[str, float]:
    """Return motion gain across people and relative error on the held-out combinations."""
    who, expression = unseen.T
    driver = choose_drivers(seen, expression)
    rest, truth = faces[who, 0], faces[who, expression]
    model.eval()
    moved = swap(model, rest, faces[driver, 0], faces[driver, expression], noise)
    still = swap(model, rest, faces[driver, 0], faces[driver, 0], noise)
    model.train()
    return measure(moved, still, rest, truth)


def train(network: str, pixels: float, noise: float, seed: int, steps: int) -> pd.DataFrame:
    """Train once; return one row per look at the held-out combinations."""
    with one_thread():
        faces, rng = render(pixels), np.random.default_rng(seed)
        seen, unseen = split_combinations(faces, rng)
        torch.manual_seed(seed)
        model = make_network(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        objective, combinations = own_pairs_loss, seen
        if network == "repaired":
            objective, combinations = swaps_loss, seen[seen[:, 1] > 0]
        about = dict(zip(KEYS, (network, pixels, noise, seed, steps), strict=True))
        return pd.DataFrame(
            about | {"step": step} | look(model, faces, seen, unseen, noise)
            for step, _ in optimise(model, lambda: objective(model, faces, combinations, noise, rng), steps)
        )


def main() -> None:
    parser = make_parser(__doc__, "size_and_noise")
    parser.add_argument("--networks", nargs="+", choices=("paper", "repaired"), default=["paper", "repaired"])
    parser.add_argument("--pixels", type=float, nargs="+", default=[8, 4, 2, 1, 0.5, 0.25])
    parser.add_argument("--noise", type=float, nargs="+", default=[0, 0.5, 1], help="1 is that of `standard`")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1200)
    args = parser.parse_args()

    start, file = time.perf_counter(), make_folder(args.out) / "gain.csv"
    done = finished_jobs(file, KEYS)
    grid = product(args.seeds, args.networks, args.pixels, args.noise)
    jobs = [(network, pixels, noise, seed, args.steps) for seed, network, pixels, noise in grid]
    for rows in parallel(n_jobs=args.jobs, return_as="generator")(
        delayed(train)(*job) for job in jobs if job not in done
    ):
        append_rows(file, rows)
    table = pd.read_csv(file)
    last = table[table["step"] == table.groupby(KEYS)["step"].transform("max")]
    print(last.pivot_table(index=["network", "noise"], columns="pixels", values="gain").round(3).to_string())
    write_about(args.out, start)


if __name__ == "__main__":
    main()
