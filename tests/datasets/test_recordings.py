"""Recordings that stand in for a reader's own: what is written can be read, and nothing moves that should not."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets import casme3, folder
from lfdtcmen.datasets.frames import read_frames, video_info
from lfdtcmen.datasets.synthetic import draw_face, warp_photograph
from lfdtcmen.datasets.synthetic.recordings import (
    EVERYDAY,
    PART,
    everyday_film,
    photograph_film,
    write_casme3,
    write_recordings,
    write_video,
)
from lfdtcmen.preprocessing.align import CANONICAL


def test_two_films_of_a_seed_differ_by_their_muscles_alone():
    face, level = draw_face(2), np.array([0.0, 0.5, 1.0])
    still, heads = photograph_film(face, CANONICAL, {}, level, seed=1)
    smile, same_heads = photograph_film(face, CANONICAL, {12: 2.0}, level, seed=1)
    assert still.shape == (3, 128, 128, 3) and heads.shape == (3, 2, 3)
    np.testing.assert_array_equal(heads, same_heads)
    np.testing.assert_array_equal(still[0], smile[0])
    changed = np.abs(smile[2].astype(int) - still[2]).mean(2) > 5
    moved = np.hypot(*warp_photograph(face, CANONICAL, {12: 2.0})[1]) > 0.5
    assert changed.any() and not changed[:40].any() and moved[changed].mean() > 0.5


def test_frames_of_a_film_can_be_rendered_alone():
    face, level = draw_face(2), np.array([0.0, 0.5, 1.0])
    _, heads = photograph_film(face, CANONICAL, {12: 2.0}, level)
    two, their_heads = photograph_film(face, CANONICAL, {12: 2.0}, level, shown=(0, 2))
    assert len(two) == 2
    np.testing.assert_array_equal(their_heads, heads[[0, 2]])


def test_a_video_has_its_frames_red_first_and_a_folder_that_is_missing_is_named(tmp_path):
    frames = np.zeros((4, 64, 64, 3), np.uint8)
    frames[..., 0] = 200
    file = write_video(tmp_path / "red.mp4", frames, fps=25)
    assert video_info(file) == (4, 25.0)
    read = np.stack([frame for _, frame in read_frames(file)])
    assert read[..., 0].mean() > 150 and read[..., 2].mean() < 50
    with pytest.raises(DataError, match="cannot be written"):
        write_video(tmp_path / "missing" / "red.mp4", frames)


def test_an_everyday_film_moves_in_each_part_where_it_should():
    frames, parts = everyday_film()
    assert len(frames) == 5 * PART and list(parts) == [*EVERYDAY, "faint surprise"]
    grey = frames.mean(3)
    where = {"talk": np.s_[170:230, 90:166], "blink": np.s_[85:120, 60:196], "nod": np.s_[130:165, 100:156]}
    change = {name: np.abs(grey[first : last + 1] - grey[first]).max(0) for name, (first, last) in parts.items()}
    for name, box in where.items():
        assert change[name][box].mean() > 2 * change["rest"][box].mean(), name


def test_recordings_are_what_the_loader_reads_with_two_rows_of_no_use(tmp_path):
    table = write_recordings(tmp_path / "mine", people=2)
    three, left_out = folder.load(table.parent, table, "3class")
    assert len(three) == 9 and three["label"].value_counts().to_dict() == {0: 5, 1: 2, 2: 2}  # with the wall
    assert len(left_out) == 9 and left_out["reason"].str.contains("'others'").sum() == 8
    assert left_out["reason"].str.contains("frame 25 is missing").sum() == 1
    four, _ = folder.load(table.parent, table, "4class")
    assert {clip.split("_")[1] for clip in four.loc[four["label"] == 3, "clip"]} == set(EVERYDAY)
    again = write_recordings(tmp_path / "again", people=2)
    assert again.read_bytes() == table.read_bytes()
    first = pd.read_csv(table)["path"][0]
    files = [sorted((path.parent / first).glob("*.jpg")) for path in (table, again)]
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]]


def test_the_stand_in_has_the_slips_of_the_real_table(tmp_path):
    manifest, report = casme3.load(tmp_path / "casme3", write_casme3(tmp_path / "casme3"), "3class")
    assert len(manifest) == 7 and len(report) == 3
    reasons, notes = " ".join(report["reason"]), " ".join(manifest["note"])
    assert all(slip in reasons for slip in ("is missing", "comes after apex", "'others'"))
    assert all(slip in notes for slip in ("beyond the last frame", "apex equals onset"))
