"""The six losses of 3.2, three of ours (change, gain, rest), a file each; their sum: :class:`SynergisticObjectives`."""

from lfdtcmen.losses.change import change
from lfdtcmen.losses.consistency import consistency
from lfdtcmen.losses.contrastive import identity_contrastive
from lfdtcmen.losses.cycle import cycle_reconstruction
from lfdtcmen.losses.emotion import emotion, focal, logit_adjusted
from lfdtcmen.losses.gain import gain
from lfdtcmen.losses.objectives import SynergisticObjectives
from lfdtcmen.losses.orthogonality import soft_orthogonality
from lfdtcmen.losses.perceptual import VGG19
from lfdtcmen.losses.reconstruction import reconstruction
from lfdtcmen.losses.rest import rest

__all__ = [
    "VGG19",
    "SynergisticObjectives",
    "change",
    "consistency",
    "cycle_reconstruction",
    "emotion",
    "focal",
    "gain",
    "identity_contrastive",
    "logit_adjusted",
    "reconstruction",
    "rest",
    "soft_orthogonality",
]
