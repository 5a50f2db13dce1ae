"""Synthetic faces among the training pairs of another data set (ours; the paper has nothing like it).

What is learned on synthetic faces helps on few real pairs: the faces come in addition, and their loss weighs less than
that of the real pairs. They are only ever trained on; who is tested comes from the data set alone.
"""

from dataclasses import replace

import numpy as np

from lfdtcmen.datasets.manifest import LABEL_MAPS
from lfdtcmen.datasets.pairs import PairSet, concatenate
from lfdtcmen.datasets.people import name_people
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import check_disjoint
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.datasets.synthetic.dataset import FACE_LABEL_MAPS
from lfdtcmen.datasets.synthetic.settings import PRESETS
from lfdtcmen.errors import DataError

ADDED = "added"  # the part, in the manifest of mixed pairs, of the synthetic faces
ADDED_SEED = 7000  # other people than those of the data sets with seeds 0, 1, ...


def added_faces(
    pairs: PairSet, preset: str | None = None, subjects: int = 100, n_jobs: int = -1, progress: bool = True
) -> PairSet:
    """Return prepared synthetic faces with the classes and the alignment of a data set.

    Parameters
    ----------
    pairs : PairSet
        The data set.
    preset : str, optional
        ``wild``, or ``standard`` where there is no such preset.
    subjects : int
        How many people.
    n_jobs : int
        Processes; -1 for all cores.
    progress : bool

    Raises
    ------
    DataError
        The synthetic faces do not show the classes of the data set, or the preset is unknown.
    """
    maps = {LABEL_MAPS[name]: name for name in FACE_LABEL_MAPS}
    label_map = maps.get(tuple(pairs.label_names))
    if label_map is None:
        known = " or ".join(f"--label-map {name}" for name in FACE_LABEL_MAPS)
        what = f"synthetic faces do not have the classes {', '.join(pairs.label_names)}"
        raise DataError(what, "add_synthetic", f"prepare the set with {known}")
    preset = preset or ("wild" if "wild" in PRESETS else "standard")
    faces = make_dataset(preset, label_map, subjects, ADDED_SEED, n_jobs=n_jobs, progress=progress)
    faces.manifest["preset"] = preset
    return prepare_pairs(faces, n_jobs=n_jobs, progress=progress, alignment=pairs.alignment)


def mix(pairs: PairSet, added: PairSet, weight: float, repeats: int) -> PairSet:
    """Return training pairs with added faces: each pair ``repeats`` times with weight 1, each added one once.

    The streams (U, V, strain) of the added faces are multiplied, channel by channel, so that their root mean square is
    that of ``pairs``: the two sets differ in how far faces move and are zoomed, which says nothing about the emotion.
    The constants come from the training pairs alone. Frames stay as they are.

    Parameters
    ----------
    pairs : PairSet
        Training subjects only.
    added : PairSet
        What :func:`added_faces` returned.
    weight : float
        How much an added face counts in the emotion loss, above 0. The losses on images, which use no label, count
        every pair alike.
    repeats : int
        How often a pair of the data set comes in an epoch, 1 or more.

    Returns
    -------
    PairSet
        With ``weights``; the manifest's column ``part`` is :data:`ADDED` for the added faces and ``data`` for the
        others, ``repeat`` counts the copies of a pair from 0.

    Raises
    ------
    DataError
        Other classes, frame sizes or alignments in the two sets, a person in both, a weight of 0 or less, no repeats.
    """
    if not weight > 0 or repeats < 1:
        what = f"added faces cannot have weight {weight:g} with {repeats} repeats"
        raise DataError(what, "mix", "give a weight above 0 and one repeat or more")
    check_apart(added, pairs)
    if pairs.streams is not None and added.streams is not None:
        added = scale_streams(added, channel_rms(pairs.streams) / channel_rms(added.streams))
    named = added.manifest.assign(subject=name_people(added.manifest))  # no name of the data set's people
    both = concatenate({"data": pairs, ADDED: replace(added, manifest=named)})
    copies = np.r_[np.repeat(np.arange(repeats), len(pairs)), np.zeros(len(added), np.int64)]
    index = np.r_[np.tile(np.arange(len(pairs)), repeats), len(pairs) + np.arange(len(added))]
    mixed = both.subset(index)
    weights = np.where(mixed.manifest["part"] == ADDED, weight, 1.0).astype(np.float32)
    return replace(mixed, manifest=mixed.manifest.assign(repeat=copies), weights=weights)


def check_apart(added: PairSet, pairs: PairSet) -> None:
    """Check that no person of the added faces is in the data set.

    Raises
    ------
    DataError
        A person is in both, as where the data set itself is synthetic faces with the seed of the added ones.
    """
    check_disjoint(name_people(added.manifest), name_people(pairs.manifest))


def split_added(pairs: PairSet) -> tuple[PairSet, PairSet | None]:
    """Return the pairs of the data set, each once, and the added faces, of what :func:`mix` returned.

    Pairs that were not mixed come back as they are, and None.
    """
    if pairs.weights is None:
        return pairs, None
    is_added = (pairs.manifest["part"] == ADDED).to_numpy()
    own = pairs.subset(~is_added & (pairs.manifest["repeat"] == 0).to_numpy())
    return own, pairs.subset(is_added)


def channel_rms(streams: np.ndarray) -> np.ndarray:
    """Return the root mean square of each channel of streams [N, 3, 28, 28], float32 [3]; at least 1e-6."""
    return np.sqrt(np.square(streams, dtype=np.float64).mean((0, 2, 3))).clip(1e-6).astype(np.float32)


def scale_streams(pairs: PairSet, factors: np.ndarray) -> PairSet:
    """Return the pairs with their streams multiplied by a factor for each channel [3]."""
    assert pairs.streams is not None
    return replace(pairs, streams=pairs.streams * factors[:, None, None])
