"""Consistency (3.2.4): a generated image must encode to the codes that it was made of."""

from collections.abc import Iterable
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor


def consistency(pairs: Iterable[tuple[Tensor, Tensor]], detach: bool = False) -> Tensor:
    """Return the sum of mean squared errors over (code of the generated image, code that it was made of).

    Parameters
    ----------
    pairs : iterable of (Tensor, Tensor)
        The paper's four (their equal weights in the sum are assumed): id(I^_ap) and id(I_on); mo(I^_ap) and mo(I_ap);
        id(I^_on) and id(I_ap); mo(I^_on) and mo(I_on). Each [B, 256, h, w].
    detach : bool
        Stop the gradient into the second of each pair. The paper does not say; off as the text reads (assumed).
        Left on both sides, the loss can also be lowered by shrinking all codes.

    Returns
    -------
    Tensor
        0-d.
    """
    errors = []
    for generated, source in pairs:
        source = source.detach() if detach else source
        errors.append(F.mse_loss(generated, source) if len(source) else (generated.sum() + source.sum()) * 0)
    return reduce(torch.add, errors)
