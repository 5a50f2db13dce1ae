"""How the extended network is built and trained: the paper's method, with what we changed."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lfdtcmen.beyond.change_loss import change
from lfdtcmen.beyond.extended_network import NARROW, ExtendedLFDTCMEN, ExtendedOutput
from lfdtcmen.beyond.extended_tcme import ExtendedTCME
from lfdtcmen.beyond.imbalance import balanced_batches, emotion_loss_of
from lfdtcmen.beyond.pretraining import pretrain, pretrain_each
from lfdtcmen.beyond.rest_loss import rest
from lfdtcmen.config import BEYOND_DRL, BEYOND_TCME, NETWORK_FIELDS, Config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.losses.objectives import OBJECTIVES, Objective, SynergisticObjectives, table
from lfdtcmen.modules.batch import Batch
from lfdtcmen.modules.network import LFDTCMEN, Output
from lfdtcmen.training.method import Method


def _change(output: Output, batch: Batch, sdo: SynergisticObjectives) -> Tensor:
    apex_hat, onset_hat = output.take("apex_hat", "onset_hat")  # [B, 3, H, W] each
    return (change(apex_hat, batch.apex, batch.onset) + change(onset_hat, batch.onset, batch.apex)) / 2


def _rest(output: Output, batch: Batch, sdo: SynergisticObjectives) -> Tensor:
    return rest(*output.take("narrow_onset", "narrow_apex"))


class ExtendedMethod(Method):
    """The paper's method, with the extensions that ``config`` switches on."""

    def check(self, config: Config) -> None:
        """Accept every config."""

    def network(self, num_classes: int, settings: Mapping) -> LFDTCMEN:
        """Return an untrained network; ``settings`` as :attr:`lfdtcmen.config.Config.network` gives them."""
        parts = [
            {name: settings[name] for name in fields if name in settings}
            for fields in (NETWORK_FIELDS, BEYOND_DRL, BEYOND_TCME)
        ]
        paper, drl_extensions, tcme_extensions = parts
        if not drl_extensions and not tcme_extensions:
            return super().network(num_classes, paper)
        return ExtendedLFDTCMEN(num_classes, paper, drl_extensions, tcme_extensions)

    def objectives(self, config: Config, label_counts: Tensor) -> Mapping[str, Objective]:
        """Return the paper's losses, the emotion loss as ``config.imbalance`` says, and ours."""
        loss = emotion_loss_of(config.imbalance, label_counts)

        def emotion(output: Output, batch: Batch, sdo: SynergisticObjectives) -> Tensor:
            assert batch.label is not None
            logits = output.take("logits")
            if isinstance(output, ExtendedOutput) and output.branch_logits is not None:
                logits = list(output.branch_logits)  # with late fusion each branch learns on its own
            return torch.stack([loss(branch, batch.label, weight=batch.weight) for branch in logits]).mean()

        return OBJECTIVES | table(
            Objective("emotion", emotion, OBJECTIVES["emotion"].needs),
            Objective("change", _change, OBJECTIVES["reconstruction"].needs),
            Objective("rest", _rest, NARROW),
        )

    def epoch_weights(self, config: Config, stage: int, epoch: int, weights: dict[str, float]) -> dict[str, float]:
        """Return the change loss alone for the first epochs of stage 1, where ``config.change_first`` says so."""
        alone = stage == 1 and epoch < config.change_first * config.epochs[0]
        # after pretraining, the motion code carries motion already; without images there is no change loss
        if alone and not config.pretraining and "change" in weights:
            return {"change": weights["change"]}
        return weights

    def batches(self, config: Config, stage: int, labels: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield the index batches of an epoch; in the stages that classify, balanced where the config says so."""
        if stage >= 2 and config.imbalance == "balanced_sampling":
            return balanced_batches(labels, config.batch_sizes[stage - 1], rng)
        return super().batches(config, stage, labels, rng)

    def begin_stage(self, model: LFDTCMEN, config: Config, stage: int, pairs: PairSet) -> None:
        """Set the flow normalisation from the training pairs, and with late fusion the frequency of each class."""
        super().begin_stage(model, config, stage, pairs)
        if stage < 2 or not isinstance(model.tcme, ExtendedTCME) or not model.tcme.late:
            return
        if config.imbalance in (None, "focal"):
            weights = None if pairs.weights is None else torch.from_numpy(pairs.weights)
            model.tcme.set_prior(torch.from_numpy(pairs.labels), weights)
        else:  # the other remedies train the branches as if all classes were equally frequent
            model.tcme.get_buffer("log_prior").zero_()  # a checkpoint to start from may have had another remedy

    def frozen_parts(self, config: Config, stage: int) -> list[str]:
        """Return the pretrained motion branch in stage 2, where the config says so: then only its classifier learns."""
        frozen = stage == 2 and config.freeze_motion_branch and config.motion == "branch"
        return ["tcme.motion_branch"] if frozen else []

    def shared_parts(self, config: Config) -> list[str]:
        """Return DRL, and the motion branch where pretraining has trained it as well."""
        branch = ["tcme.motion_branch"] if config.pretraining and config.motion == "branch" else []
        return super().shared_parts(config) + branch

    def before_stages(self, model: LFDTCMEN, config: Config, run_dir: Path | str | None, progress: bool) -> None:
        """Pretrain on synthetic swaps where the config says so."""
        if config.pretraining and model.drl is not None:
            pretrain(model, config, run_dir, progress)

    def prepare(self, configs: list[Config], run_dir: Path | str | None, jobs: int) -> None:
        """Pretrain once for each config, so that no two folds do the same."""
        if run_dir is not None:
            pretrain_each([config for config in configs if config.pretraining], run_dir, jobs, self)


EXTENDED = ExtendedMethod()
