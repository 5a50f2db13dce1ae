"""How a score gets inflated: four ways of breaking the protocol of 4.2, each measured against the honest score.

All of them are seen in public code of this field. They are here to be shown, in notebook 11: nothing else in the
package uses them, and :func:`~lfdtcmen.evaluation.protocol.cross_validate` raises an error for a split that mixes
subjects.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import comb

import numpy as np
import pandas as pd
from joblib import delayed
from sklearn.model_selection import StratifiedKFold
from tqdm.auto import tqdm

from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import Fold
from lfdtcmen.devices import side_by_side
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import REPEATS, interval, resample
from lfdtcmen.evaluation.metrics import confusion_by_subject, mean_score, score_confusion, uf1
from lfdtcmen.evaluation.results import COLUMNS
from lfdtcmen.progress import hidden
from lfdtcmen.threads import one_thread
from lfdtcmen.training import build_model, predict, train_stage

HONEST = "last epoch, pooled, subjects apart"


def random_kfold(labels: np.ndarray, k: int, seed: int = 0) -> list[Fold]:
    """Split samples at random, so that most test subjects are trained on as well: the wrong way, to measure it."""
    labels = np.asarray(labels)
    return list(StratifiedKFold(k, shuffle=True, random_state=seed).split(labels, labels))


def epoch_predictions(
    config: Config, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], n_jobs: int = 1, progress: bool = False
) -> pd.DataFrame:
    """Train stage 2 on each fold and seed, and predict the test samples after *every* epoch.

    Parameters
    ----------
    config : Config
        Of a network without DRL (the optical flow branch alone), so that stage 2 is all there is to train.
    pairs : PairSet
        Prepared.
    folds : iterable of (train_index, test_index)
        Any split, also one that leaks.
    seeds : iterable of int
    n_jobs : int
        Processes; -1 for all cores.
    progress : bool
        Show a progress bar over folds.

    Returns
    -------
    DataFrame
        One row per seed, epoch and sample. Columns: seed, fold, epoch, subject, clip, label, prediction.

    Raises
    ------
    DataError
        A config with DRL.
    """
    if config.drl is not None:
        raise DataError("the config has a stage 1", "epoch_predictions", "give replace(config, drl=None, motion=None)")
    jobs = [(int(seed), number, *fold) for seed in seeds for number, fold in enumerate(folds)]
    tables = []
    with tqdm(total=len(jobs), unit="fold", disable=hidden(progress)) as bar:
        run = delayed(_one_fold)
        for table in side_by_side((run(config, pairs, *job) for job in jobs), n_jobs):
            tables.append(table)
            bar.update()
    return pd.concat(tables, ignore_index=True)


def _one_fold(config: Config, pairs: PairSet, seed: int, fold: int, train: np.ndarray, test: np.ndarray):
    tested, tables = pairs.subset(test), []

    def keep(epoch: int, model) -> None:
        columns = {"seed": seed, "fold": fold, "epoch": epoch, "subject": tested.subjects}
        columns |= {"clip": tested.manifest["clip"], "label": tested.labels}
        tables.append(pd.DataFrame({**columns, "prediction": predict(model, tested).argmax(1)}))

    with one_thread():
        config = replace(config, seed=seed)
        model = build_model(config, pairs.num_classes, EXTENDED)
        train_stage(model, pairs.subset(train), 2, config, progress=False, on_epoch=keep, method=EXTENDED)
    return pd.concat(tables)


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
    validated: pd.DataFrame | None = None,
    metric: str = "uf1",
    repeats: int = REPEATS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how much each bad practice, and all of them together, add to the honest score.

    Parameters
    ----------
    apart, mixed : DataFrame
        Of :func:`epoch_predictions`, with subjects apart and with samples split at random, the same seeds and samples.
    num_classes : int
        C.
    validated : DataFrame, optional
        Predictions with the epoch chosen on validation subjects of the training side: what to do instead.
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
    if validated is not None:
        scores["epoch chosen on validation subjects"] = _pooled(validated, num_classes, metric)
    people = last["subject"].nunique()
    # [1 + R, S]: everybody once, then the resamples
    weights = np.concatenate([np.ones((1, people), int), resample(people, repeats, seed)])
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
        Of :func:`lfdtcmen.analysis.inflation.epoch_predictions`, the same seeds and epochs.
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
