"""Pretraining on swaps: who shows whose motion is rendered, so that the right answer is known."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from torch import Tensor, nn

from lfdtcmen.beyond.change_loss import change
from lfdtcmen.beyond.extended_drl import ExtendedCodes, ExtendedDRL
from lfdtcmen.beyond.gain_loss import gain
from lfdtcmen.beyond.rest_loss import rest
from lfdtcmen.config import Config
from lfdtcmen.datasets.synthetic import ACTION_UNITS, Swaps, make_swaps
from lfdtcmen.errors import DataError
from lfdtcmen.images import as_tensor
from lfdtcmen.modules.motion_branch import FEATURES
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.threads import one_thread
from lfdtcmen.training.checkpoint import Checkpoint, settings_key, stage_settings
from lfdtcmen.training.classifier import build_model
from lfdtcmen.training.loop import Schedule, Task, fit
from lfdtcmen.training.method import Method
from lfdtcmen.training.stages import use_bf16

PRESET = "standard"  # of the synthetic people, whatever preset the network is used on afterwards
OTHER_PERSON = 0.8  # share of the swaps in which the motion is somebody else's
FROZEN_STATISTICS_FROM = 0.8  # share of the steps after which batch normalisation uses its running statistics
UNSWAPPED_PER_SWAP = 1  # pairs that are not swapped: their action units are read only


def pretrain(model: LFDTCMEN, config: Config, run_dir: Path | str | None = None, progress: bool = True) -> pd.DataFrame:
    """Train DRL and motion branch on rendered swaps: identity i, motion k as person j shows it, and how it looks on i.

    Stage 1 sees a motion only on the face that made it. Of synthetic faces the counterfactual is known: i's own apex
    under the same action units, without camera noise. Change loss and gain loss compare with that, and the rest loss
    joins them after ``config.change_first`` of the steps. The intensities of the action units are known as well: a
    linear layer, thrown away afterwards, predicts them from the motion branch's description of person j's pair. No
    emotion label is used, and nobody of a data set, or of the counterfactuals that measure
    (:func:`~lfdtcmen.datasets.synthetic.make_counterfactuals`), is among the people.

    Parameters
    ----------
    model : LFDTCMEN
        Changed in place, and left in ``eval`` mode. With a warp generator and, for the rest loss, a bottleneck; action
        units are read where it has a motion branch.
    config : Config
        ``pretraining`` is the number of steps.
    run_dir : path, optional
        Where the checkpoint is kept, so that all folds of a seed share it.
    progress : bool

    Returns
    -------
    DataFrame
        One row a step: change, gain, rest, action_units, total, gradient_norm, seconds.

    Raises
    ------
    DataError
        A checkpoint of another config; a cache folder that cannot be written to.
    """
    task = SwapTask(model, config, progress)
    # nothing of stage 1 itself but its losses, so that the stages 1 of all settings begin with the same pretraining
    settings = stage_settings(replace(config, epochs=(0, 0, 0), learning_rates=(0.0,) * 3), 1, "swaps")
    settings |= {"motion": config.motion, "normalised_difference": config.normalised_difference}
    kept = None
    if run_dir is not None:
        file = Path(run_dir) / "checkpoints" / f"pretraining-{settings_key(settings)}.pt"
        kept = Checkpoint(file, settings)
    schedule = Schedule(
        config.pretraining, 1, config.pretraining_rate, config.weight_decay, config.warmup, config.clip_norm
    )
    history = fit(task, task.parts, schedule, kept, progress)
    model.eval()
    return pd.DataFrame(history)


def pretrain_each(configs: list[Config], run_dir: Path | str, jobs: int, method: Method) -> None:
    """Pretrain for each config, in parallel, and keep the checkpoints in a run's folder."""
    if not configs:
        return
    make_swaps(PRESET, configs[0].pretraining_groups, n_jobs=jobs)  # rendered once, for all
    Parallel(jobs)(delayed(_pretrain_alone)(config, run_dir, method) for config in configs)


class SwapTask(Task):
    """Pretraining as the training loop sees it: each step is an epoch of one batch."""

    title = "pretraining"

    def __init__(self, model: LFDTCMEN, config: Config, progress: bool):
        if not isinstance(model.drl, ExtendedDRL):
            raise DataError("only a warp generator can be pretrained", "pretrain", "use generator='warp_difference'")
        self.model, self.drl, self.branch = model, model.drl, model.tcme.motion_branch
        self.config, self.progress = config, progress
        self.device = next(model.parameters()).device
        self.parts = nn.ModuleList([self.drl])
        if self.branch is not None:
            with torch.random.fork_rng():
                torch.manual_seed(config.seed)
                self.to_units = nn.Linear(FEATURES, 2 * len(ACTION_UNITS)).to(self.device)
            self.parts.extend([self.branch, self.to_units])

    def begin(self) -> str:
        """Render the swaps, or find them on disk."""
        self.swaps = make_swaps(PRESET, self.config.pretraining_groups, n_jobs=-1, progress=self.progress)
        return ""

    def batches(self, epoch: int) -> Iterator["SwapBatch"]:
        """Sample one batch, from the seed and the step's number."""
        self.step = epoch
        self.model.train()
        if epoch >= FROZEN_STATISTICS_FROM * self.config.pretraining:
            # a batch's own variance and the running one differ, most for differences of codes, in which a few strong
            # motions make up most of the variance: without this, the network in ``eval`` mode moves too little
            for module in self.parts.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        rng = np.random.default_rng([self.config.seed, 0, epoch])
        batch = sample_batch(self.swaps, self.config.batch_sizes[0], self.config.max_shift, rng)
        yield SwapBatch(*(part.to(self.device) for part in vars(batch).values()))

    def loss(self, batch: "SwapBatch") -> tuple[Tensor, dict[str, float]]:
        """Weigh change and gain of the swaps, the rest loss, and the error of the action units."""
        weights = self.config.stage1
        faces, lent = self.drl.encode(batch.identity), self.drl.encode(batch.motion, identity=False)
        moved = self._swap(faces, lent, batch)
        target = torch.cat(batch.clean.chunk(2)[::-1])
        losses = {"change": change(moved, target, batch.clean), "gain": gain(moved, target, batch.clean)}
        total = weights["change"] * (losses["change"] + losses["gain"])
        joined = self.step >= self.config.change_first * self.config.pretraining
        if weights.get("rest") and lent.narrow is not None and joined:
            losses["rest"] = rest(*lent.narrow.chunk(2))
            total = total + weights["rest"] * losses["rest"]
        if self.branch is not None:
            spatial, _ = self.branch(*lent.motion.chunk(2))  # [P, 256]
            units = batch.action_units.flatten(1)  # [P, 2 U]
            # 1 for a network that predicts that nothing moves, as the change loss
            losses["action_units"] = (self.to_units(spatial.relu()) - units).square().sum() / units.square().sum()
            total = total + losses["action_units"]
        return total, {name: value.item() for name, value in losses.items()}

    def _swap(self, faces: ExtendedCodes, lent: ExtendedCodes, batch: "SwapBatch") -> Tensor:
        """Give the first pairs' identities the motion of the pairs that lend it, [2B, 3, H, W]."""
        # the encoders see camera noise, but the pixels that are moved have none. They are moved at full resolution: at
        # half, a sixth faster, a shift of less than a pixel is mostly blur (loss .58 instead of .46)
        faces.frames = batch.clean
        size = len(batch.identity) // 2
        onset, apex = (half[:size] for half in lent.motion.chunk(2))  # [B, 256, h, w] each
        begin, end = torch.cat([onset, apex]), torch.cat([apex, onset])
        with torch.autocast(self.device.type, torch.bfloat16, enabled=use_bf16(self.config, self.device)):
            return self.drl.generate(
                faces, ExtendedCodes(end, lent.motion_skips), ExtendedCodes(begin, lent.motion_skips)
            )


def _pretrain_alone(config: Config, run_dir: Path | str, method: Method) -> None:
    with one_thread():
        pretrain(build_model(config, 2, method), config, run_dir, progress=False)


@dataclass
class SwapBatch:
    """What a step of pretraining sees. Frames are RGB in [0, 1], [*, 3, H, W]: onsets first, then as many apexes."""

    identity: Tensor  # of B swaps
    clean: Tensor  # the same, without camera noise
    motion: Tensor  # of P pairs, the first B of which lend their motion to the identities
    action_units: Tensor  # of the pairs, pixels, [P, U, 2]


def sample_batch(swaps: Swaps, size: int, max_shift: int, rng: np.random.Generator) -> SwapBatch:
    """Sample ``size`` swaps and the pairs that lend the motion, and more pairs.

    Identity i and the motion's owner j are of one group and show the same motion; in one swap of five they are one
    person. All is mirrored or not, and shifted by up to ``max_shift`` whole pixels.
    """
    groups, people, motions = swaps.apex.shape[:3]
    pairs = (1 + UNSWAPPED_PER_SWAP) * size
    group, motion = rng.integers(groups, size=pairs), rng.integers(motions, size=pairs)
    owner = rng.integers(people, size=pairs)
    other = (owner + rng.integers(1, people, size=pairs)) % people
    identity = np.where(rng.random(pairs) < OTHER_PERSON, other, owner)
    mirror = rng.random(pairs) < 0.5
    shift = tuple(int(d) for d in rng.integers(-max_shift, max_shift + 1, 2))

    def frames(onset: np.ndarray, apex: np.ndarray, who: np.ndarray, count: int) -> Tensor:
        at = (group[:count], who[:count])
        images = np.stack([onset[at], apex[(*at, motion[:count])]])  # [2, count, H, W, 3]
        images = np.where(mirror[:count, None, None, None], images[..., ::-1, :], images)
        return as_tensor(images.reshape(-1, *images.shape[2:])).roll(shift, (2, 3))

    units = swaps.action_units[group, motion]  # [P, U, 2]
    units = np.where(mirror[:, None, None], units[..., ::-1], units)
    return SwapBatch(
        frames(swaps.onset, swaps.apex, identity, size),
        frames(swaps.onset_clean, swaps.apex_clean, identity, size),
        frames(swaps.onset, swaps.apex, owner, pairs),
        torch.from_numpy(units),
    )
