"""Reconstruction (3.2.2): a cross-combined image must look like the real frame it stands for."""

from typing import Any

import torch
from torch import Tensor

from lfdtcmen.losses.perceptual import VGG19


class MeanSquare(torch.autograd.Function):
    """The mean of the squares of a tensor, at least in float32, without a copy of it in float32.

    The features of VGG-19 are the largest tensors of a training step, and in bf16 where the machine has it: so their
    part of a step takes half the time of ``F.mse_loss(a.float(), b.float())``.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return the mean of the squares of x, 0-d."""
        ctx.save_for_backward(x)
        precision = torch.promote_types(x.dtype, torch.float32)
        return torch.linalg.vector_norm(x, dtype=precision).square() / x.numel()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the gradient with respect to x."""
        (x,) = ctx.saved_tensors
        return x * (gradient * 2 / x.numel()).to(x.dtype)


def reconstruction(
    apex_hat: Tensor,
    onset_hat: Tensor,
    apex: Tensor,
    onset: Tensor,
    vgg: VGG19 | None = None,
    perceptual_weight: float = 0.1,
    target_features: list[Tensor] | None = None,
) -> Tensor:
    """Return the sum over t in {onset, apex} of pixel(I^_t, I_t) + lambda_p * sum_i w_i * MSE(phi_i(I^_t), phi_i(I_t)).

    Parameters
    ----------
    apex_hat, onset_hat : Tensor
        Generated images, [B, 3, H, W] in [0, 1].
    apex, onset : Tensor
        The real frames, [B, 3, H, W] in [0, 1].
    vgg : VGG19, optional
        phi; without it the loss is its pixel part.
    perceptual_weight : float
        lambda_p (assumed 0.1).
    target_features : list of Tensor, optional
        ``vgg(cat([apex, onset]))`` where the caller has it already: reconstruction and cycle share their targets.

    Returns
    -------
    Tensor
        0-d.

    Notes
    -----
    Stated: both parts, several VGG-19 layers, a weight for each, the squared L2. Assumed: L1 between pixels, w_i
    equal with sum 1, and squared differences averaged, so that a layer's size does not decide its weight.
    """
    generated = torch.cat([apex_hat, onset_hat]).float()  # [2B, 3, H, W]
    target = torch.cat([apex, onset])  # [2B, 3, H, W]
    if len(target) == 0:
        return generated.sum() * 0
    loss = 2 * (generated - target).abs().mean()  # the mean over 2B frames, twice: the sum of two means over B
    if vgg is None or perceptual_weight == 0:
        return loss
    if target_features is None:
        with torch.no_grad():
            target_features = vgg(target)
    pairs = zip(vgg(generated), target_features, strict=True)
    distances = [MeanSquare.apply(feature - target) for feature, target in pairs]
    return loss + perceptual_weight * 2 * torch.stack(distances).mean()
