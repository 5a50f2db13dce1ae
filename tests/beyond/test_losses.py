"""Our losses: values by hand, and what they are blind to."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from lfdtcmen import DataError, SynergisticObjectives, load_config
from lfdtcmen.beyond.change_loss import change
from lfdtcmen.beyond.gain_loss import gain
from lfdtcmen.beyond.imbalance import balanced_batches, emotion_loss_of, focal, logit_adjusted
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.beyond.rest_loss import rest
from lfdtcmen.config import Config
from lfdtcmen.losses import emotion
from lfdtcmen.training.stages import stage_weights


def test_focal_is_by_hand_and_cross_entropy_at_gamma_0():
    logits, labels = torch.randn(6, 3, requires_grad=True), torch.tensor([0, 1, 2, 0, 1, 1])
    p = logits.softmax(1)[torch.arange(6), labels]  # [B]
    assert_close(focal(logits, labels, 2.0), ((1 - p) ** 2 * -p.log()).mean())
    assert_close(focal(logits, labels, 0.0), emotion(logits, labels))
    certain = (50 * torch.eye(3)).requires_grad_()
    focal(certain, torch.arange(3)).backward()
    assert torch.isfinite(certain.grad).all()
    assert focal(logits[:0], labels[:0]).requires_grad


def test_logit_adjustment_is_cross_entropy_with_the_prior_added():
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 1])
    counts = torch.tensor([80.0, 15.0, 5.0])
    by_hand = torch.nn.functional.cross_entropy(logits + torch.log(counts / 100), labels)
    assert_close(logit_adjusted(logits, labels, counts), by_hand)
    assert_close(logit_adjusted(logits, labels, counts, tau=0.0), emotion(logits, labels))
    assert_close(logit_adjusted(logits, labels, torch.ones(3)), emotion(logits, labels))  # balanced: nothing to adjust
    assert torch.isfinite(logit_adjusted(logits, labels, torch.tensor([9.0, 9.0, 0.0])))


def test_change_is_one_for_a_copy_and_a_quarter_for_half_the_motion(batch):
    onset, apex = batch.onset, batch.apex
    assert change(onset, apex, onset).item() == pytest.approx(1)
    assert change(apex, apex, onset).item() == 0
    assert change((onset + apex) / 2, apex, onset).item() == pytest.approx(0.25)


def test_change_does_not_care_how_small_the_motion_is(batch):
    onset, apex = batch.onset, batch.apex
    fainter = onset + 0.01 * (apex - onset)
    half = onset + 0.005 * (apex - onset)
    assert change(half, fainter, onset).item() == pytest.approx(0.25, rel=1e-3)
    assert torch.isfinite(change(onset, onset, onset))  # no motion at all


def test_gain_is_one_for_a_copy_and_zero_for_the_full_motion_whatever_else_changes(batch):
    onset, apex = batch.onset, batch.apex
    assert gain(onset, apex, onset).item() == pytest.approx(1)
    assert gain(onset + 0.3 * (apex - onset), apex, onset).item() == pytest.approx(0.49)
    true = F.avg_pool2d(apex - onset, 2)
    other = torch.randn(true.shape, generator=torch.Generator().manual_seed(0))
    other = other - (other * true).sum() / true.square().sum() * true  # nothing of the motion in it
    other = F.interpolate(other, scale_factor=2, mode="nearest")
    assert gain(apex + other, apex, onset).item() == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(gain(onset, onset, onset))


def test_rest_counts_what_people_differ_in_against_what_motion_does():
    rng = torch.Generator().manual_seed(0)
    moved = torch.randn(64, 4, 2, 2, generator=rng)
    same = torch.randn(1, 4, 2, 2, generator=rng).expand(64, -1, -1, -1)
    assert rest(same, same + moved).item() == pytest.approx(0, abs=1e-6)
    people = torch.randn(64, 4, 2, 2, generator=rng)
    assert rest(people, people + moved).item() == pytest.approx(2 * np.log(2), rel=0.1)
    assert rest(3 * people, 3 * people + moved).item() > rest(people, people + moved).item()


def test_rest_is_blind_to_scale_and_mixing_of_channels():
    rng = torch.Generator().manual_seed(1)
    onset, apex = torch.randn(2, 32, 4, 2, 2, generator=rng)
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=rng)).Q
    mixed = [5 * torch.einsum("ij,bjhw->bihw", rotation, code) for code in (onset, apex)]
    assert_close(rest(*mixed), rest(onset, apex), rtol=1e-4, atol=1e-5)


def test_change_and_rest_have_finite_gradients_on_a_pair_of_equal_frames():
    frame = torch.rand(3, 3, 32, 32, requires_grad=True)
    code = torch.zeros(3, 4, 1, 1, requires_grad=True)
    (change(frame, frame.detach(), frame.detach()) + rest(code, code)).backward()
    assert torch.isfinite(frame.grad).all() and torch.isfinite(code.grad).all()


def test_objectives_with_ours_are_the_weighted_sum(batch):
    model = EXTENDED.network(3, Config().network | {"bottleneck": 4}).eval()
    table = EXTENDED.objectives(load_config("smoke"), torch.ones(3))
    weights = {name: float(number) for number, name in enumerate(table, 1)}
    total, log = SynergisticObjectives(weights, objectives=table)(model(batch, reconstruct=True), batch)
    assert total.item() == pytest.approx(sum(weight * log[name] for name, weight in weights.items()), rel=1e-5)


def test_rest_needs_a_bottleneck(batch):
    table = EXTENDED.objectives(load_config("smoke"), torch.ones(3))
    model = EXTENDED.network(3, Config().network | {"contrast_normalised": True})
    with pytest.raises(DataError, match="the rest loss has a weight but the forward pass has no narrow_apex"):
        SynergisticObjectives({"rest": 1.0}, objectives=table)(model(batch), batch)
    config = load_config("smoke", contrast_normalised=True, stage1={"rest": 1.0})
    assert stage_weights(model, config, 1, EXTENDED) == {}


def test_class_weights_are_inverse_frequencies():
    counts = torch.tensor([10.0, 30.0, 60.0])
    logits, labels = torch.randn(5, 3), torch.tensor([0, 2, 1, 1, 0])
    expected = F.cross_entropy(logits, labels, 100 / 3 / counts)
    assert_close(emotion_loss_of("class_weights", counts)(logits, labels), expected)
    assert emotion_loss_of("class_weights", counts)(logits[:0], labels[:0]).item() == 0


@given(counts=st.lists(st.integers(1, 60), min_size=2, max_size=7), seed=st.integers(0, 9))
def test_balanced_batches_sample_classes_alike_and_only_what_is_there(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    sampled = np.concatenate(
        [np.concatenate(list(balanced_batches(labels, 8, np.random.default_rng([seed, k])))) for k in range(40)]
    )
    assert len(sampled) == 40 * len(labels) and sampled.min() >= 0 and sampled.max() < len(labels)
    share = np.bincount(labels[sampled], minlength=len(counts)) / len(sampled)
    expected = 1 / len(counts)
    assert abs(share - expected).max() < 5 * np.sqrt(expected / len(sampled))


def test_rest_is_solved_in_one_dtype_under_autocast():
    onset, apex = torch.randn(2, 6, 4, 2, 2)
    seen = []

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, arguments=(), given=None):
            if function is torch.linalg.solve:
                seen.append({argument.dtype for argument in arguments})
            return function(*arguments, **(given or {}))

    with torch.autocast("cpu", torch.bfloat16), Watch():
        assert_close(rest(onset, apex), rest(onset.double(), apex.double()), atol=0.02, rtol=0.02)
    assert seen and all(dtypes == {torch.float32} for dtypes in seen)  # CUDA's solve refuses two, the CPU's does not
