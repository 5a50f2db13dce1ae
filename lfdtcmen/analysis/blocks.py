"""Does each of the two codes hold its own factor? Informativeness, disentanglement and completeness, block by block.

Disentanglement, completeness and informativeness (DCI; Eastwood and Williams, ICLR 2018) ask of each *axis* of a code
how much it tells of each factor. The codes here are maps of thousands of correlated axes, and the paper asks for two
*blocks* to be separate, not for axes: MIG (Chen et al., NeurIPS 2018) and SAP (Kumar et al., ICLR 2018), which compare
the best axis with the second best, would be near zero for any map, where neighbouring axes tell nearly the same. So a
block takes the part of an axis here.
"""

import numpy as np
import pandas as pd

from lfdtcmen.errors import DataError

BLOCKS = ("id(apex)", "mo(apex)")
FACTORS = ("subject", "action units")  # who, and what; the emotion follows from the action units


def block_informativeness(
    probes: pd.DataFrame, blocks: tuple[str, ...] = BLOCKS, positions: str = "all", probe: str = "linear"
) -> pd.DataFrame:
    """Return how much of each question each block answers: 0 for no more than chance, 1 for all.

    Parameters
    ----------
    probes : DataFrame
        Rows of one network, of :func:`lfdtcmen.analysis.probes.probe_codes` or
        :func:`lfdtcmen.analysis.downstream.probe_downstream`, or of both.
    blocks : tuple of str
        The ``part`` of each block.
    positions, probe
        Which rows.

    Returns
    -------
    DataFrame
        A row per question (``metric``), a column per block: (value - shuffled level) / (1 - shuffled level), and 0
        where that is negative.

    Raises
    ------
    DataError
        A block has not been probed.
    """
    rows = probes[(probes["positions"] == positions) & (probes["probe"] == probe) & probes["part"].isin(blocks)]
    if missing := [block for block in blocks if block not in set(rows["part"])]:
        raise DataError(f"{missing[0]!r} has not been probed", "block_informativeness", "join the tables of its probes")
    level = rows["shuffled level"]
    informed = rows.assign(value=((rows["value"] - level) / (1 - level)).clip(lower=0))
    return informed.pivot(index="metric", columns="part", values="value")[list(blocks)]


def block_dci(informativeness: pd.DataFrame, factors: tuple[str, ...] = FACTORS) -> pd.DataFrame:
    """Return how many factors each block holds, and in how many blocks each factor is.

    Parameters
    ----------
    informativeness : DataFrame
        Of :func:`block_informativeness`. It takes the part of DCI's importances, so that a factor that can be read
        from either of two blocks counts for both.
    factors : tuple of str
        Its rows to use.

    Returns
    -------
    DataFrame
        Columns metric, part, value: the *disentanglement* of each block (1 if it holds one factor, 0 if it holds all
        alike) and its mean over blocks, weighted by what they hold ("all blocks"); the *completeness* of each factor (1
        if it is in one block, 0 if it is in all alike). NaN where there is nothing to divide.
    """
    importance = informativeness.loc[list(factors)].to_numpy(float)  # [factors, blocks]
    of_blocks, of_factors = _concentration(importance.T), _concentration(importance)
    held = importance.sum(0)
    known = held > 0
    mean = np.average(of_blocks[known], weights=held[known]) if known.any() else np.nan
    rows = [("disentanglement", block, value) for block, value in zip(informativeness, of_blocks, strict=True)]
    rows += [("disentanglement", "all blocks", mean)]
    rows += [("completeness", factor, value) for factor, value in zip(factors, of_factors, strict=True)]
    return pd.DataFrame(rows, columns=["metric", "part", "value"])


def _concentration(importance: np.ndarray) -> np.ndarray:
    """Return 1 - entropy of each row's shares, in units of the largest possible entropy, [rows]; NaN for empty rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = importance / importance.sum(1, keepdims=True)
        bits = np.where(share > 0, -share * np.log(share), 0 * share)
    return 1 - bits.sum(1) / np.log(importance.shape[1])
