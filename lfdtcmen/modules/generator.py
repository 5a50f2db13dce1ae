"""The face reconstruction generator (3.1.2, Fig. 3): an identity code and a motion code to an image."""

import torch
from torch import Tensor, nn

from lfdtcmen.modules.encoder import CODE_CHANNELS, SKIP3_CHANNELS, SKIP5_CHANNELS, conv_bn_relu


class Up(nn.Module):
    """One stage UP1-UP5: 4x4 transposed convolution (stride 2), then a 3x3 refinement against checkerboards (3.1.2)."""

    def __init__(self, in_channels: int, out_channels: int, skip_channels: int = 0):
        super().__init__()
        self.upsample = nn.Sequential(
            nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )
        self.refine = conv_bn_relu(out_channels + skip_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        x = self.upsample(x)  # [B, out, 2h, 2w]
        if skip is not None:
            x = torch.cat([x, skip], dim=1)  # [B, out + skip, 2h, 2w]
        return self.refine(x)  # [B, out, 2h, 2w]


class Generator(nn.Module):
    """G(identity, motion): five stages of upsampling, skips fused at H/16 and H/8, sigmoid to RGB.

    Stated: the five stages, the kernels, batch normalisation and ReLU, the dual-scale skips, the sigmoid.
    Assumed: the widths, twice the encoder's at each resolution since two codes come in; at which stages the skips join,
    and that they are concatenated; the 3x3 kernel of the output.

    Parameters
    ----------
    skip_sources : {0, 1, 2}
        How many encoders pass their skips: none, one, or both concatenated.
    """

    def __init__(self, skip_sources: int = 1):
        super().__init__()
        self.up1 = Up(2 * CODE_CHANNELS, 128, skip_sources * SKIP5_CHANNELS)
        self.up2 = Up(128, 64, skip_sources * SKIP3_CHANNELS)
        self.up3 = Up(64, 32)
        self.up4 = Up(32, 16)
        self.up5 = Up(16, 8)
        self.to_rgb = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, identity: Tensor, motion: Tensor, skips: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Generate the face of ``identity`` in the motion state of ``motion``.

        Parameters
        ----------
        identity, motion : Tensor
            Codes [B, 256, H/32, W/32], of the same frame or of different ones.
        skips : tuple of Tensor, optional
            Encoder features [B, 32, H/8, W/8] and [B, 64, H/16, W/16] (twice the channels with two sources).

        Returns
        -------
        Tensor
            RGB in [0, 1], [B, 3, H, W].
        """
        skip3, skip5 = skips if skips is not None else (None, None)
        x = torch.cat([identity, motion], dim=1)  # [B, 512, H/32, W/32]
        x = self.up1(x, skip5)  # [B, 128, H/16, W/16]
        x = self.up2(x, skip3)  # [B, 64, H/8, W/8]
        x = self.up3(x)  # [B, 32, H/4, W/4]
        x = self.up4(x)  # [B, 16, H/2, W/2]
        x = self.up5(x)  # [B, 8, H, W]
        return torch.sigmoid(self.to_rgb(x))  # [B, 3, H, W]
