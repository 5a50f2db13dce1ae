"""The rest loss: at rest all faces should have the same motion code."""

import torch
from torch import Tensor


def rest(onset: Tensor, apex: Tensor) -> Tensor:
    """Return how much the motion codes of onsets differ between people, in units of what a motion does to them.

    An onset is a face at rest, whoever it is. The covariance of the onsets' codes over the batch should be small
    relative to the covariance of the differences mo(I_ap) - mo(I_on), in every direction of the code. With r the mean
    of the eigenvalues of S_difference^-1 S_onset (a Mahalanobis distance, unchanged by scaling and mixing of channels,
    as a linear probe is), the loss is log(1 + r), once for codes at each position and once for codes averaged over the
    face; without the logarithm its gradient is far larger than all others at first, when r is 10 to 30.

    Parameters
    ----------
    onset, apex : Tensor
        Motion codes of pairs of several people, in their bottleneck: [B, K, h, w] with K well below B h w.

    Returns
    -------
    Tensor
        0-d; 0 where all onsets have one code, and 2 log 2 where people differ as much as motions move.
    """
    difference = (apex - onset).float().flatten(2)  # [B, K, h w]
    onset = onset.float().flatten(2)
    loss = onset.new_zeros(())
    for at_rest, moved in ((onset, difference), (onset.mean(2, keepdim=True), difference.mean(2, keepdim=True))):
        at_rest = at_rest - at_rest.mean(0)  # what all people share at a position may stay
        between, within = (x.permute(0, 2, 1).flatten(0, 1) for x in (at_rest, moved))  # [B h w, K]
        between, within = (x.T @ x / max(1, len(x)) for x in (between, within))  # [K, K]
        # a twentieth of the mean variance on the diagonal: the inverse of a covariance from few samples is unstable
        ridge = 0.05 * within.diagonal().mean().detach() + 1e-8
        within = within + ridge * torch.eye(len(within), device=within.device)
        # of bf16, in which autocast leaves a product, solve takes none on a GPU
        loss = loss + torch.log1p(torch.linalg.solve(within, between.float()).diagonal().mean())
    return loss
