"""Every face with every motion of every driver: what is carried over, motion by motion, and what else comes with it.

The driver lends the motion, the receiver is the face that shall show it. Receivers and drivers are different people,
and every combination is generated once (a factorial design). So an interval can cover other receivers, other drivers
and other motions at once, and the generated change can be divided into what depends on each of the three.
"""

from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np
import pandas as pd
import torch
from torch import nn

from lfdtcmen.analysis.codes import to_tensor
from lfdtcmen.analysis.swaps import CHANGE_ERROR, as_rows, at_half_resolution, change_error, cosine, swap
from lfdtcmen.beyond.warp_generator import STEP, warp
from lfdtcmen.datasets.synthetic import Counterfactuals
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import (
    Measure,
    Statistic,
    crossed_interval,
    crossed_measure,
    ratio,
    resample_crossed,
)
from lfdtcmen.evaluation.results import measure_table
from lfdtcmen.preprocessing.flow import tvl1

FACTORS = ("receiver", "driver", "motion")  # the axes of a factorial of swaps
COMMON = "common to all"
DRIVER_TOTAL = "driver, with all interactions"
SHARE = "share of the generated change"
GAIN, COSINE = "motion gain", "motion cosine"
ALL, ALL_ALIKE = "all", "all, each scaled to the same strength"
BUT_STRONGEST = "all but the strongest"
STATISTICS: dict[str, tuple[Statistic, str]] = {  # of summed change products, and their targets
    GAIN: (ratio, "1"),
    COSINE: (cosine, "1"),
    CHANGE_ERROR: (change_error, "< 1"),
}


@dataclass(frozen=True)
class FactorialSwaps:
    """The change of every receiver's face by every motion of every driver, at half resolution.

    R receivers, D drivers, M motions, K values of an image (3 * H/2 * W/2), RGB in [0, 1]. The generated change is
    G(id(receiver), mo(driver's apex)) - G(id(receiver), mo(driver's onset)); the true one is rendered, without camera
    noise, and is the same for every driver.
    """

    change: np.ndarray  # float32 [R, D, M, K]
    true_change: np.ndarray  # float32 [R, M, K]
    motions: tuple[str, ...]  # a name of each motion, [M]


def factorial_swaps(model: nn.Module, counterfactuals: Counterfactuals) -> FactorialSwaps:
    """Give each person of the first half all motions of each person of the second half.

    Parameters
    ----------
    model : nn.Module
        A network with a generator.
    counterfactuals : Counterfactuals
        Two people or more; of an odd number, the last one is left out.

    Raises
    ------
    DataError
        The model has no generator, or there is only one person.
    """
    people, motions = len(counterfactuals.onset) // 2, counterfactuals.apex.shape[1]
    if people < 1:
        raise DataError("swaps need two identities or more", "factorial_swaps", "make more")
    faces, changes = counterfactuals.onset[:people], []
    for driver in range(people, 2 * people):
        rest = counterfactuals.onset[driver][None].repeat(people, axis=0)  # [R, H, W, 3]
        still = swap(model, faces, rest, rest)  # [R, 3, H, W]
        driving = np.tile(counterfactuals.apex[driver], (people, 1, 1, 1))  # [R * M, H, W, 3]
        moved = swap(model, faces.repeat(motions, axis=0), driving, rest.repeat(motions, axis=0))  # [R * M, 3, H, W]
        change = at_half_resolution(moved - still.repeat_interleave(motions, 0)).flatten(1)  # [R * M, K]
        changes.append(change.numpy().reshape(people, motions, -1))
    return FactorialSwaps(
        np.stack(changes, axis=1), _true_change(counterfactuals, people), name_motions(counterfactuals.emotions)
    )


def flow_swaps(counterfactuals: Counterfactuals, clean: bool = True) -> FactorialSwaps:
    """Move each receiver's pixels by the optical flow between each driver's frames: a control without a network.

    The flow is TV-L1's. It knows nothing of the receiver, as a driver's face is shaped otherwise; and a shift of pixels
    makes no wrinkles.

    Parameters
    ----------
    counterfactuals : Counterfactuals
        As for :func:`factorial_swaps`, with the same receivers and drivers.
    clean : bool
        Take the driver's frames without camera noise; else those that a network sees.

    Raises
    ------
    DataError
        There is only one person.
    """
    people, motions = len(counterfactuals.onset) // 2, counterfactuals.apex.shape[1]
    if people < 1:
        raise DataError("swaps need two identities or more", "flow_swaps", "make more")
    onsets, apexes = counterfactuals.onset, counterfactuals.apex
    if clean:
        onsets, apexes = counterfactuals.onset_clean, counterfactuals.apex_clean
    faces, changes = to_tensor(counterfactuals.onset[:people].repeat(motions, axis=0)), []  # [R * M, 3, H, W]
    for driver in range(people, 2 * people):
        flow = np.stack([tvl1(onsets[driver], apex) for apex in apexes[driver]])  # [M, 2, H, W], pixels
        field = torch.from_numpy(np.pad(-flow / STEP, ((0, 0), (0, 1), (0, 0), (0, 0))))  # [M, 3, H, W], no brightness
        change = at_half_resolution(warp(faces, field.repeat(people, 1, 1, 1)) - faces).flatten(1)
        changes.append(change.numpy().reshape(people, motions, -1))
    return FactorialSwaps(
        np.stack(changes, axis=1), _true_change(counterfactuals, people), name_motions(counterfactuals.emotions)
    )


def _true_change(counterfactuals: Counterfactuals, people: int) -> np.ndarray:
    """Return the rendered change of the first people by every motion, at half resolution, float32 [R, M, K]."""
    motions = counterfactuals.apex.shape[1]
    true = to_tensor(as_rows(counterfactuals.apex_clean[:people]))
    true = true - to_tensor(counterfactuals.onset_clean[:people]).repeat_interleave(motions, 0)
    return at_half_resolution(true).flatten(1).numpy().reshape(people, motions, -1)


def name_motions(emotions: tuple[str, ...]) -> tuple[str, ...]:
    """Return a name of its own for each motion: its emotion, with a number where several motions show the same."""
    names = []
    for index, emotion in enumerate(emotions):
        several = emotions.count(emotion) > 1
        names.append(f"{emotion} {emotions[: index + 1].count(emotion)}" if several else emotion)
    return tuple(names)


def gains_by_motion(swaps: FactorialSwaps, seed: int = 0) -> pd.DataFrame:
    """Measure gain, cosine and change error of all motions together and of each motion alone.

    The measures are those of :func:`~lfdtcmen.analysis.disentanglement.cross_identity_gain`. Sums over all motions are
    dominated by the strongest motions; so there is also a row without the strongest one (of two motions or more), and a
    row in which each motion is scaled to the same true strength.

    Parameters
    ----------
    swaps : FactorialSwaps
        Of emotions, or of single action units (:func:`lfdtcmen.datasets.synthetic.make_unit_counterfactuals`).
    seed : int
        Random seed of the bootstrap.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`), a ``metric`` and a ``part`` (motion) each. Intervals
        are of a crossed bootstrap over receivers, drivers and, where several are summed, motions
        (:func:`~lfdtcmen.evaluation.intervals.crossed_measure`). Further column: true strength, the root mean square
        of the true change in grey levels.
    """
    products = factorial_products(swaps)  # [R, D, M, 3]
    alike = products / products[..., 1].mean((0, 1))[:, None]
    strengths = 255 * np.sqrt((swaps.true_change.astype(float) ** 2).mean((0, 2)))  # [M]
    every, weaker = np.arange(len(strengths)), np.sort(np.argsort(strengths)[:-1])
    parts = {ALL: (products, every), ALL_ALIKE: (alike, every)}
    parts |= {BUT_STRONGEST: (products[:, :, weaker], weaker)} if len(weaker) else {}
    parts |= {name: (products[:, :, [m]], np.array([m])) for m, name in enumerate(swaps.motions)}
    tables = []
    for part, (values, motions) in parts.items():
        found = [crossed_measure(n, statistic, values, seed, 1.0, t) for n, (statistic, t) in STATISTICS.items()]
        strength = np.sqrt((strengths[motions] ** 2).mean())
        tables.append(measure_table(found).assign(part=part, **{"true strength": strength}))
    return pd.concat(tables, ignore_index=True)


def factorial_products(swaps: FactorialSwaps) -> np.ndarray:
    """Return <g, t>, <t, t>, <g, g> of every combination's generated and true change, float64 [R, D, M, 3]."""
    true = swaps.true_change.astype(float)  # [R, M, K]
    products = []
    for driver in range(swaps.change.shape[1]):
        generated = swaps.change[:, driver].astype(float)  # [R, M, K]
        sums = [(generated * true).sum(2), (true**2).sum(2), (generated**2).sum(2)]
        products.append(np.stack(sums, axis=2))  # [R, M, 3]
    return np.stack(products, axis=1)


# ---------------------------------------------------------------- whose change is it?


def change_shares(swaps: FactorialSwaps, seed: int = 0) -> pd.DataFrame:
    """Divide the generated change into what depends on motion, driver and receiver, and on combinations of them.

    The mean square of all changes is divided as in an analysis of variance of a full factorial, pixel by pixel: the
    mean over everything ("common to all"), the main effect of each factor, and the interactions. The shares add up to
    1. The true change does not depend on the driver: so what the driver adds, alone or together with other factors, is
    error. It contains what the picture shows of the driver's identity, and what the camera's noise in the driver's
    frames does; with noise-free frames (:func:`without_noise`), the former is left.

    Parameters
    ----------
    swaps : FactorialSwaps
    seed : int
        Random seed of the bootstrap.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`), one per ``part``: a factor, several, or
        "driver, with all interactions", the sum of all parts with the driver. ``reference`` is the share in the true
        change. Intervals are of a crossed bootstrap over receivers, drivers and motions. All NaN, where the generated
        image never changes.

    Notes
    -----
    The shares are those of the population that the levels are a sample of (variance components of random effects),
    estimated without bias; so a small one may come out below 0. A resample contains some levels twice, which makes its
    levels more alike by the same factor as a sample's are compared with the population: it is corrected twice.
    """
    levels = swaps.change.shape[:3]
    resampled = [weights / weights.sum(1, keepdims=True) for weights in resample_crossed(levels, seed=seed)]
    once = [np.full((1, count), 1 / count) for count in levels]
    gram = _inner_products(swaps.change)
    found, samples = shares_of_squares(gram, once), shares_of_squares(gram, resampled, corrections=2)
    true = swaps.true_change[:, None]  # of one driver: nothing depends on which
    truth = shares_of_squares(_inner_products(true), [once[0], np.ones((1, 1)), once[2]])
    for shares in (found, samples, truth):
        of_driver = [share for part, share in shares.items() if "driver" in part]
        shares[DRIVER_TOTAL] = np.sum(of_driver, axis=0)
    measures = []
    for part, (share,) in found.items():
        low, high = crossed_interval(samples[part], levels) if np.isfinite(share) else (np.nan, np.nan)
        target = "0" if "driver" in part else "-"
        measures.append(Measure(SHARE, float(share), low, high, float(truth[part][0]), target))
    return measure_table(measures).assign(part=list(found))


def without_noise(counterfactuals: Counterfactuals) -> Counterfactuals:
    """Return the counterfactuals with the noise-free frames in place of the noisy ones."""
    return replace(counterfactuals, onset=counterfactuals.onset_clean, apex=counterfactuals.apex_clean)


def shares_of_squares(gram: np.ndarray, weights: list[np.ndarray], corrections: int = 1) -> dict[str, np.ndarray]:
    """Divide a mean square into mean, main effects and interactions of three crossed factors.

    Parameters
    ----------
    gram : ndarray
        Inner products of the values of all combinations, [A, B, C, A, B, C].
    weights : list of ndarray
        Weights of the levels of each factor, [N, A], [N, B], [N, C]; each row adds up to 1.
    corrections : int
        How often to correct for the number of levels: 0 divides what was observed, 1 estimates the shares in the
        population of levels.

    Returns
    -------
    dict
        Share of each part, [N]; all add up to 1. Its key names the factors, joined by " x ".

    Notes
    -----
    T(S) is the mean square of the averages over all factors that are not in the set S. The part of S is T(S) without
    the parts of the smaller sets in S (inclusion and exclusion). Of n levels, an average over a factor contains 1/n of
    that factor's variance: (n * average - none) / (n - 1) is free of it.
    """
    axes = range(len(FACTORS))
    subsets = [subset for size in range(len(FACTORS) + 1) for subset in combinations(axes, size)]
    squares = {subset: _mean_square(gram, weights, subset) for subset in subsets}
    for axis in [*axes] * corrections:
        if (count := gram.shape[axis]) > 1:  # a factor of one level is fixed
            squares = {
                kept: square if axis in kept else (count * square - squares[tuple(sorted((*kept, axis)))]) / (count - 1)
                for kept, square in squares.items()
            }
    parts: dict[tuple[int, ...], np.ndarray] = {}
    for subset in subsets:
        smaller = [part for kept, part in parts.items() if set(kept) < set(subset)]
        parts[subset] = squares[subset] - np.sum(smaller, axis=0)
    total = squares[subsets[-1]]
    with np.errstate(invalid="ignore"):  # no change at all: no shares
        return {" x ".join(FACTORS[a] for a in subset) or COMMON: part / total for subset, part in parts.items()}


def _mean_square(gram: np.ndarray, weights: list[np.ndarray], kept: tuple[int, ...]) -> np.ndarray:
    """Return the mean over the kept factors of the squared average over the other ones, [N]."""
    averaged = [axis for axis in range(len(FACTORS)) if axis not in kept]
    joint = np.ones((len(weights[0]), 1))  # weights of the combinations of the averaged factors, [N, combinations]
    for axis in averaged:
        joint = (joint[:, :, None] * weights[axis][:, None, :]).reshape(len(joint), -1)
    total = np.zeros(len(joint))
    for levels in product(*(range(weights[axis].shape[1]) for axis in kept)):
        index: list = [slice(None)] * len(FACTORS)
        weight = np.ones(len(joint))
        for axis, level in zip(kept, levels, strict=True):
            index[axis] = level
            weight = weight * weights[axis][:, level]
        block = gram[(*index, *index)].reshape(joint.shape[1], -1)
        total += weight * ((joint @ block) * joint).sum(1)
    return total


def _inner_products(change: np.ndarray) -> np.ndarray:
    """Return the inner products of all changes [R, D, M, K] with each other, float64 [R, D, M, R, D, M]."""
    rows = change.reshape(-1, change.shape[-1])
    return (rows @ rows.T).astype(float).reshape(change.shape[:3] * 2)
