"""Notebooks on the stand-in device: planted mistakes stop a kernel; `make rehearsal` runs the whole series."""

import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from lfdtcmen.notebooks import Entry, NotebookFailed, bring_up_to_date, find_notebooks
from lfdtcmen.series import one_thread_each, run_series
from tests.device.stand_in import write_start_up

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
IMPORTS = "import torch\nfrom lfdtcmen.devices import find_device\nassert find_device().type == 'cuda'\n"
MISTAKES = {
    "mixed devices": "torch.ones(2, device=find_device()) + torch.ones(2)",
    "an array of a tensor on the device": "torch.ones(2, device='cuda').numpy()",
    "a tensor made on the default device": "torch.nn.Linear(2, 2).to('cuda')(torch.zeros(1, 2))",
}


@pytest.fixture
def kernels(tmp_path, monkeypatch) -> Path:
    """A folder for runs; each kernel that starts has the stand-in."""
    write_start_up(tmp_path / "ipython")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return tmp_path


def execute(folder: Path, *code: str) -> None:
    cells = [new_code_cell("", metadata={"tags": ["parameters"]}), new_code_cell(IMPORTS), *map(new_code_cell, code)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / "planted.ipynb")
    with one_thread_each():
        bring_up_to_date(Entry(folder / "planted.ipynb", folder / "executed.ipynb"), {"profile": "smoke"})


def test_a_planted_mistake_of_each_class_stops_a_kernel(kernels):
    caught = "try:\n    {}\nexcept (RuntimeError, TypeError):\n    pass\nelse:\n    raise AssertionError('not caught')"
    with pytest.raises(NotebookFailed, match=r"cell 6 .*two devices, cuda:0 and cpu"):
        execute(kernels, *map(caught.format, MISTAKES.values()), MISTAKES["mixed devices"])


def test_the_series_runs_on_the_device(kernels):
    whole = "WHOLE_SERIES" in os.environ  # set by `make rehearsal`
    notebooks = find_notebooks(NOTEBOOKS)
    chosen = [path for path in notebooks if whole or path.stem == "00_tour"]
    parameters = {"profile": "smoke", "run_dir": str(kernels / "run")}
    entries = run_series(chosen, kernels / "run", parameters, print, jobs=min(2, os.cpu_count() or 1))
    assert all(entry.seconds for entry in entries)
