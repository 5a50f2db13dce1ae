"""Emotion classification (3.2.6): cross-entropy; and three forms of it against rare classes, which are ours."""

import torch
import torch.nn.functional as F
from torch import Tensor


def emotion(logits: Tensor, labels: Tensor, class_weight: Tensor | None = None) -> Tensor:
    """Return the cross-entropy of logits [B, C] against labels, int64 [B].

    Parameters
    ----------
    logits, labels : Tensor
    class_weight : Tensor, optional
        [C]; the paper's loss has none.
    """
    if len(labels) == 0:
        return logits.float().sum() * 0
    return F.cross_entropy(logits.float(), labels, class_weight)


def focal(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Return the focal loss: the mean of ``-(1 - p)^gamma log p``, p the probability of the true class.

    What is classified well already counts less, so that the many easy samples of a frequent class do not drown the few
    of a rare one (Lin et al. 2017). With ``gamma`` 0 it is :func:`emotion`. Not in the paper.
    """
    if len(labels) == 0:
        return logits.float().sum() * 0
    log_p = F.log_softmax(logits.float(), dim=1).gather(1, labels[:, None])[:, 0]  # [B]
    # not log_p.exp(): where p is close to 1 the power of a rounded 0 would have no gradient
    return (-torch.expm1(log_p)).clamp_min(1e-12).pow(gamma).mul(-log_p).mean()


def logit_adjusted(logits: Tensor, labels: Tensor, class_counts: Tensor, tau: float = 1.0) -> Tensor:
    """Return the cross-entropy of ``logits + tau log(prior)``: a rare class must win by a margin (Menon et al. 2021).

    Trained so, the plain logits are balanced: at prediction nothing is added. Not in the paper.

    Parameters
    ----------
    logits, labels : Tensor
        [B, C] and int64 [B].
    class_counts : Tensor
        Training samples of each class, [C]; a class without any counts as one.
    tau : float
        Strength; 0 gives :func:`emotion`.
    """
    prior = class_counts.clamp_min(1) / class_counts.clamp_min(1).sum()  # [C]
    return emotion(logits.float() + tau * prior.log(), labels)
