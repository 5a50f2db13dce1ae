"""Clips to spot apexes in: other rhythms, long videos, and faces that rest."""

import numpy as np
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic.spotting import SETTINGS, WITHOUT, Staggered, TwoPhase, spotting_clip

SHORT = [setting for setting in SETTINGS if not setting.startswith("video") and setting != "200 fps"]


@pytest.mark.parametrize("setting", SHORT)
def test_each_setting_has_a_clip_whose_apex_is_its_strongest_frame(setting):
    clip = spotting_clip(setting, 1, 3)
    assert 0 < clip.onset < clip.apex < clip.offset < len(clip.frames) == len(clip.intensity)
    assert clip.intensity.argmax() == clip.apex and clip.intensity[clip.apex] == pytest.approx(1)
    assert clip.intensity[clip.onset] == clip.intensity[clip.offset] == 0


def test_a_face_without_expression_does_not_move_by_itself():
    resting, moving = (np.abs(spotting_clip(setting, 1, 3).flow).max() for setting in ("no expression", "still"))
    clip = spotting_clip("no expression", 1, 3)
    shift = clip.landmarks - clip.landmarks[clip.onset]  # what is left is the head, rigid
    assert np.ptp(shift[clip.apex], axis=0).max() < 1.5 and resting != moving
    assert set(WITHOUT) < set(SETTINGS)


def test_a_rise_of_two_phases_waits_halfway():
    level = TwoPhase(2, 11, 11, 17, 20).level()
    assert level[[2, 5, 8, 11, 17]].round(9).tolist() == [0, 0.5, 0.5, 1, 0]
    assert (np.diff(level[:12]) >= 0).all() and level.shape == (20,)


def test_muscles_that_rise_one_after_the_other_fade_together():
    starts = np.array([[0.0, 0.5]])
    level = Staggered(2, 12, 12, 18, 20, starts, starts + 0.5).level()
    assert level.shape == (20, 1, 2)
    assert level[7, 0].tolist() == [1, 0]  # one side is done when the other begins
    assert (level[12:, 0, 0] == level[12:, 0, 1]).all() and (level[[2, 12, 18], 0, 1] == [0, 1, 0]).all()


def test_a_late_side_leaves_half_of_the_strength_to_the_middle_of_the_rise():
    clip = spotting_clip("one side late", 1, 12)
    assert 0.3 < clip.intensity[(clip.onset + clip.apex) // 2] < 0.7


def test_an_unknown_setting_is_refused():
    with pytest.raises(DataError, match=r"unknown setting 'fast'.*use one of easy, standard"):
        spotting_clip("fast", 0, 0)
