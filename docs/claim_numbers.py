"""Read the numbers of docs/claims.py from the shipped tables, as the notebooks do.

Whoever calls these functions does so through :func:`shipped`; tables and scores are computed once and kept.
"""

import os
from collections.abc import Callable
from functools import cache
from math import fsum, nan
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd

from lfdtcmen.analysis import ablation, inflation
from lfdtcmen.evaluation import metrics, thresholds
from lfdtcmen.evaluation.comparisons import recalls
from lfdtcmen.evaluation.results import read_table, score_table
from lfdtcmen.evaluation.spotting import choose_threshold, interval_scores, paired_gains, with_best_share
from lfdtcmen.long_runs import InflationRun, LongRun, read_ablations, read_imbalance, read_inflation, read_run
from lfdtcmen.results import find

Found = TypeVar("Found")
PLAIN = "plain cross-entropy"


class Number(NamedTuple):
    """A number of a table, with its 95 % interval where it has one (else NaN)."""

    value: float
    low: float = nan
    high: float = nan


def shipped(function: Callable[[], Found]) -> Found:
    """Call a function that reads tables, and let it find the shipped ones, not those of the reader's own runs."""
    before = os.environ.get("LFDTCMEN_RUNS")
    os.environ["LFDTCMEN_RUNS"] = "experiments/results"
    try:
        return function()
    finally:
        del os.environ["LFDTCMEN_RUNS"]
        if before is not None:
            os.environ["LFDTCMEN_RUNS"] = before


# ---------------------------------------------------------------- tables of numbers


@cache
def table(name: str) -> pd.DataFrame:
    """Return a table of a run, ``run/file``."""
    run, _, file = name.partition("/")
    return read_table(find(run, file).path(file))


def one(name: str, query: str, column: str = "value") -> Number:
    """Return the number of the only row of a table that fits a query.

    Raises
    ------
    ValueError
        No row fits, or several.
    """
    (row,) = table(name).query(query).to_dict("records")
    return Number(row[column], row.get("low", nan), row.get("high", nan))


def carried(run: str, model: str, against: str = "") -> Number:
    """Return the UF1 of a model in the other world, without training there, or its difference to another model's."""
    what = f"model == '{model}' and metric == 'UF1' and part == 'other_world' and how == 'as it is'"
    return one(f"{run}/scores.csv", f"{what} and against == '{against}'")


def mean(name: str, query: str) -> Number:
    """Return the means over runs (seeds and folds) of a number and of both ends of its interval."""
    rows = table(name).query(query)
    return Number(*(fsum(rows[column]) / len(rows) for column in ("value", "low", "high")))


def measure(model: str, metric: str, run: str = "disentanglement", file: str = "measures.csv") -> Number:
    """Return a measure of the codes, the mean over seeds and folds."""
    return mean(f"{run}/{file}", f'model == "{model}" and metric == "{metric}"')


def on_motion(column: str, seed: int) -> Number:
    """Return the share of HiResCAM's weight on moving skin in the flow branch, or that of another map (no interval)."""
    query = f"method == 'hirescam' and model == 'III' and part == 'flow' and against == '' and seed == {seed}"
    found = one("inside/attribution.csv", query, column)
    return found if column == "value" else Number(found.value)


def last_gain(pixels: int) -> Number:
    """Return the motion gain after the last step of a training on motions of one size."""
    return Number(table("strong_motion/gain.csv").query("pixels == @pixels").sort_values("step")["gain"].iloc[-1])


def after_epochs(epoch: int, metric: str) -> Number:
    """Return a measure of the paper's stage 1 after some epochs."""
    return one("long_stage1/measures.csv", f"epoch == {epoch} and metric == '{metric}'")


def with_motion_skips(metric: str) -> Number:
    """Return a measure of stage 1 with skips of the motion encoder, the mean over seeds."""
    which = "variant == 'skips of the motion encoder' and preset == 'easy' and epoch == 12"
    return mean("stage1_choices/measures.csv", f"{which} and metric == '{metric}'")


# ---------------------------------------------------------------- predictions


@cache
def predictions(run: str) -> LongRun:
    return read_run(run)


@cache
def scores(run: str, model: str, reference: str | None = None, part: str | None = None) -> pd.DataFrame:
    """Return the scores of a model, and its differences to a reference."""
    known = predictions(run).of_part(part) if part else predictions(run).predictions
    return score_table({name: known[name] for name in (model, reference) if name}, reference)


def score(run: str, model: str, metric: str = "UF1", part: str | None = None) -> Number:
    return row_of(scores(run, model, part=part), model, metric, "")


def difference(run: str, model: str, reference: str, metric: str = "UF1") -> Number:
    return row_of(scores(run, model, reference), model, metric, reference)


def row_of(found: pd.DataFrame, model: str, metric: str, against: str) -> Number:
    """Return the number of a table of scores."""
    (row,) = found.query("model == @model and metric == @metric and against == @against").to_dict("records")
    return Number(row["value"], row["low"], row["high"])


def recall(run: str, model: str, name: str, part: str | None = None) -> Number:
    known = predictions(run).of_part(part) if part else predictions(run).predictions
    return recall_of(known[model], name)


def recall_of(predicted: pd.DataFrame, name: str) -> Number:
    """Return the share of a class that is found."""
    (row,) = recalls({"": predicted}).query("`class` == @name").to_dict("records")
    return Number(row["recall"], row["low"], row["high"])


def pooled_uf1(run: str, model: str) -> Number:
    rows = predictions(run).predictions[model]
    return Number(metrics.uf1(rows["label"].to_numpy(), rows["prediction"].to_numpy(), 3))


def uf1_over_folds(run: str, model: str) -> Number:
    """Return the mean of the folds' UF1, in which an absent class counts 0."""
    folds = predictions(run).predictions[model].groupby("fold")
    counts = [metrics.confusion(rows["label"], rows["prediction"], 3) for _, rows in folds]
    return Number(metrics.score_confusion(np.array(counts), "uf1").mean())


# ---------------------------------------------------------------- ablations


@cache
def ablation_tables() -> dict[str, dict[str, pd.DataFrame]]:
    """Return recipe -> name of a table -> its rows, of the tables of which a recipe has two rows or more."""
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for recipe, models in read_ablations().recipes.items():
        known = [name for name, rows in ablation.TABLES.items() if sum(run in models for _, _, run in rows) > 1]
        found[recipe] = {name: ablation.ablation_table(name, models) for name in known}
    return found


def ablation_step(name: str, setting: str, recipe: str = "paper") -> Number:
    """Return the UF1 of a setting of Tables 4 to 7 minus that of the setting above it."""
    return row_of(ablation_tables()[recipe][name], setting, "UF1", ablation.ABOVE)


def beside_full(name: str, recipe: str) -> Number:
    """Return the UF1 of what the full network is compared with, minus the full network's."""
    models = read_ablations().recipes[recipe]
    found = score_table({key: models[key] for key in (name, ablation.FULL)}, ablation.FULL)
    return row_of(found, name, "UF1", ablation.FULL)


def ablation_tests() -> list[Number]:
    """Return how many steps there are in all tables, recipes and both scores, and how many survive Holm's rule."""
    tables = {f"{recipe} {name}": t for recipe, of in ablation_tables().items() for name, t in of.items()}
    corrected = ablation.steps_of(tables)["holm"]
    return [Number(len(corrected)), Number(int((corrected <= 0.05).sum()))]


# ---------------------------------------------------------------- honest evaluation


@cache
def inflation_run() -> InflationRun:
    return read_inflation()


@cache
def selection() -> pd.DataFrame:
    """Return what LOSO reports of the last and of the best of 200 epochs, and what fresh people say of the same."""
    run = inflation_run()
    return inflation.selection_table(run.splits, run.fresh.query("split == 'loso' and epochs == 200"))


def selected(choice: str, column: str) -> Number:
    """Return a score of the chosen epochs; with an interval where it is the optimism."""
    (row,) = selection().query("choice == @choice").to_dict("records")
    return Number(row[column], row["low"], row["high"]) if column == "optimism" else Number(row[column])


@cache
def inflation_differences() -> pd.DataFrame:
    apart, mixed = (inflation.long_table(inflation_run().splits[name]) for name in ("apart", "mixed"))
    return inflation.inflation_table(apart, mixed, 3).query("against != ''").set_index("model")


def inflated(practice: str) -> Number:
    """Return what a practice adds to the honest UF1."""
    return Number(*inflation_differences().loc[practice, ["value", "low", "high"]])


# ---------------------------------------------------------------- apex spotting


def apex_error(setting: str, method: str) -> Number:
    """Return the mean absolute error of the apex, in frames, of clips whose interval is known."""
    known = table("apex/errors.csv").query("task == 'interval known' and setting == @setting and method == @method")
    return Number(known["error"].abs().mean())


def pretrained(generator: str, supervision: str, steps: int) -> str:
    """Return the query for the motion gain across identities of a cell of the two by two."""
    which = f"generator == '{generator}' and supervision == '{supervision}' and steps == {steps}"
    return f"metric == 'motion gain, across identities' and {which}"


def owed(model: str) -> Number:
    """Return the UF1 that a model owes to knowing the people, where each shows one class and looks go with emotions."""
    which = f"model == '{model}' and degree == 1 and metric == 'UF1'"
    return one("entangled/scores.csv", f"{which} and split == 'random' and against == 'subject'")


def entanglement_slope(model: str, what: str) -> Number:
    """Return the change of a model's score on new people, or of what it owes, from degree 0 to 1 of entanglement."""
    (row,) = (
        inflation.entanglement_slopes(table("entangled/predictions.csv.gz"))
        .query("model == @model and what == @what")
        .to_dict("records")
    )
    return Number(row["slope"], row["low"], row["high"])


def apex_gain(setting: str, method: str) -> Number:
    """Return by how many frames the pulse is nearer to the apex than a method."""
    known = with_best_share(table("apex/errors.csv"), table("apex/development.csv"))
    (row,) = paired_gains(known.query("setting == @setting")).query("method == @method").to_dict("records")
    return Number(row["value"], row["low"], row["high"])


@cache
def spotting() -> pd.DataFrame:
    """Return how well the pulse reports intervals where half of the clips are empty, and always reporting does."""
    development = table("apex/development.csv").query("task == 'nothing known' and method == 'pulse'")
    tested = table("apex/errors.csv").query("task == 'nothing known' and setting in ['standard', 'no expression']")
    return interval_scores(tested, {"pulse": choose_threshold(development)[0], "midpoint": 0.0})


def spotted(method: str, column: str) -> Number:
    row = spotting().loc[method]
    return Number(row[column], row["low"], row["high"]) if column == "F1" else Number(row[column])


# ---------------------------------------------------------------- imbalance


@cache
def imbalance(label_map: str) -> dict[str, pd.DataFrame]:
    """Return the predictions of plain training, of logit adjustment and from the true muscle actions."""
    return read_imbalance(label_map).in_words("cross_entropy", "logit_adjusted", "action-units")


@cache
def remedies(model: str) -> pd.DataFrame:
    known = imbalance("3class")
    return score_table({name: known[name] for name in (PLAIN, model)}, PLAIN)


def remedy(model: str, metric: str) -> Number:
    """Return what a remedy adds to a score of the plainly trained network."""
    return row_of(remedies(model), model, metric, PLAIN)


@cache
def matched() -> pd.DataFrame:
    return thresholds.matched_table(imbalance("3class"), PLAIN)


def at_equal_alarms(model: str) -> Number:
    """Return the recall over all classes minus that of the plainly trained network, at equal false alarms."""
    rows = matched().query("model == @model and metric == @thresholds.MATCHED and part == 'all classes'")
    (row,) = rows.to_dict("records")
    return Number(row["value"], row["low"], row["high"])
