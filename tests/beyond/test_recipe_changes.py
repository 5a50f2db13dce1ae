"""The table of what the repaired recipe changes: complete, and read from the configs."""

from dataclasses import replace

import pytest

from lfdtcmen import DataError, load_config
from lfdtcmen.beyond.recipe_changes import LEFT_OUT, PARTS, recipe_table
from lfdtcmen.beyond.recipes import RECIPES


def test_every_change_of_the_recipe_has_a_row_with_both_values_and_a_reason():
    paper, repaired = load_config("cpu"), load_config("cpu", recipe="repaired")
    table = recipe_table(paper, repaired).set_index("part")
    shown = {name for name, (part, _) in PARTS.items() if part in table.index}
    assert {*RECIPES["repaired"], "epochs"} - shown == {"learning_rates"}
    assert (table["paper"] != table["repaired"]).all() and table["why"].str.len().min() > 10
    assert table.loc["generator", ["paper", "repaired"]].tolist() == [
        "paints an image",
        "moves pixels, by the difference of codes",
    ]
    assert table.loc["epochs of stages 1, 2, 3", "repaired"] == "0, 20, 4"
    assert table.loc[PARTS["bottleneck"][0]].tolist()[:2] == ["none", "16"]
    assert table.loc[PARTS["contrast_normalised"][0]].tolist()[:2] == ["no", "yes"]
    assert table.loc[PARTS["stage1"][0], "repaired"] == "change 1, rest 0.15, gain 1, action units 1"


def test_the_people_of_pretraining_are_counted_in_groups_of_eight():
    repaired = replace(load_config("cpu", recipe="repaired"), pretraining=10, pretraining_groups=3)
    table = recipe_table(load_config("cpu"), repaired).set_index("part")
    assert table.loc[PARTS["pretraining"][0], "repaired"].startswith("10 steps on 24 further people")


def test_the_rates_that_are_left_out_differ_in_a_stage_that_repaired_does_not_have():
    paper, repaired = load_config("cpu"), load_config("cpu", recipe="repaired")
    assert "learning_rates" in LEFT_OUT and repaired.epochs[0] == 0
    assert paper.learning_rates[1:] == repaired.learning_rates[1:]


def test_a_change_without_a_reason_is_refused():
    paper = load_config("cpu")
    with pytest.raises(DataError, match="no reason is known for 'margin'"):
        recipe_table(paper, replace(paper, margin=0.5))
