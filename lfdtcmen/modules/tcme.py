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
    """

    def __init__(self, num_classes: int, motion: str | None = "branch", flow: str | None = "triple"):
        super().__init__()
        if motion not in ("branch", "encoder", None):
            raise DataError(f"unknown motion part {motion!r}", "TCME", "use branch, encoder or None")
        if motion is None and flow is None:
            raise DataError("motion and flow are both None", "TCME", "give the classifier something to look at")
        self.motion = motion
        self.motion_branch = MotionBranch() if motion == "branch" else None
        self.flow_branch = TSI(flow) if flow is not None else None
        width = {"branch": FEATURES, "encoder": 2 * CODE_CHANNELS, None: 0}[motion]
        self.classifier = nn.Linear(width + (FEATURES if flow is not None else 0), num_classes)

    def forward(self, onset: Tensor | None, apex: Tensor | None, flow: Tensor | None) -> dict[str, Tensor]:
        """Classify from motion codes [B, 256, h, w] and flow [B, 3, 28, 28].

        Returns
        -------
        dict
            ``logits`` [B, C]; ``spatial`` [B, 256] and ``attention`` [B, 256, h, w] with the motion branch;
            ``temporal`` [B, 256] with the flow branch.
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
        fused = [described[key] for key in ("spatial", "temporal") if key in described]
        described["logits"] = self.classifier(torch.relu(torch.cat(fused, dim=1)))  # [B, C]
        return described
