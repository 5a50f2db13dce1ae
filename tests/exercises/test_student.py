"""Student copies: the stub in place of each solution, nothing of it anywhere, and a copy that runs."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lfdtcmen import DataError
from lfdtcmen.exercises import student

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9]*.ipynb"))
SOLVED = [path for path in NOTEBOOKS if student.BEGIN in path.read_text(encoding="utf-8")]
FUNCTION = '''\
def pixels_seen(strides):
    """Return what a position sees."""
    # BEGIN SOLUTION
    steps = [math.prod(strides[:k]) for k in range(len(strides))]
    seen_pixels = 1 + 2 * sum(steps)
    # END SOLUTION
    return seen_pixels'''


def tagged(cell, *tags):
    cell.metadata["tags"] = list(tags)
    return cell


def solved() -> nbformat.NotebookNode:
    """Return a notebook with a set-up, a solution, its check and a model answer, executed."""
    solution = tagged(new_code_cell(FUNCTION), "solution")
    solution.metadata["note"] = "steps = [math.prod(strides[:k]) for k in range(len(strides))]"
    check = new_code_cell('check("02.1", pixels_seen)', execution_count=3)
    check.outputs = [new_output("stream", text="steps = [math.prod(strides[:k]) for k in range(len(strides))]")]
    cells = [
        new_markdown_cell("# A title"),
        tagged(new_code_cell("profile = None"), "parameters"),
        new_code_cell("import math\nfrom lfdtcmen.exercises import check, hint"),
        solution,
        check,
        new_markdown_cell("**Open.** Why one batch?"),
        tagged(new_markdown_cell("Because two batches have two means."), "solution"),
    ]
    notebook = new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.metadata["answers"] = "Because two batches have two means."
    return notebook


def test_the_body_becomes_an_error_and_the_rest_stays():
    copy = student.student_copy(solved())
    assert copy.cells[3].source == (
        'def pixels_seen(strides):\n    """Return what a position sees."""\n'
        '    raise NotImplementedError("your code here")\n    return seen_pixels'
    )
    assert copy.cells[6].source == student.ANSWER
    assert [cell.metadata.get("tags") for cell in copy.cells] == [
        None,
        ["parameters"],
        None,
        ["exercise"],
        None,
        None,
        ["exercise"],
    ]
    assert not [cell for cell in copy.cells if cell.get("outputs") or cell.get("execution_count")]


def test_no_line_of_a_solution_is_in_the_copy_nor_in_its_outputs_or_metadata():
    text = json.dumps(student.student_copy(solved()))
    assert student.solution_lines(solved()) == {
        "steps = [math.prod(strides[:k]) for k in range(len(strides))]",
        "seen_pixels = 1 + 2 * sum(steps)",
        "Because two batches have two means.",
    }
    assert not [line for line in student.solution_lines(solved()) if line in text]


def test_a_line_that_another_cell_or_another_notebook_shows_is_refused(tmp_path):
    telling = new_notebook(
        cells=[new_markdown_cell("Write `steps = [math.prod(strides[:k]) for k in range(len(strides))]` first.")]
    )
    for name, notebook in (("02_solved.ipynb", solved()), ("03_telling.ipynb", telling)):
        nbformat.write(notebook, tmp_path / name)
    with pytest.raises(DataError, match=r"math.prod.*03_telling\.ipynb, cell 0"):
        student.write_student_copies(sorted(tmp_path.glob("*.ipynb")), tmp_path / "student")
    assert not (tmp_path / "student").exists()


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return 12",
        "def f():\n    # BEGIN SOLUTION\n    return 12",
        "def f():\n    return 12\n    # END SOLUTION",
        "# BEGIN SOLUTION\nanswer = 12\n# END SOLUTION",
        "def f():\n    # BEGIN SOLUTION\n    # BEGIN SOLUTION\n    return 12\n    # END SOLUTION",
    ],
)
def test_markers_that_do_not_fit_are_refused(source):
    with pytest.raises(DataError, match="solution"):
        student.student_copy(new_notebook(cells=[tagged(new_code_cell(source), "solution")]))


def test_a_solution_without_the_tag_is_refused():
    with pytest.raises(DataError, match="tag"):
        student.student_copy(new_notebook(cells=[new_code_cell(FUNCTION)]))


def errors_of(notebook: nbformat.NotebookNode) -> list[str]:
    """Execute a notebook to its end, and return the names of its errors."""
    NotebookClient(notebook, timeout=600, kernel_name="python3", allow_errors=True).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.ename for output in outputs if output.output_type == "error"]


def test_in_the_copy_only_an_undone_exercise_stops_a_cell():
    copy = student.student_copy(solved())
    copy.cells.append(new_code_cell("pixels_seen([1])"))
    assert errors_of(copy) == ["NotImplementedError"]
    assert "not done yet" in copy.cells[4].outputs[0].text


def test_in_the_solved_notebook_the_check_is_satisfied():
    notebook = solved()
    assert errors_of(notebook) == []
    assert notebook.cells[4].outputs[0].text == "02.1: right.\n"


def test_the_command_writes_a_copy_of_each_notebook(tmp_path, capsys):
    (tmp_path / "notebooks").mkdir()
    nbformat.write(solved(), tmp_path / "notebooks" / "02_some.ipynb")
    arguments = ["--notebooks", str(tmp_path / "notebooks"), "--to", str(tmp_path / "student")]
    assert student.main(arguments) == 0
    assert nbformat.read(tmp_path / "student" / "02_some.ipynb", as_version=4).cells[6].source == student.ANSWER
    (tmp_path / "notebooks" / "02_some.ipynb").write_text("{")
    assert student.main(arguments) == 2
    assert capsys.readouterr().err.startswith("error: the notebook cannot be read")


def test_the_series_makes_student_copies_from_which_nothing_leaks(tmp_path):
    copies = student.write_student_copies(NOTEBOOKS, tmp_path)
    lines = {line for path in NOTEBOOKS for line in student.solution_lines(nbformat.read(path, as_version=4))}
    for path in copies:
        strings = json.dumps(nbformat.read(path, as_version=4), ensure_ascii=False)
        escaped = [json.dumps(line, ensure_ascii=False)[1:-1] for line in lines]
        assert not [line for line in escaped if line in strings], path.name


def test_a_student_copy_of_the_series_runs_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_PROFILE", "smoke")
    monkeypatch.setenv("LFDTCMEN_RUNS", str(tmp_path / "runs"))
    short = [path for path in SOLVED if path.stem == "05_confusion_matrices"]  # it trains nothing
    (path,) = student.write_student_copies(short, tmp_path)
    assert set(errors_of(nbformat.read(path, as_version=4))) <= {"NotImplementedError"}
