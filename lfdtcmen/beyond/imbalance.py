"""Remedies for rare classes: weights, focal loss, logit adjustment, balanced sampling. The paper has none of them.

The authors name class imbalance as their first limitation (6); notebook 16 compares these.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lfdtcmen.losses.emotion_loss import emotion, weighted_mean


def emotion_loss_of(imbalance: str | None, class_counts: Tensor) -> Callable[..., Tensor]:
    """Return the emotion loss, ``(logits, labels, weight) -> loss``, of ``Config.imbalance``.

    ``weight``, float [B] or None, says how much each pair counts (:func:`~lfdtcmen.losses.emotion_loss.emotion`).

    Parameters
    ----------
    imbalance : {None, "class_weights", "focal", "logit_adjusted", "balanced_sampling"}
        Balanced sampling changes the batches (:func:`balanced_batches`) and leaves the loss as it is.
    class_counts : Tensor
        Training samples of each class, [C]; the sum of their weights where they count differently.
    """
    weight = class_counts.sum() / class_counts.clamp_min(1) / len(class_counts)  # [C]
    losses: dict[str | None, Callable[[Tensor, Tensor], Tensor]] = {
        "class_weights": partial(class_weighted, class_weight=weight),
        "focal": focal,
        "logit_adjusted": partial(logit_adjusted, class_counts=class_counts),
    }
    return losses.get(imbalance, emotion)


def class_weighted(logits: Tensor, labels: Tensor, class_weight: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the cross-entropy with a weight for each class, [C]: a rare class counts as much as a frequent one."""
    if len(labels) == 0:
        return logits.float().sum() * 0
    if weight is None:
        return F.cross_entropy(logits.float(), labels, class_weight)
    return weighted_mean(F.cross_entropy(logits.float(), labels, reduction="none"), weight * class_weight[labels])


def balanced_batches(labels: np.ndarray, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the index batches of one epoch in which each class has the same probability.

    An epoch has as many pairs as before, sampled with replacement: pairs of a rare class come several times, some of a
    frequent one not at all.
    """
    rarity = 1 / np.bincount(labels)[labels]  # [N]; each label that occurs has a count, whichever classes are absent
    order = rng.choice(len(labels), len(labels), p=rarity / rarity.sum())
    yield from np.array_split(order, -(-len(labels) // size))


def focal(logits: Tensor, labels: Tensor, gamma: float = 2.0, weight: Tensor | None = None) -> Tensor:
    """Return the focal loss: the mean of ``-(1 - p)^gamma log p``, p the probability of the true class.

    What is classified well already counts less, so that the many easy samples of a frequent class do not drown the few
    of a rare one (Lin et al. 2017). With ``gamma`` 0 it is :func:`emotion`.
    """
    if len(labels) == 0:
        return logits.float().sum() * 0
    log_p = F.log_softmax(logits.float(), dim=1).gather(1, labels[:, None])[:, 0]  # [B]
    # not log_p.exp(): where p is close to 1 the power of a rounded 0 would have no gradient
    return weighted_mean((-torch.expm1(log_p)).clamp_min(1e-12).pow(gamma).mul(-log_p), weight)


def logit_adjusted(
    logits: Tensor, labels: Tensor, class_counts: Tensor, tau: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Return the cross-entropy of ``logits + tau log(prior)``: a rare class must win by a margin (Menon et al. 2021).

    Trained in this way, the plain logits are balanced: at prediction nothing is added.

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
    return emotion(logits.float() + tau * prior.log(), labels, weight)
