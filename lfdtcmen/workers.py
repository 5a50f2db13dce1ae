"""Processes that share the work, and that end when the one which started them does."""

import os
import threading
import time
from typing import Any

from joblib import Parallel

LOOK_EVERY = 0.1  # seconds between two looks of a worker at its parent


def parallel(**options: Any) -> Parallel:
    """Return :class:`joblib.Parallel`, whose processes end soon after this one does, even where it is killed.

    Without this, they finish their jobs first, and then wait for minutes for others.

    Parameters
    ----------
    **options
        Those of ``Parallel``.
    """
    return Parallel(initializer=_end_with, initargs=(os.getpid(),), **options)


def _end_with(parent: int) -> None:
    """Let this process end when its parent does."""
    if os.name == "posix" and os.getpid() != parent:  # threads instead of processes, where Parallel is nested
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:  # of an orphan, it is another process
        time.sleep(LOOK_EVERY)
    os._exit(1)
