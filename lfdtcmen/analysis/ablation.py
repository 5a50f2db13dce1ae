"""Tables 4 to 7 (4.6): what the paper leaves out in each setting, and whether its order of settings holds here.

A setting is a change of the config. All settings run under the same protocol, on the same folds and with the same
seeds, and each is compared with the one above it on the same bootstrap resamples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from lfdtcmen.config import Config
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.comparisons import class_names, correct
from lfdtcmen.evaluation.intervals import REPEATS, describe_difference
from lfdtcmen.evaluation.metrics import METRICS
from lfdtcmen.evaluation.results import score_table

FULL, ABOVE = "full", "above"  # what a setting is compared with: the full network, the setting above it

# name of a run -> what it changes in the config; "losses" are those of SDO that stay, with the emotion loss
SETTINGS: dict[str, dict] = {
    FULL: {},
    "table4-I": {"drl": "motion"},
    "table4-II": {"drl": "encoders"},
    "table5-single": {"flow": "single"},
    "table6-I": {"motion": "encoder", "flow": None},
    "table6-II": {"flow": None},
    "table7-I": {"losses": ("reconstruction",)},
    "table7-II": {"losses": ("reconstruction", "orthogonality")},
    "table7-III": {"losses": ("reconstruction", "orthogonality", "cycle")},
    "table7-IV": {"losses": ("reconstruction", "orthogonality", "cycle", "consistency")},
}

# table -> its rows from top to bottom: (the paper's name, what it is, name of the run); the last is the best (stated)
TABLES: dict[str, list[tuple[str, str, str]]] = {
    "table4": [
        ("I", "motion encoder only", "table4-I"),
        ("II", "+ identity encoder", "table4-II"),
        ("III", "+ generator: the full network", FULL),
    ],
    "table5": [("single", "one stream", "table5-single"), ("triple", "three streams: the full network", FULL)],
    "table6": [
        ("I", "motion encoder's features only", "table6-I"),
        ("II", "+ motion branch", "table6-II"),
        ("III", "+ optical flow branch: the full network", FULL),
    ],
    "table7": [
        ("I", "reconstruction and emotion", "table7-I"),
        ("II", "+ orthogonality", "table7-II"),
        ("III", "+ cycle", "table7-III"),
        ("IV", "+ consistency", "table7-IV"),
        ("V", "+ identity contrastive: all losses", FULL),
    ],
}
# name of a run -> the paper's name of it, for figures
NAMES = {run: f"Table {table[-1]}, {number}" for table, rows in TABLES.items() for number, _, run in rows}
NAMES = NAMES | {FULL: "full network"}
TITLES = {
    "table4": "Table 4: what DRL consists of",
    "table5": "Table 5: streams of the optical flow branch",
    "table6": "Table 6: what TCME consists of",
    "table7": "Table 7: which losses SDO has",
}


def configure(config: Config, setting: str) -> Config:
    """Return the config of a setting.

    Raises
    ------
    DataError
        Unknown setting.
    """
    if setting not in SETTINGS:
        raise DataError(f"unknown setting {setting!r}", "ablation", f"use one of {', '.join(SETTINGS)}")
    changes = dict(SETTINGS[setting])
    losses = changes.pop("losses", None)
    if losses is not None:
        for stage in ("stage1", "stage3"):
            weights = getattr(config, stage)
            changes[stage] = {name: weight for name, weight in weights.items() if name in (*losses, "emotion")}
    return replace(config, **changes)


def runs_of(tables: Sequence[str]) -> list[str]:
    """Return the names of the runs that tables need, each once; the full network first, as others share its stage 1.

    Raises
    ------
    DataError
        Unknown table.
    """
    for table in tables:
        _check_table(table)
    return list(dict.fromkeys([FULL, *(run for table in tables for _, _, run in TABLES[table])]))


def ablation_table(table: str, predictions: Mapping[str, pd.DataFrame], repeats: int = REPEATS) -> pd.DataFrame:
    """Return a table of the paper with our scores, settings in the paper's order.

    Parameters
    ----------
    table : {"table4", "table5", "table6", "table7"}
    predictions : mapping
        Name of a run -> what :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned. A setting that was not run
        is left out; the full network, and one more, have to be there.
    repeats : int
        Resamples of the bootstrap over subjects.

    Returns
    -------
    DataFrame
        Rows of :func:`~lfdtcmen.evaluation.results.score_table`, whose ``model`` is the paper's name of the setting.
        Each setting has its scores, its differences ``against`` "full", the full network, and, but for the first one,
        its steps ``against`` "above", the setting before it. Further columns: what; by_seed, the value of each seed,
        as a tuple; degenerate, whether a setting, or both settings that are compared, give a constant answer
        (:func:`is_constant`): no interval and no p says anything of those.

    Raises
    ------
    DataError
        Unknown table, runs that are not there, or that did not predict the same samples.
    """
    _check_table(table)
    settings = [setting for setting in TABLES[table] if setting[2] in predictions]
    if len(settings) < 2 or settings[-1][2] != FULL:
        missing = next(run for _, _, run in reversed(TABLES[table]) if run not in predictions)
        raise DataError(f"{table} lacks the run {missing!r}", "ablation", f"run `lfdtcmen ablate {table}`")
    runs = {number: predictions[run] for number, _, run in settings}
    full = settings[-1][0]
    scores = score_table(runs, reference=full, repeats=repeats)
    if scores["value"].isna().any():
        raise DataError("the settings were not tested on the same samples", table, "use the same folds for all")
    tables = [add_seeds(scores, runs).replace({"against": {full: FULL}})]
    for above, below in pairwise(runs):
        pair = score_table({above: runs[above], below: runs[below]}, reference=above, repeats=repeats)
        step = pair[pair["model"].eq(below) & pair["against"].eq(above)]
        tables.append(add_seeds(step, runs).assign(against=ABOVE))
    order = {number: k for k, number in enumerate(runs)}
    rows = pd.concat(tables).sort_values("model", key=lambda m: m.map(order), kind="stable", ignore_index=True)
    rows.insert(1, "what", rows["model"].map({number: what for number, what, _ in settings}))
    return rows


def add_seeds(scores: pd.DataFrame, predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a table of scores with the columns by_seed and degenerate (:func:`ablation_table` describes them).

    An interval is over subjects, with the trained networks as they are; how far the seeds lie apart shows what
    initialisation and batches add.

    Parameters
    ----------
    scores : DataFrame
        Of :func:`~lfdtcmen.evaluation.results.score_table`.
    predictions : mapping
        What it was made of. Of a difference, the two models need the same seeds.
    """
    values, degenerate = [], []
    for row in scores.to_dict("records"):
        ours, other = predictions[row["model"]], predictions[row["against"] or row["model"]]
        value = _seed_scores(ours, row["metric"])
        values.append(tuple(value - _seed_scores(other, row["metric"]) if row["against"] else value))
        degenerate.append(is_constant(ours) and is_constant(other))
    return scores.assign(by_seed=values, degenerate=degenerate)


def _seed_scores(predictions: pd.DataFrame, metric: str) -> np.ndarray:
    """Return the score of each seed, [seeds]."""
    classes = len(class_names(predictions))
    runs = predictions.groupby("seed")
    return np.array([METRICS[metric.lower()](run["label"], run["prediction"], classes) for _, run in runs])


def is_constant(predictions: pd.DataFrame) -> bool:
    """Return whether a model gave one and the same answer to every sample, with every seed: it has learned nothing.

    Parameters
    ----------
    predictions : DataFrame
        What :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned.
    """
    return predictions["prediction"].nunique() == 1


def steps_of(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the steps of several tables in one, with p adjusted by Holm over all of them: degenerate ones count, too.

    Parameters
    ----------
    tables : mapping
        Name of a table -> what :func:`ablation_table` returned.

    Returns
    -------
    DataFrame
        Their rows ``against`` "above", with the further columns table (its name) and holm. A degenerate step has p 1:
        it was asked, so it counts among the tests, and cannot be a finding.
    """
    steps = pd.concat(
        [rows[rows["against"].eq(ABOVE)].assign(table=name) for name, rows in tables.items()], ignore_index=True
    )
    steps.loc[steps["degenerate"].astype(bool) & steps["p"].notna(), "p"] = 1.0
    return correct(steps)


def order_holds(scores: pd.DataFrame, metric: str = "UF1") -> str:
    """Say whether the paper's order of a table's settings holds, each one above the one before: in a word or two.

    Every step is a paired difference with a 95 % interval over subjects: up where it lies above zero, down where it
    lies below. The order *holds* when all steps go up, *does not hold* when one goes down. It is *degenerate* when two
    settings that follow each other give constant answers: nothing was compared there. Else, and where subjects are too
    few for an interval, these runs *cannot tell*.

    Parameters
    ----------
    scores : DataFrame
        Of :func:`ablation_table`.
    metric : {"UF1", "UAR"}
    """
    kinds = [step_kind(row) for row in _steps(scores, metric)]
    answers = {"down": "does not hold", "degenerate": "degenerate", "not distinguishable": "cannot tell", "up": "holds"}
    return next(answer for kind, answer in answers.items() if kind in kinds)


def verdict(scores: pd.DataFrame, metric: str = "UF1") -> str:
    """Say in one plain sentence whether the paper's order of a table's settings holds, and what each step does.

    Parameters
    ----------
    scores : DataFrame
        Of :func:`ablation_table`.
    metric : {"UF1", "UAR"}
    """
    names = list(dict.fromkeys(scores["model"]))
    kinds: dict[str, list[str]] = {"up": [], "down": [], "not distinguishable": [], "degenerate": []}
    for row, above in zip(_steps(scores, metric), names, strict=False):
        kinds[step_kind(row)].append(
            f"{above} to {row['model']}"
            + ("" if row["degenerate"] else f" {describe_difference(row['value'], row['low'], row['high'])}")
        )
    parts = "; ".join(f"{kind}: {', '.join(found)}" for kind, found in kinds.items() if found)
    return f"{metric}, {' < '.join(names)}: {order_holds(scores, metric)}. {parts}"


def _steps(scores: pd.DataFrame, metric: str) -> list[dict]:
    return scores[scores["metric"].eq(metric) & scores["against"].eq(ABOVE)].to_dict("records")


def step_kind(row: Mapping) -> str:
    """Return "up", "down", "not distinguishable" or "degenerate" for a step, a row of :func:`ablation_table`."""
    if row["degenerate"]:
        return "degenerate"
    return "up" if row["low"] > 0 else "down" if row["high"] < 0 else "not distinguishable"


def _check_table(table: str) -> None:
    if table not in TABLES:
        raise DataError(f"unknown table {table!r}", "ablation", f"use one of {', '.join(TABLES)}")
