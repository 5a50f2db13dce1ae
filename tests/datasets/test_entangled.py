"""Faces on which who and what are entangled by a known degree."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lfdtcmen.datasets.manifest import map_emotion
from lfdtcmen.datasets.synthetic import add_clips, make_entangled
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS
from lfdtcmen.datasets.synthetic.entangled import Entangled, plan_entangled
from lfdtcmen.datasets.synthetic.plan import ENTANGLED_BLOCK, MOST_WILD_SUBJECTS, SUBJECTS_PER_BLOCK, WILD_BLOCK
from lfdtcmen.datasets.synthetic.randomness import clip_rng
from lfdtcmen.datasets.synthetic.sequences import make_subject, sample_pair
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.errors import DataError

NUMBER = ENTANGLED_BLOCK * SUBJECTS_PER_BLOCK
STILL = replace(get_settings("easy"), sensor_noise=0.0, jpeg=0, shift=0.0, rotation=0.0, scale=0.0, yaw=0.0, pitch=0.0)
STILL = replace(STILL, blinks=0.0, glances=0.0, flicker=0.0, flicker_gradient=0.0)


def own_share(plan: list[list[str]]) -> float:
    """Return the share of clips that are of their person's most frequent class."""
    counts = [np.bincount([map_emotion(e, "3class") for e in clips], minlength=3) for clips in plan]
    return sum(c.max() for c in counts) / sum(c.sum() for c in counts)


def test_the_degree_says_how_often_a_person_shows_the_own_class():
    plans = [plan_entangled(degree, 100, np.random.default_rng(0)) for degree in (0, 0.5, 1)]
    shares = [own_share(plan) for plan in plans]
    assert shares[2] > 0.98  # a class may end within a person's clips
    assert shares[0] < shares[1] - 0.1 < shares[2] - 0.2
    assert shares[1] == pytest.approx(0.5 + 0.5 / 3, abs=0.05)
    clips = {tuple(sorted(e for clips in plan for e in clips)) for plan in plans}
    assert len(clips) == 1  # the same ones, dealt otherwise
    assert {len(shown) for shown in plans[0]} == {6, 7}


def test_at_rest_a_face_shows_units_which_are_no_motion():
    plain, person = (make(0, NUMBER, STILL) for make in (make_subject, Entangled(1.0)))
    assert (person.rest > 0).any()
    one, two = (sample_pair(who, "surprise", STILL, clip_rng(0, NUMBER, 0)) for who in (plain, person))
    np.testing.assert_array_equal(one.action_units, two.action_units)
    assert np.abs(one.onset.astype(float) - two.onset).mean() > 1
    size = [np.hypot(*pair.flow).mean() for pair in (one, two)]
    assert size[1] == pytest.approx(size[0], rel=0.2)


def test_the_flow_is_exact_from_the_face_at_rest_on():
    person = Entangled(1.0)(0, NUMBER + 1, STILL)
    pair = sample_pair(person, "anger", STILL, clip_rng(0, NUMBER, 0))
    y, x = np.mgrid[:128, :128].astype(np.float32)
    back = cv2.remap(pair.apex, x + pair.flow[0], y + pair.flow[1], cv2.INTER_CUBIC)
    errors = [np.abs(frame.astype(float) - pair.onset)[pair.skin].mean() for frame in (back, pair.apex)]
    assert errors[0] < 0.5 * errors[1]


def test_a_session_has_its_light():
    person = Entangled(1.0)(0, NUMBER, STILL)
    assert len(set(person.lights.values())) == 3 and person.lights["anger"] == person.lights["fear"]
    assert set(Entangled(0.0)(0, NUMBER, STILL).lights.values()) == {(0.0, 0.0, 0.0)}
    dark = replace_lights(person, (-0.3, 0.0, 0.0))
    frames = [sample_pair(who, "anger", STILL, clip_rng(0, NUMBER, 0)).onset.mean() for who in (person, dark)]
    assert frames[1] < 0.9 * frames[0]


def replace_lights(person, light):
    return replace(person, lights=dict.fromkeys(EMOTIONS, light))


def test_a_set_is_rendered_once_for_each_degree(tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path))
    pairs = make_entangled(0.5, 4)
    assert set(pairs.manifest["dataset"]) == {"entangled"} and pairs.manifest["subject"].nunique() == 4
    assert pairs.num_classes == 3 and np.ptp(np.bincount(pairs.labels)) == 0
    np.testing.assert_array_equal(pairs.onset, make_entangled(0.5, 4).onset)
    assert not np.array_equal(pairs.onset, make_entangled(1.0, 4).onset)
    assert len(list(tmp_path.glob("**/entangled-*"))) == 2
    with pytest.raises(DataError, match="no clips"):
        add_clips(pairs, "standard")


def test_its_people_are_in_no_other_set():
    assert NUMBER == WILD_BLOCK * SUBJECTS_PER_BLOCK + MOST_WILD_SUBJECTS


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"degree": 1.1}, "not in"),
        ({"degree": float("nan")}, "not in"),
        ({"subjects": 1}, "2 to"),
        ({"label_map": "raw"}, "label map"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_rendered_is_refused(wrong, message):
    with pytest.raises(DataError, match=message):
        make_entangled(**{"degree": 0.5, **wrong})
