"""Make the weights that come with the package: data/weights.

    python experiments/ship_weights.py
    python experiments/ship_weights.py wild --profile smoke --weights runs/try

Trains each network as `lfdtcmen train` does (its command is in the file beside the weights), on four fifths of the
people; writes the weights in half precision, what they have seen, their model card, and how they score: on the other
fifth, and without any training in the other world. A training that was stopped continues where it was.
"""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
from common import make_parser

from lfdtcmen.config import Config, load_config
from lfdtcmen.evaluation.results import score_table
from lfdtcmen.experiments import load_pairs
from lfdtcmen.files import atomic_path, make_folder, parse_folder
from lfdtcmen.predict.model_card import FILE_NAME
from lfdtcmen.training.checkpoint import halve_checkpoint
from lfdtcmen.training.weights import shipped_folder
from lfdtcmen.transfer import predict_without_training

FEW = 12  # people of the other world on whom a test looks whether the weights still score as recorded
FLOW_ALONE = ["--stage", "2", "--set", "drl=none", "--set", "motion=none", "--set", "pretraining=0"]
# name -> recipe and options of `lfdtcmen train`; "wild" is the one that `predict` takes: the flow branch, which carries
# over best (experiments/transfer.py), and is a third of the size
NETWORKS = {
    "paper": ("paper", ["--preset", "standard"]),
    "repaired": ("repaired", ["--preset", "standard"]),
    "wild": ("repaired", ["--preset", "wild", "--subjects", "300", *FLOW_ALONE]),
}


def score_elsewhere(file: Path, config: Config) -> pd.DataFrame:
    """Return UF1 and UAR, with intervals, on a set of which the network has seen nothing."""
    table = score_table(predict_without_training([file], load_pairs(config, n_jobs=1))[0])
    return table[table["metric"].isin(["UF1", "UAR"])].set_index("metric")[["value", "low", "high"]].round(4)


def ship(name: str, profile: str, out: Path, weights: Path) -> None:
    """Train a network, or load it, and write its weights and what is known of them."""
    recipe, options = NETWORKS[name]
    command = [sys.executable, "-m", "lfdtcmen", "train", "-p", profile, "--recipe", recipe, *options]
    subprocess.run([*command, "--jobs", "1", "--runs", str(out), "--name", name], check=True)
    run = json.loads((out / name / "metrics.json").read_text(encoding="utf-8"))
    target = weights / f"{name}.safetensors"
    steps = pd.read_csv(out / name / "history.csv").drop(columns=["seconds", "gradient_norm"]).to_dict("records")
    history = [{key: float(f"{value:.4g}") for key, value in step.items() if not math.isnan(value)} for step in steps]
    about = halve_checkpoint(out / name / "checkpoints" / run["checkpoint"], target, history)
    config = load_config(profile, preset="other_world")
    score, few = (score_elsewhere(target, replace(config, subjects=count)) for count in (config.subjects, FEW))
    record = {"recipe": recipe, "command": run["command"], **about, "held_out": run["held_out"]}
    record |= {"other_world": score.to_dict("index"), "few_people": few["value"].to_dict()}
    with atomic_path(target.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    card = (out / name / FILE_NAME).read_text(encoding="utf-8")
    with atomic_path(target.with_suffix(".md")) as temporary:
        temporary.write_text(card.replace(run["checkpoint"], target.name), encoding="utf-8")
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB\n{score.to_string()}", flush=True)


def main() -> None:
    parser = make_parser(__doc__, "weights")
    parser.add_argument("names", nargs="*", default=[*NETWORKS], help="all by default")
    parser.add_argument("--profile", default="cpu", help="sizes of the training")
    parser.add_argument("--weights", type=parse_folder, default=shipped_folder(), help="where the weights go")
    args = parser.parse_args()
    for name in args.names:
        ship(name, args.profile, args.out, make_folder(args.weights))


if __name__ == "__main__":
    main()
