"""STSTNet: three shallow streams on U, V and strain together (Liong, Gan, See, Khor and Huang, FG 2019).

doi:10.1109/FG.2019.8756567. Each stream is one 3x3 convolution over all three components, with 3, 5 and 8 filters, and
a maximum over 3x3 cells; then a mean over 2x2 cells and one linear layer. Input 28x28, as published. Published: 1,670
parameters; this one has 1,651 for three classes (1.1 % fewer: the paper does not list them layer by layer).
"""

import torch
from torch import Tensor, nn

from lfdtcmen.baselines.flow_networks import FlowNetwork

FILTERS = (3, 5, 8)


class STSTNet(nn.Module):
    """U, V and strain, [B, 3, 28, 28], to logits [B, C]."""

    def __init__(self, num_classes: int):
        super().__init__()
        self.streams = nn.ModuleList([nn.Conv2d(3, filters, 3, padding=1) for filters in FILTERS])
        self.maximum, self.mean = nn.MaxPool2d(3, stride=3, padding=1), nn.AvgPool2d(2)
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(sum(FILTERS) * 5 * 5, num_classes)

    def forward(self, flow: Tensor) -> Tensor:
        described = [self.maximum(torch.relu(stream(flow))) for stream in self.streams]  # [B, filters, 10, 10] each
        pooled = self.mean(torch.cat(described, 1))  # [B, 16, 5, 5]
        return self.classifier(self.dropout(pooled.flatten(1)))


ststnet = FlowNetwork("ststnet", STSTNet, "Liong et al., 2019, doi:10.1109/FG.2019.8756567", epochs=200)
