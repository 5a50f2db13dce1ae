"""The motion branch of TCME (3.3.1, Fig. 5): MAAG, Adapter and MSFE on the motion codes of onset and apex."""

import torch
from torch import Tensor, nn

from lfdtcmen.modules.encoder import CODE_CHANNELS, conv_bn_relu

FEATURES = 256  # stated: both branches end in 256 numbers


class MAAG(nn.Module):
    """Motion-Aware Attention Gate (Fig. 5c): amplify where the two motion codes differ.

    d = mo(I_ap) - mo(I_on);  A = sigmoid(conv1x1(ReLU(BN(conv1x1(d)))));  F' = F * (1 + 0.2 A).

    Stated: a difference, two 1x1 convolutions, batch normalisation, ReLU, sigmoid, features weighted by A, the scale
    0.2. Assumed: the sign of the difference; 32 channels in between; one attention map for both frames; the form
    F (1 + 0.2 A).
    """

    def __init__(self, channels: int = CODE_CHANNELS, hidden: int = 32, scale: float = 0.2):
        super().__init__()
        self.scale = scale
        self.attend = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, onset: Tensor, apex: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the enhanced onset and apex codes and the attention, each [B, 256, h, w]."""
        attention = self.attend(apex - onset)  # [B, 256, h, w]
        gate = 1 + self.scale * attention  # [B, 256, h, w]
        return onset * gate, apex * gate, attention


class Adapter(nn.Module):
    """Concatenate both enhanced codes, and reduce them to the width of one (Fig. 5d; stated: two convolutions).

    Assumed: their 3x3 kernels, batch normalisation and ReLU.
    """

    def __init__(self, channels: int = CODE_CHANNELS):
        super().__init__()
        self.convolutions = nn.Sequential(conv_bn_relu(2 * channels, channels), conv_bn_relu(channels, channels))

    def forward(self, onset: Tensor, apex: Tensor) -> Tensor:
        x = torch.cat([onset, apex], dim=1)  # [B, 512, h, w]
        return self.convolutions(x)  # [B, 256, h, w]


class MSFE(nn.Module):
    """Multi-Scale Feature Extractor: 1x1, 3x3 and 5x5 in parallel, fused by a 1x1.

    Stated: three kernel sizes in parallel, and a convolution after them. Assumed: the sizes; 128 channels each.
    """

    def __init__(self, channels: int = CODE_CHANNELS, width: int = 128):
        super().__init__()
        self.branches = nn.ModuleList([conv_bn_relu(channels, width, kernel) for kernel in (1, 3, 5)])
        self.fuse = conv_bn_relu(3 * width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        scales = [branch(x) for branch in self.branches]  # 3 x [B, 128, h, w]
        return self.fuse(torch.cat(scales, dim=1))  # [B, 256, h, w]


class MotionBranch(nn.Module):
    """Motion codes of onset and apex to a 256-d description of the spatial motion."""

    def __init__(self):
        super().__init__()
        self.maag = MAAG()
        self.adapter = Adapter()
        self.msfe = MSFE()
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.project = nn.Linear(CODE_CHANNELS, FEATURES)

    def forward(self, onset: Tensor, apex: Tensor) -> tuple[Tensor, Tensor]:
        """Describe the motion between two motion codes [B, 256, h, w].

        Returns
        -------
        spatial : Tensor
            [B, 256].
        attention : Tensor
            MAAG's gate in [0, 1], [B, 256, h, w].
        """
        onset, apex, attention = self.maag(onset, apex)
        x = self.adapter(onset, apex)  # [B, 256, h, w]
        x = self.msfe(x)  # [B, 256, h, w]
        return self.project(self.pool(x)), attention  # [B, 256], [B, 256, h, w]
