"""SMIC loads from its folders alone and from SMIC-E's table, and its clips wait for their apex."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfdtcmen import DataError
from lfdtcmen.datasets import smic
from tests.datasets import layouts

KEPT = {"s1_ne_01": 0, "s1_po_01": 1, "s2_sur_01": 2, "s12_po_01": 1}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """HS, and NIR with one clip less."""
    folder = tmp_path_factory.mktemp("smic")
    layouts.write_smic(folder, "NIR", rows=layouts.SMIC_ROWS[1:])
    return layouts.write_smic(folder)[0]


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    return layouts.write_smic_e(tmp_path_factory.mktemp("smic-e"))


def test_clips_come_from_the_folders(folders):
    before = layouts.snapshot(folders)
    manifest, report = smic.load(folders)
    assert dict(zip(manifest["clip"], manifest["label"], strict=True)) == KEPT
    row = manifest.set_index("clip").loc["s1_ne_01"]
    assert row["subject"] == "smic/s01"
    assert row["path"] == str(folders / "HS" / "s1" / "micro" / "negative" / "s1_ne_01")
    assert row[["onset", "offset", "fps"]].tolist() == [559700, 559712, 100]
    assert manifest["apex"].isna().all()
    assert manifest["note"].str.contains("to be spotted").all()
    assert report["clip"].tolist() == ["s18_sur_03"]
    assert "no numbered images" in report["reason"].item()
    assert layouts.snapshot(folders) == before


def test_one_camera_is_taken_and_sets_the_frame_rate(folders):
    assert set(smic.load(folders)[0]["fps"]) == {100}  # HS, though NIR is there as well
    near_infrared, _ = smic.load(folders / "NIR")
    assert set(near_infrared["fps"]) == {25}
    assert "s1_ne_01" not in set(near_infrared["clip"])


def test_two_versions_below_one_root_are_not_chosen_from(tmp_path):
    raw, _ = layouts.write_smic(tmp_path)
    shutil.copytree(raw, tmp_path / "SMIC_all_cropped")
    with pytest.raises(DataError, match="2 folders are called s1"):
        smic.load(tmp_path)
    assert len(smic.load(raw)[0])


def test_the_table_of_smic_e_says_where_in_the_clip(extended):
    root, annotation = extended
    manifest, report = smic.load(root, annotation)
    assert dict(zip(manifest["clip"], manifest["label"], strict=True)) == KEPT
    row = manifest.set_index("clip").loc["s1_po_01"]
    assert row[["onset", "offset"]].tolist() == [701850, 701860]
    assert "the first of several micro-expressions" in row["note"]
    assert row["path"] == str(root / "s01" / "s1_po_01")
    assert manifest["note"].str.contains("first of several").sum() == 1
    assert list(zip(report["row"], report["reason"], strict=True)) == [(6, "there is no folder s18/s18_sur_03")]


def test_the_table_fits_the_short_clips_too(folders, extended):
    manifest, _ = smic.load(folders, extended[1])
    assert dict(zip(manifest["clip"], manifest["label"], strict=True)) == KEPT


def test_the_emotion_is_in_the_name_where_the_table_has_none(extended, tmp_path):
    root, _ = extended
    rows = [("Subject", "Filename", "OnsetF", "OffsetF"), (2, "s2_sur_01", 90860, 90871)]
    assert smic.load(root, layouts.write_csv(tmp_path / "t.csv", rows))[0]["emotion"].tolist() == ["surprise"]


def test_apexes_that_somebody_added_are_taken(extended, tmp_path):
    root, _ = extended
    rows = [
        ("Subject", "Filename", "OnsetF", "ApexF", "OffsetF"),
        (1, "s1_ne_01", 559700, 559705, 559712),
        (2, "s2_sur_01", 90860, "", 90871),
    ]
    table = layouts.write_csv(tmp_path / "t.csv", rows)
    manifest, report = smic.load(root, table)
    assert manifest["apex"].tolist() == [559705]
    assert report["reason"].tolist() == ["apex is missing"]
    assert len(smic.load(root, table, spot_apex=True)[0]) == 2


def test_what_cannot_be_loaded_at_all_is_said(extended, tmp_path):
    root, annotation = extended
    with pytest.raises(DataError, match=r"no folders s1, s2.*expected HS/s1/micro/negative"):
        smic.load(tmp_path)
    with pytest.raises(DataError, match="SMIC-E needs its annotation table"):
        smic.load(root)
    with pytest.raises(DataError, match="unknown label map"):
        smic.load(root, annotation, "emotions")
    with pytest.raises(DataError, match=r"no column for onset, offset"):
        smic.load(root, layouts.write_csv(tmp_path / "t.csv", [("Subject", "Filename"), (1, "s1_ne_01")]))


TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=6)
FRAMES = st.sampled_from(["", "90855", "90860", "90871", "90999", "-1"]) | TEXT
COLUMNS = (
    st.sampled_from(["1", "s01", "2", "s2"]) | TEXT,
    st.sampled_from(["s1_ne_01", "s2_sur_01", "S2_SUR_01"]) | TEXT,
    FRAMES,
    FRAMES,
    FRAMES,
    st.sampled_from(["surprise", "negative"]) | TEXT,
)


@settings(max_examples=50)
@given(rows=st.lists(st.tuples(*COLUMNS), max_size=8), spot=st.booleans())
def test_any_table_is_loaded_and_no_row_is_lost(tmp_path_factory, rows, spot):
    folder = tmp_path_factory.getbasetemp() / "any smic"
    if not folder.exists():
        layouts.write_smic_e(folder, rows=layouts.SMIC_ROWS[:3])
    header = ("Subject", "Filename", "OnsetF", "OffsetF", "Onset2F", "Emotion")
    good = ("2", "s2_sur_01", "90860", "90871", "", "surprise")
    table = layouts.write_csv(folder / "table.csv", [header, good, *rows])
    manifest, report = smic.load(folder, table, spot_apex=spot)
    filled = [number for number, row in enumerate([good, *rows], start=2) if any(cell.strip() for cell in row)]
    assert len(manifest) + len(report) == len(filled)
    assert set(report["row"]) < set(filled)
    assert report["reason"].str.strip().all()
    assert manifest["apex"].isna().all()


def test_two_folders_of_one_subject_are_not_chosen_from(tmp_path):
    root, _ = layouts.write_smic(tmp_path)
    shutil.copytree(root / "HS" / "s1", root / "HS" / "s01")
    manifest, report = smic.load(root)
    assert "smic/s01" not in set(manifest["subject"])
    assert report["reason"].str.contains("2 folders are called s01").sum() == 4
