"""Each bad practice adds what it should on predictions whose truth is known, and the honest score stays what it is."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, recall_score

from lfdtcmen import DataError, load_config
from lfdtcmen.analysis.inflation import (
    HONEST,
    best_epoch,
    epoch_predictions,
    inflation_table,
    last_epoch,
    luckiest_seed,
    random_kfold,
)
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.evaluation.metrics import paired_difference, uf1
from lfdtcmen.evaluation.results import COLUMNS

PEOPLE, EACH = 20, 6


def predictions(accuracy=0.5, seeds=3, epochs=4, mixed=False):
    """Return predictions of noise around one accuracy: whatever a choice adds to them is inflation."""
    labels = np.random.default_rng(1).choice(3, PEOPLE * EACH, p=[0.65, 0.08, 0.27])
    person = np.arange(len(labels)) // EACH
    fold = np.random.default_rng(2).integers(0, 5, len(labels)) if mixed else person % 5
    tables = []
    for seed in range(seeds):
        for epoch in range(epochs):
            rng = np.random.default_rng([seed, epoch, int(100 * accuracy)])
            predicted = np.where(rng.random(len(labels)) < accuracy, labels, rng.integers(0, 3, len(labels)))
            columns = {"seed": seed, "fold": fold, "epoch": epoch, "subject": [f"s{p:02d}" for p in person]}
            columns |= {"clip": [f"c{i:03d}" for i in range(len(labels))], "label": labels, "prediction": predicted}
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True).sample(frac=1, random_state=0)  # in no order


def pooled(table):
    return np.mean([uf1(r["label"].to_numpy(), r["prediction"].to_numpy(), 3) for _, r in table.groupby("seed")])


def split(table):
    """Return the scores, and what each practice adds to the honest one, by practice."""
    assert tuple(table.columns) == COLUMNS and set(table["against"]) == {"", HONEST}
    return tuple(table[table["against"].eq(against)].set_index("model") for against in ("", HONEST))


def test_the_best_epoch_is_the_best_of_each_seed_and_fold():
    table = predictions()
    chosen = best_epoch(table, 3)
    assert len(chosen) == 3 * PEOPLE * EACH
    for (seed, fold), part in chosen.groupby(["seed", "fold"]):
        assert part["epoch"].nunique() == 1
        epochs = table[(table["seed"] == seed) & (table["fold"] == fold)].groupby("epoch")
        by_epoch = [uf1(e["label"].to_numpy(), e["prediction"].to_numpy(), 3) for _, e in epochs]
        assert part["epoch"].iloc[0] == np.argmax(by_epoch)


def test_rows_are_what_a_plain_computation_gives():
    table, mixed = predictions(), predictions(0.6, mixed=True)
    scores, added = split(inflation_table(table, mixed, 3))
    last = last_epoch(table)
    assert scores.loc[HONEST, "value"] == pytest.approx(pooled(last))
    assert added.loc[HONEST, ["value", "low", "high"]].tolist() == [0, 0, 0]
    assert scores.loc["best epoch on the test fold", "value"] == pytest.approx(pooled(best_epoch(table, 3)))
    assert scores.loc["samples split at random", "value"] == pytest.approx(pooled(last_epoch(mixed)))
    lucky = max(pooled(run) for _, run in last.groupby("seed"))
    assert pooled(luckiest_seed(last, 3)) == lucky == pytest.approx(scores.loc["luckiest seed", "value"])
    for metric, score in (("uf1", f1_score), ("uar", recall_score)):
        by_fold = [
            np.mean([score(f["label"], f["prediction"], labels=labels(f, metric), average="macro", zero_division=0)
                     for _, f in run.groupby("fold")])
            for _, run in last.groupby("seed")
        ]  # fmt: skip
        scores, _ = split(inflation_table(table, mixed, 3, metric=metric))
        found = scores.loc["mean over folds, absent classes left out"]
        assert found["value"] == pytest.approx(np.mean(by_fold)) and found["metric"] == metric.upper()


def labels(fold, metric):
    return np.unique(fold["label"] if metric == "uar" else fold[["label", "prediction"]])


def test_noise_alone_is_inflated_by_choosing_and_the_interval_says_so():
    _, added = split(inflation_table(predictions(), predictions(mixed=True), 3))
    for practice in ("best epoch on the test fold", "luckiest seed", "all four together"):
        assert added.loc[practice, "value"] > 0
    assert added.loc["best epoch on the test fold", "low"] > 0
    assert added.loc["samples split at random", "value"] == pytest.approx(0, abs=0.06)  # the same accuracy: no gain


def test_the_interval_of_a_difference_is_that_of_the_metrics_module():
    table = predictions().sort_values(["seed", "subject", "clip"])
    found = split(inflation_table(table, predictions(mixed=True), 3))[1].loc["best epoch on the test fold"]
    runs = [
        np.stack([run["prediction"] for _, run in t.groupby("seed")]) for t in (best_epoch(table, 3), last_epoch(table))
    ]
    one = last_epoch(table).query("seed == 0")
    expected = paired_difference(one["label"], *runs, one["subject"], "uf1", 3)
    np.testing.assert_allclose(found[["value", "low", "high"]].astype(float), expected, atol=1e-12)


def test_validated_predictions_are_a_row_of_their_own():
    validated = last_epoch(predictions(0.55)).drop(columns="epoch")
    scores, _ = split(inflation_table(predictions(), predictions(mixed=True), 3, validated))
    assert scores.loc["epoch chosen on validation subjects", "value"] == pytest.approx(pooled(validated))


def test_other_samples_are_refused():
    with pytest.raises(DataError, match="same samples"):
        inflation_table(predictions(), predictions(mixed=True).query("clip != 'c003'"), 3)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return prepare_pairs(make_dataset("easy", "3class", subjects=6, seed=3))


def test_every_epoch_of_every_fold_is_predicted(pairs):
    config = load_config("smoke", drl=None, motion=None, epochs=(0, 2, 0))
    folds = list(grouped_kfold(pairs.subjects, pairs.labels, 2))
    table = epoch_predictions(config, pairs, folds, [0, 1])
    assert len(table) == 2 * 2 * len(pairs)
    assert list(table.columns) == ["seed", "fold", "epoch", "subject", "clip", "label", "prediction"]
    mixed = epoch_predictions(config, pairs, random_kfold(pairs.labels, 2), [0, 1])
    assert split(inflation_table(table, mixed, 3))[0]["value"].between(0, 1).all()
    with pytest.raises(DataError, match="stage 1"):
        epoch_predictions(load_config("smoke"), pairs, folds, [0])


def test_a_random_split_is_refused_where_scores_are_made(pairs, tmp_path):
    from lfdtcmen.baselines.simple import linear_svm
    from lfdtcmen.evaluation import cross_validate

    with pytest.raises(DataError, match="both trained on and tested"):
        cross_validate(linear_svm, pairs, random_kfold(pairs.labels, 2), [0], tmp_path)
