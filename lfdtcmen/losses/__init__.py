"""The six losses of 3.2, a file each, and their weighted sum: :class:`SynergisticObjectives` (SDO)."""

from lfdtcmen.losses.consistency_loss import consistency
from lfdtcmen.losses.contrastive_loss import identity_contrastive
from lfdtcmen.losses.cycle_loss import cycle_reconstruction
from lfdtcmen.losses.emotion_loss import emotion
from lfdtcmen.losses.objectives import OBJECTIVES, Objective, SynergisticObjectives
from lfdtcmen.losses.orthogonality_loss import soft_orthogonality
from lfdtcmen.losses.perceptual import VGG19
from lfdtcmen.losses.reconstruction_loss import reconstruction

__all__ = [
    "OBJECTIVES",
    "VGG19",
    "Objective",
    "SynergisticObjectives",
    "consistency",
    "cycle_reconstruction",
    "emotion",
    "identity_contrastive",
    "reconstruction",
    "soft_orthogonality",
]
