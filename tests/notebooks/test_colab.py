"""The third cell of each notebook installs the package on Google Colab, and does nothing elsewhere."""

import builtins
import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from lfdtcmen.course import ON_COLAB

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9]*.ipynb"))


@pytest.fixture
def commands(monkeypatch) -> list[str]:
    """Execute the cell, and return the commands that it gives to the shell; questions are answered."""
    given: list[str] = []
    monkeypatch.setattr(builtins, "input", lambda question: "https://example.org/me/project")
    monkeypatch.setattr(builtins, "get_ipython", lambda: SimpleNamespace(system=given.append), raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return given


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_notebook_has_the_cell_hidden_and_after_its_parameters(path):
    cells = nbformat.read(path, as_version=4).cells
    assert [number for number, cell in enumerate(cells) if "remove-cell" in cell.metadata.get("tags", [])] == [2]
    assert cells[2].source == ON_COLAB and not cells[2].outputs and cells[2].metadata.jupyter.source_hidden


def test_elsewhere_it_does_nothing(commands, monkeypatch):
    exec(ON_COLAB, {})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # not Colab, whatever is missing
    exec(ON_COLAB, {})
    monkeypatch.undo()
    assert commands == []


def test_on_colab_it_does_nothing_where_the_package_is_installed(commands, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    exec(ON_COLAB, {})
    assert commands == []


def test_on_colab_it_fetches_the_project_and_installs_it(commands, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(ON_COLAB, {})
    (command,) = commands
    assert command == "git clone -q --depth 1 'https://example.org/me/project' course && pip install -q -e course"
    assert sys.path[0] == "course"
