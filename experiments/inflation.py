"""How much do bad practices inflate a score? Small networks on optical flow, scored also on people rendered for it.

    python experiments/inflation.py

Trains networks with one hidden layer on the flow of the synthetic faces, predicts after every epoch, and keeps, as
public code does, the weights of the epoch that was best on the test samples. For each seed and each of four splits (one
subject left out: `loso`; five folds of subjects: `apart`; five folds of samples at random: `mixed`; `apart` with the
epoch chosen on a fifth of the training subjects: `validated`) OUT gets

- `SPLIT.csv.gz`: a row per sample; columns 1, 2, ... are the predictions after each epoch;
- `fresh.csv`: what the last and the chosen epoch of each fold predict for fresh people, as confusion matrices (n01:
  true class 0, predicted as 1), and the chosen epoch;
- `habits.csv`: scores of both splits on people of whom each shows one class more often than others do;
- `real_habits.csv`, with `--labels FILE`: how strong such habits are in a list of data set, subject, clip and class
  (0, 1, 2) without a header, such as the list of MEGC 2019, which is not ours to ship.

The networks are kept in OUT, and of the fresh people the flow, not the pictures: so a run that was stopped continues,
and more people can be added with a larger `--fresh`. The minutes in about.json are without the rendering.
"""

import os
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pandas as pd
import torch
from common import make_parser, prepared_faces, write_about

from lfdtcmen import load_config
from lfdtcmen.analysis.inflation import habit_share, keep_habits, random_kfold
from lfdtcmen.analysis.small_networks import (
    SmallNetworks,
    epoch_predictions,
    flow_values,
    fold_numbers,
    predict_classes,
    train_small_networks,
)
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold, loso, split_validation
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.evaluation.metrics import paired_difference, score_confusion, uf1
from lfdtcmen.files import atomic_path, make_folder

SPLITS = ("loso", "apart", "mixed", "validated")
HORIZONS = (1, 2, 4, 8, 20, 50, 100, 200)  # epochs of which the best is kept
FRESH_SEED, FRESH_BLOCK = 1100, 100  # people in no other data set of the project
HABITS, HABIT_EPOCHS = (0.0, 0.25, 0.5, 0.75, 1.0), 50
FOLDS = 5
CELLS = [f"n{true}{predicted}" for true, predicted in product(range(3), repeat=2)]


def fresh_people(folder: Path, blocks: int, jobs: int) -> dict[str, np.ndarray]:
    """Return flow values, grey apexes [N, 784], labels and subjects of fresh people; what is there is read."""
    parts = []
    for block in range(blocks):
        file = folder / f"{block:02d}.npz"
        if not file.exists():
            with TemporaryDirectory() as cache:  # a gigabyte of pictures for all of them
                os.environ["LFDTCMEN_CACHE"] = cache
                faces = make_dataset("standard", "3class", FRESH_BLOCK, FRESH_SEED + block, n_jobs=jobs)
                pairs = prepare_pairs(faces, n_jobs=jobs)
            names = np.array([f"fresh/{block}/{subject}" for subject in pairs.subjects])
            arrays = {"values": flow_values(pairs.streams), "apex": grey_apex(pairs), "labels": pairs.labels}
            make_folder(folder)
            with atomic_path(file) as temporary, temporary.open("wb") as stream:
                np.savez_compressed(stream, **arrays, subjects=names)
            print(f"{FRESH_BLOCK * (block + 1)} fresh people", flush=True)
        parts.append(np.load(file))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def grey_apex(pairs: PairSet) -> np.ndarray:
    """Return apex frames as uint8 [N, 784]."""
    small = [
        cv2.resize(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), (28, 28), interpolation=cv2.INTER_AREA) for f in pairs.apex
    ]
    return np.stack(small).reshape(len(pairs), -1)


def count_by_fold(truth: np.ndarray, predicted: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Return the confusion matrix of each network over the samples used, [networks, 3, 3]; all arrays [networks, N]."""
    cells = (9 * np.arange(len(predicted))[:, None] + 3 * truth + predicted)[used]
    return np.bincount(cells, minlength=9 * len(predicted)).reshape(-1, 3, 3)


def run_split(split: str, faces: PairSet, epochs: int, seed: int) -> tuple[pd.DataFrame, list[dict]]:
    """Train a split's networks; return predictions after each epoch, and the last and the best networks at times."""
    values, labels, subjects = flow_values(faces.streams), faces.labels, faces.subjects
    folds = list(loso(subjects) if split == "loso" else grouped_kfold(subjects, labels, FOLDS))
    if split == "mixed":
        folds = random_kfold(labels, FOLDS)
    tested = fold_numbers(folds, len(labels))
    judged = tested == np.arange(len(folds))[:, None]  # [networks, N]: samples that an epoch is chosen on
    trained_on = ~judged
    if split == "validated":
        judged = np.zeros_like(trained_on)
        for number, (train, _) in enumerate(folds):
            judged[number, train[split_validation(subjects[train], labels[train], 0.2, seed)[1]]] = True
        trained_on &= ~judged
    found, kept = np.empty((len(labels), epochs), np.int8), []
    best = SmallNetworks(len(folds), values.shape[1], 3)
    best_score, best_epoch = np.full(len(folds), -1.0), np.zeros(len(folds), int)

    def look(epoch: int, networks: SmallNetworks) -> None:
        predicted = predict_classes(networks, values)  # [networks, N]
        found[:, epoch] = predicted[tested, np.arange(len(labels))]
        matrices = count_by_fold(labels, predicted, judged)
        # one person lacks classes: there, public code counts what is right
        right = np.trace(matrices, axis1=1, axis2=2) / matrices.sum((1, 2))
        score = right if split == "loso" else score_confusion(matrices, "uf1")
        better = score >= best_score  # of equal epochs the latest, as in public code
        best.copy_networks(better, networks)
        best_score[better], best_epoch[better] = score[better], epoch + 1
        if epoch + 1 in HORIZONS:
            at_last = np.full(len(folds), epoch + 1)
            for choice, chosen, at in (("last", networks, at_last), ("best", best, best_epoch.copy())):
                weights = {name: part.clone() for name, part in chosen.state_dict().items()}
                kept.append({"epochs": epoch + 1, "choice": choice, "epoch": at, "weights": weights})

    train_small_networks(values, labels, trained_on, epochs, seed, look)
    keys = {"seed": seed, "fold": tested, "subject": subjects, "clip": faces.manifest["clip"], "label": labels}
    predictions = pd.DataFrame(found, columns=range(1, epochs + 1))
    return pd.concat([pd.DataFrame(keys).reset_index(drop=True), predictions], axis=1), kept


def count_fresh(split: str, seed: int, kept: list[dict], fresh: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the confusion matrices of a split's kept networks for fresh people."""
    tables = []
    for entry in kept:
        networks = SmallNetworks(len(entry["epoch"]), fresh["values"].shape[1], 3)
        networks.load_state_dict(entry["weights"])
        predicted = predict_classes(networks.eval(), fresh["values"])
        matrices = count_by_fold(fresh["labels"], predicted, np.ones_like(predicted, bool))
        rows = pd.DataFrame(matrices.reshape(-1, 9), columns=CELLS)
        keys = {"split": split, "seed": seed, "epochs": entry["epochs"], "choice": entry["choice"]}
        tables.append(rows.assign(fold=rows.index, epoch=entry["epoch"], **keys)[[*keys, "fold", "epoch", *CELLS]])
    return pd.concat(tables)


def score_habits(faces: PairSet, fresh: dict[str, np.ndarray], seeds: range) -> Iterator[dict]:
    """Yield the scores of both splits, and their difference, on people with habits of each strength."""
    inputs = {
        "flow": np.concatenate([flow_values(faces.streams), fresh["values"]]),
        "apex frame": np.concatenate([grey_apex(faces), fresh["apex"]]).astype(np.float32) / 64 - 2,  # from -2 to 2
    }
    all_labels = np.concatenate([faces.labels, fresh["labels"]])
    people = np.unique(np.concatenate([faces.subjects, fresh["subjects"]]), return_inverse=True)[1]  # [N]
    for strength in HABITS:
        truth, subjects, predicted = [], [], {(name, split): [] for name in inputs for split in ("apart", "mixed")}
        for seed in seeds:  # each has other people
            mine = np.flatnonzero(people % len(seeds) == seed)
            rows = mine[keep_habits(all_labels[mine], people[mine], strength, seed)]
            labels, who = all_labels[rows], people[rows]
            splits = {"apart": list(grouped_kfold(who, labels, FOLDS)), "mixed": random_kfold(labels, FOLDS)}
            for name, split in predicted:
                found = epoch_predictions(inputs[name][rows], labels, splits[split], HABIT_EPOCHS, seed)
                predicted[name, split].append(found[:, -1])
            truth.append(labels)
            subjects.append(who)
        labels, who = np.concatenate(truth), np.concatenate(subjects)
        for name in inputs:
            apart, mixed = (np.concatenate(predicted[name, split]) for split in ("apart", "mixed"))
            added, low, high = paired_difference(labels, mixed, apart, who, "uf1", 3)
            row = {"strength": strength, "habit": habit_share(labels, who), "clips": len(labels)}
            row |= {"people": len(np.unique(who)), "input": name, "apart": uf1(labels, apart, 3)}
            yield row | {"mixed": uf1(labels, mixed, 3), "added": added, "low": low, "high": high}


def real_habits(file: Path) -> pd.DataFrame:
    """Return how strong the habits are in a list of labels, data set by data set and together."""
    table = pd.read_csv(file, names=["data", "subject", "clip", "label"], dtype={"subject": str})
    table["subject"] = table["data"] + "/" + table["subject"]
    rows = []
    for name, part in [*table.groupby("data"), ("together", table)]:
        row = {"data": name, "clips": len(part), "people": part["subject"].nunique()}
        rows.append(row | {"habit": habit_share(part["label"].to_numpy(), part["subject"].to_numpy())})
    return pd.DataFrame(rows)


def main() -> None:
    parser = make_parser(__doc__, "inflation")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--epochs", type=int, default=200, help="of each network")
    parser.add_argument("--fresh", type=int, default=10, help="hundreds of fresh people")
    parser.add_argument("--labels", type=Path, help="list of labels of real people")
    args = parser.parse_args()

    out = make_folder(args.out)
    if args.labels is not None:
        real_habits(args.labels).to_csv(out / "real_habits.csv", index=False, float_format="%.4f")
    config = load_config("cpu")
    faces = prepared_faces(config, args.jobs)
    start = time.perf_counter()
    done, seeds = make_folder(out / f"{args.epochs}-epochs"), range(args.seeds)
    for split, seed in product(SPLITS, seeds):
        last_written = done / f"{split}-{seed}.pt"
        if not last_written.exists():
            predictions, kept = run_split(split, faces, args.epochs, seed)
            predictions.to_csv(done / f"{split}-{seed}.csv", index=False)
            with atomic_path(last_written) as temporary:
                torch.save(kept, temporary)
            print(f"{split}, seed {seed}: {(time.perf_counter() - start) / 60:.1f} min", flush=True)
    for split in SPLITS:
        parts = [pd.read_csv(done / f"{split}-{seed}.csv") for seed in seeds]
        pd.concat(parts).to_csv(out / f"{split}.csv.gz", index=False)
    rendering = time.perf_counter()
    fresh = fresh_people(out / "fresh", args.fresh, args.jobs)
    start += time.perf_counter() - rendering
    counts = [
        count_fresh(split, seed, torch.load(done / f"{split}-{seed}.pt", weights_only=False), fresh)
        for split, seed in product(SPLITS, seeds)
    ]
    pd.concat(counts).to_csv(out / "fresh.csv", index=False)
    habits = pd.DataFrame(score_habits(faces, fresh, seeds))
    habits.to_csv(out / "habits.csv", index=False, float_format="%.4f")
    print(habits.round(3).to_string(index=False))
    facts = {"preset": config.preset, "subjects": config.subjects, "fresh_people": FRESH_BLOCK * args.fresh}
    write_about(out, start, jobs=args.jobs, **facts)


if __name__ == "__main__":
    main()
