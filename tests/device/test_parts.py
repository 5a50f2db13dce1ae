"""Each network, loss and analysis function on the stand-in device."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pandas as pd
import pytest
import torch

from lfdtcmen import analysis, losses
from lfdtcmen.analysis import (
    attribution,
    attribution_tables,
    blanking,
    class_activation,
    codes,
    complexity,
    disentanglement,
    downstream,
    factorial,
    probes,
    swaps,
)
from lfdtcmen.beyond.change_loss import change
from lfdtcmen.beyond.gain_loss import gain
from lfdtcmen.beyond.imbalance import emotion_loss_of
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.beyond.rest_loss import rest
from lfdtcmen.config import CHOICES, Config, load_config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic import ACTION_UNITS, Counterfactuals
from lfdtcmen.losses.contrastive_loss import active_fraction
from lfdtcmen.modules.batch import Batch
from lfdtcmen.training import audit, build_model
from lfdtcmen.training.method import PAPER
from lfdtcmen.training.stages import make_objectives
from lfdtcmen.viz import widgets

NETWORKS = {
    "paper": {},
    "single stream": {"flow": "single"},
    "motion branch": {"flow": None},
    "flow branch": {"drl": None, "motion": None},
    "encoders": {"drl": "encoders"},
    "motion encoder": {"drl": "motion", "motion": "encoder"},
    "all skips": {"skips": "both"},
    "repaired": {"recipe": "repaired"},
    "multiscale": {"recipe": "repaired", "generator": "warp_multiscale", "bottleneck": 8, "contrast_normalised": True},
    "late fusion": {"fusion": "late", "normalised_difference": True},
}


def small(**settings) -> Config:
    return load_config("smoke", **{"perceptual_taps": ("relu1_2",), "vgg_weights": "random"} | settings)


@pytest.fixture(scope="module")
def faces() -> PairSet:
    """Ten random pairs of five subjects, with all that is known of synthetic faces."""
    rng, count = np.random.default_rng(0), 10
    manifest = pd.DataFrame({"subject": [f"s{k % 5}" for k in range(count)], "clip": range(count), "emotion": "fear"})
    return PairSet(
        manifest,
        *rng.integers(0, 256, (2, count, 128, 128, 3), dtype=np.uint8),
        np.arange(count) // 5,
        ("negative", "positive"),
        true_flow=rng.normal(size=(count, 2, 128, 128)).astype(np.float32),
        action_units=rng.random((count, len(ACTION_UNITS), 2)).astype(np.float32),
        streams=rng.normal(size=(count, 3, 28, 28)).astype(np.float32),
    )


@pytest.fixture(scope="module")
def pictures() -> Counterfactuals:
    rng = np.random.default_rng(0)
    onset, apex = (rng.integers(0, 256, (3, *m, 32, 32, 3), dtype=np.uint8) for m in ((), (2,)))
    units = np.zeros((2, len(ACTION_UNITS), 2), np.float32)
    return Counterfactuals(onset, onset, apex, apex, ("fear", "anger"), units, np.zeros((3, 5, 2), np.float32))


@pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
def test_each_network_learns_on_the_device(device, pairs, settings):
    config = small(**settings)
    method = PAPER if config.is_paper else EXTENDED
    model = build_model(config, 3, method).train()
    method.begin_stage(model, config, 2, pairs)
    table = method.objectives(config, torch.ones(3)).values()
    weights = {loss.name: 1.0 for loss in table if not loss.needs & model.lacks}
    batch = pairs.batch(range(6)).to(device.device)
    with torch.autocast("cuda", torch.bfloat16):
        output = model(batch, reconstruct="reconstruction" in weights)
        total, values = make_objectives(config, weights, pairs, device.device, method)(output, batch)
    total.backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert gradients and all(g.is_cuda for g in gradients) and total.is_cuda
    assert values.keys() >= weights.keys() and audit(model)["gradient"].notna().any()


@pytest.mark.parametrize("imbalance", CHOICES["imbalance"])
def test_each_loss_of_an_imbalanced_set_is_computed_on_the_device(device, imbalance):
    logits, labels = torch.randn(4, 3, device="cuda", requires_grad=True), torch.tensor([0, 1, 2, 0]).to("cuda")
    loss = emotion_loss_of(imbalance, torch.tensor([5.0, 2.0, 1.0]).to("cuda"))
    (loss(logits, labels, weight=None) + loss(logits, labels, weight=torch.ones(4, device="cuda"))).backward()
    assert logits.grad.is_cuda


def test_each_loss_is_computed_on_the_device(device):
    torch.manual_seed(0)
    image, other, code, motion = (torch.rand(4, *s) for s in ((3, 32, 32), (3, 32, 32), (8, 2, 2), (8, 2, 2)))
    image, other, code, motion = (x.to("cuda").requires_grad_() for x in (image, other, code, motion))
    logits, labels = code.mean((2, 3))[:, :3], torch.tensor([0, 1, 2, 0]).to("cuda")
    vgg, pooled = losses.VGG19("random", ("relu1_2",)).to("cuda"), code.mean((2, 3))
    found = {
        "reconstruction": losses.reconstruction(image, other, other.detach(), image.detach(), vgg),
        "cycle_reconstruction": losses.cycle_reconstruction(image, other, other.detach(), image.detach(), vgg),
        "soft_orthogonality": losses.soft_orthogonality(code, motion),
        "consistency": losses.consistency([(code, motion)]),
        "identity_contrastive": losses.identity_contrastive(pooled, torch.tensor([0, 0, 1, 1])),
        "emotion": losses.emotion(logits, labels),
        **{f.__name__: f(image, other, other.detach()) for f in (change, gain)},
        "rest": rest(code, motion),
    }
    assert {name for name in losses.__all__ if name.islower()} <= found.keys()
    sum(found.values()).backward()
    assert image.grad.is_cuda and code.grad.is_cuda
    losses.identity_contrastive(pooled, torch.tensor([0, 0, 1, 1]).to("cuda"))  # subjects may lie there, too
    assert 0 <= float(active_fraction(pooled, torch.tensor([0, 0, 1, 1]))) <= 1


def test_a_batch_says_what_is_wrong_with_it_on_the_device(device, pairs):
    model, batch = build_model(small(), 3), pairs.batch(range(2)).to("cuda")
    for wrong in (batch.onset * float("nan"), batch.onset + 1):
        with pytest.raises(ValueError, match=r"NaN or infinite|outside \[0, 1\]"):
            model(replace(batch, onset=wrong))


def with_a_network() -> set[str]:
    """The public functions of the analysis that are given networks."""
    found = set()
    for info in iter_modules(analysis.__path__):
        module = import_module(f"{analysis.__name__}.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            own = function.__module__ == module.__name__ and not name.startswith("_")
            if own and inspect.signature(function).parameters.keys() & {"model", "models", "part"}:
                found.add(name)
    return found


WITH_A_NETWORK = with_a_network()


def calls(model, faces: PairSet, pictures: Counterfactuals) -> dict[str, Callable]:
    batch: Batch = faces.batch([0, 1])

    def fresh():
        return codes.untrained_like(model, faces)

    return {
        "attribution_maps": lambda: attribution.attribution_maps(model, faces),
        "attribution_table": lambda: attribution.attribution_table({"III": model}, faces, faces),
        "label_test": lambda: attribution_tables.label_test(
            {"true": model, "shuffled": model}, faces, faces.true_flow, [class_activation.hirescam]
        ),
        "logits_of": lambda: blanking.logits_of(model, faces),
        "blanking_table": lambda: blanking.blanking_table(
            {"III": model}, faces, {"III": {blanking.STILL: np.ones((len(faces), 28, 28), bool)}}
        ),
        "untrained_network": lambda: attribution.untrained_network(model, faces),
        "gradcam": lambda: class_activation.gradcam(model, batch, torch.tensor([0, 1])),
        "hirescam": lambda: class_activation.hirescam(model, batch),
        "evaluation_mode": lambda: codes.evaluation_mode(model).__enter__(),
        "drl_of": lambda: codes.drl_of(model),
        "encode_pairs": lambda: codes.encode_pairs(model, faces),
        "untrained_like": fresh,
        "reinitialise": lambda: codes.reinitialise(fresh().drl, 0, lambda rows: None, []),
        "to_tensor": lambda: codes.to_tensor(faces.onset, model),
        "cost_parts": lambda: complexity.cost_parts(model),
        "parameter_table": lambda: complexity.parameter_table(model),
        "flop_table": lambda: complexity.flop_table(model, 32),
        "latency_runs": lambda: complexity.latency_runs(model, 1, 32),
        "disentanglement_report": lambda: disentanglement.disentanglement_report(model, faces, faces, pictures),
        "copy_baseline": lambda: disentanglement.copy_baseline(model, faces),
        "motion_gain": lambda: disentanglement.motion_gain(model, faces),
        "cross_identity_gain": lambda: disentanglement.cross_identity_gain(model, pictures),
        "photograph_gain": lambda: disentanglement.photograph_gain(model, pictures, pictures),
        "identity_leak": lambda: disentanglement.identity_leak(model, faces, fresh()),
        "readability": lambda: disentanglement.readability(model, faces, fresh()),
        "probe_codes": lambda: probes.probe_codes(model, faces),
        "swap": lambda: swaps.swap(model, faces.onset, faces.apex, faces.onset),
        "swap_motions": lambda: swaps.swap_motions(model, pictures, [0], [1], [0, 1]),
        "reconstruction_errors": lambda: swaps.reconstruction_errors(model, faces),
        "swap_errors": lambda: swaps.swap_errors(model, pictures),
        "factorial_swaps": lambda: factorial.factorial_swaps(model, pictures),
        "probe_downstream": lambda: downstream.probe_downstream(model, faces),
        "motion_branch_output": lambda: downstream.motion_branch_output(
            model, *np.zeros((2, 3, 256, 4, 4), np.float32)
        ),
        "swap_products": lambda: swaps.swap_products(model, pictures, [1]),
        "driven_products": lambda: swaps.driven_products(model, pictures, np.array([0]), pictures, np.array([1])),
    }


def test_no_function_of_the_analysis_is_left_out():
    assert calls(None, SimpleFaces(), None).keys() == WITH_A_NETWORK


class SimpleFaces:
    """Pairs of which nothing is asked but a batch."""

    def batch(self, index):
        return None


@pytest.mark.parametrize("name", sorted(WITH_A_NETWORK))
def test_each_function_of_the_analysis_works_on_the_device(device, name, faces, pictures, monkeypatch):
    monkeypatch.setattr(probes, "CLASSIFIERS", {"linear": probes.LOGISTIC})  # scikit-learn's, slow, and on the CPU
    model = build_model(small(), 2)
    result = calls(model, faces, pictures)[name]()
    if name in ("gradcam", "hirescam", "swap"):  # what is looked at comes back
        for values in result.values() if isinstance(result, dict) else [result]:
            values.numpy()


def test_a_slider_swaps_motions_on_the_device(device, pictures):
    box = widgets.motion_swap_slider(build_model(small(), 2), pictures)
    box.children[0].value = 1
