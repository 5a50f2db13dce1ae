"""The compared methods, in the order of their publication, and what `lfdtcmen evaluate --list` shows of each model."""

from collections.abc import Mapping

import pandas as pd
import torch
from torch import nn

from lfdtcmen.baselines.alexnet import alexnet
from lfdtcmen.baselines.baseline import Baseline
from lfdtcmen.baselines.bi_woof import bi_woof
from lfdtcmen.baselines.distlbp_rip import distlbp_rip
from lfdtcmen.baselines.dual_inception import dual_inception
from lfdtcmen.baselines.htnet import htnet
from lfdtcmen.baselines.lbp_sip import lbp_sip
from lfdtcmen.baselines.lbp_top import lbp_top
from lfdtcmen.baselines.mdmo import mdmo
from lfdtcmen.baselines.micro_bert import micro_bert
from lfdtcmen.baselines.networks import ComparedNetwork
from lfdtcmen.baselines.off_apexnet import off_apexnet
from lfdtcmen.baselines.plug_in import WithDRL
from lfdtcmen.baselines.psn import psn
from lfdtcmen.baselines.rcn import rcn
from lfdtcmen.baselines.ststnet import ststnet
from lfdtcmen.evaluation.protocol import Model
from lfdtcmen.training import LFDTCMENClassifier, build_model

HAND_CRAFTED = (lbp_top, lbp_sip, mdmo, distlbp_rip, bi_woof)
NETWORKS = (psn, alexnet, ststnet, off_apexnet, dual_inception, rcn, htnet, micro_bert)
BESIDE_DRL = (ststnet, off_apexnet, dual_inception)  # compared with DRL's motion code beside them, and without
METHODS: dict[str, Model] = {method.name: method for method in (*HAND_CRAFTED, *NETWORKS)}


def needs_clips(model: Model) -> bool:
    """Return whether two frames of each sample are too few for a model."""
    return isinstance(model, Baseline) and model.needs_clips


def describe_models(models: Mapping[str, Model], num_classes: int) -> pd.DataFrame:
    """Return a row for each model: name, kind, source, and parameters for a number of classes.

    Kinds: reference (see :mod:`lfdtcmen.baselines.simple`), compared method, and this network.
    """
    rows = []
    for name, model in models.items():
        kind, source, network = "reference", "none", nn.Module()
        if isinstance(model, LFDTCMENClassifier):
            kind, source, network = "this network", "the paper", build_model(model.config, num_classes, model.method)
        elif isinstance(model, Baseline | ComparedNetwork | WithDRL) and model.source:
            kind, source = "compared method", model.source
            with torch.device("meta"):  # shapes without numbers: they are counted only
                network = network if model.make is None else model.make(num_classes)
        count = sum(p.numel() for p in network.parameters())
        rows.append({"name": name, "kind": kind, "source": source, "parameters": f"{count:,}" if count else ""})
    return pd.DataFrame(rows)
