"""Counts what a reader of a notebook meets: ``python tests/notebooks/counts.py`` prints a table, one row a notebook."""

import re
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import nbformat
import pandas as pd
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
LONG, LONG_WITH_CLASS = 15, 25  # lines of a code cell
CHECKED_TAG, CHECKED_COMMENT = "nbval-check-output", "# NBVAL_CHECK_OUTPUT"
FIGURE = re.compile(r"<figure.*?</figure>", re.DOTALL)
IMAGE_KINDS = ("image/png", "image/svg+xml", "image/jpeg", "image/gif")


@dataclass(frozen=True)
class Counts:
    """What is counted in one notebook; lines are those with something on them."""

    cells: int
    words: int
    code_cells: int
    median_lines: float
    max_lines: int
    long_cells: int
    neighbours: int  # code cells that follow another one without a sentence between them
    figures: int
    captioned: int  # of these, with number, caption and alternative text
    exercises: int
    solutions: int
    classes: int  # of nn.Module
    optimiser_steps: int
    checked: int


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def is_checked(cell: NotebookNode) -> bool:
    """Whether nbval compares the output of a cell: by a tag, or by a comment (older notebooks)."""
    return CHECKED_TAG in tags(cell) or CHECKED_COMMENT in cell.source.splitlines()


def lines(cell: NotebookNode) -> int:
    return len([line for line in cell.source.splitlines() if line.strip()])


def limit(cell: NotebookNode) -> int:
    return LONG_WITH_CLASS if re.search(r"^class ", cell.source, re.MULTILINE) else LONG


def words(cell: NotebookNode) -> int:
    """Words of prose: without formulas, code, tables' rules and the addresses of links."""
    text = re.sub(r"\$\$.*?\$\$|```.*?```", " ", cell.source, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", re.sub(r"\$[^$\n]*\$", " x ", text))
    return len([word for word in text.split() if any(letter.isalnum() for letter in word)])


def figures(cell: NotebookNode) -> tuple[int, int]:
    """Return how many figures a cell's output shows, and how many have number, caption and alternative text."""
    shown, captioned = 0, 0
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        elements = FIGURE.findall(data.get("text/html", ""))
        shown += len(elements) or any(kind in data for kind in IMAGE_KINDS)
        captioned += sum(
            bool(re.search(r'alt="[^"]+"', e) and re.search(r">Figure \d+\.\d+\. \S", e)) for e in elements
        )
    return shown, captioned


def count(notebook: NotebookNode) -> Counts:
    """Count one notebook, without the cell that is hidden and for Colab only."""
    cells = [cell for cell in notebook.cells if "remove-cell" not in tags(cell)]
    code = [cell for cell in cells if cell.cell_type == "code"]
    source = "\n".join(cell.source for cell in code)
    sizes = [lines(cell) for cell in code]
    shown = [figures(cell) for cell in code]
    return Counts(
        cells=len(cells),
        words=sum(words(cell) for cell in cells if cell.cell_type == "markdown"),
        code_cells=len(code),
        median_lines=median(sizes) if sizes else 0,
        max_lines=max(sizes, default=0),
        long_cells=sum(lines(cell) > limit(cell) for cell in code),
        neighbours=sum(a.cell_type == b.cell_type == "code" for a, b in pairwise(cells)),
        figures=sum(number for number, _ in shown),
        captioned=sum(number for _, number in shown),
        exercises=len(set(re.findall(r"\bcheck\(\"(\d\d\.\d+)\"", source))),
        solutions=sum("solution" in tags(cell) for cell in cells),
        classes=len(re.findall(r"^class \w+\((?:torch\.)?nn\.Module\)", source, re.MULTILINE)),
        optimiser_steps=len(re.findall(r"\boptimi[sz]er\.step\(", source)),
        checked=sum(is_checked(cell) for cell in code),
    )


def table(folder: Path = NOTEBOOKS) -> pd.DataFrame:
    """Return the counts of all notebooks of a folder, one row each."""
    paths = sorted(folder.glob("[0-9]*.ipynb"))
    return pd.DataFrame({path.stem: asdict(count(nbformat.read(path, as_version=4))) for path in paths}).T


if __name__ == "__main__":
    print(table().to_string())
