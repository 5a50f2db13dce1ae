"""Each row of a table is kept with valid frame numbers, or reported with a reason."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfdtcmen.datasets.loaders.build import build_manifest
from lfdtcmen.datasets.loaders.tree import Tree
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
        ["Ben", "y", "4", "5", "", "fear"],
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
        4: "duplicate of row 3", 5: "duplicate of row 2", 7: "duplicate of row 2"
    }  # fmt: skip
    assert manifest["note"].tolist() == [
        "",
        "row 2 has the same frames with the emotion fear",
        "row 2 has the same frames with the emotion fear; row 3 has the same frames with the emotion anger",
        "",
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
@settings(max_examples=200, deadline=None)
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
            end = max(present) if offset is None else offset
            assert any(onset < number <= end for number in present)  # there is something to look through
