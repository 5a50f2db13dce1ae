"""Tables 4 to 7 (4.6): which settings the paper takes apart, and whether its order of them holds in predictions.

A setting is a change of the config. All settings run under the same protocol, on the same folds and with the same
seeds, and each is compared with the next one on the same drawn subjects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from lfdtcmen.config import Config
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.results import score_table

FULL = "full"

# name of a run -> what it changes in the config; "losses" are those of SDO that stay beside the emotion loss
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
    if unknown := [table for table in tables if table not in TABLES]:
        raise DataError(f"unknown table {unknown[0]!r}", "ablation", f"use one of {', '.join(TABLES)}")
    return list(dict.fromkeys([FULL, *(run for table in tables for _, _, run in TABLES[table])]))


def ablation_table(table: str, predictions: Mapping[str, pd.DataFrame], repeats: int = 1000) -> pd.DataFrame:
    """Return a table of the paper with our scores: one row a setting, in the paper's order.

    Parameters
    ----------
    table : {"table4", "table5", "table6", "table7"}
    predictions : mapping
        Name of a run -> what :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned.
    repeats : int
        Of the bootstrap over subjects.

    Returns
    -------
    DataFrame
        Columns: setting, what; those of :func:`~lfdtcmen.evaluation.results.score_table` with the full network as
        reference, ``UF1 - full`` and so on; and ``UF1 - above`` with low, high and p, the step from the row above (NaN
        in the first row), likewise UAR.

    Raises
    ------
    DataError
        Unknown table, a run that is not there, or runs that did not predict the same samples.
    """
    rows = TABLES.get(table) or runs_of([table])  # the latter refuses an unknown table
    if missing := [run for _, _, run in rows if run not in predictions]:
        raise DataError(f"{table} lacks the run {missing[0]!r}", "ablation", f"run `lfdtcmen ablate {table}`")
    names = {run: f"{number} {what}" for number, what, run in rows}
    runs = {name: predictions[run] for run, name in names.items()}
    scores = score_table(runs, reference=names[FULL], repeats=repeats).set_index("model")
    scores.columns = [column.replace(names[FULL], FULL) for column in scores.columns]
    if scores[f"UF1 - {FULL}"].isna().any():
        raise DataError("the settings were not tested on the same samples", table, "use the same folds for all")
    steps = []
    for above, below in zip([None, *runs][:-1], runs, strict=True):
        pair = {name: runs[name] for name in (above, below) if name is not None}
        step = score_table(pair, reference=above, repeats=repeats).set_index("model").loc[below]
        steps.append({c.replace(str(above), "above"): step[c] for c in step.index if c.startswith(("UF1 -", "UAR -"))})
    table_of = pd.concat([scores.reset_index(drop=True), pd.DataFrame(steps)], axis=1)
    table_of.insert(0, "setting", [number for number, _, _ in rows])
    table_of.insert(1, "what", [what for _, what, _ in rows])
    return table_of


def verdict(scores: pd.DataFrame, metric: str = "UF1") -> str:
    """Say in one plain sentence whether the paper's order of a table's settings holds: each one above the one before.

    Every step is a paired difference with a 95 % interval over subjects: up where it lies above zero, down where it
    lies below. The order *holds* when all steps go up, *does not hold* when one goes down; else these runs *cannot
    tell*.

    Parameters
    ----------
    scores : DataFrame
        Of :func:`ablation_table`.
    metric : {"UF1", "UAR"}
    """
    steps = scores.iloc[1:]
    names = scores["setting"].tolist()
    up, down, unsure = [], [], []
    for (_, row), above in zip(steps.iterrows(), names, strict=False):
        value, low, high = (row[f"{metric} - above{end}"] for end in ("", " low", " high"))
        shown = [f"{number:+z.3f}" for number in (value, low, high)]
        text = f"{above} to {row['setting']} {shown[0]} ({shown[1]} to {shown[2]})"
        (up if low > 0 else down if high < 0 else unsure).append(text)
    answer = "does not hold" if down else "cannot tell" if unsure else "holds"
    parts = [("up: ", up), ("down: ", down), ("not told apart: ", unsure)]
    return f"{metric}, {' < '.join(names)}: {answer}. " + "; ".join(p + ", ".join(steps) for p, steps in parts if steps)
