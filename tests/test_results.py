"""Which tables a notebook reads: the reader's own before the shipped ones, and files of one run together."""

import re
from pathlib import Path

import pandas as pd
import pytest

from lfdtcmen import viz
from lfdtcmen.analysis.attribution import MEAN_MAP, UNIFORM_MAP
from lfdtcmen.analysis.swaps import CHANGE_ERROR
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.results import read_table
from lfdtcmen.results import COMMANDS, find

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "experiments" / "results"


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LFDTCMEN_RUNS", str(tmp_path))
    return tmp_path


def write(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("x\n1\n")


def test_the_shipped_run_is_found_from_any_folder(runs, monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    found = find("inflation", "about.json", "apart.csv")
    assert found.folder == SHIPPED / "inflation"
    assert found.origin == "the run that comes with the project (experiments/results/inflation)"
    assert len(pd.read_csv(found.path("apart.csv"))) > 0  # apart.csv.gz


def test_a_shipped_run_of_earlier_faces_says_so(runs):
    place = "experiments/results/without_parts; made with an earlier version of the faces"
    assert find("without_parts", "measures.csv").origin == f"the run that comes with the project ({place})"
    write(runs / "without_parts" / "measures.csv")
    assert find("without_parts", "measures.csv").origin == f"your own run ({runs.as_posix()}/without_parts)"


def test_the_readers_own_run_comes_first(runs):
    write(runs / "coverage" / "coverage.csv")
    found = find("coverage", "coverage.csv")
    assert found.path("coverage.csv") == runs / "coverage" / "coverage.csv"
    assert found.origin == f"your own run ({runs.as_posix()}/coverage)"


def test_a_plain_table_comes_before_a_compressed_one(runs):
    write(runs / "dfme" / "predictions.csv")
    (runs / "dfme" / "predictions.csv.gz").write_bytes(b"old")
    assert find("dfme", "predictions.csv").path("predictions.csv").suffix == ".csv"


def test_files_are_taken_from_one_run(runs):
    write(runs / "mixed" / "predictions.csv")  # but no scores.csv
    assert find("mixed", "predictions.csv").folder == runs / "mixed"
    assert find("mixed", "predictions.csv", "scores.csv").folder == SHIPPED / "mixed"


def test_a_relative_folder_of_runs_starts_at_the_clone(monkeypatch):
    monkeypatch.setenv("LFDTCMEN_RUNS", "experiments/results")
    monkeypatch.chdir(ROOT / "notebooks")
    found = find("recipes", "costs.csv")
    assert found.folder == SHIPPED / "recipes" and found.origin == "your own run (experiments/results/recipes)"


def test_a_missing_table_names_the_command_that_makes_it(runs):
    with pytest.raises(DataError, match=re.escape(COMMANDS["inside"])):
        find("inside", "no_such_table.csv")
    with pytest.raises(DataError, match=r"no long run has the name 'outside'.*use one of: ablations, alignment"):
        find("outside", "no_such_table.csv")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_run_is_shipped_and_explained(name):
    assert any((SHIPPED / name).iterdir())
    assert f"| `{name}` | `{COMMANDS[name]}`" in (ROOT / "experiments" / "README.md").read_text(encoding="utf-8")


def test_each_shipped_run_has_a_command_whose_script_is_there():
    assert sorted(folder.name for folder in SHIPPED.iterdir()) == sorted(COMMANDS)
    for command in COMMANDS.values():
        for script in re.findall(r"python (\S+\.py)", command):
            assert (ROOT / script).is_file()


def test_shipped_tables_have_the_names_that_the_package_writes():
    attribution = read_table(SHIPPED / "inside" / "attribution.csv")
    assert {"", UNIFORM_MAP, MEAN_MAP} <= set(attribution["against"])
    viz.attribution_forest(attribution.head(12))  # raises where a column is missing
    for run in ("disentanglement/measures", "without_parts/measures"):
        table = read_table(SHIPPED / f"{run}.csv")
        assert f"{CHANGE_ERROR}, across identities" in set(table["metric"])
        assert set(table["target"]) <= {"1", "< 1", "-", "chance level"}


@pytest.mark.parametrize("content", ["", "x\n", "x,y\n1,2\n3", '"x\n', "x\n1\n1,2\n"])
def test_a_table_that_is_not_whole_is_one_line(runs, content):
    write(runs / "coverage" / "coverage.csv")
    (runs / "coverage" / "coverage.csv").write_text(content)
    with pytest.raises(DataError, match=r"the table is damaged.*coverage.csv.*make it with"):
        find("coverage", "coverage.csv")


def test_a_compressed_table_or_record_that_is_damaged_is_one_line(runs):
    whole = bytearray((SHIPPED / "dfme" / "predictions.csv.gz").read_bytes())
    (runs / "dfme").mkdir()
    for damaged in (whole[:-100], whole[:2000] + b"x" + whole[2001:], b"nothing"):
        (runs / "dfme" / "predictions.csv.gz").write_bytes(damaged)
        with pytest.raises(DataError, match="the table is damaged"):
            find("dfme", "predictions.csv")
    (runs / "dfme" / "metrics.json").write_text('{"scores": [')
    with pytest.raises(DataError, match="the table is damaged"):
        find("dfme", "metrics.json")
