"""The paper's figures fit together."""

import pytest

from lfdtcmen.paper import numbers


def test_derived_scores_agree_with_every_stated_difference():
    scores = numbers.scores().set_index("model")
    assert scores.loc["LFD-TCMEN", ["UF1", "UAR"]].tolist() == pytest.approx([0.5868, 0.6012])
    assert scores.loc["HTNet", ["UF1", "UAR"]].tolist() == pytest.approx([0.5767, 0.5415])
    assert scores.loc["Micro-BERT", ["UF1", "UAR"]].tolist() == pytest.approx([0.5604, 0.6125])
    assert scores.loc["RCN", ["UF1", "UAR"]].tolist() == pytest.approx([0.3928, 0.3893])
    assert scores.loc["AlexNet", ["UF1", "UAR"]].tolist() == pytest.approx([0.2570, 0.2634])


def test_every_score_says_where_it_comes_from():
    assert set(numbers.scores()["provenance"]) == {"stated", "derived"}
    assert numbers.differences()["where"].str.len().gt(0).all()


def test_stated_rates_of_a_class_sum_to_one_at_most():
    for data in numbers.RECALL.values():
        for rates in data.values():
            assert 0 < sum(rates.values()) <= 1 + 1e-9
