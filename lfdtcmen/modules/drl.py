"""Disentangled Representation Learning (DRL, 3.1, Fig. 1b): identity and motion of a face in separate codes."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lfdtcmen.errors import DataError
from lfdtcmen.modules.encoder import Encoder
from lfdtcmen.modules.generator import Generator

Skips = tuple[Tensor, Tensor]
SKIP_SOURCES = {"none": 0, "identity": 1, "motion": 1, "both": 2}  # how many encoders pass their skips to the generator


@dataclass
class Codes:
    """The codes of a batch of frames from both encoders; identity parts are None without an identity encoder."""

    motion: Tensor  # [B, 256, H/32, W/32]
    motion_skips: Skips
    identity: Tensor | None = None  # [B, 256, H/32, W/32]
    identity_skips: Skips | None = None

    def exchanged(self) -> "Codes":
        """Return the motion codes with the halves of the batch exchanged: apexes, then onsets."""
        motion, skip3, skip5 = (torch.cat(part.chunk(2)[::-1]) for part in (self.motion, *self.motion_skips))
        return Codes(motion, (skip3, skip5))


class DRL(nn.Module):
    """Two encoders of the same form and a generator that recombines their codes.

    Parameters
    ----------
    parts : {"full", "encoders", "motion"}
        Settings III, II and I of Table 4: everything; no generator; the motion encoder alone.
    skips : {"identity", "motion", "both", "none"}
        Whose skip features the generator sees (assumed: identity; with the skips of the motion's frame, the
        generated face takes on the looks of the person in that frame).

    Raises
    ------
    DataError
        Unknown ``parts`` or ``skips``.
    """

    def __init__(self, parts: str = "full", skips: str = "identity"):
        super().__init__()
        if parts not in ("full", "encoders", "motion"):
            raise DataError(f"unknown DRL parts {parts!r}", "DRL", "use full, encoders or motion")
        if skips not in SKIP_SOURCES:
            raise DataError(f"unknown skips {skips!r}", "DRL", f"use one of {', '.join(SKIP_SOURCES)}")
        self.skips = skips
        self.motion_encoder = Encoder()
        self.identity_encoder = Encoder() if parts != "motion" else None
        self.generator = self.make_generator() if parts == "full" else None

    def make_generator(self) -> nn.Module:
        """Build the generator."""
        return Generator(SKIP_SOURCES[self.skips])

    def encode(self, frames: Tensor, identity: bool = True) -> Codes:
        """Encode frames [B, 3, H, W] with both encoders, or with the motion encoder alone, in float32.

        Encode onset and apex of a batch in one call: separate batch statistics would remove the motion that all pairs
        share. bf16 is switched off here: onset and apex differ little, and rounding to its eight significant bits
        could hide the difference of their codes.
        """
        with torch.autocast(frames.device.type, enabled=False):
            frames = frames.float()
            codes = Codes(*self.motion_encoder(frames))
            if self.identity_encoder is not None and identity:
                codes.identity, codes.identity_skips = self.identity_encoder(frames)
            return codes

    def generate(self, identity: Codes, motion: Codes) -> Tensor:
        """Generate the person of ``identity`` in the motion state of ``motion`` (3.1: cross-combination).

        Parameters
        ----------
        identity, motion : Codes
            Of the same frames or of different ones, row by row.

        Returns
        -------
        Tensor
            RGB in [0, 1], [B, 3, H, W].
        """
        assert self.generator is not None and identity.identity_skips is not None
        both = zip(identity.identity_skips, motion.motion_skips, strict=True)
        skips = {
            "none": lambda: None,
            "identity": lambda: identity.identity_skips,
            "motion": lambda: motion.motion_skips,
            "both": lambda: tuple(torch.cat(pair, dim=1) for pair in both),
        }[self.skips]()
        return self.generator(identity.identity, motion.motion, skips)

    def regenerate(self, codes: Codes) -> Tensor:
        """Generate frames [2B, 3, H, W], apexes and onsets, from their own codes (3.2.3)."""
        return self.generate(codes, codes)
