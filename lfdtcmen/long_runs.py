"""Read what a long run predicted, for the notebooks that show it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from lfdtcmen.datasets.manifest import LABEL_MAPS
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.comparisons import compare_all, correct
from lfdtcmen.evaluation.results import COLUMNS
from lfdtcmen.results import COMMANDS, Found, find

RECIPES = ("paper", "repaired")  # those that the ablations were trained with
LINEAR = ("logistic-regression", "linear-svm")  # the linear reference: the first one that a run has

# what each model is, for tables and figures; the names themselves are those of ``lfdtcmen evaluate``
IN_WORDS = {
    "majority": "most frequent class",
    "apex-svm": "linear SVM on the apex",
    "logistic-regression": "logistic regression on flow",
    "linear-svm": "linear SVM on flow",
    "action-units": "linear model of muscle actions",
    "flow-branch": "flow branch alone",
    "motion-branch-stages12": "motion branch alone",
    "motion-branch": "motion branch after stage 3",
    "lfd-tcmen-stages12": "full network after stage 2",
    "lfd-tcmen": "full network after stage 3",
    "difference-svm": "linear SVM on apex - onset",
    "lbp-top": "LBP-TOP",
    "lbp-sip": "LBP-SIP",
    "mdmo": "MDMO",
    "distlbp-rip": "DiSTLBP-RIP",
    "bi-woof": "Bi-WOOF",
    "psn": "PSN",
    "alexnet": "AlexNet",
    "ststnet": "STSTNet",
    "off-apexnet": "OFF-ApexNet",
    "dual-inception": "Dual-Inception",
    "rcn": "RCN",
    "htnet": "HTNet",
    "micro-bert": "Micro-BERT",
    "cross_entropy": "plain cross-entropy",
    "class_weights": "class weights",
    "focal": "focal loss",
    "logit_adjusted": "logit adjustment",
    "balanced_sampling": "balanced sampling",
}


def in_words(name: str) -> str:
    """Return what a model is, for tables and figures: a name of ``lfdtcmen evaluate`` in the words of IN_WORDS.

    ``NAME+drl`` is the network NAME with DRL beside it; a name that ends with ``-repaired`` is of the repaired recipe.
    """
    network, _, beside = name.removesuffix("-repaired").partition("+")
    recipe = " (repaired)" if name.endswith("-repaired") else ""
    return IN_WORDS.get(network, network) + (" + DRL" if beside else "") + recipe


def drl_differences(predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the paired differences of networks with DRL beside them to the same networks without it, tidy rows.

    Without such a network among the predictions (``NAME+drl`` and NAME), the table is empty. Seeds and correction as
    for :func:`~lfdtcmen.evaluation.comparisons.compare_all`; the correction is over the whole table.
    """
    tables = []
    for name in predictions:
        network, plus, _ = name.partition("+drl")
        if plus and network in predictions:
            found = compare_all({in_words(m): predictions[m] for m in (network, name)}, in_words(network))
            tables.append(found[found["against"].ne("")])
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*COLUMNS, "p"])
    return correct(table)


@dataclass(frozen=True)
class LongRun:
    """Predictions of each model of a long run, the command and the date that made them, and whose run it is."""

    predictions: dict[str, pd.DataFrame]
    command: str
    date: str
    origin: str

    @property
    def linear(self) -> str:
        """Name of the linear model that the networks are compared with."""
        known = [name for name in LINEAR if name in self.predictions]
        if not known:
            raise DataError("the run has no linear model", self.origin, f"evaluate one of: {', '.join(LINEAR)}")
        return known[0]

    def in_words(self, *names: str) -> dict[str, pd.DataFrame]:
        """Return the predictions of some models (none: of all), each with what it is for a name (:func:`in_words`)."""
        chosen = names or tuple(self.predictions)
        if unknown := [name for name in chosen if name not in self.predictions]:
            raise DataError(f"the run has no model {unknown[0]!r}", self.origin, f"has: {', '.join(self.predictions)}")
        return {in_words(name): self.predictions[name] for name in chosen}

    def of_part(self, part: str) -> dict[str, pd.DataFrame]:
        """Return the predictions on one test set only, such as ``test_a`` of DFME."""
        return {name: table[table["part"] == part] for name, table in self.predictions.items()}


def read_run(name: str) -> LongRun:
    """Read a long run of ``lfdtcmen evaluate``: the reader's own, else the one that comes with the project.

    Raises
    ------
    DataError
        There is no such run (:func:`lfdtcmen.results.find`).
    """
    found, about, table = _read(name, "metrics.json")
    return LongRun(_by_model(table), about["command"], about["date"], found.origin)


def read_imbalance(label_map: str) -> LongRun:
    """Read the run ``imbalance``: the flow branch with each remedy for rare classes, and two linear models.

    Parameters
    ----------
    label_map : {"3class", "7class"}

    Raises
    ------
    DataError
        There is no such run (:func:`lfdtcmen.results.find`), or it has no probabilities of these classes.
    """
    found, about, table = _read("imbalance", "about.json")
    classes = [f"p_{name}" for name in LABEL_MAPS[label_map]]
    others = [column for column in table if column not in ("label_map", "option") and not column.startswith("p_")]
    rows = table[table["label_map"] == label_map]
    if rows.empty or not set(classes) <= set(table):
        advice = f"make it with: {COMMANDS['imbalance']}"
        raise DataError(f"the run has no probabilities for {label_map}", found.origin, advice)
    options = rows.groupby("option", sort=False)
    tables = {name: part[[*others, *classes]].reset_index(drop=True) for name, part in options}
    return LongRun(tables, about["command"], about["date"], found.origin)


@dataclass(frozen=True)
class AblationRun:
    """The predictions of ``experiments/ablations.py``, or of ``lfdtcmen ablate all``, and whose run it is.

    ``recipes`` has for each recipe, paper first, the predictions of its settings by name
    (:data:`lfdtcmen.analysis.ablation.SETTINGS`), and of what the run compares them with. ``trained_on`` is how many
    people each network was trained on; None where that is all but those of a fold.
    """

    recipes: dict[str, dict[str, pd.DataFrame]]
    command: str
    date: str
    origin: str
    trained_on: int | None


def read_ablations() -> AblationRun:
    """Read the run ``ablations``: the reader's own, else the one that comes with the project.

    A run without a column ``recipe`` is of the paper's. What belongs to no recipe stands in each.

    Raises
    ------
    DataError
        There is no such run (:func:`lfdtcmen.results.find`).
    """
    found, about, table = _read("ablations", "metrics.json")
    if "recipe" not in table:
        table = table.assign(recipe="paper")
    shared = _by_model(table[~table["recipe"].isin(RECIPES)])  # linear model, true action units
    recipes = [recipe for recipe in RECIPES if table["recipe"].eq(recipe).any()]
    runs = {recipe: _by_model(table[table["recipe"].eq(recipe)]) | shared for recipe in recipes}
    return AblationRun(runs, about["command"], about["date"], found.origin, about.get("trained_on"))


def _by_model(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    columns = table.columns.difference(["model", "recipe"], sort=False)
    return {model: rows[columns].reset_index(drop=True) for model, rows in table.groupby("model", sort=False)}


@dataclass(frozen=True)
class InflationRun:
    """The tables of ``experiments/inflation.py`` (its docstring describes them), and whose run it is."""

    splits: dict[str, pd.DataFrame]
    fresh: pd.DataFrame
    habits: pd.DataFrame
    real_habits: pd.DataFrame
    about: dict
    origin: str


def read_inflation() -> InflationRun:
    """Read the run ``inflation``.

    Raises
    ------
    DataError
        There is no such run (:func:`lfdtcmen.results.find`).
    """
    splits = ("loso", "apart", "mixed", "validated")
    found = find("inflation", "about.json", *(f"{name}.csv" for name in (*splits, "fresh", "habits")))
    predictions = {name: pd.read_csv(found.path(f"{name}.csv")) for name in splits}
    fresh, habits = (pd.read_csv(found.path(f"{name}.csv")) for name in ("fresh", "habits"))
    # a list of labels is needed for these, which not everybody has
    real_habits = pd.read_csv(find("inflation", "real_habits.csv").path("real_habits.csv"))
    about = json.loads(found.path("about.json").read_text(encoding="utf-8"))
    return InflationRun(predictions, fresh, habits, real_habits, about, found.origin)


def _read(name: str, about: str) -> tuple[Found, dict, pd.DataFrame]:
    """Return where a run lies, what it says about itself in a JSON file, and its predictions."""
    found = find(name, about, "predictions.csv")
    table = pd.read_csv(found.path("predictions.csv"), dtype={"subject": str, "clip": str})
    return found, json.loads(found.path(about).read_text(encoding="utf-8")), table
