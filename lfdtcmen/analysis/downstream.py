"""Identity where a code is used: in the difference of motion codes, and in what the motion branch makes of it.

The identity that a single frame's code holds is no leak as long as the classifier is given the difference of two frames
of one person. So here the probes read the difference, and the output of the motion branch. The identity code is asked
the opposite: whether its difference holds the motion. What a probe finds, or fails to find, is compared with controls
that need no network: with what the pixels show of the person, and with what the motion itself does. People use their
muscles differently; so a perfect motion code tells something of the person, too.
"""

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lfdtcmen.analysis.codes import CHUNK, encode_pairs, evaluation_mode, to_tensor
from lfdtcmen.analysis.probes import probe_features
from lfdtcmen.datasets.pairs import PairSet

MOTION_DIFFERENCE, IDENTITY_DIFFERENCE = "mo(apex) - mo(onset)", "id(apex) - id(onset)"
BRANCH_OUTPUT = "output of the motion branch"
TRUE_UNITS, TRUE_FLOW, STREAMS = "true action units", "true flow", "TV-L1 streams"
PIXEL_CHANGE, ONSET = "apex - onset, pixels", "onset, pixels"


def probe_downstream(model: nn.Module, pairs: PairSet, seed: int = 0) -> pd.DataFrame:
    """Read subject, emotion and action units from what a network uses of its codes.

    The features are the difference of the motion codes and that of the identity codes, averaged over the map and at
    all positions, and the output of the motion branch. Those that the network lacks are left out.

    Parameters
    ----------
    model : nn.Module
        A network (:class:`lfdtcmen.LFDTCMEN`) with encoders.
    pairs : PairSet
        Prepared pairs of held-out subjects.
    seed : int
        Random seed of the subjects' halves and of the bootstrap.

    Returns
    -------
    DataFrame
        As of :func:`lfdtcmen.analysis.probes.probe_codes`: a row for each question, feature (``part``) and probe,
        linear or kernel, with chance level and an interval over subjects.

    Raises
    ------
    DataError
        The model has no encoders; fewer than two subjects with two clips.
    """
    codes, features = encode_pairs(model, pairs), {}
    for name in (MOTION_DIFFERENCE, IDENTITY_DIFFERENCE):
        apex, onset = name.split(" - ")
        if apex in codes:
            difference = codes[apex] - codes[onset]  # [N, 256, h, w]
            features[name, "mean"] = [difference.mean((2, 3))]
            features[name, "all"] = [difference.reshape(len(pairs), -1)]
    output = motion_branch_output(model, codes["mo(onset)"], codes["mo(apex)"])
    if output is not None:
        features[BRANCH_OUTPUT, "all"] = [output]
    return probe_features(features, pairs, seed)


def probe_controls(pairs: PairSet, seed: int = 0) -> pd.DataFrame:
    """Ask the same questions of features that need no network: they show what each probe can find.

    - *true action units*, *true flow* (synthetic faces only; averaged over blocks of 4x4 pixels) and *TV-L1 streams*
      hold the motion, and of the person the way of moving alone;
    - *apex - onset* in grey levels holds the motion on the face on which it happens, at half resolution;
    - *onset* in grey levels holds the person, and no motion.

    Parameters
    ----------
    pairs, seed
        As for :func:`probe_downstream`.

    Returns
    -------
    DataFrame
        As of :func:`probe_downstream`. Features that the pairs lack are left out.

    Raises
    ------
    DataError
        Fewer than two subjects with two clips.
    """
    onset, apex = (_grey(frames) for frames in (pairs.onset, pairs.apex))
    features = {}
    if pairs.action_units is not None:
        features[TRUE_UNITS] = pairs.action_units
    if pairs.true_flow is not None:
        features[TRUE_FLOW] = F.avg_pool2d(torch.from_numpy(pairs.true_flow), 4).numpy()
    if pairs.streams is not None:
        features[STREAMS] = pairs.streams
    features |= {PIXEL_CHANGE: apex - onset, ONSET: onset}
    return probe_features({(n, "all"): [f.reshape(len(pairs), -1)] for n, f in features.items()}, pairs, seed)


@torch.no_grad()
def motion_branch_output(model: nn.Module, onset: np.ndarray, apex: np.ndarray) -> np.ndarray | None:
    """Return what the motion branch makes of motion codes [N, 256, h, w], float32 [N, 256]; None without a branch."""
    branch = getattr(getattr(model, "tcme", None), "motion_branch", None)
    if branch is None:
        return None
    device = next(branch.parameters()).device
    described: list[Tensor] = []
    with evaluation_mode(model):
        for start in range(0, len(onset), CHUNK):
            rest, moved = (torch.from_numpy(c[start : start + CHUNK]).to(device) for c in (onset, apex))
            described.append(branch(rest, moved)[0].cpu())
    return torch.cat(described).numpy()


def _grey(frames: np.ndarray) -> np.ndarray:
    """Return frames [N, H, W, 3] in grey levels from 0 to 1 at half resolution, [N, H/2, W/2]."""
    return F.avg_pool2d(to_tensor(frames).mean(1), 2).numpy()
