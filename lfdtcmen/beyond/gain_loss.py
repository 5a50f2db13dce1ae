"""The gain loss: is the generated change as strong as the true one?"""

import torch.nn.functional as F
from torch import Tensor


def gain(generated: Tensor, target: Tensor, start: Tensor, scale: int = 2) -> Tensor:
    """Return (1 - <g, t> / <t, t>)^2 with g = generated - start, t = target - start, summed over the batch.

    Where the motion is uncertain, the change loss is smallest for a change that is too faint: at a cosine c between
    true change and the best guess of it, the gain that minimises the squared error is c^2. Added to the change loss,
    this loss asks for a gain of 1; that raises the error a little and leaves the cosine as it is.

    Parameters
    ----------
    generated, target, start, scale
        As for :func:`lfdtcmen.beyond.change_loss.change`.

    Returns
    -------
    Tensor
        0-d: 1 for a copy of ``start``, 0 for the full motion.
    """
    generated, target, start = (F.avg_pool2d(frame.float(), scale) for frame in (generated, target, start))
    true = target - start
    return (1 - ((generated - start) * true).sum() / true.square().sum().clamp_min(1e-3)).square()
