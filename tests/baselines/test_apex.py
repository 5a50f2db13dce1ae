"""Published ways to spot an apex: curves of change, their search by halves, and a learned baseline."""

import sys

import numpy as np
import pytest

from lfdtcmen import DataError
from lfdtcmen.baselines.apex import binary_search, frame_features, lbp_distance, learn_apex, predict_apex


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """A textured face-less clip whose frame 3 is sharpest, uint8 [6, 128, 128, 3]."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(128, 128, 1))
    change = np.array([0, 5, 20, 40, 10, 2])[:, None, None, None]
    return np.clip(128 + change * noise, 0, 255).astype(np.uint8).repeat(3, axis=-1)


def test_the_lbp_distance_is_zero_at_the_onset_and_blind_to_the_light(frames):
    distance = lbp_distance(frames)
    assert distance.shape == (6,) and distance[0] == 0 and (distance[1:] > 0).all()
    brighter = np.stack([frames[3], np.clip(frames[3].astype(int) + 3, 0, 255).astype(np.uint8)])
    assert lbp_distance(brighter)[1] < 0.01 * distance.max()


def test_the_search_by_halves_follows_the_hill_and_not_the_single_frame():
    hill = np.array([0, 0, 3, 4, 3, 0, 0, 0, 0, 0, 0, 9.0])
    assert hill.argmax() == 11 and binary_search(hill) == 3
    assert binary_search(np.array([1.0])) == 0
    with pytest.raises(DataError, match="no frame"):
        binary_search(np.array([]))


def test_features_are_shares_of_the_clips_own_largest_change(frames):
    features = frame_features(frames)
    assert features.shape == (6, 5)
    assert (features[0] == 0).all() and (features[:, [0, 2]].max(0) == 1).all()
    np.testing.assert_allclose(features[:, 3], [0, 0.2, 0.4, 0.6, 0.8, 1])


def test_the_learned_baseline_learns_the_rhythm_and_never_gives_the_onset():
    rng = np.random.default_rng(0)
    way = np.linspace(0, 1, 11)
    clips = [np.column_stack([rng.random((11, 3)), way, way**2]) for _ in range(40)]  # the curves tell nothing
    model = learn_apex(clips, [4] * 40)
    assert max(abs(predict_apex(model, clip) - 4) for clip in clips) == 1
    assert predict_apex(model, clips[0][:2]) == 1
    for features, apexes in (([], []), (clips, [4])):
        with pytest.raises(DataError, match="one apex a clip"):
            learn_apex(features, apexes)


def test_patterns_without_scikit_image_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.feature", None)
    with pytest.raises(DataError, match=r'lbp_distance needs the extra "notebooks"'):
        lbp_distance(np.zeros((2, 128, 128, 3), np.uint8))
