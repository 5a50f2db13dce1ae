"""Result tables and files: tidy rows for computing and plotting, one readable table for people.

Every result table of this package has the columns of :data:`COLUMNS`, one row per number: who was measured (``model``),
what (``metric``), of which part of the data or of the network (``part``, "" where there is one only), the number with
its 95 % interval, over subjects unless the function says otherwise (``value``, ``low``, ``high``), and ``against``: ""
for a number of its own, the name of the reference for a paired difference to it. Some tables have further columns.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import (
    NO_INTERVAL,
    REPEATS,
    Measure,
    describe_difference,
    describe_interval,
    difference_in_words,
    measure_share,
)
from lfdtcmen.evaluation.metrics import METRICS, bootstrap_interval, paired_difference, permutation_test
from lfdtcmen.files import atomic_path

COLUMNS = ("model", "metric", "part", "value", "low", "high", "against")
TITLES = {"minutes": "minutes per fold"}  # column -> its title in a readable table


def score_table(
    predictions: Mapping[str, pd.DataFrame], reference: str | None = None, repeats: int = REPEATS, seed: int = 0
) -> pd.DataFrame:
    """Return UF1 and UAR of each model with 95 % intervals, and its difference to a reference.

    A score is that of the pooled predictions of all folds, averaged over seeds. The interval is over subjects
    (:func:`~lfdtcmen.evaluation.metrics.bootstrap_interval`).

    Parameters
    ----------
    predictions : mapping
        Model name -> what :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned.
    reference : str, optional
        Model to compare all models with, on the same bootstrap resamples.
    repeats : int
        Resamples of the bootstrap, and exchanges of the permutation test.
    seed : int
        Random seed of both.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`COLUMNS`): two per model (UF1, UAR) and, with a reference, two more ``against`` it. Further
        columns: sd (of the score over seeds; NaN of one seed), p of the difference
        (:func:`~lfdtcmen.evaluation.metrics.permutation_test`), runs (seeds), folds, minutes (per fold). If the
        samples differ from the reference's, the difference is NaN; if the number of seeds differs, p is NaN.

    Raises
    ------
    DataError
        No predictions, an unknown reference, or seeds that did not predict the same samples.
    """
    if not predictions:
        raise DataError("there are no predictions to score", "score_table", "run cross_validate first")
    if reference is not None and reference not in predictions:
        raise DataError(f"unknown reference model {reference!r}", "score_table", f"models: {', '.join(predictions)}")
    rows = []
    for name, table in predictions.items():
        run, about = _by_seed(table, name), _about(table)
        rows += [{"model": name, **_score(run, metric, repeats, seed), **about} for metric in METRICS]
        if reference is not None:
            rows += difference_rows(predictions, name, reference, repeats, repeats, seed)
    order = [*COLUMNS, "sd", "p", "runs", "folds", "minutes"]
    return pd.DataFrame(rows, columns=order if reference is not None else [c for c in order if c != "p"])


def difference_rows(
    predictions: Mapping[str, pd.DataFrame], model: str, reference: str, repeats: int, exchanges: int, seed: int
) -> list[dict]:
    """Return the rows of :func:`score_table` with the differences of one model to a reference.

    Parameters
    ----------
    predictions, repeats, seed
        As for :func:`score_table`; ``repeats`` of the bootstrap only.
    model, reference : str
        Names of two of the models.
    exchanges : int
        Exchanges of the permutation test.

    Raises
    ------
    DataError
        Seeds that did not predict the same samples.
    """
    run, other = (_by_seed(predictions[name], name) for name in (model, reference))
    about = {"against": reference, **_about(predictions[model])}
    return [{"model": model, **_difference(run, other, m, repeats, exchanges, seed), **about} for m in METRICS]


def as_predictions(pairs: PairSet, probabilities: np.ndarray, seed: int = 0) -> pd.DataFrame:
    """Return the probabilities of a model on held-out pairs as a table that :func:`score_table` reads.

    Parameters
    ----------
    pairs : PairSet
        The pairs that were predicted.
    probabilities : ndarray
        Of each class, [N, C].
    seed : int
        With which the model was trained.

    Raises
    ------
    DataError
        Another number of pairs or of classes.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.shape != (len(pairs), pairs.num_classes):
        shape = f"{list(probabilities.shape)} for {len(pairs)} pairs of {pairs.num_classes} classes"
        raise DataError(f"probabilities {shape}", "as_predictions", "give one row per pair, one column per class")
    columns = {"seed": seed, "fold": 0, "subject": pairs.subjects, "clip": pairs.manifest["clip"].to_numpy()}
    columns |= {"label": pairs.labels, "prediction": probabilities.argmax(1)}
    columns |= {f"p_{name}": probabilities[:, k] for k, name in enumerate(pairs.label_names)}
    return pd.DataFrame(columns | {"seconds": 0.0})


def recall_table(predictions: Mapping[str, pd.DataFrame], seed: int = 0) -> pd.DataFrame:
    """Return the recall of each class and model with 95 % intervals over subjects (4.2).

    Parameters
    ----------
    predictions : mapping
        As for :func:`score_table`; hits are averaged over seeds.
    seed : int
        Random seed of the bootstrap.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`COLUMNS`), one per model and class; ``metric`` is "recall of CLASS". A class without samples
        has no row.
    """
    tables = []
    for model, table in predictions.items():
        samples, predicted, _ = _by_seed(table, model)
        label, subjects = samples["label"].to_numpy(), samples["subject"].to_numpy()
        measures = []
        for k, column in enumerate(c for c in table if c.startswith("p_")):
            of_class = label == k
            if of_class.any():
                hits = (predicted[:, of_class] == k).mean(0)  # [N_k]
                name = f"recall of {column.removeprefix('p_')}"
                measures.append(measure_share(name, hits, np.ones_like(hits), subjects[of_class], seed))
        tables.append(measure_table(measures, model)[list(COLUMNS)])
    return pd.concat(tables, ignore_index=True)


def differences_in_words(scores: pd.DataFrame, metric: str = "UF1") -> list[str]:
    """Say of each model in one line whether its score is above or below the reference's, or not distinguishable.

    Parameters
    ----------
    scores : DataFrame
        Of :func:`score_table`, with a reference.
    metric : {"UF1", "UAR"}
    """
    lines = []
    rows = scores[scores["metric"].eq(metric) & scores["against"].ne("") & scores["model"].ne(scores["against"])]
    for row in rows.to_dict("records"):
        low, high = row["low"], row["high"]
        difference, answer = describe_difference(row["value"], low, high), difference_in_words(low, high)
        lines.append(f"{metric} of {row['model']} minus {row['against']}: {difference}: {answer}")
    return lines


def measure_table(measures: Iterable[Measure], model: str = "network") -> pd.DataFrame:
    """Return measures of one model as tidy rows, with the further columns reference and target."""
    rows = [
        {"model": model, "metric": m.name, "part": "", "value": m.value, "low": m.low, "high": m.high, "against": ""}
        | {"reference": m.reference, "target": m.target}
        for m in measures
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, "reference", "target"])


def readable(table: pd.DataFrame, index: str = "model", digits: int = 3) -> pd.DataFrame:
    """Return a tidy table as people read it: one row per model, one column per metric, or the reverse.

    A cell looks like "0.743 (0.701 to 0.786)", or "0.743 (no interval: fewer than 6 subjects)". Where no cell has an
    interval, this stands once, as the name of the columns.

    Parameters
    ----------
    table : DataFrame
        Tidy rows of one part, or with ``part`` in the index.
    index : {"model", "metric"}
        Whose values name the rows; the other one names the columns.
    digits : int
        Decimals of the values.

    Returns
    -------
    DataFrame
        Columns: each metric, and its standard deviation over seeds; each difference, "UF1 - svm", with its sign and,
        where known, its p; then the further columns of the table. A score that is not known is "".
    """
    names, head = list(dict.fromkeys(table[index])), "metric" if index == "model" else "model"
    intervals = bool(table["low"].notna().any())
    columns: dict[str, dict] = {}
    for row in table.to_dict("records"):
        column = row[head] + (f" - {row['against']}" if row["against"] else "")
        columns.setdefault(column, dict.fromkeys(names, ""))[row[index]] = _as_text(row, digits, intervals)
        if row.get("sd", np.nan) == row.get("sd", np.nan) and not row["against"]:
            columns.setdefault(f"{column} sd", dict.fromkeys(names, ""))[row[index]] = f"{row['sd']:.{digits}f}"
    further = [c for c in table if c not in (*COLUMNS, "sd", "p", index)]
    about = table.drop_duplicates(index).set_index(index)[further]
    for c in further:
        columns[TITLES.get(c, c)] = {name: f"{v:.3g}" if isinstance(v, float) else v for name, v in about[c].items()}
    found = pd.DataFrame(columns, index=pd.Index(names, name=index))
    return found if intervals else found.rename_axis(columns=NO_INTERVAL)


def read_table(file: Path | str) -> pd.DataFrame:
    """Read a tidy table that was written with ``to_csv``: an empty part or against comes back as ""."""
    texts = ("model", "metric", "part", "against", "target")
    table = pd.read_csv(file, dtype=dict.fromkeys(texts, str))
    return table.fillna({c: "" for c in texts if c in table})


def to_records(table: pd.DataFrame) -> list[dict]:
    """Return the rows as plain mappings for a JSON file, without the values that are not known (NaN)."""
    return [{name: value for name, value in row.items() if value == value} for row in table.to_dict("records")]


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


def _about(predictions: pd.DataFrame) -> dict:
    """Return how many seeds and folds there are, and the minutes that a fold took."""
    seconds = predictions.groupby(["seed", "fold"])["seconds"].first()
    minutes = float(seconds.mean() / 60)
    return {"runs": predictions["seed"].nunique(), "folds": predictions["fold"].nunique(), "minutes": minutes}


def _score(run: tuple[pd.DataFrame, np.ndarray, int], metric: str, repeats: int, seed: int) -> dict:
    """Return a score with its interval and its spread over seeds, as a part of a tidy row."""
    samples, predicted, num_classes = run
    y_true, subjects = samples["label"].to_numpy(), samples["subject"].to_numpy()
    by_run = [METRICS[metric](y_true, y_pred, num_classes) for y_pred in predicted]
    low, high = bootstrap_interval(y_true, predicted, subjects, metric, num_classes, repeats, seed=seed)
    sd = float(np.std(by_run, ddof=1)) if len(by_run) > 1 else np.nan
    row = {"metric": metric.upper(), "part": "", "value": float(np.mean(by_run)), "low": low, "high": high}
    return row | {"against": "", "sd": sd}


def _difference(run: tuple, reference: tuple, metric: str, repeats: int, exchanges: int, seed: int) -> dict:
    """Return a paired difference to a reference and its p, as a part of a tidy row."""
    (samples, predicted, num_classes), (others, reference_predicted, _) = run, reference
    (value, low, high), p = (np.nan, np.nan, np.nan), np.nan
    y_true, subjects = samples["label"].to_numpy(), samples["subject"].to_numpy()
    compared = (y_true, predicted, reference_predicted, subjects, metric, num_classes)
    if samples.equals(others):
        value, low, high = paired_difference(*compared, repeats, seed=seed)
        if len(predicted) == len(reference_predicted):
            p = permutation_test(*compared, exchanges, seed)
    return {"metric": metric.upper(), "part": "", "value": value, "low": low, "high": high, "p": p}


def _as_text(row: Mapping, digits: int, intervals: bool) -> str:
    if row["value"] != row["value"]:
        return ""
    form = f"{'+' if row['against'] else ''}z.{digits}f"  # z: no -0.000
    p = row.get("p", np.nan)
    text = f"{row['value']:{form}}"
    if intervals:
        text += f" ({describe_interval(row['low'], row['high'], form)})"
    return text + (f", p {p:.3f}" if p == p else "")


def _plain(value):
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} does not fit into JSON")
