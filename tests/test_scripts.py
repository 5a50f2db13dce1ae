"""The scripts of experiments/ and benchmarks/ can be imported, and say how they are called."""

import sys
from pathlib import Path

import pytest

from tests.scripts import load_script

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(
    path for folder in ("experiments", "benchmarks") for path in (ROOT / folder).glob("*.py") if path.stem != "common"
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_its_help_shows_the_command(path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(path.parent)  # as python does for a script: experiments import `common`
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    script = load_script(path)
    with pytest.raises(SystemExit) as stopped:
        script.main()
    assert stopped.value.code == 0
    assert f"python {path.parent.name}/{path.name}" in capsys.readouterr().out
