"""DFME's parts are read by folders and columns of several spellings, and a clip of another part is never taken."""

import time

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfdtcmen import DataError
from lfdtcmen.datasets import dfme
from lfdtcmen.datasets.frames import list_frames
from lfdtcmen.datasets.manifest import LABEL_MAPS, check_manifest, table1
from tests.datasets.layouts import DFME_HEADER, DFME_ROWS, snapshot, touch_frames, write_csv, write_dfme, write_xlsx


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return write_dfme(tmp_path_factory.mktemp("dfme"))


def test_every_row_of_the_quirky_table(tree):
    before = snapshot(tree[0])
    manifest, report = dfme.load(*tree)
    assert snapshot(tree[0]) == before
    expected = {number: outcome for number, (_, outcome) in enumerate(DFME_ROWS, start=2)}
    reasons = {number: outcome for number, outcome in expected.items() if isinstance(outcome, str)}
    assert dict(zip(report["row"], report["reason"], strict=True)) == reasons
    kept = [outcome for outcome in expected.values() if not isinstance(outcome, str)]
    assert list(zip(manifest["emotion"], manifest["label"], strict=True)) == [outcome[:2] for outcome in kept]
    assert [note in found for found, (_, _, note) in zip(manifest["note"], kept, strict=True)] == [True] * 7


def test_names_numbers_and_paths(tree):
    manifest, _ = dfme.load(*tree)
    assert manifest["subject"].tolist()[:3] == ["dfme/sub0003", "dfme/sub0003", "dfme/sub0007"]
    assert manifest["clip"][3] == "SUB0007_02"
    assert manifest["path"][3] == str(tree[0] / "train_data" / "sub0007_02")
    assert manifest.loc[0, ["onset", "apex", "offset"]].tolist() == [0, 25, 59]
    assert list_frames(manifest["path"][0])[0].name == "00000.png"
    assert manifest["au"].tolist()[:3] == ["12", "4+9", "R14"]
    row = table1(manifest, "7class").loc["dfme"]
    assert (row["subjects"], row["samples"], row["fps"], row["left out"]) == (4, 7, "200", 0)


@pytest.mark.parametrize(
    ("part", "folder"),
    [
        ("train", "DFME_Train"),
        ("train", "frames"),
        ("train", "Training/all"),
        ("test_a", "test_A_data"),
        ("test_a", "TestA"),
        ("test_b", "test_B_data/test_B_data"),
        ("test_b", "DFME-test-b"),
        ("test_b", "train and test/test_B"),  # the nearest folder counts
    ],
)
def test_parts_are_found_by_the_names_of_their_folders(tmp_path, part, folder):
    root, table = write_dfme(tmp_path / "data", folder)
    assert len(dfme.load(root, table, part=part)[0]) == 7
    wrong = "test_a" if part != "test_a" else "train"
    if folder == "frames":
        assert len(dfme.load(root, table, part=wrong)[0]) == 7  # nothing tells
    else:
        with pytest.raises(DataError, match=f"which is not part {wrong}"):
            dfme.load(root, table, part=wrong)


def test_clips_of_one_name_in_two_parts_are_told_apart(tmp_path):
    write_dfme(tmp_path, "train_data")
    root, table = write_dfme(tmp_path, "test_A_data")
    for part, folder in (("train", "train_data"), ("test_a", "test_A_data")):
        manifest, _ = dfme.load(root, table, part=part)
        assert {path.split("/")[-2] for path in manifest["path"]} == {folder}
    write_dfme(tmp_path, "train_cropped")
    with pytest.raises(DataError, match="2 folders are called sub0003_01"):
        dfme.load(root, table, part="train")


def test_columns_in_capitals_in_another_order_beside_others(tree, tmp_path):
    header = [
        "No.",
        "EMOTION",
        "Offset Frame",
        "apexframe",
        "ONSET",
        "filename",
        "SUBJECT",
        "AU1",
        "Part",
        "",
        "remark",
    ]
    rows = [[i, r[5], r[4], r[3], r[2], r[1], r[0], 1, "Part-A" if i else "C", None, "-"] for i, (r, _) in
            enumerate(DFME_ROWS)]  # fmt: skip
    manifest, report = dfme.load(tree[0], write_xlsx(tmp_path / "t.xlsx", [["DFME, release 2"], header, *rows]))
    expected, left_out = dfme.load(*tree)
    assert manifest["path"].tolist() == expected["path"].tolist()
    assert manifest["fps"].tolist() == [200, *[500] * 6]
    assert report["row"].tolist() == [row + 1 for row in left_out["row"]]  # one line of title


def test_fps_is_the_column_then_the_recording_set_then_the_common_one(tree, tmp_path):
    cells = [("300", "C"), ("", "Part-B"), ("?", "c"), ("", ""), ("fast", "A"), ("", "train_data"), ("", "part_a")]
    rows = [["sub0003", f"sub0003_0{1 + i % 2}", i, 25, 59, "fear", *cells[i]] for i in range(len(cells))]
    table = write_csv(tmp_path / "t.csv", [[*DFME_HEADER[:6], "FPS", "part"], *rows])
    manifest, _ = dfme.load(tree[0], table)
    assert manifest["fps"].tolist() == [300, 300, 200, 200, 200, 200, 500]
    assert manifest["note"].str.contains("fps is not a number").tolist() == [False] * 4 + [True] + [False] * 2


@pytest.mark.parametrize("column", ["missing", "empty"])
def test_hidden_labels_are_said(tree, tmp_path, column):
    width = 5 if column == "missing" else 6
    rows = [[*row[:5], ""][:width] for row, _ in DFME_ROWS]
    manifest, report = dfme.load(tree[0], write_csv(tmp_path / "t.csv", [DFME_HEADER[:width], *rows]))
    assert len(manifest) == 0
    assert len(report) == len(rows)
    assert report["reason"].str.contains("test labels are hidden at first").all()


def test_what_does_not_fit_is_said(tree, tmp_path):
    with pytest.raises(DataError, match=r"unknown part 'testA'.*train, test_a, test_b"):
        dfme.load(*tree, part="testA")
    with pytest.raises(DataError, match=r"no column for clip, onset.*clip: clip or filename.*found: Subject, Apex"):
        dfme.load(tree[0], write_csv(tmp_path / "t.csv", [["Subject", "Apex", "Emotion"], ["s", 1, "fear"]]))
    (tmp_path / "videos").mkdir()
    with pytest.raises(DataError, match=r"none of the 10 .*sub0003_01.*expected train_data/.*found there: videos"):
        dfme.load(tmp_path, tree[1])


def test_spotting_keeps_the_row_whose_onset_comes_late(tree):
    manifest, report = dfme.load(*tree, spot_apex=True)
    assert manifest.loc[manifest["apex"].isna(), "clip"].tolist() == ["sub0011_03"]
    assert report["row"].tolist() == [9, 11, 12]


def test_thousands_of_rows_are_read_in_seconds(tmp_path):
    emotions = LABEL_MAPS["7class"]
    rows = []
    for i in range(4000):
        clip = f"sub{i // 8:04d}_{i % 8:02d}"
        touch_frames(tmp_path / "train_data" / clip, (0, 5, 9), "{:05d}.png")
        rows.append([clip[:7], clip, 0, 5, 9, emotions[i % 7], ""])
    table = write_csv(tmp_path / "t.csv", [DFME_HEADER, *rows])
    start = time.perf_counter()
    manifest, report = dfme.load(tmp_path, table)
    seconds = time.perf_counter() - start
    assert (len(manifest), len(report)) == (4000, 0)
    assert seconds < 4  # about one on an idle core


CELL = st.one_of(
    st.integers(-3, 70).map(str), st.sampled_from(["", "/", "?", "nan", "12.0", "12,5", "..", "."]), st.text(max_size=4)
)
ROW = st.tuples(
    st.sampled_from(["sub0003", "SUB0003", "sub0007 "]) | CELL,
    st.sampled_from(["sub0003_01", "SUB0007_02", "sub0011_99"]) | CELL,
    CELL,
    CELL,
    CELL,
    st.sampled_from(["Fear", "contempt ", "others", "happy", "negative"]) | CELL,
    CELL,
    CELL,
)


@settings(max_examples=50)
@given(rows=st.lists(ROW, max_size=12), spot_apex=st.booleans(), label_map=st.sampled_from(["3class", "7class", "raw"]))
def test_no_table_crashes_and_no_row_is_dropped_without_a_reason(tree, rows, spot_apex, label_map):
    rows = [[cell.strip() for cell in row] for row in rows]
    good = [[*DFME_ROWS[0][0], "300"]]
    table = write_csv(tree[0].parent / "random.csv", [[*DFME_HEADER, "fps"], *good, *rows], encoding="utf-8-sig")
    manifest, report = dfme.load(tree[0], table, label_map=label_map, spot_apex=spot_apex)
    assert len(manifest) + len(report) == 1 + sum(any(row) for row in rows)
    assert (report["reason"].str.len() > 0).all()
    assert manifest["clip"].is_unique
    pd.testing.assert_frame_equal(check_manifest(manifest), manifest)
    assert table1(manifest)["samples"].sum() == len(manifest)
