"""Rendered arrays on disk: where a file lies, and how it is packed."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from lfdtcmen.files import atomic_path, cache_dir, load_npz, make_folder

CACHE_VERSION = 2  # of the file's format; RENDERER_VERSION is that of the images

Axes = Mapping[str, tuple[int, int]]  # name of an array of images -> its axes of rows and columns


def cache_path(name: str, inputs: list) -> Path:
    """Return the file in which something rendered is kept.

    Parameters
    ----------
    name : str
        Beginning of the file's name, for the reader.
    inputs : list
        All that the content depends on, as plain values: another value gives another file.
    """
    fingerprint = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
    return cache_dir() / "synthetic" / f"{name}-{fingerprint}.npz"


def load_or_render(path: Path, axes: Axes, render: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays of a file; where the file is missing or damaged, render them and write it.

    Parameters
    ----------
    path : Path
        See :func:`cache_path`.
    axes : mapping
        Which of the arrays are images, and along which axes to pack them.
    render : callable
        Makes the arrays.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    arrays = load_npz(path, axes)
    if arrays is not None:
        return {name: _unpack(array, axes.get(name, ())) for name, array in arrays.items()}
    make_folder(path.parent)  # fails here, and not after minutes of rendering
    arrays = render()
    packed = {name: _pack(array, axes.get(name, ())) for name, array in arrays.items()}
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **packed)  # type: ignore[arg-type]  # NumPy's stub takes a name for an option
    return arrays


def _pack(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return differences of neighbours, which compress to half the size (integers wrap around: nothing is lost)."""
    for axis in axes:
        array = np.diff(array, axis=axis, prepend=array.dtype.type(0))
    return array


def _unpack(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    for axis in axes:
        array = np.cumsum(array, axis=axis, dtype=array.dtype)
    return array
