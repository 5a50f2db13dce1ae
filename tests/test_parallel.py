"""How `make test` shares the tests out among processes (conftest.py)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEST = """
import time
from pathlib import Path

import pytest

@pytest.mark.parametrize("number", range(3))
def test_(worker_id, number):
    time.sleep(0.3)  # so that no process does all of the work
    (Path(__file__).parent / f"{worker_id}.{Path(__file__).stem}.{number}").touch()
"""


def test_a_file_or_what_belongs_together_stays_in_one_process(tmp_path):
    together, apart = tmp_path / "tests" / "predict", tmp_path / "tests" / "viz"
    for folder in (together, apart):
        folder.mkdir(parents=True)
        for name in ("test_a.py", "test_b.py"):
            (folder / name).write_text(TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "xdist", "-c", str(tmp_path / "pytest.ini")]
    command += ["-n", "4", "--dist", "loadfile", str(tmp_path)]
    quick = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # nbval alone would take each process a second or more
    result = subprocess.run(command, cwd=ROOT, env=quick, capture_output=True, text=True, timeout=300)
    assert "12 passed" in result.stdout, result.stdout + result.stderr

    def workers(folder: Path, name: str = "*") -> set[str]:
        return {file.name.split(".")[0] for file in folder.glob(f"gw*.{name}.?")}

    assert len(workers(together)) == 1
    assert len(workers(apart, "test_a")) == len(workers(apart, "test_b")) == 1 and len(workers(apart)) == 2
