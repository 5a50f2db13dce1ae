"""The sliders answer, with a picture, fast enough to follow the hand."""

import time
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pandas as pd
import pytest
import torch

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis.inflation import HONEST, best_epoch, inflated_scores, inflation_table
from lfdtcmen.evaluation.metrics import uf1
from lfdtcmen.viz import widgets


def seconds_to_redraw(box: ipywidgets.VBox, control: int, value) -> float:
    """Move a control; return the processor time until the picture is another one."""
    picture = box.children[-1]
    before, start = bytes(picture.value), time.process_time()
    box.children[control].value = value
    taken = time.process_time() - start
    after = bytes(picture.value)
    assert after.startswith(b"\x89PNG") and after != before
    return taken


@pytest.fixture(scope="module")
def counterfactuals():
    rng = np.random.default_rng(0)
    onset = rng.integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    apex = rng.integers(0, 256, (2, 3, 128, 128, 3), dtype=np.uint8)
    names = ("happiness", "surprise", "fear")
    return SimpleNamespace(onset=onset, onset_clean=onset, apex=apex, apex_clean=apex, emotions=names)


def test_action_unit_slider_redraws_at_once():
    box = widgets.action_unit_slider(subjects=2)
    times = [seconds_to_redraw(box, 2, value) for value in (0.5, 1.0, 2.0)] + [seconds_to_redraw(box, 1, 4)]
    assert np.median(times) < 0.3


def test_motion_swap_slider_redraws_at_once(counterfactuals):
    torch.manual_seed(0)
    model = LFDTCMEN(num_classes=3)
    box = widgets.motion_swap_slider(model, counterfactuals)
    times = [seconds_to_redraw(box, 1, 0)] + [seconds_to_redraw(box, 2, k) for k in (1, 2)]
    assert np.median(times) < 0.3
    assert model.training  # left as it came


def test_strength_zero_shows_no_change(counterfactuals, monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        widgets.plots, "swap_strip", lambda *a: drawn.update(change=a[3]) or widgets.plots.face_sheet(a[0][None])
    )
    box = widgets.motion_swap_slider(LFDTCMEN(num_classes=3), counterfactuals)
    box.children[3].value = 0.0
    assert np.abs(drawn["change"]).max() == 0


def test_a_model_without_generator_has_nothing_to_swap(counterfactuals):
    with pytest.raises(DataError, match="no generator"):
        widgets.motion_swap_slider(LFDTCMEN(num_classes=3, drl="motion"), counterfactuals)


def epoch_table(mixed: bool, seeds: int = 4, epochs: int = 6, people: int = 20, each: int = 6) -> pd.DataFrame:
    """Return predictions of noise around one accuracy, of every epoch, in no order."""
    labels = np.random.default_rng(1).choice(3, people * each, p=[0.65, 0.08, 0.27])
    person = np.arange(len(labels)) // each
    rng = np.random.default_rng(2)
    fold = rng.integers(0, 5, len(labels)) if mixed else person % 5
    fixed = {"fold": fold, "subject": person, "clip": np.arange(len(labels)), "label": labels}
    tables = []
    for seed in range(seeds):
        for epoch in range(epochs):
            called = np.where(rng.random(len(labels)) < 0.5, labels, rng.integers(0, 3, len(labels)))
            tables.append(pd.DataFrame({"seed": seed, "epoch": epoch, **fixed, "prediction": called}))
    return pd.concat(tables, ignore_index=True).sample(frac=1, random_state=0)


def test_inflated_scores_are_those_of_the_table_at_either_end():
    apart, mixed = epoch_table(False), epoch_table(True)
    table = inflation_table(apart, mixed, 3, repeats=2).set_index("practice")["score"]
    cases = {
        "best epoch on the test fold": {"epochs": 6},
        "mean over folds, absent classes left out": {"over_folds": True},
        "samples split at random": {"at_random": True},
        "luckiest seed": {"seeds": 4},
        "all four together": {"epochs": 6, "over_folds": True, "at_random": True, "seeds": 4},
    }
    for practice, chosen in cases.items():
        honest, *_, reported = inflated_scores(apart, mixed, 3, **chosen).values()
        assert honest == pytest.approx(table[HONEST])
        assert reported == pytest.approx(table[practice])


def test_seeds_and_epochs_between_the_ends_are_chosen_among_so_many():
    apart, mixed = epoch_table(False), epoch_table(True)
    by_seed = [inflated_scores(apart.query("seed == @s"), mixed, 3)["honest"] for s in range(4)]
    two_tried = [max(by_seed[a], by_seed[b]) for a in range(4) for b in range(a)]
    found = inflated_scores(apart, mixed, 3, seeds=2)["best of 2 seeds"]
    assert found == pytest.approx(np.mean(two_tried))
    last_three = best_epoch(apart.query("epoch >= 3"), 3)
    expected = [uf1(run["label"].to_numpy(), run["prediction"].to_numpy(), 3) for _, run in last_three.groupby("seed")]
    found = inflated_scores(apart, mixed, 3, epochs=3)["best of 3 epochs"]
    assert found == pytest.approx(np.mean(expected))


def test_inflation_slider_redraws_at_once():
    box = widgets.inflation_slider(epoch_table(False), epoch_table(True), 3)
    moves = [(0, 6), (0, 3), (1, 4), (2, True), (3, True)]
    assert np.median([seconds_to_redraw(box, *move) for move in moves]) < 0.3
