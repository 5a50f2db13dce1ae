"""The paper's figures fit together."""

import re
from pathlib import Path

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


def test_prior_work_is_named_and_whoever_tells_the_size_of_dfme_gives_both_numbers():
    assert "10.7717/peerj-cs.1140" in "".join(numbers.READING_NOTES)
    root = Path(__file__).parents[2]
    texts = [root / "README.md", root / "RESPONSIBLE_USE.md", root / "data" / "README.md"]
    texts += [*(root / "lfdtcmen").rglob("*.py"), *(root / "notebooks").glob("*.ipynb")]
    told = {}
    for file in texts:
        for line in file.read_text(encoding="utf-8").splitlines():
            if "<td>" in line or "DFME, paper" in line:  # a table of what the paper says
                continue
            numbers_told = re.findall(r"(?<![\w.,/+])(?:656|671)(?!\.?\w)", line if len(line) < 1000 else "")
            if found := {*numbers_told}:
                told[f"{file.name}: {line.strip()[:120]}"] = found
    assert len(told) >= 4 and all(found == {"656", "671"} for found in told.values()), told


def test_table_1_has_the_stated_counts_and_is_silent_where_the_text_is():
    table = numbers.data_sets()
    casme3 = table.loc["CAS(ME)^3 Part A, paper"]
    counts = ["negative", "positive", "surprise", "left out"]
    assert casme3[["subjects", "samples", "fps", *counts]].tolist() == [100, 860, "30", 457, 55, 187, 161]
    assert casme3[counts].sum() == casme3["samples"]
    assert table.loc["DFME test A, paper", "samples"] == 474
    assert table.loc["DFME test A, paper", "subjects"] is None
