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

    Raises
    ------
    DataError
        Unknown ``motion`` or ``flow``, or neither.
    """

    def __init__(self, num_classes: int, motion: str | None = "branch", flow: str | None = "triple"):
        super().__init__()
        if motion not in ("branch", "encoder", None):
            raise DataError(f"unknown motion part {motion!r}", "TCME", "use branch, encoder or None")
        if motion is None and flow is None:
            raise DataError("motion and flow are both None", "TCME", "use one of them or both")
        self.num_classes = num_classes
        self.motion = motion
        self.motion_branch = self.make_motion_branch() if motion == "branch" else None
        self.flow_branch = TSI(flow) if flow is not None else None
        widths = [FEATURES if motion == "branch" else 2 * CODE_CHANNELS] if motion is not None else []
        widths += [FEATURES] if flow is not None else []
        self.classifier = self.make_classifier(widths)

    def make_motion_branch(self) -> MotionBranch:
        """Build the motion branch."""
        return MotionBranch()

    def make_classifier(self, widths: list[int]) -> nn.Module:
        """Build the classifier; ``widths`` are the numbers of features of the branches."""
        return nn.Linear(sum(widths), self.num_classes)

    def forward(self, onset: Tensor | None, apex: Tensor | None, flow: Tensor | None) -> dict[str, Tensor]:
        """Classify from motion codes [B, 256, h, w] and flow [B, 3, 28, 28].

        Returns
        -------
        dict
            ``logits`` [B, C]; ``spatial`` [B, 256] and ``attention`` [B, 256, h, w] with the motion branch;
            ``temporal`` [B, 256] with the flow branch.
        """
        described = {}
        if self.motion_branch is not None:
            described["spatial"], described["attention"] = self.motion_branch(onset, apex)
        elif self.motion == "encoder":
            assert onset is not None and apex is not None
            described["spatial"] = torch.cat([onset, apex], dim=1).mean((2, 3))  # [B, 512]
        if self.flow_branch is not None:
            if flow is None:
                raise DataError(
                    "the flow branch needs batch.flow", "TCME", "prepare the pairs, or build with flow=None"
                )
            described["temporal"] = self.flow_branch(flow)
        features = [torch.relu(described[key]) for key in ("spatial", "temporal") if key in described]
        return described | self.classify(features)

    def classify(self, features: list[Tensor]) -> dict[str, Tensor]:
        """Return the logits [B, C] of the branches' features, each [B, F]."""
        return {"logits": self.classifier(torch.cat(features, dim=1))}
