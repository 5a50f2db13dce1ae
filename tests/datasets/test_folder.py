"""A course's own recordings, folders of frames and videos, become a manifest like the published sets."""

import os

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfdtcmen import DataError
from lfdtcmen.datasets import folder
from lfdtcmen.datasets.frames import read_frames
from lfdtcmen.datasets.loaders import tree as tree_module
from lfdtcmen.datasets.manifest import check_manifest, table1
from tests.datasets.layouts import snapshot, touch_frames, write_csv, write_video

HEADER = ["subject", "clip", "onset", "apex", "offset", "fps", "emotion", "au", "path"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two videos and two folders of frames, with names as people give them."""
    root = tmp_path_factory.mktemp("own") / "Kurs 2024 Gesichter"
    write_video(root / "Zoë" / "lächeln 1.MP4", 20, 25)
    write_video(root / "b.avi", 10, 60)
    touch_frames(root / "Zoë" / "frames 2", range(100, 120), "IMG_{:04d}.PNG")
    touch_frames(root / "Ben", [1, 2, 3, 5, 8], "{}.jpg")
    (root / "notes.txt").write_text("not a recording")
    (root / "broken.mp4").write_bytes(b"no video")
    (root / "empty").mkdir()
    return root


def write_table(tmp_path, *rows, header=HEADER):
    return write_csv(tmp_path / "annotation.csv", [header, *rows])


def test_videos_and_folders_in_one_table(root, tmp_path):
    before = snapshot(root)
    table = write_table(
        tmp_path,
        ["Zoë", "smile", 0, 8, 15, "", "happiness", "12", "Zoë/lächeln 1.MP4"],
        ["Zoë", "frown", 100, 110, 119, 30, "anger", "4", "Zoë/frames 2"],
        ["Ben", "start", 1, 5, 8, "", "surprise", "", "Ben"],
        ["ben", "end", 0, 9, "", "", "negative", "", str(root / "b.avi")],
    )
    manifest, report = folder.load(root, table)
    assert snapshot(root) == before
    assert report.empty
    assert set(manifest["dataset"]) == {"Kurs 2024 Gesichter"}
    assert manifest["subject"].tolist() == [f"Kurs 2024 Gesichter/{name}" for name in ("Zoë", "Zoë", "Ben", "Ben")]
    assert manifest["clip"].tolist() == ["smile", "frown", "start", "end"]
    assert manifest["label"].tolist() == [1, 0, 2, 0]
    assert manifest["fps"][:2].tolist() == [25, 30]
    assert pd.isna(manifest["fps"][2])
    assert manifest["fps"][3] == 60
    assert all(os.path.isabs(path) and os.path.exists(path) for path in manifest["path"])
    ((number, frame),) = read_frames(manifest["path"][0], [manifest["apex"][0]])
    assert number == 8
    assert frame.shape == (32, 32, 3)
    assert table1(manifest, "3class")["fps"].tolist() == ["25, 30, 60"]


def test_paths_as_another_system_writes_them(root, tmp_path):
    paths = [r"zoë\LÄCHELN 1.mp4", "./Ben/", r".\zoe" + "\u0308" + r"\Frames 2", "../Kurs 2024 Gesichter/Ben"]
    paths.append(r"..\Kurs 2024 Gesichter\Ben")
    rows = [["a", f"c{i}", 1, 2, "", "", "fear", "", path] for i, path in enumerate(paths)]
    rows[2][2:4] = [100, 101]
    rows[3][2:4] = [2, 3]
    rows[4][2:4] = [2, 8]
    manifest, report = folder.load(root, write_table(tmp_path, *rows))
    assert report.empty
    assert [os.path.relpath(path, root) for path in manifest["path"]] == [
        "Zoë/lächeln 1.MP4", "Ben", "Zoë/frames 2", "Ben", "Ben"
    ]  # fmt: skip


def test_a_manifest_written_to_a_file_comes_back(root, tmp_path):
    table = write_table(
        tmp_path, ["Ben", "b", 1, 5, "", "", "fear", "1+2", "Ben"], ["Zoë", "z", 100, 101, 119, 30, "others", "", "Ben"]
    )
    manifest, _ = folder.load(root, table, label_map="3class")
    manifest.to_csv(tmp_path / "manifest.csv", index=False)
    again, _ = folder.load(tmp_path, tmp_path / "manifest.csv")
    pd.testing.assert_frame_equal(again.drop(columns="note"), manifest.drop(columns="note"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"path": ""}, "path is missing"),
        ({"path": "Anna"}, "there is no folder or video 'Anna'"),
        ({"path": "~$a"}, "there is no folder or video '~$a'"),
        ({"path": "notes.txt"}, "neither a folder nor a video"),
        ({"path": "broken.mp4"}, "cannot be decoded"),
        ({"path": "empty"}, "no numbered images"),
        ({"path": "Ben/1.jpg"}, "neither a folder nor a video"),
        ({"path": "b.avi", "apex": 10, "offset": 12}, "frame 10 is missing (there are 0 to 9)"),
        ({"onset": 4}, "frame 4 is missing"),
        ({"onset": 2, "apex": 1}, "onset 2 comes after apex 1"),
        ({"emotion": "neutral"}, "unknown emotion 'neutral'"),
        ({"subject": " "}, "subject is missing"),
        ({"apex": ""}, "apex is missing"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_with_its_reason(root, tmp_path, changes, reason):
    good = dict(zip(HEADER, ["Ben", "a", 1, 2, 8, 30, "fear", "", "Ben"], strict=True))
    table = write_table(tmp_path, list((good | changes).values()), list(good.values()))
    manifest, report = folder.load(root, table)
    assert len(manifest) == 1
    assert report["row"].tolist() == [2]
    assert reason in report["reason"][0]


def test_without_an_apex_column_the_apex_is_spotted_or_asked_for(root, tmp_path):
    table = write_table(
        tmp_path, ["Ben", "a", 1, "fear", "Ben"], header=["subject", "clip", "onset", "emotion", "path"]
    )
    with pytest.raises(DataError, match="no column for apex"):
        folder.load(root, table)
    manifest, _ = folder.load(root, table, spot_apex=True)
    assert manifest["apex"].isna().all()


def test_several_data_sets_in_one_table(root, tmp_path):
    header = ["dataset", *HEADER]
    rows = [[name, "1", "c", 1, 2, 8, "", "fear", "", "Ben"] for name in ("2023", "2024", "")]
    manifest, _ = folder.load(root, write_table(tmp_path, *rows, header=header))
    assert manifest["subject"].tolist() == ["2023/1", "2024/1", "Kurs 2024 Gesichter/1"]
    assert len(table1(manifest)) == 3


CELL = st.one_of(
    st.integers(-3, 12).map(str),
    st.sampled_from(["", "/", "?", "nan", "2.0", "..", ".", "~", "x" * 300]),
    st.text(max_size=4),
)
ROW = st.tuples(
    st.sampled_from(["Ben", "Zoë"]) | CELL, CELL, CELL, CELL, CELL, CELL,
    st.sampled_from(["fear", "Surprised", "others", "negative"]) | CELL,
    CELL,
    st.sampled_from(["Ben", "b.avi", "empty", "broken.mp4", "Zoë"]) | CELL,
)  # fmt: skip


@settings(max_examples=50)
@given(rows=st.lists(ROW, max_size=12), spot_apex=st.booleans(), label_map=st.sampled_from(["3class", "7class", "raw"]))
def test_no_table_crashes_and_no_row_is_dropped_without_a_reason(root, rows, spot_apex, label_map):
    rows = [[cell.strip() for cell in row] for row in rows]
    good = [["Ben", "a", 1, 2, 8, 30, "fear", "", "Ben"]]
    table = write_table(root.parent, *good, *rows)
    manifest, report = folder.load(root, table, label_map=label_map, spot_apex=spot_apex)
    assert len(manifest) + len(report) == 1 + sum(any(row) for row in rows)
    assert (report["reason"].str.len() > 0).all()
    assert manifest["clip"].is_unique
    pd.testing.assert_frame_equal(check_manifest(manifest), manifest)
    assert table1(manifest)["samples"].sum() == len(manifest)


def test_a_video_of_any_container_and_a_folder_named_like_one(tmp_path):
    root = tmp_path / "set"
    for name in ("a.3gp", "b.recording"):
        write_video(root / "a.mp4", 5, 25).rename(root / name)
    touch_frames(root / "c.mp4", range(5))
    names = ("a.3gp", "b.recording", "c.mp4")
    rows = [["a", name, 0, 3, 4, "", "fear", "", name] for name in names]
    manifest, report = folder.load(root, write_table(tmp_path, *rows))
    assert (manifest["clip"].tolist(), len(report)) == (list(names), 0)


def test_a_rate_that_varies_is_noted(tmp_path, monkeypatch):
    write_video(tmp_path / "a.mkv", 5, 25)
    monkeypatch.setattr(tree_module, "describe_rate", lambda path: "variable frame rate")
    rows = [["a", "x", 0, 3, 4, fps, "fear", "", "a.mkv"] for fps in ("", 25)]
    rows[1][2] = 1
    manifest, _ = folder.load(tmp_path, write_table(tmp_path, *rows))
    assert manifest["note"].tolist() == ["variable frame rate", ""]
