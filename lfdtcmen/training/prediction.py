"""From a trained network to class probabilities, and whether pairs fit a network at all."""

import math
from dataclasses import replace

import numpy as np
import torch

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.modules.network import LFDTCMEN


@torch.no_grad()
def predict(model: LFDTCMEN, pairs: PairSet, batch_size: int = 64) -> np.ndarray:
    """Return class probabilities, float32 [N, C], in float32 and ``eval`` mode.

    Raises
    ------
    DataError
        Pairs that do not fit the network.
    """
    model.eval()
    check_fit(model, pairs, classify=True)
    device = next(model.parameters()).device
    pairs = crop_unused_frames(model, pairs)
    chunks = np.array_split(np.arange(len(pairs)), max(1, math.ceil(len(pairs) / batch_size)))
    logits = [model(pairs.batch(i).to(device), identity=False).logits for i in chunks]
    return torch.cat(logits).softmax(1).cpu().numpy()


def crop_unused_frames(model: LFDTCMEN, pairs: PairSet) -> PairSet:
    """Return the pairs, with unused frames cropped to 32x32 for a network of the flow branch alone."""
    if model.drl is not None:
        return pairs
    return replace(pairs, onset=pairs.onset[:, :32, :32], apex=pairs.apex[:, :32, :32])


def check_fit(model: LFDTCMEN, pairs: PairSet, classify: bool) -> None:
    """Raise a DataError for pairs that the network cannot use.

    Raises
    ------
    DataError
        No pairs; to classify: no flow for a flow branch, or another number of classes.
    """
    if len(pairs) == 0:
        raise DataError("there are no pairs", "pairs", "look at what the split or the loader left out")
    if classify and model.tcme.flow_branch is not None and pairs.streams is None:
        raise DataError(
            "the network has a flow branch but the pairs have no flow", "pairs.streams", "call prepare_pairs first"
        )
    if classify and model.tcme.num_classes != pairs.num_classes:
        raise DataError(
            f"the network has {model.tcme.num_classes} classes, the data have {pairs.num_classes}",
            "pairs.label_names",
            "build the network with num_classes=pairs.num_classes",
        )
