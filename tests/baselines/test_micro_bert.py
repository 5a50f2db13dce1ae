"""Micro-BERT: sizes, what its two modules compute, pretraining without labels, and what it refuses."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from lfdtcmen import DataError
from lfdtcmen.baselines import micro_bert as module
from lfdtcmen.baselines.micro_bert import (
    PUBLISHED,
    Decoder,
    DiagonalMicroAttention,
    MicroBERT,
    Pretraining,
    as_image,
    frames_of,
    micro_bert,
)
from lfdtcmen.evaluation.audit import audit_fit_predict
from lfdtcmen.training.loop import fit
from tests.training.helpers import make_pairs

SMALL = replace(
    micro_bert, make=partial(MicroBERT, side=32, patch=8, width=32, heads=2), epochs=2, pretraining_epochs=2
)


def count(*parts: torch.nn.Module) -> int:
    return sum(p.numel() for part in parts for p in part.parameters())


def test_the_published_size_has_the_parameters_that_add_up_by_hand():
    with torch.device("meta"):
        network = MicroBERT(3, **PUBLISHED)
        decoder = Decoder(network)
    width = 512
    blocks = 4 * (12 * width**2 + 13 * width) + 2 * width
    attention, embed = 4 * (width**2 + width), 192 * width + width
    assert count(network) == embed + width + blocks + attention + 3 * width + 3 == 13_762_051
    assert count(decoder) == width**2 + width + blocks + 192 * width + 192
    assert count(network, decoder) == 26_733_763
    assert count(MicroBERT(3)) == 335_331


def test_it_learns_sixteen_pairs_by_heart():
    pairs = make_pairs(16, subjects=8)
    found = replace(SMALL, epochs=120, pretraining_epochs=2, learning_rate=2e-3, weight_decay=0.0)(pairs, pairs, 0)
    assert (found.argmax(1) == pairs.labels).all()
    np.testing.assert_allclose(found.sum(1), 1)


def test_nothing_of_the_test_set_is_used():
    audit_fit_predict(SMALL, make_pairs(8, seed=1), make_pairs(5, seed=2))


def test_the_same_seed_gives_the_same_answer_and_no_global_seed_is_used():
    pairs = make_pairs(8)
    before = torch.get_rng_state()
    one, same, other = (SMALL(pairs, pairs, seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


def test_diagonal_attention_keeps_how_much_a_patch_resembles_itself():
    torch.manual_seed(0)
    attention, patches, others = DiagonalMicroAttention(8), torch.rand(2, 5, 8), torch.rand(2, 5, 8)
    query, key, value = attention.query(patches), attention.key(others), attention.value(patches)
    for pair in range(2):
        for k in range(5):
            powers = (key[pair] @ query[pair, k] / 8**0.5).exp()
            expected = attention.out(powers[k] / powers.sum() * value[pair, k])
            torch.testing.assert_close(attention(patches, others)[pair, k], expected)


def test_pretraining_restores_frames_and_gives_every_part_a_gradient():
    torch.manual_seed(0)
    pairs, network = make_pairs(12), SMALL.make(3)
    decoder = Decoder(network)
    parts = torch.nn.ModuleList([network, decoder])
    task = Pretraining(network, decoder, frames_of(pairs, network, "small"), 6, 0)
    (first, *_) = task.batches(0)
    task.loss(first)[0].backward()
    without = {name for name, p in parts.named_parameters() if p.grad is None}
    assert without == {"0.classifier.weight", "0.classifier.bias"}
    rows = fit(task, parts, SMALL.schedule(12, 30), progress=False)
    for name in ("reconstruction", "agreement"):
        assert np.mean([row[name] for row in rows[-4:]]) < np.mean([row[name] for row in rows[:4]])


def test_pretraining_exchanges_patches_of_the_two_frames_of_a_pair(monkeypatch):
    pairs, network = make_pairs(4), SMALL.make(3)
    task = Pretraining(network, Decoder(network), frames_of(pairs, network, "small"), 4, 0)
    seen = []
    monkeypatch.setattr(network, "encode", lambda frames: seen.append(frames) or MicroBERT.encode(network, frames))
    (batch,) = task.batches(0)
    task.loss(batch)
    frame, other, exchanged, shift = batch
    mixed, reference, view = seen[0].chunk(3)
    assert torch.equal(reference, other) and torch.equal(view, frame.roll(shift, (2, 3)))
    for k in range(4):
        for row in range(4):
            for column in range(4):
                cell = (k, slice(None), slice(8 * row, 8 * row + 8), slice(8 * column, 8 * column + 8))
                assert torch.equal(mixed[cell], (other if exchanged[k, 0, row, column] else frame)[cell])
    assert 0.3 < exchanged.float().mean() < 0.7


def test_pretraining_sees_the_training_frames_alone_and_no_label(monkeypatch):
    given = []
    original = Pretraining.__init__

    def spy(task, network, decoder, frames, batch_size, seed):
        given.append(frames)
        original(task, network, decoder, frames, batch_size, seed)

    monkeypatch.setattr(module.Pretraining, "__init__", spy)
    train, test = make_pairs(8, seed=1), make_pairs(5, seed=2)
    SMALL(train, test, 0)
    replace(SMALL, pretraining_epochs=0)(train, test, 0)
    assert len(given) == 1
    np.testing.assert_array_equal(given[0][0].numpy(), train.onset.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(given[0][1].numpy(), train.apex.transpose(0, 3, 1, 2))


def test_the_frames_are_all_that_it_takes():
    pairs = make_pairs(6)
    assert SMALL(replace(pairs, streams=None), pairs, 0).shape == (6, 3)
    assert as_image(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]


def test_frames_of_another_size_are_refused():
    pairs = make_pairs(6)
    with pytest.raises(DataError, match=r"the frames are 32x32, the network takes 128x128 \[micro-bert\]; resize"):
        micro_bert(pairs, pairs, 0)
