"""Each method spots each clip, in both tasks; errors count from the true frames."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen.baselines import spotting
from lfdtcmen.baselines.spotting import METHODS, contrast, learn, spot_clip, training_features


@pytest.fixture(scope="module")
def examples() -> list[tuple[np.ndarray, int]]:
    return [training_features(1, subject) for subject in range(2)]


@pytest.fixture(scope="module")
def rows(examples) -> dict[str, pd.DataFrame]:
    learned = learn(examples)
    return {setting: pd.DataFrame(spot_clip(setting, 1, 3, learned)) for setting in ("easy", "no expression")}


def test_a_clip_has_a_row_of_each_method_and_task(rows):
    known, whole = (rows["easy"][rows["easy"]["task"] == task] for task in ("interval known", "nothing known"))
    assert tuple(known["method"]) == METHODS
    assert whole["method"].tolist() == ["pulse", "flow", "difference", "LBP", "midpoint"]
    assert abs(known.set_index("method").loc["pulse", "error"]) <= 1
    assert whole[["error", "onset error", "offset error"]].notna().all(axis=None)
    assert known["contrast"].isna().all() and whole["contrast"].notna().sum() == 4


def test_a_clip_without_expression_has_no_errors_but_a_contrast(rows):
    resting = rows["no expression"]
    assert set(resting["task"]) == {"nothing known"} and resting["error"].isna().all()
    assert resting["contrast"].notna().sum() == 4
    assert list(resting) == list(rows["easy"])  # one table holds both


def test_the_contrast_is_the_height_in_spreads_of_the_other_frames():
    curve = np.array([0, 2, 0, 2, 1, 6, 5, 1, 0, 2.0])
    assert contrast(curve, 4, 5, 7) == pytest.approx(5 / np.std([0, 2, 0, 2, 0, 2]))
    assert contrast(curve, 0, 5, 9) == 0  # no other frames


def test_the_fixed_interval_is_about_the_presets(examples):
    seconds = np.mean([len(features) - 1 for features, _ in examples]) / 30
    assert seconds == pytest.approx(spotting.BEFORE + spotting.AFTER, abs=0.1)
