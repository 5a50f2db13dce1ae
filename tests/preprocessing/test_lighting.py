"""The apex gets the onset's lighting, and a mouth that opens stays dark."""

import numpy as np

from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.datasets.synthetic.action_units import Muscles, to_intensity
from lfdtcmen.datasets.synthetic.camera import take_picture
from lfdtcmen.datasets.synthetic.renderer import Expression
from lfdtcmen.datasets.synthetic.sequences import make_subject, sample_pose
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.preprocessing.flow import tvl1
from lfdtcmen.preprocessing.lighting import match_lighting


def test_a_smooth_change_of_light_goes():
    onset = make_dataset("easy", subjects=3).onset[0]
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    lit = np.clip(onset * (0.9 + 0.1 * x - 0.05 * y + 0.04 * x * y)[..., None], 0, 255).astype(np.uint8)
    before, after = (np.abs(frame.astype(int) - onset).mean() for frame in (lit, match_lighting(onset, lit)))
    assert before > 8 and after < 1
    grey = match_lighting(onset[..., 0], lit[..., 0])
    assert grey.shape == (128, 128) and np.abs(grey.astype(int) - onset[..., 0]).mean() < 1
    assert match_lighting(onset[:, :96], lit[:, :96]).shape == (128, 96, 3)


def test_black_frames_stay_black():
    black = np.zeros((128, 128, 3), np.uint8)
    assert match_lighting(black, black).max() == 0


def test_a_dropping_jaw_keeps_its_motion():
    settings, lost = get_settings("standard"), []
    for number in range(4):
        face = make_subject(7, number, settings).face
        at = sample_pose(settings, np.random.default_rng([3, number]))
        drop = Muscles(face.anatomy).expression(to_intensity({26: 1.5}))
        onset = take_picture(face.frame(Expression.neutral(), at), settings, np.random.default_rng([1, number]))
        apex = take_picture(face.frame(drop, at), settings, np.random.default_rng([2, number]))
        true = face.flow(drop, at, at)
        moving = np.hypot(*true) > 0.25 * np.hypot(*true).max()
        seen = [(tvl1(onset, frame) * true)[:, moving].sum() for frame in (apex, match_lighting(onset, apex))]
        lost.append((seen[0] - seen[1]) / (true**2)[:, moving].sum())
    assert np.mean(lost) < 0.025  # a gain on 3x3 cells takes .037
