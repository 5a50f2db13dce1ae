"""Frames are found whatever the case of their folders' names and however their accents are composed."""

import unicodedata

import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.frames import is_video
from lfdtcmen.datasets.loaders.tables import same_name
from lfdtcmen.datasets.loaders.tree import Tree, only_one
from tests.datasets.layouts import touch_frames


def test_folders_are_found_whatever_the_case_and_the_accents(tmp_path):
    root = tmp_path / "Données 3"
    composed, split = unicodedata.normalize("NFC", "Zoé"), unicodedata.normalize("NFD", "Zoé")
    touch_frames(root / "Part_A" / split / "COLOR", [1])
    touch_frames(root / ".hidden" / "Zoé", [1])
    tree = Tree(root)
    assert same_name(composed.upper()) == same_name(f" {split} ")
    ((name, folders),) = tree.search([composed, "nobody"]).items()
    assert name == same_name("zoé")
    assert folders == [root / "Part_A" / split]
    assert tree.below(root, "part_a", composed, "Color") == root / "Part_A" / split / "COLOR"
    assert tree.below(root, "part_a", "..", "Part_A") is None
    assert only_one(folders, composed) == folders[0]
    with pytest.raises(DataError, match="no folder Zoé"):
        only_one([], "Zoé")


def test_the_exact_name_wins_over_another_case(tmp_path):
    for name in ("Anna", "ANNA"):
        (tmp_path / name).mkdir()
    tree = Tree(tmp_path)
    assert [tree.below(tmp_path, name).name for name in ("ANNA", "Anna")] == ["ANNA", "Anna"]


def test_two_folders_that_differ_in_case_only_are_not_chosen_from(tmp_path):
    for name in ("Anna", "ANNA"):
        touch_frames(tmp_path / name / "a", [1])
    with pytest.raises(DataError, match=r"2 folders are called anna .*ANNA and .*Anna"):
        Tree(tmp_path).below(tmp_path, "anna", "a")


def test_a_folder_of_frames_may_be_named_like_a_video(tmp_path):
    folder = touch_frames(tmp_path / "c.mp4", [1, 2])
    touch_frames(tmp_path / "set.avi" / "d", [5])
    tree = Tree(tmp_path)
    assert list(tree.frames(folder)) == [1, 2]
    assert tree.search(["d"])["d"] == [tmp_path / "set.avi" / "d"]
    assert not is_video(folder)


def test_a_missing_folder_is_said(tmp_path):
    (tmp_path / "file").touch()
    for root in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(DataError, match="no such folder"):
            Tree(root)
