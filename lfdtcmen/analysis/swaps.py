"""Swaps to look at: one person's face, another's motion, and the rendered truth that only drawn faces have (3.1)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import nn

from lfdtcmen.analysis.disentanglement import (
    _change_error,
    _rows,
    _table,
    _to_tensor,
    donor_steps,
    swap,
    swap_products,
)
from lfdtcmen.datasets.synthetic import Counterfactuals
from lfdtcmen.errors import DataError


@dataclass(frozen=True)
class Swapped:
    """Faces of P people, each with the M motions of somebody else. RGB in [0, 1], float32.

    ``change`` is the generated image less the one with the lender's onset; ``true_change`` is what it should be.
    """

    generated: np.ndarray  # [P, M, 3, H, W]
    change: np.ndarray  # [P, M, 3, H, W]
    truth: np.ndarray  # [P, M, 3, H, W], rendered without camera noise
    true_change: np.ndarray  # [P, M, 3, H, W]
    copy: np.ndarray  # [P, 1, 3, H, W]: the onset again, as the generator was given it


def swap_motions(
    model: nn.Module, counterfactuals: Counterfactuals, people: np.ndarray, lenders: np.ndarray, motions: np.ndarray
) -> Swapped:
    """Give each of some people the motions of somebody else.

    Parameters
    ----------
    model : nn.Module
        With a generator.
    counterfactuals : Counterfactuals
        Of :func:`lfdtcmen.datasets.synthetic.make_counterfactuals`.
    people, lenders : array-like of int
        Whose face, and whose motion, [P] each: indices of the counterfactuals' identities.
    motions : array-like of int
        Which motions, [M].

    Raises
    ------
    DataError
        The model has no generator, people and lenders are not as many, or there is no such identity or motion.
    """
    people, lenders, motions = (np.asarray(given, dtype=np.int64) for given in (people, lenders, motions))
    if people.shape != lenders.shape or not len(people):
        raise DataError(f"{len(people)} people and {len(lenders)} lenders", "swap_motions", "give one lender a person")
    for name, given, count in (
        ("identity", np.concatenate([people, lenders]), len(counterfactuals.onset)),
        ("motion", motions, counterfactuals.apex.shape[1]),
    ):
        if not len(given) or given.min() < 0 or given.max() >= count:
            raise DataError(f"no such {name} among {given.tolist()}", "swap_motions", f"they run from 0 to {count - 1}")
    shape = (len(people), len(motions))
    who, rest = counterfactuals.onset[people], counterfactuals.onset[lenders]  # [P, H, W, 3]
    lent = counterfactuals.apex[lenders][:, motions]  # [P, M, H, W, 3]
    still = swap(model, who, rest, rest).numpy()[:, None]  # [P, 1, 3, H, W]
    moved = swap(model, who.repeat(shape[1], axis=0), _rows(lent), rest.repeat(shape[1], axis=0)).numpy()
    moved = moved.reshape(*shape, *moved.shape[1:])
    truth = _to_tensor(_rows(counterfactuals.apex_clean[people][:, motions])).numpy().reshape(moved.shape)
    at_rest = _to_tensor(counterfactuals.onset_clean[people]).numpy()[:, None]
    return Swapped(moved, moved - still, truth, truth - at_rest, _to_tensor(who).numpy()[:, None])


def swap_errors(model: nn.Module, counterfactuals: Counterfactuals, seed: int = 0) -> pd.DataFrame:
    """Measure swaps against the rendered truth, beside a copy of the onset, for each person who is drawn.

    Each person is given all motions of up to three others, as in
    :func:`~lfdtcmen.analysis.disentanglement.cross_identity_gain`; the error is that of the change, at half resolution.

    Parameters
    ----------
    model : nn.Module
        With a generator.
    counterfactuals : Counterfactuals
        Of two people or more.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        One row a person, and a last row "all". Columns: identity; error and copy error, root mean square, grey levels;
        over copy, the ratio of their squares (1: no better than a copy), with low and high: its 95 % interval, over the
        motions for one person, over people for all.

    Raises
    ------
    DataError
        The model has no generator, or there is only one person.
    """
    people, count = counterfactuals.apex.shape[:2]
    steps = donor_steps(people)
    if not steps:
        raise DataError("swaps need two identities or more", "swap_errors", "draw more")
    who, sums = swap_products(model, counterfactuals, steps)
    values = 3 * (counterfactuals.onset.shape[1] // 2) * (counterfactuals.onset.shape[2] // 2)  # of one change
    rows = []
    motion = np.tile(np.arange(count), len(steps))
    groups = [(i, sums[who == i], motion) for i in range(people)]
    groups.append(("all", sums, who))
    for name, products, group in groups:
        interval = _table({"over copy": (_change_error, products, 1.0, "< 1")}, group, seed).iloc[0]
        copied = 255 * np.sqrt(products[:, 1].mean() / values)
        row = {"identity": name, "error": copied * np.sqrt(interval["value"]), "copy error": copied}
        rows.append(row | {"over copy": interval["value"], "low": interval["low"], "high": interval["high"]})
    return pd.DataFrame(rows)
