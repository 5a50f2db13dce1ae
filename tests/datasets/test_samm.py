"""SAMM loads as its owners hand it out, each row is kept or reported with a reason, and nothing is written."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfdtcmen import DataError
from lfdtcmen.datasets import samm
from lfdtcmen.datasets.manifest import check_manifest, table1
from tests.datasets import layouts

REASONS = {
    19: "emotion 'others' is no class of 3class",
    20: "onset 1098 comes after apex 1040",
    21: "apex 4960 comes after offset 4945",
    22: "apex is not a frame number ('-1')",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return layouts.write_samm(tmp_path_factory.mktemp("samm"))


def test_clips_labels_subjects_and_paths(tree):
    root, annotation = tree
    before = layouts.snapshot(root.parent)
    manifest, report = samm.load(root.parent, annotation)
    assert dict(zip(manifest["clip"], manifest["label"], strict=True)) == {
        "006_1_2": 0, "006_3_5": 2, "007_6_1": 1, "009_2_1": 0, "011_4_1": 0,
    }  # fmt: skip
    assert manifest["subject"].tolist() == ["samm/006", "samm/006", "samm/007", "samm/009", "samm/011"]
    assert manifest["emotion"].tolist() == ["anger", "surprise", "happiness", "contempt", "disgust"]
    assert manifest["path"].tolist()[:2] == [str(root / "006" / "006_1_2"), str(root / "006" / "006_3_5")]
    assert manifest.loc[0, ["onset", "apex", "offset", "fps"]].tolist() == [5562, 5588, 5632, 200]
    assert manifest["au"].tolist()[:3] == ["4B", "1+2", "12A or AU14"]
    assert len(manifest) + len(report) == len(layouts.SAMM_ROWS)
    assert layouts.snapshot(root.parent) == before


def test_rows_count_as_the_spreadsheet_shows_them_and_have_their_reason(tree):
    _, report = samm.load(*tree)
    reasons = dict(zip(report["row"], report["reason"], strict=True))
    assert reasons.keys() == REASONS.keys()
    for row, reason in REASONS.items():
        assert reason in reasons[row]


def test_an_offset_beyond_the_folder_is_left_empty(tree):
    row = samm.load(*tree)[0].set_index("clip").loc["011_4_1"]
    assert pd.isna(row["offset"])
    assert "offset 6999 is beyond the last frame 6780" in row["note"]


def test_clips_with_a_wrong_apex_are_kept_to_be_spotted(tree):
    manifest, report = samm.load(*tree, spot_apex=True)
    assert set(manifest.loc[manifest["apex"].isna(), "clip"]) == {"028_4_1", "032_3_1", "032_3_2"}
    assert report["row"].tolist() == [19]


def test_other_label_maps_and_table1(tree):
    manifest, _ = samm.load(*tree, label_map="7class")
    assert manifest["label"].tolist() == [5, 3, 0, 2, 1]
    raw, _ = samm.load(*tree, label_map="raw")
    assert table1(raw).loc["samm", ["subjects", "samples", "fps", "contempt", "others"]].tolist() == [5, 6, "200", 1, 1]


def test_a_table_without_its_header_is_refused(tree, tmp_path):
    table = layouts.write_xlsx(tmp_path / "prose.xlsx", [("Facial action units of SAMM",), (None,), ("see the paper",)])
    with pytest.raises(DataError, match=r"no column for subject.*expected subject.*found: Facial action units"):
        samm.load(tree[0], table)
    with pytest.raises(DataError, match=r"annotated clips.*006/006_1_2/006_05562.jpg"):
        samm.load(tmp_path, tree[1])


TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=6)
FRAMES = st.sampled_from(["", "0", "1819", "1829", "1839", "1829.0", "-1", "9999"]) | TEXT
COLUMNS = (
    st.sampled_from(["006", "6", "006.0", "9"]) | TEXT,
    st.sampled_from(["006_3_5", "006_1_2", "006"]) | TEXT,
    TEXT,
    FRAMES,
    FRAMES,
    FRAMES,
    TEXT,
    TEXT,
    TEXT,
    st.sampled_from(["Surprise", "Other", "ANGER", "Repression"]) | TEXT,
    TEXT,
    TEXT,
)


@settings(max_examples=50)
@given(rows=st.lists(st.tuples(*COLUMNS), max_size=8), spot=st.booleans())
def test_any_table_is_loaded_and_no_row_is_lost(tmp_path_factory, rows, spot):
    folder = tmp_path_factory.getbasetemp() / "any samm"
    if not folder.exists():
        folder.mkdir()
        layouts.write_samm(folder, rows=layouts.SAMM_ROWS[:2])
    good = ("006", "006_3_5", "3", "1819", "1829", "1839", "21", "Micro - 1/2", "1+2", "Surprise", "3", "")
    table = layouts.write_csv(folder / "table.csv", [layouts.SAMM_HEADER, good, *rows])
    manifest, report = samm.load(folder, table, spot_apex=spot)
    filled = [number for number, row in enumerate([good, *rows], start=2) if any(cell.strip() for cell in row)]
    assert len(manifest) + len(report) == len(filled)
    assert set(report["row"]) < set(filled)
    assert report["reason"].str.strip().all()
    pd.testing.assert_frame_equal(check_manifest(manifest), manifest)
