"""The compared methods, in the order of their publication: families, costs, what `lfdtcmen evaluate --list` shows."""

from collections.abc import Mapping

import pandas as pd
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lfdtcmen.baselines import simple
from lfdtcmen.baselines.alexnet import alexnet
from lfdtcmen.baselines.baseline import Baseline
from lfdtcmen.baselines.bi_woof import bi_woof
from lfdtcmen.baselines.distlbp_rip import distlbp_rip
from lfdtcmen.baselines.dual_inception import dual_inception
from lfdtcmen.baselines.flow_networks import FlowNetwork
from lfdtcmen.baselines.htnet import htnet
from lfdtcmen.baselines.lbp_sip import lbp_sip
from lfdtcmen.baselines.lbp_top import lbp_top
from lfdtcmen.baselines.mdmo import mdmo
from lfdtcmen.baselines.micro_bert import micro_bert
from lfdtcmen.baselines.networks import ComparedNetwork, Inputs
from lfdtcmen.baselines.off_apexnet import off_apexnet
from lfdtcmen.baselines.plug_in import WithDRL
from lfdtcmen.baselines.psn import psn
from lfdtcmen.baselines.rcn import rcn
from lfdtcmen.baselines.ststnet import ststnet
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.protocol import Model
from lfdtcmen.training import LFDTCMENClassifier, build_model

HAND_CRAFTED = (lbp_top, lbp_sip, mdmo, distlbp_rip, bi_woof)
NETWORKS = (psn, alexnet, ststnet, off_apexnet, dual_inception, rcn, htnet, micro_bert)
BESIDE_DRL = (ststnet, off_apexnet, dual_inception)  # compared with DRL's motion code beside them, and without
METHODS: dict[str, Model] = {method.name: method for method in (*HAND_CRAFTED, *NETWORKS)}

# where the description of a clip comes from
FAMILIES: dict[str, tuple[str, ...]] = {
    "reference": tuple(m.name for m in vars(simple).values() if isinstance(m, Baseline)),
    "hand-crafted": ("lbp-top", "lbp-sip", "mdmo", "bi-woof"),
    "fixed separation": ("distlbp-rip", "psn"),
    "network on flow": ("alexnet", "ststnet", "off-apexnet", "dual-inception", "rcn"),
    "Transformer": ("htnet", "micro-bert"),
}

# parameters that the publication, or the code by which it is known, states: number, for how many classes, where
STATED_PARAMETERS: dict[str, tuple[float, int, str]] = {
    "alexnet": (61_100_840, 1000, "usual code"),
    "ststnet": (1_670, 3, "publication"),
    "off-apexnet": (2.66e6, 3, "publication"),
    "dual-inception": (6.45e6, 3, "public code"),
    "htnet": (114.43e6, 3, "authors' code"),
}


def needs_clips(model: Model) -> bool:
    """Return whether two frames of each sample are too few for a model."""
    return isinstance(model, Baseline) and model.needs_clips


def describe_models(models: Mapping[str, Model], num_classes: int) -> pd.DataFrame:
    """Return a row for each model: name, kind, source, and parameters for a number of classes.

    Kinds: reference (see :mod:`lfdtcmen.baselines.simple`), compared method, and this network.
    """
    counts = count_parameters(models, num_classes)
    rows = []
    for name, model in models.items():
        kind, source = "reference", "none"
        if isinstance(model, LFDTCMENClassifier):
            kind, source = "this network", "the paper"
        elif isinstance(model, Baseline | ComparedNetwork | WithDRL) and model.source:
            kind, source = "compared method", model.source
        rows.append({"name": name, "kind": kind, "source": source})
        rows[-1]["parameters"] = f"{counts[name]:,}" if name in counts else ""
    return pd.DataFrame(rows)


def count_parameters(models: Mapping[str, Model], num_classes: int) -> dict[str, int]:
    """Return the number of parameters of each model that has a network, for a number of classes."""
    counts = {}
    for name, model in models.items():
        if isinstance(model, LFDTCMENClassifier):
            counts[name] = _count(build_model(model.config, num_classes, model.method))
        elif isinstance(model, Baseline | ComparedNetwork | WithDRL) and model.make is not None:
            with torch.device("meta"):  # shapes without numbers: they are counted only
                counts[name] = _count(model.make(num_classes))
    return counts


def family(name: str) -> str:
    """Return the family of a model of ``lfdtcmen evaluate``: one of FAMILIES, "with DRL" or "this network"."""
    if "+drl" in name:
        return "with DRL"
    return next((group for group, names in FAMILIES.items() if name in names), "this network")


def one_input(method: Model) -> Inputs:
    """Return random numbers in the shapes of what a compared network takes of one sample.

    Raises
    ------
    DataError
        The method has no network.
    """
    if method is psn:
        return (torch.rand(1, 11, 32, 32),)  # the sparse part of a clip
    if method is micro_bert:
        return torch.rand(1, 3, 128, 128), torch.rand(1, 3, 128, 128)  # onset, apex
    if isinstance(method, FlowNetwork):
        return (torch.rand(1, 3, 28, 28),)  # U, V, strain
    raise DataError(
        "the method is no compared network", "one_input", f"use one of: {', '.join(n.name for n in NETWORKS)}"
    )


def network_costs(num_classes: int = 3) -> pd.DataFrame:
    """Count parameters and operations of the compared networks, and compare with the stated numbers of parameters.

    Parameters
    ----------
    num_classes : int
        For our counts; the deviation is that for the number of classes of the stated one.

    Returns
    -------
    DataFrame
        Index: name. Columns: parameters; operations of one sample (a multiplication with its addition counts as two);
        stated (parameters, NaN where we know of no number), deviation (ours / stated - 1), where (who states it).
    """
    rows = {}
    with torch.device("meta"), torch.no_grad():  # shapes without numbers
        for method in NETWORKS:
            assert method.make is not None
            network = method.make(num_classes)
            with FlopCounterMode(display=False) as counter:
                network(*one_input(method))
            row = {"parameters": _count(network), "operations": counter.get_total_flops()}
            stated, classes, where = STATED_PARAMETERS.get(method.name, (float("nan"), num_classes, ""))
            row |= {"stated": stated, "deviation": _count(method.make(classes)) / stated - 1, "where": where}
            rows[method.name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
