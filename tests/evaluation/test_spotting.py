"""Spotting errors become scores with intervals over subjects."""

import pytest

from lfdtcmen import DataError
from lfdtcmen.evaluation.spotting import spotting_scores


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
