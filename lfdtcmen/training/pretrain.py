"""Pretraining on swaps, ours: who shows whose motion is drawn, so that the right answer is known."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from lfdtcmen.config import Config
from lfdtcmen.datasets.synthetic import ACTION_UNITS, Swaps, make_swaps
from lfdtcmen.losses import change, gain, rest
from lfdtcmen.modules.drl import Codes
from lfdtcmen.modules.motion_branch import FEATURES
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.training.checkpoint import load_checkpoint, save_checkpoint, settings_key, stage_settings
from lfdtcmen.training.loop import SAVE_EVERY, use_bf16, warmup_cosine

PRESET = "standard"  # of the drawn people, whatever preset the network is used on afterwards
OTHERS = 0.8  # share of the swaps in which the motion is somebody else's
SETTLED = 0.8  # share of the steps after which batch normalisation uses its running statistics
ALONE = 1  # for each swap, pairs that are not swapped: their action units are read only


def pretrain(model: LFDTCMEN, config: Config, run_dir: Path | str | None = None, progress: bool = True) -> pd.DataFrame:
    """Train DRL and motion branch on drawn swaps: identity i, motion k as person j shows it, and how it looks on i.

    Not in the paper. Stage 1 sees a motion only on the face that made it. Drawn faces cost nothing, and of them the
    counterfactual is known: i's own apex under the same action units, without camera noise. Change loss and gain loss
    are taken against that, and the rest loss joins them after ``config.change_first`` of the steps. The intensities of
    the action units are known as well: a linear layer, thrown away afterwards, reads them from what the motion branch
    says of person j's pair. No emotion label is used, and nobody of a data set, or of the counterfactuals that measure
    (:func:`make_counterfactuals`), is among the people.

    Parameters
    ----------
    model : LFDTCMEN
        Changed in place, and left in ``eval`` mode. With a generator and, for the rest loss, a bottleneck; action units
        are read where it has a motion branch.
    config : Config
        ``pretraining`` says how many steps.
    run_dir : path, optional
        Where the checkpoint is kept, so that all folds of a seed share it.
    progress : bool

    Returns
    -------
    DataFrame
        One row a step: change, gain, rest, action_units, seconds.

    Raises
    ------
    DataError
        A checkpoint of another config; a cache folder that cannot be written to.
    """
    steps, device = config.pretraining, next(model.parameters()).device
    # nothing of stage 1 itself but its losses, so that the stages 1 of all settings begin with the same pretraining
    settings = stage_settings(replace(config, epochs=(0, 0, 0), learning_rates=(0.0,) * 3), 1, "swaps")
    settings |= {"motion": config.motion, "normalised_difference": config.normalised_difference}
    drl, branch = model.drl, model.tcme.motion_branch
    parts = nn.ModuleList([drl])
    if branch is not None:
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            to_units = nn.Linear(FEATURES, 2 * len(ACTION_UNITS)).to(device)
        parts.extend([branch, to_units])
    rate = config.pretraining_rate
    optimizer = torch.optim.AdamW(parts.parameters(), rate, weight_decay=config.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warmup_cosine(steps, config.warmup))
    history: list[dict] = []
    file = None
    if run_dir is not None:
        file = Path(run_dir) / "checkpoints" / f"pretraining-{settings_key(settings)}.pt"
        if file.exists():
            saved = load_checkpoint(file, parts, settings)
            history = saved["history"]
            optimizer.load_state_dict(saved["optimizer"])
            schedule.load_state_dict(saved["schedule"])
    if len(history) == steps:
        model.eval()
        return pd.DataFrame(history)
    swaps = make_swaps(PRESET, config.pretraining_groups, n_jobs=-1, progress=progress)
    model.train()
    saved_at = time.perf_counter()
    for step in tqdm(range(len(history), steps), "pretraining", disable=not progress):
        start = time.perf_counter()
        if step >= SETTLED * steps:
            # a batch's own variance and the running one differ, most for differences of codes, in which a few strong
            # motions make up most of the variance: without this, the network in ``eval`` mode moves too little
            for module in parts.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        # all chance of a step comes from its number: a run that goes on draws what an unbroken one would
        batch = draw_batch(
            swaps, config.batch_sizes[0], config.max_shift, np.random.default_rng([config.seed, 0, step])
        )
        batch = SwapBatch(*(part.to(device) for part in vars(batch).values()))
        faces, lent = drl.encode(batch.identity), drl.encode(batch.motion, identity=False)
        # the encoders see camera noise, but the pixels that are moved have none. They are moved at full resolution: at
        # half, a sixth faster, a shift of less than a pixel is mostly blur (loss .58 instead of .46)
        faces.frames = batch.clean
        size = len(batch.identity) // 2
        onset, apex = (half[:size] for half in lent.motion.chunk(2))  # [B, 256, h, w] each
        begin, end = torch.cat([onset, apex]), torch.cat([apex, onset])
        with torch.autocast(device.type, torch.bfloat16, enabled=use_bf16(config, device)):
            moved = drl.generate(faces, Codes(end, ()), Codes(begin, ()))
        target = torch.cat(batch.clean.chunk(2)[::-1])
        losses = {"change": change(moved, target, batch.clean), "gain": gain(moved, target, batch.clean)}
        total = config.stage1.change * (losses["change"] + losses["gain"])
        if config.stage1.rest and lent.narrow is not None and step >= config.change_first * steps:
            losses["rest"] = rest(*lent.narrow.chunk(2))
            total = total + config.stage1.rest * losses["rest"]
        if branch is not None:
            spatial, _ = branch(*lent.motion.chunk(2))  # [P, 256]
            units = batch.action_units.flatten(1)  # [P, 2 U]
            # 1 for a network that says that nothing moves, as the change loss
            losses["action_units"] = (to_units(spatial.relu()) - units).square().sum() / units.square().sum()
            total = total + losses["action_units"]
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(parts.parameters(), config.clip_norm)
        optimizer.step()
        schedule.step()
        values = {name: value.item() for name, value in losses.items()}
        history.append({"step": step, **values, "seconds": time.perf_counter() - start})
        if file is not None and (step + 1 == steps or time.perf_counter() - saved_at > SAVE_EVERY):
            state = {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
            save_checkpoint(file, parts, settings, history=history, **state)
            saved_at = time.perf_counter()
    model.eval()
    return pd.DataFrame(history)


@dataclass
class SwapBatch:
    """What a step of pretraining sees. Frames are RGB in [0, 1], [*, 3, H, W]: onsets first, then as many apexes."""

    identity: Tensor  # of B swaps
    clean: Tensor  # the same, without camera noise
    motion: Tensor  # of P pairs, the first B of which lend their motion to the identities
    action_units: Tensor  # of the pairs, pixels, [P, U, 2]


def draw_batch(swaps: Swaps, size: int, max_shift: int, rng: np.random.Generator) -> SwapBatch:
    """Draw ``size`` swaps and the pairs that lend the motion, and more pairs.

    Identity i and the motion's owner j are of one group and show the same motion; in one swap of five they are one
    person. All is mirrored or not, and shifted by up to ``max_shift`` whole pixels.
    """
    groups, people, motions = swaps.apex.shape[:3]
    pairs = (1 + ALONE) * size
    group, motion = rng.integers(groups, size=pairs), rng.integers(motions, size=pairs)
    owner = rng.integers(people, size=pairs)
    other = (owner + rng.integers(1, people, size=pairs)) % people
    identity = np.where(rng.random(pairs) < OTHERS, other, owner)
    mirror = rng.random(pairs) < 0.5
    shift = tuple(int(d) for d in rng.integers(-max_shift, max_shift + 1, 2))

    def frames(onset: np.ndarray, apex: np.ndarray, who: np.ndarray, count: int) -> Tensor:
        at = (group[:count], who[:count])
        images = np.stack([onset[at], apex[(*at, motion[:count])]])  # [2, count, H, W, 3]
        images = np.where(mirror[:count, None, None, None], images[..., ::-1, :], images)
        images = torch.from_numpy(images).flatten(0, 1).permute(0, 3, 1, 2).float().div_(255)
        return images.roll(shift, (2, 3))

    units = swaps.action_units[group, motion]  # [P, U, 2]
    units = np.where(mirror[:, None, None], units[..., ::-1], units)
    return SwapBatch(
        frames(swaps.onset, swaps.apex, identity, size),
        frames(swaps.onset_clean, swaps.apex_clean, identity, size),
        frames(swaps.onset, swaps.apex, owner, pairs),
        torch.from_numpy(units),
    )
