"""Cycle reconstruction (3.2.3): encode the generated images and generate them again from their own codes."""

from torch import Tensor

from lfdtcmen.losses.perceptual import VGG19
from lfdtcmen.losses.reconstruction_loss import reconstruction


def cycle_reconstruction(
    apex_tilde: Tensor,
    onset_tilde: Tensor,
    apex: Tensor,
    onset: Tensor,
    vgg: VGG19 | None = None,
    perceptual_weight: float = 0.1,
    target_features: list[Tensor] | None = None,
) -> Tensor:
    """Return the terms of :func:`reconstruction` on I~_t = G(id(I^_t), mo(I^_t)).

    Stated: "identical to that of" the reconstruction loss. Parameters as there; ``tilde`` images [B, 3, H, W].
    """
    return reconstruction(apex_tilde, onset_tilde, apex, onset, vgg, perceptual_weight, target_features)
