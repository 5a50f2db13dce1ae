"""What the network costs (4.8, Table 8): parameters, operations and time, component by component."""

import time

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lfdtcmen.analysis.codes import evaluation_mode
from lfdtcmen.modules.batch import Batch

# component -> its path in the model; what a setting does not have is left out
COMPONENTS = {
    "identity encoder": "drl.identity_encoder",
    "motion encoder": "drl.motion_encoder",
    "generator": "drl.generator",
    "MAAG": "tcme.motion_branch.maag",
    "Adapter": "tcme.motion_branch.adapter",
    "MSFE": "tcme.motion_branch.msfe",
    "motion projection": "tcme.motion_branch.project",
    "TSI streams": "tcme.flow_branch.streams",
    "flow projection": "tcme.flow_branch.project",
    "classifier": "tcme.classifier",
}
# component -> the part of the method to which it belongs
GROUPS = {
    **dict.fromkeys(("identity encoder", "motion encoder", "generator"), "DRL (3.1)"),
    **dict.fromkeys(("MAAG", "Adapter", "MSFE", "motion projection"), "motion branch (3.3.1)"),
    **dict.fromkeys(("TSI streams", "flow projection"), "flow branch (3.3.2)"),
    "classifier": "classifier",
}


def cost_parts(model: nn.Module) -> dict[str, nn.Module]:
    """Return the components that this setting of the network has, by the paper's names."""
    found = dict(model.named_modules())
    return {name: found[path] for name, path in COMPONENTS.items() if path in found}


def parameter_table(model: nn.Module) -> pd.DataFrame:
    """Count the learned parameters of each component (Table 8 gives the totals only).

    Returns
    -------
    DataFrame
        Index: component, and "total". Columns parameters (int) and share of the total.
    """
    counts = pd.Series({name: _count(part) for name, part in cost_parts(model).items()}, dtype=np.int64)
    counts["total"] = _count(model)
    return pd.DataFrame({"parameters": counts, "share": counts / counts["total"]}).rename_axis("component")


def flop_table(model: nn.Module, size: int = 128) -> pd.DataFrame:
    """Count the floating-point operations of one pair (a multiplication with its addition counts as two).

    Parameters
    ----------
    model : nn.Module
    size : int
        Height and width of the frames, a multiple of 32.

    Returns
    -------
    DataFrame
        Index: component, and "total". Columns "recognition" (frames and flow to logits) and, with a generator,
        "with reconstruction": the forward pass of stages 1 and 3, which encodes and generates four frames. Both in
        operations. Convolutions and matrix products are counted, as torch does; all else is small in comparison.
    """
    columns = {"recognition": _count_flops(model, size, reconstruct=False)}
    if "generator" in cost_parts(model):
        columns["with reconstruction"] = _count_flops(model, size, reconstruct=True)
    return pd.DataFrame(columns).rename_axis("component")


def time_quartiles(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the median and the quartiles (columns median, low, high) of times, one row for each column of them."""
    quartiles = runs.quantile([0.5, 0.25, 0.75]).T
    return quartiles.set_axis(["median", "low", "high"], axis=1).rename_axis("component")


def latency_runs(model: nn.Module, repeats: int = 15, size: int = 128) -> pd.DataFrame:
    """Time the recognition of one pair on one thread, component by component, again and again.

    Parameters
    ----------
    model : nn.Module
        Timed in evaluation mode, on its own device (on a GPU the clock waits for every component to finish).
    repeats : int
        Timed runs, after three untimed ones.
    size : int
        Height and width of the frames, a multiple of 32.

    Returns
    -------
    DataFrame
        A row for each run, a column for each component and for "total" (the whole call, input checks included);
        milliseconds.
    """
    clock = _Clock(cost_parts(model), on_gpu=next(model.parameters()).device.type != "cpu")
    batch, threads = _one_pair(model, size), torch.get_num_threads()
    runs = []
    torch.set_num_threads(1)
    try:
        with torch.no_grad(), evaluation_mode(model):
            for _ in range(3 + repeats):
                clock.reset()
                start = clock.now()
                model(batch)
                runs.append({**clock.spent, "total": clock.now() - start})
    finally:
        clock.remove()
        torch.set_num_threads(threads)
    return 1000 * pd.DataFrame(runs[3:]).reset_index(drop=True)  # seconds -> ms


class _Clock:
    """Adds up the time between a component's call and its return."""

    def __init__(self, parts: dict[str, nn.Module], on_gpu: bool):
        self.on_gpu = on_gpu
        self.names = list(parts)
        self.spent: dict[str, float] = {}
        self.started: dict[str, float] = {}
        self.hooks = []
        for name, part in parts.items():
            for leaf in part if isinstance(part, nn.ModuleList) else [part]:  # a list is never called itself
                self.hooks.append(leaf.register_forward_pre_hook(lambda *_, name=name: self._start(name)))
                self.hooks.append(leaf.register_forward_hook(lambda *_, name=name: self._stop(name)))

    def now(self) -> float:
        if self.on_gpu:
            torch.accelerator.synchronize()
        return time.perf_counter()

    def reset(self) -> None:
        self.spent = dict.fromkeys(self.names, 0.0)

    def remove(self) -> None:
        for hook in self.hooks:
            hook.remove()

    def _start(self, name: str) -> None:
        self.started[name] = self.now()

    def _stop(self, name: str) -> None:
        self.spent[name] += self.now() - self.started[name]


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _count_flops(model: nn.Module, size: int, reconstruct: bool) -> pd.Series:
    counter = FlopCounterMode(display=False)
    batch = _one_pair(model, size)
    with torch.no_grad(), evaluation_mode(model), counter:
        model(batch, reconstruct=reconstruct)
    by_module = {path: sum(operations.values()) for path, operations in counter.get_flop_counts().items()}
    counts = {}
    for name in cost_parts(model):
        # "LFDTCMEN.drl.generator" holds all that runs below it; of a list of modules, only the members are counted
        path = f"{type(model).__name__}.{COMPONENTS[name]}"
        inside = [p for p in by_module if p == path or p.rpartition(".")[0] == path]
        counts[name] = by_module[path] if path in by_module else sum(by_module[p] for p in inside)
    counts["total"] = counter.get_total_flops()
    return pd.Series(counts)


def _one_pair(model: nn.Module, size: int) -> Batch:
    """Return one pair of grey frames without motion: cost does not depend on content."""
    frame = torch.full((1, 3, size, size), 0.5)
    batch = Batch(onset=frame, apex=frame.clone(), flow=torch.zeros(1, 3, 28, 28))
    return batch.to(next(model.parameters()).device)
