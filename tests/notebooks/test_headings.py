"""The numbered headings of each notebook count up by one: a merge that loses a heading is found."""

import re
from pathlib import Path

import nbformat
import pytest

PATHS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9]*.ipynb"))
NUMBERED = re.compile(r"^## (\d+)\. ", re.MULTILINE)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_sections_count_up_by_one(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    numbers = [int(number) for cell in cells for number in NUMBERED.findall(cell.source)]
    assert numbers == list(range(1, len(numbers) + 1)) != []
