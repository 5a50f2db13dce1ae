"""DRL beside another network: without motion nothing changes, the encoder stays, and nobody tested was trained on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lfdtcmen import DataError, load_config
from lfdtcmen.baselines.dual_inception import dual_inception
from lfdtcmen.baselines.off_apexnet import off_apexnet
from lfdtcmen.baselines.plug_in import MotionBeside, WithDRL, motion_change
from lfdtcmen.baselines.ststnet import STSTNet, ststnet
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config
from lfdtcmen.datasets.splits import loso
from lfdtcmen.evaluation.audit import audit_fit_predict
from lfdtcmen.evaluation.protocol import Model, cross_validate
from lfdtcmen.training import LFDTCMENClassifier, build_model, classifier
from tests.training.helpers import make_pairs, state

CONFIG = load_config(
    "smoke", epochs=(1, 1, 1), batch_sizes=(4, 4, 4), perceptual_taps=("relu1_2",), vgg_weights="random"
)
REPAIRED = load_config("smoke", recipe="repaired_alone", epochs=(1, 1, 1), batch_sizes=(4, 4, 4))


def beside(network=ststnet, config: Config = CONFIG, epochs: int = 2, **how) -> WithDRL:
    return WithDRL(replace(network, epochs=epochs), LFDTCMENClassifier(config, stages=1, method=EXTENDED, **how))


@pytest.fixture
def untrained(monkeypatch) -> list:
    """Leave stage 1 out, and return the list of the networks that were given to the plug-in."""
    given = []

    def build(self, train, test, seed):
        given.append(build_model(self.config, train.num_classes, self.method))
        return given[-1]

    monkeypatch.setattr(LFDTCMENClassifier, "after_stage1", build)
    return given


@pytest.mark.parametrize("network", (ststnet, off_apexnet, dual_inception), ids=lambda network: network.name)
def test_without_motion_the_network_answers_as_it_does_alone(network):
    torch.manual_seed(0)
    joined = WithDRL(network, LFDTCMENClassifier(CONFIG)).make(3).eval()
    torch.nn.init.normal_(joined.classifier.weight)
    flow, change = torch.rand(4, 3, 28, 28), torch.randn(4, 256, 4, 4)
    with torch.no_grad():
        assert torch.equal(joined(flow, torch.zeros_like(change)), joined.network(flow))
        assert not torch.allclose(joined(flow, change), joined.network(flow))


def test_training_begins_with_the_network_as_it_is_alone():
    torch.manual_seed(3)
    alone = STSTNet(3).eval()
    torch.manual_seed(3)
    joined = WithDRL(ststnet, LFDTCMENClassifier(CONFIG)).make(3).eval()
    flow = torch.rand(4, 3, 28, 28)
    with torch.no_grad():
        assert torch.equal(joined(flow, torch.randn(4, 256, 4, 4)), alone(flow))
    assert sum(p.numel() for p in joined.parameters()) == 1_651 + 256 * 16 + 256 * 3


def test_the_sum_is_one_linear_layer_on_both_features():
    torch.manual_seed(0)
    joined = MotionBeside(STSTNet(3), 3).eval()
    torch.nn.init.normal_(joined.classifier.weight)
    flow, change, seen = torch.rand(4, 3, 28, 28), torch.randn(4, 256, 4, 4), []
    joined.network.classifier.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        logits = joined(flow, change)
        motion = torch.relu(joined.reduce(change)).flatten(1)  # [4, 256]
        weight = torch.cat([joined.network.classifier.weight, joined.classifier.weight], 1)  # [3, 400 + 256]
        expected = torch.cat([seen[0], motion], 1) @ weight.T + joined.network.classifier.bias
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize("config", [CONFIG, REPAIRED], ids=["paper", "repaired"])
def test_the_encoder_has_no_gradient_and_stays_as_it_is(config, untrained):
    pairs = make_pairs(8)
    before = {}
    model = beside(config=config)
    original = model.drl.after_stage1

    def keep(*args):
        network = original(*args)
        before.update(state(network))
        return network

    object.__setattr__(model.drl, "after_stage1", keep)
    model(pairs, make_pairs(5, seed=9), 0)
    (network,) = untrained
    assert before.keys() == network.state_dict().keys()
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())


def test_the_motion_code_is_what_the_encoder_says_of_apex_minus_onset(untrained):
    pairs = make_pairs(70)  # more than the encoder is given at once
    model = build_model(CONFIG, 3)
    found = motion_change(model, pairs)
    assert found.shape == (70, 256, 1, 1) and found.dtype == np.float32
    batch = pairs.batch(np.arange(40, 44))
    with torch.no_grad():
        expected = model.drl.encode(batch.apex).motion - model.drl.encode(batch.onset).motion
    np.testing.assert_allclose(found[40:44], expected.numpy(), atol=1e-5)
    still = replace(pairs, apex=pairs.onset)
    assert np.abs(motion_change(model, still)).max() == 0


def test_it_learns_sixteen_pairs_by_heart(untrained):
    pairs = make_pairs(16, subjects=8)

    def make(classes):
        network = STSTNet(classes)
        network.dropout.p = 0.0
        return network

    found = beside(replace(ststnet, make=make, weight_decay=0.0), epochs=300)(pairs, pairs, 0)
    assert (found.argmax(1) == pairs.labels).all()
    np.testing.assert_allclose(found.sum(1), 1)


def test_a_class_that_shows_in_the_frames_alone_is_found_with_drl_only(untrained):
    pairs = make_pairs(60, subjects=20)
    apex = pairs.onset // 2
    for k, label in enumerate(pairs.labels):
        apex[k, ..., label] += 100  # one colour becomes brighter
    pairs = replace(pairs, onset=pairs.onset // 2, apex=apex, streams=np.zeros_like(pairs.streams))
    train, test = pairs.subset(np.arange(40)), pairs.subset(np.arange(40, 60))
    with_drl = beside(epochs=60)(train, test, 0).argmax(1)
    alone = replace(ststnet, epochs=2)(train, test, 0).argmax(1)
    assert (with_drl == test.labels).mean() > 0.8 > 0.5 > (alone == test.labels).mean()


def test_stage_1_is_trained_on_the_training_pairs_and_shared_through_the_folder(tmp_path, monkeypatch):
    learned = []
    original = classifier.train_stage

    def spy(model, given, stage, *args, **kwargs):
        learned.append((stage, set(given.subjects)))
        return original(model, given, stage, *args, **kwargs)

    monkeypatch.setattr(classifier, "train_stage", spy)
    pairs = make_pairs(12, subjects=4)
    (train, test), *_ = loso(pairs.subjects)
    train, test = pairs.subset(train), pairs.subset(test)
    beside(run_dir=tmp_path)(train, test, 0)
    assert [stage for stage, _ in learned] == [1]
    assert learned[0][1] == set(train.subjects) and not learned[0][1] & set(test.subjects)
    (file,) = (tmp_path / "checkpoints").iterdir()
    written = file.stat().st_mtime_ns
    beside(off_apexnet, epochs=1, run_dir=tmp_path)(train, test, 0)
    LFDTCMENClassifier(CONFIG, tmp_path, stages=2)(train, test, 0)
    assert file.stat().st_mtime_ns == written and len(list((tmp_path / "checkpoints").glob("stage1-*"))) == 1


def test_groups_share_a_stage_1_that_has_not_seen_who_is_tested(tmp_path):
    pairs = make_pairs(24, subjects=4)
    groups = {f"s{k}": k % 2 for k in range(4)}
    model = beside(epochs=1, stage1_groups=groups)
    assert isinstance(model, Model)
    table = cross_validate(model, pairs, list(loso(pairs.subjects)), [0], tmp_path)
    assert len(table) == 24 and sorted(model.drl.shared) == [0, 1]
    train, test = next(iter(loso(pairs.subjects)))
    found = model.drl.after_stage1(pairs.subset(train), pairs.subset(test), 0)
    shared = {name: value.cpu() for name, value in state(found.drl).items()}
    torch.testing.assert_close(shared, model.drl.shared[0]["drl"], rtol=0, atol=0)


def test_nothing_of_the_test_set_is_used():
    audit_fit_predict(beside(epochs=1), make_pairs(8, seed=1), make_pairs(5, seed=2))


def test_settings_say_which_network_and_which_drl():
    found = [beside().settings, beside(off_apexnet).settings, beside(config=REPAIRED).settings]
    assert found[0]["model"] == beside().name == "ststnet+drl" and "Liong" in beside().source
    assert len({str(settings) for settings in found}) == 3
    assert len({str(beside(epochs=epochs).settings) for epochs in (1, 2)}) == 2


def test_what_is_missing_is_refused():
    pairs = make_pairs(8)
    with pytest.raises(DataError, match=r"no flow streams \[ststnet\+drl\]; call prepare_pairs first"):
        beside()(replace(pairs, streams=None), pairs, 0)
    small = replace(pairs, onset=pairs.onset[:, :24, :24], apex=pairs.apex[:, :24, :24])
    with pytest.raises(DataError, match="not a multiple of 32"):
        beside()(small, small, 0)
    without = replace(CONFIG, drl=None, motion=None)
    with pytest.raises(DataError, match=r"no DRL to put beside the network \[ststnet\+drl\]; give drl='full'"):
        beside(config=without).prepare(pairs, [], [0], 1)


def test_a_network_is_made_as_without_drl(untrained, monkeypatch):
    """The pair's own network starts with the same weights, so that a comparison differs in DRL alone."""
    made = []

    def make(classes):
        made.append(STSTNet(classes))
        made[-1].first = {name: value.clone() for name, value in made[-1].state_dict().items()}
        return made[-1]

    pairs = make_pairs(8)
    network = replace(ststnet, make=make, epochs=1)
    network(pairs, pairs, 5)
    beside(network, epochs=1)(pairs, pairs, 5)
    alone, joined = made
    assert all(torch.equal(alone.first[name], joined.first[name]) for name in alone.first)
