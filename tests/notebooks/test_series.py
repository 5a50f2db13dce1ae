"""Which notebook waits for which: the table of the series agrees with what the notebooks read and write in a run."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from lfdtcmen import training
from lfdtcmen.series import FIRST, WAITS_FOR, next_notebook
from lfdtcmen.training.method import PAPER

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9]*.ipynb"))
ORDER = [path.stem for path in NOTEBOOKS]
STAGES = {"stage_checkpoint", "checkpoint_file"}  # the functions that say which stages a notebook loads or trains
FACES = {"load_pairs", "make_dataset"}  # the functions that draw the profile's faces, or find them in the cache
# Trains on faces of its own first: when it asks for the profile's, 00 has drawn them. In the smoke profile, the one of
# both that asks first trains stage 1; in others, 00 loads the shipped weights.
LATE = "02_drl_training"
WRITERS = {"write_predictions", "write_metrics"}  # functions that write into the run's folder itself


def statements(notebook: nbformat.NotebookNode) -> list[ast.stmt]:
    return [node for cell in notebook.cells if cell.cell_type == "code" for node in ast.parse(cell.source).body]


def names(node: ast.AST, context: type) -> set[str]:
    """Names that a statement reads (ast.Load) or binds (ast.Store); those that it imports or defines are bound."""
    found = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, context)}
    if context is ast.Store:
        imports = [part for part in ast.walk(node) if isinstance(part, ast.Import | ast.ImportFrom)]
        found |= {(alias.asname or alias.name).split(".")[0] for part in imports for alias in part.names}
        found |= {node.name} if isinstance(node, ast.FunctionDef | ast.ClassDef) else set()
    return found


def what_stages_depend_on(notebook: nbformat.NotebookNode) -> ast.Module:
    """The statements that ask for a stage, and those before them that make what they use."""
    chosen: list[ast.stmt] = []
    needed: set[str] = set()
    for node in reversed(statements(notebook)):
        asks = not isinstance(node, ast.ImportFrom) and names(node, ast.Load) & STAGES
        if asks or names(node, ast.Store) & needed:
            needed = (needed - names(node, ast.Store)) | names(node, ast.Load)
            chosen.insert(0, node)
    return ast.Module(chosen, type_ignores=[])


@pytest.fixture(scope="module")
def stage_files(tmp_path_factory) -> dict[str, set[str]]:
    """The files of trained stages that each notebook loads, or trains where they are missing, in the smoke profile."""
    found: dict[str, set[str]] = {}
    run_dir = tmp_path_factory.mktemp("run")

    def note(stage, config, pairs, run_dir, method=PAPER, **options):
        files = [training.checkpoint_file(number, config, pairs, run_dir) for number in range(1, stage + 1)]
        found[name].update(file.name for file in files)
        return training.build_model(config, pairs.num_classes, method), pd.DataFrame()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "stage_checkpoint", note)
        for path in NOTEBOOKS:
            name = path.stem
            found[name] = set()
            notebook = nbformat.read(path, as_version=4)
            cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
            cell.source += f"\nprofile = 'smoke'\nrun_dir = {str(run_dir)!r}"
            exec(compile(what_stages_depend_on(notebook), path.name, "exec"), {"__name__": "__main__"})
    return found


def before(name: str) -> set[str]:
    """The notebooks that have ended when one starts."""
    return {earlier for other in WAITS_FOR.get(name, ()) for earlier in {other, *before(other)}}


def test_a_notebook_waits_for_the_one_that_trains_what_it_loads(stage_files):
    for name in ORDER:
        for file in stage_files[name]:
            writer = next(other for other in ORDER if file in stage_files[other])
            assert name in (writer, LATE) or writer in before(name), f"{name} loads {file}, which {writer} trains"


def reads_faces(path: Path) -> bool:
    """Whether a notebook asks for the data set of synthetic faces."""
    tree = ast.Module(statements(nbformat.read(path, as_version=4)), type_ignores=[])
    return any(isinstance(node, ast.Call) and ast.unparse(node.func) in FACES for node in ast.walk(tree))


def test_a_notebook_waits_for_the_one_that_draws_the_faces_it_reads():
    first, *others = [path.stem for path in NOTEBOOKS if reads_faces(path)]
    assert LATE in others
    for name in others:
        assert name == LATE or first in before(name), f"{name} would start, and wait until {first} has drawn the faces"


def test_no_notebook_waits_in_vain(stage_files):
    faces = {path.stem for path in NOTEBOOKS if reads_faces(path)}
    for name, others in WAITS_FOR.items():
        for other in others:
            assert ORDER.index(other) < ORDER.index(name)
            both = stage_files[name] & stage_files[other] or {name, other} <= faces
            assert both, f"{name} reads nothing that {other} makes"


def folders_in_the_run(path: Path) -> Iterator[str]:
    """What a notebook has in the run's folder apart from stages: folders, or "" for files in the folder itself."""
    tree = ast.Module(statements(nbformat.read(path, as_version=4)), type_ignores=[])
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Name) and node.id == "run_dir" and isinstance(node.ctx, ast.Load)):
            continue
        use = parents[node]
        while isinstance(use, ast.Call) and re.fullmatch("Path|lab_folder", ast.unparse(use.func)):
            node, use = use, parents[use]
        function = ast.unparse(use.func).split(".")[-1] if isinstance(use, ast.Call) else None
        if isinstance(use, ast.BinOp) and isinstance(use.op, ast.Div) and isinstance(use.right, ast.Constant):
            yield str(use.right.value)
        elif function in WRITERS:
            yield ""
        else:  # setting run_dir itself is no use of it
            assert function in STAGES or isinstance(use, ast.Assign), f"{path.stem}: {ast.unparse(use)}"


def test_no_two_notebooks_share_a_folder_of_the_run():
    owners: dict[str, str] = {}
    for path in NOTEBOOKS:
        for folder in folders_in_the_run(path):
            assert folder != "checkpoints" and owners.setdefault(folder, path.stem) == path.stem, folder


def test_the_first_that_waits_for_none_starts_first():
    assert next_notebook(["00_tour", "01_data_preparation"], []) == "00_tour"
    assert next_notebook(["01_data_preparation", "06_complexity_analysis"], ["00_tour"]) == "06_complexity_analysis"
    assert next_notebook(["01_data_preparation", "03_tcme_training"], ["00_tour", "02_drl_training"]) is None
    assert (
        next_notebook(["01_data_preparation", "05_confusion_matrices"], ["06_complexity_analysis"])
        == "01_data_preparation"
    )


def test_of_those_that_can_start_the_longest_chain_comes_first():
    assert next_notebook(ORDER, []) == "02_drl_training"
    assert next_notebook([name for name in ORDER if name[:2] != "02"], ["02_drl_training"]) == "00_tour"
    assert next_notebook([name for name in ORDER if name[:2] not in ("00", "02")], []) == "04_fine_tuning"
    assert next_notebook(["01_data_preparation", "03_tcme_training"], ["04_fine_tuning"]) == "03_tcme_training"
    assert set(FIRST) <= {*ORDER}
