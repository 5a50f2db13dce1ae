"""The network with what we changed: each part does what it should, and leaves the paper's network as it was."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from lfdtcmen import LFDTCMEN, DataError, load_config
from lfdtcmen.beyond.extended_drl import _averaging, normalise_contrast
from lfdtcmen.beyond.extended_tcme import DifferenceMotionBranch
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.beyond.warp_generator import WarpGenerator, warp
from lfdtcmen.config import Config
from lfdtcmen.training import LFDTCMENClassifier, build_model
from tests.modules.test_network import count, make_batch


def extended(**settings) -> LFDTCMEN:
    return EXTENDED.network(3, Config().network | settings)


OURS = {
    "generator": "warp_difference",
    "bottleneck": 4,
    "contrast_normalised": True,
    "normalised_difference": True,
    "fusion": "late",
}


def test_a_field_moves_the_picture_by_as_many_pixels_as_it_says():
    frame = torch.rand(1, 3, 128, 128)
    field = torch.zeros(1, 3, 32, 32)
    assert_close(warp(frame, field), frame, atol=1e-5, rtol=0)
    field[:, 0] = 0.5  # two pixels: each pixel is fetched from two to its right
    assert_close(warp(frame, field)[..., :-2], frame[..., 2:], atol=1e-4, rtol=0)
    field[:, 0], field[:, 2] = 0, 10
    assert_close(warp(frame, field), frame * 1.2, atol=1e-4, rtol=0)


def test_the_untrained_warp_generator_copies():
    model, batch = extended(**OURS).eval(), make_batch()
    output = model(batch, reconstruct=True)
    assert (output.apex_hat - batch.onset).abs().max() < 0.1
    assert_close(output.apex_tilde, output.onset_hat, atol=0.05, rtol=0)  # moved from there


def test_fields_of_all_scales_add_up_and_all_learn():
    generator = WarpGenerator(multiscale=True).eval()
    codes = torch.randn(2, 2, 256, 2, 2)
    inputs = (*codes, (torch.randn(2, 32, 8, 8), torch.randn(2, 64, 4, 4)))
    frame = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert (generator(*inputs, frame) - frame).abs().max() < 0.1  # untrained, it copies
        whole = generator.field(*inputs)  # [2, 3, 32, 32]
        assert whole.shape == (2, 3, 32, 32)
        convolutions = [generator.to_field, *generator.to_fields]
        parts = []
        for convolution in convolutions:
            alone = WarpGenerator(multiscale=True).eval()
            alone.load_state_dict(generator.state_dict())
            for own, other in zip([alone.to_field, *alone.to_fields], convolutions, strict=True):
                if other is not convolution:
                    torch.nn.init.zeros_(own.weight)
            parts.append(alone.field(*inputs))
        assert_close(sum(parts), whole)
    generator(*inputs, frame).square().mean().backward()
    assert all(convolution.weight.grad.abs().sum() > 0 for convolution in convolutions)


def test_the_warp_generator_takes_the_difference_to_where_the_motion_begins():
    model, batch = extended(**OURS), make_batch(4)
    with torch.no_grad():
        model.drl.generator.to_field.weight.normal_(std=0.1)
        identity, motion = model.drl.encode(batch.onset), model.drl.encode(batch.apex)
        own = model.drl.generate(identity, motion)
        assert_close(own, model.drl.generate(identity, motion, identity))
        still = model.drl.generate(identity, motion, motion)
        assert_close(still, model.drl.generate(identity, identity))
        assert not torch.allclose(own, still, atol=1e-3)


def test_the_cycle_moves_each_generated_frame_to_the_state_of_the_other():
    model, batch = extended(**OURS).eval(), make_batch()
    torch.nn.init.normal_(model.drl.generator.to_field.weight, std=0.1)
    with torch.no_grad():
        output = model(batch, reconstruct=True)
        apex, onset = (model.drl.encode(frames) for frames in (output.apex_hat, output.onset_hat))
        assert_close(output.apex_tilde, model.drl.generate(onset, apex))
        assert_close(output.onset_tilde, model.drl.generate(apex, onset))


def test_the_cycle_leaves_the_generators_variance_that_of_real_differences():
    """In evaluation a field would otherwise be too strong: it is divided by the root of the running variance."""
    batch, deviations = make_batch(4), []
    for cycle in (False, True):
        torch.manual_seed(0)
        model = extended(**OURS).train()
        model.drl.generator.normalise.momentum = 0.5  # few steps are enough
        for _ in range(6):
            model(batch, reconstruct=True, cycle=cycle, classify=False)
        deviations.append(model.drl.generator.normalise.running_var.sqrt())
    assert (deviations[1] / deviations[0]).median().item() == pytest.approx(1, abs=0.05)


def test_a_bottleneck_limits_the_rank_of_the_motion_code():
    model = extended(bottleneck=4).eval()
    code = model.drl.encode(torch.rand(8, 3, 64, 64)).motion.permute(0, 2, 3, 1).flatten(0, 2)  # [8 * 4, 256]
    assert torch.linalg.matrix_rank(code, rtol=1e-4) == 4


def test_contrast_normalised_frames_know_neither_light_nor_colour():
    frame = torch.rand(2, 3, 64, 64)
    seen = normalise_contrast(frame)
    darker = normalise_contrast(0.5 * frame, floor=0.01)
    assert_close(darker, seen, atol=1e-3, rtol=1e-3)
    tinted = frame + torch.tensor([0.1, -0.1, 0.0])[:, None, None]
    assert_close(normalise_contrast(tinted), seen, atol=1e-3, rtol=1e-3)
    assert seen.mean().abs() < 0.1 and (seen.std() - 1).abs() < 0.2


def test_the_normalised_difference_reaches_the_adapter_with_variance_one():
    branch, caught = DifferenceMotionBranch().train(), {}
    branch.adapter.register_forward_pre_hook(lambda _, inputs: caught.update(onset=inputs[0], apex=inputs[1]))
    onset = torch.randn(16, 256, 2, 2)
    _, attention = branch(onset, onset + 0.01 * torch.randn(16, 256, 2, 2))
    assert (caught["apex"] / (1 + 0.2 * attention)).std().item() == pytest.approx(1, abs=0.01)
    assert not caught["onset"].any()


def test_late_fusion_counts_the_prior_once():
    """The product rule by hand, and against Bayes' theorem where motion and flow are independent given the class."""
    model = extended(**OURS).eval()
    output = model(make_batch())
    motion, flow = (logits.softmax(1) for logits in output.branch_logits)  # [B, 3]
    assert_close(output.logits.softmax(1), motion * flow / (motion * flow).sum(1, keepdim=True))  # no prior is known

    model.tcme.set_prior(torch.tensor([0, 0, 0, 1, 1, 2]))
    prior = torch.tensor([1 / 2, 1 / 3, 1 / 6])
    sees_motion, sees_flow = torch.rand(3, 4).softmax(1), torch.rand(3, 5).softmax(1)  # p(what is seen | class)
    joint = torch.einsum("c,ci,cj->ijc", prior, sees_motion, sees_flow)  # [4, 5, 3]
    right = joint[1, 2] / joint[1, 2].sum()
    posteriors = [
        (prior * seen[:, k]).log() for seen, k in ((sees_motion, 1), (sees_flow, 2))
    ]  # each branch's posterior
    for classifier, logits in zip(model.tcme.classifier, posteriors, strict=True):
        torch.nn.init.zeros_(classifier.weight)
        classifier.bias.data.copy_(logits + 5.0)  # a constant changes nothing
    assert_close(model(make_batch()).logits.softmax(1)[0], right)


def test_one_branch_has_nothing_to_fuse():
    model = extended(flow=None, fusion="late")
    assert model(make_batch()).branch_logits is None and not model.tcme.late


def test_with_nothing_switched_on_the_network_is_the_papers():
    assert type(extended()) is LFDTCMEN
    assert count(extended(contrast_normalised=True, normalised_difference=True)) == count(LFDTCMEN(3))


def test_networks_begin_with_the_same_weights_as_the_papers_where_they_have_the_same_parts():
    config = load_config("smoke")
    paper = build_model(config, 3).state_dict()
    ours = build_model(replace(config, contrast_normalised=True, normalised_difference=True), 3, EXTENDED).state_dict()
    assert paper.keys() <= ours.keys()
    for name, value in paper.items():
        assert_close(ours[name], value, rtol=0, atol=0)


def test_the_papers_method_refuses_what_goes_beyond_it():
    config = load_config("smoke", recipe="repaired")
    for call in (lambda: build_model(config, 3), lambda: LFDTCMENClassifier(config)):
        with pytest.raises(DataError, match=r"goes beyond the paper.*method=EXTENDED"):
            call()


def test_contradicting_options_are_refused():
    for settings, message in (
        ({"generator": "paint"}, "unknown generator"),
        ({"generator": "warp_difference", "skips": "both"}, "identity's skips only"),
        ({"generator": "warp_multiscale", "skips": "none"}, "identity's skips only"),
        ({"bottleneck": -1}, "bottleneck"),
        ({"fusion": "early"}, "unknown fusion"),
    ):
        with pytest.raises(DataError, match=message):
            extended(**settings)


def test_a_prediction_in_inference_mode_does_not_keep_later_ones_from_learning():
    _averaging.cache_clear()
    frames = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        normalise_contrast(frames)
    frames.requires_grad_()
    normalise_contrast(frames).sum().backward()
    assert frames.grad is not None
