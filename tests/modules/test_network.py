"""The network: parameters, shapes, settings of the tables, refused input, numbers that stay finite."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from lfdtcmen import LFDTCMEN, Batch, DataError
from lfdtcmen.modules.encoder import Encoder
from lfdtcmen.modules.flow_branch import TSI, MicroInception, normalise
from lfdtcmen.modules.motion_branch import MAAG


def make_batch(size: int = 2, side: int = 64, **changes) -> Batch:
    """A random batch; fields replaced by name."""
    rng = torch.Generator().manual_seed(0)
    values = {
        "onset": torch.rand(size, 3, side, side, generator=rng),
        "apex": torch.rand(size, 3, side, side, generator=rng),
        "flow": torch.randn(size, 3, 28, 28, generator=rng),
        "label": torch.arange(size) % 3,
        "subject": torch.arange(size) // 2,
    }
    return Batch(**{**values, **changes})


def count(model) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("flow", "stated"), [(None, 5.49e6), ("triple", 7.92e6)])
def test_parameters_are_within_one_percent_of_the_papers(flow, stated):
    assert abs(count(LFDTCMEN(7, flow=flow)) / stated - 1) < 0.01


def test_forward_makes_what_it_was_asked_for():
    model, batch = LFDTCMEN(3), make_batch()
    output = model(batch)
    assert output.logits.shape == (2, 3)
    assert output.apex_hat is None
    output = model(batch, reconstruct=True, classify=False)
    assert output.logits is None
    assert output.apex_hat.shape == output.onset_tilde.shape == (2, 3, 64, 64)
    assert output.id_apex_hat.shape == output.mo_onset.shape == (2, 256, 2, 2)


def test_cross_combination_joins_onset_identity_with_apex_motion():
    model, batch = LFDTCMEN(3).eval(), make_batch()
    output = model(batch, reconstruct=True)
    identity, skips = model.drl.identity_encoder(batch.onset)
    motion, _ = model.drl.motion_encoder(batch.apex)
    assert_close(output.apex_hat, model.drl.generator(identity, motion, skips))
    identity, skips = model.drl.identity_encoder(output.onset_hat)
    motion, _ = model.drl.motion_encoder(output.onset_hat)
    assert_close(output.onset_tilde, model.drl.generator(identity, motion, skips), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("skips", ["identity", "motion", "both", "none"])
def test_skips_come_from_whom_they_are_said_to(skips):
    model = LFDTCMEN(3, skips=skips).eval()
    one, other = make_batch(), make_batch()
    for layer in (model.drl.motion_encoder.conv8, model.drl.identity_encoder.conv8):
        torch.nn.init.zeros_(layer[0].weight)  # all codes equal: what still differs comes through skips
    other.onset = 1 - other.onset
    changed = (model(one, reconstruct=True).apex_hat != model(other, reconstruct=True).apex_hat).any()
    assert bool(changed) == (skips in ("identity", "both"))  # I^_ap takes its identity from the onset
    other = make_batch(apex=1 - one.apex)
    changed = (model(one, reconstruct=True).apex_hat != model(other, reconstruct=True).apex_hat).any()
    assert bool(changed) == (skips in ("motion", "both"))


@pytest.mark.parametrize(
    ("settings", "has"),
    [
        ({"drl": "motion"}, {"motion_encoder"}),  # Table 4: I, II, III
        ({"drl": "encoders"}, {"motion_encoder", "identity_encoder"}),
        ({"drl": "full"}, {"motion_encoder", "identity_encoder", "generator"}),
        ({"flow": "single"}, {"motion_encoder", "identity_encoder", "generator"}),  # Table 5
        ({"motion": "encoder", "flow": None}, {"motion_encoder", "identity_encoder", "generator"}),  # Table 6: I, II
        ({"motion": "branch", "flow": None}, {"motion_encoder", "identity_encoder", "generator"}),
        ({"drl": None, "motion": None}, set()),  # the flow branch alone
    ],
)
def test_every_setting_of_the_tables_runs(settings, has):
    model = LFDTCMEN(3, **settings)
    assert model(make_batch()).logits.shape == (2, 3)
    parts = {name for name, part in model.drl.named_children()} if model.drl else set()
    assert parts == has


def test_single_stream_is_smaller_than_three():
    assert count(TSI("single")) * 2 < count(TSI("triple"))


def test_prediction_needs_neither_identity_encoder_nor_generator():
    full, small = LFDTCMEN(3).eval(), LFDTCMEN(3, drl="motion").eval()
    small.load_state_dict(full.state_dict(), strict=False)
    assert_close(full(make_batch()).logits, small(make_batch()).logits)


def test_maag_amplifies_by_up_to_a_fifth():
    onset, apex = torch.rand(2, 256, 4, 4) + 1, torch.rand(2, 256, 4, 4) + 1
    enhanced_onset, enhanced_apex, attention = MAAG()(onset, apex)
    assert_close(enhanced_apex, apex * (1 + 0.2 * attention))
    assert_close(enhanced_onset / onset, enhanced_apex / apex)
    assert 0 < attention.min() and attention.max() < 1


def test_flow_branch_normalises_with_the_training_sets_constants():
    branch, flow = TSI(), torch.randn(64, 3, 28, 28) * torch.tensor([1.0, 2.0, 3.0])[:, None, None] + 5
    branch.set_normalisation(flow)
    assert_close(branch.mean, flow.mean((0, 2, 3)))
    plain = TSI()
    plain.load_state_dict({**branch.state_dict(), "mean": torch.zeros(3), "std": torch.ones(3)})
    normal = (flow - flow.mean((0, 2, 3), keepdim=True)) / flow.std((0, 2, 3), keepdim=True)
    assert_close(branch.eval()(flow), plain.eval()(normal), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_micro_inceptions_equal_their_branches_one_by_one(training):
    block = MicroInception(3, (2, 4, 2)).train(training)
    plain, x = copy.deepcopy(block), torch.randn(8, 3, 28, 28).to(memory_format=torch.channels_last)
    for _ in range(2):  # the second time, the running statistics have changed
        outputs = block(x), torch.cat([branch(x) for branch in plain.branches], dim=1)
        assert_close(*outputs, atol=1e-4, rtol=1e-4)
    weights = torch.randn_like(outputs[0])
    for output in outputs:
        (output * weights).sum().backward()
    for own, other in zip(block.parameters(), plain.parameters(), strict=True):
        assert_close(own.grad, other.grad, atol=1e-4, rtol=1e-4)
    assert_close(block.state_dict(), plain.state_dict(), atol=1e-4, rtol=1e-4)
    assert block.branches[1][1].num_batches_tracked == (2 if training else 0)


def test_encoder_keeps_codes_apart_from_each_other():
    codes, _ = Encoder()(torch.rand(8, 3, 64, 64))
    assert (codes < 0).any()  # no ReLU at the end: see the docstring


@pytest.mark.parametrize("size", [1, 2, 5])
def test_any_batch_size_stays_finite(size):
    output = LFDTCMEN(3)(make_batch(size, side=64), reconstruct=True)
    for name in ("logits", "apex_hat", "onset_tilde", "spatial", "temporal", "attention"):
        assert torch.isfinite(getattr(output, name)).all(), name


def test_bf16_stays_finite_and_leaves_the_codes_in_float32():
    model, batch = LFDTCMEN(3), make_batch()
    with torch.autocast("cpu", torch.bfloat16):
        output = model(batch, reconstruct=True)
    assert output.mo_onset.dtype == output.logits.dtype == torch.float32
    assert output.apex_hat.dtype == torch.bfloat16
    assert torch.isfinite(output.onset_tilde).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"onset": torch.rand(2, 1, 64, 64)}, r"\[B, 3, H, W\]"),
        ({"onset": torch.rand(3, 64, 64)}, r"\[B, 3, H, W\]"),
        ({"onset": torch.rand(2, 3, 112, 112), "apex": torch.rand(2, 3, 112, 112)}, "multiple of 32"),
        ({"onset": torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)}, "floating point"),
        ({"apex": torch.full((2, 3, 64, 64), 200.0)}, "outside"),
        ({"apex": torch.full((2, 3, 64, 64), float("nan"))}, "NaN"),
        ({"apex": torch.rand(2, 3, 96, 96)}, "but apex is"),
        ({"flow": torch.zeros(2, 3, 32, 32)}, "28"),
        ({"flow": torch.full((2, 3, 28, 28), float("inf"))}, "infinite"),
        ({"flow": torch.zeros(2, 3, 28, 28, dtype=torch.float64)}, "32 bits"),
        ({"flow": None}, "needs batch.flow"),
        ({"onset": np.zeros((2, 3, 64, 64))}, "must be tensors"),
        ({"onset": torch.rand(2, 3, 0, 64), "apex": torch.rand(2, 3, 0, 64)}, "multiple of 32"),
        ({"label": torch.zeros(2, dtype=torch.int32)}, "int64"),
        ({"subject": torch.zeros(3, dtype=torch.long)}, "int64"),
    ],
)
def test_bad_batches_are_refused(change, words):
    with pytest.raises(DataError, match=words):
        LFDTCMEN(3)(make_batch(**change))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"num_classes": 1}, "num_classes"),
        ({"flow": "double"}, "flow streams"),
        ({"skips": "all"}, "skips"),
        ({"drl": "half"}, "DRL parts"),
        ({"motion": "both"}, "motion part"),
        ({"motion": None, "flow": None}, "both None"),
        ({"drl": None}, "needs a motion encoder"),
    ],
)
def test_unknown_or_contradicting_settings_are_refused(settings, words):
    with pytest.raises(DataError, match=words):
        LFDTCMEN(**settings)


def test_a_setting_without_generator_cannot_reconstruct():
    with pytest.raises(DataError, match="no generator"):
        LFDTCMEN(3, drl="encoders")(make_batch(), reconstruct=True)


def test_the_network_rounds_to_the_papers_totals():
    assert count(LFDTCMEN(7)) == 7_923_360 and count(LFDTCMEN(7, flow=None)) == 5_494_354
    wide = TSI(widths=((8, 16, 8), (16, 32, 16)), reduction=8)
    assert count(LFDTCMEN(7)) - count(TSI()) + count(wide) == 7_977_240
    assert wide(torch.zeros(2, 3, 28, 28)).shape == (2, 256)
    assert TSI("single", ((2, 4, 2), (4, 4, 4)), 4)(torch.zeros(2, 3, 28, 28)).shape == (2, 256)


@pytest.mark.parametrize(("widths", "reduction"), [(((2, 4, 2), (16, 0, 16)), 4), (((2, 4, 2), (16, 32, 16)), 9)])
def test_widths_that_do_not_go_together_are_refused(widths, reduction):
    with pytest.raises(DataError, match="do not go with reduction"):
        TSI(widths=widths, reduction=reduction)


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])  # None: a plain average over all batches
def test_batch_normalisations_together_are_those_of_the_modules(momentum):
    torch.manual_seed(0)
    alone, together = ([nn.BatchNorm2d(2, momentum=momentum, eps=0.1) for _ in range(2)] for _ in range(2))
    for x in torch.randn(3, 4, 4, 5, 5):
        by_hand = torch.cat([norm(part) for norm, part in zip(alone, x.chunk(2, dim=1), strict=True)], dim=1)
        assert_close(normalise(x, together), by_hand)
    for one, other in zip(alone, together, strict=True):
        assert_close(one.state_dict(), other.state_dict())
