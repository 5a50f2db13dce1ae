"""The motion of the muscles alone, which is the true flow without the head's."""

from dataclasses import replace

import numpy as np
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.datasets.synthetic.muscle_motion import muscle_fields
from lfdtcmen.datasets.synthetic.randomness import clip_rng
from lfdtcmen.datasets.synthetic.sequences import make_subject, sample_pair
from lfdtcmen.datasets.synthetic.settings import get_settings


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


def test_it_is_about_the_motion_of_the_pairs_themselves():
    still = dict(yaw=0, pitch=0, shift=0, rotation=0, scale=0, glances=0)  # then the true flow is that of the muscles
    settings = get_settings("standard")
    pairs = make_dataset("standard", "3class", subjects=4, seed=1)
    fields = muscle_fields(pairs, seed=1)
    for k in range(0, len(pairs), 3):
        number, clip = int(pairs.subjects[k].split("/s")[1]), int(pairs.manifest["clip"][k].removeprefix("c"))
        person = make_subject(1, number, settings)
        shown = sample_pair(person, pairs.manifest["emotion"][k], replace(settings, **still), clip_rng(1, number, clip))
        np.testing.assert_array_equal(shown.action_units, pairs.action_units[k])
        lengths = [np.linalg.norm(field, axis=0).ravel() for field in (fields[k], shown.flow)]
        assert np.corrcoef(lengths)[0, 1] > 0.8


def test_pairs_of_wild_are_refused():
    with pytest.raises(DataError, match="people of wild have other faces"):
        muscle_fields(make_dataset("wild", "3class", subjects=2, seed=1), seed=1)


def test_pairs_that_are_not_synthetic_are_refused(pairs):
    for others in (replace(pairs, action_units=None), replace(pairs, manifest=pairs.manifest.assign(subject="a/b"))):
        with pytest.raises(DataError, match="not synthetic faces"):
            muscle_fields(others)
