"""Match the lighting of the apex to that of the onset, and leave an opening mouth as dark as it is (assumed, ours)."""

from functools import lru_cache

import cv2
import numpy as np

CELLS = 16  # in a row and in a column, of whose brightness the gain is fitted
DARKEST = 4.0  # grey levels: no division by 0 in black cells
ROUNDS = 8  # of the fit; after each, cells whose brightness changes by themselves (a mouth, a lid) get less weight
LEAST_SCALE = 0.002  # of the logarithm of the brightness: the noise of a cell


def match_lighting(onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
    """Return the apex with the brightness that the onset has.

    The logarithm of the gain is a quadratic polynomial of the position, fitted by reweighted least squares to the ratio
    of both frames' brightness. A gain that is measured cell by cell, as in earlier versions, takes away more of a
    moving jaw (``experiments/lighting.py``).

    Parameters
    ----------
    onset, apex : ndarray
        Frames of one size, [H, W, 3] or [H, W], grey levels from 0 to 255, of any number type.

    Returns
    -------
    ndarray
        uint8, shape of ``apex``.
    """
    first, second = (_brightness(frame) for frame in (onset, apex))
    target = np.log(first / second)  # [CELLS^2]
    terms, weight = _polynomial(CELLS, CELLS), np.ones(CELLS**2)
    for _ in range(ROUNDS):
        weighted = terms * weight[:, None]
        solution = np.linalg.solve(terms.T @ weighted, weighted.T @ target)
        residual = np.abs(target - terms @ solution)
        weight = 1 / (1 + (residual / max(LEAST_SCALE, float(np.median(residual)))) ** 2)  # Cauchy
    height, width = apex.shape[:2]
    gain = np.exp(_polynomial(height, width) @ solution).astype(np.float32).reshape(height, width)
    if apex.ndim == 3:
        gain = gain[..., None]
    return np.clip(apex * gain + 0.5, 0, 255).astype(np.uint8)


def _brightness(frame: np.ndarray) -> np.ndarray:
    """Return the mean grey level of each cell, float64 [CELLS^2]."""
    grey = frame.astype(np.float32)
    grey = grey.mean(2) if grey.ndim == 3 else grey
    cells = cv2.resize(grey, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return np.maximum(cells.astype(np.float64).ravel(), DARKEST)


@lru_cache(maxsize=4)
def _polynomial(height: int, width: int) -> np.ndarray:
    """Return 1, x, y, x^2, xy and y^2 at each position, which runs from -1 to 1, [height * width, 6]."""
    down, across = ((np.arange(side) + 0.5) * 2 / side - 1 for side in (height, width))
    y, x = (values.ravel() for values in np.meshgrid(down, across, indexing="ij"))
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1)
