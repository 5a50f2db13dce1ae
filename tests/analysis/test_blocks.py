"""DCI of blocks, against computations by hand."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.analysis.blocks import block_dci, block_informativeness

BLOCKS = ("id(apex)", "mo(apex)")


def matrix(subject: tuple[float, float], units: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame([subject, units], index=["subject", "action units"], columns=BLOCKS)


def dci(informativeness: pd.DataFrame) -> pd.Series:
    return block_dci(informativeness).set_index(["metric", "part"])["value"]


def test_two_blocks_with_a_factor_each_are_fully_disentangled():
    assert dci(matrix((0.9, 0), (0, 0.2))).to_numpy() == pytest.approx(1)


def test_two_blocks_that_hold_the_same_are_not_at_all():
    assert dci(matrix((0.5, 0.5), (0.5, 0.5))).to_numpy() == pytest.approx(0, abs=1e-12)


def test_a_motion_code_that_holds_the_person_as_well():
    found = dci(matrix((1.0, 0.75), (0.0, 0.25)))
    entropy = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))  # of the motion block, in bits
    assert found["disentanglement", "id(apex)"] == pytest.approx(1)
    assert found["disentanglement", "mo(apex)"] == pytest.approx(1 - entropy)
    assert found["disentanglement", "all blocks"] == pytest.approx((1 + 1 - entropy) / 2)
    shares = np.array([1, 0.75]) / 1.75
    assert found["completeness", "subject"] == pytest.approx(1 + (shares * np.log2(shares)).sum())
    assert found["completeness", "action units"] == pytest.approx(1)


def test_a_block_that_holds_nothing_has_no_score_and_no_weight():
    found = dci(matrix((0.8, 0), (0, 0)))
    assert np.isnan(found["disentanglement", "mo(apex)"]) and np.isnan(found["completeness", "action units"])
    assert found["disentanglement", "all blocks"] == pytest.approx(1)


def probe_rows() -> pd.DataFrame:
    rows = [
        ("subject", "id(apex)", 0.9, 0.1),
        ("subject", "mo(apex)", 0.28, 0.1),
        ("action units", "id(apex)", -0.02, 0.0),
        ("action units", "mo(apex)", 0.3, 0.0),
        ("emotion", "id(apex)", 0.5, 0.5),
        ("emotion", "mo(apex)", 0.75, 0.5),
    ]
    table = pd.DataFrame(rows, columns=["metric", "part", "value", "shuffled level"])
    linear = table.assign(positions="all", probe="linear")
    return pd.concat([linear, linear.assign(probe="kernel", value=0.0), linear.assign(positions="mean", value=0.0)])


def test_informativeness_is_what_a_probe_adds_to_chance():
    found = block_informativeness(probe_rows())
    assert found.loc["subject"].to_numpy() == pytest.approx([0.8 / 0.9, 0.2])
    assert found.loc["action units"].to_numpy() == pytest.approx([0, 0.3])
    assert found.loc["emotion"].to_numpy() == pytest.approx([0, 0.5])
    assert dci(found)["completeness", "action units"] == pytest.approx(1)


def test_a_block_that_nobody_has_probed_is_refused():
    with pytest.raises(DataError, match="mo\\(onset\\)' has not been probed"):
        block_informativeness(probe_rows(), blocks=("id(apex)", "mo(onset)"))
