"""Pretraining on swaps, ours: who shows whose motion is drawn, so that the right answer is known."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from lfdtcmen.config import Config
from lfdtcmen.datasets.synthetic import Swaps, make_swaps
from lfdtcmen.losses import change, rest
from lfdtcmen.modules.drl import DRL
from lfdtcmen.training.checkpoint import load_checkpoint, save_checkpoint, settings_key, stage_settings
from lfdtcmen.training.loop import SAVE_EVERY, use_bf16, warmup_cosine

OTHERS = 0.8  # share of the swaps in which the motion is somebody else's
SHIFT = 3  # pixels


def pretrain(drl: DRL, config: Config, run_dir: Path | str | None = None, progress: bool = True) -> pd.DataFrame:
    """Train encoders and generator on drawn swaps: identity i, motion k as person j shows it, and how it looks on i.

    Not in the paper. Stage 1 sees a motion only on the face that made it. Drawn faces cost nothing, and of them the
    counterfactual is known: i's own apex under the same action units, without camera noise. The change loss is taken
    against that, and the rest loss joins it after ``config.change_first`` of the steps. No emotion label is used, and
    nobody of a data set, or of the counterfactuals that measure (:func:`make_counterfactuals`), is among the people.

    Parameters
    ----------
    drl : DRL
        Changed in place, and left in ``eval`` mode. With a generator and, for the rest loss, a bottleneck.
    config : Config
        ``pretraining`` says how many steps.
    run_dir : path, optional
        Where the checkpoint is kept, so that all folds of a seed share it.
    progress : bool

    Returns
    -------
    DataFrame
        One row a step: change, rest, seconds.

    Raises
    ------
    DataError
        A checkpoint of another config; a cache folder that cannot be written to.
    """
    steps, device = config.pretraining, next(drl.parameters()).device
    # nothing of stage 1 itself but its losses, so that the stages 1 of all settings begin with the same pretraining
    settings = stage_settings(replace(config, epochs=(0, 0, 0), learning_rates=(0.0,) * 3), 1, "swaps")
    rate = config.pretraining_rate
    optimizer = torch.optim.AdamW(drl.parameters(), rate, weight_decay=config.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warmup_cosine(steps, config.warmup))
    history: list[dict] = []
    file = None
    if run_dir is not None:
        file = Path(run_dir) / "checkpoints" / f"pretraining-{settings_key(settings)}.pt"
        if file.exists():
            saved = load_checkpoint(file, drl, settings)
            history = saved["history"]
            optimizer.load_state_dict(saved["optimizer"])
            schedule.load_state_dict(saved["schedule"])
    if len(history) == steps:
        drl.eval()
        return pd.DataFrame(history)
    swaps = make_swaps(config.preset, config.pretraining_groups, n_jobs=-1, progress=progress)
    drl.train()
    saved_at = time.perf_counter()
    for step in tqdm(range(len(history), steps), "pretraining", disable=not progress):
        start = time.perf_counter()
        # all chance of a step comes from its number: a run that goes on draws what an unbroken one would
        rng = np.random.default_rng([config.seed, 0, step])
        identity, clean, motion = (f.to(device) for f in draw_batch(swaps, config.batch_sizes[0], rng))
        faces, lent = drl.encode(identity), drl.encode(motion, identity=False)  # onsets, then apexes, [2B, ...]
        # the encoders see camera noise, but the pixels that are moved have none. They are moved at full resolution: at
        # half, a sixth faster, a shift of less than a pixel is mostly blur (loss .58 instead of .46)
        faces.frames = clean
        target = torch.cat(clean.chunk(2)[::-1])
        with torch.autocast(device.type, torch.bfloat16, enabled=use_bf16(config, device)):
            moved = drl.generate(faces, lent.exchanged(), lent)
        losses = {"change": change(moved, target, clean)}
        total = config.stage1.change * losses["change"]
        if config.stage1.rest and lent.narrow is not None and step >= config.change_first * steps:
            losses["rest"] = rest(*lent.narrow.chunk(2))
            total = total + config.stage1.rest * losses["rest"]
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(drl.parameters(), config.clip_norm)
        optimizer.step()
        schedule.step()
        values = {name: value.item() for name, value in losses.items()}
        history.append({"step": step, **values, "seconds": time.perf_counter() - start})
        if file is not None and (step + 1 == steps or time.perf_counter() - saved_at > SAVE_EVERY):
            state = {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
            save_checkpoint(file, drl, settings, history=history, **state)
            saved_at = time.perf_counter()
    drl.eval()
    return pd.DataFrame(history)


def draw_batch(swaps: Swaps, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return identity frames, the same without camera noise, and motion frames, [2 size, 3, H, W] each.

    The first half are onsets, the second half apexes. In row b, identity i and the motion's owner j are of one group
    and show the same motion; in one row of five they are one person.
    """
    groups, people, motions = swaps.apex.shape[:3]
    group, motion = rng.integers(groups, size=size), rng.integers(motions, size=size)
    owner = rng.integers(people, size=size)
    other = (owner + rng.integers(1, people, size=size)) % people
    identity = np.where(rng.random(size) < OTHERS, other, owner)
    frames = [
        *(swaps.onset[group, identity], swaps.apex[group, identity, motion]),
        *(swaps.onset_clean[group, identity], swaps.apex_clean[group, identity, motion]),
        *(swaps.onset[group, owner], swaps.apex[group, owner, motion]),
    ]
    mirror = rng.random(size) < 0.5
    dx, dy = rng.integers(-SHIFT, SHIFT + 1, 2)
    frames = [np.where(mirror[:, None, None, None], f[:, :, ::-1], f) for f in frames]
    images = torch.from_numpy(np.concatenate(frames)).permute(0, 3, 1, 2).float().div_(255)  # [6 size, 3, H, W]
    return images.roll((int(dy), int(dx)), (2, 3)).chunk(3)
