"""Nothing imports upward, and the paper's part knows nothing of what goes beyond it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lfdtcmen"
FILES = sorted(PACKAGE.rglob("*.py"))

# what each part may import of this package, from the ground floor upward; a part may always import itself
GROUND = {"devices", "errors", "files", "threads", "images", "progress", "workers"}
DATA = GROUND | {"preprocessing", "datasets", "paper.numbers", "modules.batch"}
PAPER = {"config", "modules", "losses", "training"}
MAY_IMPORT = {
    "errors": set(),
    "files": {"errors"},
    "devices": {"workers"},
    "threads": set(),
    "workers": set(),
    "images": {"errors"},
    "beyond.recipes": set(),
    "config": {"errors", "beyond.recipes"},
    "paper": {"errors", "config"},
    "modules": {"errors"},
    "losses": {"errors", "modules"},
    "preprocessing": GROUND,
    "datasets": DATA,
    "training": DATA | PAPER,
    "beyond": DATA | PAPER,
    "baselines": DATA | PAPER | {"evaluation", "analysis.codes"},
    "evaluation": DATA,
    "analysis": DATA | PAPER | {"beyond", "evaluation", "paper"},
    "viz": DATA | {"modules", "analysis", "beyond.extended_drl", "beyond.warp_generator", "evaluation", "paper"},
}
# words of what goes beyond the paper
OURS = ("warp", "bottleneck", "narrow", "late fusion", "log_prior", "imbalance", "focal", "pretrain", "repaired")
OURS += ("change loss", "rest loss", "gain loss", " ours")


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports_of(file: Path) -> set[str]:
    """Modules of this package that a file imports, also within functions, without the package's name."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lfdtcmen":
            module = (node.module or "").removeprefix("lfdtcmen").lstrip(".")
            found |= {f"{module}.{alias.name}".lstrip(".") for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {
                alias.name.removeprefix("lfdtcmen.") for alias in node.names if alias.name.startswith("lfdtcmen.")
            }
    return found


def within(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_nothing_imports_upward(file):
    name = name_of(file)
    part = next((p for p in sorted(MAY_IMPORT, key=len, reverse=True) if within(name, {p})), None)
    if part is None:  # the command line, what assembles runs, predictions: they see all
        return
    top = part.split(".")[0]
    allowed = MAY_IMPORT[part] | ({part} if "." in part else {top})
    upward = {module for module in imports_of(file) if not within(module, allowed)}
    assert not upward, f"{name} imports {sorted(upward)}"


def test_the_papers_part_has_no_word_of_what_goes_beyond_it():
    for file in FILES:
        if within(name_of(file), {"modules", "losses", "training"}):
            text = file.read_text(encoding="utf-8").lower()
            assert not [word for word in OURS if word in text], f"{name_of(file)}: {[w for w in OURS if w in text]}"


def test_no_module_has_the_name_of_a_function_in_it_and_none_imports_anothers_privates():
    for file in FILES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        assert file.stem not in functions, f"{name_of(file)} has a function of its own name"
        private = [name for name in imports_of(file) if name.split(".")[-1].startswith("_")]
        assert not [name for name in private if not name.endswith("__version__")], f"{name_of(file)} imports {private}"


def test_the_processes_that_draw_and_prepare_faces_start_without_torch():
    code = (
        "import sys, lfdtcmen.datasets.synthetic, lfdtcmen.datasets.preparation, lfdtcmen.datasets.clips\n"
        "slow = {'torch', 'matplotlib', 'sklearn', 'scipy'} & set(sys.modules); assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_every_worker_ends_with_its_parent():
    for file in [*FILES, *(ROOT / "experiments").glob("*.py")]:
        if file.name != "workers.py":
            assert " Parallel(" not in file.read_text(encoding="utf-8"), f"{file}: use lfdtcmen.workers.parallel"
