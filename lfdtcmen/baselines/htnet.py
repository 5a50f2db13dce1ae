"""HTNet: a hierarchical Transformer over four areas of the face (Wang, Zhang, Luo and Sankaranarayana, 2024).

*Neurocomputing* 602, 128196, arXiv:2307.14637. Four windows of 14x14, around the eyes and the corners of the mouth, are
cut from the flow and laid side by side, 28x28; patches of 7x7 become tokens. Attention works inside each area (2x2
patches), then, after a convolution and a maximum have merged the patches of an area, between the four areas, and then
on one token that stands for the face. Widths 256, 512 and 1,024; 3, 6 and 12 heads; 2, 2 and 8 blocks.

The authors' code, with 8 blocks at the last level, counts 114.43 million parameters with three classes (its main script
has 10 blocks, 139.6 million; we take the smaller of the two); :class:`HTNet` has 114,433,539. Differences here: in the
code each block of attention holds one position, where attention has no effect, while the text describes attention
inside the areas and between them, which is what this file does; and the windows lie where the aligned face has its
landmarks (:data:`~lfdtcmen.preprocessing.geometry.CANONICAL`), not around landmarks found in each pair.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.baselines.flow_networks import FlowNetwork
from lfdtcmen.preprocessing.geometry import CANONICAL

PATCH = 7  # cells of the flow
WINDOW = 14  # cells of the flow
HEADS = (3, 6, 12)  # of each level
GROUP = 2  # patches of each side of an area, areas of each side of the face


class Block(nn.Module):
    """Attention among the tokens of a group, and two layers that widen four times and narrow again: [G, T, C] as is."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        inner = width // heads * heads  # heads of equal size: 255 of 256 channels
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * inner, bias=False)
        self.out = nn.Linear(inner, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        parts = self.query_key_value(self.first(tokens)).chunk(3, 2)
        query, key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in parts)  # [G, heads, T, d]
        attended = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)  # [G, T, inner]
        tokens = tokens + self.out(attended)
        return tokens + self.feed_forward(self.second(tokens))


class Level(nn.Module):
    """Blocks on groups of 2x2 neighbouring tokens, or on one token where there is one: [B, C, h, w] as is."""

    def __init__(self, width: int, heads: int, blocks: int, side: int):
        super().__init__()
        self.side = side
        self.positions = nn.Parameter(0.02 * torch.randn(side * side, width))
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(blocks)])

    def forward(self, x: Tensor) -> Tensor:
        batch, width, height, _ = x.shape
        groups, side = height // self.side, self.side
        x = x.reshape(batch, width, groups, side, groups, side).permute(0, 2, 4, 3, 5, 1)
        tokens = x.reshape(-1, side * side, width)  # [B * groups, T, C]
        tokens = self.blocks(tokens + self.positions)
        x = tokens.reshape(batch, groups, groups, side, side, width).permute(0, 5, 1, 3, 2, 4)
        return x.reshape(batch, width, height, height)


class Merge(nn.Module):
    """Join 2x2 tokens into one of twice the width: [B, C, h, w] to [B, 2C, h/2, w/2]."""

    def __init__(self, width: int):
        super().__init__()
        self.convolution = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.norm = nn.LayerNorm(2 * width)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.norm(self.convolution(x).movedim(1, 3)).movedim(3, 1))


class HTNet(nn.Module):
    """U, V and strain, [B, 3, 28, 28], to logits [B, C].

    Parameters
    ----------
    num_classes : int
    width : int
        Of a token at the first level; it doubles from level to level.
    blocks : tuple of int
        Of each level.
    """

    def __init__(self, num_classes: int, width: int = 256, blocks: tuple[int, int, int] = (2, 2, 8)):
        super().__init__()
        widths = (width, 2 * width, 4 * width)
        self.embed = nn.Conv2d(3, width, PATCH, stride=PATCH)
        sides = (GROUP, GROUP, 1)
        self.levels = nn.ModuleList([Level(*sizes) for sizes in zip(widths, HEADS, blocks, sides, strict=True)])
        self.merges = nn.ModuleList([Merge(width) for width in widths[:2]])
        self.norm = nn.LayerNorm(widths[2])
        self.classifier = nn.Linear(widths[2], num_classes)

    def forward(self, flow: Tensor) -> Tensor:
        x = self.levels[0](self.embed(cut_areas(flow)))  # [B, 256, 4, 4]
        for merge, level in zip(self.merges, self.levels[1:], strict=True):
            x = level(merge(x))  # [B, 512, 2, 2], then [B, 1024, 1, 1]
        return self.classifier(self.norm(x.flatten(1)))


def cut_areas(flow: Tensor) -> Tensor:
    """Return the windows around eyes (above) and corners of the mouth (below), side by side: [B, 3, 28, 28] both."""
    corners = (CANONICAL[[0, 1, 3, 4]] * flow.shape[2] / 128 - WINDOW / 2).round().astype(int)
    windows = [flow[:, :, top : top + WINDOW, left : left + WINDOW] for left, top in corners.clip(0, WINDOW).tolist()]
    return torch.cat([torch.cat(windows[:2], 3), torch.cat(windows[2:], 3)], 2)


htnet = FlowNetwork("htnet", HTNet, "Wang et al., 2024, arXiv:2307.14637", epochs=10, learning_rate=1e-4)
