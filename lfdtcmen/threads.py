"""How many threads a block of code may use: one, where several processes share the cores."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
from threadpoolctl import threadpool_limits


@contextmanager
def one_cv2_thread() -> Iterator[None]:
    """Let OpenCV use one thread within the block."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let OpenCV, torch and NumPy's libraries use one thread within the block."""
    import torch  # only here: the processes that draw faces do without

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_cv2_thread(), threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
