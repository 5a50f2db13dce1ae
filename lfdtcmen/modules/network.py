"""The whole network (Fig. 1): DRL, then TCME, and every ablated setting of Tables 4-6 by arguments."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lfdtcmen.errors import DataError
from lfdtcmen.modules.batch import Batch
from lfdtcmen.modules.drl import DRL, Codes
from lfdtcmen.modules.tcme import TCME


@dataclass
class Output:
    """One forward pass. ``hat`` is the cross-combined image I^ (3.1), ``tilde`` the cycle's I~ (3.2.3).

    What the pass was not asked for, or the network does not have, is None.
    """

    # codes of the real frames, [B, 256, H/32, W/32]
    id_onset: Tensor | None = None
    id_apex: Tensor | None = None
    mo_onset: Tensor | None = None
    mo_apex: Tensor | None = None
    # motion codes in their bottleneck, where there is one, [B, bottleneck, H/32, W/32]
    narrow_onset: Tensor | None = None
    narrow_apex: Tensor | None = None
    # cross-combined images, [B, 3, H, W], and their codes
    onset_hat: Tensor | None = None
    apex_hat: Tensor | None = None
    id_onset_hat: Tensor | None = None
    id_apex_hat: Tensor | None = None
    mo_onset_hat: Tensor | None = None
    mo_apex_hat: Tensor | None = None
    # images of the cycle, [B, 3, H, W]
    onset_tilde: Tensor | None = None
    apex_tilde: Tensor | None = None
    # TCME
    attention: Tensor | None = None  # [B, 256, H/32, W/32]
    spatial: Tensor | None = None  # [B, 256]
    temporal: Tensor | None = None  # [B, 256]
    logits: Tensor | None = None  # [B, C]
    branch_logits: list[Tensor] | None = None  # [B, C] of each branch, with late fusion


class LFDTCMEN(nn.Module):
    """Learnable Feature Disentanglement with Temporal-Complemented Motion Enhancement.

    Parameters
    ----------
    num_classes : int
        7 for DFME, 3 for CAS(ME)^3.
    flow : {"triple", "single", None}
        The optical flow branch: three streams, one, none (Tables 5 and 6; 7.92 M and 5.49 M parameters).
    skips : {"identity", "motion", "both", "none"}
        Whose skip features the generator sees.
    drl : {"full", "encoders", "motion", None}
        Settings III, II, I of Table 4; None with ``motion=None`` for the flow branch alone.
    motion : {"branch", "encoder", None}
        Motion branch; pooled motion codes (Table 6, setting I); nothing.
    generator, bottleneck, contrast_normalised
        See :class:`~lfdtcmen.modules.drl.DRL`. Ours, beyond the paper.
    normalised_difference, fusion
        See :class:`~lfdtcmen.modules.tcme.TCME`. Ours, beyond the paper.

    Raises
    ------
    DataError
        Unknown or contradicting settings.

    Examples
    --------
    >>> model = LFDTCMEN(num_classes=3)
    >>> batch = Batch(onset=torch.rand(2, 3, 128, 128), apex=torch.rand(2, 3, 128, 128), flow=torch.zeros(2, 3, 28, 28))
    >>> model(batch).logits.shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        num_classes: int = 7,
        flow: str | None = "triple",
        skips: str = "identity",
        drl: str | None = "full",
        motion: str | None = "branch",
        generator: str = "image",
        bottleneck: int = 0,
        contrast_normalised: bool = False,
        normalised_difference: bool = False,
        fusion: str = "concatenate",
    ):
        super().__init__()
        if num_classes < 2:
            raise DataError(f"num_classes is {num_classes}", "LFDTCMEN", "a classifier needs two classes or more")
        if drl is None and motion is not None:
            raise DataError("the motion part needs a motion encoder", "LFDTCMEN", "give drl, or motion=None")
        self.drl = DRL(drl, skips, generator, bottleneck, contrast_normalised) if drl is not None else None
        self.tcme = TCME(num_classes, motion, flow, normalised_difference, fusion)
        self.to(memory_format=torch.channels_last)  # the faster layout for convolutions, on CPU and GPU

    def forward(
        self,
        batch: Batch,
        reconstruct: bool = False,
        classify: bool = True,
        identity: bool = True,
        again: bool = True,
    ) -> Output:
        """Run the network on one batch.

        Parameters
        ----------
        batch : Batch
        reconstruct : bool
            Cross-combine, re-encode and close the cycle as well: what the SDO losses need (stages 1 and 3).
        classify : bool
            Run TCME (stages 2 and 3, and prediction).
        identity : bool
            Encode who the faces are. Nothing that classifies looks at it: stage 2 and prediction do without.
        again : bool
            With ``reconstruct``: re-encode the synthetic images and close the cycle. The change loss does without.

        Raises
        ------
        DataError
            Frames or flow of wrong shape, range or dtype, or not finite; a setting without generator asked to
            reconstruct.
        """
        batch.check()
        output = Output()
        if reconstruct and not identity:
            raise DataError("reconstruction needs the identity codes", "LFDTCMEN", "call it with identity=True")
        if reconstruct and (self.drl is None or self.drl.generator is None):
            raise DataError("this setting has no generator", "LFDTCMEN(drl=...)", "call it with reconstruct=False")
        if self.drl is not None:
            codes = self.drl.encode(torch.cat([batch.onset, batch.apex]), identity)  # both frames at once, [2B, ...]
            output.mo_onset, output.mo_apex = codes.motion.chunk(2)
            if codes.narrow is not None:
                output.narrow_onset, output.narrow_apex = codes.narrow.chunk(2)
            if codes.identity is not None:
                output.id_onset, output.id_apex = codes.identity.chunk(2)
            if reconstruct:
                self._reconstruct(codes, output, again)
        if classify:
            with torch.autocast(batch.onset.device.type, enabled=False):
                for name, value in self.tcme(output.mo_onset, output.mo_apex, batch.flow).items():
                    setattr(output, name, value)
        return output

    def _reconstruct(self, codes: Codes, output: Output, again: bool) -> None:
        """Cross-combination and cycle. The batch holds onsets, then apexes; the motion's halves are exchanged."""
        # whose identity: [onset, apex]; whose motion: [apex, onset]. So the first half draws I^_ap, the second I^_on
        hat = self.drl.generate(codes, codes.exchanged())  # [2B, 3, H, W]
        output.apex_hat, output.onset_hat = hat.chunk(2)
        if not again:
            return
        second = self.drl.encode(hat)
        tilde = self.drl.generate(second, second)  # [2B, 3, H, W]
        output.id_apex_hat, output.id_onset_hat = second.identity.chunk(2)
        output.mo_apex_hat, output.mo_onset_hat = second.motion.chunk(2)
        output.apex_tilde, output.onset_tilde = tilde.chunk(2)
