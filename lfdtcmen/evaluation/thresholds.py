"""Models at the same rate of false alarms: what a moved threshold gives, and what it cannot give (section 6).

A *false alarm* for a class is a sample of another class that is predicted as it. A threshold on :func:`margin` trades
false alarms for samples found, along one curve; a model with better features has a higher curve.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.comparisons import class_names
from lfdtcmen.evaluation.intervals import REPEATS, interval, resample
from lfdtcmen.evaluation.results import COLUMNS

AS_TRAINED, MATCHED = "as trained", "at equal false alarms"
ALL_CLASSES = "all classes"
LEAST_P = 1e-12  # a probability that was rounded to 0


def margin(predictions: pd.DataFrame, class_name: str) -> np.ndarray:
    """Return how far a class is ahead of the best other one, ``log p_c - max log p_other``, [N].

    It is above 0 where the class is predicted.

    Parameters
    ----------
    predictions : DataFrame
        What :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned.
    class_name : str

    Raises
    ------
    DataError
        The predictions have no probabilities of this class.
    """
    names = class_names(predictions)
    if class_name not in names:
        raise DataError(f"there is no class {class_name!r}", "margin", f"classes: {', '.join(names)}")
    log_p = np.log(predictions[[f"p_{name}" for name in names]].to_numpy().clip(LEAST_P))  # [N, C]
    c = names.index(class_name)
    return log_p[:, c] - np.delete(log_p, c, axis=1).max(1)


def remove_shares(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return predictions with the training shares of the classes divided out; nothing is trained anew.

    A network trained by plain cross-entropy has those shares in its probabilities. Each is divided by its class's share
    in the other folds, those that the network was trained on (Menon et al. 2021): no label of a tested sample is used.

    Parameters
    ----------
    predictions : DataFrame
        Of one model, what :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned.

    Returns
    -------
    DataFrame
        The same rows; new are the probabilities and the ``prediction``, the most probable class.

    Raises
    ------
    DataError
        There is only one fold, so that the training samples are not known.
    """
    columns = [f"p_{name}" for name in class_names(predictions)]
    log_p = np.log(predictions[columns].to_numpy().clip(LEAST_P))  # [N, C]
    fold, label = predictions["fold"].to_numpy(), predictions["label"].to_numpy()
    if len(np.unique(fold)) < 2:
        raise DataError("there is only one fold", "remove_shares", "give the predictions of all folds")
    for k in np.unique(fold):
        trained_on = np.bincount(label[fold != k], minlength=len(columns)).clip(1)  # [C]
        log_p[fold == k] -= np.log(trained_on / trained_on.sum())
    p = np.exp(log_p - log_p.max(1, keepdims=True))
    return predictions.assign(
        prediction=log_p.argmax(1), **dict(zip(columns, (p / p.sum(1, keepdims=True)).T, strict=True))
    )


def found_at(margins: np.ndarray, is_class: np.ndarray, rates: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the largest share of a class that a threshold finds with at most so many false alarms, [R].

    Parameters
    ----------
    margins : ndarray
        Of :func:`margin`, [N].
    is_class : ndarray of bool
        Which samples are of the class, [N].
    rates : ndarray
        Allowed share of the other samples, [R]: one for each resample, or several for one sample.
    counts : ndarray
        How often each sample counts, [R, N].
    """
    order = np.lexsort((is_class, -margins))  # of equal margins, the other classes come first
    counts, is_class = counts[:, order], is_class[order]
    alarms, found = np.cumsum(counts * ~is_class, axis=1), np.cumsum(counts * is_class, axis=1)  # [R, N]
    with np.errstate(invalid="ignore"):
        alarms, found = alarms / alarms[:, -1:], found / found[:, -1:]
    allowed = (alarms <= np.asarray(rates)[:, None] + 1e-9).sum(1)  # [R], how many samples lie above the threshold
    return np.where(allowed > 0, found[np.arange(len(found)), allowed - 1], 0 * found[:, -1])


def curve(predictions: pd.DataFrame, class_name: str, rates: np.ndarray) -> np.ndarray:
    """Return the share of a class that is found at each of ``rates`` [G] of false alarms, the mean over seeds, [G].

    Parameters
    ----------
    predictions : DataFrame
        Of one model. Errors as :func:`margin`.
    class_name : str
    rates : ndarray
        Allowed share of the other samples, [G].
    """
    curves = []
    for _, run in predictions.groupby("seed"):
        ahead = margin(run, class_name)
        is_class = run["label"].to_numpy() == class_names(run).index(class_name)
        curves.append(found_at(ahead, is_class, rates, np.ones((len(rates), len(run)), int)))
    return np.mean(curves, axis=0)


def matched_table(
    predictions: Mapping[str, pd.DataFrame], reference: str, repeats: int = REPEATS, seed: int = 0
) -> pd.DataFrame:
    """Compare the recalls of models with a reference: as trained, and at the model's own rate of false alarms.

    At equal false alarms, the reference's threshold for the class is moved until it has as many as the model. What is
    left of the difference is not the threshold. With several seeds, rates and recalls are their means.

    Parameters
    ----------
    predictions : mapping
        Model -> what :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned, on the same samples.
    reference : str
        Name of one of them.
    repeats, seed : int
        Resamples of the bootstrap over subjects, and its random seed.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`) of differences ``against`` the reference: for each
        other model, each class and their mean (``part``), the metrics :data:`AS_TRAINED` and :data:`MATCHED`. Further
        columns: false_alarms and recall of the model; reference_recall, which the difference is to.

    Raises
    ------
    DataError
        No such reference, or models that did not predict the same samples.
    """
    runs, labels, counts, who = _resampled(predictions, reference, repeats, seed)
    names, rows = class_names(predictions[reference]), []
    people = [len(np.unique(who[labels == c])) for c in range(len(names))]  # who show a class
    for model in [name for name in predictions if name != reference]:
        values = []
        for c, name in enumerate(names):
            is_class = labels == c
            alarms, recall = _own_point(runs[model], c, is_class, counts)
            plain = _own_point(runs[reference], c, is_class, counts)[1]
            curves = [found_at(margin(run, name), is_class, alarms, counts) for run in runs[reference]]
            values.append(np.stack([alarms, recall, plain, np.mean(curves, axis=0)]))  # [4, 1 + R]
        for part, showing, (alarms, recall, plain, matched) in zip(
            (*names, ALL_CLASSES), (*people, min(people)), [*values, np.mean(values, axis=0)], strict=True
        ):
            for metric, other in ((AS_TRAINED, plain), (MATCHED, matched)):
                difference = recall - other
                bounds = interval(difference[1:], showing)
                row = dict(zip(COLUMNS, (model, metric, part, difference[0], *bounds, reference), strict=True))
                rows.append(row | {"false_alarms": alarms[0], "recall": recall[0], "reference_recall": other[0]})
    return pd.DataFrame(rows)


def area_table(
    predictions: Mapping[str, pd.DataFrame], class_name: str, reference: str, repeats: int = REPEATS, seed: int = 0
) -> pd.DataFrame:
    """Return the area under each model's curve of found samples against false alarms, which no threshold changes.

    It is the probability that a sample of the class has a larger :func:`margin` than one of the others: 0.5 is chance
    level.

    Parameters
    ----------
    predictions, reference, repeats, seed
        As for :func:`matched_table`.
    class_name : str

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`): for each model its area, and its difference
        ``against`` the reference. Errors as :func:`matched_table` and :func:`margin`.
    """
    runs, labels, counts, who = _resampled(predictions, reference, repeats, seed)
    is_class = labels == class_names(predictions[reference]).index(class_name)
    areas = {
        name: np.mean([_area(margin(run, class_name), is_class, counts) for run in tables], axis=0)
        for name, tables in runs.items()
    }
    people, rows = min(len(np.unique(who[part])) for part in (is_class, ~is_class)), []
    for name, area in areas.items():
        for against, values in (("", area), (reference, area - areas[reference])):
            rows.append((name, "area", class_name, values[0], *interval(values[1:], people), against))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _area(margins: np.ndarray, is_class: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the area under the curve for each resample, [R]; of equal margins, each pair counts half."""
    levels, place = np.unique(margins, return_inverse=True)
    level = np.eye(len(levels))[place]  # [N, levels]
    own, others = (counts * is_class) @ level, (counts * ~is_class) @ level  # [R, levels]
    below = np.cumsum(others, axis=1) - others / 2
    with np.errstate(invalid="ignore"):
        return (own * below).sum(1) / own.sum(1) / others.sum(1)


def _resampled(
    predictions: Mapping[str, pd.DataFrame], reference: str, repeats: int, seed: int
) -> tuple[dict[str, list[pd.DataFrame]], np.ndarray, np.ndarray, np.ndarray]:
    """Return the runs of each model, labels [N], how often each sample counts [1 + R, N], and whose it is [N].

    Row 0 of the counts is everybody once.
    """
    if reference not in predictions:
        raise DataError(f"unknown reference model {reference!r}", "thresholds", f"models: {', '.join(predictions)}")
    runs = {name: [run.reset_index(drop=True) for _, run in t.groupby("seed")] for name, t in predictions.items()}
    samples = runs[reference][0][["subject", "clip", "label"]]
    for name, tables in runs.items():
        if not all(table[["subject", "clip", "label"]].equals(samples) for table in tables):
            raise DataError("the models did not predict the same samples", f"thresholds: {name}")
    people, who = np.unique(samples["subject"], return_inverse=True)
    times = np.vstack([np.ones(len(people), int), resample(len(people), repeats, seed)])  # [1 + R, S]
    return runs, samples["label"].to_numpy(), times[:, who], who


def _own_point(
    runs: list[pd.DataFrame], c: int, is_class: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return false alarms and recall of class c where the models themselves put the threshold, means of runs, [R]."""
    predicted = np.mean([run["prediction"] == c for run in runs], axis=0)  # [N]
    with np.errstate(invalid="ignore"):
        return (
            counts[:, ~is_class] @ predicted[~is_class] / counts[:, ~is_class].sum(1),
            counts[:, is_class] @ predicted[is_class] / counts[:, is_class].sum(1),
        )
