"""Where networks compute: the one place that decides it, and how many processes share a GPU."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import torch
from joblib import effective_n_jobs

from lfdtcmen.workers import parallel

CUDA_CONTEXT = 600 * 2**20  # bytes that a process takes on a GPU before it has computed anything


def find_device() -> torch.device:
    """Return the device on which networks are built and trained: a CUDA GPU, else Apple's (``mps``), else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def count_that_fit(n_jobs: int) -> int:
    """Return how many processes fit on the CUDA GPU that need as much memory as this one has, at most ``n_jobs``.

    What this process has taken is counted from ``torch.cuda.reset_peak_memory_stats`` on.
    """
    needed = torch.cuda.max_memory_reserved() + CUDA_CONTEXT
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    return max(1, min(effective_n_jobs(n_jobs), int(0.9 * free / needed)))


def side_by_side(tasks: Iterable, n_jobs: int) -> Iterator[Any]:
    """Train in several processes, and yield the results in order.

    On a CUDA GPU the first task runs alone, in this process; then as many as the GPU's memory holds.

    Parameters
    ----------
    tasks : iterable
        Of ``joblib.delayed``.
    n_jobs : int
        Processes; -1 for all cores.
    """
    tasks = iter(tasks)
    if n_jobs != 1 and find_device().type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        for function, args, kwargs in islice(tasks, 1):
            yield function(*args, **kwargs)
            n_jobs = count_that_fit(n_jobs)
    yield from parallel(n_jobs=n_jobs, return_as="generator")(tasks)
