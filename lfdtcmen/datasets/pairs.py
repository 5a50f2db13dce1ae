"""A data set in memory: onset-apex pairs with labels, subjects and manifest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lfdtcmen.errors import DataError

if TYPE_CHECKING:
    from lfdtcmen.modules.batch import Batch


@dataclass(frozen=True)
class PairSet:
    """Onset-apex pairs of many subjects. Rows of every field belong together.

    Parameters
    ----------
    manifest : DataFrame
        One row per pair, columns as in :mod:`lfdtcmen.datasets.manifest`.
    onset, apex : ndarray
        RGB frames, uint8 [N, H, W, 3].
    labels : ndarray
        Class of each pair, int64 [N].
    label_names : tuple of str
        Name of each class, in the order of the labels.
    true_flow : ndarray, optional
        Exact motion onset -> apex where it is known (synthetic faces), float32 [N, 2, H, W], x then y, pixels.
    landmarks : ndarray, optional
        Eyes, nose tip and mouth corners on the onset frame, float32 [N, 5, 2], x then y, pixels;
        in the order image-left eye, image-right eye, nose tip, image-left and image-right mouth corner.
    action_units : ndarray, optional
        True intensity of each action unit on the image-left and image-right half of the face,
        float32 [N, units, 2], pixels (synthetic faces only).
    flow : ndarray, optional
        TV-L1 flow, float32 [N, 2, H, W] (made by :func:`lfdtcmen.datasets.preparation.prepare_pairs`).
    streams : ndarray, optional
        U, V and strain, float32 [N, 3, 28, 28] (made by :func:`lfdtcmen.datasets.preparation.prepare_pairs`).
    clips : ndarray, optional
        Grey frames from onset over apex to offset, aligned, uint8 [N, T, H, W] (synthetic faces only; made by
        :func:`lfdtcmen.datasets.synthetic.add_clips`). They belong to the faces, and are not in the fingerprint.
    weights : ndarray, optional
        How much each pair counts where a classifier is trained, float32 [N], above 0; all alike without it (made by
        :func:`lfdtcmen.datasets.mixing.mix`).
    """

    manifest: pd.DataFrame
    onset: np.ndarray
    apex: np.ndarray
    labels: np.ndarray
    label_names: tuple[str, ...]
    true_flow: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    action_units: np.ndarray | None = None
    flow: np.ndarray | None = None
    streams: np.ndarray | None = None
    clips: np.ndarray | None = None
    weights: np.ndarray | None = None

    def __post_init__(self):
        _check(self)

    def __len__(self) -> int:
        return len(self.onset)

    @property
    def subjects(self) -> np.ndarray:
        """Subject of each pair, [N] of str."""
        return self.manifest["subject"].to_numpy().astype(str)

    @property
    def alignment(self) -> str:
        """How the head's motion was removed, as the manifest's column ``alignment`` says; similarity without it."""
        return str(self.manifest["alignment"].iloc[0]) if "alignment" in self.manifest else "similarity"

    @property
    def num_classes(self) -> int:
        """Number of classes of the label map, including those without a pair."""
        return len(self.label_names)

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with any frame, stream, label, class name, subject or weight."""
        digest = hashlib.sha256()
        for part in (self.onset, self.apex, self.labels, self.streams):
            digest.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
        digest.update("\n".join([*self.subjects, *self.label_names]).encode())
        if self.weights is not None:
            digest.update(self.weights.tobytes())
        return digest.hexdigest()[:16]

    def subset(self, index) -> "PairSet":
        """Return the pairs at ``index`` (integers or a boolean mask), in that order."""
        index = np.asarray(index)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.int64)
        rows = {f.name: value[index] for f in fields(self) if isinstance(value := getattr(self, f.name), np.ndarray)}
        return replace(self, manifest=self.manifest.iloc[index].reset_index(drop=True), **rows)

    def batch(self, index) -> "Batch":
        """Return the pairs at ``index`` as the tensors that the network takes.

        Returns
        -------
        Batch
            Frames scaled to [0, 1]; subjects numbered within this set.
        """
        # torch only here: the processes that draw faces start in a quarter of the time without it
        import torch

        from lfdtcmen.images import as_tensor
        from lfdtcmen.modules.batch import Batch

        index = np.asarray(index)
        return Batch(
            onset=as_tensor(self.onset[index]),
            apex=as_tensor(self.apex[index]),
            flow=None if self.streams is None else torch.from_numpy(self.streams[index]),
            label=torch.from_numpy(self.labels[index]),
            subject=torch.from_numpy(self.subject_codes[index]),
            weight=None if self.weights is None else torch.from_numpy(self.weights[index]),
        )

    @cached_property
    def subject_codes(self) -> np.ndarray:
        """Number of each pair's subject within this set, int64 [N]."""
        return np.unique(self.subjects, return_inverse=True)[1].astype(np.int64)


def concatenate(parts: Mapping[str, PairSet]) -> PairSet:
    """Concatenate data sets, for a protocol that trains on one and tests on others (DFME, 4.2).

    Parameters
    ----------
    parts : mapping
        Name -> pairs of the same frame size and classes.

    Returns
    -------
    PairSet
        The manifest's column ``part`` has the name of each pair's data set. A field that one part lacks (such as true
        flow) is None.

    Raises
    ------
    DataError
        No parts, or parts with other classes, frames of another size or another alignment.
    """
    if not parts:
        raise DataError("there are no data sets to concatenate", "concatenate", "give one data set or more")
    first = next(iter(parts.values()))
    for name, pairs in parts.items():
        if pairs.label_names != first.label_names:
            names = ", ".join(pairs.label_names)
            raise DataError(f"{name} has the classes {names}", "concatenate", "use one label map")
        if pairs.onset.shape[1:] != first.onset.shape[1:]:
            raise DataError(f"{name} has frames of {list(pairs.onset.shape[1:])}", "concatenate", "crop all alike")
        if pairs.alignment != first.alignment:
            found = f"{name} was aligned by {pairs.alignment}, {next(iter(parts))} by {first.alignment}"
            raise DataError(found, "concatenate", "prepare all with one --alignment")
    sets = list(parts.values())
    manifest = pd.concat([pairs.manifest.assign(part=name) for name, pairs in parts.items()], ignore_index=True)
    manifest.attrs = {"remarks": [text for pairs in sets for text in pairs.manifest.attrs.get("remarks", ())]}
    return PairSet(
        manifest=manifest,
        onset=np.concatenate([pairs.onset for pairs in sets]),
        apex=np.concatenate([pairs.apex for pairs in sets]),
        labels=np.concatenate([pairs.labels for pairs in sets]),
        label_names=first.label_names,
        true_flow=_join([pairs.true_flow for pairs in sets]),
        landmarks=_join([pairs.landmarks for pairs in sets]),
        action_units=_join([pairs.action_units for pairs in sets]),
        flow=_join([pairs.flow for pairs in sets]),
        streams=_join([pairs.streams for pairs in sets]),
        clips=_join([pairs.clips for pairs in sets]),
        weights=_join([pairs.weights for pairs in sets]),
    )


def _join(arrays: list[np.ndarray | None]) -> np.ndarray | None:
    """Concatenate the arrays of all parts; None if a part has none."""
    known = [array for array in arrays if array is not None]
    return np.concatenate(known) if len(known) == len(arrays) else None


# ---------------------------------------------------------------- checks


def _check(pairs: PairSet) -> None:
    """Raise DataError unless fields have the dtypes and shapes of :class:`PairSet` and equally many rows."""
    for name, frames in (("onset", pairs.onset), ("apex", pairs.apex)):
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
            found = f"{frames.dtype} {list(frames.shape)}"
            raise DataError(f"frames must be uint8 [N, H, W, 3], got {found}", f"PairSet.{name}")
    if pairs.onset.shape[1:] != pairs.apex.shape[1:]:
        shapes = f"onset is {list(pairs.onset.shape)} but apex is {list(pairs.apex.shape)}"
        raise DataError(shapes, "PairSet", "crop both alike")
    if "subject" not in pairs.manifest:
        raise DataError("the manifest has no column subject", "PairSet.manifest", "add the subject of each pair")
    if not isinstance(pairs.labels, np.ndarray) or pairs.labels.dtype != np.int64:
        fix = "convert with np.asarray(labels, np.int64)"
        raise DataError("labels must be an int64 array", "PairSet.labels", fix)
    streams = pairs.streams
    if streams is not None and (streams.dtype, streams.shape[1:]) != (np.float32, (3, 28, 28)):
        what = f"streams must be float32 [N, 3, 28, 28], got {streams.dtype} {list(streams.shape)}"
        raise DataError(what, "PairSet.streams", "make them with lfdtcmen.datasets.preparation.prepare_pairs")
    clips = pairs.clips
    if clips is not None and (clips.dtype != np.uint8 or clips.ndim != 4):
        what = f"clips must be uint8 [N, T, H, W], got {clips.dtype} {list(clips.shape)}"
        raise DataError(what, "PairSet.clips", "make them with lfdtcmen.datasets.synthetic.add_clips")
    weights = pairs.weights
    if weights is not None and (weights.dtype != np.float32 or not (np.isfinite(weights) & (weights > 0)).all()):
        raise DataError("weights must be float32 and above 0", "PairSet.weights", "make them with datasets.mixing.mix")
    _check_rows(pairs)


def _check_rows(pairs: PairSet) -> None:
    parts = ("manifest", "apex", "labels", "true_flow", "landmarks", "action_units", "flow", "streams")
    for name in (*parts, "clips", "weights"):
        value = getattr(pairs, name)
        if value is not None and len(value) != len(pairs):
            what = f"{len(value)} rows where onset has {len(pairs)}"
            raise DataError(what, f"PairSet.{name}", "select rows with subset()")
    labels, classes = pairs.labels, len(pairs.label_names)
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        what = f"labels run from {labels.min()} to {labels.max()} but there are {classes} classes"
        raise DataError(what, "PairSet.labels")
