"""Disentangled Representation Learning (DRL, 3.1, Fig. 1b): who the face is apart from how it moves."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lfdtcmen.errors import DataError
from lfdtcmen.modules.encoder import CODE_CHANNELS, Encoder, normalise_contrast
from lfdtcmen.modules.generator import Generator
from lfdtcmen.modules.warp import WarpGenerator

Skips = tuple[Tensor, Tensor]
SKIP_SOURCES = {"none": 0, "identity": 1, "motion": 1, "both": 2}


@dataclass
class Codes:
    """What the two encoders make of a batch of frames; identity parts are None without an identity encoder."""

    motion: Tensor  # [B, 256, H/32, W/32]
    motion_skips: Skips
    narrow: Tensor | None = None  # [B, bottleneck, H/32, W/32]: the motion code in its bottleneck, where there is one
    identity: Tensor | None = None  # [B, 256, H/32, W/32]
    identity_skips: Skips | None = None
    frames: Tensor | None = None  # [B, 3, H, W], what was encoded

    def exchanged(self) -> "Codes":
        """Return the motion codes with the halves of the batch exchanged: apexes, then onsets."""
        swap = [torch.cat(part.chunk(2)[::-1]) for part in (self.motion, *self.motion_skips)]
        return Codes(swap[0], tuple(swap[1:]))


class DRL(nn.Module):
    """Two encoders of one form and a generator that recombines their codes.

    Parameters
    ----------
    parts : {"full", "encoders", "motion"}
        Settings III, II and I of Table 4: everything; no generator; the motion encoder alone.
    skips : {"identity", "motion", "both", "none"}
        Whose skip features the generator sees (assumed: identity; with the motion source's skips the swapped
        face takes on the looks of whoever lent the motion).
    generator : {"image", "warp_difference", "warp_multiscale"}
        The paper's, which draws an image; or ours, which moves the identity's frame by the difference of two motion
        codes (:class:`~lfdtcmen.modules.warp.WarpGenerator`), by a field of one resolution or of four.
    bottleneck : int
        Press the motion code through so many channels on its way out of its encoder; 0, as the paper, for none. Ours.
    contrast_normalised : bool
        Show the motion encoder frames without skin colour and light
        (:func:`~lfdtcmen.modules.encoder.normalise_contrast`). Ours.

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
        super().__init__()
        if parts not in ("full", "encoders", "motion"):
            raise DataError(f"unknown DRL parts {parts!r}", "DRL", "use full, encoders or motion")
        if skips not in SKIP_SOURCES:
            raise DataError(f"unknown skips {skips!r}", "DRL", f"use one of {', '.join(SKIP_SOURCES)}")
        if generator not in ("image", "warp_difference", "warp_multiscale"):
            use = "use image, warp_difference or warp_multiscale"
            raise DataError(f"unknown generator {generator!r}", "DRL", use)
        if generator != "image" and skips != "identity":
            raise DataError("the warp generator takes the identity's skips only", "DRL", "use skips='identity'")
        if bottleneck < 0:
            raise DataError(f"a bottleneck of {bottleneck} channels", "DRL", "use 0 for none, or 1 and more")
        self.skips = skips
        self.motion_encoder = Encoder()
        self.identity_encoder = Encoder() if parts != "motion" else None
        self.generator = None
        if parts == "full":
            if generator == "image":
                self.generator = Generator(SKIP_SOURCES[skips])
            else:
                self.generator = WarpGenerator(multiscale=generator == "warp_multiscale")
        self.contrast_normalised = contrast_normalised
        self.narrow, self.widen = None, None
        if bottleneck:
            self.narrow = nn.Conv2d(CODE_CHANNELS, bottleneck, 1, bias=False)
            self.widen = nn.Conv2d(bottleneck, CODE_CHANNELS, 1, bias=False)

    def encode(self, frames: Tensor, identity: bool = True) -> Codes:
        """Encode frames [B, 3, H, W] with both encoders, or with the motion encoder alone, in float32.

        Onset and apex of a batch belong into one call: batch statistics of their own would take away the motion
        that all of them share. bf16 is switched off here: onset and apex differ by a pixel or two, less than its
        eight bits hold.
        """
        with torch.autocast(frames.device.type, enabled=False):
            frames = frames.float()
            seen = normalise_contrast(frames) if self.contrast_normalised else frames
            motion, motion_skips = self.motion_encoder(seen)
            narrow = None
            if self.narrow is not None:
                narrow = self.narrow(motion)
                motion = self.widen(narrow)
            codes = Codes(motion, motion_skips, narrow, frames=frames)
            if self.identity_encoder is not None and identity:
                codes.identity, codes.identity_skips = self.identity_encoder(frames)
            return codes

    def generate(self, identity: Codes, motion: Codes, rest: Codes | None = None) -> Tensor:
        """Draw whom ``identity`` shows in the motion state of ``motion`` (3.1: cross-combination).

        Parameters
        ----------
        identity, motion : Codes
            Of the same frames or of different ones, row by row.
        rest : Codes, optional
            Where the motion begins: what the warp generator takes the difference to. The identity's own frames where it
            is not given; for the motion of somebody else, that person's onset. The paper's generator has no use for it.

        Returns
        -------
        Tensor
            RGB in [0, 1], [B, 3, H, W].
        """
        if isinstance(self.generator, WarpGenerator):
            difference = motion.motion - (rest or identity).motion
            return self.generator(identity.identity, difference, identity.identity_skips, identity.frames)
        skips = {
            "none": lambda: None,
            "identity": lambda: identity.identity_skips,
            "motion": lambda: motion.motion_skips,
            "both": lambda: tuple(
                torch.cat(pair, dim=1) for pair in zip(identity.identity_skips, motion.motion_skips, strict=True)
            ),
        }[self.skips]()
        return self.generator(identity.identity, motion.motion, skips)
