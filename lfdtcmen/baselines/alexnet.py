"""AlexNet on the optical flow of onset and apex (Krizhevsky, Sutskever and Hinton, NIPS 2012).

The variant of Krizhevsky, 2014, arXiv:1404.5997, which is the usual one: five convolutions (64, 192, 384, 256 and 256
filters), three maxima, and linear layers of 4,096. Comparisons of micro-expression networks, as in STSTNet's and in
CAS(ME)^3's publication, train it with images of flow or frames of 224x224, from weights learned on ImageNet. With 1,000
classes it has 61,100,840 parameters, as published; with three, 57,016,131.

Differences here: the weights start at random (He's initialisation), since none come with the package; and the flow,
28x28, is enlarged to 112x112 instead of 224x224, which shows the network nothing less and takes a quarter of the time.
The cells that are missing before the linear layers are repeated (6x6 from 2x2), so that all layers have their published
sizes.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.baselines.flow_networks import FlowNetwork


class AlexNet(nn.Module):
    """U, V and strain, [B, 3, 28, 28], to logits [B, C].

    Parameters
    ----------
    num_classes : int
    side : int
        Pixels to which the flow is enlarged, 63 or more.
    hidden : int
        Width of the linear layers.
    """

    def __init__(self, num_classes: int, side: int = 112, hidden: int = 4096):
        super().__init__()
        self.side = side
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 64, 11, 4, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)),
            *(nn.AdaptiveAvgPool2d(6), nn.Flatten()),
        )
        self.classifier = nn.Sequential(
            *(nn.Dropout(), nn.Linear(256 * 6 * 6, hidden), nn.ReLU(inplace=True)),
            *(nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(inplace=True)),
            nn.Linear(hidden, num_classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, flow: Tensor) -> Tensor:
        image = F.interpolate(flow, size=(self.side, self.side), mode="bilinear", align_corners=False)
        return self.classifier(self.features(image))


alexnet = FlowNetwork("alexnet", AlexNet, "Krizhevsky, 2014, arXiv:1404.5997", epochs=15, learning_rate=1e-4)
