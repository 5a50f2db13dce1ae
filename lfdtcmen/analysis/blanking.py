"""What a network's answer depends on: take the motion away somewhere, and see how the answer changes (ours).

A map says where gradients are large. An intervention says what the answer needs: flow of 0, or the onset's pixels in
the apex, is a face that rests there. The same number of cells of still skin is the control. To blank the cells that a
map points at is the *deletion* test of maps.
"""

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lfdtcmen.analysis.codes import CHUNK, evaluation_mode
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import measure, ratio
from lfdtcmen.evaluation.results import COLUMNS
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.preprocessing.flow import STREAM_SIZE

STILL = "still skin"  # what all other choices of cells are compared with
METRIC = "change of log-odds"


def to_cells(values: np.ndarray) -> np.ndarray:
    """Average maps [N, H, W] over the cells of the flow streams, float32 [N, 28, 28]."""
    size = (STREAM_SIZE, STREAM_SIZE)
    return np.stack([cv2.resize(v.astype(np.float32), size, interpolation=cv2.INTER_AREA) for v in values])


def largest_cells(values: np.ndarray, counts: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return the cells of the largest values, as many of each clip as its count says.

    Parameters
    ----------
    values : ndarray
        [N, 28, 28]; of equal ones, the first counts.
    counts : ndarray
        [N].
    allowed : ndarray
        bool [28, 28] or [N, 28, 28]: cells that can be chosen, such as those of the face.

    Returns
    -------
    ndarray
        bool [N, 28, 28].

    Raises
    ------
    DataError
        A clip has fewer such cells than its count.
    """
    allowed = np.broadcast_to(allowed, values.shape)
    if (allowed.sum((1, 2)) < counts).any():
        raise DataError("a clip has fewer cells than its count", "largest_cells", "lower the counts")
    flat = np.where(allowed, values, -np.inf).reshape(len(values), -1)
    rank = (-flat).argsort(1, kind="stable").argsort(1, kind="stable")  # [N, 784]: 0 for the largest
    return (rank < np.asarray(counts)[:, None]).reshape(values.shape)


def moving_and_still(moving: np.ndarray, face: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the cells of moving skin, and as many of still skin.

    Parameters
    ----------
    moving, face : ndarray
        As :func:`~lfdtcmen.analysis.attribution.moving_skin` returns them, bool [N, 128, 128] and [128, 128].
    seed : int
        Random seed of the choice among the cells of the face in which nothing moves. Where fewer rest than move, of the
        choice of as many moving ones as well.

    Returns
    -------
    moving, still : ndarray
        bool [N, 28, 28]: a cell of the face moves if half of it does.
    """
    cells = to_cells(moving) >= 0.5
    on_face = to_cells(face[None])[0] >= 0.5
    rests = (to_cells(moving) == 0) & on_face
    cells &= on_face
    counts = np.minimum(cells.sum((1, 2)), rests.sum((1, 2)))
    order = np.random.default_rng(seed).random((2, *cells.shape))
    return largest_cells(order[0], counts, cells), largest_cells(order[1], counts, rests)


def blank_flow(pairs: PairSet, cells: np.ndarray) -> PairSet:
    """Return the pairs with flow and strain of 0, which is no motion, in these cells [N, 28, 28] of the streams."""
    if pairs.streams is None:
        raise DataError("the pairs have no flow", "blank_flow", "call prepare_pairs")
    return replace(pairs, streams=np.where(cells[:, None], np.float32(0), pairs.streams))


def blank_frames(pairs: PairSet, cells: np.ndarray) -> PairSet:
    """Return the pairs with the onset's pixels in the apex where these cells [N, 28, 28] lie: nothing changes there."""
    size = pairs.apex.shape[2], pairs.apex.shape[1]
    pixels = np.stack([cv2.resize(c.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) for c in cells])
    return replace(pairs, apex=np.where(pixels[..., None] > 0, pairs.onset, pairs.apex))


BLANK = {"flow": blank_flow, "frames": blank_frames}


@torch.no_grad()
def logits_of(model: LFDTCMEN, pairs: PairSet) -> Tensor:
    """Return the logits of all pairs, float32 [N, C], on the CPU."""
    device = next(model.parameters()).device
    with evaluation_mode(model):
        chunks = np.array_split(np.arange(len(pairs)), max(1, -(-len(pairs) // CHUNK)))
        return torch.cat([model(pairs.batch(rows).to(device), identity=False).logits.float().cpu() for rows in chunks])


def log_odds(logits: Tensor, classes: Tensor) -> Tensor:
    """Return log(p / (1 - p)) of each clip's class, [N], from logits [N, C] and classes [N].

    Unlike a logit, it does not depend on a constant that is added to all logits.
    """
    others = logits.scatter(1, classes[:, None], float("-inf"))  # [N, C]
    return logits.gather(1, classes[:, None])[:, 0] - others.logsumexp(1)


def blanking_table(
    models: Mapping[str, LFDTCMEN],
    pairs: PairSet,
    cells: Mapping[str, Mapping[str, np.ndarray]],
    part: str = "flow",
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how blanking cells changes the log-odds of the class that a network predicted before.

    Parameters
    ----------
    models : mapping
        Name -> network.
    pairs : PairSet
        Prepared pairs of held-out subjects.
    cells : mapping
        Name of a network -> name of a choice -> cells, bool [N, 28, 28]. Clips in which no cell is chosen are left out.
        The choice "still skin" is what the others are compared with.
    part : {"flow", "frames"}
        What is blanked: :func:`blank_flow` or :func:`blank_frames`.
    seed : int
        Random seed of the bootstrap over subjects.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`): for each network and choice (column *blanked*) the
        mean change, and its paired difference ``against`` "still skin". Below 0 the answer becomes less certain.
        Columns *flipped*, the share of clips whose predicted class changes, and *clips*.

    Raises
    ------
    DataError
        A network without the choice "still skin", or an unknown ``part``.
    """
    if part not in BLANK:
        raise DataError(f"unknown part {part!r}", "blanking_table", f"use {' or '.join(BLANK)}")
    rows = []
    for name, model in models.items():
        if STILL not in cells[name]:
            raise DataError(f"no choice {STILL!r} for {name}", "blanking_table", "add moving_and_still's second result")
        scored = np.any([chosen.any((1, 2)) for chosen in cells[name].values()], axis=0)
        before = logits_of(model, pairs)
        classes = before.argmax(1)
        after = {choice: logits_of(model, BLANK[part](pairs, chosen)) for choice, chosen in cells[name].items()}
        change = {c: (log_odds(a, classes) - log_odds(before, classes)).numpy() for c, a in after.items()}
        for choice, values in change.items():
            flipped = (after[choice].argmax(1) != classes).numpy()[scored].mean()
            columns = {"blanked": choice, "flipped": flipped, "clips": scored.sum()}
            for against in ("",) if choice == STILL else ("", STILL):
                value = values - change[STILL] if against else values
                sums = np.stack([value, np.ones_like(value)], 1)[scored]
                found = measure(METRIC, ratio, sums, pairs.subjects[scored], seed)
                row = (name, found.name, part, found.value, found.low, found.high, against)
                rows.append(dict(zip(COLUMNS, row, strict=True)) | columns)
    return pd.DataFrame(rows)
