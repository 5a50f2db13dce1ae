"""Pictures as arrays: from tensors to frames, and what changed between two of them."""

import numpy as np
import torch


def as_frames(images: torch.Tensor) -> np.ndarray:
    """Return images [N, 3, H, W] in [0, 1] as uint8 frames [N, H, W, 3], for the figures above."""
    images = images.detach().float().clamp(0, 1).mul(255).round().byte()
    return images.permute(0, 2, 3, 1).cpu().numpy()


def grey_change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return after - before in grey levels, float32 [N, H, W], of uint8 frames [N, H, W, 3]."""
    return after.astype(np.float32).mean(-1) - before.astype(np.float32).mean(-1)
