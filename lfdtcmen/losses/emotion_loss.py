"""Emotion classification (3.2.6): cross-entropy, and the mean over a batch whose pairs may count differently."""

import torch.nn.functional as F
from torch import Tensor


def emotion(logits: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the cross-entropy of logits [B, C] against labels, int64 [B]; 0-d.

    ``weight``, float [B], says how much each pair counts (:func:`weighted_mean`).
    """
    if len(labels) == 0:
        return logits.float().sum() * 0
    if weight is None:
        return F.cross_entropy(logits.float(), labels)
    return weighted_mean(F.cross_entropy(logits.float(), labels, reduction="none"), weight)


def weighted_mean(losses: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean of the pairs' losses [B], each with its weight [B]: ``sum(w * loss) / sum(w)``; 0-d."""
    return losses.mean() if weight is None else (losses * weight).sum() / weight.sum()
