"""Images as arrays: frames from and to tensors, and the change between two frames."""

import numpy as np
import torch


def as_frames(images: torch.Tensor) -> np.ndarray:
    """Return images [N, 3, H, W] in [0, 1] as uint8 frames [N, H, W, 3]; values outside are clipped."""
    images = images.detach().float().clamp(0, 1).mul(255).round().byte()
    return images.permute(0, 2, 3, 1).cpu().numpy()


def as_tensor(frames: np.ndarray) -> torch.Tensor:
    """Return uint8 frames [N, H, W, 3] as float32 images [N, 3, H, W] in [0, 1]."""
    return scale_pixels(torch.from_numpy(np.ascontiguousarray(frames)))


def scale_pixels(frames: torch.Tensor) -> torch.Tensor:
    """Return uint8 frames [N, H, W, 3] as float32 images [N, 3, H, W] in [0, 1], on their device."""
    # permuting leaves the memory channels-last, the layout in which convolutions are fastest
    return frames.permute(0, 3, 1, 2).float().div_(255)


def grey_change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return after - before in grey levels, float32 [..., H, W], of uint8 frames [..., H, W, 3]; shapes broadcast."""
    return after.astype(np.float32).mean(-1) - before.astype(np.float32).mean(-1)
