"""LFD-TCMEN: learnable feature disentanglement for micro-expression recognition, to run, read and teach."""

from importlib import import_module
from typing import TYPE_CHECKING

from lfdtcmen.config import Config, load_config
from lfdtcmen.errors import DataError

if TYPE_CHECKING:
    from lfdtcmen.losses.objectives import SynergisticObjectives
    from lfdtcmen.modules.batch import Batch
    from lfdtcmen.modules.network import LFDTCMEN

__version__ = "0.1.0"
__all__ = ["LFDTCMEN", "Batch", "Config", "DataError", "SynergisticObjectives", "load_config"]

# what needs torch is imported when first asked for: the command line answers at once, `doctor` also without torch
_NEEDS_TORCH = {
    "LFDTCMEN": "lfdtcmen.modules.network",
    "Batch": "lfdtcmen.modules.batch",
    "SynergisticObjectives": "lfdtcmen.losses.objectives",
}


def __getattr__(name: str) -> object:
    if name in _NEEDS_TORCH:
        return getattr(import_module(_NEEDS_TORCH[name]), name)
    raise AttributeError(f"module 'lfdtcmen' has no attribute {name!r}")
