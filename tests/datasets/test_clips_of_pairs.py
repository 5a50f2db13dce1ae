"""Clips of a synthetic set: the person and expression of the pair, onset first, apex in the middle, kept on disk."""

from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic import add_clips, clips_of_pairs, make_clip, make_dataset
from lfdtcmen.datasets.synthetic.clips_of_pairs import CLIP_APEX, CLIP_FPS, CLIP_FRAMES, CLIP_SIZE


@pytest.fixture(scope="module")
def pairs() -> PairSet:
    """Four pairs of two people."""
    return make_dataset("easy", subjects=2).subset([0, 1, -2, -1])


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path))
    return tmp_path


def test_a_clip_rises_from_the_onset_to_the_apex_and_falls_to_the_offset(pairs, cache):
    clips = add_clips(pairs, "easy").clips
    assert clips.dtype == np.uint8 and clips.shape == (4, CLIP_FRAMES, CLIP_SIZE, CLIP_SIZE)
    change = np.abs(clips.astype(float) - clips[:, :1]).mean((2, 3))  # [4, 11]
    assert (change[:, CLIP_APEX] > change[:, 1]).all() and (change[:, CLIP_APEX] > change[:, -1]).all()
    assert np.abs(np.diff(clips.astype(float), axis=1)).mean((2, 3)).min() > 0  # no frame is shown twice


def test_it_shows_what_a_whole_clip_shows(pairs, cache):
    one = pairs.subset([0])
    found = add_clips(one, "easy").clips[0, 0].astype(float)
    whole = make_clip(0, 0, 0, "easy", subjects=2, fps=CLIP_FPS)
    grey = cv2.cvtColor(whole.frames[whole.onset], cv2.COLOR_RGB2GRAY)
    expected = cv2.resize(grey, (CLIP_SIZE, CLIP_SIZE), interpolation=cv2.INTER_AREA)
    assert np.abs(found - expected).mean() < 3  # grey levels: another noise


def test_clips_are_kept_and_the_same_in_another_order(pairs, cache, monkeypatch):
    two = pairs.subset([1, 3])
    clips = add_clips(two, "easy").clips
    turned = add_clips(pairs.subset([3, 1]), "easy").clips
    np.testing.assert_array_equal(turned, clips[::-1])
    monkeypatch.setattr(clips_of_pairs, "_render_subject", lambda *a: pytest.fail("rendered again"))
    again = add_clips(two, "easy")
    np.testing.assert_array_equal(again.clips, clips)
    assert again.fingerprint == two.fingerprint


@pytest.mark.parametrize(
    ("dataset", "subject", "preset"),
    [
        ("synthetic", 1003, "standard"),
        ("synthetic", 3001, "hard"),
        ("other_world", 5002, "other_world"),
        ("synthetic", 7004, "wild"),
    ],
)
def test_every_set_has_clips(dataset, subject, preset, cache):
    assert add_clips(one_pair(f"{dataset}/s{subject}"), preset).clips.std() > 10


def test_clips_show_the_camera_of_the_pairs(cache):
    grey = [make_dataset("easy", subjects=2, domain=domain).subset([0]) for domain in ("casme3", "dfme")]
    frames = [pairs.onset.mean() for pairs in grey]
    clips = [add_clips(p, "easy", domain).clips.mean() for p, domain in zip(grey, ("casme3", "dfme"), strict=True)]
    assert np.abs(np.subtract(frames, clips)).max() < 15 < frames[0] - frames[1]


def one_pair(subject: str) -> PairSet:
    frames = np.zeros((1, 16, 16, 3), np.uint8)
    manifest = pd.DataFrame({"subject": [subject], "clip": "c0001", "emotion": "surprise", "seed": 0})
    return PairSet(manifest, frames, frames, np.zeros(1, np.int64), ("negative",))


def test_a_set_that_is_not_synthetic_and_people_without_clips_are_refused(pairs, cache):
    real = replace(pairs, manifest=pairs.manifest.drop(columns="seed"))
    with pytest.raises(DataError, match="only synthetic faces have clips"):
        add_clips(real, "easy")
    with pytest.raises(DataError, match="subject 4001 has no clips"):
        add_clips(one_pair("synthetic/s4001"), "easy")
    with pytest.raises(DataError, match="unknown preset"):
        add_clips(pairs, "tough")
