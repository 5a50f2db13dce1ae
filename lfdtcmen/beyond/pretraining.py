"""Pretraining on synthetic swaps: the renderer shows one person's motion on another's face, so the answer is known."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import delayed
from torch import Tensor, nn

from lfdtcmen.beyond.change_loss import change
from lfdtcmen.beyond.extended_drl import ExtendedCodes, ExtendedDRL
from lfdtcmen.beyond.gain_loss import gain
from lfdtcmen.beyond.rest_loss import rest
from lfdtcmen.beyond.swap_batches import OTHER_PERSON, SwapBatch, SwapTensors, sample_batch, vary
from lfdtcmen.config import Config
from lfdtcmen.datasets.synthetic import ACTION_UNITS, make_swaps
from lfdtcmen.devices import side_by_side
from lfdtcmen.errors import DataError
from lfdtcmen.modules.motion_branch import FEATURES
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.threads import one_thread
from lfdtcmen.training.checkpoint import SUFFIX, Checkpoint, settings_key, stage_settings
from lfdtcmen.training.classifier import build_model
from lfdtcmen.training.loop import Schedule, Task, fit
from lfdtcmen.training.method import Method
from lfdtcmen.training.stages import use_bf16

FROZEN_STATISTICS_FROM = 0.8  # share of the steps after which batch normalisation uses its running statistics


def pretrain(
    model: LFDTCMEN,
    config: Config,
    run_dir: Path | str | None = None,
    progress: bool = True,
    other_person: float = OTHER_PERSON,
) -> pd.DataFrame:
    """Train DRL and motion branch on rendered swaps: a frame of person i, a motion of person j, and that motion on i.

    Stage 1 sees a motion only on the face that made it. For synthetic faces, the right answer is known: i's own apex
    with the same action units, without camera noise. Change loss and gain loss compare with that, and the rest loss
    joins them after the share ``config.change_first`` of the steps. The intensities of the action units are known as
    well: a linear layer, thrown away afterwards, predicts them from the motion branch's description of person j's pair.
    No emotion label is used. The people of the swaps are in no synthetic data set, and not in the counterfactuals that
    evaluations use (:func:`~lfdtcmen.datasets.synthetic.make_counterfactuals`). With ``config.pretraining_variation``
    their frames change at random, as those of filmed pairs do (:func:`~lfdtcmen.beyond.swap_batches.vary`).

    Parameters
    ----------
    model : LFDTCMEN
        Changed in place, and left in ``eval`` mode. It needs a generator, of either kind, and for the rest loss a
        bottleneck; action units are predicted if it has a motion branch.
    config : Config
        ``pretraining`` is the number of steps.
    run_dir : path, optional
        Where the checkpoint is kept, so that all folds of a seed share it.
    progress : bool
    other_person : float
        Share of the swaps in which the motion comes from another person; 0: everybody is given their own motions.

    Returns
    -------
    DataFrame
        One row per step: epoch, step, change, gain, rest (NaN until it joins), action_units, total, gradient_norm,
        seconds.

    Raises
    ------
    DataError
        A network without a generator, or the paper's; a checkpoint of another config, a loss that is not finite, a
        cache folder that cannot be written to.
    """
    task = SwapTask(model, config, progress, other_person)
    # without the epochs and the learning rate of stage 1: settings that differ there share one pretraining
    settings = stage_settings(replace(config, epochs=(0, 0, 0), learning_rates=(0.0,) * 3), 1, "swaps")
    settings |= {"motion": config.motion, "normalised_difference": config.normalised_difference}
    if other_person != OTHER_PERSON:  # checkpoints of the default stay valid
        settings |= {"other_person": other_person}
    kept = None
    if run_dir is not None:
        file = Path(run_dir) / "checkpoints" / f"pretraining-{settings_key(settings)}{SUFFIX}"
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
    for preset, groups in {(config.pretraining_preset, config.pretraining_groups) for config in configs}:
        make_swaps(preset, groups, n_jobs=jobs)  # rendered once, for all
    list(side_by_side((delayed(_pretrain_in_one_thread)(config, run_dir, method) for config in configs), jobs))


class SwapTask(Task):
    """Pretraining as the training loop sees it: each step is an epoch of one batch."""

    title = "pretraining"

    def __init__(self, model: LFDTCMEN, config: Config, progress: bool, other_person: float = OTHER_PERSON):
        if not isinstance(model.drl, ExtendedDRL) or model.drl.generator is None:
            what = "only a DRL with a generator and one of our extensions can be pretrained"
            raise DataError(what, "pretrain", "use recipe='repaired'")
        self.model, self.drl, self.branch = model, model.drl, model.tcme.motion_branch
        self.config, self.progress, self.other_person = config, progress, other_person
        self.device = next(model.parameters()).device
        self.parts = nn.ModuleList([self.drl])
        if self.branch is not None:
            with torch.random.fork_rng():
                torch.manual_seed(config.seed)
                self.to_units = nn.Linear(FEATURES, 2 * len(ACTION_UNITS)).to(self.device)
            self.parts.extend([self.branch, self.to_units])

    def begin(self) -> str:
        """Render the swaps, or find them on disk, and move them to the device."""
        config = self.config
        swaps = make_swaps(config.pretraining_preset, config.pretraining_groups, n_jobs=-1, progress=self.progress)
        self.swaps = SwapTensors(swaps, self.device)
        return ""

    def batches(self, epoch: int) -> Iterator["SwapBatch"]:
        """Sample one batch, from the seed and the step's number."""
        self.step = epoch
        self.model.train()
        if epoch >= FROZEN_STATISTICS_FROM * self.config.pretraining:
            # A batch's own variance differs from the running one, most for differences of codes, where a few strong
            # motions make up most of the variance. Without this, the network in ``eval`` mode moves too little.
            for module in self.parts.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        rng = np.random.default_rng([self.config.seed, 0, epoch])
        batch = sample_batch(self.swaps, self.config.batch_sizes[0], self.config.max_shift, rng, self.other_person)
        if self.config.pretraining_variation:
            batch = vary(batch, self.config.pretraining_variation, rng)
        yield batch

    def loss(self, batch: "SwapBatch") -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum of change and gain of the swaps, rest loss, and error of the action units."""
        weights = self.config.stage1
        faces, pair_codes = self.drl.encode(batch.identity), self.drl.encode(batch.motion, identity=False)
        moved = self._swap(faces, pair_codes, batch)
        target = torch.cat(batch.clean.chunk(2)[::-1])
        losses = {"change": change(moved, target, batch.clean), "gain": gain(moved, target, batch.clean)}
        total = weights["change"] * (losses["change"] + losses["gain"])
        joined = self.step >= self.config.change_first * self.config.pretraining
        if weights.get("rest") and pair_codes.narrow is not None and joined:
            losses["rest"] = rest(*pair_codes.narrow.chunk(2))
            total = total + weights["rest"] * losses["rest"]
        if self.branch is not None:
            spatial, _ = self.branch(*pair_codes.motion.chunk(2))  # [P, 256]
            units = batch.action_units.flatten(1)  # [P, 2 U]
            # 1 for a network that predicts that nothing moves, as the change loss is
            losses["action_units"] = (self.to_units(spatial.relu()) - units).square().sum() / units.square().sum()
            total = total + losses["action_units"]
        return total, {name: value.detach() for name, value in losses.items()}

    def _swap(self, faces: ExtendedCodes, pair_codes: ExtendedCodes, batch: "SwapBatch") -> Tensor:
        """Generate the B identities with the motions of the first B pairs, [2B, 3, H, W], from frames without noise."""
        # the encoders see camera noise, but the pixels that are moved have none. They are moved at full resolution:
        # half of it is faster, but blurs shifts of less than a pixel
        faces.frames = batch.clean
        size = len(batch.identity) // 2
        onset, apex = (half[:size] for half in pair_codes.motion.chunk(2))  # [B, 256, h, w] each
        begin, end = torch.cat([onset, apex]), torch.cat([apex, onset])
        with torch.autocast(self.device.type, torch.bfloat16, enabled=use_bf16(self.config, self.device)):
            return self.drl.generate(
                faces, ExtendedCodes(end, pair_codes.motion_skips), ExtendedCodes(begin, pair_codes.motion_skips)
            )


def _pretrain_in_one_thread(config: Config, run_dir: Path | str, method: Method) -> None:
    with one_thread():
        pretrain(build_model(config, 2, method), config, run_dir, progress=False)  # 2 classes: not trained here
