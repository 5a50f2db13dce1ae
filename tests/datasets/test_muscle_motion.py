"""The motion of the muscles alone, which is the true flow without the head's."""

from dataclasses import replace

import numpy as np
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.datasets.synthetic.muscle_motion import muscle_fields


@pytest.fixture(scope="module")
def pairs():
    return make_dataset("easy", "3class", subjects=3, seed=1)


def test_muscles_move_the_face_and_leave_the_corners_of_the_frame(pairs):
    fields = muscle_fields(pairs, seed=1)
    assert fields.shape == pairs.true_flow.shape and fields.dtype == np.float32
    lengths = np.hypot(fields[:, 0], fields[:, 1])
    assert (lengths.max((1, 2)) > 0.2).all() and lengths[:, :8, :8].max() < 0.05
    strongest = pairs.action_units.max((1, 2))
    assert np.corrcoef(strongest, lengths.max((1, 2)))[0, 1] > 0.8


def test_pairs_that_are_not_synthetic_are_refused(pairs):
    for others in (replace(pairs, action_units=None), replace(pairs, manifest=pairs.manifest.assign(subject="a/b"))):
        with pytest.raises(DataError, match="not synthetic faces"):
            muscle_fields(others)
