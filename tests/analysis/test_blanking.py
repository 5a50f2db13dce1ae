"""Blanking takes motion away where it should, as much on still skin, and finds what a network's answer needs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis import blanking
from lfdtcmen.analysis.attribution import moving_skin
from lfdtcmen.evaluation.results import COLUMNS
from tests.analysis.test_attribution import make_model, pairs_of


def test_as_many_still_cells_as_moving_ones_are_chosen_on_the_face():
    pairs = pairs_of()
    pairs.true_flow[1] = 0
    moving, face = moving_skin(pairs)
    moves, still = blanking.moving_and_still(moving, face)
    assert moves.sum((1, 2)).tolist() == still.sum((1, 2)).tolist()
    assert moves[0].any() and not moves[1].any()
    assert not (moves & still).any()
    assert (blanking.to_cells(moving)[moves] >= 0.5).all() and (blanking.to_cells(moving)[still] == 0).all()
    assert not still[:, blanking.to_cells(face[None])[0] < 0.5].any()
    assert not np.array_equal(still, blanking.moving_and_still(moving, face, seed=1)[1])


def test_where_nearly_all_skin_moves_fewer_moving_cells_are_chosen():
    moving, face = moving_skin(pairs_of())
    moving[0] = face
    moving[0, :40] = False
    moves, still = blanking.moving_and_still(moving, face)
    assert 0 < moves[0].sum() == still[0].sum() < (blanking.to_cells(moving)[0] >= 0.5).sum()


def test_the_largest_cells_are_chosen_where_they_are_allowed():
    values = np.zeros((2, 28, 28))
    values[0, 3, 4], values[0, 5, 6], values[0, 0, 0] = 2, 1, 3
    allowed = np.ones((28, 28), bool)
    allowed[0, 0] = False
    chosen = blanking.largest_cells(values, np.array([2, 0]), allowed)
    assert np.argwhere(chosen).tolist() == [[0, 3, 4], [0, 5, 6]]
    with pytest.raises(DataError, match="fewer cells"):
        blanking.largest_cells(values, np.array([2, 784]), allowed)


def test_blanking_takes_the_motion_away_there_and_nowhere_else():
    pairs = pairs_of()
    cells = np.zeros((6, 28, 28), bool)
    cells[:, 7, 14] = True
    before = pairs.streams.copy()
    flow = blanking.blank_flow(pairs, cells).streams
    assert flow.dtype == np.float32 and (flow[:, :, 7, 14] == 0).all() and (pairs.streams == before).all()
    assert (flow != before).sum() == 6 * 3
    apex = blanking.blank_frames(pairs, cells).apex
    rows, columns = np.nonzero((apex != pairs.apex).any((0, 3)))
    assert {rows.min() * 28 // 128, rows.max() * 28 // 128} == {7} and len(set(rows)) in (4, 5)
    assert {columns.min() * 28 // 128, columns.max() * 28 // 128} == {14}
    assert (apex[:, rows, columns] == pairs.onset[:, rows, columns]).all()
    with pytest.raises(DataError, match="no flow"):
        blanking.blank_flow(replace(pairs, streams=None), cells)


def test_log_odds_are_those_of_the_softmax_and_do_not_care_for_a_constant():
    logits, classes = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0, 1])
    p = logits.softmax(1).gather(1, classes[:, None])[:, 0]
    torch.testing.assert_close(blanking.log_odds(logits, classes), (p / (1 - p)).log())
    torch.testing.assert_close(blanking.log_odds(logits + 7, classes), (p / (1 - p)).log())
    certain = torch.tensor([[90.0, 0.0, 0.0]])  # p rounds to 1
    assert blanking.log_odds(certain, torch.tensor([0])).item() == pytest.approx(90 - np.log(2))


class SumsAtOneCell(nn.Module):
    """Predicts class 0 by the flow at cell (7, 14) and class 1 by the apex's pixels there."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, batch, identity=True):
        flow = batch.flow[:, 0, 7, 14] * self.weight
        return type("Output", (), {"logits": torch.stack([flow, batch.apex[:, 0, 34, 66], 0 * flow], 1)})


def test_the_table_finds_the_cell_that_a_network_uses():
    pairs = pairs_of(subjects=6)
    pairs = replace(pairs, streams=np.full_like(pairs.streams, 3), apex=np.full_like(pairs.apex, 255))
    used, other = np.zeros((2, 12, 28, 28), bool)
    used[:, 7, 14] = other[:, 9, 9] = True
    cells = {"toy": {"the cell": used, blanking.STILL: other}}
    parts = ("flow", "frames")
    table = pd.concat([blanking.blanking_table({"toy": SumsAtOneCell()}, pairs, cells, part) for part in parts])
    assert tuple(table.columns[:7]) == COLUMNS and (table["clips"] == 12).all()
    value = table.set_index(["part", "blanked", "against"])["value"]
    assert value["flow", "the cell", ""] == pytest.approx(-3) == value["flow", "the cell", blanking.STILL]
    assert value["flow", blanking.STILL, ""] == value["frames", blanking.STILL, ""] == pytest.approx(0, abs=1e-6)
    assert value["frames", "the cell", ""] > 0.1  # class 1 loses, class 0 gains
    flipped = table.set_index(["part", "blanked", "against"])["flipped"]
    assert flipped["flow", "the cell", ""] == 1 and flipped["frames", "the cell", ""] == 0
    used[:4] = other[:4] = False
    assert (blanking.blanking_table({"toy": SumsAtOneCell()}, pairs, cells)["clips"] == 8).all()
    with pytest.raises(DataError, match="still skin"):
        blanking.blanking_table({"toy": SumsAtOneCell()}, pairs, {"toy": {"the cell": used}})
    with pytest.raises(DataError, match="flow or frames"):
        blanking.blanking_table({"toy": SumsAtOneCell()}, pairs, cells, "strain")


def test_real_networks_stay_as_they_were():
    model, pairs = make_model(), pairs_of(subjects=6)
    moves, still = blanking.moving_and_still(*moving_skin(pairs))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    table = blanking.blanking_table({"III": model}, pairs, {"III": {"moving skin": moves, blanking.STILL: still}})
    assert np.isfinite(table[["value", "low", "high", "flipped"]]).all(axis=None) and len(table) == 3
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    assert isinstance(model, LFDTCMEN)
