"""Both sliders answer, with a picture, fast enough to follow the hand."""

import time
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pytest
import torch

from lfdtcmen import LFDTCMEN, DataError
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
