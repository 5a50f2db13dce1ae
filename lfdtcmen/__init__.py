"""LFD-TCMEN: learnable feature disentanglement for micro-expression recognition, to run, read and teach."""

from lfdtcmen.config import Config, load_config
from lfdtcmen.errors import DataError
from lfdtcmen.losses.objectives import SynergisticObjectives
from lfdtcmen.modules.batch import Batch
from lfdtcmen.modules.network import LFDTCMEN

__version__ = "0.1.0"
__all__ = ["LFDTCMEN", "Batch", "Config", "DataError", "SynergisticObjectives", "load_config"]
