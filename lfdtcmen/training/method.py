"""How the paper builds its network and weights its losses: what a stage needs in addition to the config."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from lfdtcmen.config import NETWORK_FIELDS, Config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.losses.objectives import OBJECTIVES, Objective
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.training.batches import epoch_batches

GO_BEYOND = "pass method=EXTENDED of lfdtcmen.beyond.method"


class Method:
    """The paper's method. A subclass overrides the steps that differ."""

    def check(self, config: Config) -> None:
        """Raise a DataError for a config that switches on more than this method has.

        Raises
        ------
        DataError
            Something beyond the paper is switched on.
        """
        if not config.is_paper:
            raise DataError("the config goes beyond the paper", f"recipe {config.recipe!r}", GO_BEYOND)

    def network(self, num_classes: int, settings: Mapping) -> LFDTCMEN:
        """Return an untrained network; ``settings`` as :attr:`lfdtcmen.config.Config.network` gives them."""
        if more := sorted(settings.keys() - set(NETWORK_FIELDS)):
            raise DataError(f"{more[0]} is no setting of the paper's network", "LFDTCMEN", GO_BEYOND)
        return LFDTCMEN(num_classes, **settings)

    def objectives(self, config: Config, label_counts: torch.Tensor) -> Mapping[str, Objective]:
        """Return the table of losses; ``label_counts`` are the training pairs of each class, [C]."""
        return OBJECTIVES

    def epoch_weights(self, config: Config, stage: int, epoch: int, weights: dict[str, float]) -> dict[str, float]:
        """Return the loss weights of one epoch of a stage."""
        return weights

    def batches(self, config: Config, stage: int, labels: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield the index batches of an epoch."""
        return epoch_batches(len(labels), config.batch_sizes[stage - 1], rng)

    def begin_stage(self, model: LFDTCMEN, config: Config, stage: int, pairs: PairSet) -> None:
        """Set the flow normalisation from the training pairs, before a stage begins."""
        if stage >= 2 and model.tcme.flow_branch is not None:
            model.tcme.flow_branch.set_normalisation(torch.from_numpy(pairs.streams))

    def frozen_parts(self, config: Config, stage: int) -> list[str]:
        """Return the parts that a stage freezes in addition to those that it does not train: none, in the paper."""
        return []

    def shared_parts(self, config: Config) -> list[str]:
        """Return the parts whose weights are copied from a shared stage 1."""
        return ["drl"] if config.drl is not None else []

    def before_stages(self, model: LFDTCMEN, config: Config, run_dir: Path | str | None, progress: bool) -> None:
        """Do what comes before stage 1: nothing, in the paper."""

    def prepare(self, configs: list[Config], run_dir: Path | str | None, jobs: int) -> None:
        """Do once, for all folds, what :meth:`before_stages` would do in each: nothing, in the paper."""


PAPER = Method()
