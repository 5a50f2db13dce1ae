"""Each slider changes its picture, to the figure of the values chosen."""

import io
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis.inflation import HONEST, best_epoch, inflated_scores, inflation_table
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic import make_clip
from lfdtcmen.evaluation.metrics import uf1
from lfdtcmen.preprocessing.align import align_clip
from lfdtcmen.preprocessing.apex import frame_difference
from lfdtcmen.viz import widgets


def move(box: ipywidgets.VBox, *moves: tuple) -> None:
    """Move controls, (which, to what) each; the picture is another one after each move.

    How long that takes is measured in benchmarks/widgets.py.
    """
    picture = box.children[-1]
    for control, value in moves:
        before = bytes(picture.value)
        box.children[control].value = value
        after = bytes(picture.value)
        assert after.startswith(b"\x89PNG") and after != before


def test_a_page_without_a_kernel_shows_a_sentence():
    box = widgets.action_unit_slider(units=(12,), subjects=2)
    assert box._repr_mimebundle_()["text/plain"] == "Controls above a picture; they need a running kernel."


@pytest.fixture(scope="module")
def counterfactuals():
    rng = np.random.default_rng(0)
    onset = rng.integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    apex = rng.integers(0, 256, (2, 3, 128, 128, 3), dtype=np.uint8)
    names = ("happiness", "surprise", "fear")
    return SimpleNamespace(onset=onset, onset_clean=onset, apex=apex, apex_clean=apex, emotions=names)


def calls_of(monkeypatch, name: str) -> list[tuple]:
    """Return the list to which each call of a figure adds its arguments."""
    calls, figure = [], getattr(widgets.viz, name)
    monkeypatch.setattr(widgets.viz, name, lambda *a, **k: calls.append(a) or figure(*a, **k))
    return calls


def test_action_unit_slider_redraws():
    box = widgets.action_unit_slider(subjects=2)
    move(box, (2, 0.5), (2, 1.0), (2, 2.0), (4, 1.0))


def test_action_units_add_up_and_keep_to_their_side(monkeypatch):
    calls = calls_of(monkeypatch, "pair_strip")
    box = widgets.action_unit_slider(units=(12, 1), subjects=2)
    smile = calls[-1][2]  # [1, 2, 128, 128]
    box.children[3].value = 2.0
    both = calls[-1][2]
    box.children[2].value = 0.0
    np.testing.assert_allclose(both, smile + calls[-1][2], atol=1e-4)
    box.children[1].value = (1, 0)  # the image's left half
    length = np.linalg.norm(calls[-1][2][0], axis=0)
    assert length[:, :64].sum() > 3 * length[:, 64:].sum()


def test_action_units_move_a_photograph(monkeypatch):
    calls = calls_of(monkeypatch, "pair_strip")
    photograph = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    landmarks = np.array([[44, 50], [84, 50], [64, 74], [48, 96], [80, 96]])
    box = widgets.action_unit_slider(photograph=(photograph, landmarks))
    assert "subject" not in [control.description for control in box.children[:-1]]
    move(box, (1, 0.5), (1, 1.0), (1, 2.0))
    rest, moved, flow, _ = calls[-1]
    assert (rest[0] == photograph).all() and (moved != rest).any()
    assert 1 < np.linalg.norm(flow[0], axis=0).max() < 3  # about the 2 px of the slider
    with pytest.raises(DataError, match="outside the photograph"):
        widgets.action_unit_slider(photograph=(photograph, 10 * landmarks))


def test_a_unit_that_is_not_drawn_is_refused():
    with pytest.raises(DataError, match="unknown action unit 3"):
        widgets.action_unit_slider(units=(12, 3))


def test_motion_swap_slider_redraws(counterfactuals):
    torch.manual_seed(0)
    model = LFDTCMEN(num_classes=3)
    box = widgets.motion_swap_slider(model, counterfactuals)
    move(box, (1, 0), (2, 1), (2, 2))
    assert model.training  # left as it came


def test_strength_zero_shows_no_change(counterfactuals, monkeypatch):
    shown = {}
    monkeypatch.setattr(
        widgets.viz, "swap_strip", lambda *a: shown.update(change=a[3]) or widgets.viz.face_sheet(a[0][None])
    )
    box = widgets.motion_swap_slider(LFDTCMEN(num_classes=3), counterfactuals)
    box.children[3].value = 0.0
    assert np.abs(shown["change"]).max() == 0


def test_the_swap_is_compared_with_the_rendered_truth_and_with_a_copy(counterfactuals, monkeypatch):
    calls = calls_of(monkeypatch, "swap_strip")
    box = widgets.motion_swap_slider(LFDTCMEN(num_classes=3), counterfactuals)
    box.children[0].value, box.children[2].value = 1, 2
    identity, _, generated, *_, truth = calls[-1]
    assert (identity == counterfactuals.onset[1]).all() and (truth == counterfactuals.apex_clean[1, 2]).all()
    titles = [ax.get_title() for ax in widgets.viz.swap_strip(*calls[-1]).axes]
    for name, frame in (("generated", generated), ("copied identity", identity)):
        error = np.abs(frame.astype(float).mean(-1) - truth.astype(float).mean(-1)).mean()
        assert f"{name} - truth\nmean error {error:.2f}" in titles


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
            predicted = np.where(rng.random(len(labels)) < 0.5, labels, rng.integers(0, 3, len(labels)))
            tables.append(pd.DataFrame({"seed": seed, "epoch": epoch, **fixed, "prediction": predicted}))
    return pd.concat(tables, ignore_index=True).sample(frac=1, random_state=0)


def test_inflated_scores_are_those_of_the_table_at_either_end():
    apart, mixed = epoch_table(False), epoch_table(True)
    table = inflation_table(apart, mixed, 3, repeats=2).query("against == ''").set_index("model")["value"]
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


def test_inflation_slider_redraws():
    box = widgets.inflation_slider(epoch_table(False), epoch_table(True), 3)
    move(box, (0, 6), (0, 3), (1, 4), (2, True), (3, True))


WEIGHTS = {"reconstruction": 2.0, "emotion": 0.5}


def test_loss_weights_move_the_sum_and_its_gradient(monkeypatch):
    calls = calls_of(monkeypatch, "loss_weight_bars")
    gradients = np.array([[1.0, 0, 1], [0, 2, -1], [3, 0, 0]])
    losses = {"reconstruction": 0.5, "emotion": 1.0, "cycle": 0.25}
    box = widgets.loss_weight_sliders(losses, gradients, WEIGHTS)
    assert [slider.max for slider in box.children[:-1]] == [8.0, 2.0, 1.0]
    assert calls[-1][2] == {"reconstruction": 2.0, "emotion": 0.5, "cycle": 0.0}
    move(box, (1, 0.0), (1, 1.0), (1, 1.5))
    np.testing.assert_allclose(calls[-1][1], gradients @ gradients.T)
    assert calls[-1][2]["emotion"] == 1.5
    with pytest.raises(DataError, match="for 2 losses"):
        widgets.loss_weight_sliders({"reconstruction": 0.5, "emotion": 1.0}, gradients, WEIGHTS)


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 6, 128, 128, 3), dtype=np.uint8)
    manifest = pd.DataFrame({"subject": list("aabbcc"), "clip": ["1", "2"] * 3})
    flow = rng.normal(size=(6, 2, 128, 128)).astype(np.float32)
    return PairSet(manifest, *frames, np.array([0, 0, 1, 1, 2, 2]), ("negative", "positive", "surprise"), flow=flow)


@pytest.fixture
def predictions(pairs):
    probabilities = np.full((6, 3), 0.1)
    predicted = np.array([0, 2, 2, 1, 0, 2])  # clips 1, 2 and 4 are wrong
    probabilities[np.arange(6), predicted] = [0.8, 0.5, 0.6, 0.8, 0.9, 0.8]
    table = pairs.manifest[["subject", "clip"]].assign(label=pairs.labels, prediction=predicted)
    table = table.assign(**{f"p_{name}": probabilities[:, c] for c, name in enumerate(pairs.label_names)})
    return table.sample(frac=1, random_state=1).assign(fold=0)  # in another order than the pairs


def test_fold_explorer_goes_through_the_mistakes_the_most_certain_first(pairs, predictions, monkeypatch):
    calls = calls_of(monkeypatch, "prediction_strip")
    box = widgets.fold_explorer(pairs, predictions)
    show, number, *_ = box.children
    assert show.options[0] == "all mistakes (3)" and show.options[-1] == "predicted correctly (3)"
    assert "negative predicted as surprise (1)" in show.options
    expected = [4, 2, 1]  # sure to 90, 60 and 50 %
    for position, k in enumerate(expected):
        number.value = position
        onset, apex, flow, probabilities, _, labels, titles = calls[-1]
        assert (onset[0] == pairs.onset[k]).all() and (apex[0] == pairs.apex[k]).all()
        assert (flow[0] == pairs.flow[k]).all() and labels == [pairs.labels[k]]
        assert probabilities.max() == pytest.approx([0.9, 0.6, 0.5][position])
    assert titles == ["a, 2: negative, predicted surprise"]
    move(box, (1, 0), (1, 1), (1, 2), (0, show.options[-1]))


def test_choosing_a_smaller_group_begins_at_its_first_sample(pairs, predictions, monkeypatch):
    calls = calls_of(monkeypatch, "prediction_strip")
    box = widgets.fold_explorer(pairs, predictions)
    box.children[1].value = 2
    before = len(calls)
    box.children[0].value = "positive predicted as surprise (1)"
    assert box.children[1].value == box.children[1].max == 0
    assert len(calls) == before + 1  # the slider moved too, and no figure was made twice
    assert (calls[-1][0][0] == pairs.onset[2]).all()


def test_the_face_flickers_or_stands_still(pairs, predictions):
    box = widgets.fold_explorer(pairs, predictions)
    face, flicker = box.children[2:4]
    frames = {}
    for mode in ("in turn", "onset", "apex"):
        face.value = mode
        animation = Image.open(io.BytesIO(flicker.value))
        assert animation.n_frames == (2 if mode == "in turn" else 1)
        frames[mode] = np.asarray(animation.convert("RGB")).astype(float)
    for mode, frame in (("onset", pairs.onset[4]), ("apex", pairs.apex[4])):
        assert np.abs(frames[mode] - frame).mean() < 40  # noise in 128 colours
    assert np.abs(frames["onset"] - frames["apex"]).mean() > 60


def test_a_model_that_is_always_right_has_no_mistakes_to_show(pairs, predictions):
    right = predictions.assign(prediction=predictions["label"])
    assert widgets.fold_explorer(pairs, right).children[0].options == ("predicted correctly (6)",)


def test_fold_explorer_refuses_what_does_not_belong_together(pairs, predictions):
    cases = {
        "more than once": pd.concat([predictions, predictions]),
        "1 of 6 predictions": predictions.replace({"clip": {"1": "9"}}).assign(
            clip=lambda t: np.where(t["subject"] == "a", t["clip"], predictions["clip"])
        ),
        "0 of 0 predictions": predictions.head(0),
    }
    for message, table in cases.items():
        with pytest.raises(DataError, match=message):
            widgets.fold_explorer(pairs, table)
    without = PairSet(pairs.manifest, pairs.onset, pairs.apex, pairs.labels, pairs.label_names)
    with pytest.raises(DataError, match="no flow"):
        widgets.fold_explorer(without, predictions)


def test_apex_timeline_shows_each_curve_with_the_apex_that_it_spots(monkeypatch):
    calls = calls_of(monkeypatch, "clip_timeline")
    clip = make_clip(0, 5, preset="easy", emotion="surprise")
    frames = align_clip(clip.frames, landmarks=clip.landmarks[0])
    box = widgets.apex_timeline(frames, clip.fps, clip.apex)
    _, shown, curve, _, _, apexes, _ = calls[-1]
    assert shown == apexes["spotted"] and apexes["true"] == clip.apex
    assert abs(apexes["spotted"] - clip.apex) <= 1 and len(curve) == len(frames)
    move(box, (0, 0), (0, 3), (0, 5))
    box.children[1].value = "difference"
    np.testing.assert_allclose(calls[-1][2], frame_difference(frames))
    with pytest.raises(DataError, match=f"frame {len(frames)} of a clip of {len(frames)}"):
        widgets.apex_timeline(frames, clip.fps, len(frames))
    with pytest.raises(DataError, match="aligned"):
        widgets.apex_timeline(frames[:, :64], clip.fps)
