"""Where networks compute: the one place that decides it."""

import torch


def find_device() -> torch.device:
    """Return the device on which networks are built and trained: a CUDA GPU, else Apple's (``mps``), else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
