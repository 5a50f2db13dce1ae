"""The three training stages (4.4): what each one trains and freezes, and its loss weights."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from lfdtcmen.config import Config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import check_shown
from lfdtcmen.errors import DataError
from lfdtcmen.losses.objectives import SynergisticObjectives
from lfdtcmen.losses.perceptual import VGG19, obtain_vgg
from lfdtcmen.modules.batch import Batch
from lfdtcmen.modules.network import CYCLE, LFDTCMEN
from lfdtcmen.training.batches import PairTensors, augment
from lfdtcmen.training.checkpoint import Checkpoint, describe, stage_settings
from lfdtcmen.training.loop import Schedule, Task, fit
from lfdtcmen.training.method import PAPER, Method
from lfdtcmen.training.prediction import check_fit, crop_unused_frames


@dataclass(frozen=True)
class Stage:
    """One stage: the parts of the network that learn, and what the forward pass has to compute."""

    trains: tuple[str, ...]
    reconstruct: bool  # generate the faces
    classify: bool  # compute the logits
    identity: bool  # compute the identity codes


STAGES = {
    1: Stage(("drl",), reconstruct=True, classify=False, identity=True),  # disentangle; TCME frozen
    2: Stage(("tcme",), reconstruct=False, classify=True, identity=False),  # classify; encoders and generator frozen
    3: Stage(("drl", "tcme"), reconstruct=True, classify=True, identity=True),  # fine-tune all with all losses
}


def stage_weights(model: LFDTCMEN, config: Config, stage: int, method: Method = PAPER) -> dict[str, float]:
    """Return the weights of the losses that a stage trains with, by name.

    Losses without a weight, and those that an ablated network cannot compute, are left out. A stage without any loss
    is skipped (stage 1 of Table 4, setting I).
    """
    weights = config.stage_weights(stage)
    table = method.objectives(config, torch.ones(model.tcme.num_classes))
    active = SynergisticObjectives(weights, objectives=table).active
    return {objective.name: weights[objective.name] for objective in active if not objective.needs & model.lacks}


def set_trainable(model: LFDTCMEN, stage: int) -> None:
    """Freeze and unfreeze the parts of the network for a stage.

    Frozen means two things: no gradient (``requires_grad``), and ``eval`` mode, since batch normalisation
    updates its running statistics in ``train`` mode even without a gradient.
    """
    for name, part in model.named_children():
        is_trained = name in STAGES[stage].trains
        part.requires_grad_(is_trained).train(is_trained)


def check_frozen(model: LFDTCMEN, stage: int) -> None:
    """Raise a RuntimeError if a frozen part has a gradient; call it after a backward pass."""
    for name, part in model.named_children():
        reached = any(p.grad is not None for p in part.parameters())
        if reached and name not in STAGES[stage].trains:
            raise RuntimeError(f"stage {stage} must not train {name}, but a gradient reached it")


def components(model: LFDTCMEN) -> dict[str, nn.Module]:
    """Return those of the paper's components that this network has, by name."""
    found: dict[str, nn.Module] = {}
    if model.drl is not None:
        found["motion encoder"] = model.drl.motion_encoder
        if model.drl.identity_encoder is not None:
            found["identity encoder"] = model.drl.identity_encoder
        if model.drl.generator is not None:
            found["generator"] = model.drl.generator
    if model.tcme.motion_branch is not None:
        found["motion branch"] = model.tcme.motion_branch
    if model.tcme.flow_branch is not None:
        found["flow branch"] = model.tcme.flow_branch
    found["classifier"] = model.tcme.classifier
    return found


def audit(model: LFDTCMEN) -> pd.DataFrame:
    """Return, per component: parameters, trainable ones, gradient norm of the last backward pass, mode.

    Use it after ``backward()``; a frozen component shows 0 trainable parameters, no gradient (NaN) and ``eval``.
    """
    rows = []
    for name, part in components(model).items():
        parameters = list(part.parameters())
        gradients = [p.grad for p in parameters if p.grad is not None]
        rows.append(
            {
                "component": name,
                "parameters": sum(p.numel() for p in parameters),
                "trainable": sum(p.numel() for p in parameters if p.requires_grad),
                "gradient": _norm(gradients) if gradients else None,
                "mode": "train" if part.training else "eval",
            }
        )
    return pd.DataFrame(rows).astype({"gradient": float})


def _norm(gradients: list[Tensor]) -> float:
    return sum(g.cpu().double().square().sum().item() for g in gradients) ** 0.5  # mps has no 64 bits


class StageTask(Task):
    """One stage in the form that the training loop runs (:func:`lfdtcmen.training.loop.fit`)."""

    def __init__(
        self,
        model: LFDTCMEN,
        pairs: PairSet,
        stage: int,
        config: Config,
        method: Method,
        on_epoch: Callable[[int, LFDTCMEN], None] | None,
    ):
        self.model, self.pairs, self.stage, self.config, self.method = model, pairs, stage, config, method
        self.on_epoch = on_epoch
        self.title = f"stage {stage}"
        self.columns = {"stage": stage}
        self.weights = stage_weights(model, config, stage, method)
        self.device = next(model.parameters()).device

    def begin(self) -> str:
        """Freeze parts, set the flow normalisation, and load VGG-19 where a loss needs it."""
        self.set_trainable()
        self.model.zero_grad(set_to_none=True)  # drop the gradients of an earlier stage
        self.method.begin_stage(self.model, self.config, self.stage, self.pairs)
        self.inputs = PairTensors(crop_unused_frames(self.model, self.pairs), self.device)
        self.objectives = make_objectives(self.config, self.weights, self.pairs, self.device, self.method)
        self.bf16 = use_bf16(self.config, self.device)
        parts = " and ".join(name.upper() for name, part in self.model.named_children() if part.training)
        count = sum(p.numel() for p in self.model.parameters() if p.requires_grad)
        vgg = self.objectives.vgg
        return f"{self.title} trains {parts}, {count:,} parameters" + (f"; VGG-19: {vgg.source}" if vgg else "")

    def set_trainable(self) -> None:
        """Freeze and unfreeze parts as the stage says, and freeze what the method freezes in addition."""
        set_trainable(self.model, self.stage)
        for name in self.method.frozen_parts(self.config, self.stage):
            self.model.get_submodule(name).requires_grad_(False).eval()

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Freeze and unfreeze parts, set the loss weights, and yield the epoch's augmented batches."""
        self.set_trainable()  # again: on_epoch leaves the network in eval mode
        self.objectives.weights = self.method.epoch_weights(self.config, self.stage, epoch, self.weights)
        config = self.config
        of_flow = (config.flow_shift, config.amplitude_jitter) if STAGES[self.stage].classify else (0, 0.0)
        rng = np.random.default_rng([config.seed, self.stage, epoch])
        for index in self.method.batches(config, self.stage, self.pairs.labels, rng):
            yield augment(self.inputs.batch(index), config.max_shift, rng, *of_flow)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Run the network on a batch and return its weighted loss."""
        stage, drl = STAGES[self.stage], self.model.drl
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            output = self.model(
                batch,
                reconstruct=stage.reconstruct and drl is not None and drl.generator is not None,
                cycle=any(CYCLE & (loss.needs | loss.uses) for loss in self.objectives.active),
                classify=stage.classify,
                identity=stage.identity,
                check=False,
            )
            return self.objectives.on_device(output, batch)

    def after_first_backward(self) -> None:
        """Raise an error for a gradient in a frozen part."""
        check_frozen(self.model, self.stage)

    def after_epoch(self, epoch: int) -> None:
        """Call on_epoch where it is given."""
        if self.on_epoch is not None:
            self.on_epoch(epoch, self.model.eval())


def train_stage(
    model: LFDTCMEN,
    pairs: PairSet,
    stage: int,
    config: Config,
    checkpoint: Path | None = None,
    progress: bool = True,
    on_epoch: Callable[[int, LFDTCMEN], None] | None = None,
    method: Method = PAPER,
) -> pd.DataFrame:
    """Train one stage (4.4); a model that was trained is left in ``eval`` mode.

    Parameters
    ----------
    model : LFDTCMEN
        Changed in place.
    pairs : PairSet
        Training subjects only, prepared (flow streams filled in) where the network has a flow branch.
    stage : {1, 2, 3}
    config : Config
    checkpoint : path, optional
        Written at the end, and after an epoch when half a minute has passed. A finished checkpoint is loaded instead of
        training; an unfinished one is continued, with the same result as without a break.
    progress : bool
        Show a progress bar.
    on_epoch : callable, optional
        Called at the end of each trained epoch with the epoch's number (from 0) and the model in ``eval`` mode.
    method : Method
        The paper's method, or :data:`lfdtcmen.beyond.method.EXTENDED` for what goes beyond it.

    Returns
    -------
    DataFrame
        One row per step: stage, epoch, step, each loss before its weight, total, gradient_norm, seconds. Empty if
        the stage has no epochs, or no loss that this network can compute.

    Raises
    ------
    DataError
        An unknown stage, a config that needs another method, pairs that do not fit the model, a class without
        training pairs, a checkpoint of another config or other data, a loss that is not finite.
    """
    if stage not in STAGES:
        raise DataError(f"there is no stage {stage}", "train_stage", "use 1, 2 or 3")
    method.check(config)
    check_fit(model, pairs, classify=stage >= 2)
    if stage >= 2:
        check_shown(pairs.labels, pairs.label_names, "training pairs")
    task = StageTask(model, pairs, stage, config, method, on_epoch)
    if not task.weights or config.epochs[stage - 1] == 0:
        return pd.DataFrame()
    schedule = Schedule(
        config.epochs[stage - 1],
        math.ceil(len(pairs) / config.batch_sizes[stage - 1]),
        config.learning_rates[stage - 1],
        config.weight_decay,
        config.warmup,
        config.clip_norm,
    )
    saved = None
    if checkpoint is not None:
        settings = stage_settings(config, stage, pairs.fingerprint)
        saved = Checkpoint(checkpoint, settings, describe(config, stage, pairs))
    # stage 1 leaves TCME as it was: its checkpoint holds the DRL weights alone
    history = fit(task, model.drl if stage == 1 and model.drl is not None else model, schedule, saved, progress)
    model.requires_grad_(True).eval()
    return pd.DataFrame(history)


def settle_vgg(config: Config) -> Config:
    """Return the config with the VGG-19 weights that this machine has, fetched first where it asks for them.

    A config whose losses do not look through VGG-19 is returned as it is.

    Raises
    ------
    DataError
        A download that must not fail has failed.
    """
    stages = (config.stage1, config.stage3)
    images = any(weights.get(loss) for weights in stages for loss in ("reconstruction", "cycle"))
    if config.drl is None or not images or not config.perceptual_weight:
        return config
    return replace(config, vgg_weights=obtain_vgg(config.vgg_weights))


def make_objectives(
    config: Config, weights: dict[str, float], pairs: PairSet, device: torch.device | str, method: Method = PAPER
) -> SynergisticObjectives:
    """Return the weighted sum of losses (SDO), with VGG-19 where an image loss has a perceptual term."""
    vgg = None
    if (weights.get("reconstruction") or weights.get("cycle")) and config.perceptual_weight:
        vgg = VGG19(config.vgg_weights, config.perceptual_taps, config.perceptual_size).to(device)
    weights_of_pairs = None if pairs.weights is None else torch.from_numpy(pairs.weights)
    counts = torch.bincount(torch.from_numpy(pairs.labels), weights_of_pairs, pairs.num_classes).float().to(device)
    table = method.objectives(config, counts)
    return SynergisticObjectives(
        weights, vgg, config.perceptual_weight, config.margin, config.detach_consistency, table
    )


def use_bf16(config: Config, device: torch.device) -> bool:
    """Return whether generator and VGG-19 run in bf16; "auto": if the CPU or GPU has instructions for it."""
    if config.mixed_precision != "auto":
        return config.mixed_precision == "on"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
