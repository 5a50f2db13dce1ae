"""Where the tables of a long run lie: the reader's own run comes first, then the one that comes with the project."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lfdtcmen.errors import DataError
from lfdtcmen.files import DAMAGE, project_dir, runs_dir

# the command that makes each run; experiments/README.md says what its tables are and which notebook reads them
COMMANDS = {
    "ablations": "python experiments/ablations.py --jobs 2",
    "alignment": "python experiments/alignment.py --subjects 16",
    "apex": "python experiments/apex.py --emotions",
    "baselines": "python experiments/baselines.py --jobs 2",
    "branches": "python experiments/branches.py --presets standard hard quarter foreign easy --jobs 2",
    "carried": (
        "python experiments/transfer.py --train wild --score other_world --models logistic-regression linear-svm "
        "majority action-units mdmo bi-woof lbp-top lbp-sip distlbp-rip psn off-apexnet ststnet dual-inception rcn "
        "htnet alexnet micro-bert --out runs/carried"
    ),
    "compared": (
        "lfdtcmen evaluate majority logistic-regression linear-svm action-units lbp-top lbp-sip mdmo bi-woof "
        "distlbp-rip psn ststnet off-apexnet rcn dual-inception alexnet htnet micro-bert flow-branch "
        "lfd-tcmen-stages12 lfd-tcmen motion-branch-stages12 ststnet+drl off-apexnet+drl dual-inception+drl "
        "--epochs 2 20 2 --set perceptual_size=32 --name compared"
    ),
    "coverage": "python experiments/coverage.py --repetitions 1000",
    "dfme": (
        "lfdtcmen evaluate majority logistic-regression linear-svm action-units mdmo bi-woof ststnet off-apexnet rcn "
        "dual-inception flow-branch lfd-tcmen --protocol holdout --epochs 2 20 2 --set perceptual_size=32 --jobs 2 "
        "--name dfme"
    ),
    "disentanglement": "python experiments/disentanglement.py paper repaired --jobs 2",
    "entangled": "python experiments/entangled.py --jobs 2",
    "final_test": "python experiments/final_test.py --jobs 2",
    "flow_training": "python experiments/flow_training.py",
    "flow_widths": "python experiments/flow_widths.py",
    "geometry": "python experiments/geometry.py",
    "imbalance": "python experiments/imbalance.py --seeds 3 --seeds-7class 3 --epochs 8 --jobs 2",
    "inflation": "python experiments/inflation.py --fresh 10",
    "inside": "python experiments/inside.py --jobs 2",
    "lighting": "python experiments/lighting.py --subjects 8 --score",
    "long_stage1": "python experiments/long_stage1.py",
    "loso": "python experiments/loso.py --jobs 2",
    "mixed": (
        "python experiments/transfer.py --train wild --score other_world photographs --folds-on other_world "
        "--models logistic-regression flow-branch flow-branch-repaired lfd-tcmen-repaired motion-branch-repaired "
        "--out runs/mixed"
    ),
    "photographs": "python experiments/photographs.py --seeds 2",
    "recipes": "python benchmarks/recipes.py",
    "stage1_choices": (
        "python experiments/long_stage1.py --presets easy --variants all --hed hed_bsds500.weights.h5 --epochs 12 "
        "--looks 1 3 6 12 --out runs/stage1_choices"
    ),
    "strong_motion": "python experiments/strong_motion.py --seeds 0",
    "transfer": (
        "python experiments/transfer.py --train wild --score other_world photographs --models logistic-regression "
        "flow-branch flow-branch-repaired lfd-tcmen-repaired motion-branch-repaired lfd-tcmen motion-branch --jobs 2"
    ),
    "two_by_two": "python experiments/two_by_two.py --seeds 0 --jobs 2",
    "widgets": "python benchmarks/widgets.py",
    "without_parts": "python experiments/disentanglement.py ablation --epochs 4 --jobs 2 --out runs/without_parts",
}

# shipped runs of the faces before 2026-11-28: other proportions, other matching of the light, wider flow streams
EARLIER_FACES = {"without_parts"}


@dataclass(frozen=True)
class Found:
    """The folder with the tables of a long run, and whose run it is (a text that also names earlier faces)."""

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
        Tables that the run must have, such as ``"measures.csv"``; ``"measures.csv.gz"`` counts as well.

    Raises
    ------
    DataError
        No long run has this name, neither folder has all the files, or one of them is damaged.
    """
    if name not in COMMANDS:
        raise DataError(f"no long run has the name {name!r}", "results.find", f"use one of: {', '.join(COMMANDS)}")
    files = (file, *more)
    root = project_dir()
    folders = {
        "your own run": root / runs_dir() / name,
        "the run that comes with the project": root / "experiments" / "results" / name,
    }
    for whose, folder in folders.items():
        if all(any(path.is_file() for path in _spellings(folder, file)) for file in files):
            for found in files:
                _check_whole(next(path for path in _spellings(folder, found) if path.is_file()), COMMANDS[name])
            shown = folder.relative_to(root) if folder.is_relative_to(root) else folder
            earlier = name in EARLIER_FACES and folder == root / "experiments" / "results" / name
            faces = "; made with an earlier version of the faces" if earlier else ""
            return Found(folder, f"{whose} ({shown.as_posix()}{faces})")
    raise DataError(f"this long run has no {' with '.join(files)}", f"run {name}", f"make it with: {COMMANDS[name]}")


def _spellings(folder: Path, file: str) -> tuple[Path, Path]:
    return folder / file, folder / f"{file}.gz"


def _check_whole(file: Path, command: str) -> None:
    """Refuse a table that cannot be read, has no rows, or ends in the middle of a row, and a damaged JSON file."""
    try:
        if file.suffix == ".json":
            json.loads(file.read_text(encoding="utf-8"))
            return
        if file.suffix != ".gz" and not file.read_bytes().endswith(b"\n"):
            raise ValueError("it ends in the middle of a row")
        if pd.read_csv(file, low_memory=False).empty:
            raise ValueError("it has no rows")
    except DAMAGE as error:
        advice = f"get it again from the project, or make it with: {command}"
        reason = " ".join(f"{error}".split())
        raise DataError(f"the table is damaged ({reason})", str(file), advice) from error
