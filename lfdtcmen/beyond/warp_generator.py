"""The warp generator: move the identity's own pixels by the difference of two motion codes.

The paper's generator (:mod:`lfdtcmen.modules.generator`) computes every pixel anew. Onset and apex are so alike that it
can produce a good apex without using the motion code at all. This generator invents no pixels: it computes a field (the
shift of each pixel and a change of its brightness) and applies it to the frame that shows the identity.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.modules.encoder import CODE_CHANNELS, SKIP3_CHANNELS, SKIP5_CHANNELS
from lfdtcmen.modules.generator import Up

VARIANCE_FLOOR = 1e-8  # added to variances before dividing by them; small, as variances of code differences are
STEP = 4.0  # pixels by which a field value of 1 shifts, in a frame 128 pixels wide
BRIGHTNESS = 0.2  # largest relative change of brightness, for wrinkles and shadows that a shift cannot make


class WarpGenerator(nn.Module):
    """G(identity, difference of motion codes): blocks UP1 to UP3 of Fig. 3, then a convolution that gives the field.

    The field has a quarter of the frame's resolution, as muscles move skin smoothly; it starts near zero, so that the
    untrained generator copies the frame. The difference is first scaled to variance 1 in each channel (batch
    normalisation without parameters): unscaled, it is at first a few percent as large as the identity code, and
    training would make no progress until it has grown.

    Parameters
    ----------
    multiscale : bool
        Add up fields of four resolutions, from UP1 (1/16 of the frame's) to UP4 (1/2), instead of UP3's alone. Coarse
        fields then describe the motion of large parts of the face, fine ones that of an eyelid.
    """

    def __init__(self, multiscale: bool = False):
        super().__init__()
        self.normalise = nn.BatchNorm2d(CODE_CHANNELS, eps=VARIANCE_FLOOR, affine=False)
        self.up1 = Up(2 * CODE_CHANNELS, 128, SKIP5_CHANNELS)
        self.up2 = Up(128, 64, SKIP3_CHANNELS)
        self.up3 = Up(64, 32)
        self.to_field = nn.Conv2d(32, 3, 3, padding=1)
        self.to_fields = nn.ModuleList()  # from the outputs of UP1, UP2 and UP4
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
            Skip connections of the identity encoder, [B, 32, H/8, W/8] and [B, 64, H/16, W/16].
        frame : Tensor
            RGB in [0, 1], [B, 3, H, W].

        Returns
        -------
        Tensor
            RGB, [B, 3, H, W]; the change of brightness may exceed 1, by up to 20 %.
        """
        return warp(frame, self.field(identity, difference, skips))

    def field(self, identity: Tensor, difference: Tensor, skips: tuple[Tensor, Tensor]) -> Tensor:
        """Return the field: shifts x and y in units of 4 pixels, and b, the brightness before tanh (:func:`warp`).

        [B, 3, H/4, W/4], or [B, 3, H/2, W/2] with ``multiscale``.
        """
        skip3, skip5 = skips
        x = torch.cat([identity, self.normalise(difference)], dim=1)  # [B, 512, H/32, W/32]
        x1 = self.up1(x, skip5)  # [B, 128, H/16, W/16]
        x2 = self.up2(x1, skip3)  # [B, 64, H/8, W/8]
        x3 = self.up3(x2)  # [B, 32, H/4, W/4]
        if not self.to_fields:
            return self.to_field(x3)  # [B, 3, H/4, W/4]
        first, second, last = self.to_fields
        field = _enlarge_twice(first(x1)) + second(x2)  # [B, 3, H/8, W/8]
        field = _enlarge_twice(field) + self.to_field(x3)  # [B, 3, H/4, W/4]
        return _enlarge_twice(field) + last(self.up4(x3))  # [B, 3, H/2, W/2]


def _enlarge_twice(field: Tensor) -> Tensor:
    return F.interpolate(field, scale_factor=2, mode="bilinear", align_corners=False)


def warp(frame: Tensor, field: Tensor) -> Tensor:
    """Take each pixel from the position to which the field points, and change its brightness.

    Parameters
    ----------
    frame : Tensor
        [B, 3, H, W].
    field : Tensor
        [B, 3, h, w], resized to the frame: x and y from each pixel to the position it is taken from, in units of 4
        pixels of a frame 128 wide (so the content moves the opposite way), and b: the pixel is multiplied by
        1 + 0.2 tanh(b).
    """
    height, width = frame.shape[2:]
    field = F.interpolate(field.float(), (height, width), mode="bilinear", align_corners=False)
    x = torch.linspace(-1 + 1 / width, 1 - 1 / width, width, device=frame.device)
    y = torch.linspace(-1 + 1 / height, 1 - 1 / height, height, device=frame.device)
    own = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)  # [H, W, 2], from -1 to 1
    source = own + field[:, :2].permute(0, 2, 3, 1) * (2 * STEP / 128)  # [B, H, W, 2]
    moved = F.grid_sample(frame, source, padding_mode="border", align_corners=False)  # [B, 3, H, W]
    return moved * (1 + BRIGHTNESS * torch.tanh(field[:, 2:]))
