"""What the experiments share: no job twice, no row twice, no rows of other settings, and branches on any device."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.training import LFDTCMENClassifier
from tests.device.stand_in import stand_in
from tests.scripts import EXPERIMENTS, load_script
from tests.training.conftest import config, pairs, repaired  # noqa: F401


@pytest.fixture
def common():
    return load_script(EXPERIMENTS / "common.py")


def test_rows_of_a_job_that_comes_again_stand_once(common, tmp_path):
    first = pd.DataFrame({"job": [1, 1], "value": [0.25, 0.5]})
    common.append_rows(tmp_path / "t.csv", first)
    common.append_rows(tmp_path / "t.csv", first)  # it was killed before it was recorded as done
    common.append_rows(tmp_path / "t.csv", first.assign(job=2))
    assert pd.read_csv(tmp_path / "t.csv")["job"].tolist() == [1, 1, 2, 2]
    assert common.finished_jobs(tmp_path / "t.csv", ["job"]) == {(1,), (2,)}
    assert common.finished_jobs(tmp_path / "none.csv", ["job"]) == set()


def test_a_table_of_other_columns_and_a_job_of_other_settings_are_refused(common, tmp_path):
    table = tmp_path / "costs.csv"
    common.append_rows(table, pd.DataFrame({"variant": ["paper"], "seed": 0, "epochs": 1}))
    with pytest.raises(DataError, match="an earlier version made it"):
        common.finished_jobs(table, ["variant", "fold"])
    done = common.finished_jobs(table, ["variant", "seed", "epochs"])
    common.check_same_settings([("paper", 0, 1), ("paper", 1, 2)], done, 2, table)
    with pytest.raises(DataError, match=r"paper, 0 was run with 1, not 2 .*give another --out"):
        common.check_same_settings([("paper", 0, 2)], done, 2, table)


def test_a_branch_predicts_on_the_device_as_on_the_processor(common, pairs, repaired, tmp_path):  # noqa: F811
    train, test = pairs.subset(range(0, len(pairs) - 4)), pairs.subset(range(len(pairs) - 4, len(pairs)))
    branches = [
        common.Branch(LFDTCMENClassifier(repaired, tmp_path / place, method=EXTENDED), "motion")
        for place in ("here", "device")
    ]
    here = branches[0](train, test, 0)
    with stand_in() as device:
        there = branches[1](train, test, 0)
        assert device.waits
    np.testing.assert_allclose(here.sum(1), 1, atol=1e-5)
    assert there.shape == here.shape
