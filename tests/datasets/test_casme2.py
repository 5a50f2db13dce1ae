"""CASME II loads as its owners hand it out, each row is kept or reported with a reason, and nothing is written."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfdtcmen import DataError
from lfdtcmen.datasets import casme2
from lfdtcmen.datasets.manifest import check_manifest
from tests.datasets import layouts

KEPT = {  # clip -> class, as layouts.CASME2_ROWS says
    "sub01_EP02_01f": 1, "sub01_EP19_05f": 0, "sub02_EP13_04": 2, "sub03_EP07_04": 0, "sub05_EP09_05f": 0,
    "sub16_EP01_08": 0, "sub17_EP15_01": 0, "sub24_EP02_07": 0,
}  # fmt: skip
REASONS = {
    6: "emotion 'others' is no class",
    7: "apex is missing",
    9: "apex 78 comes after offset 71",
    13: "no folder sub26/EP15_02",
    14: "frame 100 is missing",
    15: "duplicate of row 2",
    16: "onset 30 comes after apex 20",
}


@pytest.fixture(scope="module", params=["raw", "cropped"])
def tree(request, tmp_path_factory):
    return layouts.write_casme2(tmp_path_factory.mktemp("CASME II"), cropped=request.param == "cropped")


def test_clips_labels_subjects_and_paths(tree):
    root, annotation = tree
    before = layouts.snapshot(root.parent)
    manifest, report = casme2.load(root, annotation)
    assert dict(zip(manifest["clip"], manifest["label"], strict=True)) == KEPT
    assert manifest["subject"].tolist()[:3] == ["casme2/sub01", "casme2/sub01", "casme2/sub02"]
    assert manifest["path"].iloc[0] == str(root / "sub01" / "EP02_01f")
    assert manifest.loc[0, ["onset", "apex", "offset", "fps"]].tolist() == [46, 59, 86, 200]
    assert manifest["au"].tolist()[:3] == ["12", "4+L10", "R1+2"]
    assert len(manifest) + len(report) == len(layouts.CASME2_ROWS)
    assert layouts.snapshot(root.parent) == before


def test_each_row_left_out_has_its_reason(tree):
    _, report = casme2.load(*tree)
    reasons = dict(zip(report["row"], report["reason"], strict=True))
    assert reasons.keys() == REASONS.keys()
    for row, reason in REASONS.items():
        assert reason in reasons[row]


def test_what_was_noticed_stands_in_the_note(tree):
    manifest = casme2.load(*tree)[0].set_index("clip")
    assert "apex equals onset" in manifest.loc["sub05_EP09_05f", "note"]
    assert "offset 110 is beyond the last frame 96" in manifest.loc["sub16_EP01_08", "note"]
    assert manifest["offset"].isna().sum() == 1
    assert manifest.loc["sub01_EP02_01f", "note"] == ""


def test_clips_without_an_apex_are_kept_to_be_spotted(tree):
    manifest, report = casme2.load(*tree, spot_apex=True)
    spotted = set(manifest.loc[manifest["apex"].isna(), "clip"])
    assert spotted == {"sub04_EP12_01f", "sub05_EP09_05f", "sub09_EP02_02f", "sub26_EP18_44"}
    assert report["row"].tolist() == [6, 13, 14, 15]


def test_repression_is_negative_and_its_word_is_kept(tree):
    manifest, _ = casme2.load(*tree)
    repressed = manifest[manifest["annotated"] == "repression"]
    assert len(repressed) == 3
    assert set(repressed["emotion"]) == {"negative"}
    assert set(repressed["label"]) == {0}


def test_other_label_maps(tree):
    manifest, report = casme2.load(*tree, label_map="7class")
    assert set(manifest["emotion"]) == {"happiness", "surprise", "disgust", "fear"}
    assert report["reason"].str.contains("no class of 7class").sum() == 4  # 'others' and three times repression
    raw, _ = casme2.load(*tree, label_map="raw")
    assert set(zip(raw["emotion"], raw["label"], strict=True)) == {
        ("disgust", 0), ("fear", 1), ("happiness", 2), ("negative", 3), ("others", 4), ("surprise", 5),
    }  # fmt: skip


def test_what_cannot_be_loaded_at_all_is_said(tree, tmp_path):
    root, annotation = tree
    with pytest.raises(DataError, match=r"no such folder.*nowhere"):
        casme2.load(root / "nowhere", annotation)
    with pytest.raises(DataError, match=r"no such annotation file"):
        casme2.load(root, root / "coding.xlsx")
    with pytest.raises(DataError, match=r"no column for onset.*found: Subject, Filename, Objective Class"):
        table = [("Subject", "Filename", "Objective Class"), (1, "EP02_01f", 3)]
        casme2.load(root, layouts.write_xlsx(tmp_path / "CASME2-ObjectiveClasses.xlsx", table))
    with pytest.raises(DataError, match="unknown label map '5class'"):
        casme2.load(root, annotation, "5class")
    with pytest.raises(DataError, match=r"annotated clips.*expected sub01/EP02_01f/img46.jpg"):
        casme2.load(tmp_path, annotation)


def test_two_versions_below_one_root_are_not_mixed(tmp_path):
    layouts.write_casme2(tmp_path, cropped=True)
    _, annotation = layouts.write_casme2(tmp_path)
    with pytest.raises(DataError, match=r"2 folders are called sub01"):
        casme2.load(tmp_path, annotation)


TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=6)
FRAMES = st.sampled_from(["", "/", "46", "59", "59.0", "86", "90", "-1", "46.5", "1e3"]) | TEXT
COLUMNS = (
    st.sampled_from(["1", "01", "sub01", "2", ""]) | TEXT,
    st.sampled_from(["EP02_01f", "ep02_01F", "EP13_04", "", ".."]) | TEXT,
    st.just(""),
    FRAMES,
    FRAMES,
    FRAMES,
    st.just(""),
    TEXT,
    st.sampled_from(["happiness", "Repression", " disgust ", "others", "tense", ""]) | TEXT,
)


@settings(max_examples=50)
@given(rows=st.lists(st.tuples(*COLUMNS), max_size=8), label_map=st.sampled_from(["3class", "raw"]), spot=st.booleans())
def test_any_table_is_loaded_and_no_row_is_lost(tmp_path_factory, rows, label_map, spot):
    folder = tmp_path_factory.getbasetemp() / "any casme2"
    if not folder.exists():
        layouts.write_casme2(folder, rows=layouts.CASME2_ROWS[:3])
    good = ("1", "EP02_01f", "", "46", "59", "86", "", "12", "happiness")
    table = layouts.write_csv(folder / "table.csv", [[name or "" for name in layouts.CASME2_HEADER], good, *rows])
    manifest, report = casme2.load(folder, table, label_map, spot)
    filled = [number for number, row in enumerate([good, *rows], start=2) if any(cell.strip() for cell in row)]
    assert len(manifest) + len(report) == len(filled)
    assert set(report["row"]) < set(filled)
    assert report["reason"].str.strip().all()
    assert manifest["clip"].is_unique
    pd.testing.assert_frame_equal(check_manifest(manifest), manifest)
