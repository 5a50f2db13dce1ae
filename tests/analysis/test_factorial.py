"""A factorial of swaps: on toy faces the gains are known, on constructed changes the shares are."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from lfdtcmen import LFDTCMEN, DataError
from lfdtcmen.analysis import factorial
from lfdtcmen.analysis.factorial import ALL, ALL_ALIKE, BUT_STRONGEST, COMMON, DRIVER_TOTAL, FACTORS, FactorialSwaps
from lfdtcmen.analysis.swaps import CHANGE_ERROR, swap_products
from lfdtcmen.datasets.synthetic import Counterfactuals
from lfdtcmen.modules.drl import Codes

SIDE = 16
MOVES = slice(8, 16)  # in these toy faces who it is stands left, how it moves right
EMOTIONS = ("happiness", "surprise", "happiness", "fear", "anger", "sadness")


class Cut(nn.Module):
    """Shows the driver's motion on the receiver's face, all of it or less, and something of the driver's face."""

    generator = True

    def __init__(self, gain: float = 1.0, leak: float = 0.0):
        super().__init__()
        self.gain, self.leak = gain, leak

    def encode(self, frames, identity=True):
        return Codes(motion=frames, motion_skips=(), identity=frames)

    def generate(self, identity, motion, rest=None):
        image = identity.identity.clone()
        still, moved = identity.identity[..., MOVES], motion.motion[..., MOVES]
        image[..., MOVES] = still + self.gain * (moved - still)
        moves = (moved - still).abs().mean((1, 2, 3), keepdim=True)  # 0 for a driver at rest: all rest alike
        image[..., :8] += self.leak * moves * motion.motion[..., :8]
        return image


def model_of(drl: nn.Module) -> nn.Module:
    model = nn.Module()
    model.drl = drl
    return model


def faces(people: int = 12, motions: int = 6) -> Counterfactuals:
    rng = np.random.default_rng(1)
    onset = rng.integers(0, 256, (people, SIDE, SIDE, 3), dtype=np.uint8)
    onset[:, :, MOVES] = 128  # at rest, everyone looks alike on the right
    apex = onset[:, None].repeat(motions, axis=1)
    apex[:, :, :, MOVES] = rng.integers(0, 256, (motions, SIDE, 8, 3))
    apex[:, 0, :, MOVES] = 128 + apex[:, 0, :, MOVES] // 32  # a weak motion
    return Counterfactuals(
        onset, onset, apex, apex, EMOTIONS[:motions], np.zeros((motions, 1, 2)), np.zeros((people, 5, 2))
    )


def values(table, metric="motion gain"):
    return table[table["metric"] == metric].set_index("part")["value"]


def test_receivers_are_the_first_half_and_drivers_the_second():
    swaps = factorial.factorial_swaps(model_of(Cut(leak=0.1)), faces())
    assert swaps.change.shape == (6, 6, 6, 3 * 64) and swaps.true_change.shape == (6, 6, 3 * 64)
    changed = swaps.change.reshape(6, 6, 6, 3, 8, 8)[..., :4]
    on_one, on_another = changed[0], changed[1]
    np.testing.assert_allclose(on_one, on_another, atol=1e-6)  # what leaks is the driver's, whoever receives it
    apex = faces().apex[6:, :, :, :8].astype(float) / 255  # [D, M, H, 8, 3]
    moved = np.abs(faces().apex[0, :, :, MOVES] / 255.0 - 128 / 255).mean((1, 2, 3))  # [M]
    leaked = apex.reshape(6, 6, 8, 2, 4, 2, 3).mean((3, 5)).transpose(0, 1, 4, 2, 3) * 0.1 * moved[:, None, None, None]
    np.testing.assert_allclose(on_one, leaked, atol=1e-6)


def test_an_oracle_carries_every_motion_and_one_that_goes_half_way_a_half():
    for gain in (1.0, 0.5):
        table = factorial.gains_by_motion(factorial.factorial_swaps(model_of(Cut(gain)), faces()))
        names = ["happiness 1", "surprise", "happiness 2", "fear", "anger", "sadness"]
        assert values(table).index.tolist() == [ALL, ALL_ALIKE, BUT_STRONGEST, *names]
        assert values(table).to_numpy() == pytest.approx(gain, abs=1e-5)
        assert values(table, "motion cosine").to_numpy() == pytest.approx(1, abs=1e-5)
        assert values(table, CHANGE_ERROR).to_numpy() == pytest.approx((1 - gain) ** 2, abs=1e-5)
        without = table["low"].isna()
        assert set(table[without]["part"]) == {BUT_STRONGEST}  # of five motions there is no interval
        low, value, high = table.loc[~without, ["low", "value", "high"]].to_numpy().T
        assert (low <= value + 1e-9).all() and (value <= high + 1e-9).all()


def test_pixels_moved_by_flow_carry_a_shift_to_any_face():
    noise = np.random.default_rng(0).random((4, 128, 128, 3))
    onset = gaussian_filter(noise, (0, 3, 3, 0))
    onset = (255 * (onset - onset.min()) / np.ptp(onset)).astype(np.uint8)
    apex = np.stack([np.roll(onset, 2, axis=2), np.roll(onset, -1, axis=1)], axis=1)  # two pixels right, one up
    shown = Counterfactuals(onset, onset, apex, apex, ("right", "up"), np.zeros((2, 17, 2)), np.zeros((4, 5, 2)))
    swaps = factorial.flow_swaps(shown)
    assert swaps.change.shape == (2, 2, 2, 3 * 64 * 64) and swaps.motions == ("right", "up")
    table = factorial.gains_by_motion(swaps).set_index(["part", "metric"])["value"]
    assert (table.xs("motion gain", level=1) > 0.7).all() and (table.xs(CHANGE_ERROR, level=1) < 0.3).all()
    still = replace(shown, apex_clean=np.repeat(onset[:, None], 2, axis=1))  # moves in the filmed frames alone
    assert np.abs(factorial.flow_swaps(still).change).max() < 0.02
    np.testing.assert_array_equal(factorial.flow_swaps(still, clean=False).change, swaps.change)
    with pytest.raises(DataError, match="two identities"):
        factorial.flow_swaps(faces(people=1))


def test_strength_is_that_of_the_rendered_change():
    table = factorial.gains_by_motion(factorial.factorial_swaps(model_of(Cut()), faces()))
    strength = table[table["metric"] == "motion gain"].set_index("part")["true strength"]
    change = (faces().apex[:6, 3].astype(float) - faces().onset[:6]).reshape(6, 8, 2, 8, 2, 3).mean((2, 4))
    assert strength["fear"] == pytest.approx(np.sqrt((change**2).mean()), rel=1e-4)
    assert strength["happiness 1"] < strength["fear"] / 10


def test_a_weak_motion_counts_like_a_strong_one_only_where_all_are_scaled():
    swaps = factorial.factorial_swaps(model_of(Cut()), faces())
    swaps.change[:, :, 0] = 0  # the weak motion is not shown at all
    gains = values(factorial.gains_by_motion(swaps))
    assert gains["happiness 1"] == 0 and gains[ALL] > 0.99
    assert gains[ALL_ALIKE] == pytest.approx(5 / 6, abs=1e-5)


def test_a_strong_motion_does_not_count_where_it_is_left_out():
    swaps = factorial.factorial_swaps(model_of(Cut()), faces())
    strongest = (swaps.true_change**2).sum((0, 2)).argmax()
    swaps.change[:, :, strongest] = 0
    assert values(factorial.gains_by_motion(swaps))[BUT_STRONGEST] == pytest.approx(1, abs=1e-5)
    swaps.change[:] = 0
    swaps.change[:, :, strongest] = swaps.true_change[:, None, strongest]
    assert values(factorial.gains_by_motion(swaps))[BUT_STRONGEST] == 0


def test_gains_of_all_motions_are_those_of_the_same_swaps_in_the_report():
    torch.manual_seed(0)
    model, shown = LFDTCMEN(num_classes=3).eval(), counterfactuals_of_size(32)
    products = factorial.factorial_products(factorial.factorial_swaps(model, shown))
    _, expected = swap_products(model, shown, [2])  # of four people: 0 and 1 receive, 2 and 3 lend
    expected = expected.reshape(4, 2, 3)
    np.testing.assert_allclose(products[[0, 1], [0, 1]], expected[:2], rtol=1e-3, atol=1e-7)


def counterfactuals_of_size(side: int) -> Counterfactuals:
    rng = np.random.default_rng(3)
    onset, apex = (rng.integers(0, 256, (4, *m, side, side, 3), dtype=np.uint8) for m in ((), (2,)))
    return Counterfactuals(onset, onset, apex, apex, ("fear", "anger"), np.zeros((2, 1, 2)), np.zeros((4, 5, 2)))


def test_too_few_levels_have_no_interval_and_a_single_motion_is_fixed():
    swaps = factorial.factorial_swaps(model_of(Cut(0.5)), faces(people=8))
    assert factorial.gains_by_motion(swaps)[["low", "high"]].isna().all(axis=None)
    one = factorial.factorial_swaps(model_of(Cut(0.5, leak=0.1)), faces(motions=1))
    assert factorial.gains_by_motion(one)[["low", "high"]].notna().all(axis=None)


def test_one_person_and_a_network_without_a_generator_are_refused():
    with pytest.raises(DataError, match="two identities"):
        factorial.factorial_swaps(model_of(Cut()), faces(people=1))
    with pytest.raises(DataError, match="no generator"):
        factorial.factorial_swaps(LFDTCMEN(num_classes=3, drl="motion"), faces())


# ---------------------------------------------------------------- shares


STRENGTHS = {COMMON: 0.5, "receiver": 0.6, "driver": 0.4, "motion": 0.7} | {
    "receiver x driver": 0.3,
    "receiver x motion": 0.8,
    "driver x motion": 0.2,
    "receiver x driver x motion": 0.4,
}


def random_parts(levels: tuple[int, int, int], values: int, seed: int) -> dict[str, np.ndarray]:
    """Return a random part for each set of factors, with variances STRENGTHS ** 2."""
    rng = np.random.default_rng(seed)
    shapes = {p: [n if f in p.split(" x ") else 1 for f, n in zip(FACTORS, levels, strict=True)] for p in STRENGTHS}
    return {part: STRENGTHS[part] * rng.standard_normal((*shape, values)) for part, shape in shapes.items()}


def swaps_of(change: np.ndarray, true: np.ndarray | None = None) -> FactorialSwaps:
    true = change[:, 0] if true is None else true
    return FactorialSwaps(change.astype(np.float32), true.astype(np.float32), tuple("abcdefghij"[: change.shape[2]]))


def test_shares_without_corrections_are_the_sums_of_squares_of_an_analysis_of_variance():
    change = sum(random_parts((3, 4, 5), 7, seed=0).values())
    rows = change.reshape(60, 7)
    found = factorial.shares_of_squares(
        (rows @ rows.T).reshape(3, 4, 5, 3, 4, 5), [np.full((1, n), 1 / n) for n in (3, 4, 5)], corrections=0
    )
    mean = change.mean((0, 1, 2), keepdims=True)
    main = {f: change.mean(tuple({0, 1, 2} - {a}), keepdims=True) - mean for a, f in enumerate(FACTORS)}
    two = {
        "receiver x motion": change.mean(1, keepdims=True) - mean - main["receiver"] - main["motion"],
        "driver x motion": change.mean(0, keepdims=True) - mean - main["driver"] - main["motion"],
        "receiver x driver": change.mean(2, keepdims=True) - mean - main["receiver"] - main["driver"],
    }
    rest = change - mean - sum(main.values()) - sum(two.values())
    total = (change**2).mean()
    for part, effect in {COMMON: mean, **main, **two, "receiver x driver x motion": rest}.items():
        assert found[part][0] == pytest.approx((effect**2).mean() / total, rel=1e-9), part
    assert sum(found.values())[0] == pytest.approx(1)


def test_shares_are_those_of_the_population_and_their_intervals_contain_them():
    squares = {part: strength**2 for part, strength in STRENGTHS.items()}
    truth = {part: square / sum(squares.values()) for part, square in squares.items()}
    truth[DRIVER_TOTAL] = sum(share for part, share in truth.items() if "driver" in part)
    tables = []
    for seed in range(12):
        change = sum(random_parts((8, 7, 6), 300, seed).values())
        tables.append(factorial.change_shares(swaps_of(change), seed).set_index("part"))
    for part, share in truth.items():
        found = np.array([table["value"][part] for table in tables])
        assert found.mean() == pytest.approx(share, abs=3.5 * found.std() / np.sqrt(len(found)) + 1e-3), part
        covered = [table["low"][part] <= share <= table["high"][part] for table in tables]
        assert np.mean(covered) > 0.8, part
    # uncorrected shares are off by much more: of six motions, every sixth part of the motion's variance is missing
    assert tables[0].drop(DRIVER_TOTAL)["value"].sum() == pytest.approx(1)


def test_a_resample_is_centred_on_the_estimate():
    change = sum(random_parts((8, 7, 6), 300, seed=1).values())
    table = factorial.change_shares(swaps_of(change))
    assert (table["low"] < table["value"]).all() and (table["value"] < table["high"]).all()
    middle = (table["low"] + table["high"]) / 2
    assert (middle - table["value"]).abs().max() < 0.04


def test_the_true_change_owes_nothing_to_the_driver_and_the_oracle_neither():
    table = factorial.change_shares(factorial.factorial_swaps(model_of(Cut()), faces())).set_index("part")
    of_driver = [part for part in table.index if "driver" in part]
    assert len(of_driver) == 5 and table.loc[of_driver, "reference"].abs().max() < 1e-6
    assert table.loc[of_driver, "value"].abs().max() < 1e-5
    np.testing.assert_allclose(table["value"], table["reference"], atol=1e-5)
    assert table.loc[of_driver, "target"].eq("0").all()


def test_what_leaks_of_the_driver_is_found():
    shares = [
        factorial.change_shares(factorial.factorial_swaps(model_of(Cut(leak=leak)), faces())).set_index("part")
        for leak in (0.0, 0.5, 1.0)
    ]
    found = [table["value"][DRIVER_TOTAL] for table in shares]
    assert found[0] == pytest.approx(0, abs=1e-5) and 0.005 < found[1] < found[2] < 0.9
    assert shares[2]["low"][DRIVER_TOTAL] > 0


def test_a_generator_that_never_moves_has_no_shares():
    table = factorial.change_shares(factorial.factorial_swaps(model_of(Cut(gain=0.0)), faces()))
    assert table["value"].isna().all() and table["reference"].notna().all()


def test_without_noise_the_clean_frames_take_the_place_of_the_noisy_ones():
    noisy = replace(faces(), onset_clean=faces().onset // 2, apex_clean=faces().apex // 2)
    clean = factorial.without_noise(noisy)
    np.testing.assert_array_equal(clean.onset, noisy.onset_clean)
    np.testing.assert_array_equal(clean.apex, noisy.apex_clean)
