"""Notebook 15 runs the same cells on the reader's CAS(ME)^3 where it is there, else on a synthetic stand-in."""

import ast
from pathlib import Path

import cv2
import nbformat
import pandas as pd
import pytest

from lfdtcmen import DataError, files
from lfdtcmen.datasets.synthetic import make_clip

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "15_your_own_data.ipynb"
SECTION = "## 10. The licensed sets, or your own"
HEADER = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]


def run_section(**given) -> dict:
    """Run the section's cells, after the set-up and what earlier cells import and define; return the variables."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    first = next(k for k, cell in enumerate(cells) if cell.source.startswith(SECTION))
    last = next(k for k in range(first + 1, len(cells)) if cells[k].source.startswith("## "))
    before, section = ([c.source for c in part if c.cell_type == "code"] for part in (cells[:first], cells[first:last]))
    parameters, _, setup, *earlier = before  # the second one sets up Google Colab
    reused = (ast.Import, ast.ImportFrom, ast.FunctionDef)
    needed = [node for source in earlier for node in ast.parse(source).body if isinstance(node, reused)]
    variables: dict = {}
    exec(parameters, variables)
    variables.update(profile="smoke", **given)
    for source in (setup, ast.unparse(ast.Module(needed, [])), *section):
        exec(source, variables)
    return variables


def write_tree(root: Path) -> Path:
    """Write two people's recordings, cut to one micro-expression each, and their table as csv; return the table."""
    rows = []
    for subject, emotion, word in ((11, "happiness", "happy"), (12, "surprise", "surprise")):
        clip = make_clip(1, subject, preset="easy", emotion=emotion)
        times = [clip.onset + 101, clip.apex + 101, clip.offset + 101]
        folder = root / "Part_A_ME_clip" / "frame" / f"spNo.{subject}_c_{times[0]}"
        folder.mkdir(parents=True)
        for number, frame in enumerate(clip.frames, start=101):
            cv2.imwrite(str(folder / f"{number}.jpg"), cv2.resize(frame, (256, 256))[..., ::-1])
        rows.append([f"spNO.{subject}", "c", *times, "12", "I", word])
    rows.append(["spNO.13", "a", 1, 2, 3, "4", "IV", "anger"])  # no folder
    rows.append(["spNO.11", "c", 1, 2, 3, "4", "IV", "others"])
    table = root / "my table.csv"
    pd.DataFrame(rows, columns=HEADER).to_csv(table, index=False, sep=";")
    return table


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A clone without data: the notebook's working folder, and data/casme3 beside it."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setattr(files, "clone_dir", lambda: tmp_path)
    return tmp_path / "data" / "casme3"


def check_own(variables: dict) -> None:
    assert variables["yours"]
    assert variables["manifest"]["clip"].str.match(r"spNO\.1[12]_c_1\d\d$").all() and len(variables["manifest"]) == 2
    assert variables["report"]["row"].tolist() == [4, 5]
    assert variables["prepared"].subjects.tolist() == ["casme3/spNO.11", "casme3/spNO.12"]
    assert variables["ours"].index.tolist() == ["yours"]


def test_without_data_it_runs_on_the_stand_in_and_says_so(beside, capsys):
    variables = run_section()
    said = capsys.readouterr().out
    assert not variables["yours"] and "synthetic stand-in" in said and "YOUR" not in said
    reasons = " ".join(variables["report"]["reason"])
    for quirk in ("is missing", "comes after apex", "'others'"):
        assert quirk in reasons
    notes = " ".join(variables["manifest"]["note"])
    assert "beyond the last frame" in notes and "apex equals onset" in notes
    assert len(variables["manifest"]) + len(variables["report"]) == 10
    assert len(variables["failures"]) == 0 and len(variables["prepared"]) == 6
    assert not beside.exists()  # nothing is written beside the notebooks


def test_with_data_root_and_annotation_it_runs_on_those(beside, tmp_path, capsys):
    table = write_tree(tmp_path / "my data")
    table = table.rename(tmp_path / "elsewhere.csv")
    check_own(run_section(data_root=str(tmp_path / "my data"), annotation=str(table)))
    said = capsys.readouterr().out
    assert "YOUR data" in said and "stand-in" not in said
    assert str(tmp_path) not in said


def test_data_that_lie_in_data_casme3_are_found(beside):
    write_tree(beside)
    check_own(run_section())


def test_a_folder_without_a_table_is_named_and_not_replaced_by_the_stand_in(beside, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="annotation"):
        run_section(data_root=str(tmp_path / "empty"))
