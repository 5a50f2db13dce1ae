"""Student copies of the notebooks: ``make student``, or ``python -m lfdtcmen.exercises.student``.

A solution is a cell tagged ``solution``. In a code cell, the lines between ``# BEGIN SOLUTION`` and ``# END SOLUTION``
become ``raise NotImplementedError``; all other lines stay. A Markdown cell (the model answer of an open question)
becomes an empty one. Outputs go, since they show what the solutions do.
"""

import argparse
import copy
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from lfdtcmen.errors import DataError, in_one_line
from lfdtcmen.files import atomic_path, make_folder, project_dir

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
STUB = 'raise NotImplementedError("your code here")'
ANSWER = "*Your answer: double-click here.*"
SOLUTION_TAG, EXERCISE_TAG = "solution", "exercise"
TELLING = 12  # characters of a line that can give a solution away; shorter ones (`return x`) are anywhere


def write_student_copies(notebooks: Iterable[Path], folder: Path) -> list[Path]:
    """Write the student copy of each notebook into a folder, and return the files.

    Raises
    ------
    DataError
        A notebook cannot be read, its solutions are not marked as they should be, or one of them can be read elsewhere
        in one of the copies.
    """
    originals = {notebook.name: _read(notebook) for notebook in notebooks}
    copies = {name: student_copy(original, name) for name, original in originals.items()}
    lines = {line for original in originals.values() for line in solution_lines(original)}
    for name, made in copies.items():
        refuse_leaks(made, lines, name)
    make_folder(folder)
    for name, made in copies.items():
        with atomic_path(folder / name) as temporary:
            nbformat.write(made, temporary)
    return [folder / name for name in copies]


def _read(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # broken JSON and broken notebook formats have no common parent
        raise DataError(f"the notebook cannot be read ({type(error).__name__})", str(path)) from error


def student_copy(notebook: NotebookNode, name: str = "notebook") -> NotebookNode:
    """Return a notebook without its solutions, its outputs and what executing it left in the metadata.

    Parameters
    ----------
    notebook : NotebookNode
        With solutions; it is not changed.
    name : str
        Of the notebook, for messages.

    Raises
    ------
    DataError
        A solution without markers or outside of a function, or a marker in a cell without the tag.
    """
    made = copy.deepcopy(notebook)
    made.metadata = NotebookNode(
        {key: made.metadata[key] for key in ("kernelspec", "language_info") if key in made.metadata}
    )
    for number, cell in enumerate(made.cells):
        where = f"{name}, cell {number}"
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if SOLUTION_TAG in tags:
            cell.source = _stub(cell.source, where) if cell.cell_type == "code" else ANSWER
            cell.metadata = NotebookNode(tags=[EXERCISE_TAG])
            cell.pop("attachments", None)
        elif BEGIN in cell.source:
            raise DataError("a solution in a cell without the tag", where, f"tag the cell {SOLUTION_TAG!r}")
        else:
            cell.metadata = NotebookNode(tags=tags) if tags else NotebookNode()
    return made


def _stub(source: str, where: str) -> str:
    """Return the code of a cell with each solution replaced by an error."""
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        if line.strip() == BEGIN:
            if inside or not indent:
                fix = "a cell that a student has not done must still run: put the solution into a function"
                raise DataError("a solution begins within another, or outside of a function", where, fix)
            inside = True
            kept.append(indent + STUB)
        elif line.strip() == END:
            if not inside:
                raise DataError("a solution ends that did not begin", where)
            inside = False
        elif not inside:
            kept.append(line)
    if inside or len(kept) == len(source.splitlines()):
        raise DataError("a solution has no beginning, or no end", where, f"put it between {BEGIN} and {END}")
    return "\n".join(kept)


def solution_lines(notebook: NotebookNode) -> set[str]:
    """Return the lines of a notebook's solutions that can give one away, without indent."""
    lines: set[str] = set()
    for cell in notebook.cells:
        if SOLUTION_TAG not in cell.metadata.get("tags", []):
            continue
        inside = cell.cell_type != "code"
        for line in cell.source.splitlines():
            inside = inside or line.strip() == BEGIN
            if line.strip() == END:
                inside = False
            if inside and line.strip() not in (BEGIN, END) and len(line.strip()) >= TELLING:
                lines.add(line.strip())
    return lines


def refuse_leaks(made: NotebookNode, lines: set[str], name: str) -> None:
    """Raise a DataError for a student copy in which a line of a solution can be read.

    Raises
    ------
    DataError
        With the cell and the line.
    """
    for number, cell in enumerate(made.cells):
        found = sorted(line for line in lines if line in cell.source)
        if found:
            fix = "write the solution, or the cell, in another way"
            raise DataError(f"the student copy shows a line of a solution: {found[0]!r}", f"{name}, cell {number}", fix)


def main(arguments: list[str] | None = None) -> int:
    """Write the student copies of all notebooks; return the exit code."""
    parser = argparse.ArgumentParser(description="Write copies of the notebooks without their solutions.")
    root = project_dir()
    parser.add_argument("--notebooks", type=Path, default=root / "notebooks", help="folder with the notebooks")
    parser.add_argument("--to", type=Path, default=root / "student", help="folder for the copies")
    options = parser.parse_args(arguments)
    try:
        written = write_student_copies(sorted(options.notebooks.glob("[0-9]*.ipynb")), options.to)
    except DataError as error:
        print(f"error: {in_one_line(error)}", file=sys.stderr)
        return 2
    print(f"{len(written)} student copies in {options.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
