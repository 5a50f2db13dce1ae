"""The committed notebooks: readable, executed in order, small, and free of what only this machine knows."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest

from lfdtcmen.notebooks import SHOWN_FIGURE, check_parameters

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# nbval compares these cells' output with what is committed; the floor keeps the check from quietly becoming empty
CHECKED_CELLS = 3
MAX_LINES = 25
MAX_BYTES = 1_500_000
ABSOLUTE_PATH = re.compile(r"(?<![\w.])/(?:work|tmp|root|home|Users|mnt|opt|var)/|[A-Z]:\\\\?[A-Za-z]")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def is_checked(cell: nbformat.NotebookNode) -> bool:
    """Whether nbval compares a cell's output: by its tag, or by a comment in notebooks that are older."""
    tagged = "nbval-check-output" in cell.metadata.get("tags", [])
    return tagged or "# NBVAL_CHECK_OUTPUT" in cell.source.splitlines()


def outputs(path: Path) -> list[nbformat.NotebookNode]:
    return [output for cell in code_cells(path) for output in cell.outputs]


def test_the_series_is_there_and_no_number_is_taken_twice():
    numbers = [path.stem.split("_")[0] for path in NOTEBOOKS]
    assert numbers[:7] == [f"{number:02d}" for number in range(7)]  # after the paper's own, numbers are those of a plan
    assert len(set(numbers)) == len(numbers)


@each_notebook
def test_it_opens_with_a_title_and_then_its_parameters(path):
    cells = read(path).cells
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
    tagged = [number for number, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]
    assert tagged == [1]


@each_notebook
def test_parameters_are_flat_literals_and_known_to_papermill(path):
    source = next(cell.source for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", []))
    for statement in ast.parse(source).body:
        assert isinstance(statement, ast.Assign), ast.unparse(statement)
        ast.literal_eval(statement.value)
    check_parameters(path, {"profile": "smoke", "seed": 0, "run_dir": "."})


@each_notebook
def test_it_was_executed_whole_and_in_order_without_an_error(path):
    counts = [cell.execution_count for cell in code_cells(path) if cell.source.strip()]
    assert counts == list(range(1, len(counts) + 1))
    assert not [output for output in outputs(path) if output.output_type == "error"]


@each_notebook
def test_kernel_size_and_metadata_travel(path):
    notebook = read(path)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata and "papermill" not in notebook.metadata
    assert path.stat().st_size < MAX_BYTES


@each_notebook
def test_nothing_in_it_names_a_place_on_one_machine(path):
    texts = [cell.source for cell in read(path).cells]
    for output in outputs(path):
        data = {kind: value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")}
        texts += [output.get("text", ""), json.dumps(data)]
    assert not [line for text in texts for line in text.splitlines() if ABSOLUTE_PATH.search(line)]


@each_notebook
def test_it_shows_a_figure(path):
    data = [output.get("data", {}) for output in outputs(path)]
    assert any("image/png" in kinds or SHOWN_FIGURE.search(kinds.get("text/html", "")) for kinds in data)


@each_notebook
def test_enough_cells_are_compared_by_nbval(path):
    checked = [cell for cell in code_cells(path) if is_checked(cell)]
    assert len(checked) >= CHECKED_CELLS
    silent = [cell.source for cell in checked if not any("text" in str(output) for output in cell.outputs)]
    assert not silent, "a checked cell without text output compares nothing"


@each_notebook
def test_code_cells_are_short(path):
    lines = {cell.source: sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in code_cells(path)}
    assert not [source for source, number in lines.items() if number > MAX_LINES]
