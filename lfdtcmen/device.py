"""Where networks run: the one place that decides."""

import torch


def choose_device() -> str:
    """Return ``cuda`` where PyTorch reports a GPU, ``mps`` where it reports Apple's, else ``cpu``."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
