"""Robust principal component analysis: a matrix as low rank plus sparse, by an inexact augmented Lagrangian.

Candès, Li, Ma and Wright, *Journal of the ACM* 58(3), 2011, doi:10.1145/1970392.1970395 (the problem, and when it has
one solution); Lin, Chen and Ma, 2010, doi:10.48550/arXiv.1009.5055 (the algorithm). With one frame of a clip a column,
the low-rank part is what stays (the face: identity) and the sparse part what changes in few pixels (the motion). The
paper names it as the fixed preprocessing of DiSTLBP-RIP and PSN.

That both parts are found is proven for a rank that is small against both sides of the matrix, and without noise. A clip
has few columns, and a camera's noise is in every pixel: on the synthetic clips, the low-rank part is one face, and the
"sparse" part, with nine of ten pixels other than 0, has the noise as well as the motion.
"""

from dataclasses import dataclass

import numpy as np

from lfdtcmen.errors import DataError

GROWTH = 1.5  # factor on the penalty in each step
START = 1.25  # penalty at the start, times 1 / (largest singular value)


@dataclass(frozen=True)
class Decomposition:
    """A matrix as ``low_rank + sparse``, both float64 of its shape; ``steps`` of the algorithm."""

    low_rank: np.ndarray
    sparse: np.ndarray
    steps: int

    @property
    def rank(self) -> int:
        """Rank of the low-rank part."""
        return int(np.linalg.matrix_rank(self.low_rank))

    @property
    def density(self) -> float:
        """Share of the sparse part that is not 0."""
        return float((self.sparse != 0).mean())


def decompose(
    matrix: np.ndarray, weight: float | None = None, tolerance: float = 1e-7, most_steps: int = 500
) -> Decomposition:
    """Minimise ``|L|_* + weight |S|_1`` with ``L + S = matrix``.

    Parameters
    ----------
    matrix : ndarray
        [m, n].
    weight : float, optional
        Of the sparse part; ``1 / sqrt(max(m, n))`` by default, as Candès et al. prove it to work.
    tolerance : float
        Stop when ``|matrix - L - S|`` is smaller, relative to ``|matrix|`` (Frobenius norms).
    most_steps : int
        Stop after so many steps at the latest.

    Raises
    ------
    DataError
        No matrix, values that are not finite, a weight of 0 or less, or no solution after ``most_steps``.
    """
    matrix = np.asarray(matrix, np.float64)
    if matrix.ndim != 2 or matrix.size == 0 or not np.isfinite(matrix).all():
        raise DataError(f"a matrix [m, n] of finite values is needed, got {list(matrix.shape)}", "rpca")
    weight = 1 / np.sqrt(max(matrix.shape)) if weight is None else weight
    if not weight > 0:
        raise DataError(f"the sparse part cannot have weight {weight:g}", "rpca", "give a number above 0")
    norm, largest = np.linalg.norm(matrix), np.linalg.norm(matrix, 2)
    if norm == 0:
        return Decomposition(np.zeros_like(matrix), np.zeros_like(matrix), 0)
    multiplier = matrix / max(largest, np.abs(matrix).max() / weight)
    penalty = START / largest
    sparse = np.zeros_like(matrix)
    for step in range(1, most_steps + 1):
        left, values, right = np.linalg.svd(matrix - sparse + multiplier / penalty, full_matrices=False)
        low_rank = (left * shrink(values, 1 / penalty)) @ right
        sparse = shrink(matrix - low_rank + multiplier / penalty, weight / penalty)
        rest = matrix - low_rank - sparse
        if np.linalg.norm(rest) < tolerance * norm:
            return Decomposition(low_rank, sparse, step)
        multiplier = multiplier + penalty * rest
        penalty *= GROWTH
    raise DataError(f"no solution after {most_steps} steps", "rpca", "allow more steps or a larger tolerance")


def shrink(values: np.ndarray, threshold: float | np.floating) -> np.ndarray:
    """Return the values, each moved towards 0 by the threshold, and 0 where it is smaller."""
    return np.sign(values) * np.maximum(np.abs(values) - threshold, 0)


def sparse_motion(clip: np.ndarray) -> np.ndarray:
    """Return the sparse part of a clip, one frame a column of the matrix: the motion.

    Parameters
    ----------
    clip : ndarray
        Grey frames, uint8 [T, H, W].

    Returns
    -------
    ndarray
        float64 [T, H, W], in units of white (255 grey levels).

    Raises
    ------
    DataError
        Fewer than three frames: with two, nothing stays and little is sparse.
    """
    if len(clip) < 3:
        what = f"a clip of {len(clip)} frames is too short, RPCA needs 3"
        raise DataError(what, "PairSet.clips", "give clips with more frames")
    columns = np.reshape(clip, (len(clip), -1)).T / 255.0  # [H * W, T]
    return decompose(columns).sparse.T.reshape(np.shape(clip))
