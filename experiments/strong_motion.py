"""How large must a motion be for the paper's cross-combination to learn it? Notebook 02's first experiment, repeated.

    python experiments/strong_motion.py --jobs 2

Twelve synthetic people at rest and with ten expressions, 64 x 64 pixels, without camera noise; a quarter of the
combinations of person and expression is held out. The paper's DRL is trained with the L1 between generated and true
images alone, as notebook 02 does it, with expressions of strength 8 (the farthest point moves 12 of 128 pixels) and
weaker ones. Writes gain.csv to OUT: after every twentieth of the steps, the motion gain across people on the held-out
combinations, and the loss on them relative to showing the face at rest. A run that was stopped continues with the
trainings that are missing.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from common import append_rows, finished_jobs, make_parser, write_about
from joblib import delayed
from torch import Tensor

from lfdtcmen.datasets.synthetic import strong_faces
from lfdtcmen.files import make_folder
from lfdtcmen.images import as_tensor
from lfdtcmen.modules.drl import DRL
from lfdtcmen.threads import one_thread
from lfdtcmen.workers import parallel

PEOPLE, SIZE, BATCH, RATE, HELD_OUT, LOOKS = 12, 64, 16, 2e-3, 0.25, 20
STRONGEST = 8.0  # pixels at 128 x 128: what the strong expressions move


def render(pixels: float) -> Tensor:
    """Return each person at rest and with each expression, RGB in [0, 1], [PEOPLE, 11, 3, SIZE, SIZE]."""
    frames = as_tensor(strong_faces(PEOPLE, pixels / STRONGEST).reshape(-1, 128, 128, 3))
    return F.interpolate(frames, (SIZE, SIZE), mode="area").unflatten(0, (PEOPLE, -1))


def split_combinations(faces: Tensor, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the combinations of person and expression to train on (all faces at rest among them) and to hold out."""
    held_out = rng.random(faces.shape[:2]) < HELD_OUT
    held_out[:, 0] = False
    return np.argwhere(~held_out), np.argwhere(held_out)


def choose_drivers(seen: np.ndarray, expression: np.ndarray) -> np.ndarray:
    """Return for each expression a person who was seen with it."""
    return np.array([seen[seen[:, 1] == k][n % 5, 0] for n, k in enumerate(expression)])


def optimise(model: DRL, next_loss: Callable[[], Tensor], steps: int) -> Iterator[tuple[int, float]]:
    """Train a model, and yield the step and its loss whenever it is time to look."""
    optimiser = torch.optim.AdamW(model.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for step in range(1, steps + 1):
        loss = next_loss()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % max(1, steps // LOOKS) == 0:
            yield step, loss.item()


def train(pixels: float, seed: int, steps: int) -> pd.DataFrame:
    """Train once; return one row per look at the held-out combinations."""
    with one_thread():
        faces, rng = render(pixels), np.random.default_rng(seed)
        seen, unseen = split_combinations(faces, rng)
        torch.manual_seed(seed)
        model = DRL().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

        def next_loss() -> Tensor:
            person, expression = seen[rng.integers(len(seen), size=BATCH)].T
            onset, apex = faces[person, 0], faces[person, expression]
            codes = model.encode(torch.cat([onset, apex]))
            return F.l1_loss(model.generate(codes, codes.exchanged()), torch.cat([apex, onset]))

        about = {"pixels": pixels, "seed": seed, "steps": steps}
        return pd.DataFrame(
            about | {"step": step, "training": loss} | look(model, faces, seen, unseen)
            for step, loss in optimise(model, next_loss, steps)
        )


@torch.no_grad()
def look(model: DRL, faces: Tensor, seen: np.ndarray, unseen: np.ndarray) -> dict[str, float]:
    """Return motion gain across people and relative error on the held-out combinations."""
    who, expression = unseen.T
    driver = choose_drivers(seen, expression)
    model.eval()
    identity = model.encode(faces[who, 0])
    moved = model.generate(identity, model.encode(faces[driver, expression]))
    still = model.generate(identity, model.encode(faces[driver, 0]))
    model.train()
    return measure(moved, still, faces[who, 0], faces[who, expression])


def measure(moved: Tensor, still: Tensor, rest: Tensor, truth: Tensor) -> dict[str, float]:
    """Return the gain of faces with a motion over those with the driver's rest, and the error relative to a copy's."""
    true = truth - rest
    error = F.l1_loss(moved, truth) / F.l1_loss(rest, truth)
    carried = ((moved - still) * true).sum() / (true * true).sum()
    return {"gain": carried.item(), "error relative to copying": error.item()}


def main() -> None:
    parser = make_parser(__doc__, "strong_motion")
    parser.add_argument("--pixels", type=float, nargs="+", default=[8, 6, 4, 2, 1])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1200)
    args = parser.parse_args()

    start, file = time.perf_counter(), make_folder(args.out) / "gain.csv"
    done = finished_jobs(file, ["pixels", "seed", "steps"])
    jobs = [(pixels, seed, args.steps) for seed in args.seeds for pixels in args.pixels]
    trained = parallel(n_jobs=args.jobs, return_as="generator")(delayed(train)(*job) for job in jobs if job not in done)
    for rows in trained:
        append_rows(file, rows)
    table = pd.read_csv(file)
    last = table[table["step"] == table.groupby(["pixels", "seed", "steps"])["step"].transform("max")]
    measures = last.groupby("pixels")[["gain", "error relative to copying"]]
    print(measures.agg(["mean", "min", "max"]).round(3).to_string())
    write_about(args.out, start)


if __name__ == "__main__":
    main()
