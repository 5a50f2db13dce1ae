"""Preparation is the same however it is run, is kept, and says what is wrong with what it was given."""

import dataclasses
import errno
import hashlib

import cv2
import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter, shift

from lfdtcmen import DataError
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.files import cache_dir
from lfdtcmen.preprocessing import flow
from lfdtcmen.preprocessing.geometry import CANONICAL

COUNT = 11  # more than one chunk


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def pairs():
    """Random textures whose apex is shifted by up to a pixel."""
    rng = np.random.default_rng(0)
    onset = gaussian_filter(rng.normal(0, 1, (COUNT, 64, 64, 3)), (0, 2, 2, 0))
    onset = 128 + 40 * onset / onset.std()
    moves = rng.uniform(-1, 1, (COUNT, 2))  # x, y
    apex = np.stack([shift(f, (m[1], m[0], 0), mode="nearest") for f, m in zip(onset, moves, strict=True)])
    return PairSet(
        manifest=pd.DataFrame({"subject": [f"s{i % 3}" for i in range(COUNT)]}),
        onset=np.clip(onset, 0, 255).astype(np.uint8),
        apex=np.clip(apex, 0, 255).astype(np.uint8),
        labels=np.arange(COUNT) % 2,
        label_names=("a", "b"),
        true_flow=np.broadcast_to(moves[:, :, None, None], (COUNT, 2, 64, 64)).astype(np.float32),
        landmarks=np.tile(np.float32([[20, 24], [44, 24], [32, 36], [24, 48], [40, 48]]), (COUNT, 1, 1)),
    )


def as_bytes(prepared):
    return [getattr(prepared, name).tobytes() for name in ("apex", "flow", "streams", "true_flow")]


def cache_files(tmp_path):
    return list((tmp_path / "cache" / "prepared").iterdir())


def test_head_motion_goes_and_flow_and_streams_come(pairs):
    prepared = prepare_pairs(pairs)
    assert prepared.flow.shape == (COUNT, 2, 64, 64)
    assert prepared.streams.shape == (COUNT, 3, 28, 28)
    assert prepared.flow.dtype == prepared.streams.dtype == np.float32
    assert np.abs(prepared.true_flow).max() < 0.1  # a shift is all that was there
    assert np.abs(prepared.flow).mean() < 0.1
    assert np.abs(pairs.true_flow).mean() > 0.3  # what was given is left as it was


def test_the_same_bytes_from_one_process_two_and_the_cache(pairs, monkeypatch, tmp_path):
    one = as_bytes(prepare_pairs(pairs, n_jobs=1))
    assert as_bytes(prepare_pairs(pairs)) == one  # from the cache
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "other"))
    assert as_bytes(prepare_pairs(pairs, n_jobs=2)) == one


def test_each_pair_is_prepared_by_itself(pairs):
    np.testing.assert_array_equal(
        prepare_pairs(pairs).streams[9:], prepare_pairs(pairs.subset(np.arange(9, COUNT))).streams
    )


def test_prepared_pairs_come_back_as_they_are(pairs):
    prepared = prepare_pairs(pairs)
    assert prepare_pairs(prepared) is prepared


def test_another_frame_or_landmark_is_another_file(pairs, tmp_path):
    prepare_pairs(pairs)
    other = pairs.apex.copy()
    other[0, 0, 0, 0] ^= 1
    prepare_pairs(dataclasses.replace(pairs, apex=other))
    with pytest.warns(UserWarning, match="no face was found in 9 of the onsets"):
        prepare_pairs(dataclasses.replace(pairs, landmarks=None))
    assert len(cache_files(tmp_path)) == 3


def test_a_truncated_cache_file_is_built_again(pairs, tmp_path):
    before = as_bytes(prepare_pairs(pairs))
    (file,) = cache_files(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match="built again"):
        assert as_bytes(prepare_pairs(pairs)) == before
    assert file.read_bytes() == whole


def test_a_cache_folder_that_cannot_be_is_said_before_the_work(pairs, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot create the folder.*LFDTCMEN_CACHE"):
        prepare_pairs(pairs)


def test_a_full_disk_is_said(pairs, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(DataError, match=r"No space left.*free some space"):
        prepare_pairs(pairs.subset([0]))


def test_what_cannot_be_prepared_is_said(pairs):
    landmarks = pairs.landmarks.copy()
    landmarks[4, 2] = np.nan
    with pytest.raises(DataError, match=r"NaN.*row 4"):
        prepare_pairs(dataclasses.replace(pairs, landmarks=landmarks))
    with pytest.raises(DataError, match=r"\[N, 5, 2\]"):
        prepare_pairs(dataclasses.replace(pairs, landmarks=landmarks[:, :4]))
    with pytest.raises(DataError, match="no pairs"):
        prepare_pairs(pairs.subset([]))
    with pytest.raises(DataError, match="onset is"):
        prepare_pairs(dataclasses.replace(pairs, apex=pairs.apex[:, :32]))


def test_each_alignment_has_a_cache_file_of_its_own_and_is_noted(pairs, tmp_path):
    usual = prepare_pairs(pairs)
    (file,) = cache_files(tmp_path)
    nose = prepare_pairs(pairs, alignment="nose")
    assert len(cache_files(tmp_path)) == 2 and file in cache_files(tmp_path)
    assert (usual.streams != nose.streams).any()
    assert set(nose.manifest["alignment"]) == {"nose"} and "alignment" not in usual.manifest
    with pytest.raises(DataError, match="unknown method of alignment 'eyes'"):
        prepare_pairs(pairs, alignment="eyes")


def test_the_cache_file_of_the_usual_alignment_keeps_its_name(pairs):
    settings = ("2", cv2.__version__, flow.TVL1_SETTINGS, 28, (2, 2, 1), 8, CANONICAL.tolist())
    digest = hashlib.sha256(repr((settings, pairs.onset.shape)).encode())
    for part in (pairs.onset, pairs.apex, pairs.landmarks):
        digest.update(part.tobytes())
    prepare_pairs(pairs)
    assert [file.stem for file in (cache_dir() / "prepared").iterdir()] == [digest.hexdigest()[:16]]


def test_faces_in_another_position_are_refused(pairs):
    tight = (pairs.landmarks - 31.5) * 1.4 + 31.5
    with pytest.raises(DataError, match=r"the faces lie elsewhere.*lfdtcmen data prepare"):
        prepare_pairs(dataclasses.replace(pairs, landmarks=tight.astype(np.float32)))
    assert not list((cache_dir() / "prepared").iterdir())
