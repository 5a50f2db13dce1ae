"""Rendered arrays on disk: where a file lies, and how it is packed."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from lfdtcmen.files import cache_dir, load_or_build

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

    def packed() -> dict[str, np.ndarray]:
        return {name: _pack(array, axes.get(name, ())) for name, array in render().items()}

    arrays = load_or_build(path, axes, packed, compress=True)
    return {name: _unpack(array, axes.get(name, ())) for name, array in arrays.items()}


def _pack(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return differences of neighbours, which compress to half the size (integers wrap around: nothing is lost)."""
    for axis in axes:
        array = np.diff(array, axis=axis, prepend=array.dtype.type(0))
    return array


def _unpack(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    for axis in axes:
        array = np.cumsum(array, axis=axis, dtype=array.dtype)
    return array
