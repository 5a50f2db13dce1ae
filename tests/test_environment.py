"""One list of dependencies: pyproject.toml. The other files of the set-up must agree with it."""

import ast
import sys
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = [Requirement(text) for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def test_pyproject_has_lower_bounds_and_no_pins():
    for requirement in REQUIREMENTS:
        assert [specifier.operator for specifier in requirement.specifier] == [">="], requirement


def test_constraints_pin_every_dependency_within_its_bound():
    for requirement in REQUIREMENTS:
        assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)]), requirement


def test_conda_brings_python_and_pip_and_leaves_the_rest_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert [Requirement(line).name for line in conda] == ["python", "pip"]
    assert Requirement(conda[0]).specifier == SpecifierSet(PROJECT["requires-python"])
    assert pip == {"pip": ["-c constraints.txt", "-e .[dev]"]}


def test_every_import_of_the_package_is_a_stated_dependency():
    stated = {canonicalize_name(requirement.name) for requirement in REQUIREMENTS}
    names = {"cv2": "opencv-contrib-python", "sklearn": "scikit-learn", "skimage": "scikit-image", "PIL": "pillow"}
    # ipython comes with ipykernel and is what a notebook runs in
    stated |= {"ipython", "lfdtcmen"}
    for file in (ROOT / "lfdtcmen").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            for top in {module.split(".")[0] for module in modules} - sys.stdlib_module_names:
                assert canonicalize_name(names.get(top, top)) in stated, f"{file.name} imports {top}"
