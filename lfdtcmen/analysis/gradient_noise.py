"""How much of a gradient all batches have in common, with intervals over batches (ours: the paper measures none).

The gradient of one batch is that of all data plus noise. The noise of the same batch is in both factors of an inner
product; between two different batches it has no product on average.
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import t


def jackknife(products: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return a statistic of gradients' inner products, and half the width of its 95 % interval over batches.

    Parameters
    ----------
    products : ndarray
        Inner product of each loss's gradient in each batch with each other one, [batches, L, batches, L].
    statistic : callable
        Makes one number or an array of such products.

    Returns
    -------
    value, margin : ndarray
        The statistic of all batches; its standard error, from leaving out each batch once, times the quantile of
        Student's t.
    """
    count = len(products)
    without = [np.delete(np.delete(products, k, 0), k, 2) for k in range(count)]
    values = np.stack([statistic(others) for others in without])  # [K, ...]
    error = np.sqrt((count - 1) * values.var(0))
    return statistic(products), t.ppf(0.975, count - 1) * error


def same_and_different(products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean products [L, L] of gradients of the same batch, and of different batches.

    Parameters
    ----------
    products : ndarray
        As for :func:`jackknife`.
    """
    count = len(products)
    same = np.einsum("kikj->ij", products) / count
    return same, (products.sum((0, 2)) - count * same) / (count * (count - 1))
