"""Hand-crafted features against computations with plain loops, and their models under the protocol."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from skimage.feature import local_binary_pattern

from lfdtcmen import DataError
from lfdtcmen.baselines import bi_woof, distlbp_rip, lbp_sip, lbp_top, mdmo
from lfdtcmen.baselines.compared import HAND_CRAFTED, METHODS, describe_models, needs_clips
from lfdtcmen.baselines.hand_crafted import describe_each, predict_by_svm, split_blocks
from lfdtcmen.baselines.psn import PSN, psn
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.evaluation.audit import audit_fit_predict
from lfdtcmen.evaluation.protocol import cross_validate
from lfdtcmen.preprocessing.geometry import CANONICAL

MODELS = (*HAND_CRAFTED, psn)
WITH_CLIPS = [model for model in MODELS if model.needs_clips]


@pytest.fixture(scope="module")
def pairs() -> PairSet:
    """36 pairs of nine people; the class shows where a square brightens in the clip, and where the flow points."""
    rng = np.random.default_rng(0)
    labels = np.arange(36) % 3
    strength = np.r_[np.linspace(0, 1, 6), np.linspace(1, 0, 6)[1:]]  # of the expression, [11]
    clips = np.repeat(rng.integers(60, 180, (36, 1, 32, 32)), 11, axis=1) + rng.normal(0, 2, (36, 11, 32, 32))
    flow = rng.normal(0, 0.1, (36, 2, 32, 32))
    for k, label in enumerate(labels):
        square = np.s_[..., 4 + 9 * label : 10 + 9 * label, 12:20]
        clips[k][square] += 50 * strength[:, None, None]
        flow[k][square] += np.array([math.cos(label), math.sin(label)])[:, None, None]
    frames = np.zeros((36, 32, 32, 3), np.uint8)
    return PairSet(
        manifest=pd.DataFrame({"subject": [f"s{k // 4}" for k in range(36)], "clip": range(36)}),
        onset=frames,
        apex=frames,
        labels=labels,
        label_names=("a", "b", "c"),
        flow=flow.astype(np.float32),
        clips=clips.clip(0, 255).astype(np.uint8),
    )


@pytest.fixture(scope="module")
def split(pairs) -> tuple[PairSet, PairSet]:
    """Nobody is in both."""
    train, test = next(iter(grouped_kfold(pairs.subjects, pairs.labels, 3)))
    return pairs.subset(train), pairs.subset(test)


# ---------------------------------------------------------------- against loops


def value_at(volume: np.ndarray, point: list[float]) -> float:
    """Interpolate a volume at a point (t, y, x), the mean of the eight voxels around it, weighed by nearness."""
    total = 0.0
    for corner in np.ndindex(2, 2, 2):
        voxel = [math.floor(p) + c for p, c in zip(point, corner, strict=True)]
        weight = math.prod(1 - abs(p - v) for p, v in zip(point, voxel, strict=True))
        if weight > 0:
            total += weight * float(volume[tuple(voxel)])
    return total


def pattern_by_hand(volume: np.ndarray, at: tuple[int, ...], plane: str) -> str:
    """Return the bits of a voxel in the plane "yx", "tx" or "ty", as text."""
    radius, bits = {"t": 4, "y": 1, "x": 1}, ""
    for p in range(8):
        angle = round(2 * math.pi * p / 8, 12)
        point = dict(zip("tyx", map(float, at), strict=True))
        point[plane[0]] -= round(radius[plane[0]] * math.sin(angle), 9)
        point[plane[1]] += round(radius[plane[1]] * math.cos(angle), 9)
        bits += str(int(value_at(volume, list(point.values())) >= volume[at]))
    return bits


def test_lbp_top_is_what_loops_over_voxels_give():
    clip = np.random.default_rng(0).uniform(0, 255, (9, 7, 7))
    uniform = [f"{code:08b}"[::-1] for code in range(256)]
    uniform = [bits for bits in uniform if sum(a != b for a, b in zip(bits, bits[1:] + bits[0], strict=True)) <= 2]
    assert len(uniform) == 58
    expected = []
    for plane in ("yx", "tx", "ty"):
        for y in range(1, 6):  # 5 x 5 blocks of one voxel each
            for x in range(1, 6):
                bits = pattern_by_hand(clip, (4, y, x), plane)
                expected.append(np.eye(59)[uniform.index(bits) if bits in uniform else 58])
    np.testing.assert_array_equal(lbp_top.describe_clip(clip), np.concatenate(expected))


def test_patterns_of_a_frame_are_those_of_scikit_image():
    clip = np.random.default_rng(1).permutation(540).reshape(3, 12, 15)  # no two values are equal
    found = lbp_top.binary_patterns(clip, (1, 2), (0, 1, 1))
    for frame, codes in zip(clip, found, strict=True):
        np.testing.assert_array_equal(codes, local_binary_pattern(frame, 8, 1)[1:-1, 1:-1])


def test_a_flat_clip_has_one_pattern():
    histograms = lbp_top.describe_clip(np.full((11, 16, 16), 93, np.uint8)).reshape(-1, 59)
    np.testing.assert_array_equal(histograms, np.tile(np.eye(59)[57], (75, 1)))  # all bits set: the last uniform one


def test_lbp_sip_is_what_loops_over_voxels_give():
    clip = np.random.default_rng(2).integers(0, 4, (10, 12, 12))  # few levels: many neighbours are equal
    frame, time = np.zeros((5, 5, 16)), np.zeros((5, 5, 4))
    for t in (4, 5):
        for y in range(1, 11):
            for x in range(1, 11):
                c, block = clip[t, y, x], ((y - 1) // 2, (x - 1) // 2)
                around = (clip[t, y, x + 1], clip[t, y - 1, x], clip[t, y, x - 1], clip[t, y + 1, x])
                frame[block][sum(2**k for k, v in enumerate(around) if v >= c)] += 1 / 8  # 2 x 2 voxels, 2 frames
                time[block][(clip[t + 4, y, x] >= c) + 2 * (clip[t - 4, y, x] >= c)] += 1 / 8
    np.testing.assert_allclose(lbp_sip.describe_clip(clip), np.concatenate([frame.ravel(), time.ravel()]))


def test_mdmo_is_what_loops_over_pixels_give():
    flow = np.random.default_rng(3).normal(0.3, 1, (2, 64, 64)).astype(np.float32)
    regions = mdmo.place_regions(None, (64, 64))
    lengths, directions = [], []
    for number in range(1, 37):
        sectors: list[list] = [[] for _ in range(8)]
        for y, x in zip(*np.nonzero(regions == number), strict=True):
            u, v = float(flow[0, y, x]), float(flow[1, y, x])
            sectors[int((math.degrees(math.atan2(v, u)) % 360) // 45)].append((u, v))
        fullest = max(sectors, key=len)
        u, v = (sum(values) / len(fullest) for values in zip(*fullest, strict=True))
        lengths.append(math.sqrt(u * u + v * v))
        directions.append(math.degrees(math.atan2(v, u)) % 360 / 360)
    expected = [length / max(lengths) for length in lengths] + directions
    np.testing.assert_allclose(mdmo.describe_flow(flow, regions), expected, rtol=1e-5)


def test_mdmo_has_36_regions_that_follow_the_landmarks():
    usual = mdmo.place_regions(None, (128, 128))
    assert set(np.unique(usual)) == set(range(37))
    np.testing.assert_array_equal(
        mdmo.place_regions(CANONICAL + np.array([7, -4]), (128, 128))[:-4, 7:], usual[4:, :-7]
    )
    assert len(np.unique(mdmo.place_regions(None, (32, 32)))) == 37
    np.testing.assert_array_equal(mdmo.main_motion(np.zeros((2, 0))), [0, 0])
    still = mdmo.describe_flow(np.zeros((2, 128, 128), np.float32), usual)
    np.testing.assert_array_equal(still, np.zeros(72))


def test_bi_woof_is_what_loops_over_pixels_give():
    flow = np.random.default_rng(4).normal(0, 1, (2, 16, 16))  # 8 x 8 blocks of four pixels
    expected = np.zeros((8, 8, 8))
    strains = np.zeros((8, 8))

    def slope(part: np.ndarray, y: int, x: int, dy: int, dx: int) -> float:
        y0, y1, x0, x1 = max(y - dy, 0), min(y + dy, 15), max(x - dx, 0), min(x + dx, 15)
        return (part[y1, x1] - part[y0, x0]) / ((y1 - y0) + (x1 - x0))

    for y in range(16):
        for x in range(16):
            u, v = flow[:, y, x]
            angle = math.atan2(v, u)
            sector = next(c for c in range(8) if angle < -math.pi + 2 * math.pi * (c + 1) / 8 or c == 7)
            expected[y // 2, x // 2, sector] += math.sqrt(u * u + v * v)
            ux, vy = slope(flow[0], y, x, 0, 1), slope(flow[1], y, x, 1, 0)
            shear = (slope(flow[0], y, x, 1, 0) + slope(flow[1], y, x, 0, 1)) / 2
            strains[y // 2, x // 2] += math.sqrt(ux**2 + vy**2 + 2 * shear**2) / 4
    np.testing.assert_allclose(bi_woof.describe_flow(flow), (expected * strains[..., None]).ravel())


def test_shape_patterns_of_a_projection_are_those_by_hand():
    projection = np.array([[3.0, 1, 2, 2, 5, 0]])
    # around 2: 3 and 1 before, 2 and 5 after; around 2: 1 and 2 before, 5 and 0 after
    np.testing.assert_array_equal(distlbp_rip.shape_patterns(projection), [[0b1101, 0b0110]])


def test_distlbp_rip_describes_only_what_moves(pairs):
    clip = pairs.clips[0]
    features = distlbp_rip.describe_clip(clip).reshape(50, 75)
    np.testing.assert_allclose(features.reshape(50, 75)[:, :16].sum(1), 1)
    np.testing.assert_allclose(features[:, 16:].sum(1), 1)
    still = distlbp_rip.describe_clip(np.repeat(clip[:1], 11, axis=0)).reshape(50, 75)
    assert (still[:, 15] == 1).all() and (still[:, 16 + 57] == 1).all()  # nothing moves: all neighbours are equal


def test_blocks_cover_an_image_once():
    blocks = split_blocks(np.arange(17 * 17).reshape(17, 17), 5)
    assert len(blocks) == 25 and sorted(np.concatenate([b.ravel() for b in blocks])) == list(range(17 * 17))


# ---------------------------------------------------------------- as models


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_no_method_sees_its_test_subjects(model, split, monkeypatch):
    monkeypatch.setattr("lfdtcmen.baselines.psn.EPOCHS", 2)
    audit_fit_predict(model, *split)
    found = model(*split, 0)
    assert found.shape == (len(split[1]), 3)
    np.testing.assert_allclose(found.sum(1), 1)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_each_method_finds_a_class_that_shows(model, split):
    assert (model(*split, 0).argmax(1) == split[1].labels).mean() > 0.6  # at random: 0.33


@pytest.mark.parametrize("model", HAND_CRAFTED, ids=lambda model: model.name)
def test_a_class_without_a_training_pair_gets_nothing(model, split):
    train, test = split
    assert model(train.subset(train.labels != 1), test, 0)[:, 1].max() == 0


@pytest.mark.parametrize("model", WITH_CLIPS, ids=lambda model: model.name)
def test_pairs_without_clips_are_refused(model, pairs, tmp_path):
    without = replace(pairs, clips=None)
    refusal = rf"{model.name} needs clips, and the pairs have only onset and apex \[PairSet.clips\]; call .*add_clips"
    with pytest.raises(DataError, match=refusal):
        model(pairs, without, 0)
    with pytest.raises(DataError, match=refusal):
        cross_validate(model, without, 3, [0], tmp_path)
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize("model", WITH_CLIPS, ids=lambda model: model.name)
def test_clips_with_too_few_frames_are_refused(model, pairs):
    short = replace(pairs, clips=pairs.clips[:, :2])
    with pytest.raises(DataError, match="a clip of 2 frames is too short"):
        model(short, short, 0)


def test_lbp_top_needs_frames_before_and_after():
    assert lbp_top.describe_clip(np.zeros((9, 16, 16))).shape == (4425,)
    with pytest.raises(DataError, match="a clip of 8 frames is too short, LBP-TOP needs 9"):
        lbp_top.describe_clip(np.zeros((8, 16, 16)))


@pytest.mark.parametrize("model", [mdmo.mdmo, bi_woof.bi_woof], ids=lambda model: model.name)
def test_pairs_without_flow_are_refused(model, pairs):
    with pytest.raises(DataError, match=rf"no optical flow \[{model.name}\]; call prepare_pairs first"):
        model(replace(pairs, flow=None), pairs, 0)


@pytest.mark.parametrize("model", HAND_CRAFTED, ids=lambda model: model.name)
def test_one_class_only_is_refused(model, split):
    train, test = split
    with pytest.raises(DataError, match="all training pairs are of the class b"):
        model(train.subset(train.labels == 1), test, 0)


def test_the_weights_of_the_training_pairs_are_heeded_or_refused(split):
    train, test = split
    light = replace(train, weights=np.where(np.arange(len(train)) % 2, 1e-3, 1.0).astype(np.float32))
    for model in (mdmo.mdmo, bi_woof.bi_woof):
        assert not np.allclose(model(light, test, 0), model(train, test, 0))
    for model in WITH_CLIPS:
        with pytest.raises(DataError, match="cannot weigh"):
            model(light, test, 0)


def test_a_sample_is_described_once():
    calls = []

    def describe(sample: np.ndarray) -> np.ndarray:
        calls.append(1)
        return sample.ravel()

    samples = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)
    first = describe_each(samples, describe)
    np.testing.assert_array_equal(describe_each(samples[::-1], describe), first[::-1])
    assert len(calls) == 4 and first.shape == (4, 6)


def test_the_scale_of_the_features_has_no_effect(split):
    train, test = split
    known, asked = (p.flow.reshape(len(p), -1) for p in (train, test))
    expected = predict_by_svm(known, asked, train, 0)
    np.testing.assert_allclose(predict_by_svm(1000 * known, 1000 * asked, train, 0), expected, atol=1e-4)


def test_models_can_be_sent_to_processes_and_are_described():
    for model in MODELS:
        assert pickle.loads(pickle.dumps(model)) == model
        assert ("clips" in model.settings) == model.needs_clips  # clips are not in the fingerprint of the pairs
    table = describe_models(METHODS, 3).set_index("name")
    assert set(table["kind"]) == {"compared method"} and table.loc["bi-woof", "parameters"] == ""
    assert table.loc["psn", "parameters"] == "279,907" == f"{sum(p.numel() for p in PSN(3).parameters()):,}"
    assert table["source"].str.len().min() > 10
    assert [name for name, model in METHODS.items() if needs_clips(model)] == [model.name for model in WITH_CLIPS]


def test_psn_learns_sixteen_pairs_by_heart(pairs):
    few = pairs.subset(np.arange(16))
    assert (psn(few, few, 0).argmax(1) == few.labels).all()
