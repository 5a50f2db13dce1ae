"""Synergistic Disentanglement Objectives (SDO, 3.2): the weighted sum of the six losses, and its log."""

from collections.abc import Callable

import torch
from torch import Tensor

from lfdtcmen.config import LossWeights
from lfdtcmen.errors import DataError
from lfdtcmen.losses.change import change
from lfdtcmen.losses.consistency import consistency
from lfdtcmen.losses.contrastive import active_fraction, identity_contrastive
from lfdtcmen.losses.cycle import cycle_reconstruction
from lfdtcmen.losses.emotion import emotion
from lfdtcmen.losses.orthogonality import pool, soft_orthogonality
from lfdtcmen.losses.perceptual import VGG19
from lfdtcmen.losses.reconstruction import reconstruction
from lfdtcmen.losses.rest import rest
from lfdtcmen.modules.batch import Batch
from lfdtcmen.modules.network import Output


class SynergisticObjectives:
    """L = sum of weight * loss over the losses whose weight is not zero.

    Parameters
    ----------
    weights : LossWeights
        Of one training stage (4.4).
    vgg : VGG19, optional
        For the perceptual part of reconstruction and cycle.
    perceptual_weight, margin, detach_consistency
        See :func:`reconstruction`, :func:`identity_contrastive`, :func:`consistency`.
    emotion_loss : callable
        ``(logits, labels) -> loss``: the paper's, or one of ours against imbalance (:mod:`lfdtcmen.losses.emotion`).
    """

    def __init__(
        self,
        weights: LossWeights,
        vgg: VGG19 | None = None,
        perceptual_weight: float = 0.1,
        margin: float = 1.0,
        detach_consistency: bool = False,
        emotion_loss: Callable[[Tensor, Tensor], Tensor] = emotion,
    ):
        self.weights = weights
        self.vgg = vgg
        self.perceptual_weight = perceptual_weight
        self.margin = margin
        self.detach_consistency = detach_consistency
        self.emotion_loss = emotion_loss

    def __call__(self, output: Output, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Return the loss to minimise (0-d) and the value of each loss before its weight.

        Raises
        ------
        DataError
            A loss with a weight whose ingredients the forward pass did not make, or the batch does not hold.
        """
        weights, losses, log = self.weights, {}, {}
        if weights.reconstruction or weights.cycle:
            self._need("reconstruction", output.apex_hat)
            features = self._target_features(batch)
            shared = (batch.apex, batch.onset, self.vgg, self.perceptual_weight, features)
        if weights.reconstruction:
            losses["reconstruction"] = reconstruction(output.apex_hat, output.onset_hat, *shared)
        if weights.cycle:
            losses["cycle"] = cycle_reconstruction(output.apex_tilde, output.onset_tilde, *shared)
        if weights.orthogonality:
            self._need("orthogonality", output.id_onset)
            losses["orthogonality"] = soft_orthogonality(
                torch.cat([output.id_onset, output.id_apex]), torch.cat([output.mo_onset, output.mo_apex])
            )
        if weights.consistency:
            self._need("consistency", output.id_apex_hat)
            losses["consistency"] = consistency(
                [
                    (output.id_apex_hat, output.id_onset),
                    (output.mo_apex_hat, output.mo_apex),
                    (output.id_onset_hat, output.id_apex),
                    (output.mo_onset_hat, output.mo_onset),
                ],
                self.detach_consistency,
            )
        if weights.contrastive:
            self._need("contrastive", output.id_onset)
            self._need("contrastive", batch.subject, "batch.subject")
            codes = [output.id_onset, output.id_apex, output.id_onset_hat, output.id_apex_hat]
            codes = [pool(code) for code in codes if code is not None]  # each [B, 256]; the paper's Fig. 4 has all four
            features, subjects = torch.cat(codes), batch.subject.repeat(len(codes))
            losses["contrastive"] = identity_contrastive(features, subjects, self.margin)
            log["active_fraction"] = active_fraction(features, subjects, self.margin)
        if weights.emotion:
            self._need("emotion", output.logits)
            self._need("emotion", batch.label, "batch.label")
            # with late fusion each branch learns on its own
            logits = [output.logits] if output.branch_logits is None else output.branch_logits
            losses["emotion"] = torch.stack([self.emotion_loss(branch, batch.label) for branch in logits]).mean()
        if weights.change:
            self._need("change", output.apex_hat)
            onset, apex = batch.onset, batch.apex
            losses["change"] = (change(output.apex_hat, apex, onset) + change(output.onset_hat, onset, apex)) / 2
        if weights.rest:
            self._need("rest", output.narrow_onset)
            losses["rest"] = rest(output.narrow_onset, output.narrow_apex)
        if not losses:
            raise DataError("all loss weights are zero", "SynergisticObjectives", "give one loss a weight")
        total = torch.stack([getattr(weights, name) * value for name, value in losses.items()]).sum()
        return total, {name: value.item() for name, value in losses.items()} | log

    def _target_features(self, batch: Batch) -> list[Tensor] | None:
        """VGG features of the real frames, once for reconstruction and cycle: both have the same targets."""
        if self.vgg is None or self.perceptual_weight == 0:
            return None
        with torch.no_grad():
            return self.vgg(torch.cat([batch.apex, batch.onset]))

    @staticmethod
    def _need(loss: str, value: Tensor | None, what: str = "the forward pass") -> None:
        if value is None:
            raise DataError(
                f"the {loss} loss has a weight but {what} holds nothing for it",
                "SynergisticObjectives",
                "call the model with reconstruct/classify as the loss needs, or set its weight to 0",
            )
