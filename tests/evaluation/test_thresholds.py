"""Recalls at equal false alarms: the curve of a threshold, and what is left of a difference."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.thresholds import (
    ALL_CLASSES,
    AS_TRAINED,
    MATCHED,
    area_table,
    curve,
    found_at,
    margin,
    matched_table,
    remove_shares,
)

NAMES = ("a", "b", "c")


def predictions(strength: float, shift: float = 0.0, seeds: int = 2) -> pd.DataFrame:
    """300 samples of 30 people, of which a tenth is of class b; ``shift`` is added to the logit of b."""
    tables = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        label = np.resize([0] * 6 + [1] + [2] * 3, 300)
        logits = strength * np.eye(3)[label] + rng.normal(size=(300, 3)) + [0, shift, 0]
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        table = pd.DataFrame({"seed": seed, "subject": np.arange(300) // 10, "clip": np.arange(300), "label": label})
        tables.append(table.assign(prediction=p.argmax(1), **{f"p_{n}": p[:, k] for k, n in enumerate(NAMES)}))
    return pd.concat(tables)


def test_a_class_is_predicted_where_its_margin_is_above_0():
    table = predictions(1.0, seeds=1)
    for c, name in enumerate(NAMES):
        assert ((margin(table, name) > 0) == (table["prediction"] == c)).all()
    with pytest.raises(DataError, match="no class 'd'"):
        margin(table, "d")


def test_the_share_found_is_that_above_the_first_sample_that_is_not_allowed():
    margins = np.array([5.0, 4, 3, 2, 1, 0])
    is_class = np.array([True, False, True, False, True, False])
    rates = np.array([0, 0.3, 1 / 3, 0.7, 1])
    found = found_at(margins, is_class, rates, np.ones((5, 6), int))
    np.testing.assert_allclose(found, [1 / 3, 1 / 3, 2 / 3, 1, 1])
    twice = found_at(margins, is_class, rates[:1], np.array([[1, 1, 2, 1, 1, 1]]))
    np.testing.assert_allclose(twice, [1 / 4])  # weights count
    table = predictions(1.0)
    means = [
        found_at(margin(run, "b"), (run["label"] == 1).to_numpy(), rates, np.ones((5, 300), int))
        for _, run in table.groupby("seed")
    ]
    np.testing.assert_allclose(curve(table, "b", rates), np.mean(means, axis=0))
    tied = found_at(np.zeros(6), is_class, rates[:1], np.ones((1, 6), int))
    np.testing.assert_allclose(tied, [0])  # a threshold cannot part what is equal


def test_a_moved_threshold_finds_more_as_trained_and_no_more_at_equal_false_alarms():
    models = {"plain": predictions(1.5, shift=-1.5), "shifted": predictions(1.5), "better": predictions(3.0)}
    table = matched_table(models, "plain", repeats=200).set_index(["model", "part", "metric"])
    assert len(table) == 2 * 4 * 2 and (table["against"] == "plain").all()
    assert table.loc[("shifted", "b", AS_TRAINED), "low"] > 0.1
    row = table.loc[("shifted", "b", MATCHED)]
    assert abs(row["value"]) < 0.05 and row["low"] < 0.02
    assert table.loc[("better", "b", MATCHED), "low"] > 0.1
    assert table.loc[("better", ALL_CLASSES, MATCHED), "low"] > 0.1
    own = models["shifted"]
    assert row["false_alarms"] == pytest.approx((own["prediction"][own["label"] != 1] == 1).mean())
    assert row["recall"] - row["reference_recall"] == pytest.approx(row["value"])
    for part in (*NAMES, ALL_CLASSES):
        one = table.loc[("better", part, AS_TRAINED)]
        assert one["low"] <= one["value"] <= one["high"]


def test_removed_shares_are_those_of_the_other_folds_and_give_the_balanced_answer():
    label = np.array([0, 0, 0, 1, 1, 2] + [0] * 8 + [1, 2])
    table = pd.DataFrame({"fold": [0] * 6 + [1] * 10, "label": label, "p_a": 0.8, "p_b": 0.1, "p_c": 0.1})
    removed = remove_shares(table.assign(prediction=0).set_index(np.arange(16) + 5))  # any index
    first, second = removed.iloc[0], removed.iloc[-1]
    np.testing.assert_allclose(first[["p_a", "p_b", "p_c"]].astype(float), np.full(3, 1 / 3))  # 8, 1, 1 of 10
    np.testing.assert_allclose(second[["p_a", "p_b", "p_c"]].astype(float), np.array([16, 3, 6]) / 25)  # 3, 2, 1 of 6
    balanced = predictions(1.5, seeds=2).assign(fold=lambda t: t["subject"] % 2)
    odds = balanced[["p_a", "p_b", "p_c"]].to_numpy() * [0.6, 0.1, 0.3]  # as trained on the shares
    trained = balanced.assign(**dict(zip(("p_a", "p_b", "p_c"), (odds / odds.sum(1, keepdims=True)).T, strict=True)))
    assert remove_shares(trained)["prediction"].equals(balanced["prediction"])
    with pytest.raises(DataError, match="only one fold"):
        remove_shares(table[table["fold"] == 0])


def test_models_of_other_samples_and_unknown_references_are_refused():
    plain = predictions(1.0)
    with pytest.raises(DataError, match="unknown reference model 'svm'"):
        matched_table({"plain": plain}, "svm")
    with pytest.raises(DataError, match="same samples"):
        matched_table({"plain": plain, "other": plain.assign(label=0)}, "plain")


def test_a_class_that_few_people_show_has_no_interval():
    tables = {"ours": predictions(2.0), "plain": predictions(1.0)}
    few = tables["plain"].query("label != 0 or subject < 5")
    tables = {name: table.loc[few.index] for name, table in tables.items()}
    first = "a"
    found = matched_table(tables, "plain").set_index(["part", "metric"])["low"]
    assert found[first].isna().all() and found[ALL_CLASSES].isna().all() and found.notna().sum() == 4
    assert area_table(tables, first, "plain")["low"].isna().all()


def test_the_area_is_scikit_learns_and_no_threshold_changes_it():
    models = {"plain": predictions(1.5), "shifted": predictions(1.5, shift=1.0), "better": predictions(3.0)}
    table = area_table(models, "b", "plain", repeats=200).set_index(["model", "against"])
    runs = [run for _, run in models["plain"].groupby("seed")]
    areas = [roc_auc_score(run["label"] == 1, margin(run, "b")) for run in runs]
    assert table.loc[("plain", ""), "value"] == pytest.approx(np.mean(areas))
    assert table.loc[("shifted", "plain"), ["value", "low", "high"]].abs().max() < 1e-9
    assert table.loc[("better", "plain"), "low"] > 0
    tied = models["plain"].assign(p_a=0.2, p_b=0.6, p_c=0.2)
    assert area_table({"tied": tied}, "b", "tied", repeats=50)["value"].iloc[0] == pytest.approx(0.5)
