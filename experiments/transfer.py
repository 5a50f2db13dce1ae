"""What is learned on one synthetic set, on others: without any training there, and as an addition to training there.

    python experiments/transfer.py --train wild --score other_world photographs --folds-on other_world --jobs 2
    python experiments/transfer.py --train easy --score hard --people 12 --seeds 0 --models flow-branch --out runs/try

Each model is trained on the set of --train, once for each seed, and predicts all people of each set of --score (other
people): `as it is`, and with `own scale`, where the flow of the scored set is brought to the root mean square of the
training flow, channel by channel (its labels are not used, but all of its clips are, so that no single clip can be
predicted in this way). Then, on folds of the subjects of --folds-on: `alone`, trained on the other folds; `added`, with
the set of --train in addition, whose loss has the weight --weight; `started`, from the weights of the first training.

Sets: easy, standard, hard, wild; with -dfme, the other camera (hard-dfme); other_world; photographs. Models: a linear
one; flow-branch, motion-branch and lfd-tcmen, in the paper's recipe and, with -repaired, in the other one; and on
request every other model that `lfdtcmen evaluate --list` shows, `as it is` alone. Photographs have no clips.
Writes to OUT predictions.csv.gz; scores.csv (UF1 and UAR with 95 % intervals over subjects, and paired differences to
the linear model); and ways.csv, which compares the ways of training with `alone`, model by model. Each model, seed and
fold is a file: a run that was stopped continues with those that are missing.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from common import Branch, make_parser, write_about

from lfdtcmen import experiments
from lfdtcmen.baselines.compared import needs_clips
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import load_config
from lfdtcmen.datasets import synthetic
from lfdtcmen.datasets.mixing import channel_rms, check_apart, scale_streams
from lfdtcmen.datasets.pairs import PairSet, concatenate
from lfdtcmen.datasets.people import name_people
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import Fold, grouped_kfold, holdout
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.mixed_training import MixedTraining
from lfdtcmen.evaluation.protocol import Model, cross_validate
from lfdtcmen.evaluation.results import readable, score_table
from lfdtcmen.files import make_folder
from lfdtcmen.training import LFDTCMENClassifier, checkpoint_file
from lfdtcmen.training.stages import settle_vgg

TRAIN_SEED, SCORE_SEED = 0, 1  # of the data: other people are scored than trained on
NETWORKS = {  # name -> recipe, fields of the config
    "flow-branch": ("paper", {"drl": None, "motion": None}),
    "flow-branch-repaired": ("repaired", {"drl": None, "motion": None, "pretraining": 0}),
    "motion-branch": ("paper", {"flow": None}),
    "lfd-tcmen": ("paper", {}),
    "motion-branch-repaired": ("repaired", {}),  # with late fusion, it is read from the whole network
    "lfd-tcmen-repaired": ("repaired", {}),
}
LINEAR = "logistic-regression"
ON_FOLDS = ("alone", "added", "started")
WAYS = ("alone", "as it is", "added", "started")  # the others are compared with the first


@dataclass(frozen=True)
class OwnScale:
    """A model that sees the flow of each tested set with the root mean square of the training flow."""

    model: Model

    @property
    def settings(self) -> Mapping:
        return {**self.model.settings, "own_scale": True}

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int) -> None:
        self.model.prepare(pairs, folds, seeds, jobs)

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        streams = test.streams.copy()
        for part in set(test.manifest["part"]):
            rows = np.flatnonzero(test.manifest["part"] == part)
            factors = channel_rms(train.streams) / channel_rms(streams[rows])
            streams[rows] = scale_streams(test.subset(rows), factors).streams
        return self.model(train, replace(test, streams=streams), seed)


def make_set(name: str, people: int, seed: int, jobs: int, clips: bool) -> PairSet:
    """Return a prepared set by its name, with clips on request: the one place where names become sets."""
    preset, _, domain = name.partition("-")
    domain = domain or "casme3"
    if name == "other_world":
        pairs = synthetic.make_other_world(people, n_jobs=jobs)
    elif name == "photographs":
        pairs = synthetic.photograph_pairs()
    else:
        pairs = synthetic.make_dataset(preset, subjects=people, seed=seed, n_jobs=jobs, domain=domain)
    pairs = prepare_pairs(pairs, n_jobs=jobs)
    if clips:
        pairs = synthetic.add_clips(pairs, preset, domain, n_jobs=jobs)
    return replace(pairs, manifest=pairs.manifest.assign(subject=name_people(pairs.manifest)))


def make_models(names: list[str], out: Path, epochs: tuple[int, ...] | None) -> dict[str, Model]:
    """Return the models by name; networks keep their checkpoints below ``out``."""
    known = experiments.models(load_config("cpu"), out)
    models: dict[str, Model] = {LINEAR: known[LINEAR]}
    for name, (recipe, fields) in NETWORKS.items():
        config = load_config("cpu", recipe, **fields, **({} if epochs is None else {"epochs": epochs}))
        network = LFDTCMENClassifier(config, out / "networks", method=EXTENDED)
        models[name] = Branch(network, "motion") if name == "motion-branch-repaired" else network
    known = {name: model for name, model in known.items() if name not in models} if names else {}
    if unknown := [name for name in names if name not in models | known]:
        raise DataError(f"unknown model {unknown[0]!r}", "--models", f"use one of {', '.join(models | known)}")
    return {name: model for name, model in (models | known).items() if name in (names or models)}


class Started:
    """A network that starts, in each fold, from the weights of the training of its seed on another set."""

    def __init__(self, model: LFDTCMENClassifier | Branch, before: PairSet):
        self.model, self.before = model, before
        self.settings = {**model.settings, "started_on": before.fingerprint}

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int) -> None:
        """Do nothing: the weights are those of the first training."""

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        network = self.model.network if isinstance(self.model, Branch) else self.model
        config = settle_vgg(replace(network.config, seed=seed))
        file = checkpoint_file(3, config, self.before, network.run_dir)
        if not file.exists():  # the last stage has no epochs, as for the flow branch alone
            file = checkpoint_file(2, config, self.before, network.run_dir)
        network = LFDTCMENClassifier(replace(config, init=str(file)), network.run_dir, method=EXTENDED)
        model = replace(self.model, network=network) if isinstance(self.model, Branch) else network
        return model(train, test, seed)


def main() -> None:
    parser = make_parser(__doc__, "transfer")
    parser.add_argument("--train", default="wild", help="the set to train on")
    parser.add_argument("--score", nargs="+", default=["other_world", "photographs"], help="sets to score")
    parser.add_argument("--folds-on", nargs="*", default=[], help="sets of --score on whose folds to train as well")
    parser.add_argument("--ways", nargs="+", choices=ON_FOLDS, default=ON_FOLDS, help="of training on these folds")
    parser.add_argument("--people", type=int, default=100, help="of each set")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", default=[], help="all by default")
    parser.add_argument("--epochs", type=int, nargs=3, help="of stages 1, 2, 3; the recipe's by default")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--weight", type=float, default=0.3, help="of the loss of added faces")
    parser.add_argument("--repeats", type=int, default=3, help="of the others")
    args = parser.parse_args()

    start, out = time.perf_counter(), make_folder(args.out)
    models = make_models(args.models, out, None if args.epochs is None else tuple(args.epochs))
    clips = any(needs_clips(model) for model in models.values())
    train = make_set(args.train, args.people, TRAIN_SEED, args.jobs, clips)
    scored = {name: make_set(name, args.people, SCORE_SEED, args.jobs, clips) for name in args.score}
    for pairs in scored.values():
        check_apart(train, pairs)
    everything = concatenate({f"train {args.train}": train, **scored})
    split = list(holdout(everything.manifest["part"], f"train {args.train}"))
    before = everything.subset(split[0][0])

    found: dict[tuple[str, str], dict[str, pd.DataFrame]] = {}  # how, set -> model -> predictions

    def run(how: str, model: Model, name: str, pairs: PairSet, folds: list[Fold], part: str = "") -> None:
        """Cross-validate one model, and sort its predictions by set."""
        print(f"{how}, {name}{f', folds of {part}' * bool(part)}", flush=True)
        folder = out / how / part / name
        table = cross_validate(model, pairs, folds, args.seeds, folder, args.jobs, progress=True)
        for key, rows in table.groupby("part") if not part else [(part, table)]:
            found.setdefault((how, str(key)), {})[name] = rows

    for name, model in models.items():
        run("as it is", model, name, everything, split)
        if name in NETWORKS or name == LINEAR:
            run("own scale", OwnScale(model), name, everything, split)
        for part in args.folds_on:
            pairs = scored[part]
            folds = list(grouped_kfold(pairs.subjects, pairs.labels, args.folds, names=pairs.label_names))
            on_folds = {"alone": model, "added": MixedTraining(model, train, args.weight, args.repeats)}
            if isinstance(model, LFDTCMENClassifier | Branch):
                on_folds["started"] = Started(model, before)
            for how in args.ways:
                if how in on_folds:
                    run(how, on_folds[how], name, pairs, folds, part)

    scores = []
    for (how, part), predictions in found.items():
        reference = LINEAR if LINEAR in predictions else None
        scores.append(score_table(predictions, reference).assign(how=how, part=part))
        print(f"{how}, {part}\n{readable(scores[-1].assign(part='')).to_string()}", flush=True)
    pd.concat(scores).to_csv(out / "scores.csv", index=False, float_format="%.4f")
    ways = []  # the same people, each trained in other ways
    for part in args.folds_on:
        for name in models:
            tables = {how: found[how, part][name] for how in WAYS if name in found.get((how, part), {})}
            ways.append(score_table(tables, "alone").assign(how=lambda t: t["model"], model=name, part=part))
    if ways:
        pd.concat(ways).to_csv(out / "ways.csv", index=False, float_format="%.4f")
    tables = [
        table.assign(how=how, part=part, model=name)
        for (how, part), predictions in found.items()
        for name, table in predictions.items()
    ]
    pd.concat(tables).to_csv(out / "predictions.csv.gz", index=False, float_format="%.4f")
    write_about(out, start, trained_on=args.train, people=args.people)


if __name__ == "__main__":
    main()
