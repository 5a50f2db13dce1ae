"""The README keeps its promises: its code runs, its files are there, its commands exist."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lfdtcmen.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_python_runs():
    (block,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    variables: dict = {}
    exec(compile(block, "README.md", "exec"), variables)
    assert variables["model"](variables["batch"]).logits.shape == (4, 7)  # as its last comment promises


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "experiments/README.md"])
def test_its_links_lead_to_files(page):
    text = re.sub(r"^    .*$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)  # without code
    links = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    links = [link for link in links if not link.startswith("http")]
    assert links and not [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]


def test_its_notebooks_are_the_series():
    named = re.findall(r"^\| `(\d\d_\w+)` \|", README, flags=re.MULTILINE)
    assert named == sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


def test_its_make_targets_and_commands_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    for command in set(re.findall(r"^lfdtcmen (\w+)", README, flags=re.MULTILINE)):
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0, command
