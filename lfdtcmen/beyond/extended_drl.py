"""DRL with a generator that warps, a bottleneck for the motion code, and frames without skin colour and light."""

from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lfdtcmen.beyond.warp_generator import WarpGenerator
from lfdtcmen.config import CHOICES
from lfdtcmen.errors import DataError
from lfdtcmen.modules.drl import DRL, Codes
from lfdtcmen.modules.encoder import CODE_CHANNELS


@dataclass
class ExtendedCodes(Codes):
    """The codes of a batch of frames, the motion code also in its bottleneck (``narrow``), and the frames."""

    narrow: Tensor | None = None  # [B, bottleneck, H/32, W/32]
    frames: Tensor | None = None  # [B, 3, H, W]


class ExtendedDRL(DRL):
    """Two encoders and a generator (:class:`~lfdtcmen.modules.drl.DRL`), with what we changed.

    Parameters
    ----------
    parts, skips
        As in :class:`~lfdtcmen.modules.drl.DRL`.
    generator : {"image", "warp_difference", "warp_multiscale"}
        The paper's; or ours, which moves the identity's frame by the difference of two motion codes, by a field of one
        resolution or of four (:class:`~lfdtcmen.beyond.warp_generator.WarpGenerator`).
    bottleneck : int
        Number of channels to which the motion code is reduced behind its encoder; 0: no bottleneck.
    contrast_normalised : bool
        Give the motion encoder frames without skin colour and light (:func:`normalise_contrast`).

    Raises
    ------
    DataError
        Unknown ``parts``, ``skips`` or ``generator``; skips that the warp generator does not take; a negative
        bottleneck.
    """

    def __init__(
        self,
        parts: str = "full",
        skips: str = "identity",
        generator: str = "image",
        bottleneck: int = 0,
        contrast_normalised: bool = False,
    ):
        if generator not in CHOICES["generator"]:
            use = f"use one of {', '.join(CHOICES['generator'])}"
            raise DataError(f"unknown generator {generator!r}", "DRL", use)
        if generator != "image" and skips != "identity":
            raise DataError("the warp generator takes the identity's skips only", "DRL", "use skips='identity'")
        if bottleneck < 0:
            raise DataError(f"a bottleneck of {bottleneck} channels", "DRL", "use 0 for none, or 1 and more")
        self._generator_name = generator
        super().__init__(parts, skips)
        self.contrast_normalised = contrast_normalised
        self.narrow, self.widen = None, None
        if bottleneck:
            self.narrow = nn.Conv2d(CODE_CHANNELS, bottleneck, 1, bias=False)
            self.widen = nn.Conv2d(bottleneck, CODE_CHANNELS, 1, bias=False)

    def make_generator(self) -> nn.Module:
        """Return the paper's generator, or one that warps."""
        if self._generator_name == "image":
            return super().make_generator()
        return WarpGenerator(multiscale=self._generator_name == "warp_multiscale")

    def encode(self, frames: Tensor, identity: bool = True) -> ExtendedCodes:
        """Encode frames [B, 3, H, W] with both encoders, or with the motion encoder alone, in float32."""
        with torch.autocast(frames.device.type, enabled=False):
            frames = frames.float()
            motion, motion_skips = self.motion_encoder(
                normalise_contrast(frames) if self.contrast_normalised else frames
            )
            narrow = None
            if self.narrow is not None and self.widen is not None:
                narrow = self.narrow(motion)
                motion = self.widen(narrow)
            codes = ExtendedCodes(motion, motion_skips, narrow=narrow, frames=frames)
            if self.identity_encoder is not None and identity:
                codes.identity, codes.identity_skips = self.identity_encoder(frames)
            return codes

    def generate(self, identity: Codes, motion: Codes, start: Codes | None = None) -> Tensor:
        """Generate the person of ``identity`` in the motion state of ``motion``.

        Parameters
        ----------
        identity, motion : Codes
            Of the same frames or of different ones, row by row.
        start : Codes, optional
            The frame in which the motion begins: the warp generator uses the difference of ``motion`` to it. By
            default, the identity's own frame; for the motion of a driver, the driver's onset. The paper's generator
            does not use it.

        Returns
        -------
        Tensor
            RGB in [0, 1], [B, 3, H, W].
        """
        if not isinstance(self.generator, WarpGenerator):
            return super().generate(identity, motion)
        assert isinstance(identity, ExtendedCodes) and identity.frames is not None
        assert identity.identity is not None and identity.identity_skips is not None
        difference = motion.motion - (start or identity).motion
        return self.generator(identity.identity, difference, identity.identity_skips, identity.frames)

    def regenerate(self, codes: Codes) -> Tensor:
        """Generate frames [2B, 3, H, W], apexes and onsets; the warp generator moves each to the state of the other.

        From its own codes a frame would be moved by a difference of zero: it would learn nothing, and such differences
        would spoil the variance by which the generator normalises.
        """
        if not isinstance(self.generator, WarpGenerator):
            return super().regenerate(codes)
        onset, apex = self.generate(codes, codes.exchanged()).chunk(2)
        return torch.cat([apex, onset])


def generate_from(drl: DRL, identity: Codes, motion: Codes, start: Codes | None) -> Tensor:
    """Generate as ``drl`` does, with the start of the motion for an extended one; the paper's takes none."""
    if isinstance(drl, ExtendedDRL):
        return drl.generate(identity, motion, start)
    return drl.generate(identity, motion)


def normalise_contrast(frames: Tensor, window: int = 17, floor: float = 0.02) -> Tensor:
    """Return grey frames with mean 0 and variance 1 around each pixel: shapes stay, skin colour and light go.

    Parameters
    ----------
    frames : Tensor
        RGB in [0, 1], [B, 3, H, W].
    window : int
        Side of the square around a pixel, odd.
    floor : float
        Noise is not amplified where the standard deviation is far below this value.

    Returns
    -------
    Tensor
        [B, 3, H, W], three equal channels.
    """

    height, width = frames.shape[2:]
    # [W, W] and [H, H]
    columns, rows = (_averaging(size, window, frames.device).to(frames.dtype) for size in (width, height))

    def around(x: Tensor) -> Tensor:  # mean of the square around each pixel
        return rows @ x @ columns.T

    grey = frames.mean(1, keepdim=True)  # [B, 1, H, W]
    centred = grey - around(grey)
    return (centred / (around(centred.square()) + floor**2).sqrt()).expand(-1, 3, -1, -1)


@lru_cache
def _averaging(size: int, window: int, device: torch.device) -> Tensor:
    """Return the matrix that averages each of ``size`` values with its neighbours, those at the border repeated.

    A product with it takes a fifth of the time of ``avg_pool2d``.
    """
    with torch.inference_mode(False):  # it is kept, and may be asked for while gradients are recorded
        offsets = torch.arange(window) - window // 2
        near = (torch.arange(size)[:, None] + offsets).clamp(0, size - 1)  # [size, window]
        return (F.one_hot(near, size).sum(1) / window).to(device)
