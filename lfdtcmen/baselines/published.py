"""Transformers in their public codes' sizes, as far as their cost goes (4.8): HTNet and Micro-BERT.

HTNet's code differs from its text, which :mod:`lfdtcmen.baselines.htnet` follows; Micro-BERT is trained here at a
laptop size only. Nothing is trained in this module: it counts.
"""

import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lfdtcmen.baselines.micro_bert import PUBLISHED, MicroBERT

PATCH = 7  # pixels of the side of an HTNet patch


class HTNet(nn.Module):
    """HTNet (Wang et al. 2024, arXiv:2307.14637): a Transformer on 4 x 4 patches, then on 2 x 2, then on one.

    Its attention stays inside blocks of one position. There the softmax is 1 and the attention returns its value; the
    products of queries and keys are left out here.

    Parameters
    ----------
    blocks : tuple of int
        Of each level. The public code (github.com/wangzhifengharrison/HTNet, commit 1ea5293) has (2, 2, 10) in
        ``main_HTNet.py``, with (2, 2, 8) in a comment beside it; ``HTNet_for_three_datasets_confusion_matrix.py`` has
        (2, 2, 8).
    """

    def __init__(self, blocks: tuple[int, int, int] = (2, 2, 10)):
        super().__init__()
        widths, heads = (256, 512, 1024), (3, 6, 12)
        self.embed = nn.Linear(3 * PATCH**2, widths[0])
        self.positions = nn.ParameterList([torch.zeros(1) for _ in widths])
        self.levels = nn.ModuleList(
            nn.Sequential(*[_Block(width, number) for _ in range(count)])
            for width, number, count in zip(widths, heads, blocks, strict=True)
        )
        self.joins = nn.ModuleList(nn.Conv2d(width, 2 * width, 3, padding=1) for width in widths[:-1])
        self.join_norms = nn.ModuleList(nn.LayerNorm(2 * width) for width in widths[:-1])
        self.classify = nn.Sequential(nn.LayerNorm(widths[-1]), nn.Linear(widths[-1], 3))

    def forward(self, flow: Tensor) -> Tensor:
        """Return logits [B, 3] of flow and strain [B, 3, 28, 28]."""
        tokens = self.embed(nn.functional.unfold(flow, PATCH, stride=PATCH).mT)  # [B, 16, 256]
        for k, level in enumerate(self.levels):
            tokens = level(tokens + self.positions[k])  # [B, N, C]
            if k < len(self.joins):
                side = int(tokens.shape[1] ** 0.5)
                joined = self.joins[k](tokens.mT.unflatten(2, (side, side)))  # [B, 2C, side, side]
                normal = self.join_norms[k](joined.movedim(1, 3)).movedim(3, 1)
                tokens = nn.functional.max_pool2d(normal, 3, 2, 1).flatten(2).mT  # [B, N / 4, 2C]
        return self.classify(tokens.mean(1))


class _Block(nn.Module):
    """Attention inside one position, and two layers that widen four times and narrow again."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.inner = width // heads * heads  # heads of equal size: 255 of 256 channels
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * self.inner, bias=False)
        self.out = nn.Linear(self.inner, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        value = self.query_key_value(self.first(tokens))[..., -self.inner :]
        tokens = tokens + self.out(value)
        return tokens + self.feed_forward(self.second(tokens))


def published_costs() -> pd.DataFrame:
    """Count the parameters and the operations of one input (a multiplication with its addition counts as two).

    Returns
    -------
    DataFrame
        Index: HTNet, once for each depth of its public code, and Micro-BERT at the size of its authors' code. Columns
        parameters and operations; three classes.
    """
    side = PUBLISHED["side"]
    with torch.device("meta"):  # shapes without numbers: no memory, no time
        flow, frame = torch.empty(1, 3, 28, 28), torch.empty(1, 3, side, side)
        networks: dict[str, tuple[nn.Module, tuple[Tensor, ...]]] = {
            "HTNet, 8 blocks": (HTNet((2, 2, 8)), (flow,)),
            "HTNet, 10 blocks": (HTNet((2, 2, 10)), (flow,)),
            "Micro-BERT, published size": (MicroBERT(3, **PUBLISHED), (frame, frame)),
        }
    rows = {}
    for name, (network, inputs) in networks.items():
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(*inputs)
        parameters = sum(parameter.numel() for parameter in network.parameters())
        rows[name] = {"parameters": parameters, "operations": counter.get_total_flops()}
    return pd.DataFrame(rows).T
