"""TCME with a motion branch that sees the normalised difference of codes, and with one classifier for each branch."""

import torch
from torch import Tensor, nn

from lfdtcmen.beyond.warp_generator import VARIANCE_FLOOR
from lfdtcmen.errors import DataError
from lfdtcmen.modules.encoder import CODE_CHANNELS
from lfdtcmen.modules.motion_branch import MotionBranch
from lfdtcmen.modules.tcme import TCME


class DifferenceMotionBranch(MotionBranch):
    """The motion branch on the difference of the two codes.

    The two codes of a pair differ by a few percent of the difference between the codes of two people, so that the
    convolutions after them respond mostly to identity. Therefore the difference is scaled to variance 1 in each channel
    (batch normalisation without parameters), and MAAG and Adapter are given it in place of the apex's code, and zeros
    for the onset's.
    """

    def __init__(self):
        super().__init__()
        self.normalise_difference = nn.BatchNorm2d(CODE_CHANNELS, eps=VARIANCE_FLOOR, affine=False)

    def forward(self, onset: Tensor, apex: Tensor) -> tuple[Tensor, Tensor]:
        """Describe the motion between two motion codes [B, 256, h, w], as the paper's motion branch does."""
        difference = self.normalise_difference(apex - onset)  # [B, 256, h, w]
        return super().forward(torch.zeros_like(difference), difference)


class ExtendedTCME(TCME):
    """Motion codes and flow to emotion logits (:class:`~lfdtcmen.modules.tcme.TCME`), with what we changed.

    Parameters
    ----------
    num_classes, motion, flow
        As in :class:`~lfdtcmen.modules.tcme.TCME`.
    normalised_difference : bool
        Take :class:`DifferenceMotionBranch` as the motion branch.
    fusion : {"concatenate", "late"}
        The paper's one classifier on both descriptions; or one for each branch, trained on its own, joined by the
        product rule: a joint classifier relies on whichever branch fits the training pairs first.

    Notes
    -----
    Each branch estimates p(class | its input), which contains the frequency of the class, p(class). A plain sum of both
    would count that frequency twice. Where motion m and flow f are independent given the class,
    log p(c | m, f) = log p(c | m) + log p(c | f) - log p(c) + constant: the product rule (Kittler et al. 1998).
    ``log_prior`` is a buffer, [C]: zeros (all classes equally frequent) until :meth:`set_prior`.
    """

    def __init__(
        self,
        num_classes: int,
        motion: str | None = "branch",
        flow: str | None = "triple",
        normalised_difference: bool = False,
        fusion: str = "concatenate",
    ):
        if fusion not in ("concatenate", "late"):
            raise DataError(f"unknown fusion {fusion!r}", "TCME", "use concatenate or late")
        self._normalised_difference = normalised_difference
        self.late = fusion == "late" and None not in (motion, flow)  # with one branch, both are the same
        super().__init__(num_classes, motion, flow)
        if self.late:
            self.register_buffer("log_prior", torch.zeros(num_classes))

    def make_motion_branch(self) -> MotionBranch:
        """Return the paper's motion branch, or the one on the difference."""
        return DifferenceMotionBranch() if self._normalised_difference else super().make_motion_branch()

    def make_classifier(self, widths: list[int]) -> nn.Module:
        """Return one classifier for all branches, or one for each."""
        if not self.late:
            return super().make_classifier(widths)
        return nn.ModuleList([nn.Linear(width, self.num_classes) for width in widths])

    def set_prior(self, labels: Tensor, weights: Tensor | None = None) -> None:
        """Take the frequency of each class from the training labels, int64 [N]; every class has to be there.

        ``weights``, float [N], say how much each pair counts.
        """
        counts = torch.bincount(labels, weights, self.num_classes)  # [C]
        self.get_buffer("log_prior").copy_((counts / counts.sum()).log())

    def classify(self, features: list[Tensor]) -> dict[str, Tensor]:
        """Return the logits [B, C] of the branches' features, with late fusion also ``branch_logits`` [2, B, C]."""
        if not self.late:
            return super().classify(features)
        assert isinstance(self.classifier, nn.ModuleList)
        branches = torch.stack(
            [classify(x) for classify, x in zip(self.classifier, features, strict=True)]
        )  # [2, B, C]
        logits = branches.log_softmax(2).sum(0) - self.get_buffer("log_prior")  # [B, C]
        return {"branch_logits": branches, "logits": logits}
