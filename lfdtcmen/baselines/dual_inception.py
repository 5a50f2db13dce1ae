"""Dual-Inception: two streams of inception blocks on U and V (Zhou, Mao and Xue, FG 2019).

doi:10.1109/FG.2019.8756579. Each stream has two blocks of four paths (1x1; 1x1 and 3x3; 1x1 and 5x5; maximum and 1x1),
with 6 and then 16 filters a path, each block with a maximum over 2x2 cells; both streams together go through a linear
layer of 1,024. Input 28x28, as published. Public code counts 6.45 million parameters; see :class:`DualInception`.
"""

import torch
from torch import Tensor, nn

from lfdtcmen.baselines.flow_networks import FlowNetwork


class Inception(nn.Module):
    """Four paths side by side, concatenated: [B, channels, h, w] to [B, 4 filters, h/2, w/2]."""

    def __init__(self, channels: int, filters: int):
        super().__init__()

        def conv(inputs: int, kernel: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(inputs, filters, kernel, padding=kernel // 2), nn.ReLU(inplace=True))

        self.paths = nn.ModuleList(
            [
                conv(channels, 1),
                nn.Sequential(conv(channels, 1), conv(filters, 3)),
                nn.Sequential(conv(channels, 1), conv(filters, 5)),
                nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv(channels, 1)),
            ]
        )
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(torch.cat([path(x) for path in self.paths], 1))


class DualInception(nn.Module):
    """U, V and strain, [B, 3, 28, 28], to logits [B, C]; the strain is not used.

    6,449,867 parameters for three classes.
    """

    def __init__(self, num_classes: int):
        super().__init__()
        self.streams = nn.ModuleList(
            [nn.Sequential(Inception(1, 6), Inception(24, 16), nn.Flatten()) for _ in range(2)]
        )
        self.classifier = nn.Sequential(nn.Linear(2 * 64 * 7 * 7, 1024), nn.ReLU(inplace=True), nn.Dropout())
        self.last = nn.Linear(1024, num_classes)

    def forward(self, flow: Tensor) -> Tensor:
        described = [part(flow[:, k : k + 1]) for k, part in enumerate(self.streams)]  # [B, 3136] each
        return self.last(self.classifier(torch.cat(described, 1)))


dual_inception = FlowNetwork(
    "dual-inception", DualInception, "Zhou et al., 2019, doi:10.1109/FG.2019.8756579", epochs=30
)
