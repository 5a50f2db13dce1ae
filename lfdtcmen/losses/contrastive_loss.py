"""Identity-aware contrastive loss (3.2.5, Fig. 4): identity codes of one person close, of others apart."""

import torch
import torch.nn.functional as F
from torch import Tensor

COSINE_LIMIT = 1 - 1e-6  # arccos has an infinite slope at 1: without this clamp equal features give NaN gradients


def _angles(features: Tensor, subjects: Tensor) -> tuple[Tensor, Tensor]:
    """Return the angles (radians) of all pairs i < j of one subject, and of different subjects."""
    # in float32 whatever the autocast: in bf16 the clamp itself rounds to 1
    with torch.autocast(features.device.type, enabled=False):
        unit = F.normalize(features.float(), dim=1)  # [N, D]
        i, j = torch.triu_indices(len(unit), len(unit), offset=1, device=unit.device)
        angle = torch.arccos((unit @ unit.T)[i, j].clamp(-COSINE_LIMIT, COSINE_LIMIT))  # [N (N - 1) / 2]
    # which pairs are of one subject is found on the CPU: to select by a mask, the device would have to be waited for
    subjects = subjects.cpu()
    i, j = torch.triu_indices(len(subjects), len(subjects), offset=1)
    same = subjects[i] == subjects[j]
    positive, negative = (torch.nonzero(mask)[:, 0].to(angle.device, non_blocking=True) for mask in (same, ~same))
    return angle[positive], angle[negative]


def identity_contrastive(features: Tensor, subjects: Tensor, margin: float = 1.0) -> Tensor:
    """Return mean over positives of theta^2 + mean over negatives of max(0, m - theta)^2.

    Parameters
    ----------
    features : Tensor
        Pooled identity codes of real and synthetic frames, [N, D] (both kinds: stated; pooling: assumed).
    subjects : Tensor
        Subject of each, int64 [N]; best on the CPU.
    margin : float
        m in radians (assumed 1.0; random codes in 256 dimensions lie at 1.3 or more, where the margin has no effect).

    Returns
    -------
    Tensor
        0-d. Without positives, or without negatives, that part is a zero that still carries a graph.
    """
    positive, negative = _angles(features, subjects)
    zero = features.float().sum() * 0
    attract = positive.square().mean() if len(positive) else zero
    repel = F.relu(margin - negative).square().mean() if len(negative) else zero
    return zero + attract + repel


@torch.no_grad()
def active_fraction(features: Tensor, subjects: Tensor, margin: float = 1.0) -> Tensor:
    """Return the share of negative pairs nearer than the margin, 0-d: those that the loss still pushes apart."""
    _, negative = _angles(features, subjects)
    return (negative < margin).float().mean() if len(negative) else torch.zeros((), device=features.device)
