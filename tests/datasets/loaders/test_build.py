"""Each row of a table is kept with valid frame numbers, or reported with a reason."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfdtcmen.datasets.loaders.build import build_manifest
from lfdtcmen.datasets.loaders.tree import Tree
from lfdtcmen.datasets.people import find_alike
from tests.datasets.layouts import touch_frames


def as_table(*rows):
    table = pd.DataFrame(rows, columns=["subject", "clip", "onset", "apex", "offset", "emotion"], dtype=str)
    return table.set_axis(range(2, 2 + len(rows)))


def test_one_person_is_one_subject_and_clips_are_unique(tmp_path):
    tree = Tree(touch_frames(tmp_path, range(10)))
    table = as_table(
        ["Anna", "x", "1", "2", "", "fear"],
        [" anna", "x", "2", "3", "", "fear"],
        ["ANNA", "X", "3", "4", "", "fear"],
        ["set/Anna", "x_2", "4", "5", "", "fear"],
        ["Ben", "y", "5", "6", "", "fear"],
    )
    manifest, _ = build_manifest(table, tree, lambda row: tmp_path, dataset="set", label_map="7class")
    assert manifest["subject"].tolist() == ["set/Anna"] * 4 + ["set/Ben"]
    assert manifest["clip"].tolist() == ["x", "x_2", "X_3", "x_2_2", "y"]


def test_the_same_frames_again_are_left_out_or_noted(tmp_path):
    tree = Tree(touch_frames(tmp_path, range(10)))
    rows = [["a", "x", "1", "2", "9", emotion] for emotion in ("fear", "anger", "anger", "fear", "disgust")]
    rows += [
        ["a", "x", "1.0", "02", "9", "Fear "],
        ["b", "x", "1", "2", "9", "fear"],
        ["a", "x", "1", "2", "8", "fear"],
    ]
    manifest, report = build_manifest(as_table(*rows), tree, lambda row: tmp_path, dataset="set", label_map="7class")
    assert dict(zip(report["row"], report["reason"], strict=True)) == {
        4: "duplicate of row 3", 5: "duplicate of row 2", 7: "duplicate of row 2",
        8: "row 2 has the same frames with another subject, set/a",
    }  # fmt: skip
    assert manifest["note"].tolist() == [
        "",
        "row 2 has the same frames with the emotion fear",
        "row 2 has the same frames with the emotion fear; row 3 has the same frames with the emotion anger",
        "",
    ]


def test_nothing_but_bad_rows_is_an_empty_manifest(tmp_path):
    tree = Tree(tmp_path)
    manifest, report = build_manifest(
        as_table(["Anna", "x", "", "2", "", "fear"]), tree, lambda row: tmp_path, dataset="set", label_map="raw"
    )
    assert (len(manifest), report["reason"].tolist()) == (0, ["onset is missing"])
    manifest, report = build_manifest(as_table(), tree, lambda row: tmp_path, dataset="set", label_map="3class")
    assert (len(manifest), len(report)) == (0, 0)


@pytest.mark.parametrize("spot_apex", [False, True])
@settings(max_examples=100)
@given(
    interval=st.tuples(*[st.integers(0, 12) | st.none()] * 3),
    present=st.sets(st.integers(0, 10), min_size=1),
)
def test_any_interval_is_kept_in_order_or_left_out(tmp_path_factory, spot_apex, interval, present):
    root = tmp_path_factory.mktemp("interval")
    tree = Tree(touch_frames(root, present))
    cells = ["" if number is None else str(number) for number in interval]
    manifest, report = build_manifest(
        as_table(["a", "x", *cells, "fear"]),
        tree,
        lambda row: root,
        dataset="set",
        label_map="3class",
        spot_apex=spot_apex,
    )
    assert len(manifest) + len(report) == 1
    onset, apex, offset = interval
    simple = onset in present and apex in present and offset in present and onset < apex <= offset
    if simple:
        row = manifest.iloc[0]
        assert [row["onset"], row["apex"], row["offset"], row["note"]] == [*interval, ""]
    if len(manifest):
        row = manifest.iloc[0]
        assert row["onset"] in present
        assert (row["apex"] is pd.NA and spot_apex) or row["apex"] in present
        assert row["offset"] is pd.NA or row["onset"] <= row["offset"] <= max(present)
        if row["apex"] is pd.NA:
            end = max(present) if offset is None or offset < onset else offset  # one before the onset is left empty
            assert any(onset < number <= end for number in present)  # there is something to look through


def load(tmp_path, *subjects, folders=(), **options):
    """Return the subjects of rows with frames of their own, the report and the remarks."""
    for name in (*folders, "frames"):
        touch_frames(tmp_path / name, range(100))
    rows = [[subject, f"c{i}", str(2 * i), str(2 * i + 1), "", "fear"] for i, subject in enumerate(subjects)]
    root = tmp_path / "frames"
    manifest, report = build_manifest(
        as_table(*rows), Tree(tmp_path), lambda row: root, dataset="set", label_map="3class", **options
    )
    return manifest["subject"].str.removeprefix("set/").tolist(), report, manifest.attrs["remarks"]


@pytest.mark.parametrize(
    "spellings", [("1", "01", "1.0", "1,00", "'001"), ("Zoë", "Zoe\u0308", "ZO\u200bË", "zoë\u00a0")]
)
def test_spellings_of_one_name_are_one_person_and_it_is_said(tmp_path, spellings):
    subjects, report, remarks = load(tmp_path, *spellings)
    assert (set(subjects), len(report)) == ({spellings[0]}, 0)
    assert f"are one subject: {spellings[0]}" in remarks[0]


@pytest.mark.parametrize(
    "pair", [("s1", "s01"), ("sub_01", "sub01"), ("sub01", "1"), ("1E5", "100000"), ("A-B", "a b")]
)
def test_what_may_be_one_person_is_left_out_once_and_said(tmp_path, pair):
    subjects, report, _ = load(tmp_path, pair[0], pair[0], pair[1])
    assert subjects == [pair[0]] * 2
    assert report["row"].tolist() == [4]
    assert f"may be {pair[0]!r} of row 2 in another spelling" in report["reason"][0]


@pytest.mark.parametrize("pair", [("s1", "s01"), ("1", "01")])
def test_two_folders_side_by_side_are_two_people_and_it_is_said(tmp_path, pair):
    subjects, report, remarks = load(tmp_path, *pair, folders=pair)
    assert (subjects, len(report)) == (list(pair), 0)
    assert any("count as 2 people: each has a folder of its own" in remark for remark in remarks)


def test_different_people_are_not_merged(tmp_path):
    people = ["1", "10", "11", "1.1", "s2", "p2", "Ann", "Anna", "1-2", "12"]
    subjects, report, remarks = load(tmp_path, *people)
    # the names differ in more than a spelling, and they lie in one recording: that alone is noted
    assert (subjects, len(report)) == (people, 0)
    assert all("has the same recording" in remark for remark in remarks)


@pytest.mark.parametrize(
    "changed", ["2024-03-04 00:00:00", "4-Mar", "04. Mrz", "Mar-04", "03/04/2024", "1.00E+05", "01:30"]
)
def test_a_name_that_a_spreadsheet_has_made_is_left_out(tmp_path, changed):
    subjects, report, _ = load(tmp_path, "3-4", changed, "5-6")
    assert subjects == ["3-4", "5-6"]
    assert "which a spreadsheet program may have made of a name" in report["reason"][0]


def test_a_name_that_begins_like_a_month_is_none(tmp_path):
    people = ["3-4", "Maria-01", "01-Martin", "Julia-02", "3-Sepp", "Jana-01", "Maya-12"]
    subjects, report, _ = load(tmp_path, *people)
    assert (subjects, len(report)) == (people, 0)


def test_people_who_are_all_named_by_a_date_are_kept(tmp_path):
    dates = ["2024-03-04 00:00:00", "2024-03-05 00:00:00"]
    assert load(tmp_path, *dates)[0] == dates


def test_an_apex_is_spotted_whatever_is_wrong_with_the_offset(tmp_path):
    tree = Tree(touch_frames(tmp_path, range(10)))
    table = as_table(*[["a", "x", "2", "", offset, "fear"] for offset in ("1", "x", "99", "5")])
    manifest, report = build_manifest(
        table, tree, lambda row: tmp_path, dataset="set", label_map="3class", spot_apex=True
    )
    assert manifest["apex"].isna().all()
    assert manifest["offset"].fillna(-1).tolist() == [-1, 5]  # the second and third are duplicates of the first
    assert report["reason"].tolist() == ["duplicate of row 2"] * 2


def test_a_data_set_has_one_name(tmp_path):
    tree = Tree(touch_frames(tmp_path, range(10)))
    table = as_table(["1", "x", "1", "2", "", "fear"], ["1", "y", "3", "4", "", "fear"]).assign(dataset=["A", "a "])
    manifest, _ = build_manifest(table, tree, lambda row: tmp_path, dataset="set", label_map="3class")
    assert manifest["subject"].tolist() == ["A/1", "A/1"]


def test_a_link_to_the_same_frames_is_the_same_clip(tmp_path):
    real = touch_frames(tmp_path / "real", range(9))
    (tmp_path / "link").symlink_to(real)
    table = as_table(*[["a", name, "1", "2", "", "fear"] for name in ("real", "link")])
    _, report = build_manifest(table, Tree(tmp_path), lambda row: tmp_path / row.clip, dataset="s", label_map="3class")
    assert report["reason"].tolist() == ["duplicate of row 2"]


def test_a_formula_is_named_and_no_apex_is_spotted_for_it(tmp_path):
    tree = Tree(touch_frames(tmp_path, range(10)))
    cells = (("1", "=C2+4"), ("=1", "4"), ("1", "#REF!"))
    table = as_table(*[["a", "x", *numbers, "9", "fear"] for numbers in cells])
    manifest, report = build_manifest(
        table, tree, lambda row: tmp_path, dataset="set", label_map="3class", spot_apex=True
    )
    assert len(manifest) == 0
    assert report["reason"].str.contains("is a formula without a value, '[=#]").all()


def test_a_word_that_is_no_emotion_is_left_out_under_raw_too_and_the_reason_says_so(tmp_path):
    tree = Tree(touch_frames(tmp_path, range(10)))
    table = as_table(["a", "x", "1", "2", "", "bored"], ["a", "y", "3", "4", "", "others"])
    manifest, report = build_manifest(table, tree, lambda row: tmp_path, dataset="set", label_map="raw")
    assert manifest["emotion"].tolist() == ["others"]
    assert "unknown emotion 'bored': every label map, raw too, takes" in report["reason"][0]


SPELLINGS = st.sampled_from(
    ["1", "01", "1.0", "s1", "S01", "sub 1", "2", "1E1", "10", "1-2", "1/2/2024", "Anna", "anna "]
)


@settings(max_examples=60)
@given(subjects=st.lists(SPELLINGS, max_size=8))
def test_no_two_subjects_are_alike_without_folders_of_their_own(tmp_path_factory, subjects):
    kept, report, _ = load(tmp_path_factory.mktemp("alike"), *subjects)
    assert len(kept) + len(report) == len(subjects)
    assert find_alike(kept) == []
