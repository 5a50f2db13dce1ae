"""The composite takes the clips of MEGC 2019 from the three sets, and says of each other row why it is out."""

import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets import megc
from lfdtcmen.datasets.manifest import check_manifest, table1
from tests.datasets import layouts


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("megc")
    written = {
        "casme2": layouts.write_casme2(folder / "casme2"),
        "samm": layouts.write_samm(folder),
        "smic": layouts.write_smic(folder),
    }
    return {name: root for name, (root, _) in written.items()}, {name: table for name, (_, table) in written.items()}


def test_the_list_of_casme2_clips_has_the_published_size():
    assert sum(len(clips.split()) for clips in megc.CASME2_CLIPS.values()) == 145
    assert len(megc.CASME2_CLIPS) == 24
    assert all(len(set(clips.split())) == len(clips.split()) for clips in megc.CASME2_CLIPS.values())


def test_three_sets_become_one(sets):
    manifest, report = megc.load(*sets)
    check_manifest(manifest)
    counts = table1(manifest, "3class")[["subjects", "samples", "negative", "positive", "surprise", "left out"]]
    assert counts.loc["casme2"].tolist() == [4, 5, 3, 1, 1, 0]
    assert counts.loc["samm"].tolist() == [4, 5, 3, 1, 1, 0]
    assert counts.loc["smic"].tolist() == [3, 4, 1, 2, 1, 0]
    assert manifest["subject"].nunique() == 11
    assert manifest["clip"].is_unique
    rows = len(layouts.CASME2_ROWS) + len(layouts.SAMM_ROWS) + len(layouts.SMIC_ROWS)
    assert len(manifest) + len(report) == rows
    assert report.groupby("dataset").size().to_dict() == {"casme2": 10, "samm": 4, "smic": 1}


def test_only_listed_clips_of_casme2_are_in(sets):
    manifest, report = megc.load(*sets)
    reasons = report[report["dataset"] == "casme2"].set_index("row")["reason"]
    outside = reasons[reasons.str.startswith("not in the composite")]
    assert outside.index.tolist() == [6, 7, 8, 9, 11, 12, 13]
    assert outside[12] == "not in the composite (annotated as disgust)"
    assert "frame 100 is missing" in reasons[14]  # in the composite, but not on this disk
    assert not manifest["clip"].isin(["sub24_EP02_07", "sub17_EP15_01"]).any()


def test_repression_is_negative(sets):
    manifest, _ = megc.load(*sets)
    repressed = manifest[manifest["annotated"] == "repression"]
    assert repressed["clip"].tolist() == ["sub01_EP19_05f", "sub16_EP01_08"]
    assert set(repressed["label"]) == {0}
    assert manifest["annotated"].notna().all()


def test_wrong_apexes_of_samm_are_kept_to_be_spotted(sets):
    manifest, report = megc.load(*sets, spot_apex=True)
    assert {"028_4_1", "032_3_1", "032_3_2"} <= set(manifest["clip"])
    assert report[report["dataset"] == "samm"]["row"].tolist() == [19]


def test_none_of_casme2_in_the_composite(sets, tmp_path):
    roots, tables = sets
    table = layouts.write_csv(
        tmp_path / "others.csv",
        [("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Estimated Emotion"),
         (3, "EP08_1", 5, 9, 12, "others")],
    )  # fmt: skip
    manifest, report = megc.load(roots, {**tables, "casme2": table})
    assert set(manifest["dataset"]) == {"samm", "smic"}
    assert report["reason"].iloc[0] == "not in the composite (annotated as others)"


def test_what_is_not_given_is_named(sets):
    roots, tables = sets
    with pytest.raises(DataError, match=r"needs root\['smic'\]"):
        megc.load({name: roots[name] for name in ("casme2", "samm")}, tables)
    with pytest.raises(DataError, match=r"needs annotation\['samm'\]"):
        megc.load(roots, {"casme2": tables["casme2"]})
    with pytest.raises(DataError, match="no label map '7class'"):
        megc.load(roots, tables, "7class")
