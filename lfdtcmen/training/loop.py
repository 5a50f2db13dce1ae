"""The one training loop: AdamW, a learning rate that rises and then falls as half a cosine, checkpoints in between."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from lfdtcmen.errors import DataError
from lfdtcmen.files import one_at_a_time
from lfdtcmen.progress import hidden
from lfdtcmen.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, warn_of_earlier

SAVE_EVERY = 30.0  # seconds between checkpoints within a run of the loop


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    ``warmup`` is the share of all steps in which the learning rate rises; gradients are clipped to ``clip_norm``,
    unless it is 0.
    """

    epochs: int
    steps_per_epoch: int
    learning_rate: float
    weight_decay: float
    warmup: float
    clip_norm: float

    @property
    def steps(self) -> int:
        """All steps of all epochs."""
        return self.epochs * self.steps_per_epoch

    def factor(self, step: int) -> float:
        """Return the factor on the learning rate: a linear rise times half a cosine, plus a thousandth."""
        rise = min(1.0, (step + 1) / max(1.0, self.warmup * self.steps))
        return rise * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / self.steps))) + 1e-3


class Task(ABC):
    """What the loop trains: which batches, which loss, and what happens around them."""

    title: str
    columns: Mapping[str, int] = MappingProxyType({})  # written into each row of the history, before all others

    @abstractmethod
    def batches(self, epoch: int) -> Iterable[Any]:
        """Prepare the network for an epoch, and yield its batches.

        All randomness of an epoch has to come from seeds and the epoch's number: a run that was stopped and goes on
        then sees the same batches as an unbroken one.
        """

    @abstractmethod
    def loss(self, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss to minimise and the values to log, each 0-d on the device."""

    def begin(self) -> str:
        """Prepare the first step; return a line to print. Not called for a run that is finished already."""
        return ""

    def after_first_backward(self) -> None:  # noqa: B027 - most tasks have nothing to do
        """Look at the gradients of the very first step."""

    def after_epoch(self, epoch: int) -> None:  # noqa: B027
        """Do something with the network at the end of an epoch."""


def fit(
    task: Task, parts: nn.Module, schedule: Schedule, checkpoint: Checkpoint | None = None, progress: bool = True
) -> list[dict]:
    """Train, or go on with what a checkpoint holds; a finished checkpoint is only loaded.

    Where another process trains for the same checkpoint, wait until it has ended.

    Parameters
    ----------
    task : Task
    parts : nn.Module
        The part of the network that the checkpoint holds, changed in place; its parameters that require a gradient are
        trained.
    schedule : Schedule
    checkpoint : Checkpoint, optional
        Written at the end, and after an epoch when half a minute has passed. A run that is continued ends with the same
        weights as an unbroken one.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of dict
        One row per step: the task's columns, epoch, step, each logged value, total, gradient_norm, seconds.

    Raises
    ------
    DataError
        A checkpoint of another config or other data, or one that cannot be written; a loss that is not finite.
    """
    if checkpoint is None:
        return _train(task, parts, schedule, None, progress)
    with one_at_a_time(checkpoint.file):  # another notebook or fold may be training the very same
        warn_of_earlier(checkpoint.file)
        return _train(task, parts, schedule, checkpoint, progress)


def _train(
    task: Task, parts: nn.Module, schedule: Schedule, checkpoint: Checkpoint | None, progress: bool
) -> list[dict]:
    saved = load_checkpoint(checkpoint, parts) if checkpoint is not None and checkpoint.file.exists() else {}
    first_epoch, history = saved.get("epoch", 0), saved.get("history", [])
    if first_epoch == schedule.epochs:
        return history
    line = task.begin()
    if progress and line:
        print(line)
    learning = [p for p in parts.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.factor)
    if saved:
        optimizer.load_state_dict(saved["optimizer"])
        _lay_out_as_weights(optimizer)
        rate.load_state_dict(saved["schedule"])
    done = first_epoch * schedule.steps_per_epoch
    saved_at = time.perf_counter()
    with tqdm(desc=task.title, total=schedule.steps, initial=done, disable=hidden(progress)) as bar:
        for epoch in range(first_epoch, schedule.epochs):
            started = time.perf_counter()
            for batch in task.batches(epoch):
                total, values = task.loss(batch)
                optimizer.zero_grad(set_to_none=True)
                total.backward()
                if not history:
                    task.after_first_backward()
                norm = torch.nn.utils.clip_grad_norm_(learning, schedule.clip_norm or math.inf)
                optimizer.step()
                rate.step()
                values |= {"total": total.detach(), "gradient_norm": norm}
                # the only time that a step waits for the device
                logged = dict(zip(values, torch.stack([*values.values()]).tolist(), strict=True))
                if not math.isfinite(logged["total"]):
                    raise DataError(
                        f"the loss is {logged['total']} at epoch {epoch}, step {len(history)}: {logged}",
                        task.title,
                        "lower the learning rate or the weight of the loss that grew",
                    )
                now = time.perf_counter()
                row = {**task.columns, "epoch": epoch, "step": len(history), **logged}
                history.append(row | {"seconds": now - started})
                started = now
                bar.update()
                bar.set_postfix(loss=f"{logged['total']:.3f}")
            last = epoch + 1 == schedule.epochs
            if checkpoint is not None and (last or time.perf_counter() - saved_at > SAVE_EVERY):
                state = {} if last else {"optimizer": optimizer.state_dict(), "schedule": rate.state_dict()}
                save_checkpoint(checkpoint, parts, epoch=epoch + 1, history=history, **state)
                saved_at = time.perf_counter()
            task.after_epoch(epoch)
    return history


def _lay_out_as_weights(optimizer: torch.optim.Optimizer) -> None:
    """Give the optimiser's tensors the memory format of their weights, which the file does not keep."""
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if value.shape == weight.shape:
                state[name] = torch.empty_like(weight).copy_(value)
