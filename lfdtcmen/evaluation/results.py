"""Predictions become tables and files: several seeds, an interval over subjects, a paired comparison."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.metrics import METRICS, bootstrap_interval, paired_difference, permutation_test
from lfdtcmen.files import atomic_path


def score_table(
    predictions: Mapping[str, pd.DataFrame], reference: str | None = None, repeats: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return one row a model: UF1 and UAR with 95 % intervals, and its time.

    A score is that of the pooled predictions of all folds, averaged over seeds. The interval is over subjects
    (:func:`~lfdtcmen.evaluation.metrics.bootstrap_interval`).

    Parameters
    ----------
    predictions : mapping
        Model name -> what :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned.
    reference : str, optional
        Model to compare the others with, on the same drawn subjects.
    repeats, seed
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Columns: model; UF1, UF1 low, UF1 high, UF1 sd (over seeds, NaN of one), likewise UAR; runs (seeds); folds;
        minutes per fold; and, with a reference, ``UF1 - <reference>`` with `` low``, `` high`` and `` p``
        (:func:`~lfdtcmen.evaluation.metrics.permutation_test`), likewise UAR. A model whose samples are not the
        reference's has no difference (NaN), one that has not as many runs no p.

    Raises
    ------
    DataError
        No predictions, an unknown reference, or seeds that did not predict the same samples.
    """
    if not predictions:
        raise DataError("there are no predictions to score", "score_table", "run cross_validate first")
    if reference is not None and reference not in predictions:
        raise DataError(f"unknown reference model {reference!r}", "score_table", f"models: {', '.join(predictions)}")
    runs = {name: _by_seed(table, name) for name, table in predictions.items()}
    rows = []
    for name, (samples, predicted, num_classes) in runs.items():
        truth, subjects = samples["label"].to_numpy(), samples["subject"].to_numpy()
        row = {"model": name}
        for metric, score in METRICS.items():
            column = metric.upper()
            by_run = [score(truth, run, num_classes) for run in predicted]
            row[column] = float(np.mean(by_run))
            row[f"{column} low"], row[f"{column} high"] = bootstrap_interval(
                truth, predicted, subjects, metric, num_classes, repeats, seed=seed
            )
            row[f"{column} sd"] = float(np.std(by_run, ddof=1)) if len(by_run) > 1 else np.nan
        fold_seconds = predictions[name].groupby(["seed", "fold"])["seconds"].first()
        row["runs"] = len(predicted)
        row["folds"] = predictions[name]["fold"].nunique()
        row["minutes per fold"] = float(fold_seconds.mean() / 60)
        if reference is not None:
            others, reference_predicted, _ = runs[reference]
            comparable = samples.equals(others)
            for metric in METRICS:
                column = f"{metric.upper()} - {reference}"
                difference, p = (np.nan, np.nan, np.nan), np.nan
                both = (truth, predicted, reference_predicted, subjects, metric, num_classes, repeats)
                if comparable:
                    difference = paired_difference(*both, seed=seed)
                if comparable and len(predicted) == len(reference_predicted):
                    p = permutation_test(*both, seed=seed)
                row[column], row[f"{column} low"], row[f"{column} high"] = difference
                row[f"{column} p"] = p
        rows.append(row)
    return pd.DataFrame(rows)


def write_predictions(predictions: pd.DataFrame, run_dir: Path | str) -> Path:
    """Write ``run_dir/predictions.csv``, whole or not at all, and return its path.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    path = Path(run_dir) / "predictions.csv"
    with atomic_path(path) as temporary:
        predictions.to_csv(temporary, index=False, lineterminator="\n")
    return path


def write_metrics(metrics: Mapping, run_dir: Path | str) -> Path:
    """Write ``run_dir/metrics.json``, whole or not at all, and return its path.

    Parameters
    ----------
    metrics : mapping
        Plain values; NumPy's are converted.
    run_dir : path
        Created where it is not there.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    path = Path(run_dir) / "metrics.json"
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(metrics, indent=2, default=_plain) + "\n", encoding="utf-8")
    return path


def _by_seed(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, np.ndarray, int]:
    """Return the samples (subject, clip, label), the predictions of each seed [runs, N], and the number of classes."""
    groups = [group.reset_index(drop=True) for _, group in table.groupby("seed", sort=False)]
    if not groups:
        raise DataError("the predictions are empty", name, "run cross_validate first")
    samples = groups[0][["subject", "clip", "label"]]
    if not all(group[["subject", "clip", "label"]].equals(samples) for group in groups):
        raise DataError("seeds did not predict the same samples", name, "use the same folds for all seeds")
    num_classes = sum(column.startswith("p_") for column in table)
    return samples, np.stack([group["prediction"].to_numpy() for group in groups]), num_classes


def _plain(value):
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} does not fit into JSON")
