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

    Fields that were not asked for, or that the network cannot make, are None.
    """

    # codes of the real frames, [B, 256, H/32, W/32]
    id_onset: Tensor | None = None
    id_apex: Tensor | None = None
    mo_onset: Tensor | None = None
    mo_apex: Tensor | None = None
    # cross-combined images, [B, 3, H, W]
    onset_hat: Tensor | None = None
    apex_hat: Tensor | None = None
    # the cycle: codes of the cross-combined images, [B, 256, H/32, W/32], and images from these, [B, 3, H, W]
    id_onset_hat: Tensor | None = None
    id_apex_hat: Tensor | None = None
    mo_onset_hat: Tensor | None = None
    mo_apex_hat: Tensor | None = None
    onset_tilde: Tensor | None = None
    apex_tilde: Tensor | None = None
    # TCME
    attention: Tensor | None = None  # [B, 256, H/32, W/32]
    spatial: Tensor | None = None  # [B, 256]; [B, 512] with motion="encoder"
    temporal: Tensor | None = None  # [B, 256]
    logits: Tensor | None = None  # [B, C]

    def take(self, *fields: str) -> list[Tensor]:
        """Return fields by name.

        Raises
        ------
        DataError
            The forward pass was not asked for one of them, or the network does not have it.
        """
        for field in fields:
            if getattr(self, field) is None:
                fix = "call the model with what makes it (reconstruct, cycle, classify, identity)"
                raise DataError(f"the forward pass made no {field}", "Output", fix)
        return [getattr(self, field) for field in fields]


# fields of Output by the part of the network, or of the forward pass, that makes them
IDENTITY = frozenset({"id_onset", "id_apex"})
GENERATED = frozenset({"onset_hat", "apex_hat"})
CYCLE = frozenset({"id_onset_hat", "id_apex_hat", "mo_onset_hat", "mo_apex_hat", "onset_tilde", "apex_tilde"})


class LFDTCMEN(nn.Module):
    """Learnable Feature Disentanglement with Temporal-Complemented Motion Enhancement.

    Parameters
    ----------
    num_classes : int
        7 for DFME, 3 for CAS(ME)^3.
    flow : {"triple", "single", None}
        The optical flow branch: three streams (7.92 M parameters), one, none (5.49 M); Tables 5 and 6.
    skips : {"identity", "motion", "both", "none"}
        Whose skip features the generator sees.
    drl : {"full", "encoders", "motion", None}
        Settings III, II, I of Table 4; None with ``motion=None`` for the flow branch alone.
    motion : {"branch", "encoder", None}
        Motion branch; pooled motion codes (Table 6, setting I); nothing.

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
    ):
        super().__init__()
        if num_classes < 2:
            raise DataError(f"num_classes is {num_classes}", "LFDTCMEN", "a classifier needs two classes or more")
        if drl is None and motion is not None:
            raise DataError("the motion part needs a motion encoder", "LFDTCMEN", "give drl, or motion=None")
        # DRL is initialised first: networks that differ in TCME alone begin with the same encoders and generator
        self.drl = self.make_drl(drl, skips) if drl is not None else None
        self.tcme = self.make_tcme(num_classes, motion, flow)
        # the faster layout for convolutions, on CPU and GPU
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def make_drl(self, parts: str, skips: str) -> DRL:
        """Build the DRL."""
        return DRL(parts, skips)

    def make_tcme(self, num_classes: int, motion: str | None, flow: str | None) -> TCME:
        """Build the TCME."""
        return TCME(num_classes, motion, flow)

    @property
    def lacks(self) -> frozenset[str]:
        """The identity, generated and cycle fields of :class:`Output` that this setting can never make."""
        if self.drl is None or self.drl.identity_encoder is None:
            return IDENTITY | GENERATED | CYCLE
        return GENERATED | CYCLE if self.drl.generator is None else frozenset()

    def forward(
        self,
        batch: Batch,
        *,
        reconstruct: bool = False,
        cycle: bool = True,
        classify: bool = True,
        identity: bool = True,
        check: bool = True,
    ) -> Output:
        """Run the network on one batch.

        Parameters
        ----------
        batch : Batch
        reconstruct : bool
            Cross-combine as well: what the SDO losses need (stages 1 and 3).
        cycle : bool
            With ``reconstruct``: re-encode the generated images and close the cycle.
        classify : bool
            Run TCME (stages 2 and 3, and prediction).
        identity : bool
            Compute the identity codes. Classification does not use them: stage 2 and prediction leave them out.
        check : bool
            Look at the values of the batch, and wait for the device. Training has checked its data before.

        Raises
        ------
        DataError
            Frames or flow of wrong shape, range or dtype, or not finite; a setting without generator asked to
            reconstruct.
        """
        batch.check(check)
        if reconstruct and not identity:
            raise DataError("reconstruction needs the identity codes", "LFDTCMEN", "call it with identity=True")
        if reconstruct and (self.drl is None or self.drl.generator is None):
            raise DataError("this setting has no generator", "LFDTCMEN(drl=...)", "call it with reconstruct=False")
        output = self.new_output()
        if self.drl is not None:
            codes = self.drl.encode(torch.cat([batch.onset, batch.apex]), identity)  # both frames at once, [2B, ...]
            self.keep_codes(codes, output)
            if reconstruct:
                # identities of [onset, apex], motions of [apex, onset]: the first half is I^_ap, the second I^_on
                hat = self.drl.generate(codes, codes.exchanged())  # [2B, 3, H, W]
                output.apex_hat, output.onset_hat = hat.chunk(2)
                if cycle:
                    self.close_cycle(hat, output)
        if classify:
            with torch.autocast(batch.onset.device.type, enabled=False):
                for name, value in self.tcme(output.mo_onset, output.mo_apex, batch.flow).items():
                    setattr(output, name, value)
        return output

    def new_output(self) -> Output:
        """Return the empty output that a forward pass fills."""
        return Output()

    def keep_codes(self, codes: Codes, output: Output) -> None:
        """Write the codes of onsets (first half of the batch) and apexes (second half) into the output."""
        output.mo_onset, output.mo_apex = codes.motion.chunk(2)
        if codes.identity is not None:
            output.id_onset, output.id_apex = codes.identity.chunk(2)

    def close_cycle(self, hat: Tensor, output: Output) -> None:
        """Encode the cross-combined images [2B, 3, H, W] and generate them from their own codes (3.2.3)."""
        assert self.drl is not None
        codes = self.drl.encode(hat)
        tilde = self.drl.regenerate(codes)  # [2B, 3, H, W]
        assert codes.identity is not None
        output.id_apex_hat, output.id_onset_hat = codes.identity.chunk(2)
        output.mo_apex_hat, output.mo_onset_hat = codes.motion.chunk(2)
        output.apex_tilde, output.onset_tilde = tilde.chunk(2)
