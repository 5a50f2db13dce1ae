"""The score table says what the predictions say; its files are whole."""

import json

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.evaluation.intervals import Measure
from lfdtcmen.evaluation.metrics import uar, uf1
from lfdtcmen.evaluation.results import (
    COLUMNS,
    as_predictions,
    differences_in_words,
    measure_table,
    read_table,
    readable,
    recall_table,
    score_table,
    to_records,
    write_metrics,
    write_predictions,
)
from tests.training.helpers import make_pairs


def predictions(accuracy, seeds=(0, 1), people=20, each=6):
    """Return predictions of the shape that cross_validate gives."""
    labels = np.random.default_rng(9).integers(0, 3, people * each)
    tables = []
    for seed in seeds:
        rng = np.random.default_rng([seed, int(100 * accuracy)])
        guessed = np.where(rng.random(len(labels)) < accuracy, labels, rng.integers(0, 3, len(labels)))
        columns = {
            "seed": seed,
            "fold": np.arange(len(labels)) // each % 5,
            "subject": [f"s{i // each}" for i in range(len(labels))],
            "clip": [f"c{i}" for i in range(len(labels))],
            "label": labels,
            "prediction": guessed,
        }
        probabilities = {f"p_{name}": np.eye(3)[guessed][:, c] for c, name in enumerate(("neg", "pos", "sur"))}
        tables.append(pd.DataFrame({**columns, **probabilities, "seconds": 30.0 + 60 * seed}))
    return pd.concat(tables, ignore_index=True)


def test_scores_are_means_over_seeds_with_intervals_and_times():
    runs = predictions(0.7)
    table = score_table({"model": runs})
    assert tuple(table.columns[:7]) == COLUMNS and len(table) == 2
    by_seed = [run for _, run in runs.groupby("seed")]
    for metric, score in (("UF1", uf1), ("UAR", uar)):
        row = table.set_index("metric").loc[metric]
        scores = [score(r["label"], r["prediction"], 3) for r in by_seed]
        assert row["value"] == pytest.approx(np.mean(scores)) and row["sd"] == pytest.approx(np.std(scores, ddof=1))
        assert row["low"] < row["value"] < row["high"] and row["against"] == ""
        assert row["runs"] == 2 and row["folds"] == 5 and row["minutes"] == pytest.approx(1.0)


def test_a_reference_gives_paired_differences():
    table = score_table({"svm": predictions(0.5), "ours": predictions(0.8)}, reference="svm")
    rows = table.set_index(["model", "metric", "against"]).sort_index().loc
    assert rows[("svm", "UF1", "svm"), "value"] == 0
    expected = rows[("ours", "UF1", ""), "value"] - rows[("svm", "UF1", ""), "value"]
    assert rows[("ours", "UF1", "svm"), "value"] == pytest.approx(expected)
    assert rows[("ours", "UF1", "svm"), "low"] > 0
    assert rows[("ours", "UF1", "svm"), "p"] < 0.01 and rows[("svm", "UF1", "svm"), "p"] == 1
    fewer = score_table({"svm": predictions(0.5, seeds=(0,)), "ours": predictions(0.8)}, reference="svm")
    gain = fewer.query("model == 'ours' and metric == 'UF1' and against == 'svm'").iloc[0]
    assert np.isnan(gain["p"]) and gain["low"] > 0


def test_other_samples_give_no_difference():
    table = score_table({"svm": predictions(0.5), "ours": predictions(0.8, people=10)}, reference="svm")
    gains = table.query("metric == 'UAR' and against == 'svm'")
    assert gains["value"].isna().tolist() == [False, True]


def test_a_readable_table_has_a_row_a_model_and_a_column_a_metric():
    table = score_table({"svm": predictions(0.5), "ours": predictions(0.8, people=10)}, reference="svm")
    shown = readable(table)
    assert shown.index.tolist() == ["svm", "ours"] and shown.index.name == "model"
    assert shown.columns.tolist() == [
        *("UF1", "UF1 sd", "UAR", "UAR sd", "UF1 - svm", "UAR - svm", "runs", "folds", "minutes per fold")
    ]
    row = table.iloc[0]
    assert shown.loc["svm", "UF1"] == f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    assert shown.loc["svm", "UF1 - svm"] == "+0.000 (+0.000 to +0.000), p 1.000"
    assert shown.loc["ours", "UF1 - svm"] == ""  # other samples: nothing to compare
    assert shown.loc["ours", "runs"] == 2 and shown.loc["ours", "minutes per fold"] == "1"


def test_few_subjects_are_a_sentence_where_an_interval_would_stand():
    table = score_table({"svm": predictions(0.5, people=3), "ours": predictions(0.8)})
    shown = readable(table)
    assert shown.loc["svm", "UF1"] == f"{table['value'][0]:.3f} (no interval: fewer than 6 subjects)"
    assert " to " in shown.loc["ours", "UF1"] and shown.columns.name is None


def test_few_subjects_are_told_once_where_no_row_has_an_interval():
    table = score_table({"svm": predictions(0.5, people=3), "ours": predictions(0.8, people=3)}, reference="svm")
    shown = readable(table)
    assert shown.columns.name == "no interval: fewer than 6 subjects" and shown.columns.name in shown.to_string()
    assert shown.loc["ours", "UF1"] == f"{table['value'][2 * 2]:.3f}"
    assert shown.loc["ours", "UF1 - svm"].startswith("+0.") and "(" not in shown.loc["ours", "UF1 - svm"]
    assert "low" not in to_records(table)[0]


def test_a_table_of_measures_survives_its_file(tmp_path):
    table = measure_table([Measure("gain", 0.5, 0.4, 0.6, 1.0, "1"), Measure("leak", 0.2, 0.1, 0.3)], "mine")
    assert tuple(table.columns[:7]) == COLUMNS
    table.to_csv(tmp_path / "measures.csv", index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "measures.csv"), table)
    assert "reference" in to_records(table)[0] and "reference" not in to_records(table)[1]  # NaN is left out


def test_what_cannot_be_scored_is_said():
    with pytest.raises(DataError, match="no predictions"):
        score_table({})
    with pytest.raises(DataError, match="unknown reference model 'svm'"):
        score_table({"ours": predictions(0.5)}, reference="svm")
    with pytest.raises(DataError, match="same folds for all seeds"):
        score_table({"ours": predictions(0.5).iloc[:-1]})


def test_files_come_back_as_they_were(tmp_path):
    runs = predictions(0.7)
    path = write_predictions(runs, tmp_path / "run")
    pd.testing.assert_frame_equal(pd.read_csv(path), runs)
    metrics = {"UF1": np.float64(0.5), "confusion": np.eye(2, dtype=int), "runs": 3}
    path = write_metrics(metrics, tmp_path / "run")
    assert json.loads(path.read_text()) == {"UF1": 0.5, "confusion": [[1, 0], [0, 1]], "runs": 3}
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["metrics.json", "predictions.csv"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot create the folder"):
        write_metrics({}, tmp_path / "file")
    with pytest.raises(DataError, match="cannot create the folder"):
        write_predictions(predictions(0.5), tmp_path / "file")


def test_recalls_are_those_of_the_classes_with_intervals_over_subjects():
    runs = predictions(0.7)
    table = recall_table({"model": runs, "other": predictions(0.2)})
    assert tuple(table.columns) == COLUMNS and len(table) == 6
    for k, name in enumerate(("neg", "pos", "sur")):
        row = table[table["model"].eq("model") & table["metric"].eq(f"recall of {name}")].iloc[0]
        of_class = runs[runs["label"].eq(k)]
        assert row["value"] == pytest.approx(of_class["prediction"].eq(k).mean())
        assert row["low"] < row["value"] < row["high"]
    absent = recall_table({"model": runs[runs["label"].ne(1)]})
    assert absent["metric"].tolist() == ["recall of neg", "recall of sur"]


def test_differences_are_said_in_words():
    models = {"svm": predictions(0.5), "ours": predictions(0.8), "worse": predictions(0.1), "again": predictions(0.5)}
    lines = differences_in_words(score_table(models, reference="svm"))
    assert [line.rsplit(": ", 1)[1] for line in lines] == ["higher", "lower", "not distinguishable"]
    assert lines[0].startswith("UF1 of ours minus svm: +0.")
    assert differences_in_words(score_table(models, reference="svm"), "UAR")[0].startswith("UAR of ours")


def test_probabilities_become_predictions_that_can_be_scored():
    pairs = make_pairs(24, subjects=6)
    probabilities = np.eye(3)[pairs.labels]
    table = as_predictions(pairs, probabilities, seed=4)
    assert table["seed"].eq(4).all() and (table["prediction"] == pairs.labels).all()
    assert score_table({"perfect": table})["value"].eq(1).all()
    with pytest.raises(DataError, match="as_predictions"):
        as_predictions(pairs, probabilities[:-1])
