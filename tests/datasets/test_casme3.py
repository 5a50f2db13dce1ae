"""CAS(ME)^3 is read in both layouts with every quirk of its table, and no row is lost without a reason."""

import time

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfdtcmen import DataError
from lfdtcmen.datasets import casme3
from lfdtcmen.datasets.frames import frame_names, list_frames
from lfdtcmen.datasets.loaders import tree as loaders_tree
from lfdtcmen.datasets.manifest import LABEL_MAPS, check_manifest, table1
from tests.datasets.layouts import (
    CASME3_HEADER,
    CASME3_ROWS,
    snapshot,
    touch_frames,
    write_casme3_cut,
    write_casme3_whole,
    write_csv,
    write_xlsx,
)


@pytest.fixture(scope="module", params=[write_casme3_whole, write_casme3_cut])
def tree(request, tmp_path_factory):
    """Root and table, in one layout after the other."""
    return request.param(tmp_path_factory.mktemp("CAS ME³ Daten") / "part one")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_casme3_whole(tmp_path_factory.mktemp("casme3"))


def write_table(folder, *rows):
    return write_csv(folder / "table.csv", [CASME3_HEADER, *rows])


def test_every_row_of_the_quirky_table(tree):
    before = snapshot(tree[0])
    manifest, report = casme3.load(*tree)
    assert snapshot(tree[0]) == before  # nothing is written below the root

    expected = {number: outcome for number, (_, outcome) in enumerate(CASME3_ROWS, start=2)}
    reasons = {number: outcome for number, outcome in expected.items() if isinstance(outcome, str)}
    assert report["row"].tolist() == list(reasons)
    for found, reason in zip(report["reason"], reasons.values(), strict=True):
        assert reason in found
    kept = [outcome for outcome in expected.values() if not isinstance(outcome, str)]
    assert manifest["emotion"].tolist() == [emotion for emotion, _, _ in kept]
    assert manifest["label"].tolist() == [label for _, label, _ in kept]
    for found, (_, _, note) in zip(manifest["note"], kept, strict=True):
        assert note in found
        assert bool(note) == bool(found)


def test_names_numbers_and_paths(tree):
    manifest, _ = casme3.load(*tree)
    assert set(manifest["subject"]) == {"casme3/spNO.1", "casme3/spNO.2", "casme3/spNO.13"}
    assert manifest["clip"].is_unique
    assert manifest["clip"][:4].tolist() == ["spNO.1_a_46", "spNO.1_a_70", "spNO.1_b_10", "spNO.2_a_5"]
    assert manifest["clip"].iloc[-1] == "spNO.1_a_46_2"  # the same frames again, named apart
    assert manifest.loc[0, ["onset", "apex", "offset"]].tolist() == [46, 50, 60]
    assert manifest.loc[5, ["onset", "apex", "offset"]].tolist() == [1, 3, 8]  # from "1.0", "3.0", "8.0"
    assert manifest.loc[3, "offset"] is pd.NA  # was 3460
    assert set(manifest["fps"]) == {30}
    assert manifest["au"][:4].tolist() == ["4", "R2+R1", "T28+14", "26+25"]
    assert pd.isna(manifest["au"][4])
    for row in manifest.itertuples():
        frames = list_frames(row.path)
        assert row.onset in frames
        assert row.apex in frames
        assert {file.suffix for file in frames.values()} == {".jpg"}  # colour, not depth


def test_the_two_layouts_give_the_same_manifest(tmp_path):
    one, left_one = casme3.load(*write_casme3_whole(tmp_path / "one"))
    two, left_two = casme3.load(*write_casme3_cut(tmp_path / "two"))
    assert one["path"][0].endswith("part_A/spNO.1/a/color")
    assert two["path"][0].endswith("Part_A_ME_clip/frame/spNo.1_a_46")
    pd.testing.assert_frame_equal(one.drop(columns="path"), two.drop(columns="path"))
    assert left_one["row"].tolist() == left_two["row"].tolist()


@pytest.mark.parametrize("below", ["", "part_A", "nearest"])
def test_any_folder_above_the_clips_is_a_root(tmp_path, below):
    root, table = write_casme3_whole(tmp_path / "data")
    expected = casme3.load(root, table)[0]
    root = tmp_path if below == "nearest" else root / below
    pd.testing.assert_frame_equal(casme3.load(root, table)[0], expected)


def test_spotting_keeps_the_rows_without_a_usable_apex(whole):
    default, left_out = casme3.load(*whole)
    manifest, report = casme3.load(*whole, spot_apex=True)
    spotted = manifest[manifest["apex"].isna()]
    assert sorted(spotted["onset"]) == [10, 40, 41, 42, 43, 112]
    assert spotted["note"].str.contains("to be spotted").all()
    assert len(manifest) == len(default) + 5  # one of the six, with apex equal to onset, was kept before
    assert len(report) == len(left_out) - 5
    rest = manifest[manifest["apex"].notna()]
    assert rest["clip"].tolist() == [clip for clip in default["clip"] if clip != "spNO.1_b_10"]


def test_spotting_needs_frames_to_look_through(whole, tmp_path):
    table = write_table(
        tmp_path,
        ["spNO.1", "a", 20, None, 20, "", "", "fear"],
        ["spNO.1", "a", 20, 10, 15, "", "", "fear"],
        ["spNO.1", "a", 20, 10, None, "", "", "fear"],
        ["spNO.1", "a", 20, 20, 20, "", "", "fear"],
        ["spNO.1", "a", 20, None, None, "", "", "fear"],
        ["spNO.1", "a", 100, None, None, "", "", "fear"],
    )
    manifest, report = casme3.load(whole[0], table, spot_apex=True)
    assert report["row"].tolist() == [2, 3, 4, 7]
    assert manifest["apex"].isna().tolist() == [False, True]


def test_label_maps(whole):
    counts = casme3.load(*whole, label_map="7class")[0]["label"].value_counts()
    assert counts.to_dict() == {3: 4, 0: 3, 1: 1, 4: 1, 5: 1, 6: 1}
    raw, report = casme3.load(*whole, label_map="raw")
    assert "others" in set(raw["emotion"])
    names = sorted(set(raw["emotion"]))
    assert raw["label"].tolist() == [names.index(emotion) for emotion in raw["emotion"]]
    assert not report["reason"].str.contains("is no class").any()
    four, _ = casme3.load(*whole, label_map="4class")
    assert LABEL_MAPS["4class"] == ("negative", "positive", "surprise", "others")  # 4.1
    assert four["label"].value_counts()[3] == (raw["emotion"] == "others").sum() == 1
    three, _ = casme3.load(*whole, label_map="3class")
    assert four.loc[four["label"] < 3, ["clip", "label"]].values.tolist() == three[["clip", "label"]].values.tolist()
    own, report = casme3.load(*whole, label_map="7class_casme3")
    assert [LABEL_MAPS["7class_casme3"][label] for label in own["label"]] == own["emotion"].tolist()
    assert len(own) == len(raw) and not report["reason"].str.contains("is no class").any()
    with pytest.raises(DataError, match=r"unknown label map '5class'.*3class, 4class, 7class, 7class_casme3, raw"):
        casme3.load(*whole, label_map="5class")


def test_the_published_counts_of_the_three_classes(tmp_path):
    classes = ["disgust"] * 250 + ["fear"] * 86 + ["anger"] * 64 + ["sad"] * 57 + ["happy"] * 55 + ["surprise"] * 187
    emotions = classes + ["others"] * 161
    rows = []
    for i, emotion in enumerate(emotions):
        subject, recording = f"spNO.{1 + i % 100}", "abcdefghi"[i // 100]
        touch_frames(tmp_path / "part_A" / subject / recording / "color", [10, 14, 20])
        rows.append([subject, recording, 10, 10 if i < 27 else 14, 20, "4", "IV", emotion])
    table = write_xlsx(tmp_path / "table.xlsx", [CASME3_HEADER, *rows], "label")
    start = time.perf_counter()
    manifest, report = casme3.load(tmp_path, table)
    assert time.perf_counter() - start < 3
    row = table1(manifest, "3class").loc["casme3"]
    assert row.to_dict() == {
        "subjects": 100, "samples": 699, "fps": "30", "negative": 457, "positive": 55, "surprise": 187, "left out": 0
    }  # fmt: skip
    assert len(report) == 161
    assert manifest["note"].str.startswith("apex equals onset").sum() == 27


def test_each_folder_is_listed_once(whole, monkeypatch):
    listed = []
    monkeypatch.setattr(loaders_tree, "frame_names", lambda path: listed.append(path) or frame_names(path))
    casme3.load(*whole)
    assert len(listed) == len(set(listed)) == 5


def test_recordings_without_a_colour_folder_and_in_two_halves(tmp_path):
    touch_frames(tmp_path / "part_A_1" / "spno.1" / "A", range(1, 9))
    touch_frames(tmp_path / "part_A_2" / "SPNO.2" / "b" / "Color", range(1, 9), "frame {:04d}.PNG")
    table = write_table(tmp_path, ["spNO.1", "a", 1, 3, 8, "", "", "fear"], ["spNO.2", "b", 1, 3, 8, "", "", "fear"])
    manifest, _ = casme3.load(tmp_path, table)
    assert [path.rpartition("part_A_")[2] for path in manifest["path"]] == ["1/spno.1/A", "2/SPNO.2/b/Color"]


def test_what_cannot_be_told_apart_is_said(tmp_path):
    for copy in ("part_A", "backup"):
        touch_frames(tmp_path / copy / "spNO.1" / "a" / "color", range(1, 9))
    touch_frames(tmp_path / "part_A" / "spNO.1" / "b" / "color", range(1, 9))
    table = write_table(tmp_path, ["spNO.1", "a", 1, 3, 8, "", "", "fear"], ["spNO.1", "b", 1, 3, 8, "", "", "fear"])
    manifest, report = casme3.load(tmp_path, table)
    assert manifest["clip"].tolist() == ["spNO.1_b_1"]
    assert "2 folders are called spNO.1/a" in report["reason"][0]


def test_what_does_not_fit_at_all_is_said(whole, tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        casme3.load(tmp_path / "nothing", whole[1])
    with pytest.raises(DataError, match="no such annotation file"):
        casme3.load(whole[0], tmp_path / "nothing.xlsx")
    with pytest.raises(DataError, match=r"no column for apex, emotion.*found: Subject, Filename, Onset"):
        casme3.load(whole[0], write_csv(tmp_path / "t.csv", [["Subject", "Filename", "Onset"], ["spNO.1", "a", 1]]))
    (tmp_path / "holiday").mkdir()
    with pytest.raises(DataError, match=r"none of the 22 annotated clips was found.*expected part_A.*there: holiday"):
        casme3.load(tmp_path, whole[1])


CELL = st.one_of(
    st.integers(-3, 120).map(str),
    st.sampled_from(["", "/", "?", "nan", "12.0", "12,5", "1e3", "9" * 30, "color", "..", "x" * 300, "ä\0b"]),
    st.text(max_size=4),
)
ROW = st.tuples(
    st.sampled_from(["spNO.1", "spno.2", "spNO.13", " spNO.13", "spNO.9"]) | CELL,
    st.sampled_from(["a", "b", "d"]) | CELL,
    CELL,
    CELL,
    CELL,
    CELL,
    CELL,
    st.sampled_from(["disgust", "Happy", "others", "sad ", "surprise", "confused"]) | CELL,
)


@settings(max_examples=50)
@given(rows=st.lists(ROW, max_size=12), spot_apex=st.booleans(), label_map=st.sampled_from(["3class", "7class", "raw"]))
def test_no_table_crashes_and_no_row_is_dropped_without_a_reason(whole, rows, spot_apex, label_map):
    rows = [[cell.replace("\0", "").strip() for cell in row] for row in rows]
    good = [["spNO.1", "a", 46, 50, 60, "4", "IV", "disgust"]]  # so that something is found
    table = write_table(whole[0] / "random", *good, *rows)
    manifest, report = casme3.load(whole[0], table, label_map=label_map, spot_apex=spot_apex)
    assert len(manifest) + len(report) == 1 + sum(any(row) for row in rows)
    assert (report["reason"].str.len() > 0).all()
    assert report["row"].is_unique
    assert manifest["clip"].is_unique
    assert manifest["label"].notna().all()
    if not spot_apex:
        assert manifest["apex"].notna().all()
    pd.testing.assert_frame_equal(check_manifest(manifest), manifest)
    assert table1(manifest)["samples"].tolist() == [len(manifest)]
