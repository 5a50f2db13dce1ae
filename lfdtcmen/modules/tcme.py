"""Temporal-Complemented Motion Enhancement (TCME, 3.3, Fig. 1c): both branches, their fusion, the classifier."""

import torch
from torch import Tensor, nn

from lfdtcmen.errors import DataError
from lfdtcmen.modules.encoder import CODE_CHANNELS
from lfdtcmen.modules.flow_branch import TSI
from lfdtcmen.modules.motion_branch import FEATURES, MotionBranch


class TCME(nn.Module):
    """Motion codes and flow to emotion logits: cat(spatial, temporal) -> ReLU -> linear (fusion assumed).

    Parameters
    ----------
    num_classes : int
    motion : {"branch", "encoder", None}
        The motion branch; only the pooled codes of both frames (Table 6, setting I); nothing (flow alone).
    flow : {"triple", "single", None}
        The optical flow branch, see :class:`~lfdtcmen.modules.flow_branch.TSI`.
    normalised_difference : bool
        See :class:`~lfdtcmen.modules.motion_branch.MotionBranch`. Ours.
    fusion : {"concatenate", "late"}
        One classifier on both descriptions; or one for each branch, trained on its own, joined by the product rule
        (ours: a joint classifier leans on whichever branch fits the training pairs first).

    Notes
    -----
    Each branch says p(class | what it sees), and the frequency of the class, p(class), is in both. Averaged as they
    are, a class pays twice for being rare. Where motion m and flow f tell of the class independently,
    log p(c | m, f) = log p(c | m) + log p(c | f) - log p(c) + constant: the product rule (Kittler et al. 1998).
    ``log_prior`` is a buffer, [C]: zeros, every class as frequent, until :meth:`set_prior`.
    """

    def __init__(
        self,
        num_classes: int,
        motion: str | None = "branch",
        flow: str | None = "triple",
        normalised_difference: bool = False,
        fusion: str = "concatenate",
    ):
        super().__init__()
        if fusion not in ("concatenate", "late"):
            raise DataError(f"unknown fusion {fusion!r}", "TCME", "use concatenate or late")
        if fusion == "late" and None in (motion, flow):
            fusion = "concatenate"  # of one branch: the same
        if motion not in ("branch", "encoder", None):
            raise DataError(f"unknown motion part {motion!r}", "TCME", "use branch, encoder or None")
        if motion is None and flow is None:
            raise DataError("motion and flow are both None", "TCME", "give the classifier something to look at")
        self.motion = motion
        self.motion_branch = MotionBranch(normalised_difference) if motion == "branch" else None
        self.flow_branch = TSI(flow) if flow is not None else None
        widths = [{"branch": FEATURES, "encoder": 2 * CODE_CHANNELS}[motion]] if motion is not None else []
        widths += [FEATURES] if flow is not None else []
        self.fusion = fusion
        if fusion == "late":
            self.classifier = nn.ModuleList([nn.Linear(width, num_classes) for width in widths])
            self.register_buffer("log_prior", torch.zeros(num_classes))
        else:
            self.classifier = nn.Linear(sum(widths), num_classes)
        self.num_classes = num_classes

    def set_prior(self, labels: Tensor) -> None:
        """Take the frequency of each class from the training labels, int64 [N]; every class has to be there."""
        counts = torch.bincount(labels, minlength=self.num_classes)  # [C]
        self.log_prior.copy_((counts / len(labels)).log())

    def forward(
        self, onset: Tensor | None, apex: Tensor | None, flow: Tensor | None
    ) -> dict[str, Tensor | list[Tensor]]:
        """Classify from motion codes [B, 256, h, w] and flow [B, 3, 28, 28].

        Returns
        -------
        dict
            ``logits`` [B, C]; with late fusion ``branch_logits``, [B, C] of each branch; ``spatial`` [B, 256] and
            ``attention`` [B, 256, h, w] with the motion branch; ``temporal`` [B, 256] with the flow branch.
        """
        described = {}
        if self.motion == "branch":
            described["spatial"], described["attention"] = self.motion_branch(onset, apex)
        elif self.motion == "encoder":
            described["spatial"] = torch.cat([onset, apex], dim=1).mean((2, 3))  # [B, 512]
        if self.flow_branch is not None:
            if flow is None:
                raise DataError(
                    "the flow branch needs batch.flow", "TCME", "prepare the pairs, or build with flow=None"
                )
            described["temporal"] = self.flow_branch(flow)
        features = [torch.relu(described[key]) for key in ("spatial", "temporal") if key in described]
        if self.fusion == "late":
            branches = [classify(x) for classify, x in zip(self.classifier, features, strict=True)]  # [B, C] each
            described["branch_logits"] = branches
            said = torch.stack([logits.log_softmax(1) for logits in branches])  # [2, B, C]
            described["logits"] = said.sum(0) - self.log_prior  # [B, C]
        else:
            described["logits"] = self.classifier(torch.cat(features, dim=1))  # [B, C]
        return described
