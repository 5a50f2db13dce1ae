"""The six losses of 3.2, a file each, and their sum (:class:`SynergisticObjectives`)."""

from lfdtcmen.losses.consistency import consistency
from lfdtcmen.losses.contrastive import identity_contrastive
from lfdtcmen.losses.cycle import cycle_reconstruction
from lfdtcmen.losses.emotion import emotion, focal, logit_adjusted
from lfdtcmen.losses.objectives import SynergisticObjectives
from lfdtcmen.losses.orthogonality import soft_orthogonality
from lfdtcmen.losses.perceptual import VGG19
from lfdtcmen.losses.reconstruction import reconstruction

__all__ = [
    "VGG19",
    "SynergisticObjectives",
    "consistency",
    "cycle_reconstruction",
    "emotion",
    "focal",
    "identity_contrastive",
    "logit_adjusted",
    "reconstruction",
    "soft_orthogonality",
]
