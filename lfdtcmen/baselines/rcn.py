"""RCN-A: a shallow recurrent convolutional network with an attention unit (Xia, Peng, Khor, Feng and Zhao, 2020).

*IEEE Transactions on Image Processing* 29, 8590-8605, doi:10.1109/TIP.2020.3018222. One 5x5 convolution, then one
recurrent layer: the same 3x3 convolution is run twice, each time on the layer's input plus what came before. Of the
publication's modules that add no parameters (wide expansion, shortcuts, attention), this is the variant with attention,
which CAS(ME)^3's publication compared (UF1 .3928, UAR .3893, the numbers in Table 2).

The attention unit looks at the classifier: the classifier's weights of a class, laid over the maps, show which cells
speak for it; the mean over the classes, each scaled to 0 to 1, weighs the cells that the classifier is given.

Sizes are those of the authors' code: 32 maps, one recurrent layer, 5x5 cells. They come to 15,331 parameters with three
classes; the text that we could read states no number. Differences here: the flow is 28x28, the project's size, where
the publication shrinks its images to 60x60 and below.
"""

import torch
from torch import Tensor, nn

from lfdtcmen.baselines.flow_networks import FlowNetwork

MAPS = 32
CELLS = 5  # of each side, before the classifier


class RecurrentLayer(nn.Module):
    """A convolution that is run twice with the same weights: [B, maps, h, w] to [B, maps, h/2, w/2]."""

    def __init__(self, maps: int):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(maps, maps, 1), nn.BatchNorm2d(maps), nn.ReLU())
        self.recurrent = nn.Sequential(nn.Conv2d(maps, maps, 3, padding=1), nn.BatchNorm2d(maps), nn.ReLU())
        self.shrink = nn.Sequential(nn.MaxPool2d(2), nn.Dropout())

    def forward(self, x: Tensor) -> Tensor:
        state = self.first(x)
        for _ in range(2):
            state = self.recurrent(x + state)
        return self.shrink(state)


class RCN(nn.Module):
    """U, V and strain, [B, 3, 28, 28], to logits [B, C]."""

    def __init__(self, num_classes: int):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, MAPS, 5), nn.BatchNorm2d(MAPS), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout())
        self.layer = RecurrentLayer(MAPS)
        self.pool = nn.AdaptiveAvgPool2d(CELLS)
        self.classifier = nn.Linear(MAPS * CELLS * CELLS, num_classes)

    def attend(self, maps: Tensor) -> Tensor:
        """Return how much each cell speaks for any class, in [0, 1], [B, 1, 5, 5], from maps [B, 32, 5, 5]."""
        weights = self.classifier.weight.unflatten(1, (MAPS, CELLS, CELLS))  # [C, 32, 5, 5]
        speaks = torch.einsum("bmhw,cmhw->bchw", maps, weights)  # [B, C, 5, 5]
        low, high = speaks.amin((2, 3), keepdim=True), speaks.amax((2, 3), keepdim=True)
        return ((speaks - low) / (high - low + 1e-6)).mean(1, keepdim=True)

    def forward(self, flow: Tensor) -> Tensor:
        x = self.stem(flow)  # [B, 32, 12, 12]
        described = self.pool(self.layer(x)) * self.attend(self.pool(x))  # [B, 32, 5, 5]
        return self.classifier(described.flatten(1))


rcn = FlowNetwork("rcn", RCN, "Xia et al., 2020, doi:10.1109/TIP.2020.3018222", epochs=100)
