"""The six losses: values by hand, where their gradients reach, and batches that break naive forms."""

import hashlib
import re
import shutil
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from lfdtcmen import LFDTCMEN, Batch, DataError, SynergisticObjectives, load_config
from lfdtcmen.losses import (
    OBJECTIVES,
    VGG19,
    Objective,
    consistency,
    cycle_reconstruction,
    emotion,
    identity_contrastive,
    perceptual,
    reconstruction,
    soft_orthogonality,
)
from lfdtcmen.losses.contrastive_loss import active_fraction
from lfdtcmen.losses.reconstruction_loss import MeanSquare
from lfdtcmen.modules.network import Output
from lfdtcmen.training.stages import components


@pytest.fixture(scope="module")
def vgg() -> VGG19:
    return VGG19("random", ("relu1_2", "relu2_2"), size=32)


@pytest.fixture
def batch() -> Batch:
    rng = torch.Generator().manual_seed(1)
    return Batch(
        torch.rand(4, 3, 64, 64, generator=rng),
        torch.rand(4, 3, 64, 64, generator=rng),
        torch.randn(4, 3, 28, 28, generator=rng),
        torch.tensor([0, 1, 2, 0]),
        torch.tensor([0, 0, 1, 1]),
    )


def test_orthogonality_is_the_squared_cosine():
    x = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([[0.0, 2.0], [3.0, 0.0]])
    assert_close(soft_orthogonality(x, y), torch.tensor((0 + 0.5) / 2))
    assert_close(soft_orthogonality(x, -3 * x), torch.tensor(1.0))
    maps = torch.randn(3, 8, 4, 4)
    assert_close(soft_orthogonality(maps, maps + 1), soft_orthogonality(maps.mean((2, 3)), maps.mean((2, 3)) + 1))


def test_reconstruction_is_the_sum_of_both_directions(vgg):
    apex_hat, onset_hat, apex, onset = torch.rand(4, 2, 3, 32, 32)
    by_hand = (apex_hat - apex).abs().mean() + (onset_hat - onset).abs().mean()
    assert_close(reconstruction(apex_hat, onset_hat, apex, onset), by_hand)
    for hat, frame in ((apex_hat, apex), (onset_hat, onset)):
        squares = [(a - b).square().mean() for a, b in zip(vgg(hat), vgg(frame), strict=True)]
        by_hand = by_hand + 0.3 * sum(squares) / len(squares)
    assert_close(reconstruction(apex_hat, onset_hat, apex, onset, vgg, 0.3), by_hand)
    assert reconstruction(apex, onset, apex, onset, vgg).item() == 0


def test_shared_target_features_change_nothing(vgg):
    hats = torch.rand(2, 2, 3, 32, 32)
    apex, onset = torch.rand(2, 2, 3, 32, 32)
    features = vgg(torch.cat([apex, onset]))
    assert_close(cycle_reconstruction(*hats, apex, onset, vgg), reconstruction(*hats, apex, onset, vgg, 0.1, features))


def test_consistency_is_the_sum_of_mean_squared_errors():
    a, b, c, d = torch.rand(4, 2, 8, 2, 2).requires_grad_()
    assert_close(consistency([(a, b), (c, d)]), ((a - b) ** 2).mean() + ((c - d) ** 2).mean())
    source = torch.rand(2, 8, requires_grad=True)
    consistency([(torch.rand(2, 8, requires_grad=True), source)], detach=True).backward()
    assert source.grad is None


def test_contrastive_by_hand():
    angles = torch.tensor([0.0, 0.3, 0.8, np.pi])
    features = torch.stack([angles.cos(), angles.sin()], 1) * torch.tensor([1.0, 5.0, 0.1, 2.0])[:, None]
    subjects = torch.tensor([0, 0, 1, 1])
    positives = torch.tensor([0.3, np.pi - 0.8])
    negatives = torch.tensor([0.8, np.pi, 0.5, np.pi - 0.3])
    by_hand = positives.square().mean() + (1.0 - negatives).clamp_min(0).square().mean()
    # float32's cosine of pi is clamped 1e-6 away from -1: an angle off by 1.4e-3
    assert_close(identity_contrastive(features, subjects), by_hand, atol=5e-3, rtol=0)
    assert active_fraction(features, subjects) == 0.5


@settings(max_examples=40)
@given(
    count=st.integers(0, 6),
    dimensions=st.integers(1, 8),
    people=st.integers(1, 4),
    seed=st.integers(0, 1000),
    copies=st.booleans(),
)
def test_contrastive_is_finite_with_a_graph_whatever_the_batch(count, dimensions, people, seed, copies):
    rng = torch.Generator().manual_seed(seed)
    features = torch.randn(count, dimensions, generator=rng)
    if copies and count:
        features = features[:1].repeat(count, 1)  # equal features: arccos at its infinite slope
    features.requires_grad_()
    loss = identity_contrastive(features, torch.randint(people, (count,), generator=rng))
    assert loss.ndim == 0 and torch.isfinite(loss) and loss >= 0
    loss.backward()
    assert torch.isfinite(features.grad).all()


def test_the_contrastive_clamp_is_needed():
    features = torch.ones(2, 4, requires_grad=True)
    unit = torch.nn.functional.normalize(features, dim=1)
    torch.arccos((unit[0] * unit[1]).sum()).square().backward()
    assert not torch.isfinite(features.grad).all()  # what the clamp prevents


def test_contrastive_in_bf16_is_computed_in_float32():
    features = torch.ones(4, 16, dtype=torch.bfloat16, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        loss = identity_contrastive(features, torch.tensor([0, 0, 1, 1]))
    loss.backward()
    assert loss.dtype == torch.float32 and torch.isfinite(features.grad).all()


def test_emotion_is_cross_entropy():
    logits, labels = torch.randn(5, 3), torch.tensor([0, 2, 1, 1, 0])
    by_hand = -torch.log_softmax(logits, 1)[torch.arange(5), labels].mean()
    assert_close(emotion(logits, labels), by_hand)


@pytest.mark.parametrize("loss", ["orthogonality", "reconstruction", "consistency", "contrastive", "emotion"])
def test_an_empty_batch_gives_a_finite_zero_with_a_graph(loss):
    code = torch.zeros(0, 8, requires_grad=True)
    image = torch.zeros(0, 3, 32, 32, requires_grad=True)
    value = {
        "orthogonality": lambda: soft_orthogonality(code, code),
        "reconstruction": lambda: reconstruction(image, image, image, image),
        "consistency": lambda: consistency([(code, code)]),
        "contrastive": lambda: identity_contrastive(code, torch.zeros(0, dtype=torch.long)),
        "emotion": lambda: emotion(code, torch.zeros(0, dtype=torch.long)),
    }[loss]()
    assert value.item() == 0
    value.backward()


ENCODERS = {"motion encoder", "identity encoder"}
TCME = {"motion branch", "flow branch", "classifier"}
REACH = {
    "reconstruction": ENCODERS | {"generator"},
    "cycle": ENCODERS | {"generator"},
    "orthogonality": ENCODERS,
    "consistency": ENCODERS | {"generator"},
    "contrastive": ENCODERS | {"generator"},  # E_mo: through the generated images
    "emotion": {"motion encoder"} | TCME,
}


@pytest.mark.parametrize("loss", REACH)
def test_each_gradient_reaches_just_the_modules_it_should(loss, batch, vgg):
    model = LFDTCMEN(3)
    objectives = SynergisticObjectives({loss: 1.0}, vgg)
    total, log = objectives(model(batch, reconstruct=True), batch)
    total.backward()
    assert loss in log
    reached = {
        name
        for name, part in components(model).items()
        if any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
    }
    assert reached == REACH[loss]
    assert all(p.grad is None for p in vgg.parameters())


def test_objectives_are_the_weighted_sum(batch, vgg):
    output = LFDTCMEN(3).eval()(batch, reconstruct=True)
    weights = {name: float(number) for number, name in enumerate(OBJECTIVES, 1)}
    total, log = SynergisticObjectives(weights, vgg)(output, batch)
    assert total.item() == pytest.approx(sum(weight * log[name] for name, weight in weights.items()), rel=1e-5)


def test_adding_a_loss_is_one_function_and_one_row(batch):
    def spread(output: Output, batch: Batch, sdo: SynergisticObjectives) -> torch.Tensor:
        return output.take("spatial")[0].var(0).mean()

    table = OBJECTIVES | {"spread": Objective("spread", spread, needs=frozenset({"spatial"}))}
    objectives = SynergisticObjectives({"spread": 2.0, "emotion": 1.0}, objectives=table)
    total, log = objectives(LFDTCMEN(3)(batch), batch)
    assert total.item() == pytest.approx(2 * log["spread"] + log["emotion"], rel=1e-5)
    with pytest.raises(DataError, match="the spread loss has a weight but the forward pass has no spatial"):
        SynergisticObjectives({"spread": 1.0}, objectives=table)(LFDTCMEN(3)(batch, classify=False), batch)
    with pytest.raises(DataError, match="unknown loss 'spread'"):
        SynergisticObjectives({"spread": 1.0})


@pytest.mark.parametrize("subjects", [[0, 0, 0, 0], [0, 1, 2, 3]], ids=["one subject", "no repeated subject"])
@pytest.mark.parametrize("bf16", [False, True])
def test_awkward_batches_stay_finite(subjects, bf16, batch, vgg):
    batch.subject = torch.tensor(subjects)
    model = LFDTCMEN(3)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        total, _ = SynergisticObjectives(load_config("smoke").stage3, vgg)(model(batch, reconstruct=True), batch)
    total.backward()
    assert torch.isfinite(total)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_a_single_pair_stays_finite(batch, vgg):
    one = Batch(batch.onset[:1], batch.apex[:1], batch.flow[:1], batch.label[:1], batch.subject[:1])
    model = LFDTCMEN(3)
    total, _ = SynergisticObjectives(load_config("smoke").stage3, vgg)(model(one, reconstruct=True), one)
    total.backward()
    assert torch.isfinite(total)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize(
    ("weights", "forward", "words"),
    [
        ({"reconstruction": 1.0}, {}, "reconstruction loss has a weight"),
        ({"consistency": 1.0}, {}, "consistency loss has a weight"),
        ({"emotion": 1.0}, {"reconstruct": True, "classify": False}, "emotion loss has a weight"),
        ({}, {}, "all loss weights are zero"),
    ],
)
def test_a_loss_without_its_ingredients_says_so(weights, forward, words, batch):
    with pytest.raises(DataError, match=words):
        SynergisticObjectives(weights)(LFDTCMEN(3)(batch, **forward), batch)


def test_vgg_layers_and_stand_in():
    one, other = VGG19("random", ("relu1_2", "relu3_1")), VGG19("random", ("relu1_2", "relu3_1"))
    features = one(torch.rand(1, 3, 32, 32))
    assert [list(f.shape[1:]) for f in features] == [[64, 32, 32], [256, 8, 8]]
    assert_close(one.state_dict(), other.state_dict())
    assert "stand-in" in one.source
    # the published VGG-19: sixteen convolutions, 20,024,384 parameters
    whole = VGG19("random", ("relu5_4",))
    assert len(whole.convolutions()) == 16
    assert sum(p.numel() for p in whole.parameters()) == 20_024_384


def save_checkpoint(path) -> VGG19:
    """Write a file like torchvision's, with the stand-in's weights + 1 and biases + 2; return the stand-in."""
    whole = VGG19("random", ("relu5_4",))
    state = {}
    for number, convolution in enumerate(whole.convolutions()):
        state[f"features.{number}.weight"] = convolution.weight + 1
        state[f"features.{number}.bias"] = convolution.bias + 2
    torch.save(state | {"classifier.0.weight": torch.zeros(1)}, path)
    return whole


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty hub folder of torch, and a server that does not answer; calls of it are counted."""
    calls = []

    def refuse(url, file, hash_prefix, progress):
        calls.append(url)
        raise URLError("Name or service\nnot known")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    perceptual._download.cache_clear()
    perceptual._say_stand_in.cache_clear()
    yield calls
    perceptual._download.cache_clear()
    perceptual._say_stand_in.cache_clear()


def test_vgg_says_once_and_in_one_line_that_its_real_weights_cannot_be_had(hub, capsys):
    assert "stand-in" in VGG19("auto", ("relu1_1",)).source and not hub
    assert "stand-in" in VGG19("try_download", ("relu1_1",)).source
    assert "stand-in" in VGG19("try_download", ("relu1_1",)).source and len(hub) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1 and "REAL WEIGHTS CANNOT BE HAD (URLError" in printed and "stand-in" in printed
    with pytest.raises(DataError, match=r"cannot be downloaded \(URLError.*\]; download it elsewhere"):
        VGG19("download", ("relu1_1",))
    assert not capsys.readouterr().err


def test_vgg_fetches_its_real_weights_once(hub, tmp_path, monkeypatch, capsys):
    save_checkpoint(tmp_path / "published.pth")
    digits = hashlib.sha256((tmp_path / "published.pth").read_bytes()).hexdigest()[:8]

    def fetch(url, file, hash_prefix, progress):
        hub.append((url.rsplit("/", 1)[1], hash_prefix))
        shutil.copy(tmp_path / "published.pth", file)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    monkeypatch.setattr(perceptual, "VGG19_URL", f"https://here/vgg19-{digits}.pth")
    for weights in ("try_download", "download", "auto"):
        assert VGG19(weights, ("relu1_1",)).source == f"ImageNet (vgg19-{digits}.pth)"
    assert hub == [(f"vgg19-{digits}.pth", digits)] and not capsys.readouterr().err
    assert (tmp_path / "hub" / "checkpoints" / f"vgg19-{digits}.pth").is_file()


def test_vgg_takes_a_checkpoint_by_path(tmp_path):
    whole = save_checkpoint(tmp_path / "vgg19-test.pth")
    loaded = VGG19(str(tmp_path / "vgg19-test.pth"), ("relu1_1",))
    assert_close(loaded.convolutions()[0].weight, whole.convolutions()[0].weight + 1)
    assert re.fullmatch(r"ImageNet \(vgg19-test.pth, [0-9a-f]{8}\)", loaded.source)
    state = torch.load(tmp_path / "vgg19-test.pth")
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "broken.pth")
    torch.save(state | {"features.0.bias": torch.full((64,), torch.nan)}, tmp_path / "nan.pth")
    torch.save(state | {"features.0.bias": torch.zeros(1)}, tmp_path / "shape.pth")
    torch.save(state | {"features.0.bias": torch.zeros(64, dtype=torch.float64)}, tmp_path / "dtype.pth")
    torch.save(state, tmp_path / "vgg19-dcbb9e9d.pth")  # whose SHA-256 does not begin like this
    for file in ("broken.pth", "missing.pth", "nan.pth", "shape.pth", "dtype.pth", "vgg19-dcbb9e9d.pth"):
        with pytest.raises(DataError, match="cannot be read"):
            VGG19(str(tmp_path / file))
    with pytest.raises(DataError, match="unknown VGG-19 layer"):
        VGG19("random", ("conv1",))


@pytest.mark.parametrize(("precision", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 1e-2)])
def test_mean_of_squares_has_the_value_and_the_gradient_of_torch(precision, tolerance):
    torch.manual_seed(0)
    feature, target = (torch.rand(2, 3, 8, 8).to(precision).requires_grad_() for _ in range(2))
    ours = MeanSquare.apply(feature - target)
    reference = F.mse_loss(feature.float(), target.float())
    assert ours.dtype == torch.float32
    assert_close(ours, reference, rtol=tolerance, atol=0)
    for one, other in zip(*(torch.autograd.grad(3 * x, (feature, target)) for x in (ours, reference)), strict=True):
        assert_close(one, other, rtol=tolerance, atol=tolerance * 1e-2)
    exact = torch.rand(5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(MeanSquare.apply, exact)


@pytest.mark.parametrize("shape", [(128, 64), (64, 128)])
def test_frames_that_are_not_square_keep_their_shape(shape):
    seen = []
    small = VGG19("random", ("relu1_2",), size=32)
    small.layers["relu1_1"].register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape[-2:])))
    small(torch.rand(1, 3, *shape))
    assert seen == [tuple(side // 4 for side in shape)]
