"""Both ways from two frames to a pair do what their steps do one by one, and end in the same numbers."""

import numpy as np
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic import make_clip
from lfdtcmen.preprocessing.align import align_faces, estimate_head_motion, remove_head_motion
from lfdtcmen.preprocessing.apex import spot_apex
from lfdtcmen.preprocessing.flow import to_streams, tvl1
from lfdtcmen.preprocessing.pair import pair_from_faces, pair_from_frames


@pytest.fixture(scope="module")
def clip():
    return make_clip(0, 0, 0)


def check_motion(pair):
    motion = tvl1(pair.onset, pair.apex)  # [2, 128, 128]
    np.testing.assert_array_equal(pair.flow, motion)
    np.testing.assert_array_equal(pair.streams, to_streams(motion))


def test_frames_are_aligned_on_the_onset(clip):
    frames = clip.frames[[clip.onset, clip.apex]]
    pair, aligned = pair_from_frames(frames), align_faces(frames)
    np.testing.assert_array_equal([pair.onset, pair.apex], aligned.frames)
    np.testing.assert_array_equal(pair.landmarks, aligned.landmarks)
    np.testing.assert_array_equal(pair.transform, aligned.transforms[1])
    assert (pair.apex_index, pair.note) == (1, aligned.note)
    check_motion(pair)


def test_the_apex_is_the_last_frame_or_is_found(clip):
    frames = clip.frames[clip.onset : clip.offset + 1]
    aligned = align_faces(frames).frames
    last, found = pair_from_frames(frames), pair_from_frames(iter(frames), find_apex=True)
    assert last.apex_index == len(frames) - 1
    np.testing.assert_array_equal(last.apex, aligned[-1])
    assert found.apex_index == spot_apex(aligned)
    np.testing.assert_array_equal(found.apex, aligned[found.apex_index])
    check_motion(last)
    check_motion(found)


@pytest.mark.parametrize("known", [True, False])
def test_faces_are_registered_around_the_nose(clip, known):
    onset, apex = clip.frames[[clip.onset, clip.apex]]
    landmarks = clip.landmarks[clip.onset] if known else None
    pair = pair_from_faces(onset, apex, landmarks)
    assert pair.onset is onset and pair.landmarks is landmarks
    np.testing.assert_array_equal(pair.transform, estimate_head_motion(onset, apex, landmarks))
    np.testing.assert_array_equal(pair.apex, remove_head_motion(onset, apex, landmarks))
    check_motion(pair)


def test_errors_name_the_frame(clip):
    with pytest.raises(DataError, match=r"no face found.*frame 46"):
        pair_from_frames(clip.frames[:2], lambda frame: [], [46, 59])
    with pytest.raises(DataError, match=r"onset is \[128, 128\] but apex is \[64, 128\]"):
        pair_from_faces(clip.frames[0], clip.frames[1, :64])
