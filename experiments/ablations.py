"""Tables 4 to 7 in the paper's recipe and in the repaired one, with what they are compared with.

    python experiments/ablations.py --jobs 2

Every setting is trained on the same 40 people and tested on the 100 people of `standard`, with every seed. Each seed
has its own stage 1, which settings that differ in TCME alone share; they also share the repaired recipe's pretraining.
What the settings are compared with, on the same people: the flow branch alone, in each recipe, logistic regression on
flow, and a linear model of the true action units (recipe `neither`).

In the repaired recipe, a setting of Table 4 without a generator cannot be pretrained, so it learns in stages 2 and 3
alone. Setting II of Table 4 and all of Table 7 have no counterpart: its identity encoder has no loss but those of the
generator, and its losses are others (`without_parts` takes those away).

Writes predictions.csv and metrics.json to OUT. A run that was stopped continues with the jobs that are missing;
its checkpoints are in OUT/checkpoints. A pretraining of the same seed that another run has made
(`pretraining-*.safetensors`) can be copied there beforehand: it takes 17 minutes.
"""

import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from common import make_parser, other_people, prepared_faces

from lfdtcmen import __version__
from lfdtcmen.analysis import ablation
from lfdtcmen.baselines.simple import action_units, logistic_regression
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config, load_config, to_dict, used_fields
from lfdtcmen.datasets.pairs import PairSet, concatenate
from lfdtcmen.datasets.splits import Fold, holdout
from lfdtcmen.evaluation.protocol import Model, cross_validate
from lfdtcmen.evaluation.results import write_metrics
from lfdtcmen.training import build_model, predict, stage_checkpoint, train_stage
from lfdtcmen.training.stages import settle_vgg

TRAINED_ON = 40  # people
CONFIGS = {
    "paper": load_config("cpu", perceptual_size=32, epochs=(2, 15, 1)),
    "repaired": load_config("cpu", recipe="repaired", epochs=(0, 15, 4)),
}
SETTINGS = {
    "paper": tuple(ablation.SETTINGS),
    "repaired": (ablation.FULL, "table4-I", "table5-single", "table6-I", "table6-II"),
}
NO_RECIPE: dict[str, Model] = {model.name: model for model in (logistic_regression, action_units)}


@dataclass(frozen=True)
class Setting:
    """One setting as a model for `cross_validate`: stages 2 and 3 on what the whole network learned before them."""

    config: Config
    folder: Path

    @property
    def settings(self) -> Mapping:
        return used_fields(self.config)

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int) -> None:
        if self.config.drl is not None:
            EXTENDED.prepare([replace(self.before, seed=seed) for seed in seeds], self.folder, jobs)

    @property
    def before(self) -> Config:
        """The config of stage 1 and of pretraining, which do not depend on the setting's TCME."""
        return replace(self.config, motion="branch", flow="triple")

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        config = replace(self.config, seed=seed)
        model = build_model(config, train.num_classes, EXTENDED)
        if model.drl is not None:
            before, _ = stage_checkpoint(1, replace(self.before, seed=seed), train, self.folder, False, EXTENDED)
            for part in EXTENDED.shared_parts(config):
                model.get_submodule(part).load_state_dict(before.get_submodule(part).state_dict())
        for stage in (2, 3):
            train_stage(model, train, stage, config, progress=False, method=EXTENDED)
        return predict(model, test)


def make_settings(recipe: str, folder: Path) -> dict[str, Model]:
    """Return the settings of a recipe, and its flow branch alone, by name."""
    config = settle_vgg(CONFIGS[recipe])  # here and once, not in each process
    found: dict[str, Model] = {}
    for name in SETTINGS[recipe]:
        changed = ablation.configure(config, name)
        if changed.drl != "full":
            changed = replace(changed, pretraining=0)  # there is nothing that could generate
        found[name] = Setting(changed, folder)
    return found | {"flow-branch": Setting(replace(config, drl=None, motion=None), folder)}


def people() -> tuple[PairSet, list[Fold]]:
    """Return the faces, and the one split: people of no other data set train, those of `standard` test."""
    config = CONFIGS["paper"]
    others = other_people(replace(config, subjects=TRAINED_ON))
    pairs = concatenate({"others": others, "standard": prepared_faces(config)})
    return pairs, list(holdout(pairs.manifest["part"], "others"))


def main() -> None:
    parser = make_parser(__doc__, "ablations")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", help="names of settings, such as full; all by default")
    args = parser.parse_args()

    start, tables = time.perf_counter(), []
    pairs, folds = people()
    for recipe in ("neither", *CONFIGS):
        models = NO_RECIPE if recipe == "neither" else make_settings(recipe, args.out)
        for name, model in models.items():
            if args.only and name not in args.only:
                continue
            print(f"{recipe}: {name}", flush=True)
            table = cross_validate(model, pairs, folds, args.seeds, args.out / recipe / name, args.jobs, progress=True)
            tables.append(table.drop(columns="part").assign(recipe=recipe, model=name))
    pd.concat(tables).to_csv(args.out / "predictions.csv.gz", index=False, float_format="%.4f")
    about = {"command": " ".join(["python", *sys.argv]), "date": f"{date.today()}", "version": __version__}
    about |= {"minutes": round((time.perf_counter() - start) / 60, 1), "trained_on": TRAINED_ON}
    write_metrics({**about, "config": to_dict(CONFIGS["paper"]), "repaired": to_dict(CONFIGS["repaired"])}, args.out)


if __name__ == "__main__":
    main()
