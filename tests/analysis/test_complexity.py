"""Costs add up, agree with the paper's totals, and counting them changes nothing."""

import pytest
import torch

from lfdtcmen import LFDTCMEN
from lfdtcmen.analysis import complexity
from lfdtcmen.paper import numbers

SETTINGS = [
    {},
    {"flow": None},
    {"flow": "single", "skips": "both"},
    {"drl": "motion", "motion": "encoder"},
    {"drl": None, "motion": None},
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_components_hold_every_parameter_once(setting):
    model = LFDTCMEN(num_classes=7, **setting)
    table = complexity.parameter_table(model)["parameters"]
    assert table["total"] == sum(p.numel() for p in model.parameters())
    assert table.drop("total").sum() == table["total"]


@pytest.mark.parametrize(("flow", "stated"), [(None, "without flow"), ("triple", "triple stream")])
def test_totals_are_within_one_percent_of_the_paper(flow, stated):
    total = complexity.parameter_table(LFDTCMEN(num_classes=7, flow=flow)).loc["total", "parameters"]
    assert total == pytest.approx(numbers.PARAMETERS[stated], rel=0.01)


def test_operations_add_up_and_agree_with_a_count_by_hand():
    model = LFDTCMEN(num_classes=7)
    table = complexity.flop_table(model)
    assert table.drop("total").sum().tolist() == table.loc["total"].tolist()
    assert table.loc["classifier", "recognition"] == 2 * 512 * 7
    # MAAG: two 1x1 convolutions 256 -> 32 -> 256 on a 4x4 map
    assert table.loc["MAAG", "recognition"] == 2 * (256 * 32 + 32 * 256) * 16
    assert table.loc["generator", "recognition"] == 0
    encoder = table.loc["motion encoder"]
    assert encoder["with reconstruction"] == 2 * encoder["recognition"]  # four frames instead of two


def test_settings_without_generator_have_no_reconstruction_column():
    table = complexity.flop_table(LFDTCMEN(num_classes=3, drl="motion"))
    assert table.columns.tolist() == ["recognition"]


def test_latency_is_split_over_components_and_leaves_the_model_as_it_was():
    model = LFDTCMEN(num_classes=3)
    model.drl.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    threads = torch.get_num_threads()
    table = complexity.time_quartiles(complexity.latency_runs(model, repeats=3, size=32))
    assert table.loc["motion encoder", "median"] > 0
    assert (table["low"] <= table["median"]).all() and (table["median"] <= table["high"]).all()
    assert table.drop("total")["low"].sum() <= table.loc["total", "high"]
    assert torch.get_num_threads() == threads
    assert model.training and not model.drl.training
    assert not model.drl.motion_encoder._forward_hooks
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_each_run_is_timed_and_the_table_has_their_quartiles():
    runs = complexity.latency_runs(LFDTCMEN(num_classes=3, drl="motion"), repeats=3, size=32)
    assert len(runs) == 3 and (runs["total"] >= runs.drop(columns="total").sum(axis=1)).all()
    table = complexity.time_quartiles(runs)
    assert table.columns.tolist() == ["median", "low", "high"]
    assert table.loc["total", "median"] == runs["total"].median()
