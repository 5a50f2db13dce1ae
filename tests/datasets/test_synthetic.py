"""The synthetic faces: deterministic, exact, with the right counts; arguments that make no sense are refused."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from lfdtcmen.datasets import synthetic
from lfdtcmen.datasets.manifest import COLUMNS
from lfdtcmen.datasets.synthetic import (
    ACTION_UNITS,
    action_unit_field,
    draw_face,
    make_clip,
    make_counterfactuals,
    make_dataset,
    make_dfme,
    make_unit_counterfactuals,
    photograph_counterfactuals,
    render_pair,
    warp_photograph,
)
from lfdtcmen.datasets.synthetic.action_units import Muscles, facs_code, to_intensity
from lfdtcmen.datasets.synthetic.emotions import PROTOTYPES
from lfdtcmen.datasets.synthetic.plan import CASME3_COUNTS, DFME_COUNTS, plan_clips, scale_counts
from lfdtcmen.datasets.synthetic.renderer import Expression, pose
from lfdtcmen.datasets.synthetic.sequences import make_subject
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.errors import DataError
from lfdtcmen.preprocessing.align import align_faces

SUBJECTS = 2
ASTRONAUT = np.array([[203.3, 101.0], [246.0, 102.7], [222.7, 126.7], [204.3, 140.0], [244.3, 140.7]])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(cache))


@pytest.fixture(scope="module")
def pairs(cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LFDTCMEN_CACHE", str(cache))
        return make_dataset(subjects=SUBJECTS)


@pytest.fixture(scope="module")
def subject():
    return make_subject(0, 1, get_settings())


# ---- what a data set holds


def test_pairs_carry_every_array_in_the_documented_shapes(pairs):
    n = len(pairs)
    assert pairs.onset.shape == pairs.apex.shape == (n, 128, 128, 3)
    assert pairs.true_flow.shape == (n, 2, 128, 128) and pairs.true_flow.dtype == np.float32
    assert pairs.landmarks.shape == (n, 5, 2) and pairs.landmarks.dtype == np.float32
    assert pairs.action_units.shape == (n, len(ACTION_UNITS), 2) and pairs.action_units.dtype == np.float32
    assert len(ACTION_UNITS) == 17
    assert pairs.label_names == ("negative", "positive", "surprise")


def test_manifest_has_the_common_columns_and_a_subject_and_a_clip_that_can_be_found_again(pairs):
    table = pairs.manifest
    assert tuple(table.columns) == (*COLUMNS, "seed")
    assert set(table["dataset"]) == {"synthetic"} and set(table["path"]) == {""}
    assert set(table["subject"]) == {"synthetic/s000", "synthetic/s001"}
    assert table["clip"].str.fullmatch(r"c\d{4}").all()
    assert not table[["subject", "clip"]].duplicated().any()
    assert (table["onset"] < table["apex"]).all() and (table["apex"] < table["offset"]).all()
    assert [pairs.label_names[label] for label in pairs.labels] == list(table["label"])


def test_a_hundred_subjects_give_the_counts_of_casme3_and_each_of_them_shows_something():
    plan = plan_clips(scale_counts(CASME3_COUNTS, 1.0), 100, seed=0)
    shown = [emotion for emotions in plan for emotion in emotions]
    negative = {"anger", "contempt", "disgust", "fear", "sadness"}
    assert len(plan) == 100 and min(map(len, plan)) >= 1
    assert sum(e in negative for e in shown) == 457
    assert (shown.count("happiness"), shown.count("surprise")) == (55, 187)
    assert set(shown) == set(PROTOTYPES)


@pytest.mark.parametrize("subjects", [2, 8, 20, 50, 137])
def test_fewer_subjects_scale_the_counts_and_keep_every_class(subjects):
    scaled = scale_counts(CASME3_COUNTS, subjects / 100)
    assert min(scaled.values()) >= 1
    assert scaled["surprise"] == round(187 * subjects / 100)
    plan = plan_clips(scaled, subjects, seed=3)
    assert sorted(e for emotions in plan for e in emotions) == sorted(e for e, n in scaled.items() for _ in range(n))


def test_a_rare_emotion_comes_from_as_many_subjects_as_it_can():
    plan = plan_clips(scale_counts(CASME3_COUNTS, 0.2), 20, seed=0)
    assert sum("happiness" in emotions for emotions in plan) == scale_counts(CASME3_COUNTS, 0.2)["happiness"] == 11


def test_seven_classes_are_the_same_pairs_with_finer_labels(pairs):
    seven = make_dataset(label_map="7class", subjects=SUBJECTS)
    np.testing.assert_array_equal(seven.apex, pairs.apex)
    assert list(seven.manifest["emotion"]) == list(pairs.manifest["emotion"])
    assert [seven.label_names[label] for label in seven.labels] == list(seven.manifest["emotion"])
    assert set(seven.labels) == set(range(7))


def test_dfme_has_three_parts_without_a_common_subject():
    parts = make_dfme(subjects=(3, 2, 2))
    people = [set(parts[name].subjects) for name in ("train", "test_a", "test_b")]
    assert not (people[0] & people[1] or people[0] & people[2] or people[1] & people[2])
    assert [len(p) for p in people] == [3, 2, 2]
    assert all(set(part.labels) == set(range(7)) for part in parts.values())
    assert set(parts["train"].manifest["fps"]) == {200}
    assert [sum(DFME_COUNTS[part].values()) for part in ("train", "test_a", "test_b")] == [1856, 474, 299]


# ---- the same bytes


def test_another_process_and_other_jobs_give_the_same_bytes(pairs, tmp_path):
    code = (
        "from lfdtcmen.datasets.synthetic import make_dataset;"
        f"p = make_dataset(subjects={SUBJECTS}, n_jobs=2);"
        "print(p.fingerprint, float(p.true_flow.sum()), float(p.landmarks.sum()))"
    )
    env = {"LFDTCMEN_CACHE": str(tmp_path), "PATH": "", "OMP_NUM_THREADS": "1"}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    fingerprint, flow, landmarks = run.stdout.split()
    assert fingerprint == pairs.fingerprint
    assert (float(flow), float(landmarks)) == (float(pairs.true_flow.sum()), float(pairs.landmarks.sum()))


def test_one_pair_alone_is_the_row_of_the_set_bit_for_bit(pairs):
    row = len(pairs) - 2
    record = pairs.manifest.iloc[row]
    alone = render_pair(0, int(record["subject"][-3:]), int(record["clip"][1:]), subjects=SUBJECTS)
    np.testing.assert_array_equal(alone.onset, pairs.onset[row])
    np.testing.assert_array_equal(alone.apex, pairs.apex[row])
    np.testing.assert_array_equal(alone.landmarks, pairs.landmarks[row])
    np.testing.assert_array_equal(alone.action_units, pairs.action_units[row])
    assert np.abs(alone.flow - pairs.true_flow[row]).max() <= 0.5 / 1024  # the cache keeps 1/1024 of a pixel


def test_another_seed_gives_other_people(pairs):
    other = render_pair(1, 0, 0, subjects=SUBJECTS)
    assert np.abs(other.onset.astype(int) - pairs.onset[0]).mean() > 5


def test_subjects_differ_far_more_than_onset_and_apex(pairs):
    first = {s: np.flatnonzero(pairs.subjects == s)[0] for s in set(pairs.subjects)}
    a, b = (pairs.onset[row].astype(int) for row in first.values())
    within = np.abs(pairs.apex.astype(int) - pairs.onset).mean((1, 2, 3))
    assert np.abs(a - b).mean() > 3 * np.median(within)


# ---- the cache


def test_a_second_call_reads_the_file_instead_of_rendering(pairs, monkeypatch):
    monkeypatch.setattr(synthetic.dataset, "render_subject", lambda *a: pytest.fail("rendered again"))
    again = make_dataset(subjects=SUBJECTS)
    assert again.fingerprint == pairs.fingerprint
    for name in ("onset", "apex", "true_flow", "landmarks", "action_units"):
        np.testing.assert_array_equal(getattr(again, name), getattr(pairs, name))


@pytest.mark.parametrize("keep", [0, 1000, 0.5])
def test_a_truncated_cache_file_is_built_again_with_a_warning(pairs, tmp_path, monkeypatch, keep):
    monkeypatch.setenv("LFDTCMEN_CACHE", str(tmp_path))
    monkeypatch.setattr(synthetic.dataset, "render_subject", _instead_of_rendering(pairs))
    make_dataset(subjects=SUBJECTS)
    (file,) = (tmp_path / "synthetic").glob("*.npz")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else keep])
    with pytest.warns(UserWarning, match="built again"):
        again = make_dataset(subjects=SUBJECTS)
    assert again.fingerprint == pairs.fingerprint
    assert file.read_bytes()[:4] == whole[:4] and file.stat().st_size > 0.9 * len(whole)


def _instead_of_rendering(pairs):
    """Return a stand-in for render_subject that copies a subject's rows."""

    def copy(seed, subject, emotions, settings, make_person):
        rows = pairs.subjects == f"synthetic/s{subject:03d}"
        return {
            "onset": pairs.onset[rows],
            "apex": pairs.apex[rows],
            "flow": np.round(pairs.true_flow[rows] * 1024).astype(np.int16),
            "landmarks": pairs.landmarks[rows],
            "action_units": pairs.action_units[rows],
        }

    return copy


def test_every_setting_has_its_own_cache_file(pairs, cache, monkeypatch):
    monkeypatch.setattr(synthetic.dataset, "render_subject", _instead_of_rendering(pairs))
    before = len(list((cache / "synthetic").glob("*.npz")))
    make_dataset("easy", subjects=SUBJECTS)
    make_dataset("hard", subjects=SUBJECTS)
    make_dataset(subjects=SUBJECTS, domain="dfme")
    assert len(list((cache / "synthetic").glob("*.npz"))) == before + 3


# ---- the true motion


@pytest.mark.parametrize("units", [{12: 2.0, 6: 1.5}, {1: 2.0, 2: 2.0}, {4: 2.0, 9: 1.5}, {15: 2.0, 17: 1.5}])
def test_the_apex_warped_back_by_the_exact_flow_is_the_onset(subject, units):
    before = pose(1.0, 1.1, 0.3, -0.5)
    after = pose(0.5, 1.0, 0.6, -0.4) @ before
    expression = Muscles(subject.face.anatomy).expression(to_intensity(units))
    expression.shade[:] = 0  # wrinkles change brightness, which is not motion
    onset, apex = (_shrink(subject.face.frame(e, at)) for e, at in [(None, before), (expression, after)])
    flow, skin = subject.face.flow(expression, before, after), subject.face.skin_mask(before)
    columns, rows = np.meshgrid(np.arange(128, dtype=np.float32), np.arange(128, dtype=np.float32))
    back = cv2.remap(apex, columns + flow[0], rows + flow[1], cv2.INTER_CUBIC)
    unwarped, warped = (np.abs(a - onset)[skin].mean() for a in (apex, back))
    assert warped < 0.25 * unwarped


def _shrink(image):
    return cv2.resize(image.transpose(1, 2, 0), (128, 128), interpolation=cv2.INTER_AREA)


def test_without_expression_and_motion_the_frame_is_the_same_and_the_flow_zero(subject):
    at = pose(scale=1.1)
    np.testing.assert_array_equal(subject.face.frame(Expression.neutral(), at), subject.face.frame(None, at))
    assert np.abs(subject.face.flow(None, at, at)).max() < 1e-4


def test_head_motion_is_in_the_flow_of_the_skin(subject):
    at = pose(scale=1.1)
    flow, skin = subject.face.flow(None, at, pose(x=1.5, y=-0.5) @ at), subject.face.skin_mask(at)
    np.testing.assert_allclose(flow[:, skin], np.broadcast_to([[1.5], [-0.5]], (2, skin.sum())), atol=1e-3)


def test_landmarks_lie_on_the_rendered_features(subject):
    image = _shrink(subject.face.frame()).mean(-1)
    (left_x, left_y), (right_x, _), nose, mouth_left, mouth_right = subject.face.landmarks()
    for x in (left_x, right_x):  # pupils are darker than the cheek below
        assert image[int(left_y) - 2 : int(left_y) + 3, int(x) - 2 : int(x) + 3].min() < 0.3
    assert left_x < nose[0] < right_x and mouth_left[0] < nose[0] < mouth_right[0]
    middle = (mouth_left + mouth_right) / 2
    column = image[int(middle[1]) - 4 : int(middle[1]) + 5, int(middle[0])]
    assert abs(int(column.argmin()) - 4) <= 2  # the line between the lips is the darkest


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_every_action_unit_moves_the_face_and_one_side_leaves_the_other_alone(unit):
    both = action_unit_field({unit: 1.0})
    assert 0.3 < np.hypot(*both).max() < 2.5
    left = action_unit_field({unit: (1.0, 0.0)})
    if unit in (2, 5, 6, 7, 12, 14, 15, 20):
        assert np.hypot(*left[:, :, 70:]).max() < 0.2 * np.hypot(*left[:, :, :58]).max()


def test_directions_are_those_of_facs():
    eye_y, mouth_y = 53, 98
    brow = action_unit_field({1: 1.0})[1, : eye_y - 4]
    lower = action_unit_field({4: 1.0})[1, : eye_y - 4]
    assert brow[np.abs(brow).argmax() // 128, np.abs(brow).argmax() % 128] < 0 < lower.max()
    corner = action_unit_field({12: 1.0})[:, mouth_y - 12 : mouth_y + 8]
    assert corner[0, :, :60].min() < -0.3 and corner[0, :, 68:].max() > 0.3 and corner[1].min() < -0.3
    assert action_unit_field({26: 1.0})[1, 105:120, 60:68].max() > 0.5  # the chin falls


def test_a_dropped_jaw_moves_the_outline_of_the_face_and_shows_teeth():
    rest, open_mouth = draw_face(0).astype(int), draw_face(0, {26: 3.0}).astype(int)
    chin = np.abs(open_mouth - rest)[116:126, 50:78].max()
    assert chin > 10
    assert np.abs(open_mouth - rest)[92:106, 50:78].max() > 40


def test_facs_code_names_the_subjects_own_sides():
    assert facs_code(to_intensity({1: 0.5, 2: 0.5, 14: (0.0, 0.5)})) == "1+2+L14"
    assert facs_code(to_intensity({12: (0.5, 0.05), 25: 0.2})) == "R12+25"
    assert facs_code(to_intensity({})) == ""


# ---- clips


@pytest.mark.parametrize("fps", [None, 100.0])
def test_a_clip_rises_faster_than_it_fades_and_its_apex_is_its_strongest_frame(fps):
    clip = make_clip(0, 1, 0, subjects=SUBJECTS, fps=fps)
    assert clip.frames.dtype == np.uint8 and clip.frames.shape[1:] == (128, 128, 3)
    assert len(clip.frames) == len(clip.intensity) == len(clip.landmarks)
    assert clip.onset < clip.apex < clip.offset < len(clip.frames)
    assert clip.intensity.argmax() == clip.apex and clip.intensity[clip.apex] == 1
    assert (clip.intensity[: clip.onset + 1] == 0).all() and (clip.intensity[clip.offset :] == 0).all()
    assert clip.apex - clip.onset < clip.offset - clip.apex
    assert (clip.offset - clip.onset) / clip.fps <= 0.6


def test_a_clip_fits_its_row_of_the_manifest(pairs):
    row = pairs.manifest.iloc[0]
    clip = make_clip(0, 0, 0, subjects=SUBJECTS)
    assert (row["onset"], row["apex"], row["offset"]) == (clip.onset + 1, clip.apex + 1, clip.offset + 1)
    assert (row["emotion"], row["fps"]) == (clip.emotion, clip.fps)


def test_a_clip_is_the_same_each_time_and_its_head_drifts_by_pixels_at_most():
    clip, again = (make_clip(0, 0, 0, subjects=SUBJECTS) for _ in range(2))
    np.testing.assert_array_equal(clip.frames, again.frames)
    np.testing.assert_array_equal(clip.landmarks, again.landmarks)
    assert 0.1 < np.ptp(clip.landmarks[:, 2], axis=0).max() < 8


def test_a_clips_flow_takes_its_apex_back_to_its_onset():
    clip = make_clip(0, 1, 3, preset="easy", subjects=SUBJECTS, emotion="disgust")
    columns, rows = np.meshgrid(np.arange(128, dtype=np.float32), np.arange(128, dtype=np.float32))
    onset, apex = clip.frames[clip.onset], clip.frames[clip.apex]
    back = cv2.remap(apex, columns + clip.flow[0], rows + clip.flow[1], cv2.INTER_CUBIC)
    moved = np.hypot(*clip.flow) > 0.7
    unwarped, warped = (np.abs(a.astype(int) - onset)[moved].mean() for a in (apex, back))
    assert warped < 0.8 * unwarped  # what is left is mostly the sensor's noise


# ---- counterfactuals


@pytest.fixture(scope="module")
def swaps():
    return make_counterfactuals(identities=2, motions=3)


def test_counterfactuals_show_every_motion_on_every_identity(swaps):
    assert swaps.onset.shape == swaps.onset_clean.shape == (2, 128, 128, 3)
    assert swaps.apex.shape == swaps.apex_clean.shape == (2, 3, 128, 128, 3)
    assert len(swaps.emotions) == 3 and swaps.action_units.shape == (3, 17, 2)


def test_counterfactuals_differ_by_motion_only(swaps):
    change = np.abs(swaps.apex_clean.astype(int) - swaps.onset_clean[:, None])
    assert change.max((2, 3, 4)).min() > 3  # something moves
    assert (change[:, :, 20:, :4] == 0).all()  # what is beside the head does not
    assert np.abs(swaps.onset.astype(int) - swaps.onset_clean).mean() > 1  # the camera's noise


def test_single_action_units_move_the_same_people_alone_and_at_the_presets_level(swaps):
    units = make_unit_counterfactuals(identities=2)
    assert units.emotions == tuple(f"AU{unit}" for unit in ACTION_UNITS) and units.apex.shape[:2] == (2, 17)
    np.testing.assert_array_equal(units.onset_clean, swaps.onset_clean)
    np.testing.assert_allclose(units.action_units, get_settings().intensity * np.eye(17)[:, :, None].repeat(2, 2))
    change = np.abs(units.apex_clean.astype(int) - units.onset_clean[:, None]).sum(-1).astype(float)  # [2, 17, H, W]
    rows = (change * np.arange(128)[:, None]).sum((2, 3)) / change.sum((2, 3))  # where a unit moves the face
    brows, lips = ([ACTION_UNITS.index(unit) for unit in units_of] for units_of in ((1, 2, 4), (12, 15, 20, 25)))
    assert rows[:, brows].max() + 20 < rows[:, lips].min()
    with pytest.raises(DataError, match="an identity"):
        make_unit_counterfactuals(identities=0)


# ---- photographs


@pytest.fixture(scope="module")
def astronaut():
    return pytest.importorskip("skimage.data").astronaut()


def test_a_photograph_moves_where_the_muscles_are_and_nowhere_else(astronaut):
    apex, flow = warp_photograph(astronaut, ASTRONAUT, {12: 2.0})
    assert apex.shape == astronaut.shape and apex.dtype == np.uint8
    assert flow.shape == (2, *astronaut.shape[:2]) and flow.dtype == np.float32
    corner = flow[:, 140, 204], flow[:, 141, 244]
    assert corner[0][0] < -0.5 and corner[1][0] > 0.5 and max(corner[0][1], corner[1][1]) < -0.5
    assert (np.hypot(*flow) == 0).mean() > 0.9
    changed = (apex != astronaut).any(-1)
    assert changed[90:170, 180:270].any()
    changed[60:200, 150:300] = False
    assert not changed.any()


def test_a_photographs_flow_takes_its_apex_back_to_the_onset(astronaut):
    apex, flow = warp_photograph(astronaut, ASTRONAUT, {1: 3.0, 2: 3.0})
    columns, rows = np.meshgrid(np.arange(512, dtype=np.float32), np.arange(512, dtype=np.float32))
    back = cv2.remap(apex, columns + flow[0], rows + flow[1], cv2.INTER_CUBIC)
    moved = np.hypot(*flow) > 0.5
    unwarped, warped = (np.abs(a.astype(int) - astronaut)[moved].mean() for a in (apex, back))
    assert warped < 0.6 * unwarped


def test_a_face_that_lies_on_its_side_is_refused(astronaut):
    turned = np.rot90(astronaut, k=-1)  # 90 degrees clockwise: no longer upright
    points = np.stack([511 - ASTRONAUT[:, 1], ASTRONAUT[:, 0]], -1)
    with pytest.raises(DataError, match="upright"):
        warp_photograph(np.ascontiguousarray(turned), points, {12: 1.0})


def test_no_units_leave_the_photograph_as_it_is(astronaut):
    apex, flow = warp_photograph(astronaut, ASTRONAUT, {})
    np.testing.assert_array_equal(apex, astronaut)
    assert not flow.any()


@pytest.mark.parametrize(
    ("points", "what"),
    [
        (ASTRONAUT[:4], "five finite points"),
        (ASTRONAUT * np.nan, "five finite points"),
        (ASTRONAUT + 400, "outside"),
        (ASTRONAUT[[1, 0, 2, 3, 4]], "upright"),
    ],
)
def test_landmarks_that_are_not_a_face_are_refused(astronaut, points, what):
    with pytest.raises(DataError, match=what):
        warp_photograph(astronaut, points, {12: 1.0})


def test_a_photograph_must_be_rgb(astronaut):
    with pytest.raises(DataError, match="uint8"):
        warp_photograph(astronaut[..., 0], ASTRONAUT, {12: 1.0})
    with pytest.raises(DataError, match="uint8"):
        warp_photograph(astronaut / 255, ASTRONAUT, {12: 1.0})


def test_rendered_motions_are_applied_to_photographs(astronaut, swaps):
    face = align_faces([astronaut], landmarks=ASTRONAUT)
    shown = photograph_counterfactuals([face.frames[0]] * 2, [face.landmarks] * 2, swaps)
    np.testing.assert_array_equal(shown.onset_clean[1], face.frames[0])
    units = {unit: tuple(sides) for unit, sides in zip(ACTION_UNITS, swaps.action_units[2], strict=True) if any(sides)}
    np.testing.assert_array_equal(shown.apex_clean[0, 2], warp_photograph(face.frames[0], face.landmarks, units)[0])
    assert shown.emotions == swaps.emotions and shown.landmarks.shape == (2, 5, 2)
    noise = [np.std(some.onset.astype(float) - some.onset_clean) for some in (shown, swaps)]
    assert noise[0] == pytest.approx(noise[1], rel=0.1)
    assert (shown.onset[0] != shown.onset[1]).mean() > 0.5  # each frame has its own


def test_photographs_that_are_not_aligned_are_refused(astronaut, swaps):
    with pytest.raises(DataError, match="aligned"):
        photograph_counterfactuals([astronaut], [ASTRONAUT], swaps)
    with pytest.raises(DataError, match="aligned"):
        photograph_counterfactuals([], [], swaps)


# ---- mistakes


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"preset": "medium"}, "unknown preset 'medium'.*easy, standard, hard"),
        ({"label_map": "5class"}, "unknown label map '5class'.*3class, 7class"),
        ({"domain": "samm"}, "unknown camera domain 'samm'.*casme3, dfme"),
        ({"subjects": 1}, "1 subjects.*2 to 1000"),
        ({"subjects": 2.5}, "2.5 subjects"),
        ({"subjects": 5000}, "5000 subjects"),
        ({"seed": -1}, "seed -1"),
        ({"seed": "a"}, "seed 'a'"),
    ],
)
def test_a_data_set_that_cannot_be_is_refused_with_what_can(arguments, what):
    with pytest.raises(DataError, match=what):
        make_dataset(**arguments)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: render_pair(0, 100, 0), "no subject 100.*0 to 99"),
        (lambda: render_pair(0, 0, 500), "none is 500"),
        (lambda: render_pair(0, 0, -1), "no clip -1"),
        (lambda: render_pair(0, 0, 0, emotion="joy"), "unknown emotion 'joy'.*happiness"),
        (lambda: make_clip(fps=2), "2 frames a second"),
        (lambda: make_dfme(subjects=(3, 2)), "2 numbers of subjects"),
        (lambda: make_dfme(subjects=(1, 2, 2)), "1 subjects"),
        (lambda: make_counterfactuals(seed=-1), "seed -1"),
        (lambda: make_counterfactuals(identities=0), "an identity and a motion"),
        (lambda: make_counterfactuals("medium"), "unknown preset"),
        (lambda: draw_face(0, {3: 1.0}), "unknown action unit 3.*1, 2, 4"),
        (lambda: draw_face(0, {12: -1.0}), "from 0 up"),
        (lambda: draw_face(0, {12: float("nan")}), "from 0 up"),
        (lambda: action_unit_field({12: float("inf")}), "from 0 up"),
    ],
)
def test_other_mistakes_are_refused_with_a_clear_message(call, what):
    with pytest.raises(DataError, match=what):
        call()


# ---- presets


def test_presets_differ_clearly_in_motion():
    size: dict[str, list[float]] = {"easy": [], "standard": [], "hard": []}
    for name in size:
        for clip in range(6):
            pair = render_pair(0, 0, clip, preset=name, emotion=("surprise", "disgust", "happiness")[clip % 3])
            size[name].append(pair.action_units.max())
    easy, standard, hard = (np.mean(size[name]) for name in ("easy", "standard", "hard"))
    assert easy > 1.5 * standard > 1.5 * hard
