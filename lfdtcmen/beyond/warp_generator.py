"""The warp generator: move the identity's own pixels by the difference of two motion codes.

The paper's generator (:mod:`lfdtcmen.modules.generator`) computes every pixel anew. Onset and apex are so alike that it
can produce a good apex without using the motion code at all. Here the only way to another picture is the motion: all
pixels come from the frame that shows the identity, and the generator learns where they move.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.modules.encoder import CODE_CHANNELS, SKIP3_CHANNELS, SKIP5_CHANNELS
from lfdtcmen.modules.generator import Up

VARIANCE_FLOOR = 1e-8  # added to variances that are small themselves: those of differences
STEP = 4.0  # pixels that a field of 1 moves
BRIGHTNESS = 0.2  # largest change of brightness, as a share: folds and shadows that no shift of pixels makes


class WarpGenerator(nn.Module):
    """G(identity, difference of motion codes) on the identity's frame: UP1 to UP3 of Fig. 3, then a field.

    The field has a quarter of the frame's resolution, as muscles move skin smoothly; it starts near zero, so that the
    untrained generator copies the frame. The difference is brought to variance 1 in each channel first (batch
    normalisation without parameters): at the beginning of training it is a few percent as large as the identity code,
    and training makes no progress until it has grown.

    Parameters
    ----------
    multiscale : bool
        Add up fields of four resolutions: those of UP1 and UP2, UP3's as above, and UP4's at half the frame's. Coarse
        fields then describe the motion of large parts of the face, fine ones that of an eyelid.
    """

    def __init__(self, multiscale: bool = False):
        super().__init__()
        self.normalise = nn.BatchNorm2d(CODE_CHANNELS, eps=VARIANCE_FLOOR, affine=False)
        self.up1 = Up(2 * CODE_CHANNELS, 128, SKIP5_CHANNELS)
        self.up2 = Up(128, 64, SKIP3_CHANNELS)
        self.up3 = Up(64, 32)
        self.to_field = nn.Conv2d(32, 3, 3, padding=1)
        self.to_fields = nn.ModuleList()  # of UP1, UP2 and UP4
        if multiscale:
            self.up4 = Up(32, 16)
            self.to_fields.extend(nn.Conv2d(channels, 3, 3, padding=1) for channels in (128, 64, 16))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start with a field close to zero."""
        for convolution in (self.to_field, *self.to_fields):
            nn.init.normal_(convolution.weight, std=1e-3)
            nn.init.zeros_(convolution.bias)

    def forward(self, identity: Tensor, difference: Tensor, skips: tuple[Tensor, Tensor], frame: Tensor) -> Tensor:
        """Move the pixels of ``frame``.

        Parameters
        ----------
        identity : Tensor
            Identity code of the frame, [B, 256, H/32, W/32].
        difference : Tensor
            mo(target) - mo(start), [B, 256, H/32, W/32].
        skips : tuple of Tensor
            The identity encoder's, [B, 32, H/8, W/8] and [B, 64, H/16, W/16].
        frame : Tensor
            RGB in [0, 1], [B, 3, H, W].

        Returns
        -------
        Tensor
            RGB, [B, 3, H, W]; the change of brightness may lead a little beyond 1.
        """
        return warp(frame, self.field(identity, difference, skips))

    def field(self, identity: Tensor, difference: Tensor, skips: tuple[Tensor, Tensor]) -> Tensor:
        """Return the field: x and y in units of 4 pixels, and brightness before its tanh.

        [B, 3, H/4, W/4], or [B, 3, H/2, W/2] with several scales.
        """
        skip3, skip5 = skips
        x = torch.cat([identity, self.normalise(difference)], dim=1)  # [B, 512, H/32, W/32]
        x1 = self.up1(x, skip5)  # [B, 128, H/16, W/16]
        x2 = self.up2(x1, skip3)  # [B, 64, H/8, W/8]
        x3 = self.up3(x2)  # [B, 32, H/4, W/4]
        if not self.to_fields:
            return self.to_field(x3)  # [B, 3, H/4, W/4]
        first, second, last = self.to_fields
        field = _twice(first(x1)) + second(x2)  # [B, 3, H/8, W/8]
        field = _twice(field) + self.to_field(x3)  # [B, 3, H/4, W/4]
        return _twice(field) + last(self.up4(x3))  # [B, 3, H/2, W/2]


def _twice(field: Tensor) -> Tensor:
    return F.interpolate(field, scale_factor=2, mode="bilinear", align_corners=False)


def warp(frame: Tensor, field: Tensor) -> Tensor:
    """Take each pixel from the position to which the field points, and change its brightness.

    Parameters
    ----------
    frame : Tensor
        [B, 3, H, W].
    field : Tensor
        [B, 3, h, w], enlarged to the frame: x and y in units of 4 pixels of a frame 128 wide (the picture's content
        moves the opposite way), and brightness: the pixel is multiplied by 1 + 0.2 tanh of it.
    """
    height, width = frame.shape[2:]
    field = F.interpolate(field.float(), (height, width), mode="bilinear", align_corners=False)
    x = torch.linspace(-1 + 1 / width, 1 - 1 / width, width, device=frame.device)
    y = torch.linspace(-1 + 1 / height, 1 - 1 / height, height, device=frame.device)
    here = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)  # [H, W, 2], from -1 to 1
    there = here + field[:, :2].permute(0, 2, 3, 1) * (2 * STEP / 128)  # [B, H, W, 2]
    moved = F.grid_sample(frame, there, padding_mode="border", align_corners=False)  # [B, 3, H, W]
    return moved * (1 + BRIGHTNESS * torch.tanh(field[:, 2:]))
