"""Reading the predictions of long runs."""

import pandas as pd
import pytest

from lfdtcmen.analysis.ablation import SETTINGS
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.comparisons import same_split
from lfdtcmen.long_runs import (
    LongRun,
    drl_differences,
    in_words,
    read_ablations,
    read_imbalance,
    read_inflation,
    read_run,
)


def test_the_shipped_runs_can_be_read():
    run = read_run("compared")
    assert run.linear in run.predictions and "lfd-tcmen" in run.predictions and run.command.startswith("lfdtcmen")
    dfme = read_run("dfme")
    assert set(dfme.of_part("test_a")[dfme.linear]["part"]) == {"test_a"}


def test_logistic_regression_comes_before_the_svm_and_none_is_refused():
    tables = {name: pd.DataFrame() for name in ("linear-svm", "logistic-regression", "majority")}
    assert LongRun(tables, "", "", "").linear == "logistic-regression"
    del tables["logistic-regression"]
    assert LongRun(tables, "", "", "").linear == "linear-svm"
    with pytest.raises(DataError, match="no linear model"):
        _ = LongRun({"majority": pd.DataFrame()}, "", "", "mine").linear


def test_models_in_words_keep_their_predictions():
    run = read_run("compared")
    assert run.in_words("lfd-tcmen")["full network after stage 3"] is run.predictions["lfd-tcmen"]
    names = list(run.in_words())
    assert len(names) == len(set(names)) == len(run.predictions) and not set(names) & set(run.predictions)
    with pytest.raises(DataError, match="no model 'resnet'"):
        run.in_words("resnet")


def test_the_compared_methods_have_names_of_their_own_and_one_split():
    run = read_run("compared")
    assert same_split(run.predictions) and {"linear-svm", "bi-woof", "ststnet"} <= set(run.predictions)
    assert not [name for name in run.predictions if in_words(name) == name]
    assert in_words("ststnet+drl") == "STSTNet + DRL"
    assert in_words("ststnet+drl-repaired") == "STSTNet + DRL (repaired)"
    assert in_words("lfd-tcmen-repaired") == "full network after stage 3 (repaired)"


def test_a_network_with_drl_is_compared_with_itself_without():
    rcn = read_run("compared").predictions["rcn"]
    all_right = rcn.assign(prediction=rcn["label"])
    table = drl_differences({"rcn": rcn, "rcn+drl": all_right, "rcn+drl-repaired": rcn, "psn+drl": rcn})
    assert set(table["model"]) == {"RCN + DRL", "RCN + DRL (repaired)"} and set(table["against"]) == {"RCN"}
    better, same = (table[table["model"].eq(name)] for name in ("RCN + DRL", "RCN + DRL (repaired)"))
    assert (better["holm"] < 0.05).all() and (same["holm"] == 1).all()
    assert drl_differences({"rcn": rcn}).empty


def test_the_run_on_imbalance_is_read_with_the_probabilities_of_one_label_map(tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_RUNS", str(tmp_path))
    (tmp_path / "imbalance").mkdir()
    (tmp_path / "imbalance" / "about.json").write_text('{"command": "python x.py", "date": "2026-01-02"}')
    columns = {"label_map": "3class", "option": ["cross_entropy", "focal"], "seed": 0, "subject": "007", "label": 1}
    table = pd.DataFrame(columns | {f"p_{name}": 0.2 for name in ("anger", "negative", "positive", "surprise")})
    table.to_csv(tmp_path / "imbalance" / "predictions.csv", index=False)
    run = read_imbalance("3class")
    assert list(run.in_words()) == ["plain cross-entropy", "focal loss"] and run.date == "2026-01-02"
    one = run.predictions["focal"]
    assert list(one) == ["seed", "subject", "label", "p_negative", "p_positive", "p_surprise"]
    assert one["subject"].tolist() == ["007"]
    with pytest.raises(DataError, match=r"no probabilities for 7class.*imbalance.py"):
        read_imbalance("7class")


def test_the_run_on_inflation_has_all_splits_and_the_fresh_people():
    run = read_inflation()
    assert list(run.splits) == ["loso", "apart", "mixed", "validated"] and run.about["fresh_people"] >= 100
    assert set(run.fresh["split"]) == set(run.splits) and {"last", "best"} == set(run.fresh["choice"])
    assert run.real_habits["habit"].between(0, 1).all() and set(run.habits["input"]) == {"flow", "apex frame"}


@pytest.mark.parametrize("neither", ["neither", "none"])
def test_the_ablations_are_read_by_recipe_with_what_they_are_compared_with(neither, tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_RUNS", str(tmp_path))
    (tmp_path / "ablations").mkdir()
    (tmp_path / "ablations" / "metrics.json").write_text('{"command": "python x.py", "date": "2026-01-02"}')
    models = {
        "recipe": ["repaired", "paper", neither, "paper"],
        "model": ["full", "full", "action-units", "table4-I"],
    }
    table = pd.DataFrame(models | {"seed": 0, "subject": "007", "prediction": [0, 1, 2, 0]})
    table.to_csv(tmp_path / "ablations" / "predictions.csv", index=False)
    run = read_ablations()
    assert list(run.recipes) == ["paper", "repaired"] and run.date == "2026-01-02"
    assert list(run.recipes["paper"]) == ["full", "table4-I", "action-units"]
    assert list(run.recipes["repaired"]) == ["full", "action-units"]
    assert run.recipes["repaired"]["full"]["prediction"].tolist() == [0]
    assert list(run.recipes["paper"]["full"]) == ["seed", "subject", "prediction"]
    table.drop(columns="recipe").to_csv(tmp_path / "ablations" / "predictions.csv", index=False)
    run = read_ablations()
    assert list(run.recipes) == ["paper"] and run.trained_on is None  # `lfdtcmen ablate` has one recipe, and folds


def test_the_shipped_ablations_have_every_setting_of_the_paper():
    run = read_ablations()
    assert set(SETTINGS) <= set(run.recipes["paper"]) and run.trained_on == 40
