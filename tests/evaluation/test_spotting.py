"""Spotting errors become scores with intervals over subjects; intervals become F1."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.evaluation.spotting import (
    choose_threshold,
    interval_scores,
    overlap,
    paired_gains,
    report_counts,
    spotting_counts,
    spotting_f1,
    spotting_scores,
    with_best_share,
)


def test_scores_and_their_intervals():
    scores = spotting_scores([0, 1, -3, 2, 0, 0] * 2, list("aabbccddeeff"))
    assert scores["value"].round(2).tolist() == [1.0, 66.67, 83.33, 100.0]
    assert scores.index.tolist()[1:3] == ["within 1 frame (%)", "within 2 frames (%)"]
    assert (scores["low"] <= scores["value"]).all() and (scores["value"] <= scores["high"]).all()
    assert scores.loc["within 1 frame (%)", "low"] == pytest.approx(100 / 3)  # four of six resampled are b or e
    assert spotting_scores([0, 1, -3, 2, 0, 0] * 2, list("aabbccddeeff")).equals(scores)


@pytest.mark.parametrize(("errors", "subjects"), [([1, 2], ["a"]), ([], []), ([[1, 2]], [["a", "b"]])])
def test_each_clip_has_one_error_and_one_subject(errors, subjects):
    with pytest.raises(DataError, match="give one each"):
        spotting_scores(errors, subjects)
    with pytest.raises(DataError, match="a clip has no error"):
        spotting_scores([0, np.nan], ["a", "b"])


def table(**methods) -> pd.DataFrame:
    rows = [
        {"setting": "easy", "task": "interval known", "subject": k, "method": method, "error": error}
        for method, errors in methods.items()
        for k, error in enumerate(errors)
    ]
    return pd.DataFrame(rows)


def test_gains_are_of_the_same_clips():
    gains = paired_gains(table(pulse=[0, 1, -1, 0, 2, 0, 0], flow=[-3, 4, 2, 3, 5, -3, 3], midpoint=[1] * 7))
    assert gains["method"].tolist() == ["flow", "midpoint"] and gains["clips"].tolist() == [7, 7]
    assert gains["value"].round(3).tolist() == [round((23 - 4) / 7, 3), round(3 / 7, 3)]
    assert gains.loc[0, "low"] > 0  # flow is always farther
    assert gains.loc[1, "low"] < 0 < gains.loc[1, "high"]


def test_several_clips_of_a_person_are_paired_clip_by_clip_and_people_are_resampled():
    one = table(pulse=[0, 1, -1, 0, 2, 0, 0], flow=[-3, 4, 2, 3, 5, -3, 3])
    two = pd.concat([one.assign(clip="a"), one.assign(clip="b")])
    found, both = paired_gains(one), paired_gains(two)
    assert both["clips"].tolist() == [14]
    pd.testing.assert_frame_equal(both.drop(columns="clips"), found.drop(columns="clips"))
    with pytest.raises(DataError, match="several rows of one clip"):
        paired_gains(two.drop(columns="clip"))


def test_clips_are_paired_or_refused():
    with pytest.raises(DataError, match="no error of one method"):
        paired_gains(table(pulse=[0, 1, 2], flow=[1, 2]))
    with pytest.raises(DataError, match="no method 'pulse'"):
        paired_gains(table(flow=[1, 2]))


def test_the_best_share_is_the_median_of_other_clips_and_looks_at_no_frame():
    def clips(apexes: list[int], onset: int) -> pd.DataFrame:  # ten frames from onset to offset; the midpoint is 5
        rows = {"method": "midpoint", "onset": onset, "offset": onset + 10, "error": 5 - np.array(apexes)}
        return pd.DataFrame(rows | {"setting": "easy", "task": "interval known", "subject": range(len(apexes))})

    found = with_best_share(clips([3, 8], 7), clips([2, 4, 4, 9], 20))
    assert found[found["method"] == "best share"]["error"].tolist() == [1, -4]  # reported: 0.4 of the way
    assert len(found) == 4 and paired_gains(found, "midpoint")["value"].tolist() == [0.0]


def test_the_overlap_counts_both_ends():
    found = [[2, 5], [2, 5], [2, 5], [2, 5], [0, 9]]
    true = [[2, 5], [4, 7], [6, 9], [np.nan, np.nan], [4, 4]]
    assert overlap(found, true).tolist() == [1, 2 / 6, 0, 0, 0.1]


@pytest.mark.parametrize("found", [[[5, 2]], [[1, 2, 3]], [[1, 2], [1, 2]]])
def test_what_is_no_interval_is_refused(found):
    with pytest.raises(DataError, match="first and last frame"):
        overlap(found, [[1, 2]])


def test_f1_counts_a_report_that_is_too_far_off_twice():
    overlaps, shown, reported = [0.5, 0.49, 0.9, 0, 0], [1, 1, 1, 0, 0], [1, 1, 0, 1, 0]
    counts = spotting_counts(overlaps, shown, reported)
    assert counts.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert spotting_f1(counts.sum(0)) == 2 / (2 + 2 + 2)
    assert spotting_f1(np.array([[3, 0, 0], [0, 0, 0]])).tolist() == [1, 0]


def reports() -> pd.DataFrame:
    """Four expressions and two faces at rest: contrasts of 1 to 6; those of contrast 3 and 2 are found elsewhere."""
    rows = pd.DataFrame({"subject": range(6), "contrast": [6.0, 5, 4, 3, 2, 1], "onset": 10, "offset": 19})
    rows["error"] = [0, 1, np.nan, 30, 30, np.nan]
    rows["onset error"] = [0, 2, np.nan, 30, 30, np.nan]
    return rows.assign(**{"offset error": rows["onset error"]}, method="pulse")


def test_what_is_reported_depends_on_the_threshold():
    assert report_counts(reports(), 4).sum(0).tolist() == [2, 1, 2]
    assert report_counts(reports(), 0).sum(0).tolist() == [2, 4, 2]
    always = reports().assign(contrast=np.nan)
    assert report_counts(always, 99).tolist() == report_counts(reports(), 0).tolist()


def test_the_threshold_with_the_highest_f1_is_chosen():
    threshold, curve = choose_threshold(reports())
    assert curve.index.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert threshold == 5 and curve.loc[5, "F1"] == 4 / 6 and curve["F1"].max() == 4 / 6
    assert curve["false alarms"].tolist() == [1, 1, 0.5, 0.5, 0.5, 0, 0]
    _, curve = choose_threshold(reports().dropna())
    assert (curve["false alarms"] == 0).all()


def test_interval_scores_have_a_row_for_each_method():
    both = pd.concat([reports(), reports().assign(method="midpoint", contrast=np.nan)])
    scores = interval_scores(both, {"pulse": 5.0, "midpoint": 5.0})
    assert scores.loc["pulse", ["F1", "found", "false alarms"]].tolist() == [4 / 6, 0.5, 0]
    assert scores.loc["midpoint", ["F1", "found", "false alarms"]].tolist() == [4 / 10, 0.5, 1]
    assert (scores["low"] <= scores["F1"]).all() and (scores["F1"] <= scores["high"]).all()
    assert interval_scores(reports().dropna(), {"pulse": 5.0})["false alarms"].isna().all()
