"""Does the network look at what moves? Grad-CAM (4.7, Fig. 6) compared with the true motion of synthetic faces.

A coloured map over a face looks convincing whatever it shows. On synthetic faces the moving pixels are known, so a map
can be scored: of its values on the face, the share that lies on moving skin. A uniform map scores the share of the face
that moves; that is chance level. The score is ours: the paper shows maps without scoring them.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from lfdtcmen.analysis.class_activation import gradcam
from lfdtcmen.analysis.codes import CHUNK, reinitialise, untrained_like
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import Measure, measure, ratio
from lfdtcmen.evaluation.results import COLUMNS
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.preprocessing.apex import FACE

SIZE = 128  # of aligned frames
MOVING_FROM = 0.25  # pixels: what registration leaves of a turning head is less on nine tenths of the face
BOTH = "both"  # the mean of both branches' maps
# what a map's share is compared with, clip by clip
UNIFORM_MAP, MEAN_MAP, UNTRAINED_MAP = "uniform map", "mean map", "untrained"
INITIALISATIONS = 5  # untrained networks for each trained one
PERMUTATIONS = 999


def moving_skin(
    pairs: PairSet, motion: np.ndarray | None = None, above: float = MOVING_FROM
) -> tuple[np.ndarray, np.ndarray]:
    """Return which pixels truly move, and which belong to the face.

    Parameters
    ----------
    pairs : PairSet
        Prepared synthetic pairs: in unprepared ones the whole head moves.
    motion : ndarray, optional
        Motion that counts, [N, 2, 128, 128], pixels, such as that of the muscles alone
        (:func:`~lfdtcmen.datasets.synthetic.muscle_motion.muscle_fields`). By default the registered true flow, which
        also has what registration leaves of a turning head: a median of 0.1 px, and more at the rim.
    above : float
        Pixels: skin that moves farther counts as moving.

    Returns
    -------
    moving : ndarray
        bool [N, 128, 128]: on the face, and moved by more than ``above``.
    face : ndarray
        bool [128, 128]: the ellipse of an aligned face; outside are hair and background, which registration moves.

    Raises
    ------
    DataError
        The true motion is not known, the pairs are not prepared, the frames are not of 128x128, or there is not one
        field of motion per pair.
    """
    where = "moving_skin"
    if pairs.true_flow is None and motion is None:
        raise DataError("the true motion is not known", where, "it is known of synthetic faces only: use make_dataset")
    if pairs.streams is None:
        raise DataError("the pairs are not prepared: the head's motion is in their flow", where, "call prepare_pairs")
    if pairs.onset.shape[1:3] != (SIZE, SIZE):
        raise DataError(f"frames are {list(pairs.onset.shape[1:3])}, not 128x128", where, "align them")
    field = pairs.true_flow if motion is None else motion
    assert field is not None
    if field.shape != (len(pairs), 2, SIZE, SIZE):
        raise DataError(f"{len(pairs)} pairs and motion {list(field.shape)}", where, "give one field per pair")
    rows, columns = np.mgrid[:SIZE, :SIZE]
    x, y, width, height = FACE
    face = ((columns - x) / width) ** 2 + ((rows - y) / height) ** 2 < 1  # [H, W]
    return (np.linalg.norm(field, axis=1) > above) & face, face


def attribution_maps(model: LFDTCMEN, pairs: PairSet, method: Callable = gradcam) -> dict[str, np.ndarray]:
    """Return a map for each pair's predicted class, enlarged to the frame, so that each map sums to 1.

    Parameters
    ----------
    model : LFDTCMEN
    pairs : PairSet
    method : function
        ``gradcam`` (the paper's) or ``hirescam`` of :mod:`lfdtcmen.analysis.class_activation`.

    Returns
    -------
    dict
        "motion" and "flow", those that the network has, and "both", their mean where it has two: float32 [N, H, W].
        A map that is 0 everywhere counts as uniform.
    """
    size, maps = pairs.onset.shape[1:3], _coarse_maps(model, pairs, method)
    return {name: values.numpy() for name, values in _spread(maps, size).items()}


def share_on_motion(maps: np.ndarray, moving: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Return the share of each map's values on the face that lies on moving pixels, float64 [N].

    Parameters
    ----------
    maps : ndarray
        From 0 up, [N, H, W], or one map for all, [1, H, W]. Where it is 0 on the whole face, it counts as uniform.
    moving : ndarray
        bool [N, H, W].
    face : ndarray
        bool [H, W].

    Raises
    ------
    DataError
        Negative or not finite values, or maps and masks of different size.
    """
    if maps.shape[1:] != face.shape or moving.shape[1:] != face.shape or len(maps) not in (1, len(moving)):
        raise DataError(f"maps {list(maps.shape)}, moving {list(moving.shape)}", "share_on_motion", "enlarge the maps")
    if not np.isfinite(maps).all() or maps.min() < 0:
        raise DataError("a map has values that are negative or not finite", "share_on_motion", "cut them off at 0")
    return (_on_face(maps, face) * moving).sum((1, 2))


def attribution_table(
    models: Mapping[str, LFDTCMEN],
    train: PairSet,
    pairs: PairSet,
    seed: int = 0,
    methods: Sequence[Callable] = (gradcam,),
    motion: np.ndarray | None = None,
    initialisations: int = INITIALISATIONS,
) -> pd.DataFrame:
    """Score the maps of several networks: the share of attribution that lies on pixels that truly move.

    Parameters
    ----------
    models : mapping
        Name -> network, such as the settings of Table 6.
    train : PairSet
        Prepared pairs of the subjects that the networks were trained on: they calibrate the untrained ones.
    pairs : PairSet
        Prepared synthetic pairs of held-out subjects.
    seed : int
        Random seed of the first untrained network, of the permutations and of the bootstrap.
    methods : sequence of function
        Each as ``method`` of :func:`attribution_maps`.
    motion : ndarray, optional
        As for :func:`moving_skin`.
    initialisations : int
        How many untrained networks each one is compared with.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`), four per network, *method* and map (``part``): the
        share itself, and its paired differences ``against`` "uniform map" (the same value everywhere: chance level),
        "mean map" (the network's own mean over all pairs that are scored: the same positions, whatever moves) and
        "untrained" (the mean over networks with newly initialised weights). Further columns, the same in all four rows.
        Mean shares to compare with: *uniform map*, *mean map*, *untrained* with *untrained low* and *untrained high*
        (of the initialisations), *true motion* (at the map's resolution; no upper limit, since a map with all its
        weight on one moving cell scores more). Then *p*, of the permutation test that pairs maps with other clips'
        motions; *on face*, the share of the whole map that lies on the face (0.43 of a uniform one); *clips*, how many
        were scored: those in which skin moves; *empty*, the share of maps that are 0 everywhere and so are scored as
        uniform; *not empty*, the mean share of the others.

    Raises
    ------
    DataError
        As :func:`moving_skin`, or nothing moves in any clip.
    """
    moving, face = moving_skin(pairs, motion)
    moves = moving.any((1, 2))
    if not moves.any():
        raise DataError("no skin moves in any clip", "attribution_table", "give pairs with larger motion")
    field = pairs.true_flow if motion is None else motion
    assert field is not None  # moving_skin raises for pairs without
    pairs, moving = pairs.subset(moves), moving[moves]
    length = torch.from_numpy(np.linalg.norm(field[moves], axis=1) * face)[:, None]  # [N, 1, H, W]
    rows = []
    for name, model in models.items():
        fresh = [untrained_network(model, train, seed + k) for k in range(initialisations)]
        for method in methods:
            coarse = _coarse_maps(model, pairs, method)
            cells = {k: F.adaptive_avg_pool2d(length, (m.shape[1], m.shape[2]))[:, 0] for k, m in coarse.items()}
            truth, others = _spread(cells), [_spread(_coarse_maps(other, pairs, method)) for other in fresh]
            for kind, spread in _spread(coarse).items():
                untrained = [share_on_motion(maps[kind].numpy(), moving, face) for maps in others]  # [N] each
                peaks = [m.amax((1, 2)) for k, m in coarse.items() if kind in (k, BOTH)]  # [N] each
                empty = (torch.stack(peaks) == 0).all(0).numpy()
                columns, measures = _score(
                    spread.numpy(), moving, face, np.stack(untrained), empty, pairs.subjects, seed
                )
                columns["true motion"] = share_on_motion(truth[kind].numpy(), moving, face).mean()
                for against, found in measures.items():
                    row = (name, found.name, kind, found.value, found.low, found.high, against)
                    rows.append(dict(zip(COLUMNS, row, strict=True)) | {"method": method.__name__} | columns)
    return pd.DataFrame(rows)


def _score(
    maps: np.ndarray,
    moving: np.ndarray,
    face: np.ndarray,
    untrained: np.ndarray,
    empty: np.ndarray,
    subjects: np.ndarray,
    seed: int,
) -> tuple[dict[str, float], dict[str, Measure]]:
    """Return what one kind of maps is compared with, and its share and differences with their intervals."""
    cut = _on_face(maps, face)
    share = (cut * moving).sum((1, 2))  # [N]
    uniform = share_on_motion(np.ones_like(maps[:1]), moving, face)  # [N]
    usual = share_on_motion(cut.mean(0)[None], moving, face)  # [N]
    columns = {
        UNIFORM_MAP: uniform.mean(),
        MEAN_MAP: usual.mean(),
        UNTRAINED_MAP: untrained.mean(),
        "untrained low": untrained.mean(1).min(),
        "untrained high": untrained.mean(1).max(),
        "p": _permuted(cut[:, face] @ moving[:, face].T.astype(float), seed)[2],
        "on face": maps[:, face].sum(1).mean(),
        "clips": len(maps),
        "empty": empty.mean(),
        "not empty": share[~empty].mean() if not empty.all() else float("nan"),
    }
    differences = {"": 0, UNIFORM_MAP: uniform, MEAN_MAP: usual, UNTRAINED_MAP: untrained.mean(0)}
    found = {
        against: measure("share on motion", ratio, np.stack([share - other, np.ones_like(share)], 1), subjects, seed)
        for against, other in differences.items()
    }
    return columns, found


def _permuted(scores: np.ndarray, seed: int, repeats: int = PERMUTATIONS) -> tuple[float, float, float]:
    """Return the mean of the own pairings, the diagonal of scores [N, N], that of random ones, and the p-value."""
    rng, rows = np.random.default_rng(seed), np.arange(len(scores))
    own = scores.diagonal().mean()
    others = np.array([scores[rows, rng.permutation(rows)].mean() for _ in range(repeats)])
    return float(own), float(others.mean()), float((1 + (others >= own - 1e-12).sum()) / (1 + repeats))


def match_test(
    maps: np.ndarray, motion: np.ndarray, seed: int = 0, repeats: int = PERMUTATIONS
) -> tuple[float, float, float]:
    """Test whether maps follow the motion of their own faces, and not what all aligned faces share.

    The mean correlation over positions of each map with its face's motion is compared with that of maps and motions of
    different faces: a permutation test (one-sided).

    Parameters
    ----------
    maps, motion : ndarray
        A map and the length of the true motion of each face, [N, h, w] each.
    seed : int
        Random seed of the permutations.
    repeats : int
        How many permutations.

    Returns
    -------
    own, others, p : float
        Mean correlation with the own motion, with that of other faces, and how often the latter is as high. *p*
        supposes that the faces are independent: where maps and motions of one person's clips resemble each other, it is
        too small.

    Raises
    ------
    DataError
        Different shapes.
    """
    if np.shape(maps) != np.shape(motion):
        raise DataError(f"maps {list(np.shape(maps))} and motion {list(np.shape(motion))}", "match_test")
    both = []
    for values in (maps, motion):
        flat = np.reshape(values, (len(values), -1)).astype(np.float64)  # [N, h * w]
        flat = flat - flat.mean(1, keepdims=True)
        both.append(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12))
    correlations = both[0] @ both[1].T  # [N, N]
    return _permuted(correlations, seed, repeats)


def untrained_network(model: LFDTCMEN, train: PairSet, seed: int = 0) -> LFDTCMEN:
    """Return a copy with newly initialised weights everywhere, all batch statistics calibrated on training pairs.

    What its maps score comes with the architecture, and with faces that are all aligned alike.

    Parameters
    ----------
    model : LFDTCMEN
        With motion encoder.
    train : PairSet
        Pairs of the subjects that the model was trained on.
    seed : int
        Random seed of the weights.
    """
    fresh = untrained_like(model, train, seed)  # DRL
    device = next(fresh.parameters()).device

    def run(rows: np.ndarray) -> None:
        fresh(train.batch(rows).to(device), identity=False)

    reinitialise(fresh.tcme, seed, run, _chunks(len(train)))
    return fresh.eval()


def _on_face(maps: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Return maps cut to the face, where each sums to 1; uniform where one is 0 on the whole face; float64."""
    cut = np.where(face, maps, 0).astype(np.float64)  # [N, H, W]
    cut[cut.sum((1, 2)) == 0] = face
    return cut / cut.sum((1, 2), keepdims=True)


def _coarse_maps(model: LFDTCMEN, pairs: PairSet, method: Callable) -> dict[str, Tensor]:
    """Return maps of all pairs, each branch at its own resolution, [N, h, w], on the CPU."""
    parts = [method(model, pairs.batch(rows)) for rows in _chunks(len(pairs))]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _spread(maps: Mapping[str, Tensor], size: tuple[int, int] = (SIZE, SIZE)) -> dict[str, Tensor]:
    """Enlarge maps [N, h, w] to the frame, let each sum to 1, and add the mean of both branches."""
    spread = {}
    for name, values in maps.items():
        large = F.interpolate(values[:, None].float(), size, mode="bilinear", align_corners=False)[:, 0]  # [N, H, W]
        large[large.sum((1, 2)) == 0] = 1
        spread[name] = large / large.sum((1, 2), keepdim=True)
    if len(spread) == 2:
        spread[BOTH] = (spread["motion"] + spread["flow"]) / 2
    return spread


def _chunks(count: int) -> list[np.ndarray]:
    return np.array_split(np.arange(count), max(1, -(-count // CHUNK)))
