"""The change loss: of what changed between two frames, how much did the generator get wrong?"""

import torch.nn.functional as F
from torch import Tensor


def change(generated: Tensor, target: Tensor, start: Tensor, scale: int = 2) -> Tensor:
    """Return ``|generated - target|^2`` over ``|target - start|^2``, both summed over the batch.

    A pixel-wise loss between whole images is nearly the same with and without the motion. This one is 1 for a copy of
    ``start``, however small the motions, so that copying is never a good solution. Sums are taken over the batch: with
    a ratio for each pair, the faintest changes, which are mostly camera noise, would count as much as strong ones.

    Parameters
    ----------
    generated : Tensor
        [B, 3, H, W].
    target, start : Tensor
        The frame that should be generated, and the frame in which the motion begins, [B, 3, H, W].
    scale : int
        Frames are first averaged over squares of this side, pixels: at half resolution less of a change is camera
        noise.

    Returns
    -------
    Tensor
        0-d. What camera noise adds to the target cannot be predicted, so the loss ends above 0.
    """
    generated, target, start = (F.avg_pool2d(frame.float(), scale) for frame in (generated, target, start))
    if len(target) == 0:
        return generated.sum() * 0
    # frames that are all equal hold no change to divide by
    return (generated - target).square().sum() / (target - start).square().sum().clamp_min(1e-3)
