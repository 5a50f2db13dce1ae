"""How `pytest` runs notebooks: conftest.py sets their parameters and leaves stderr out of the comparison."""

import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[2]


def test_smoke_profile_own_run_folder_no_stderr_and_a_real_comparison(tmp_path):
    parameters = new_code_cell('profile = None\nrun_dir = "../runs/lab"', metadata={"tags": ["parameters"]})
    used = new_code_cell('assert profile == "smoke" and run_dir != "../runs/lab"')
    noisy = new_code_cell("# NBVAL_CHECK_OUTPUT\nimport sys\nprint('bar', file=sys.stderr)\nprint(1 + 1)")
    noisy.outputs = [new_output("stream", name="stdout", text="2\n")]
    wrong = new_code_cell("# NBVAL_CHECK_OUTPUT\nprint(1 + 1)")
    wrong.outputs = [new_output("stream", name="stdout", text="3\n")]
    tagged = new_code_cell("print(1 + 1)", metadata={"tags": ["nbval-check-output"]})
    tagged.outputs = [new_output("stream", name="stdout", text="4\n")]
    show = "from IPython.display import display; display({'text/html': 'b', 'text/plain': 'Figure'}, raw=True)"
    figure = new_code_cell(show, metadata={"tags": ["nbval-check-output"]})
    figure.outputs = [new_output("display_data", data={"text/html": "a", "text/plain": "Figure"})]
    cells = [parameters, used, noisy, wrong, tagged, figure]
    for number, cell in enumerate(cells, 1):
        cell.execution_count = number
    nbformat.write(new_notebook(cells=cells), tmp_path / "throwaway.ipynb")
    (tmp_path / "solutions").mkdir()  # not collected
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0")]), tmp_path / "solutions" / "throwaway.ipynb")

    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-c", str(ROOT / "pyproject.toml"), str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert "2 failed, 4 passed" in result.stdout, result.stdout + result.stderr
    assert "Cell 3" in result.stdout and "Cell 4" in result.stdout and "Cell outputs differ" in result.stdout
