"""Soft orthogonality (3.2.1): identity and motion codes should not point the same way."""

import torch.nn.functional as F
from torch import Tensor


def pool(code: Tensor) -> Tensor:
    """Average a code over positions: [N, D, h, w] or [N, D] to [N, D]."""
    return code.flatten(2).mean(2) if code.ndim == 4 else code


def soft_orthogonality(identity: Tensor, motion: Tensor) -> Tensor:
    """Return the mean over frames of cos^2(id(I), mo(I)).

    Parameters
    ----------
    identity, motion : Tensor
        Codes of the same N frames, [N, D, h, w] or pooled [N, D].

    Returns
    -------
    Tensor
        0-d, in [0, 1].

    Notes
    -----
    Stated: the squared cosine and the mean. Assumed: it is taken between pooled vectors. Flattened maps have so
    many dimensions that the loss starts at 0.0002 and gives almost no gradient.
    """
    identity, motion = pool(identity).float(), pool(motion).float()
    if len(identity) == 0:
        return (identity.sum() + motion.sum()) * 0
    return F.cosine_similarity(identity, motion, dim=1).square().mean()
