"""Each bad practice adds what it should on predictions whose truth is known, and the honest score stays what it is."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, recall_score

from lfdtcmen import DataError
from lfdtcmen.analysis.inflation import (
    HONEST,
    best_epoch,
    chosen_counts,
    entanglement_slopes,
    habit_share,
    inflation_table,
    keep_habits,
    last_epoch,
    long_table,
    luckiest_seed,
    owed_to_people,
    random_kfold,
    selection_table,
)
from lfdtcmen.evaluation.metrics import paired_difference, score_confusion, uf1
from lfdtcmen.evaluation.results import COLUMNS
from tests.training.helpers import make_pairs

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


def test_other_samples_are_refused():
    with pytest.raises(DataError, match="same samples"):
        inflation_table(predictions(), predictions(mixed=True).query("clip != 'c003'"), 3)


def test_a_column_per_epoch_becomes_a_row():
    wide = pd.DataFrame(
        {"seed": 0, "fold": [0, 1], "subject": ["a", "b"], "clip": "c", "label": [2, 0], "1": 1, "2": 2}
    )
    table = long_table(wide)
    assert len(table) == 4 and set(table["epoch"]) == {1, 2}
    assert last_epoch(table)["prediction"].tolist() == [2, 2]


def wide_table(people=12, each=5, epochs=4, seeds=2):
    """Return predictions after each epoch of a guess that never gets better, one person a fold."""
    rng = np.random.default_rng(0)
    labels = np.tile(rng.integers(0, 3, people * each), seeds)
    who = np.tile(np.repeat(np.arange(people), each), seeds)
    right = rng.random((len(labels), epochs)) < 0.5
    predicted = np.where(right, labels[:, None], rng.integers(0, 3, right.shape))
    keys = {"seed": np.repeat(np.arange(seeds), people * each), "fold": who, "subject": [f"s{p:02d}" for p in who]}
    keys |= {"clip": "c", "label": labels}
    return pd.concat([pd.DataFrame(keys), pd.DataFrame(predicted, columns=[str(e + 1) for e in range(epochs)])], axis=1)


def kept_models(wide, choice, seeds=2, people=12):
    """Return the chosen epochs of such a table, and counts on fresh people that are the same for every model."""
    rows = []
    for seed in range(seeds):
        for fold in range(people):
            mine = wide[(wide["seed"] == seed) & (wide["fold"] == fold)]
            hits = (mine[["1", "2", "3", "4"]].to_numpy() == mine[["label"]].to_numpy()).mean(0)
            epoch = 4 if choice == "last" else int(hits.argmax()) + 1
            rows.append((seed, fold, epoch, 60, 20, 20, 20, 60, 20, 20, 20, 60))
    cells = [f"n{i}{j}" for i in range(3) for j in range(3)]
    table = pd.DataFrame(rows, columns=["seed", "fold", "epoch", *cells])
    return table.assign(split="loso", choice=choice, epochs=4)


def test_the_best_of_noise_is_optimism_and_the_last_epoch_has_none():
    wide = wide_table()
    fresh = pd.concat([kept_models(wide, choice) for choice in ("last", "best")])
    table = selection_table({"loso": wide}, fresh, repeats=200).set_index("choice")
    np.testing.assert_allclose(table["fresh"], 0.6)  # 60 of 100 of each class
    np.testing.assert_allclose(table["optimism"], table["reported"] - table["fresh"])
    assert table.loc["best", "low"] > 0 and table.loc["best", "reported"] > table.loc["last", "reported"]
    assert table.loc["last", "low"] < table.loc["last", "optimism"] < table.loc["last", "high"]


def test_reported_is_the_score_of_the_chosen_epochs():
    wide = wide_table(seeds=1)
    models = kept_models(wide, "best", seeds=1)
    own, fresh = chosen_counts(wide, models)
    epoch = models.set_index("fold")["epoch"]
    predicted = [row[str(epoch[row["fold"]])] for _, row in wide.iterrows()]
    assert mean_uf1(own) == pytest.approx(uf1(wide["label"].to_numpy(), np.array(predicted), 3))
    np.testing.assert_array_equal(fresh[0].sum((1, 2)), 5 * 300)  # once for each of a person's five clips


def mean_uf1(counts):
    return score_confusion(counts.sum(1), "uf1").mean()


def test_habits_are_none_whole_or_as_in_pairs_of_clips():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(400), 5)
    assert habit_share(rng.integers(0, 3, 2000), people) == pytest.approx(0, abs=0.03)
    assert habit_share(people % 3, people) == pytest.approx(1)
    labels, who = np.array([0, 0, 1, 0, 2]), np.array(["a", "a", "a", "b", "b"])
    own, others = [1 / 2, 1 / 2, 0, 0, 0], [1 / 2, 1 / 2, 0, 2 / 3, 0]
    w, b = np.mean(own), np.mean(others)
    assert habit_share(labels, who) == pytest.approx((w - b) / (1 - b))
    with pytest.raises(DataError, match="two clips of one of them"):
        habit_share(np.array([0, 1]), np.array(["a", "b"]))


def test_habits_leave_the_classes_as_frequent_as_they_are():
    rng = np.random.default_rng(0)
    labels, people = rng.choice(3, 9000, p=[0.6, 0.1, 0.3]), np.repeat(np.arange(900), 10)
    found = []
    for strength in (0.0, 0.5, 1.0):
        kept = keep_habits(labels, people, strength, seed=1)
        assert kept.mean() == pytest.approx(1 / 3, abs=0.03)
        np.testing.assert_allclose(np.bincount(labels[kept]) / kept.sum(), [0.6, 0.1, 0.3], atol=0.04)
        found.append(habit_share(labels[kept], people[kept]))
    assert found[0] < 0.03 < found[1] < found[2] == pytest.approx(1)


def test_a_random_split_is_refused_where_scores_are_made(tmp_path):
    from lfdtcmen.baselines.simple import linear_svm
    from lfdtcmen.evaluation import cross_validate

    pairs = make_pairs(24, subjects=6)
    with pytest.raises(DataError, match="both trained on and tested"):
        cross_validate(linear_svm, pairs, random_kfold(pairs.labels, 2), [0], tmp_path)


def test_what_is_owed_to_people_is_the_paired_difference_of_both_splits():
    columns = ["split", "metric", "value", "low", "high", "against", "model", "degree"]
    rows = [
        ("random", "UF1", 0.9, 0.8, 1.0, np.nan, "m", 1.0),
        ("random", "UF1", 0.5, 0.4, 0.6, "subject", "m", 1.0),
        ("subject", "UF1", 0.4, 0.3, 0.5, np.nan, "m", 1.0),
        ("subject", "UF1", 0.0, 0.0, 0.0, "subject", "m", 1.0),
        ("random", "UAR", 0.7, 0.6, 0.8, np.nan, "m", 1.0),
    ]
    found = owed_to_people(pd.DataFrame(rows, columns=columns)).to_dict("records")
    assert found == [{"model": "m", "degree": 1.0, "known": 0.9, "new": 0.4, "owed": 0.5, "low": 0.4, "high": 0.6}]


def test_a_slope_is_the_change_from_no_entanglement_to_full():
    known = {0.0: 0.5, 0.5: 0.75, 1.0: 1.0}  # shares right with known people; new people are always half right
    tables = []
    for degree, right in known.items():
        for split, share in (("random", right), ("subject", 0.5)):
            table = predictions(share, seeds=2, epochs=1, mixed=split == "random")
            tables.append(table.assign(model="m", degree=degree, split=split))
    both = pd.concat([*tables, tables[0].assign(model="of one degree")])
    both[["p_a", "p_b", "p_c"]] = 0.0
    found = entanglement_slopes(both, "uar").set_index("what")
    assert list(found["model"]) == ["m", "m"]
    means = {
        (degree, split): np.mean(
            [recall_score(t.label, t.prediction, average="macro") for _, t in table.groupby("seed")]
        )
        for (degree, split), table in both[both["model"] == "m"].groupby(["degree", "split"])
    }
    new, owed = means[1.0, "subject"] - means[0.0, "subject"], means[1.0, "random"] - means[0.0, "random"]
    assert found.loc["new", "slope"] == pytest.approx(new)  # of three degrees in equal steps, the outer two count
    assert found.loc["owed", "slope"] == pytest.approx(owed - new)
    assert found.loc["new", "low"] <= 0 <= found.loc["new", "high"]
    assert 0 < found.loc["owed", "low"] < owed - new < found.loc["owed", "high"]
