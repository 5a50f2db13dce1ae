"""The facial encoder (3.1.1, Fig. 2): eight convolutions from a face to a 256-channel code, with two skips."""

from torch import Tensor, nn

CODE_CHANNELS = 256
SKIP3_CHANNELS = 32
SKIP5_CHANNELS = 64


def conv_bn_relu(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Return convolution, batch normalisation and ReLU; the size stays at stride 1 and halves at stride 2."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class Encoder(nn.Module):
    """One frame to its code. E_id and E_mo have this form with separate weights.

    Stated: eight convolutions, the first three widths (8, 16, 32), 3x3 kernels of conv4 and conv6, skips after conv3
    and conv5, and the final 256. Assumed: the widths in between and the strides, chosen so that the parameters of the
    whole network come to the stated totals; 3x3 kernels elsewhere; batch normalisation and ReLU. conv8 ends without a
    ReLU (assumed): behind one, all codes are positive and the squared cosine of any two of them starts near 0.8.
    """

    def __init__(self):
        super().__init__()
        self.conv1 = conv_bn_relu(3, 8, stride=2)
        self.conv2 = conv_bn_relu(8, 16, stride=2)
        self.conv3 = conv_bn_relu(16, SKIP3_CHANNELS, stride=2)
        self.conv4 = conv_bn_relu(SKIP3_CHANNELS, 32)
        self.conv5 = conv_bn_relu(32, SKIP5_CHANNELS, stride=2)
        self.conv6 = conv_bn_relu(SKIP5_CHANNELS, 64)
        self.conv7 = conv_bn_relu(64, 128, stride=2)
        self.conv8 = nn.Sequential(
            nn.Conv2d(128, CODE_CHANNELS, 3, padding=1, bias=False), nn.BatchNorm2d(CODE_CHANNELS)
        )

    def forward(self, frame: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Encode frames.

        Parameters
        ----------
        frame : Tensor
            RGB in [0, 1], [B, 3, H, W], H and W multiples of 32.

        Returns
        -------
        code : Tensor
            [B, 256, H/32, W/32].
        skips : tuple of Tensor
            Features after conv3, [B, 32, H/8, W/8], and after conv5, [B, 64, H/16, W/16].
        """
        x = self.conv1(frame)  # [B, 8, H/2, W/2]
        x = self.conv2(x)  # [B, 16, H/4, W/4]
        skip3 = self.conv3(x)  # [B, 32, H/8, W/8]
        x = self.conv4(skip3)  # [B, 32, H/8, W/8]
        skip5 = self.conv5(x)  # [B, 64, H/16, W/16]
        x = self.conv6(skip5)  # [B, 64, H/16, W/16]
        x = self.conv7(x)  # [B, 128, H/32, W/32]
        return self.conv8(x), (skip3, skip5)  # [B, 256, H/32, W/32]
