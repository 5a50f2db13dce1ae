"""The optical flow branch of TCME (3.3.2): a Triple Stream InceptionNet (TSI) on U, V and strain."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.errors import DataError
from lfdtcmen.modules.encoder import conv_bn_relu
from lfdtcmen.modules.motion_branch import FEATURES

FLOW_SIZE = 28
Widths = tuple[int, int, int]  # channels of the 1x1, the 3x3 and the 5x5 convolution
WIDTHS: tuple[Widths, Widths] = ((2, 4, 2), (16, 32, 16))  # of both blocks (assumed)
REDUCTION = 4  # of the channels in the channel attention (assumed)


class MicroInception(nn.Module):
    """1x1, 3x3 and 5x5 convolutions in parallel (stated), concatenated (assumed, as are the widths)."""

    def __init__(self, in_channels: int, widths: Widths):
        super().__init__()
        self.branches = nn.ModuleList(
            [conv_bn_relu(in_channels, width, kernel) for width, kernel in zip(widths, (1, 3, 5), strict=True)]
        )

    def forward(self, x: Tensor) -> Tensor:
        convolutions, norms, _ = zip(*(branch.children() for branch in self.branches), strict=True)
        x = torch.cat([convolution(x) for convolution in convolutions], dim=1)  # [B, sum(widths), h, w]
        return F.relu(normalise(x, norms), inplace=True)  # [B, sum(widths), h, w]


def normalise(x: Tensor, norms: Sequence[nn.BatchNorm2d]) -> Tensor:
    """Apply batch normalisations to their shares of the channels of x [B, C, h, w] in one call.

    In the network's layout (channels last) normalising two channels takes longer than eight: with a call for each
    branch, a training step of the flow branch takes a fifth more time.
    """
    names = ("running_mean", "running_var", "weight", "bias")
    mean, var, weight, bias = (torch.cat([getattr(norm, name) for norm in norms]) for name in names)  # [C] each
    training = norms[0].training
    momentum = norms[0].momentum
    if momentum is None:  # torch's way to ask for a plain average over all batches
        momentum = 1 / (int(norms[0].get_buffer("num_batches_tracked")) + 1)
    # [B, C, h, w]; in training it updates mean and var
    x = F.batch_norm(x, mean, var, weight, bias, training, momentum, norms[0].eps)
    if training:
        widths = [norm.num_features for norm in norms]
        for norm, own_mean, own_var in zip(norms, mean.split(widths), var.split(widths), strict=True):
            norm.get_buffer("running_mean").copy_(own_mean)
            norm.get_buffer("running_var").copy_(own_var)
            norm.get_buffer("num_batches_tracked").add_(1)
    return x


class SpatialAttention(nn.Module):
    """A weight for each position: mean and maximum over channels, 7x7 convolution, sigmoid (form assumed)."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        summary = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)  # [B, 2, h, w]
        return x * torch.sigmoid(self.conv(summary))  # [B, C, h, w]


class ChannelAttention(nn.Module):
    """A weight per channel: mean and maximum over positions, two 1x1 convolutions, sigmoid (assumed, with r)."""

    def __init__(self, channels: int, reduction: int = REDUCTION):
        super().__init__()
        self.squeeze = nn.Sequential(
            nn.Conv2d(channels, channels // reduction, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // reduction, channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        mean, peak = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)  # [B, C, 1, 1]
        return x * torch.sigmoid(self.squeeze(mean) + self.squeeze(peak))  # [B, C, h, w]


class Stream(nn.Module):
    """One 3-channel 28x28 image to a descriptor: two micro-inception blocks with attention between (stated).

    Assumed: the size 28x28, the widths, and a max-pool after each block.
    """

    def __init__(self, widths: tuple[Widths, Widths], reduction: int):
        super().__init__()
        first, second = widths
        self.inception1 = MicroInception(3, first)
        self.spatial_attention = SpatialAttention()
        self.channel_attention = ChannelAttention(sum(first), reduction)
        self.inception2 = MicroInception(sum(first), second)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.inception1(x))  # [B, C1, 14, 14]
        x = self.channel_attention(self.spatial_attention(x))  # [B, C1, 14, 14]
        x = self.pool(self.inception2(x))  # [B, C2, 7, 7]
        return x.flatten(1)  # [B, C2 * 49]


class TSI(nn.Module):
    """Flow and strain to a 256-d description of the temporal motion.

    Parameters
    ----------
    streams : {"triple", "single"}
        One stream for each of U, V and strain, each repeated to a 3-channel image; or, Table 5's comparison,
        one stream that sees (U, V, strain) as its three channels.
    widths : pair of (1x1, 3x3, 5x5)
        Channels of the convolutions in both micro-inception blocks. With the defaults the whole network has 7,923,360
        parameters, which round to the 7.92 M of the paper; ``experiments/flow_widths.py`` compares wider ones.
    reduction : int
        By how much the channel attention reduces the channels.

    Raises
    ------
    DataError
        Unknown ``streams``, a width or ``reduction`` below 1, or a ``reduction`` above the first block's channels.

    Notes
    -----
    ``mean`` and ``std`` are buffers, [3]: set from the training subjects (:meth:`set_normalisation`), saved with
    the weights, never touched by a test subject.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        streams: str = "triple",
        widths: tuple[Widths, Widths] = WIDTHS,
        reduction: int = REDUCTION,
    ):
        super().__init__()
        if streams not in ("triple", "single"):
            raise DataError(
                f"unknown flow streams {streams!r}", "TSI", "use triple, single, or flow=None for no branch"
            )
        if min(*widths[0], *widths[1], reduction) < 1 or reduction > sum(widths[0]):
            raise DataError(
                f"widths {widths} do not go with reduction {reduction}",
                "TSI",
                "give widths of 1 or more, and a reduction of at most the channels of the first block",
            )
        count = 3 if streams == "triple" else 1
        self.streams = nn.ModuleList([Stream(widths, reduction) for _ in range(count)])
        self.project = nn.Linear(count * sum(widths[1]) * (FLOW_SIZE // 4) ** 2, FEATURES)
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("std", torch.ones(3))

    def set_normalisation(self, flow: Tensor) -> None:
        """Take the mean and standard deviation of each component from the training set's flow [N, 3, 28, 28]."""
        self.mean.copy_(flow.mean((0, 2, 3)))
        self.std.copy_(flow.std((0, 2, 3)).clamp_min(1e-6))

    def forward(self, flow: Tensor) -> Tensor:
        """Describe flow [B, 3, 28, 28] (U, V, strain, in pixels) by [B, 256]."""
        flow = (flow - self.mean[:, None, None]) / self.std[:, None, None]  # [B, 3, 28, 28]
        if len(self.streams) == 1:
            images = [flow]
        else:
            images = [flow[:, k : k + 1].expand(-1, 3, -1, -1) for k in range(3)]  # 3 x [B, 3, 28, 28]
        described = [stream(image) for stream, image in zip(self.streams, images, strict=True)]  # [B, C2 * 49] each
        return self.project(torch.cat(described, dim=1))  # [B, 256]
