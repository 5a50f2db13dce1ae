"""How sure a number is: bootstrap over subjects, permutation test between two models, Holm's correction, power.

Clips of one person resemble each other, so people are resampled, not clips. Every interval of this package is made
here, and the same seed gives the same resamples: two numbers can be compared resample by resample.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import binomtest, norm

from lfdtcmen.errors import DataError

REPEATS = 1000  # resamples, or exchanges of a permutation test
# The widest interval of a bootstrap runs from the lowest subject to the highest one. Of n subjects, that holds the
# median with probability 1 - 2^(1-n): 94 % for 5, less than the interval claims, 97 % for 6. And no exchange of n
# subjects has a p below 2^(1-n): 0.06 for 5, 0.03 for 6.
LEAST_SUBJECTS = 6
Z = float(norm.ppf(0.975))  # 1.96: a 95 % interval of a normal estimate reaches so many standard errors to each side
NO_INTERVAL = f"no interval: fewer than {LEAST_SUBJECTS} subjects"

Statistic = Callable[[np.ndarray], np.ndarray]  # sums [..., K] -> values [...]


@dataclass(frozen=True)
class Measure:
    """A measured number, its interval, and what it is compared with.

    ``low`` and ``high`` bound the 95 % interval over subjects; they are NaN for fewer than :data:`LEAST_SUBJECTS`.
    ``reference`` is the number to compare it with (NaN where there is none), ``target`` is what a perfect result would
    be, as text: "1", "< 1", "chance level".
    """

    name: str
    value: float
    low: float
    high: float
    reference: float = float("nan")
    target: str = ""


@lru_cache(maxsize=8)  # a table of scores asks for the same resamples for each of its numbers
def resample(groups: int, repeats: int = REPEATS, seed: int = 0) -> np.ndarray:
    """Return how often each group (subject) counts in each resample of a bootstrap, int64 [repeats, groups], read-only.

    Groups are resampled with replacement, as many as there are. ``resample(G) @ sums`` with the groups' sums [G, K]
    gives the sums of every resample.
    """
    counts = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), size=repeats)
    counts.flags.writeable = False
    return counts


def interval(resampled: np.ndarray, subjects: int, tail: float = 0.025) -> tuple[float, float]:
    """Return the quantiles that leave out a share ``tail`` of the resampled values at either end; NaN is ignored.

    Both are NaN where fewer than :data:`LEAST_SUBJECTS` subjects were resampled: the bootstrap of one subject would be
    an interval of width 0, as if its score were certain.
    """
    if subjects < LEAST_SUBJECTS:
        return float("nan"), float("nan")
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    return float(low), float(high)


def share_interval(rate: float, resampled: np.ndarray, people: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, such as a recall, of what so many people show.

    Where all or nothing is a hit, a bootstrap has no width, as if the share were certain: it is Wilson's interval then,
    with a person as one observation (their clips may all be alike: rather too wide than too narrow).

    Parameters
    ----------
    rate : float
        The share; NaN where nobody shows what it is a share of.
    resampled : ndarray
        The share in each resample of people, [R].
    people : int
        Who show it: not all who were resampled.
    """
    if people >= LEAST_SUBJECTS and rate in (0, 1):
        return wilson(rate, people)
    return interval(resampled, people)


def wilson(rate: float, samples: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a rate that was measured on so many independent samples."""
    found = binomtest(round(rate * samples), samples).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def describe_interval(low: float | None, high: float | None, form: str = ".3f", name: str = "") -> str:
    """Return an interval as text, ``name`` and "0.701 to 0.786"; where it is NaN or None, :data:`NO_INTERVAL`."""
    if low is None or high is None or np.isnan([low, high]).any():
        return NO_INTERVAL
    return f"{name}{low:{form}} to {high:{form}}"


def describe_difference(value: float, low: float, high: float) -> str:
    """Return a difference and its interval as text; where it is NaN, that nothing was compared."""
    if np.isnan(value):
        return "not compared, for want of shared samples"
    return f"{value:+z.3f} ({describe_interval(low, high, '+z.3f')})"


def difference_in_words(low: float, high: float) -> str:
    """Return "higher" or "lower" where the interval of a difference excludes 0, else "not distinguishable".

    Without an interval (NaN) it is "cannot tell".
    """
    if np.isnan([low, high]).any():
        return "cannot tell"
    return "higher" if low > 0 else "lower" if high < 0 else "not distinguishable"


def sum_by_group(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the sums of rows [N, K] over each group, float64 [G, K], in the order of :func:`numpy.unique`."""
    members = np.unique(groups, return_inverse=True)[1]  # [N] in 0..G-1
    sums = np.zeros((members.max() + 1, values.shape[1]))
    np.add.at(sums, members, values)
    return sums


def ratio(sums: np.ndarray) -> np.ndarray:
    """Return the first sum as a multiple of the second, [..., K] -> [...]: a weighted mean, or a share."""
    return sums[..., 0] / sums[..., 1]


def measure(
    name: str,
    statistic: Statistic,
    values: np.ndarray,
    groups: np.ndarray,
    seed: int = 0,
    reference: float = float("nan"),
    target: str = "",
) -> Measure:
    """Evaluate a statistic of sums on all data, and on resampled groups for its 95 % interval.

    Parameters
    ----------
    name : str
        What is measured.
    statistic : function
        Sums [..., K] -> values [...], such as :func:`ratio`: it is given one total, and 1000 resampled ones at once.
    values : ndarray
        What is summed, a row per sample, [N, K].
    groups : ndarray
        Subject, or another unit to resample, of each sample, [N].
    seed : int
        Random seed of the bootstrap.
    reference, target
        As in :class:`Measure`.
    """
    sums = sum_by_group(values, groups)  # [G, K]
    low, high = interval(statistic(resample(len(sums), seed=seed) @ sums), len(sums))
    return Measure(name, float(statistic(sums.sum(0))), low, high, reference, target)


def measure_share(name: str, hits: np.ndarray, wholes: np.ndarray, people: np.ndarray, seed: int = 0) -> Measure:
    """Return the sum of ``hits`` as a share of that of ``wholes``, with its 95 % interval (:func:`share_interval`).

    Parameters
    ----------
    name : str
        What is measured.
    hits, wholes : ndarray
        Of each sample, [N].
    people : ndarray
        Subject of each sample, [N].
    seed : int
        Random seed of the bootstrap.
    """
    sums = sum_by_group(np.stack([hits, wholes], axis=1).astype(np.float64), people)  # [S, 2]
    with np.errstate(invalid="ignore"):  # of resamples without the class
        rate, resampled = ratio(sums.sum(0)), ratio(resample(len(sums), seed=seed) @ sums)
    return Measure(name, float(rate), *share_interval(float(rate), resampled, int((sums[:, 1] > 0).sum())))


def resample_crossed(levels: Sequence[int], repeats: int = REPEATS, seed: int = 0) -> list[np.ndarray]:
    """Return how often each level of each factor counts in each resample, int64 [repeats, levels] for each factor.

    Every factor is resampled on its own. A factor of one level stays as it is.
    """
    rng = np.random.default_rng(seed)
    return [rng.multinomial(count, np.full(count, 1 / count), size=repeats) for count in levels]


def crossed_interval(resampled: np.ndarray, levels: Sequence[int]) -> tuple[float, float]:
    """Return the 95 % interval of resampled values; both ends are NaN where a resampled factor has too few levels.

    Too few are fewer than :data:`LEAST_SUBJECTS`; a factor of one level is not resampled.
    """
    return interval(resampled, min((count for count in levels if count > 1), default=1))


def crossed_measure(
    name: str,
    statistic: Statistic,
    values: np.ndarray,
    seed: int = 0,
    reference: float = float("nan"),
    target: str = "",
) -> Measure:
    """Evaluate a statistic of sums where every combination of several factors was measured once.

    The interval is that of a crossed bootstrap: the levels of each factor (such as receivers, drivers and motions) are
    resampled independently of the others, so that it covers other levels of all of them at once (Owen 2007, "The
    pigeonhole bootstrap"; it is rather too wide than too narrow). :func:`measure` covers other levels of one factor.

    Parameters
    ----------
    name, statistic, seed, reference, target
        As for :func:`measure`.
    values : ndarray
        What is summed, [levels of factor 1, levels of factor 2, ..., K]. A factor of one level is not resampled.
    """
    levels = values.shape[:-1]
    first, *others = resample_crossed(levels, seed=seed)
    sums = np.tensordot(first, values, axes=1)  # [repeats, levels of factor 2, ..., K]
    for weights in others:
        sums = np.einsum("bn,bn...->b...", weights, sums)
    low, high = crossed_interval(statistic(sums), levels)
    total = values.sum(tuple(range(len(levels))))
    return Measure(name, float(statistic(total)), low, high, reference, target)


def exchange_test(
    ours: np.ndarray, theirs: np.ndarray, statistic: Statistic, repeats: int = REPEATS, seed: int = 0
) -> float:
    """Return the p-value of a paired permutation test over subjects.

    If two models were equally good, it would not matter whose answers are whose: in each repetition, each subject's
    answers are exchanged between the two with probability 1/2.

    Parameters
    ----------
    ours, theirs : ndarray
        Sums for each run and subject, [runs, S, K].
    statistic : function
        Sums of all runs [runs, R, K] -> values [R].
    repeats : int
        How many exchanges.
    seed : int
        Random seed of the exchanges.

    Returns
    -------
    float
        Two-sided, from ``1 / (repeats + 1)`` to 1; NaN for fewer than :data:`LEAST_SUBJECTS` subjects.

    Raises
    ------
    DataError
        The two have different numbers of runs.
    """
    if len(ours) != len(theirs):
        raise DataError(
            f"the models have {len(ours)} and {len(theirs)} runs", "exchange_test", "compare the same seeds"
        )
    if ours.shape[1] < LEAST_SUBJECTS:
        return float("nan")
    exchanged = np.random.default_rng(seed).integers(0, 2, (repeats, ours.shape[1])).astype(float)  # [R, S]
    moved = exchanged @ (theirs - ours)  # [runs, R, K]; counts are exact as floats, whose product is many times faster
    permuted = statistic(ours.sum(1, keepdims=True) + moved) - statistic(theirs.sum(1, keepdims=True) - moved)  # [R]
    observed = statistic(ours.sum(1, keepdims=True)) - statistic(theirs.sum(1, keepdims=True))  # [1]
    return float((1 + (np.abs(permuted) >= np.abs(observed) - 1e-12).sum()) / (1 + repeats))


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for how many tests were made (Holm, 1979), float64 [N].

    The smallest of N is multiplied by N, the next by N - 1 and so on; none gets smaller than one before it, and none
    larger than 1. If every adjusted p-value up to 0.05 counts as a finding, the probability of one or more false
    findings is at most 5 %, however the tests depend on each other.

    Raises
    ------
    DataError
        A value that is not between 0 and 1.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise DataError("p-values must be a list of numbers from 0 to 1", "holm", "leave out tests without a p-value")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted


def power(effect: float, half_width: float) -> float:
    """Return the probability that a 95 % interval excludes zero, if the true difference is ``effect``.

    For an estimate that is normal about its true value. An interval whose half-width *equals* the effect excludes zero
    in half of all studies only: the estimate is as often below its true value as above.

    Parameters
    ----------
    effect : float
        True difference.
    half_width : float
        How far the interval reaches to each side, in the same unit; above 0.

    Raises
    ------
    DataError
        A half-width that is not above 0.
    """
    if not half_width > 0:
        raise DataError(f"a half-width of {half_width}", "power", "give a number above 0")
    standard_errors = abs(effect) * Z / half_width
    return float(norm.sf(Z - standard_errors) + norm.cdf(-Z - standard_errors))


def subjects_needed(effect: float, half_width: float, subjects: int, wanted: float = 0.8) -> int:
    """Return the least number of subjects with which an interval excludes zero with the power ``wanted``.

    A half-width shrinks with the square root of the number of subjects (assumed: others of the same kind).

    Parameters
    ----------
    effect : float
        True difference.
    half_width : float
        That of the interval over so many ``subjects``, in the same unit.
    subjects : int
    wanted : float
        Between 0.025 and 1; the chance of a wrong sign is neglected.

    Raises
    ------
    DataError
        An effect of 0: no number of subjects shows it.
    """
    if effect == 0:
        raise DataError("an effect of 0", "subjects_needed", "give the smallest difference that matters")
    reach = abs(effect) * Z / (Z + float(norm.ppf(wanted)))  # the half-width that is enough
    return int(np.ceil(subjects * (half_width / reach) ** 2))
