"""Comparisons in words, and recalls with intervals."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.comparisons import (
    change_in_words,
    class_names,
    compare_all,
    interval_ratio,
    mean_confusion,
    recalls,
    same_split,
    sentences,
    stated_recalls,
    verdicts,
)
from lfdtcmen.evaluation.intervals import holm, wilson
from lfdtcmen.evaluation.results import differences_in_words, recall_table, score_table


def predictions(accuracy: float, seeds: int = 2) -> pd.DataFrame:
    random = np.random.default_rng(0)
    label = np.tile([0, 0, 1, 2], 20)
    tables = []
    for seed in range(seeds):
        right = random.random(80) < accuracy
        table = pd.DataFrame({"seed": seed, "fold": 0, "subject": np.repeat(np.arange(20), 4), "clip": np.arange(80)})
        table = table.assign(label=label, prediction=np.where(right, label, (label + 1) % 3), seconds=1.0)
        tables.append(table.assign(p_a=0.3, p_b=0.3, p_c=0.4))
    return pd.concat(tables)


def test_a_sentence_claims_no_more_than_its_interval():
    table = score_table({"good": predictions(0.95), "same": predictions(0.5), "bad": predictions(0.5)}, "bad", 200)
    found = sentences(table)
    assert len(found) == 4  # two metrics of two models; the reference is not compared with itself
    assert found[0].startswith("UF1: good is above bad (+")
    assert found[2].startswith("UF1: same is not distinguishable from bad (+0.000")
    swapped = score_table({"good": predictions(0.95), "bad": predictions(0.5)}, "good", 200)
    assert sentences(swapped)[0].startswith("UF1: bad is below good (-")
    with pytest.raises(DataError, match="compares no models"):
        sentences(score_table({"good": predictions(0.9)}, None, 50))


def test_where_p_is_corrected_the_sentence_claims_no_more_than_it_does():
    table = score_table({"good": predictions(0.95), "bad": predictions(0.5)}, "bad", 200)
    assert sentences(table.assign(holm=0.04))[0].startswith("UF1: good is above bad (+")
    for p in (0.06, np.nan):
        assert sentences(table.assign(holm=p))[0].startswith("UF1: good is not distinguishable from bad (+")
    assert sentences(table.assign(holm=0.01, value=-table["value"]))[0].startswith("UF1: good is below bad (-")


def test_all_are_compared_on_shared_seeds_and_corrected_together():
    models = {"good": predictions(0.95, seeds=3), "reference": predictions(0.5), "same": predictions(0.5, seeds=1)}
    table = compare_all(models, "reference")
    own = table[table["against"].eq("")].set_index(["model", "metric"])
    pd.testing.assert_frame_equal(
        own[["value", "low", "high"]],
        score_table(models).set_index(["model", "metric"])[["value", "low", "high"]],
    )
    differences = table[table["against"].eq("reference")]
    assert differences["model"].tolist() == ["good", "good", "same", "same"]
    assert differences["runs"].tolist() == [2, 2, 1, 1]  # seeds that both have
    np.testing.assert_allclose(differences["holm"], holm(differences["p"].to_numpy()))
    assert differences["p"].min() < 1 / 1001  # more exchanges than a table of scores has
    assert verdicts(table) == {"above": ["good"], "below": [], "not distinguishable": ["same"]}
    assert sentences(table)[0].endswith(f"Holm's p {differences['holm'].iloc[0]:.3f})")
    assert verdicts(compare_all(models, "good"), "UAR")["below"] == ["same", "reference"]


def test_what_cannot_be_compared_has_no_p():
    models = {"reference": predictions(0.5), "later": predictions(0.5, seeds=1).assign(seed=9)}
    assert set(compare_all(models, "reference")["against"]) == {""}
    others = predictions(0.5).assign(clip=lambda table: table["clip"] + 1)
    table = compare_all({"reference": predictions(0.5), "others": others}, "reference")
    assert table.loc[table["against"].ne(""), ["value", "p", "holm"]].isna().all(axis=None)
    with pytest.raises(DataError, match="unknown reference model 'x'"):
        compare_all(models, "x")


def test_another_fold_is_another_split():
    one = predictions(0.5)
    assert same_split({"one": one, "two": predictions(0.9, seeds=1)})
    assert not same_split({"one": one, "two": one.assign(fold=1)})
    assert not same_split({"one": pd.concat([one, one.assign(seed=5, subject=0)])})


def test_recalls_are_those_of_the_matrix_and_lie_in_their_intervals():
    table = predictions(0.7, seeds=1)
    matrix = mean_confusion(table)
    found = recalls({"model": table}, repeats=300)
    assert class_names(table) == ("a", "b", "c") == tuple(found["class"])
    np.testing.assert_allclose(found["recall"], np.diag(matrix) / matrix.sum(1))
    assert list(found["samples"]) == [40, 20, 20]
    assert (found["low"] < found["recall"]).all() and (found["recall"] < found["high"]).all()


def test_the_mean_matrix_is_the_mean_over_seeds_and_keeps_the_number_of_samples_of_each_class():
    one = pd.DataFrame({"label": [0] * 5, "subject": 0, "p_a": 0.3, "p_b": 0.3, "p_c": 0.4})
    runs = ([0, 0, 0, 1, 2], [0, 0, 0, 1, 1], [0, 0, 1, 2, 2])
    table = pd.concat(one.assign(seed=k, prediction=run) for k, run in enumerate(runs))
    np.testing.assert_allclose(mean_confusion(table), [[8 / 3, 4 / 3, 1], [0, 0, 0], [0, 0, 0]])
    assert mean_confusion(predictions(0.6, seeds=3)).sum(1).tolist() == [40, 20, 20]


def test_the_interval_over_people_is_wider_where_mistakes_cluster_in_people():
    table = predictions(0.6, seeds=1)
    right = np.repeat(np.random.default_rng(0).random(20) < 0.6, 4)
    clustered = table.assign(prediction=np.where(right, table["label"], (table["label"] + 1) % 3))
    assert interval_ratio(clustered) > 1.5 > interval_ratio(table)
    mixed = interval_ratio(clustered, np.random.default_rng(0))
    assert mixed < 0.8 * interval_ratio(clustered)
    assert mixed == interval_ratio(clustered, np.random.default_rng(0))


def test_a_recall_of_one_has_an_interval_of_some_width_and_an_absent_class_has_none():
    table = predictions(1.0)
    table = table[table["label"] != 2]
    found = recalls({"model": table}, repeats=100).set_index("class")
    assert found.loc["b", "recall"] == 1 and found.loc["b", "low"] == pytest.approx(wilson(1.0, 20)[0])
    assert found.loc["b", "low"] < 0.9
    assert found.loc["c", ["recall", "low", "high"]].isna().all()


def test_a_class_that_few_people_show_has_no_interval():
    table = predictions(0.7)
    table = table[table["label"].ne(2) | table["subject"].lt(5)]  # five people show c
    for found in (recalls({"model": table}).set_index("class"), recall_table({"model": table}).set_index("metric")):
        assert found["low"].notna().tolist() == [True, True, False]
        assert found.iloc[:, 1:]["high"].notna().tolist() == [True, True, False]


def test_recalls_and_their_table_agree_on_a_recall_of_one():
    table = predictions(1.0)
    ours, theirs = recalls({"model": table}), recall_table({"model": table})
    np.testing.assert_allclose(ours["low"], theirs["low"])
    np.testing.assert_allclose(ours["low"], wilson(1.0, 20)[0])


def test_without_an_interval_or_shared_samples_there_is_no_verdict():
    good, bad = predictions(0.95), predictions(0.1)
    few = {"good": good[good["subject"].lt(3)], "bad": bad[bad["subject"].lt(3)]}
    lines = sentences(score_table(few, "bad", 50))
    assert lines[0].startswith("UF1: good minus bad: +") and lines[0].endswith("(no interval: fewer than 6 subjects)")
    assert differences_in_words(score_table(few, "bad", 50))[0].endswith("fewer than 6 subjects): cannot tell")
    assert verdicts(compare_all(few, "bad")) == {"above": [], "below": [], "not distinguishable": []}
    other = {"good": good.assign(clip=good["clip"] + 1000), "bad": bad}
    assert sentences(score_table(other, "bad", 50))[0] == (
        "UF1: good minus bad: not compared, for want of shared samples"
    )


def test_stated_recalls_have_an_interval_where_the_samples_are_stated():
    found = stated_recalls("dfme_a").set_index("class")
    assert found.loc["surprise", "recall"] == 0.87 and 0.78 < found.loc["surprise", "low"] < 0.80
    assert np.isnan(found.loc["disgust", "low"]) and found.loc["disgust", "recall"] == 0.54
    assert "sadness" not in found.index


def test_a_change_is_called_lower_or_higher_only_where_its_interval_says_so():
    subjects, before = np.repeat(np.arange(20), 4), np.full(80, 0.5)
    noise = np.random.default_rng(0).normal(size=80)
    line = change_in_words("training people", before, before - 0.1 + 0.01 * noise, subjects)
    assert line.startswith("training people: 0.500 before, 0.40") and line.endswith("): lower")
    assert change_in_words("x", before, before + 0.1 + 0.01 * noise, subjects).endswith("): higher")
    assert change_in_words("x", before, before + noise - noise.mean(), subjects).endswith("): not distinguishable")
    assert change_in_words("x", before, before, subjects, digits=1) == (
        "x: 0.5 before, 0.5 after, +0.0 (+0.0 to +0.0): not distinguishable"
    )
    text = change_in_words("x", before, before, subjects, digits=1, states=("frozen", "unfrozen"))
    assert text.startswith("x: 0.5 frozen, 0.5 unfrozen, +0.0")
    few = change_in_words("x", before, before + 1, np.repeat([0, 1], 40), digits=1)
    assert few == "x: 0.5 before, 1.5 after, +1.0 (no interval: fewer than 6 subjects)"


def test_a_change_needs_the_same_samples_before_and_after():
    with pytest.raises(DataError, match="3, 2 and 3 numbers"):
        change_in_words("x", np.ones(3), np.ones(2), np.arange(3))
    with pytest.raises(DataError, match="0, 0 and 0"):
        change_in_words("x", np.ones(0), np.ones(0), np.arange(0))
