"""The training loop that all three stages share."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from lfdtcmen.config import Config, LossWeights
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.losses import VGG19, SynergisticObjectives, emotion, focal, logit_adjusted
from lfdtcmen.modules.batch import Batch
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.training.checkpoint import describe, load_checkpoint, save_checkpoint, stage_settings
from lfdtcmen.training.stages import STAGES, check_frozen, has_losses, set_trainable, stage_weights

SAVE_EVERY = 30.0  # seconds between checkpoints within a stage


def train_stage(
    model: LFDTCMEN,
    pairs: PairSet,
    stage: int,
    config: Config,
    checkpoint: Path | None = None,
    progress: bool = True,
    on_epoch: Callable[[int, LFDTCMEN], None] | None = None,
) -> pd.DataFrame:
    """Train one stage (4.4) and leave the model in ``eval`` mode.

    Parameters
    ----------
    model : LFDTCMEN
        Changed in place.
    pairs : PairSet
        Training subjects only, prepared (flow streams filled in) where the network has a flow branch.
    stage : {1, 2, 3}
    config : Config
    checkpoint : Path, optional
        Written at the end and, at ends of epochs, every half minute on the way. A finished one is loaded
        instead of training; an unfinished one is gone on with, to the same weights as an unbroken run.
    progress : bool
        Show a progress bar.
    on_epoch : callable, optional
        Called at the end of each epoch that is trained, with its number (from 0) and the model in ``eval`` mode.

    Returns
    -------
    DataFrame
        One row a step: stage, epoch, step, each loss before its weight, total, gradient_norm, seconds.

    Raises
    ------
    DataError
        Pairs that do not fit the model, a checkpoint of another config or other data, a loss that is not finite.
    """
    if stage not in STAGES:
        raise DataError(f"there is no stage {stage}", "train_stage", "use 1, 2 or 3")
    weights = stage_weights(model, config, stage)
    steps_per_epoch = math.ceil(len(pairs) / config.batch_sizes[stage - 1])
    epochs = config.epochs[stage - 1]
    _check(model, pairs, stage)
    missing = np.setdiff1d(np.arange(pairs.num_classes), pairs.labels)
    if stage >= 2 and len(missing):
        raise DataError(
            f"class {pairs.label_names[missing[0]]!r} has no training pair",
            "pairs.labels",
            "give more subjects, or a label map without it",
        )
    if not has_losses(weights) or epochs == 0:
        return pd.DataFrame()
    settings = stage_settings(config, stage, pairs.fingerprint)
    device = next(model.parameters()).device

    set_trainable(model, stage)
    model.zero_grad(set_to_none=True)  # of an earlier stage
    if stage >= 2 and model.tcme.flow_branch is not None:
        model.tcme.flow_branch.set_normalisation(torch.from_numpy(pairs.streams))
    # against imbalance, branches are trained as if every class were as frequent; focal loss leaves the frequencies in
    if stage >= 2 and model.tcme.fusion == "late" and config.imbalance in (None, "focal"):
        model.tcme.set_prior(torch.from_numpy(pairs.labels))
    learning = [p for p in model.parameters() if p.requires_grad]
    rate = config.learning_rates[stage - 1]
    optimizer = torch.optim.AdamW(learning, rate, weight_decay=config.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warmup_cosine(epochs * steps_per_epoch, config.warmup))
    history: list[dict] = []
    first_epoch = 0
    if checkpoint is not None and checkpoint.exists():
        saved = load_checkpoint(checkpoint, model, settings)
        first_epoch, history = saved["epoch"], saved["history"]
        if first_epoch < epochs:
            optimizer.load_state_dict(saved["optimizer"])
            schedule.load_state_dict(saved["schedule"])
    if first_epoch == epochs:
        model.requires_grad_(True).eval()
        return pd.DataFrame(history)

    seen = _what_is_seen(model, pairs)
    objectives = make_objectives(config, stage, weights, pairs, device)
    bf16 = use_bf16(config, device)
    reconstruct = STAGES[stage].reconstruct and _has_generator(model)
    balanced = STAGES[stage].classify and config.imbalance == "balanced_sampling"
    if progress:
        parts = " and ".join(name.upper() for name, part in model.named_children() if part.training)
        eyes = f"; VGG-19: {objectives.vgg.source}" if objectives.vgg is not None else ""
        print(f"stage {stage} trains {parts}, {sum(p.numel() for p in learning):,} parameters{eyes}")
    total_steps = epochs * steps_per_epoch
    bar = tqdm(desc=f"stage {stage}", total=total_steps, initial=first_epoch * steps_per_epoch, disable=not progress)
    saved_at = time.perf_counter()
    for epoch in range(first_epoch, epochs):
        # all chance of an epoch comes from (seed, stage, epoch): a resumed run draws what an unbroken one would
        rng = np.random.default_rng([config.seed, stage, epoch])
        # after pretraining there is motion in the code already
        alone = stage == 1 and not config.pretraining and epoch < config.change_first * epochs
        objectives.weights = LossWeights(change=weights.change) if alone else weights
        again = any((objectives.weights.cycle, objectives.weights.consistency, objectives.weights.contrastive))
        for index in epoch_batches(pairs.labels, config.batch_sizes[stage - 1], rng, balanced):
            start = time.perf_counter()
            batch = augment(seen.batch(index).to(device), config.max_shift, rng)
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                output = model(batch, reconstruct, STAGES[stage].classify, STAGES[stage].identity, again)
                total, losses = objectives(output, batch)
            if not torch.isfinite(total):
                raise DataError(
                    f"the loss is {total.item()} at epoch {epoch}, step {len(history)}: {losses}",
                    f"stage {stage}",
                    "lower the learning rate or the weight of the loss that grew",
                )
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            if not history:
                check_frozen(model, stage)
            norm = torch.nn.utils.clip_grad_norm_(learning, config.clip_norm)
            optimizer.step()
            schedule.step()
            history.append(
                {"stage": stage, "epoch": epoch, "step": len(history), **losses}
                | {"total": total.item(), "gradient_norm": norm.item(), "seconds": time.perf_counter() - start}
            )
            bar.update()
            bar.set_postfix(loss=f"{total.item():.3f}")
        done = epoch + 1 == epochs
        if checkpoint is not None and (done or time.perf_counter() - saved_at > SAVE_EVERY):
            state = {} if done else {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
            about = describe(config, stage, pairs)
            save_checkpoint(checkpoint, model, settings, about=about, epoch=epoch + 1, history=history, **state)
            saved_at = time.perf_counter()
        if on_epoch is not None:
            on_epoch(epoch, model.eval())
            set_trainable(model, stage)
    bar.close()
    model.requires_grad_(True).eval()
    return pd.DataFrame(history)


def make_objectives(config: Config, stage: int, weights, pairs: PairSet, device) -> SynergisticObjectives:
    """Return the stage's SDO, with VGG-19 where an image loss has a weight."""
    vgg = None
    if (weights.reconstruction or weights.cycle) and config.perceptual_weight:
        vgg = VGG19(config.vgg_weights, config.perceptual_taps, config.perceptual_size).to(device)
    counts = torch.bincount(torch.from_numpy(pairs.labels), minlength=pairs.num_classes).float().to(device)
    emotion_loss = {
        "class_weights": partial(emotion, class_weight=len(pairs) / counts.clamp_min(1) / pairs.num_classes),
        "focal": focal,
        "logit_adjusted": partial(logit_adjusted, class_counts=counts),
    }.get(config.imbalance, emotion)
    return SynergisticObjectives(
        weights, vgg, config.perceptual_weight, config.margin, config.detach_consistency, emotion_loss
    )


def epoch_batches(
    labels: np.ndarray, size: int, rng: np.random.Generator, balanced: bool = False
) -> Iterator[np.ndarray]:
    """Yield shuffled index batches that differ in size by at most one: no last batch of a single pair.

    Balanced, an epoch draws as many pairs with replacement, each class with equal chance: pairs of a rare class come
    several times, some of a frequent one not at all.
    """
    count = len(labels)
    if balanced:
        rarity = 1 / np.bincount(labels)[labels]  # [N]
        order = rng.choice(count, count, p=rarity / rarity.sum())
    else:
        order = rng.permutation(count)
    yield from np.array_split(order, math.ceil(count / size))


def augment(batch: Batch, max_shift: int, rng: np.random.Generator) -> Batch:
    """Mirror half of the pairs and shift the batch by whole pixels (assumed: the paper names no augmentation).

    Onset and apex change alike, so the motion between them stays what it was; a mirrored U changes its sign.
    """
    mirror = torch.from_numpy(rng.random(len(batch)) < 0.5).to(batch.onset.device)
    dx, dy = (int(v) for v in rng.integers(-max_shift, max_shift + 1, 2))

    def frames(x: Tensor) -> Tensor:  # [B, 3, H, W]
        x = torch.where(mirror[:, None, None, None], x.flip(3), x)
        height, width = x.shape[2:]
        padded = F.pad(x, (max_shift,) * 4, mode="replicate")
        x = padded[:, :, max_shift + dy : max_shift + dy + height, max_shift + dx : max_shift + dx + width]
        return x.contiguous(memory_format=torch.channels_last)

    flow = batch.flow
    if flow is not None:
        sign = torch.tensor([-1.0, 1.0, 1.0], device=flow.device)[:, None, None]
        flow = torch.where(mirror[:, None, None, None], flow.flip(3) * sign, flow)  # [B, 3, 28, 28]
    return Batch(frames(batch.onset), frames(batch.apex), flow, batch.label, batch.subject)


def warmup_cosine(steps: int, warmup: float):
    """Return step -> factor on the learning rate: a linear rise, then half a cosine down to nearly nothing."""

    def factor(step: int) -> float:
        rise = min(1.0, (step + 1) / max(1.0, warmup * steps))
        return rise * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps))) + 1e-3

    return factor


def use_bf16(config: Config, device: torch.device) -> bool:
    """Return whether generator and VGG-19 run in bf16: "auto" means where the processor has instructions for it."""
    if config.mixed_precision != "auto":
        return config.mixed_precision == "on"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


@torch.no_grad()
def predict(model: LFDTCMEN, pairs: PairSet, batch_size: int = 64) -> np.ndarray:
    """Return class probabilities, float32 [N, C], in float32 and ``eval`` mode."""
    model.eval()
    _check(model, pairs, stage=2)
    device = next(model.parameters()).device
    pairs = _what_is_seen(model, pairs)
    chunks = np.array_split(np.arange(len(pairs)), max(1, math.ceil(len(pairs) / batch_size)))
    logits = [model(pairs.batch(i).to(device), identity=False).logits for i in chunks]
    return torch.cat(logits).softmax(1).cpu().numpy()


def _has_generator(model: LFDTCMEN) -> bool:
    return model.drl is not None and model.drl.generator is not None


def _what_is_seen(model: LFDTCMEN, pairs: PairSet) -> PairSet:
    """Cut the frames to the least that a batch may hold where nobody looks at them: the flow branch alone."""
    if model.drl is not None:
        return pairs
    return replace(pairs, onset=pairs.onset[:, :32, :32], apex=pairs.apex[:, :32, :32])


def _check(model: LFDTCMEN, pairs: PairSet, stage: int) -> None:
    if len(pairs) == 0:
        raise DataError("there are no pairs to work on", "pairs", "look at what the split or the loader left out")
    if stage >= 2 and model.tcme.flow_branch is not None and pairs.streams is None:
        raise DataError(
            "the network has a flow branch but the pairs have no flow",
            "pairs.streams",
            "call prepare_pairs first",
        )
    if stage >= 2 and model.tcme.num_classes != pairs.num_classes:
        raise DataError(
            f"the network tells {model.tcme.num_classes} classes apart, the data have {pairs.num_classes}",
            "pairs.label_names",
            "build the network with num_classes=pairs.num_classes",
        )
