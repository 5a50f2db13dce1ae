"""How near spotted frames are to the true ones (section 6, second limitation; assumed: the paper spots nothing)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import interval, measure, ratio, resample


def spotting_scores(errors: np.ndarray, subjects: np.ndarray) -> pd.DataFrame:
    """Return the mean absolute error of spotted frames, and the share within 1, 2 and 3 frames, with intervals.

    The bootstrap resamples subjects, not clips: one person's clips resemble each other.

    Parameters
    ----------
    errors : array-like
        Spotted minus true frame, [N].
    subjects : array-like
        Subject of each clip, [N].

    Returns
    -------
    DataFrame
        Index: mean absolute error (frames), within 1, 2, 3 frames (%). Columns: value, low, high (NaN for few subjects,
        :data:`~lfdtcmen.evaluation.intervals.LEAST_SUBJECTS`).

    Raises
    ------
    DataError
        No clips, another number of errors than of subjects, or a clip in which nothing was spotted (NaN).
    """
    errors, subjects = np.abs(np.asarray(errors, float)), np.asarray(subjects)
    if errors.ndim != 1 or errors.shape != subjects.shape or len(errors) == 0:
        raise DataError(f"{errors.shape} errors of {subjects.shape} subjects", "spotting_scores", "give one each")
    if not np.isfinite(errors).all():
        raise DataError("a clip has no error", "spotting_scores", "leave out clips in which nothing is to be spotted")
    values = {"mean absolute error (frames)": errors}
    values |= {f"within {n} frame{'s'[: n - 1]} (%)": 100.0 * (errors <= n) for n in (1, 2, 3)}
    people, who = np.unique(subjects, return_inverse=True)
    weight = resample(len(people))[:, who]  # [repeats, N]
    rows = {}
    for name, value in values.items():
        low, high = interval((weight @ value) / weight.sum(1), len(people))
        rows[name] = {"value": value.mean(), "low": low, "high": high}
    return pd.DataFrame(rows).T


def paired_gains(errors: pd.DataFrame, reference: str = "pulse") -> pd.DataFrame:
    """Return by how many frames a reference is nearer to the apex than each other method, on the same clips.

    Parameters
    ----------
    errors : DataFrame
        Columns setting, task, subject, method and error: spotted minus true frame, a row per clip, task and method;
        and clip, where a subject has several.
    reference : str
        The method to compare with.

    Returns
    -------
    DataFrame
        A row per setting, task and other method: value, the mean of (the other's absolute error minus the reference's),
        frames, with low and high of its 95 % interval over subjects (NaN for few), and the number of clips.

    Raises
    ------
    DataError
        The reference is no method of the table, a clip lacks a method that others of its setting have, or has two rows
        of one.
    """
    if reference not in set(errors["method"]):
        raise DataError(f"there is no method {reference!r}", "paired_gains", "give one of the column 'method'")
    rows = []
    for (setting, task), part in errors.groupby(["setting", "task"], sort=False):
        clip = ["subject", "clip"] if "clip" in part else ["subject"]
        if part.duplicated([*clip, "method"]).any():
            raise DataError("several rows of one clip and method", f"paired_gains: {setting}, {task}", "name the clips")
        size = part.assign(error=part["error"].abs()).pivot(index=clip, columns="method", values="error")
        people = size.index.get_level_values("subject").to_numpy()
        if size.isna().any(axis=None):
            raise DataError("a clip has no error of one method", f"paired_gains: {setting}, {task}", "spot it by each")
        for method in dict.fromkeys(part["method"]):
            if method == reference:
                continue
            gain = (size[method] - size[reference]).to_numpy()
            found = measure(method, ratio, np.stack([gain, np.ones_like(gain)], axis=1), people)
            row = {"setting": setting, "task": task, "method": method, "value": found.value}
            rows.append(row | {"low": found.low, "high": found.high, "clips": len(gain)})
    return pd.DataFrame(rows)


def with_best_share(errors: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return the errors in known intervals, with one more method, a constant learned from other clips: ``best share``.

    It looks at no frame: in each clip it reports the median share of the way from onset to offset at which the apexes
    of the other clips lie.

    Parameters
    ----------
    errors, others : DataFrame
        Columns task, method, onset, offset and error (spotted minus true frame), among others. The method ``midpoint``
        tells where each true apex is.
    """
    errors, others = (table[table["task"] == "interval known"] for table in (errors, others))
    midpoint = errors[errors["method"] == "midpoint"]
    way, apex = _way_and_apex(others[others["method"] == "midpoint"])
    share = (apex / way).median()
    way, apex = _way_and_apex(midpoint)
    constant = midpoint.assign(method="best share", error=(share * way).round().clip(lower=1) - apex)
    return pd.concat([errors, constant], ignore_index=True)


def _way_and_apex(midpoint: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return the frames from onset to offset and from onset to the true apex, of the rows of the method midpoint."""
    way = midpoint["offset"] - midpoint["onset"]
    return way, way // 2 - midpoint["error"]


def overlap(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return the intersection over union (IoU) of spotted and true intervals, from 0 to 1, [N].

    Parameters
    ----------
    found, true : array-like
        First and last frame of each, both belong to it, [N, 2]. NaN where there is none: the overlap is 0.

    Raises
    ------
    DataError
        The two differ in shape, or an interval ends before it begins.
    """
    found, true = np.asarray(found, float), np.asarray(true, float)
    if found.shape != true.shape or found.shape[1:] != (2,) or (np.diff(found) < 0).any() or (np.diff(true) < 0).any():
        raise DataError("intervals must be [N, 2], first and last frame", "overlap", "give as many found as true ones")
    common = np.minimum(found[:, 1], true[:, 1]) - np.maximum(found[:, 0], true[:, 0]) + 1
    common = np.nan_to_num(common).clip(min=0)
    return np.nan_to_num(common / (np.diff(found)[:, 0] + np.diff(true)[:, 0] + 2 - common))


def spotting_counts(overlaps: np.ndarray, shown: np.ndarray, reported: np.ndarray, least: float = 0.5) -> np.ndarray:
    """Return the true positives, false positives and false negatives of each clip, int [N, 3].

    The rule of MEGC 2019 and later (Li et al. 2019, arXiv 1812.10306): a reported interval is a true positive where its
    IoU with a true one is at least one half. A report with less overlap is a false positive, and its expression is
    missed.

    Parameters
    ----------
    overlaps : array-like
        IoU of the spotted interval and the true one, [N].
    shown : array-like
        Whether the clip shows an expression, bool [N]; one at most.
    reported : array-like
        Whether the method reports its interval, bool [N].
    least : float
        Least overlap of a true positive.
    """
    shown, reported = np.asarray(shown, bool), np.asarray(reported, bool)
    hit = shown & reported & (np.asarray(overlaps) >= least)
    return np.stack([hit, reported & ~hit, shown & ~hit], axis=1).astype(int)


def spotting_f1(counts: np.ndarray) -> np.ndarray:
    """Return F1 of sums of true positives, false positives and false negatives, [..., 3] -> [...]; 0 without any."""
    hits, alarms, missed = np.moveaxis(np.asarray(counts, float), -1, 0)
    return 2 * hits / np.maximum(2 * hits + alarms + missed, 1)


def report_counts(errors: pd.DataFrame, threshold: float) -> np.ndarray:
    """Return :func:`spotting_counts` of one method's clips, where it reports a contrast of at least a threshold.

    Parameters
    ----------
    errors : DataFrame
        A row per clip: onset and offset (true), onset error, offset error and error (missing where the clip shows no
        expression), contrast (missing where the method always reports).
    threshold : float
        Least contrast that is reported.
    """
    true = errors[["onset", "offset"]].to_numpy(float)
    found = true + errors[["onset error", "offset error"]].to_numpy(float)
    reported = errors["contrast"].fillna(np.inf) >= threshold
    return spotting_counts(overlap(found, true), errors["error"].notna(), reported)


def choose_threshold(errors: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    """Return the threshold at which one method's F1 is highest, and the curve of which it is the top.

    Choose it on other people than those whose F1 is reported.

    Parameters
    ----------
    errors : DataFrame
        As for :func:`report_counts`.

    Returns
    -------
    threshold : float
    curve : DataFrame
        Index: each contrast of the table as a threshold, and 0. Columns: ``F1``; ``false alarms``, the share of the
        clips without expression that are reported.
    """
    thresholds = np.unique(np.r_[0.0, errors["contrast"].dropna()])
    resting = errors["error"].isna().to_numpy()
    counts = np.stack([report_counts(errors, threshold) for threshold in thresholds])  # [thresholds, N, 3]
    alarms = counts[:, resting, 1].mean(1) if resting.any() else np.zeros(len(thresholds))
    curve = pd.DataFrame({"F1": spotting_f1(counts.sum(1)), "false alarms": alarms}, index=thresholds)
    return float(curve["F1"].idxmax()), curve


def interval_scores(errors: pd.DataFrame, thresholds: Mapping[str, float]) -> pd.DataFrame:
    """Return how well each method's reported intervals fit (MEGC), a row per method.

    Parameters
    ----------
    errors : DataFrame
        Columns of :func:`report_counts`, subject and method.
    thresholds : mapping
        Method -> its threshold.

    Returns
    -------
    DataFrame
        Index: method. Columns: F1, with low and high of its 95 % interval over subjects (NaN for few); ``found``, the
        share of the expressions with a true positive; ``false alarms``, the share of the clips without expression that
        are reported (NaN without such clips).
    """
    rows = {}
    for method, threshold in thresholds.items():
        part = errors[errors["method"] == method]
        counts = report_counts(part, threshold)
        score = measure(method, spotting_f1, counts, part["subject"].to_numpy())
        shown = part["error"].notna().to_numpy()
        alarms = counts[~shown, 1].mean() if (~shown).any() else np.nan
        found = counts[shown, 0].mean() if shown.any() else np.nan
        rows[method] = {"F1": score.value, "low": score.low, "high": score.high, "found": found, "false alarms": alarms}
    return pd.DataFrame(rows).T
