"""What a table of scores allows one to say: comparisons in words, and recalls with intervals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import (
    REPEATS,
    describe_difference,
    describe_interval,
    difference_in_words,
    holm,
    measure,
    ratio,
    resample,
    share_interval,
    wilson,
)
from lfdtcmen.evaluation.metrics import bootstrap_interval, confusion, confusion_by_subject
from lfdtcmen.evaluation.results import difference_rows, score_table
from lfdtcmen.paper import numbers

EXCHANGES = 10_000  # of a permutation test: with fewer, no p is small enough to survive the correction of many
LEVEL = 0.05  # the largest p, corrected for the number of tests, that counts
RECALL_COLUMNS = ("model", "class", "samples", "recall", "low", "high")


def sentences(table: pd.DataFrame) -> list[str]:
    """Return each comparison of a table of scores as a sentence that claims no more than it allows.

    Parameters
    ----------
    table : DataFrame
        Tidy rows of :func:`~lfdtcmen.evaluation.results.score_table` with a reference.

    Returns
    -------
    list of str
        Such as "UF1: flow-branch is above linear-svm (+0.070, +0.028 to +0.104)"; none for the reference itself. The
        verdict is that of p where it is corrected for the number of comparisons (:func:`correct`), as in
        :func:`verdicts`; else the interval's; there is none without an interval.

    Raises
    ------
    DataError
        The table compares nothing.
    """
    rows = table[table["against"].ne("") & table["model"].ne(table["against"])]
    if rows.empty:
        raise DataError("the table compares no models", "sentences", "call score_table with a reference")
    found = []
    for row in rows.to_dict("records"):
        value, low, high = row["value"], row["low"], row["high"]
        if np.isnan([low, high]).any():
            found.append(
                f"{row['metric']}: {row['model']} minus {row['against']}: {describe_difference(value, low, high)}"
            )
            continue
        above, below = low > 0, high < 0
        if "holm" in row:
            above, below = (bool(row["holm"] <= LEVEL) and sign * value > 0 for sign in (1, -1))
        relation = "is above" if above else "is below" if below else "is not distinguishable from"
        numbers_of_it = f"{value:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
        if "holm" in row:
            numbers_of_it += f", Holm's p {row['holm']:.3f}"
        found.append(f"{row['metric']}: {row['model']} {relation} {row['against']} ({numbers_of_it})")
    return found


def compare_all(predictions: Mapping[str, pd.DataFrame], reference: str, seed: int = 0) -> pd.DataFrame:
    """Return the scores of models and their differences to one of them, all corrected for how many there are.

    The models may have been run with different seeds: a score is the mean over all of a model's seeds, a difference
    that over the seeds which it shares with the reference.

    Parameters
    ----------
    predictions : mapping
        Model -> what :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned.
    reference : str
        The model that all others are compared with.
    seed : int
        Random seed of bootstrap and exchanges.

    Returns
    -------
    DataFrame
        As :func:`~lfdtcmen.evaluation.results.score_table`, without a difference of the reference to itself; p is that
        of :data:`EXCHANGES` exchanges. One more column, ``holm``: p adjusted over all differences of the table, those
        of both scores. NaN where nothing can be compared, as with other samples; with no seed in common, no row.

    Raises
    ------
    DataError
        As for :func:`~lfdtcmen.evaluation.results.score_table`.
    """
    if reference not in predictions:
        raise DataError(f"unknown reference model {reference!r}", "compare_all", f"models: {', '.join(predictions)}")
    scores, differences = score_table(predictions, seed=seed), []
    for name, table in predictions.items():
        shared = set(table["seed"]) & set(predictions[reference]["seed"])
        if name != reference and shared:
            both = {m: predictions[m][predictions[m]["seed"].isin(shared)] for m in (name, reference)}
            differences += difference_rows(both, name, reference, REPEATS, EXCHANGES, seed)
    return correct(pd.concat([scores.assign(p=np.nan), pd.DataFrame(differences)], ignore_index=True))


def correct(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of differences with the column ``holm``: its p, adjusted by Holm over all that are not NaN."""
    tested = table["p"].notna()
    table = table.assign(holm=np.nan)
    table.loc[tested, "holm"] = holm(table.loc[tested, "p"].to_numpy(float))
    return table


def _by_seed(table: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the samples of a table of predictions, and what each seed predicted of them, [seeds, N]."""
    runs = [run for _, run in table.groupby("seed")]
    return runs[0], np.stack([run["prediction"].to_numpy() for run in runs])


def verdicts(table: pd.DataFrame, metric: str = "UF1") -> dict[str, list[str]]:
    """Return which models are above the reference, below it, or not distinguishable from it, after Holm's correction.

    Parameters
    ----------
    table : DataFrame
        Of :func:`compare_all`.
    metric : {"UF1", "UAR"}

    Returns
    -------
    dict
        "above", "below", "not distinguishable" -> models, the highest score first. Models that were not compared
        (fewer than six subjects, or other samples) are in none.
    """
    rows = table[table["metric"].eq(metric) & table["against"].ne("") & table["holm"].notna()].sort_values(
        "value", ascending=False
    )
    found = rows["holm"].le(LEVEL)
    kinds = {"above": found & rows["value"].gt(0), "below": found & rows["value"].lt(0), "not distinguishable": ~found}
    return {kind: rows.loc[chosen, "model"].tolist() for kind, chosen in kinds.items()}


def same_split(predictions: Mapping[str, pd.DataFrame]) -> bool:
    """Return whether all models, with all seeds, predicted the same clips in the same folds."""
    columns = ["fold", "subject", "clip", "label"]
    splits = [run[columns].reset_index(drop=True) for table in predictions.values() for _, run in table.groupby("seed")]
    return all(split.equals(splits[0]) for split in splits)


def change_in_words(
    name: str,
    before: np.ndarray,
    after: np.ndarray,
    subjects: np.ndarray,
    seed: int = 0,
    digits: int = 3,
    states: tuple[str, str] = ("before", "after"),
) -> str:
    """Say of a mean over samples whether it rose or fell between two networks, with the interval over subjects.

    Parameters
    ----------
    name : str
        What is measured, the beginning of the line.
    before, after : ndarray
        One number per sample, of the same samples in the same order, [N] each.
    subjects : ndarray
        Subject of each sample, [N].
    seed : int
        Random seed of the bootstrap.
    digits : int
        Decimals.
    states : (str, str)
        What the text has for "before" and "after", such as the names of two networks.

    Returns
    -------
    str
        Such as "training people: 0.032 before, 0.025 after, -0.007 (-0.011 to -0.003): lower"; without a verdict where
        the subjects are too few for an interval.

    Raises
    ------
    DataError
        The three arrays differ in length, or are empty.
    """
    if not len(before) or not len(before) == len(after) == len(subjects):
        lengths = f"{len(before)}, {len(after)} and {len(subjects)} numbers"
        raise DataError(lengths, f"change_in_words: {name}", "give one of each sample, before and after")
    difference = np.asarray(after, np.float64) - np.asarray(before, np.float64)  # [N]
    found = measure(name, ratio, np.stack([difference, np.ones_like(difference)], axis=1), subjects, seed)
    answer = "" if np.isnan(found.low) else f": {difference_in_words(found.low, found.high)}"  # NaN: too few subjects
    form = f"+z.{digits}f"
    change = f"{found.value:{form}} ({describe_interval(found.low, found.high, form)})"
    means = [f"{np.mean(values):.{digits}f} {state}" for values, state in zip((before, after), states, strict=True)]
    return f"{name}: {', '.join(means)}, {change}{answer}"


def class_names(predictions: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes of a table of predictions, in the order of their columns ``p_negative`` and so on."""
    return tuple(column.removeprefix("p_") for column in predictions if column.startswith("p_"))


def mean_confusion(predictions: pd.DataFrame) -> np.ndarray:
    """Return the confusion matrix of pooled predictions, the mean over seeds, float [C, C]."""
    classes = len(class_names(predictions))
    runs = [confusion(run["label"], run["prediction"], classes) for _, run in predictions.groupby("seed")]
    return np.mean(runs, axis=0)


def interval_ratio(predictions: pd.DataFrame, shuffled: np.random.Generator | None = None) -> float:
    """Return the width of UF1's 95 % interval over people, as a multiple of that over clips.

    It is near 1 where mistakes do not cluster in people, and above 1 where they do.

    Parameters
    ----------
    predictions : DataFrame
        Of one model and one seed.
    shuffled : numpy.random.Generator, optional
        Exchanges the predictions within each class between people at random first, which destroys any clustering.
    """
    predicted = predictions["prediction"]
    if shuffled is not None:
        predicted = predicted.groupby(predictions["label"]).transform(lambda column: shuffled.permutation(column))
    labels, classes = predictions["label"].to_numpy(), len(class_names(predictions))
    people, clips = (
        np.ptp(bootstrap_interval(labels, predicted.to_numpy(), unit, "uf1", classes))
        for unit in (predictions["subject"].to_numpy(), np.arange(len(predictions)))
    )
    return float(people / clips)


def recalls(predictions: Mapping[str, pd.DataFrame], repeats: int = REPEATS, seed: int = 0) -> pd.DataFrame:
    """Return the recall of each class, averaged over seeds, with a 95 % interval over subjects.

    Parameters
    ----------
    predictions : mapping
        Model -> what :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned.
    repeats, seed : int
        Resamples of the bootstrap, and its random seed.

    Returns
    -------
    DataFrame
        Columns :data:`RECALL_COLUMNS`; ``samples`` are those of one seed. Intervals are those of
        :func:`~lfdtcmen.evaluation.intervals.share_interval`: none of a class that fewer than six people show.
    """
    rows = []
    for model, table in predictions.items():
        names = class_names(table)
        first, predicted = _by_seed(table)
        by_subject = confusion_by_subject(first["label"], predicted, first["subject"], len(names))  # [runs, S, C * C]
        weights = np.vstack([np.ones(by_subject.shape[1]), resample(by_subject.shape[1], repeats, seed)])
        counts = (weights @ by_subject).reshape(len(predicted), repeats + 1, len(names), len(names))
        with np.errstate(invalid="ignore"):
            rates = (np.diagonal(counts, axis1=-2, axis2=-1) / counts.sum(-1)).mean(0)  # [1 + R, C]
        shown = by_subject[0].reshape(-1, len(names), len(names)).sum(-1) > 0  # [S, C]: who shows what
        for c, name in enumerate(names):
            samples, rate = int(counts[0, 0, c].sum()), rates[0, c]
            bounds = share_interval(rate, rates[1:, c], int(shown[:, c].sum()))
            rows.append((model, name, samples, rate, *bounds))
    return pd.DataFrame(rows, columns=list(RECALL_COLUMNS))


def stated_recalls(data: str) -> pd.DataFrame:
    """Return the recalls that the paper states (4.7), as :func:`recalls` does.

    The interval is Wilson's, over samples: that of subjects would be wider. NaN where the number of samples is not
    stated; a class whose recall is not stated has no row.

    Parameters
    ----------
    data : {"casme3", "dfme_a", "dfme_b"}
    """
    rows = []
    for name, row in numbers.RECALL[data].items():
        samples = numbers.CLASS_COUNTS[data].get(name, 0)
        bounds = wilson(row[name], samples) if samples else (np.nan, np.nan)
        rows.append((f"the paper, {numbers.RECALL_NAMES[data]}", name, samples, row[name], *bounds))
    return pd.DataFrame(rows, columns=list(RECALL_COLUMNS))
