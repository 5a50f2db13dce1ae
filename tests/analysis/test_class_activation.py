"""Grad-CAM is captum's, for each branch and each setting, and leaves the network as it was."""

import pytest
import torch
from captum.attr import LayerGradCam, LayerGradientXActivation
from torch.testing import assert_close

from lfdtcmen import LFDTCMEN, Batch
from lfdtcmen.analysis.class_activation import gradcam, hirescam


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    onset, apex = torch.rand(2, 2, 3, 64, 64, generator=generator)
    return Batch(onset, apex, torch.randn(2, 3, 28, 28, generator=generator))


def make_model(**settings) -> LFDTCMEN:
    torch.manual_seed(0)
    return LFDTCMEN(num_classes=3, **settings).eval()


def captum_map(model, batch, layers, classes, method=LayerGradCam):
    """Sum captum's maps of some layers, before what is negative is cut off."""

    def forward(onset, apex, flow):
        return model(Batch(onset, apex, flow)).logits

    inputs = (batch.onset, batch.apex, batch.flow)
    return sum(method(forward, layer).attribute(inputs, target=classes).sum(1) for layer in layers).relu()


def test_both_branches_are_captums(batch):
    model, classes = make_model(), torch.tensor([2, 0])
    maps = gradcam(model, batch, classes)
    assert maps["motion"].shape == (2, 2, 2) and maps["flow"].shape == (2, 14, 14)
    assert maps["motion"].any() and maps["flow"].any()
    assert_close(maps["motion"], captum_map(model, batch, [model.tcme.motion_branch.msfe], classes))
    streams = [stream.inception2 for stream in model.tcme.flow_branch.streams]
    assert_close(maps["flow"], captum_map(model, batch, streams, classes))


def test_hirescam_is_captums_gradient_times_activation(batch):
    model, classes = make_model(), torch.tensor([2, 0])
    maps = hirescam(model, batch, classes)
    msfe, streams = [model.tcme.motion_branch.msfe], [s.inception2 for s in model.tcme.flow_branch.streams]
    for name, layers in (("motion", msfe), ("flow", streams)):
        assert_close(maps[name], captum_map(model, batch, layers, classes, LayerGradientXActivation))
    assert not torch.allclose(maps["flow"], gradcam(model, batch, classes)["flow"], rtol=0.1)


def test_where_the_classifier_sees_means_both_methods_agree(batch):
    plain = make_model(flow=None, motion="encoder")
    assert_close(hirescam(plain, batch)["motion"], gradcam(plain, batch)["motion"])


def test_the_predicted_class_is_explained_by_default(batch):
    model = make_model()
    maps = gradcam(model, batch)
    assert_close(maps, gradcam(model, batch, model(batch).logits.argmax(1)))
    other = gradcam(model, batch, (model(batch).logits.argmax(1) + 1) % 3)
    assert not torch.equal(maps["flow"], other["flow"])


def test_ablated_networks_have_the_maps_of_what_they_have(batch):
    assert set(gradcam(make_model(flow=None), batch)) == {"motion"}
    assert set(gradcam(make_model(drl=None, motion=None, flow="single"), batch)) == {"flow"}
    plain = make_model(flow=None, motion="encoder")
    logits = plain(batch).logits
    motion = [plain.drl.encode(frames).motion for frames in (batch.onset, batch.apex)]
    codes = torch.cat(motion, dim=1)  # [B, 512, h, w]
    weights = plain.tcme.classifier.weight[logits.argmax(1)]  # [B, 512]
    weights = weights * (codes.mean((2, 3)) > 0)  # the classifier sees the pooled codes through a ReLU
    expected = (weights[:, :, None, None] * codes).sum(1) / codes[0, 0].numel()
    assert_close(gradcam(plain, batch)["motion"], expected.relu())


def test_the_network_stays_as_it_was(batch):
    model = make_model().requires_grad_(False)
    model.tcme.train()
    with torch.no_grad():
        gradcam(model, batch)
    assert model.tcme.training and not model.drl.training
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
