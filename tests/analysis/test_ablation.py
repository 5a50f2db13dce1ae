"""The settings of Tables 4 to 7 are what the paper takes apart, and a verdict says no more than its intervals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import LFDTCMEN, DataError, load_config
from lfdtcmen.analysis import ablation
from lfdtcmen.evaluation.metrics import paired_difference
from lfdtcmen.training.stages import components

CONFIG = load_config("smoke")


def parts(setting):
    config = ablation.configure(CONFIG, setting)
    return list(components(LFDTCMEN(3, config.flow, config.skips, config.drl, config.motion)))


def test_networks_have_the_parts_that_the_paper_names():
    drl, tcme = ["motion encoder", "identity encoder", "generator"], ["motion branch", "flow branch", "classifier"]
    assert parts("full") == drl + tcme
    assert parts("table4-I") == drl[:1] + tcme  # "combined with temporal information from the optical flow branch"
    assert parts("table4-II") == drl[:2] + tcme
    assert parts("table6-I") == [*drl, "classifier"]
    assert parts("table6-II") == [*drl, "motion branch", "classifier"]
    assert ablation.configure(CONFIG, "table5-single").flow == "single"


def test_losses_of_table_7_come_one_at_a_time_in_both_stages_that_have_them():
    order = ["reconstruction", "orthogonality", "cycle", "consistency", "contrastive"]
    for count, (_, _, run) in enumerate(ablation.TABLES["table7"], start=1):
        config = ablation.configure(CONFIG, run)
        for stage, full in ((config.stage1, CONFIG.stage1), (config.stage3, CONFIG.stage3)):
            active = {name: value for name, value in stage.items() if name != "emotion"}
            assert active == {name: full[name] for name in order[:count]}
            assert stage.get("emotion") == full.get("emotion")
        assert replace(config, stage1=CONFIG.stage1, stage3=CONFIG.stage3) == CONFIG


def test_every_table_ends_with_the_full_network_which_runs_first_and_once():
    assert all(rows[-1][2] == "full" for rows in ablation.TABLES.values())
    runs = ablation.runs_of(list(ablation.TABLES))
    assert runs[0] == "full" and len(runs) == len(set(runs)) and set(runs) == set(ablation.SETTINGS)


def predictions(accuracy, people=40, each=7, seeds=(0, 1)):
    labels = np.random.default_rng(9).integers(0, 3, people * each)
    tables = []
    for seed in seeds:
        rng = np.random.default_rng([seed, int(1000 * accuracy)])
        predicted = np.where(rng.random(len(labels)) < accuracy, labels, rng.integers(0, 3, len(labels)))
        columns = {"seed": seed, "fold": np.arange(len(labels)) // each % 5}
        columns |= {"subject": [f"s{i // each}" for i in range(len(labels))], "clip": np.arange(len(labels))}
        tables.append(pd.DataFrame({**columns, "label": labels, "prediction": predicted, "seconds": 6.0}))
    return pd.concat(tables, ignore_index=True).assign(p_a=0.0, p_b=0.0, p_c=0.0)


def table6(*accuracies):
    runs = ("table6-I", "table6-II", "full")
    return ablation.ablation_table("table6", dict(zip(runs, map(predictions, accuracies), strict=True)))


def test_steps_are_paired_differences_to_the_row_above():
    runs = {"table6-I": predictions(0.3), "table6-II": predictions(0.5), "full": predictions(0.8)}
    table = ablation.ablation_table("table6", runs)
    assert table["model"].drop_duplicates().tolist() == ["I", "II", "III"]
    rows = table.set_index(["model", "metric", "against"]).sort_index()
    assert ("I", "UF1", "above") not in rows.index and rows.loc[("III", "UF1", "full"), "value"] == 0
    by_seed = {name: np.stack([r["prediction"] for _, r in run.groupby("seed")]) for name, run in runs.items()}
    one = runs["full"].query("seed == 0")
    for setting, (name, other) in {"II": ("table6-II", "table6-I"), "III": ("full", "table6-II")}.items():
        for metric in ("uf1", "uar"):
            expected = paired_difference(one["label"], by_seed[name], by_seed[other], one["subject"], metric, 3)
            row = rows.loc[(setting, metric.upper(), "above")]
            np.testing.assert_allclose(row[["value", "low", "high"]].tolist(), expected)
            assert row["p"] < 0.05


@pytest.mark.parametrize(
    ("accuracies", "answer"),
    [((0.2, 0.5, 0.8), "holds"), ((0.2, 0.8, 0.4), "does not hold"), ((0.2, 0.6, 0.601), "cannot tell")],
)
def test_a_verdict_is_as_sure_as_its_least_sure_step(accuracies, answer):
    text = ablation.verdict(table6(*accuracies))
    assert text.startswith(f"UF1, I < II < III: {answer}.") and ablation.order_holds(table6(*accuracies)) == answer
    assert ("not distinguishable: II to III" in text) == (answer == "cannot tell")


def constant(people=40, seeds=(0, 1)):
    return predictions(0.5, people, seeds=seeds).assign(prediction=0)


def test_two_constant_answers_are_degenerate_and_no_equality():
    runs = {"table6-I": constant(), "table6-II": constant(), "full": predictions(0.8)}
    table = ablation.ablation_table("table6", runs)
    found = table.set_index(["model", "metric", "against"])["degenerate"]
    assert found["I", "UF1", ""] and not found["III", "UAR", ""]
    assert found["II", "UF1", "above"] and not found["III", "UF1", "above"] and not found["I", "UF1", "full"]
    text = ablation.verdict(table)
    assert text.startswith("UF1, I < II < III: degenerate. up: II to III +") and text.endswith("; degenerate: I to II")
    worse = ablation.ablation_table("table6", runs | {"full": predictions(0.8), "table6-I": predictions(0.5)})
    assert ablation.verdict(worse).startswith("UF1, I < II < III: does not hold. ")  # from something to nothing


def test_answers_are_constant_only_where_every_seed_gives_the_same_one():
    assert ablation.is_constant(constant())
    rows = constant()
    assert not ablation.is_constant(rows.assign(prediction=rows["seed"]))  # one answer a seed, but not the same
    assert not ablation.is_constant(predictions(0.4))


def test_two_different_constants_are_no_finding():
    runs = {"table6-I": constant(), "table6-II": constant().assign(prediction=1), "full": predictions(0.8)}
    table = ablation.ablation_table("table6", runs)
    first = table[table["model"].eq("II") & table["against"].eq("above")]
    assert first["degenerate"].all() and first["value"].abs().max() > 0 and first["p"].min() < 1
    steps = ablation.steps_of({"table6": table})
    assert steps.loc[steps["degenerate"], "p"].eq(1).all() and steps.loc[steps["degenerate"], "holm"].eq(1).all()


def test_holm_counts_degenerate_steps_among_the_tests():
    runs = {"table6-I": constant(), "table6-II": constant(), "full": predictions(0.8)}
    runs["table5-single"] = predictions(0.6)
    steps = ablation.steps_of({name: ablation.ablation_table(name, runs) for name in ("table5", "table6")})
    assert list(steps["table"]) == ["table5"] * 2 + ["table6"] * 4 and steps["degenerate"].sum() == 2
    assert steps.loc[steps["degenerate"], "p"].eq(1).all() and steps["holm"].notna().all()
    least = steps["p"].min()
    assert steps["holm"].min() == pytest.approx(6 * least)  # six tests, of which two are degenerate


def test_each_seed_has_a_value_of_its_own_and_their_mean_is_the_tables():
    runs = {"table6-I": predictions(0.3), "table6-II": predictions(0.5), "full": predictions(0.8)}
    rows = ablation.ablation_table("table6", runs)
    assert rows["by_seed"].map(len).eq(2).all()
    np.testing.assert_allclose(rows["by_seed"].map(np.mean), rows["value"])
    first = {name: run[run["seed"] == 0] for name, run in runs.items()}
    one = ablation.ablation_table("table6", first)
    np.testing.assert_allclose(rows["by_seed"].map(lambda values: values[0]), one["value"])


def test_settings_that_were_not_run_are_left_out():
    rows = ablation.ablation_table("table4", {"table4-I": predictions(0.4), "full": predictions(0.8)})
    assert rows["model"].drop_duplicates().tolist() == ["I", "III"] and rows["against"].eq("above").sum() == 2
    assert ablation.verdict(rows).startswith("UF1, I < III: holds. up: I to III +")


def test_what_is_unknown_or_missing_is_said():
    with pytest.raises(DataError, match="unknown setting 'table4-IX'"):
        ablation.configure(CONFIG, "table4-IX")
    with pytest.raises(DataError, match="use one of table4"):
        ablation.runs_of(["table2"])
    with pytest.raises(DataError, match="use one of table4"):
        ablation.ablation_table("table2", {})
    with pytest.raises(DataError, match=r"lacks the run 'table5-single'.*ablate table5"):
        ablation.ablation_table("table5", {"full": predictions(0.5)})
    with pytest.raises(DataError, match="same folds"):
        ablation.ablation_table("table5", {"full": predictions(0.5), "table5-single": predictions(0.5, people=20)})
