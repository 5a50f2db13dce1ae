"""Faces to train on (wild), the stand-ins for real people: the other world, and photographs that move."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lfdtcmen.datasets.manifest import COLUMNS
from lfdtcmen.datasets.synthetic import (
    make_clip,
    make_dataset,
    make_other_world,
    package_photographs,
    photograph_pairs,
    render_pair,
)
from lfdtcmen.datasets.synthetic.action_units import Muscles
from lfdtcmen.datasets.synthetic.emotions import CORE_UNITS, EMOTIONS, PROTOTYPES
from lfdtcmen.datasets.synthetic.other_world import OTHER_PROTOTYPES
from lfdtcmen.datasets.synthetic.plan import MOST_WILD_SUBJECTS, plan_preset
from lfdtcmen.datasets.synthetic.randomness import clip_rng
from lfdtcmen.datasets.synthetic.sequences import make_subject, sample_pair, sample_pose
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.datasets.synthetic.wild import vary_clip
from lfdtcmen.errors import DataError

WILD = get_settings("wild")


@pytest.fixture(scope="module")
def person():
    return make_subject(0, 7000, WILD)


@pytest.fixture(scope="module")
def wild_pairs(person):
    return [sample_pair(person, EMOTIONS[clip % 7], WILD, clip_rng(0, 7000, clip)) for clip in range(24)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(cache))


# ---- wild


def test_three_classes_are_equally_frequent_and_there_are_as_many_people_as_one_asks_for():
    plan, first = plan_preset("wild", 1200, seed=0)
    shown = [emotion for emotions in plan for emotion in emotions]
    share = np.array([shown.count("happiness"), shown.count("surprise")]) / len(shown)
    assert len(plan) == 1200 and first == 7000 and share == pytest.approx([1 / 3, 1 / 3], abs=0.01)
    assert set(shown) == set(EMOTIONS)
    with pytest.raises(DataError, match=f"2 to {MOST_WILD_SUBJECTS}"):
        plan_preset("wild", 0, seed=0)


def test_a_wild_set_is_rendered_and_each_of_its_pairs_alone_too():
    pairs = make_dataset("wild", subjects=2)
    assert set(pairs.manifest["subject"]) == {"synthetic/s7000", "synthetic/s7001"}  # in no other set
    for row in (0, -1):
        subject, clip = (int(pairs.manifest[name].iloc[row][-4:]) for name in ("subject", "clip"))
        pair = render_pair(0, subject, clip, "wild", subjects=2)
        np.testing.assert_array_equal(pair.apex, pairs.apex[row])
    with pytest.raises(DataError, match="subjects run from 7000 to 7001"):
        render_pair(0, 0, 0, "wild", subjects=2)


def test_the_strongest_point_of_a_wild_clip_moves_by_what_was_asked_for(person, wild_pairs):
    low, high = WILD.peak
    peaks = []
    for pair in wild_pairs:
        expression = person.muscles.expression(pair.action_units.astype(float))
        peaks.append(np.hypot(expression.dx, expression.dy).max())
    assert low <= min(peaks) < 0.5 and 1.5 < max(peaks) <= high


def test_a_brow_under_hair_does_not_move_without_end(person):
    covered = replace(person, muscles=Muscles(replace(person.face.anatomy, skin=0 * person.face.anatomy.skin)))
    pair = sample_pair(covered, "surprise", WILD, clip_rng(0, 7000, 3))
    assert 0 < pair.action_units.max() < 10


def test_wild_crops_are_as_wrong_as_those_of_a_detector_on_real_people(person):
    rest = np.array([person.face.anatomy.anchors[name, side] for name, side in (("eye", -1), ("eye", 1))])
    corners = np.array([person.face.anatomy.anchors["mouth corner", side] for side in (-1, 1)])
    points = np.concatenate([rest, corners])
    found = []
    for clip in range(1500):
        rng = np.random.default_rng(clip)
        at = sample_pose(vary_clip(WILD, rng), rng)
        found.append(points @ at[:2, :2].T + at[:2, 2])
    wrong = np.hypot(*np.moveaxis(found - np.median(found, axis=0), -1, 0))
    assert np.median(wrong) == pytest.approx(1.3, abs=0.25)
    assert np.quantile(wrong, 0.95) == pytest.approx(3.9, abs=0.6)


def test_wild_cameras_differ(person):
    clips = [vary_clip(WILD, np.random.default_rng(clip)) for clip in range(200)]
    resolutions = [clip.resolution for clip in clips]
    assert min(resolutions) < 56 and max(resolutions) > 120 and min(resolutions) >= 48
    for name in ("blur", "jpeg", "colour"):
        assert len({getattr(clip, name) for clip in clips}) > 40, name
    assert sum(clip.jpeg == 0 for clip in clips) > 40 and sum(clip.colour == 0 for clip in clips) > 20


def test_the_flow_of_a_turned_head_takes_the_apex_back_to_the_onset(person):
    still = replace(WILD, wild=False, turn=6.0, sensor_noise=0.0, jpeg=0, resolution=128, blinks=0.0, glances=0.0)
    still = replace(still, flicker=0.0, flicker_gradient=0.0, peak=(1.5, 1.5))
    for clip in range(4):
        pair = sample_pair(person, "surprise", still, clip_rng(0, 7000, clip))
        back = _take_back(pair.apex, pair.flow)
        moved = pair.skin & (np.hypot(*pair.flow) > 0.5)
        moved[:6] = moved[-6:] = False
        onset = pair.onset.astype(float).mean(-1)
        unwarped = np.abs(pair.apex.mean(-1) - onset)[moved].mean()
        assert np.abs(back - onset)[moved].mean() < 0.6 * unwarped


def _take_back(apex: np.ndarray, flow: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:128, :128].astype(np.float32)
    return cv2.remap(apex.astype(np.float32).mean(-1), x + flow[0], y + flow[1], cv2.INTER_CUBIC)


def test_a_wild_clip_has_one_camera_and_ends_as_it_began():
    clip = make_clip(subject=7000, preset="wild", subjects=2)
    assert clip.frames.shape[1:] == (128, 128, 3) and clip.flow.any()
    again = make_clip(subject=7000, preset="wild", subjects=2)
    np.testing.assert_array_equal(clip.frames, again.frames)


# ---- the other world


@pytest.fixture(scope="module")
def other(cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LFDTCMEN_CACHE", str(cache))
        return make_other_world(subjects=2)


def test_the_other_world_is_a_data_set_of_other_people(other):
    assert set(other.manifest["dataset"]) == {"other_world"}
    assert set(other.subjects) == {"other_world/s5000", "other_world/s5001"}
    assert set(other.labels) == {0, 1, 2} and other.true_flow.any()
    assert tuple(other.manifest.columns) == (*COLUMNS, "seed")
    assert (other.onset[..., 0] == other.onset[..., 2]).all()  # a grey camera
    assert make_other_world(subjects=2).fingerprint == other.fingerprint
    assert make_other_world(subjects=2, label_map="7class").num_classes == 7


@pytest.mark.parametrize(
    ("arguments", "what"),
    [({"subjects": 1}, "2 to 1000"), ({"label_map": "raw"}, "unknown label map"), ({"seed": -1}, "seed -1")],
)
def test_an_other_world_that_cannot_be_is_refused(arguments, what):
    with pytest.raises(DataError, match=what):
        make_other_world(**arguments)


@pytest.mark.parametrize("prototypes", [PROTOTYPES, OTHER_PROTOTYPES])
def test_every_emotion_can_be_shown_and_frowning_is_commonest_among_the_negative_ones(prototypes):
    assert set(prototypes) == set(EMOTIONS)
    for emotion, units in prototypes.items():
        assert CORE_UNITS[emotion] & set(units)
        assert all(0 < often < 1 and 0 < strong <= 1 for often, strong in units.values())
    negative = ("disgust", "fear", "anger", "sadness")
    share = {u: sum(prototypes[e].get(u, (0, 0))[0] for e in negative) for e in negative for u in prototypes[e]}
    assert max(share, key=share.get) == 4


# ---- photographs


def test_photographs_become_pairs_that_a_classifier_can_be_scored_on():
    pytest.importorskip("skimage")
    pairs = photograph_pairs(motions=7, label_map="7class")
    assert len(pairs) == 7 * len(package_photographs()) and set(pairs.labels) == set(range(7))
    assert set(pairs.subjects) == {"photograph/Collins", "photograph/Hopper"}
    assert (pairs.onset[0] != pairs.onset[1]).mean() > 0.5  # the camera's noise
    assert np.hypot(*pairs.true_flow.swapaxes(0, 1)).reshape(len(pairs), -1).max(1).min() > 0.03
    again = photograph_pairs(motions=7, label_map="7class")
    assert again.fingerprint == pairs.fingerprint
    assert photograph_pairs(motions=7, seed=1).fingerprint != pairs.fingerprint


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"photographs": {}}, "a photograph and a motion"),
        ({"motions": 0}, "a photograph and a motion"),
        ({"preset": "medium"}, "unknown preset"),
        ({"label_map": "raw"}, "unknown label map"),
    ],
)
def test_photographs_that_cannot_be_are_refused(arguments, what):
    with pytest.raises(DataError, match=what):
        photograph_pairs(**{"photographs": {"nobody": np.zeros((64, 64, 3), np.uint8)}} | arguments)
