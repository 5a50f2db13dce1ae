"""PairSet: rows that belong together stay together, and what does not fit is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from lfdtcmen import DataError
from lfdtcmen.datasets.pairs import PairSet, concatenate


@pytest.fixture
def pairs() -> PairSet:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (2, 5, 32, 32, 3), dtype=np.uint8)
    manifest = pd.DataFrame({"subject": ["b", "a", "b", "c", "a"], "clip": list("vwxyz")})
    return PairSet(
        manifest,
        *frames,
        labels=np.array([0, 1, 1, 0, 1]),
        label_names=("negative", "positive", "surprise"),
        landmarks=rng.random((5, 5, 2)).astype(np.float32),
        streams=rng.standard_normal((5, 3, 28, 28)).astype(np.float32),
        clips=rng.integers(0, 255, (5, 11, 8, 8), dtype=np.uint8),
    )


def test_subset_keeps_rows_together(pairs):
    for index in ([3, 1], np.array([False, True, False, True, False])):
        part = pairs.subset(index)
        rows = np.flatnonzero(index) if isinstance(index, np.ndarray) else index
        assert list(part.manifest["clip"]) == [pairs.manifest["clip"][i] for i in rows]
        for field in ("onset", "apex", "labels", "landmarks", "streams", "clips"):
            np.testing.assert_array_equal(getattr(part, field), getattr(pairs, field)[rows])
        assert part.true_flow is None and part.num_classes == 3
    assert len(pairs.subset([])) == 0


def test_batch_is_what_the_network_takes(pairs):
    batch = pairs.batch([0, 2, 1])
    batch.check()
    np.testing.assert_allclose(batch.onset[1].permute(1, 2, 0).numpy() * 255, pairs.onset[2], atol=1e-4)
    assert batch.label.tolist() == [0, 1, 1]
    assert batch.subject.tolist() == [1, 1, 0]
    assert batch.onset.is_contiguous(memory_format=torch.channels_last)


def test_fingerprint_changes_with_any_content(pairs):
    apex = pairs.apex.copy()
    apex[2, 3, 4, 1] ^= 1
    others = [
        replace(pairs, apex=apex),
        replace(pairs, labels=np.array([0, 1, 1, 0, 2])),
        replace(pairs, streams=pairs.streams + 1e-3),
        replace(pairs, manifest=pairs.manifest.assign(subject=["b", "a", "b", "c", "c"])),
        pairs.subset([0, 1, 2, 3]),
    ]
    assert len({pairs.fingerprint, *(other.fingerprint for other in others)}) == len(others) + 1
    assert pairs.subset(np.arange(5)).fingerprint == pairs.fingerprint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"onset": np.zeros((5, 32, 32, 3), np.float32)}, "uint8"),
        ({"apex": np.zeros((5, 32, 32), np.uint8)}, r"\[N, H, W, 3\]"),
        ({"labels": np.zeros(4, np.int64)}, "4 rows where onset has 5"),
        ({"streams": np.zeros((6, 3, 28, 28), np.float32)}, "6 rows"),
        ({"labels": np.full(5, 3)}, "labels run from 3 to 3"),
        ({"labels": np.full(5, -1)}, "labels run from -1"),
        ({"labels": [0, 1, 1, 0, 1]}, "int64"),
        ({"labels": np.zeros(5, np.int32)}, "int64"),
        ({"streams": np.zeros((5, 3, 14, 14), np.float32)}, "28, 28"),
        ({"clips": np.zeros((4, 11, 8, 8), np.uint8)}, "4 rows where onset has 5"),
        ({"clips": np.zeros((5, 11, 8, 8), np.float32)}, r"clips must be uint8 \[N, T, H, W\]"),
        ({"apex": np.zeros((5, 64, 64, 3), np.uint8)}, "but apex is"),
        ({"manifest": pd.DataFrame({"clip": range(5)})}, "no column subject"),
    ],
)
def test_what_does_not_fit_is_refused(pairs, change, words):
    with pytest.raises(DataError, match=words):
        replace(pairs, **change)


def test_concatenated_parts_keep_their_rows_and_say_where_they_are_from(pairs):
    first, second = pairs.subset([0, 1, 2]), replace(pairs.subset([3, 4]), landmarks=None)
    whole = concatenate({"train": first, "test": second})
    assert whole.manifest["part"].tolist() == ["train"] * 3 + ["test"] * 2
    assert whole.manifest["clip"].tolist() == list("vwxyz")
    for field in ("onset", "apex", "labels", "streams", "clips"):
        np.testing.assert_array_equal(getattr(whole, field), getattr(pairs, field))
    assert whole.landmarks is None and whole.true_flow is None and whole.label_names == pairs.label_names
    weighted = [replace(part, weights=np.full(len(part), w, np.float32)) for part, w in ((first, 1), (second, 0.5))]
    assert concatenate(dict(zip("ab", weighted, strict=True))).weights.tolist() == [1, 1, 1, 0.5, 0.5]


def test_parts_that_do_not_fit_are_refused(pairs):
    with pytest.raises(DataError, match="no data sets to concatenate"):
        concatenate({})
    with pytest.raises(DataError, match="b has the classes negative, other, surprise"):
        concatenate({"a": pairs, "b": replace(pairs, label_names=("negative", "other", "surprise"))})
    small = replace(pairs, onset=pairs.onset[:, :16], apex=pairs.apex[:, :16])
    with pytest.raises(DataError, match="b has frames of"):
        concatenate({"a": pairs, "b": small})


def test_parts_that_were_aligned_differently_are_not_concatenated(pairs):
    nose = replace(pairs, manifest=pairs.manifest.assign(alignment="nose"))
    assert set(concatenate({"a": nose, "b": nose}).manifest["alignment"]) == {"nose"}
    with pytest.raises(DataError, match="b was aligned by nose, a by similarity"):
        concatenate({"a": pairs, "b": nose})
