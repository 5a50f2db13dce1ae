"""Where the tables of a long run lie: the reader's own run comes first, then the one that comes with the project."""

from dataclasses import dataclass
from pathlib import Path

from lfdtcmen.errors import DataError
from lfdtcmen.files import runs_dir

# the command that makes each run; experiments/README.md says what its tables are and which notebook reads them
COMMANDS = {
    "ablations": "lfdtcmen ablate all --jobs 2 --epochs 2 10 1 --perceptual-size 32 --share-stage1 --name ablations",
    "alignment": "python experiments/alignment.py --subjects 16 --views 10",
    "apex": "python experiments/apex.py --emotions",
    "branches": "python experiments/branches.py --presets easy standard hard --jobs 2",
    "coverage": "python experiments/coverage.py --repetitions 1000",
    "dfme": (
        "lfdtcmen evaluate linear-svm flow-branch --protocol holdout --subjects 100 --epochs 1 8 1 --seeds 2 --jobs 2 "
        "--name dfme"
    ),
    "disentanglement": "python experiments/disentanglement.py paper repaired --jobs 2",
    "flow_widths": "python experiments/flow_widths.py",
    "imbalance": "python experiments/imbalance.py --seeds 3 --epochs 8 --jobs 2",
    "inflation": "python experiments/inflation.py --seeds 3 --epochs 8 --jobs 2",
    "inside": "python experiments/inside.py --jobs 2",
    "lighting": "python experiments/lighting.py --subjects 8 --score",
    "loso": "python experiments/loso.py --jobs 2",
    "photographs": "python experiments/photographs.py --seeds 2",
    "recipes": "python benchmarks/recipes.py",
    "standard_3class": (
        "lfdtcmen evaluate majority apex-svm linear-svm action-units flow-branch motion-branch-stages12 "
        "lfd-tcmen-stages12 lfd-tcmen --seeds 3 --epochs 2 15 1 --jobs 2 --name standard_3class"
    ),
    "widgets": "python benchmarks/widgets.py",
    "without_parts": "python experiments/disentanglement.py ablation --epochs 4 --jobs 2 --out runs/without_parts",
}


@dataclass(frozen=True)
class Found:
    """The folder with the tables of a long run, and in words whose run it is."""

    folder: Path
    origin: str

    def path(self, file: str) -> Path:
        """Return the path of a table of this run; the compressed one where only that is there."""
        return next(path for path in _spellings(self.folder, file) if path.is_file())


def find(name: str, file: str, *more: str) -> Found:
    """Return where the tables of a long run lie.

    The reader's own run comes first: the folder ``name`` of :func:`~lfdtcmen.files.runs_dir`. Then comes the shipped
    one, in ``experiments/results`` of the clone. All files are of the same run, so that they fit together. Relative
    paths start at the clone, as a notebook's working directory is its own folder.

    Parameters
    ----------
    name : str
        Name of the run, one of ``COMMANDS``.
    file, more : str
        Tables that the run must have, such as ``"measures.csv"``; ``"measures.csv.gz"`` will do as well.

    Raises
    ------
    DataError
        No long run has this name, or neither folder has all the files.
    """
    if name not in COMMANDS:
        raise DataError(f"no long run has the name {name!r}", "results.find", f"use one of: {', '.join(COMMANDS)}")
    files = (file, *more)
    project = Path(__file__).resolve().parents[1]
    root = project if (project / "pyproject.toml").is_file() else Path.cwd()
    folders = {
        "your own run": root / runs_dir() / name,
        "the run that comes with the project": root / "experiments" / "results" / name,
    }
    for whose, folder in folders.items():
        if all(any(path.is_file() for path in _spellings(folder, file)) for file in files):
            shown = folder.relative_to(root) if folder.is_relative_to(root) else folder
            return Found(folder, f"{whose} ({shown.as_posix()})")
    raise DataError(f"this long run has no {' with '.join(files)}", f"run {name}", f"make it with: {COMMANDS[name]}")


def _spellings(folder: Path, file: str) -> tuple[Path, Path]:
    return folder / file, folder / f"{file}.gz"
