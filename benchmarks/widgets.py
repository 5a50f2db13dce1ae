"""How long does each widget take to answer a move?

    python benchmarks/widgets.py

Measures the time from the moment a control has another value until the new picture is there. This is the kernel's part,
without the way to the browser. The first picture is not counted. Processor time is the time on a machine that does
nothing else. Faces are synthetic and the network is untrained: neither changes the time. Writes latency.csv to OUT.
"""

import argparse
import time

import cv2
import ipywidgets
import numpy as np
import pandas as pd
import torch
from skimage.data import astronaut

from lfdtcmen import LFDTCMEN, load_config
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.synthetic import make_clip, make_counterfactuals, make_dataset
from lfdtcmen.files import make_folder, parse_folder, runs_dir
from lfdtcmen.preprocessing.align import align_clip
from lfdtcmen.viz import widgets

MOVES_PER_CONTROL = 5


def positions(control: ipywidgets.Widget) -> list:
    """Return values of a control, over its whole range."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    values = np.linspace(control.min, control.max, 2 * MOVES_PER_CONTROL)
    return [type(control.min)(value) for value in values]


def seconds_of_moves(box: ipywidgets.VBox) -> list[tuple[float, float]]:
    """Move each control in turn; return the wall and processor time of each move that changed the picture."""
    times, picture = [], box.children[-1]
    for control in box.children:
        if isinstance(control, ipywidgets.Image):
            continue
        for value in positions(control)[-MOVES_PER_CONTROL:]:
            before, wall, processor = picture.value, time.perf_counter(), time.process_time()
            control.value = value
            taken = (time.perf_counter() - wall, time.process_time() - processor)
            if picture.value != before:
                times.append(taken)
    return times


def make_widgets() -> dict[str, ipywidgets.VBox]:
    rng = np.random.default_rng(0)
    face = cv2.resize(astronaut()[50:200, 150:300], (128, 128), interpolation=cv2.INTER_AREA)
    landmarks = (np.array([[205, 108], [247, 110], [228, 137], [208, 158], [243, 160]]) - [150, 50]) * 128 / 150
    pairs = prepare_pairs(make_dataset("easy", "3class", subjects=8))
    clip = make_clip(0, 5, preset="easy", emotion="surprise")
    aligned = align_clip(clip.frames, landmarks=clip.landmarks[0])
    probabilities = rng.dirichlet(np.ones(3), len(pairs))
    predictions = pairs.manifest[["subject", "clip"]].assign(label=pairs.labels, prediction=probabilities.argmax(1))
    predictions = predictions.assign(**{f"p_{name}": probabilities[:, c] for c, name in enumerate(pairs.label_names)})
    weights = load_config("cpu").stage3
    losses = ("reconstruction", "cycle", "orthogonality", "consistency", "contrastive", "emotion")
    torch.manual_seed(0)
    return {
        "action units, synthetic": widgets.action_unit_slider(subjects=4),
        "action units, photograph": widgets.action_unit_slider(photograph=(face, landmarks)),
        "motion swap": widgets.motion_swap_slider(LFDTCMEN(3), make_counterfactuals("easy", identities=2, motions=3)),
        "loss weights": widgets.loss_weight_sliders(
            dict(zip(losses, rng.random(6), strict=True)), rng.normal(size=(6, 1000)), weights
        ),
        "fold explorer": widgets.fold_explorer(pairs, predictions),
        "apex timeline": widgets.apex_timeline(aligned, clip.fps, clip.apex),
        "inflation": widgets.inflation_slider(noisy_epochs(1), noisy_epochs(2), 3),
    }


def noisy_epochs(seed: int, seeds: int = 5, epochs: int = 15, people: int = 100, each: int = 7) -> pd.DataFrame:
    """Return random predictions: more than notebook 11 has of a real training."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, people * each, p=[0.65, 0.08, 0.27])
    person = np.arange(len(labels)) // each
    tables = [
        pd.DataFrame(
            {
                "seed": s,
                "epoch": epoch,
                "fold": person % 5,
                "subject": person,
                "clip": np.arange(len(labels)),
                "label": labels,
                "prediction": np.where(rng.random(len(labels)) < 0.5, labels, rng.integers(0, 3, len(labels))),
            }
        )
        for s in range(seeds)
        for epoch in range(epochs)
    ]
    return pd.concat(tables, ignore_index=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=parse_folder, default=runs_dir() / "widgets", help="folder of the table")
    args = parser.parse_args()

    rows = []
    for name, box in make_widgets().items():
        wall, processor = np.transpose(seconds_of_moves(box))
        row = {"widget": name, "moves": len(wall), "median (s)": np.median(wall), "slowest (s)": max(wall)}
        rows.append(row | {"median, processor (s)": np.median(processor)})
    table = pd.DataFrame(rows)
    table.to_csv(make_folder(args.out) / "latency.csv", index=False, float_format="%.3f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
