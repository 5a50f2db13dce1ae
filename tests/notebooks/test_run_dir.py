"""Where a notebook keeps its run: in the clone, whatever the folder in which papermill or Jupyter was started."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SETTLED = "run_dir = lab_folder(run_dir)"


def sources(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_in_it_starts_at_the_folder_of_the_caller(path):
    parameters, *others = sources(path)
    assert any(line.startswith("run_dir = None  # None: runs/lab of the project") for line in parameters.splitlines())
    code = "\n".join(others)
    assert '"../' not in code and "'../" not in code
    if SETTLED not in code:  # it is settled where it is used
        assert "run_dir" not in code.replace("lab_folder(run_dir)", "")
    else:
        assert sum(source.splitlines().count(SETTLED) for source in others) == 1


def test_papermill_in_another_folder_leads_to_the_runs_of_the_clone(tmp_path):
    notebook = nbformat.read(ROOT / "notebooks" / "15_your_own_data.ipynb", as_version=4)
    settled = next(number for number, cell in enumerate(notebook.cells) if SETTLED in cell.source.splitlines())
    notebook.cells = [*notebook.cells[: settled + 1], nbformat.v4.new_code_cell("print(run_dir)")]
    nbformat.write(notebook, tmp_path / "cut.ipynb")
    (tmp_path / "elsewhere").mkdir()
    command = [sys.executable, "-m", "papermill", "../cut.ipynb", "../executed.ipynb", "-k", "python3"]
    subprocess.run(command, cwd=tmp_path / "elsewhere", check=True, capture_output=True)
    (output,) = nbformat.read(tmp_path / "executed.ipynb", as_version=4).cells[-1].outputs
    assert output.text.strip() == str(ROOT / "runs" / "lab")
    assert not list((tmp_path / "elsewhere").iterdir())
