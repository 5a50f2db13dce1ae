"""OFF-ApexNet: two streams on U and V (Gan, Liong, Yau, Huang and Tan, 2019).

*Signal Processing: Image Communication* 74, 129-139, doi:10.1016/j.image.2019.02.005. Each stream has two 5x5
convolutions, with 6 and 16 filters, each with a maximum over 2x2 cells; both streams together go through two linear
layers of 1,024. Input 28x28, as published. Published: 2.66 million parameters; this one has 2,664,475 (three classes).
"""

import torch
from torch import Tensor, nn

from lfdtcmen.baselines.flow_networks import FlowNetwork


def stream() -> nn.Sequential:
    """Return one stream: [B, 1, 28, 28] to [B, 784]."""
    layers: list[nn.Module] = []
    for channels, filters in ((1, 6), (6, 16)):
        layers += [nn.Conv2d(channels, filters, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten())


class OFFApexNet(nn.Module):
    """U, V and strain, [B, 3, 28, 28], to logits [B, C]; the strain is not used."""

    def __init__(self, num_classes: int):
        super().__init__()
        self.streams = nn.ModuleList([stream(), stream()])
        self.classifier = nn.Sequential(
            nn.Linear(2 * 784, 1024), nn.ReLU(inplace=True), nn.Linear(1024, 1024), nn.ReLU(inplace=True), nn.Dropout()
        )
        self.last = nn.Linear(1024, num_classes)

    def forward(self, flow: Tensor) -> Tensor:
        described = [part(flow[:, k : k + 1]) for k, part in enumerate(self.streams)]  # [B, 784] each
        return self.last(self.classifier(torch.cat(described, 1)))


off_apexnet = FlowNetwork("off-apexnet", OFFApexNet, "Gan et al., 2019, doi:10.1016/j.image.2019.02.005", epochs=30)
