"""How a score gets inflated: four ways of breaking the protocol of 4.2, each measured against the honest score.

And by how much a reported score exceeds that of the same models on fresh people (optimism), and how strong people's
label habits are, on which a split at random lives.

All of them are seen in public code of this field. They are here to be shown, in notebook 11: nothing else in the
package uses them, and :func:`~lfdtcmen.evaluation.protocol.cross_validate` raises an error for a split that mixes
subjects.
"""

from collections.abc import Callable, Mapping
from math import comb

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from lfdtcmen.datasets.splits import Fold
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import REPEATS, interval, resample, sum_by_group
from lfdtcmen.evaluation.metrics import confusion_by_subject, mean_score, score_confusion, uf1
from lfdtcmen.evaluation.results import COLUMNS

HONEST = "last epoch, pooled, subjects apart"


def random_kfold(labels: np.ndarray, k: int, seed: int = 0) -> list[Fold]:
    """Split samples at random, so that most test subjects are trained on as well: the wrong way, to measure it."""
    labels = np.asarray(labels)
    return list(StratifiedKFold(k, shuffle=True, random_state=seed).split(labels, labels))


def long_table(wide: pd.DataFrame) -> pd.DataFrame:
    """Return a table of ``experiments/inflation.py``, with a column per epoch, as one row per seed, epoch and sample.

    Columns: seed, fold, subject, clip, label, epoch (from 1), prediction.
    """
    keys = ["seed", "fold", "subject", "clip", "label"]
    table = wide.melt(keys, var_name="epoch", value_name="prediction")
    return table.assign(epoch=table["epoch"].astype(int))


def optimism(
    own: np.ndarray, fresh: np.ndarray, num_classes: int, metric: str = "uf1", repeats: int = REPEATS, seed: int = 0
) -> tuple[float, float, float]:
    """Return a reported score minus the score of the same trained models on fresh people (Efron, 1983).

    Parameters
    ----------
    own : ndarray
        Confusion matrices of each run's test subjects, [runs, S, C, C], as they are reported.
    fresh : ndarray
        Those of the model that tested the subject, for the fresh people, [runs, S, C, C].
    num_classes : int
        C.
    metric : {"uf1", "uar"}
    repeats : int
        Resamples of the bootstrap over the S test subjects; the fresh people are taken to be many.
    seed : int
        Random seed of the bootstrap.

    Returns
    -------
    optimism, low, high : float
        The mean over runs, and its 95 % interval.
    """
    own, fresh = (counts.reshape(*counts.shape[:2], -1) for counts in (own, fresh))  # [runs, S, C * C]
    people = own.shape[1]
    weights = np.concatenate([np.ones((1, people)), resample(people, repeats, seed)])  # [1 + R, S], all data first
    values = mean_score(weights @ own, metric, num_classes) - mean_score(weights @ fresh, metric, num_classes)
    return float(values[0]), *interval(values[1:], people)


def selection_table(
    splits: Mapping[str, pd.DataFrame], fresh: pd.DataFrame, metric: str = "uf1", repeats: int = REPEATS
) -> pd.DataFrame:
    """Return what is reported, what the same models score on fresh people, and the difference, for each choice.

    Parameters
    ----------
    splits : mapping
        Split -> its predictions after each epoch, as ``experiments/inflation.py`` writes them.
    fresh : DataFrame
        Its counts on fresh people.
    metric : {"uf1", "uar"}
    repeats : int
        Resamples of :func:`optimism`.

    Returns
    -------
    DataFrame
        Columns: split, choice (``last`` or ``best``), epochs (of which the best is chosen), reported, fresh, optimism,
        low, high.
    """
    rows = []
    for (split, choice, epochs), chosen in fresh.groupby(["split", "choice", "epochs"], sort=False):
        own, theirs = chosen_counts(splits[split], chosen)
        reported, of_fresh = (mean_score(counts.sum(1).reshape(len(own), -1), metric, 3) for counts in (own, theirs))
        rows.append((split, choice, epochs, reported, of_fresh, *optimism(own, theirs, 3, metric, repeats)))
    columns = ["split", "choice", "epochs", "reported", "fresh", "optimism", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def chosen_counts(split: pd.DataFrame, chosen: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the confusion matrices of each seed and test subject, and those of their models for fresh people.

    Parameters
    ----------
    split : DataFrame
        Predictions after each epoch, as ``experiments/inflation.py`` writes them.
    chosen : DataFrame
        Rows of its ``fresh.csv``, one a seed and fold: the chosen epoch, and counts on fresh people.

    Returns
    -------
    own, fresh : ndarray
        [seeds, S, 3, 3]; a model counts in ``fresh`` once for each clip that it tests in ``own``.
    """
    own, fresh = [], []
    for seed, run in split.groupby("seed"):
        models = chosen[chosen["seed"] == seed].set_index("fold").loc[run["fold"]]  # of each clip
        epochs = run[[name for name in run if str(name).isdigit()]].to_numpy()  # [N, epochs]
        predicted = epochs[np.arange(len(run)), models["epoch"] - 1]
        own.append(confusion_by_subject(run["label"].to_numpy(), predicted, run["subject"].to_numpy(), 3)[0])
        counts = models.filter(regex=r"^n\d\d$").to_numpy()  # [N, 9]
        fresh.append(sum_by_group(counts, run["subject"].to_numpy()))
    return np.stack(own).reshape(len(own), -1, 3, 3), np.stack(fresh).reshape(len(own), -1, 3, 3)


def habit_share(labels: np.ndarray, subjects: np.ndarray) -> float:
    """Return how much two clips of one person agree in class beyond two of different people: 0 not at all, 1 always.

    ``(w - b) / (1 - b)``: w is the share of a person's other clips that show the same class, b the share of other
    people's clips that do, both in the mean over clips. People with one clip do not count in w.

    Parameters
    ----------
    labels, subjects : ndarray
        Class, int64, and subject of each clip, [N] each.

    Raises
    ------
    DataError
        Nobody has two clips, or all clips are of one person.
    """
    who = np.unique(subjects, return_inverse=True)[1]
    counts = np.zeros((who.max() + 1, labels.max() + 1))  # [people, C]
    np.add.at(counts, (who, labels), 1)
    own, all_same, clips = counts[who, labels], counts.sum(0)[labels], counts.sum(1)[who]  # [N]
    if (clips < 2).all() or len(counts) < 2:
        raise DataError("two people are needed, and two clips of one of them", "habit_share", "give more clips")
    within = ((own - 1)[clips > 1] / (clips - 1)[clips > 1]).mean()
    between = ((all_same - own) / (len(labels) - clips)).mean()
    return float((within - between) / (1 - between))


def keep_habits(labels: np.ndarray, subjects: np.ndarray, strength: float, seed: int = 0) -> np.ndarray:
    """Choose about one clip in C, such that each person shows one class more often than others do.

    Each person gets a class at random, all alike. A clip of it is kept with probability ``(1 + (C - 1) strength) / C``,
    another one with ``(1 - strength) / C``: so the classes' shares of all clips stay what they are.

    Parameters
    ----------
    labels, subjects : ndarray
        Class, int64, and subject of each clip, [N] each; all C classes are there.
    strength : float
        0: no habits; 1: each person shows one class.
    seed : int
        Random seed of classes and choice.

    Returns
    -------
    ndarray
        bool [N].
    """
    rng = np.random.default_rng(seed)
    classes, who = labels.max() + 1, np.unique(subjects, return_inverse=True)[1]
    habitual = rng.integers(0, classes, who.max() + 1)[who] == labels  # [N]
    return rng.random(len(labels)) < np.where(habitual, 1 + (classes - 1) * strength, 1 - strength) / classes


def owed_to_people(scores: pd.DataFrame, metric: str = "UF1") -> pd.DataFrame:
    """Return what each model owes to knowing the people of its test clips, where looks and emotions go together.

    Parameters
    ----------
    scores : DataFrame
        The ``scores.csv`` of ``experiments/entangled.py``.
    metric : {"UF1", "UAR"}

    Returns
    -------
    DataFrame
        A row for each model and degree. Columns: model, degree, known (score with clips split at random), new (with
        people apart), owed (their paired difference), low, high (its 95 % interval over people).
    """
    rows = scores[scores["metric"] == metric].set_index(["model", "degree"])
    alone, paired = rows[rows["against"].isna()], rows[rows["against"].notna() & rows["split"].eq("random")]
    found = {
        split: alone.loc[alone["split"] == name, "value"] for split, name in (("known", "random"), ("new", "subject"))
    }
    found |= {"owed": paired["value"], "low": paired["low"], "high": paired["high"]}
    return pd.DataFrame(found).sort_index().reset_index()


def entanglement_slopes(
    predictions: pd.DataFrame, metric: str = "uf1", repeats: int = REPEATS, seed: int = 0
) -> pd.DataFrame:
    """Return how scores change from degree 0 to degree 1, where looks and emotions go together: least-squares slopes.

    Parameters
    ----------
    predictions : DataFrame
        The ``predictions.csv.gz`` of ``experiments/entangled.py``; the same people in each degree.
    metric : {"uf1", "uar"}
    repeats, seed : int
        Resamples of the bootstrap over people, and its random seed.

    Returns
    -------
    DataFrame
        Two rows for each model that has several degrees: of its score on new people (``what`` is "new"), and of what it
        owes to knowing the people ("owed": known minus new). Columns: model, what, slope, low, high (95 % interval).
    """
    rows = []
    classes = sum(column.startswith("p_") for column in predictions)
    for model, table in predictions.groupby("model"):
        if table["degree"].nunique() < 2:
            continue
        people = table["subject"].nunique()
        weights = np.concatenate([np.ones((1, people)), resample(people, repeats, seed)])  # [1 + R, S], all data first
        groups = table.groupby(["degree", "split"])
        scores = {key: _pooled(runs, classes, metric)(weights) for key, runs in groups}  # [1 + R] each
        degrees = sorted({degree for degree, _ in scores})
        new, known = (np.stack([scores[degree, split] for degree in degrees]) for split in ("subject", "random"))
        for what, values in {"new": new, "owed": known - new}.items():
            slopes = np.polyfit(degrees, values, 1)[0]
            rows.append((model, what, slopes[0], *interval(slopes[1:], people)))
    return pd.DataFrame(rows, columns=["model", "what", "slope", "low", "high"])


def last_epoch(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions after the last epoch: no epoch is chosen."""
    return predictions[predictions["epoch"] == predictions["epoch"].max()]


def best_epoch(predictions: pd.DataFrame, num_classes: int) -> pd.DataFrame:
    """Return, for each seed and fold, the predictions of the epoch that scored best on that fold's *test* samples."""

    def score(epoch: pd.DataFrame) -> float:
        return uf1(epoch["label"].to_numpy(), epoch["prediction"].to_numpy(), num_classes)

    scores = predictions.groupby(["seed", "fold", "epoch"])[["label", "prediction"]].apply(score)
    best = scores.groupby(["seed", "fold"]).idxmax()  # (seed, fold, epoch); of equal scores the first epoch
    keys = pd.MultiIndex.from_frame(predictions[["seed", "fold", "epoch"]])
    return predictions[keys.isin(best.to_list())]


def luckiest_seed(predictions: pd.DataFrame, num_classes: int) -> pd.DataFrame:
    """Return the predictions of the seed with the best pooled UF1."""
    scores = {
        seed: uf1(run["label"].to_numpy(), run["prediction"].to_numpy(), num_classes)
        for seed, run in predictions.groupby("seed")
    }
    return predictions[predictions["seed"] == max(scores, key=scores.__getitem__)]


def inflation_table(
    apart: pd.DataFrame,
    mixed: pd.DataFrame,
    num_classes: int,
    metric: str = "uf1",
    repeats: int = REPEATS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how much each bad practice, and all of them together, add to the honest score.

    Parameters
    ----------
    apart, mixed : DataFrame
        Of :func:`long_table`, with subjects apart and with samples split at random, the same seeds and samples.
    num_classes : int
        C.
    metric : {"uf1", "uar"}
    repeats : int
        Resamples of the bootstrap over subjects. What was chosen (epoch, seed) stays chosen.
    seed : int
        Random seed of the bootstrap.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`), two per practice (``model``), the honest one first:
        its score, and the paired difference ``against`` the honest score, which is what the practice adds.

    Raises
    ------
    DataError
        The two tables do not hold the same samples.
    """
    last, best = last_epoch(apart), best_epoch(apart, num_classes)
    mixed_last = last_epoch(mixed)
    if not _samples(last).equals(_samples(mixed_last)):
        raise DataError("the two splits do not hold the same samples", "inflation_table", "predict the same pairs")
    worst = luckiest_seed(best_epoch(mixed, num_classes), num_classes)
    scores = {
        HONEST: _pooled(last, num_classes, metric),
        "best epoch on the test fold": _pooled(best, num_classes, metric),
        "mean over folds, absent classes left out": _over_folds(last, num_classes, metric),
        "samples split at random": _pooled(mixed_last, num_classes, metric),
        "luckiest seed": _pooled(luckiest_seed(last, num_classes), num_classes, metric),
        "all four together": _over_folds(worst, num_classes, metric),
    }
    people = last["subject"].nunique()
    # [1 + R, S]: everybody once, then the resamples
    weights = np.concatenate([np.ones((1, people)), resample(people, repeats, seed)])
    values = {practice: score(weights) for practice, score in scores.items()}  # [1 + R] each
    rows = []
    for practice, found in values.items():
        for against, compared in (("", found), (HONEST, found - values[HONEST])):
            low, high = interval(compared[1:], people)
            rows.append((practice, metric.upper(), "", compared[0], low, high, against))
    return pd.DataFrame(rows, columns=COLUMNS)


def inflated_scores(
    apart: pd.DataFrame,
    mixed: pd.DataFrame,
    num_classes: int,
    epochs: int = 1,
    seeds: int = 1,
    at_random: bool = False,
    over_folds: bool = False,
) -> dict[str, float]:
    """Return the UF1 after each practice, added one after the other, for :func:`~lfdtcmen.viz.score_steps`.

    Parameters
    ----------
    apart, mixed : DataFrame
        Of :func:`long_table`, the same seeds and epochs.
    num_classes : int
        C.
    epochs : int
        How many of the last epochs to choose from, on each fold's test samples; 1 takes the last.
    seeds : int
        How many seeds are tried, of which the one with the best pooled UF1 is reported: the mean over all choices of
        that many seeds. 1 gives the mean over seeds.
    at_random : bool
        Split samples at random.
    over_folds : bool
        Average over folds, without the classes that a fold lacks, instead of pooling.

    Returns
    -------
    dict
        Name of the step -> UF1, the honest one first.
    """
    counts = count_epochs(apart, num_classes), count_epochs(mixed, num_classes)
    return steps_of_counts(counts[0], counts[1], epochs, seeds, at_random, over_folds)


def steps_of_counts(
    apart: np.ndarray, mixed: np.ndarray, epochs: int, seeds: int, at_random: bool, over_folds: bool
) -> dict[str, float]:
    """Return what :func:`inflated_scores` returns, from :func:`count_epochs` of the two splits."""
    counts = mixed if at_random else apart
    return {
        "honest": _report(apart),
        f"split: {'samples at random' if at_random else 'subjects apart'}": _report(counts),
        f"best of {epochs} epoch{'s' * (epochs > 1)}": _report(counts, epochs),
        f"average: {'over folds' if over_folds else 'pooled'}": _report(counts, epochs, 1, over_folds),
        f"best of {seeds} seed{'s' * (seeds > 1)}": _report(counts, epochs, seeds, over_folds),
    }


def count_epochs(predictions: pd.DataFrame, num_classes: int) -> np.ndarray:
    """Return the confusion matrix of each seed, fold and epoch, [seeds, folds, epochs, C, C]."""
    positions = [pd.factorize(predictions[name], sort=True)[0] for name in ("seed", "fold", "epoch")]
    positions += [predictions["label"].to_numpy(), predictions["prediction"].to_numpy()]
    shape = (*(position.max() + 1 for position in positions[:3]), num_classes, num_classes)
    return np.bincount(np.ravel_multi_index(positions, shape), minlength=np.prod(shape)).reshape(shape)


def _report(counts: np.ndarray, epochs: int = 1, seeds: int = 1, over_folds: bool = False) -> float:
    """Score counts [S, F, E, C, C] after choosing among the last epochs, and among seeds."""
    shown = counts[:, :, -epochs:]
    best = score_confusion(shown, "uf1").argmax(2)  # of equal scores the first epoch
    chosen = np.take_along_axis(shown, best[:, :, None, None, None], 2)[:, :, 0]  # [S, F, C, C]
    pooled = score_confusion(chosen.sum(1), "uf1")  # [S]
    reported = score_confusion(chosen, "uf1", leave_out=True).mean(1) if over_folds else pooled
    total = len(pooled)
    order = np.lexsort((-np.arange(total), pooled))  # the best seed last; of equal scores the first seed is later
    # how often the seed of this rank is the best of those tried
    share = np.array([comb(rank, seeds - 1) for rank in range(total)]) / comb(total, seeds)
    return float(share @ reported[order])


Score = Callable[[np.ndarray], np.ndarray]  # how often each subject counts [R, S] -> score [R]


def _samples(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return which seeds and samples were predicted, sorted."""
    return (
        predictions[["seed", "subject", "clip"]].astype(str).sort_values(["seed", "subject", "clip"], ignore_index=True)
    )


def _counts(predictions: pd.DataFrame, num_classes: int) -> np.ndarray:
    """Return flat confusion matrices by seed and subject, [runs, S, C * C]."""
    runs = [run.sort_values(["subject", "clip"]) for _, run in predictions.groupby("seed")]
    truth, subjects = runs[0]["label"].to_numpy(), runs[0]["subject"].to_numpy()
    predicted = np.stack([run["prediction"].to_numpy() for run in runs])  # [runs, N]
    return confusion_by_subject(truth, predicted, subjects, num_classes)


def _pooled(predictions: pd.DataFrame, num_classes: int, metric: str) -> Score:
    counts = _counts(predictions, num_classes)
    return lambda weights: mean_score(weights @ counts, metric, num_classes)


def _over_folds(predictions: pd.DataFrame, num_classes: int, metric: str) -> Score:
    """Score each fold over the classes that it happens to hold, as scikit-learn does by default, and average."""
    people = np.unique(predictions["subject"])
    counts = []  # of each seed and fold, [S, C * C]
    for _, part in predictions.groupby(["seed", "fold"]):
        own = np.zeros((len(people), num_classes**2), int)
        own[np.isin(people, part["subject"])] = _counts(part, num_classes)[0]
        counts.append(own)

    def score(weights: np.ndarray) -> np.ndarray:
        matrices = (weights @ np.stack(counts)).reshape(len(counts), len(weights), num_classes, num_classes)
        # [folds, R]; NaN where a resample has no subject of a fold
        return np.nanmean(score_confusion(matrices, metric, leave_out=True), 0)

    return score
