"""Attribution is scored on what truly moves: perfect maps, blind maps, and networks that are as they were."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis import attribution
from lfdtcmen.analysis.class_activation import gradcam, hirescam
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.evaluation.results import COLUMNS


def pairs_of(subjects: int = 3, clips: int = 2) -> PairSet:
    """Noise in which one of three squares of skin moves, the same in all clips of a person, and the wall."""
    rng, count = np.random.default_rng(0), subjects * clips
    flow = np.zeros((count, 2, 128, 128), np.float32)
    flow[:, 0, :, :8] = 3.0  # registration moves the wall
    units = np.zeros((count, 17, 2), np.float32)
    for k in range(count):
        top = 40 + 15 * (k // clips % 3)
        flow[k, :, top : top + 10, 50:70] = 0.5
        units[k, k % clips] = 1.0
    return PairSet(
        pd.DataFrame({"subject": np.repeat([f"toy/{s}" for s in range(subjects)], clips), "emotion": "fear"}),
        *rng.integers(0, 256, (2, count, 128, 128, 3), dtype=np.uint8),
        np.arange(count) % 3,
        ("negative", "positive", "surprise"),
        true_flow=flow,
        action_units=units,
        streams=rng.normal(size=(count, 3, 28, 28)).astype(np.float32),
    )


def make_model(**settings) -> LFDTCMEN:
    torch.manual_seed(0)
    return LFDTCMEN(num_classes=3, **settings).eval()


def rows(table: pd.DataFrame) -> dict:
    """Return the rows of a table of one map, by what they are compared with."""
    return table.set_index("against").to_dict("index")


def test_only_skin_that_moves_counts():
    pairs = pairs_of()
    moving, face = attribution.moving_skin(pairs)
    assert (moving.sum((1, 2)) == 200).all()
    assert not moving[:, :, :8].any() and not face[:, :8].any()
    slower = replace(pairs, true_flow=pairs.true_flow * 0.3)  # 0.5 * sqrt(2) * 0.3 = 0.21 px
    assert not attribution.moving_skin(slower)[0].any()


def test_the_moving_skin_as_a_map_scores_one_and_a_uniform_map_chance_level():
    moving, face = attribution.moving_skin(pairs_of())
    assert attribution.share_on_motion(moving.astype(np.float32), moving, face) == pytest.approx(1)
    uniform = np.full((1, 128, 128), 0.3)
    assert attribution.share_on_motion(uniform, moving, face) == pytest.approx(200 / face.sum())
    assert attribution.share_on_motion(uniform * 0, moving, face) == pytest.approx(200 / face.sum())
    elsewhere = (~moving & face).astype(float)
    assert attribution.share_on_motion(elsewhere, moving, face) == pytest.approx(0)
    outside = moving + 5.0 * ~face  # what lies beside the face is another question
    assert attribution.share_on_motion(outside, moving, face) == pytest.approx(1)


def test_maps_are_enlarged_sum_to_one_and_branches_count_alike():
    model, pairs = make_model(), pairs_of()
    maps = attribution.attribution_maps(model, pairs)
    assert set(maps) == {"motion", "flow", "both"}
    for values in maps.values():
        assert values.shape == (6, 128, 128) and values.min() >= 0
        assert values.sum((1, 2)) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(maps["both"], (maps["motion"] + maps["flow"]) / 2)
    assert set(attribution.attribution_maps(make_model(flow=None), pairs)) == {"motion"}


def always(maps: torch.Tensor) -> Callable:
    """Return a method of attribution that answers with these maps of the motion branch, whatever the network is."""

    def method(model, batch):
        return {"motion": maps}

    return method


def test_an_empty_map_is_uniform_and_is_counted():
    empty = always(torch.zeros(6, 4, 4))
    row = rows(attribution.attribution_table({"I": make_model(flow=None)}, pairs_of(), pairs_of(), methods=[empty]))
    assert row[""]["value"] == pytest.approx(row[""]["uniform map"]) and row[""]["empty"] == 1
    assert row["uniform map"]["value"] == pytest.approx(0) and row[""]["on face"] == pytest.approx(0.434, abs=0.001)


def test_a_map_that_follows_the_motion_is_distinguishable_from_one_that_always_looks_there():
    pairs = pairs_of(subjects=6)
    moving = torch.from_numpy(attribution.moving_skin(pairs)[0]).float()
    model = make_model(flow=None)
    follows = rows(attribution.attribution_table({"I": model}, pairs, pairs, methods=[always(moving)]))
    assert follows[""]["value"] == follows[""]["low"] == pytest.approx(1)
    assert follows[""]["mean map"] == pytest.approx(1 / 3, abs=1e-6)  # three squares, of which one moves
    assert follows["mean map"]["low"] > 0.5
    usual = always(moving.mean(0).expand(len(pairs), -1, -1))
    blind = rows(attribution.attribution_table({"I": model}, pairs, pairs, methods=[usual]))
    assert blind["uniform map"]["low"] > 0.2 and blind["mean map"]["value"] == pytest.approx(0)


def test_a_clip_in_which_nothing_moves_is_not_scored():
    pairs = pairs_of()
    pairs.true_flow[0] *= 0.1
    assert attribution.attribution_table({"I": make_model(flow=None)}, pairs, pairs)["clips"].tolist() == [5] * 4
    pairs.true_flow[:] = 0
    with pytest.raises(DataError, match="no skin moves"):
        attribution.attribution_table({"I": make_model(flow=None)}, pairs, pairs)


def test_the_table_of_real_networks_leaves_them_as_they_were():
    models = {"I": make_model(flow=None, motion="encoder"), "II": make_model(flow=None), "III": make_model()}
    before = {name: value.clone() for name, value in models["III"].state_dict().items()}
    table = attribution.attribution_table(models, pairs_of(), pairs_of(subjects=6))
    shares, gains = (table[table["against"].eq(against)] for against in ("", "uniform map"))
    assert shares[["model", "part"]].agg(": ".join, axis=1).tolist() == [
        *("I: motion", "II: motion", "III: motion", "III: flow", "III: both")
    ]
    assert tuple(table.columns[:7]) == COLUMNS
    assert np.isfinite(table.drop(columns=["model", "metric", "part", "against", "method"])).all(axis=None)
    assert (table["true motion"] > table["uniform map"]).all()
    assert gains["value"].to_numpy() == pytest.approx((shares["value"] - shares["uniform map"]).to_numpy())
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
    for name, value in models["III"].state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_another_method_gives_other_maps():
    model, pairs = make_model(), pairs_of()
    usual, other = (attribution.attribution_maps(model, pairs, method) for method in (gradcam, hirescam))
    assert not np.allclose(usual["flow"], other["flow"], rtol=0.1)
    together, alone = (
        attribution.attribution_table({"III": model}, pairs, pairs, methods=methods, initialisations=1)
        for methods in ([gradcam, hirescam], [hirescam])
    )
    of_method = together.set_index(["method", "part", "against"])["value"]
    assert not np.allclose(of_method["gradcam"], of_method["hirescam"], atol=1e-4)
    np.testing.assert_array_equal(of_method["hirescam"], alone["value"])


def test_the_motion_that_counts_can_be_another_than_the_registered_one():
    pairs = pairs_of()
    muscles = np.zeros_like(pairs.true_flow)
    muscles[:, 0, 90:94, 60:64] = 0.3
    assert (attribution.moving_skin(pairs, muscles)[0].sum((1, 2)) == 16).all()
    assert not attribution.moving_skin(pairs, muscles, above=0.31)[0].any()
    assert attribution.moving_skin(replace(pairs, true_flow=None), muscles)[0].any()
    there = always(torch.from_numpy(attribution.moving_skin(pairs, muscles)[0]).float())
    model = make_model(flow=None)
    assert rows(attribution.attribution_table({"I": model}, pairs, pairs, 0, [there], muscles))[""]["value"] == 1
    assert rows(attribution.attribution_table({"I": model}, pairs, pairs, 0, [there]))[""]["value"] == pytest.approx(0)
    with pytest.raises(DataError, match="one field per pair"):
        attribution.moving_skin(pairs, muscles[:2])


def test_maps_that_are_not_empty_are_reported_apart_and_pairings_are_permuted():
    pairs = pairs_of(subjects=6)
    moving = torch.from_numpy(attribution.moving_skin(pairs)[0]).float()
    model = make_model(flow=None)
    half = moving * (torch.arange(12) % 2)[:, None, None]
    row = rows(attribution.attribution_table({"I": model}, pairs, pairs, methods=[always(half)]))[""]
    assert row["empty"] == 0.5 and row["not empty"] == pytest.approx(1) and row["value"] < 0.6
    assert row["p"] < 0.05
    usual = always(moving.mean(0).expand(len(pairs), -1, -1))
    assert rows(attribution.attribution_table({"I": model}, pairs, pairs, methods=[usual]))[""]["p"] == 1


def test_several_initialisations_are_averaged_clip_by_clip():
    model, pairs = make_model(), pairs_of(subjects=6)
    table = attribution.attribution_table({"III": model}, pairs, pairs, initialisations=3)
    moving, face = attribution.moving_skin(pairs)
    fresh = [attribution.untrained_network(model, pairs, seed) for seed in range(3)]
    shares = [
        attribution.share_on_motion(attribution.attribution_maps(other, pairs)["flow"], moving, face) for other in fresh
    ]
    of_flow = rows(table[table["part"].eq("flow")])
    low, middle, high = np.sort(np.mean(shares, axis=1))
    assert low < middle < high
    assert of_flow[""]["untrained low"] == pytest.approx(low) and of_flow[""]["untrained high"] == pytest.approx(high)
    assert of_flow[""]["untrained"] == pytest.approx(np.mean(shares))
    assert of_flow["untrained"]["value"] == pytest.approx(of_flow[""]["value"] - np.mean(shares))


def test_the_untrained_network_is_new_and_calibrated_in_both_parts():
    model = make_model()
    fresh = attribution.untrained_network(model, pairs_of(), seed=1)
    assert not torch.equal(fresh.tcme.classifier.weight, model.tcme.classifier.weight)
    assert not torch.equal(fresh.drl.motion_encoder.conv1[0].weight, model.drl.motion_encoder.conv1[0].weight)
    norms = [m for m in fresh.tcme.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms and all(norm.running_mean.abs().max() > 0 for norm in norms)
    assert not fresh.training


def test_untrained_networks_have_seen_training_frames_only():
    model, pairs = make_model(flow=None), pairs_of()
    train = replace(pairs, onset=pairs.onset // 8, apex=pairs.apex // 4)  # far darker than the pairs that are scored
    table = attribution.attribution_table({"II": model}, train, pairs, initialisations=1)
    scored = table["untrained"].iloc[0]
    moving, face = attribution.moving_skin(pairs)
    of_train, of_test = (
        attribution.share_on_motion(
            attribution.attribution_maps(attribution.untrained_network(model, known), pairs)["motion"], moving, face
        ).mean()
        for known in (train, pairs)
    )
    assert scored == pytest.approx(of_train) != pytest.approx(of_test, rel=1e-3)


def test_what_cannot_be_scored_is_refused():
    pairs = pairs_of()
    with pytest.raises(DataError, match="true motion"):
        attribution.moving_skin(replace(pairs, true_flow=None))
    with pytest.raises(DataError, match="not prepared"):
        attribution.moving_skin(replace(pairs, streams=None))
    small = {name: getattr(pairs, name)[:, :64, :64] for name in ("onset", "apex")}
    with pytest.raises(DataError, match="not 128x128"):
        attribution.moving_skin(replace(pairs, **small))
    moving, face = attribution.moving_skin(pairs)
    with pytest.raises(DataError, match="negative"):
        attribution.share_on_motion(-moving.astype(float), moving, face)
    with pytest.raises(DataError, match="not finite"):
        attribution.share_on_motion(np.full((1, 128, 128), np.nan), moving, face)
    with pytest.raises(DataError, match="enlarge"):
        attribution.share_on_motion(np.ones((6, 4, 4)), moving, face)


def test_maps_match_the_motion_of_their_own_faces_only_if_they_follow_it():
    rng = np.random.default_rng(0)
    shared, motion = rng.random((1, 4, 4)), rng.random((40, 4, 4))
    own, others, p = attribution.match_test(motion + 0.1 * rng.random((40, 4, 4)), motion)
    assert own > 0.9 and abs(others) < 0.1 and p == 0.001
    own, others, p = attribution.match_test(np.repeat(shared, 40, 0), motion + 3 * shared)  # the same map for all
    assert own == pytest.approx(others) and own > 0.5 and p > 0.05
    with pytest.raises(DataError, match="match_test"):
        attribution.match_test(motion, motion[:, :2])
