"""The whole network with what we changed: the paper's forward pass on our DRL and our TCME."""

from dataclasses import dataclass

from torch import Tensor

from lfdtcmen.beyond.extended_drl import ExtendedCodes, ExtendedDRL
from lfdtcmen.beyond.extended_tcme import ExtendedTCME
from lfdtcmen.modules.drl import DRL, Codes
from lfdtcmen.modules.network import LFDTCMEN, Output
from lfdtcmen.modules.tcme import TCME

NARROW = frozenset({"narrow_onset", "narrow_apex"})


@dataclass
class ExtendedOutput(Output):
    """One forward pass, with the motion codes in their bottleneck and each branch's own logits where there are any."""

    narrow_onset: Tensor | None = None  # [B, bottleneck, H/32, W/32]
    narrow_apex: Tensor | None = None
    branch_logits: Tensor | None = None  # [2, B, C], with late fusion


class ExtendedLFDTCMEN(LFDTCMEN):
    """LFD-TCMEN with the changes of :class:`~lfdtcmen.beyond.extended_drl.ExtendedDRL` and of
    :class:`~lfdtcmen.beyond.extended_tcme.ExtendedTCME`.

    Parameters
    ----------
    num_classes : int
    paper : mapping
        Settings of :class:`~lfdtcmen.modules.network.LFDTCMEN` by name: flow, skips, drl, motion.
    drl_extensions : mapping
        Settings of ExtendedDRL by name: generator, bottleneck, contrast_normalised.
    tcme_extensions : mapping
        Settings of ExtendedTCME by name: normalised_difference, fusion.
    """

    def __init__(self, num_classes: int, paper: dict, drl_extensions: dict, tcme_extensions: dict):
        self._drl_extensions, self._tcme_extensions = drl_extensions, tcme_extensions
        super().__init__(num_classes, **paper)

    def make_drl(self, parts: str, skips: str) -> DRL:
        """Return the extended DRL."""
        return ExtendedDRL(parts, skips, **self._drl_extensions)

    def make_tcme(self, num_classes: int, motion: str | None, flow: str | None) -> TCME:
        """Return the extended TCME."""
        return ExtendedTCME(num_classes, motion, flow, **self._tcme_extensions)

    @property
    def lacks(self) -> frozenset[str]:
        """The fields of :class:`ExtendedOutput` that this setting of the network can never make."""
        has_bottleneck = isinstance(self.drl, ExtendedDRL) and self.drl.narrow is not None
        return super().lacks if has_bottleneck else super().lacks | NARROW

    def new_output(self) -> ExtendedOutput:
        """Return the empty output that a forward pass fills."""
        return ExtendedOutput()

    def keep_codes(self, codes: Codes, output: Output) -> None:
        """Write the codes of onsets and apexes into the output, those in the bottleneck as well."""
        super().keep_codes(codes, output)
        assert isinstance(codes, ExtendedCodes) and isinstance(output, ExtendedOutput)
        if codes.narrow is not None:
            output.narrow_onset, output.narrow_apex = codes.narrow.chunk(2)
