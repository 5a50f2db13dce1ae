"""Other systems: what can be tested of them on this one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "anywhere.md").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

# Python 3.11 on Windows has no os.set_blocking
WITHOUT_SET_BLOCKING = """
import os, signal
if hasattr(os, "set_blocking"):
    del os.set_blocking
from lfdtcmen.signals import ended_by_signals
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
with ended_by_signals():
    signal.raise_signal(signal.SIGINT)
"""


def test_commands_start_and_end_where_pipes_always_block():
    result = subprocess.run([sys.executable, "-c", WITHOUT_SET_BLOCKING], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (130, "")


def test_the_commands_without_make_are_those_of_the_makefile():
    made = " ".join(MAKEFILE.replace("$(BIN)/", "").replace("\\\n", "").split())
    (block,) = re.findall(r"```powershell\n(.*?)```", PAGE, flags=re.DOTALL)
    commands = dict(line.split("  # make ")[::-1] for line in block.splitlines() if "  # make " in line)
    assert commands.keys() == {"run", "lab", "test", "student", "site"}
    for target, command in commands.items():
        assert re.search(rf"\b{target}: .*{re.escape(command)}", made), command
    assert "python -m pip install -c constraints.txt -e '.[dev]'" in block
    assert "-c constraints.txt -e '.[dev]'" in made


def test_binder_installs_the_tested_versions_and_what_doctor_says_a_bare_linux_lacks():
    lines = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {"-c ../constraints.txt", "-e .[notebooks]"} <= set(lines)
    assert (ROOT / ".binder" / "apt.txt").read_text(encoding="utf-8").split() == ["libgl1", "libglib2.0-0"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_of_a_workflow_ends_and_its_targets_exist(path):
    for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items():
        assert job["timeout-minutes"] <= 120, name
        for target in re.findall(r"^make (\w+)", "\n".join(step.get("run", "") for step in job["steps"]), re.MULTILINE):
            assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_the_unit_tests_run_on_three_systems_with_the_oldest_and_the_newest_python():
    (jobs,) = [yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"] for path in WORKFLOWS if path.stem == "tests"]
    matrix = jobs["systems"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert oldest is not None and matrix["python"][0] == oldest[1]
    assert jobs["newest"]["steps"][1]["with"]["python-version"] == matrix["python"][-1]
