"""A wheel that is installed outside a clone, used in an empty folder: every command works, and writes only there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

ROOT = Path(__file__).resolve().parents[1]
SMALL = ("-p", "smoke", "--set", "subjects=4", "--set", "epochs=1,1,1")


def files_below(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which the project's wheel is installed, built without network."""
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site-packages")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(wheels)]
    subprocess.run(build, check=True)
    (wheel,) = wheels.glob("lfdtcmen-*.whl")
    subprocess.run([*pip, "install", str(wheel), "--no-deps", "--no-index", "--target", str(target)], check=True)
    return target


@pytest.fixture(scope="module")
def lfdtcmen(installed, tmp_path_factory):
    """Run ``python -m lfdtcmen`` of the wheel in an empty folder; the folder and the reader's home are beside it."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("empty")
    ours = {name for name in os.environ if name.startswith(("LFDTCMEN_", "PYTHON", "XDG_"))}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"HOME": str(home), "PYTHONPATH": str(installed), "TQDM_DISABLE": "1"}

    def run(*arguments: str | Path, python: tuple[str, ...] = ("-m", "lfdtcmen")) -> subprocess.CompletedProcess:
        command = [sys.executable, *python, *map(str, arguments)]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    run.home, run.folder = home, folder
    before = files_below(installed)
    yield run
    assert files_below(installed) == before, "something was written beside the package"


def test_it_is_the_wheel_that_runs_with_its_types_and_templates(lfdtcmen, installed):
    code = "import lfdtcmen, pathlib; print(pathlib.Path(lfdtcmen.__file__).parent)"
    assert lfdtcmen(python=("-c", code)).stdout.strip() == str(installed / "lfdtcmen")
    packed = {path for path in files_below(ROOT / "lfdtcmen") if (ROOT / "lfdtcmen" / path).is_file()}
    assert packed <= files_below(installed / "lfdtcmen") and Path("py.typed") in packed
    assert not {"tests", "notebooks", "experiments", "benchmarks"} & {path.name for path in installed.iterdir()}


def test_doctor_finds_all_that_is_needed(lfdtcmen):
    result = lfdtcmen("doctor")
    assert result.returncode == 0 and "[FAIL]" not in result.stdout, result.stdout + result.stderr
    assert "[OK]   packages" in result.stdout


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("run", "-p", "smoke"), "clone the project"),
        (("predict", "gone.mp4"), "gone.mp4"),
        (("data", "prepare", "smic", "--root", "."), "there are no folders s1, s2"),
    ],
)
def test_what_cannot_work_says_what_it_needs_and_leaves_nothing(lfdtcmen, command, message):
    before = files_below(lfdtcmen.folder)
    result = lfdtcmen(*command)
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    assert message in result.stderr
    assert files_below(lfdtcmen.folder) == before


ONE_AFTER_THE_OTHER = """
import json, sys
from lfdtcmen.cli import app
for words in json.loads(sys.argv[1]):
    try:
        app(words)
    except SystemExit as ended:
        print(f"---- ended with {ended.code or 0}")
"""


def test_every_other_command_writes_to_the_working_directory_and_the_cache(lfdtcmen):
    clip = lfdtcmen.folder / "clip"
    clip.mkdir()
    photo = astronaut()[:250, 100:350]
    for number, frame in enumerate([photo, np.roll(photo, 1, axis=0)]):
        Image.fromarray(frame).save(clip / f"{number}.png")
    table = "clip/clips.csv"
    (lfdtcmen.folder / table).write_text("subject,clip,onset,apex,emotion,path\nanna,one,0,1,fear,.\n")
    alone = ("--set", "drl=none", "--set", "motion=none")  # the flow branch
    commands = [
        ("data", *SMALL, "--jobs", "1"),
        ("predict", "clip", "--onset", "0", "--apex", "1", "--fps", "30"),
        ("train", *SMALL, *alone, "--stage", "2"),
        ("evaluate", "majority", "linear-svm", *SMALL, "--seeds", "1"),
        ("ablate", "table5", *SMALL, *alone, "--seeds", "1", "--folds", "2"),
        ("data", "prepare", "folder", "--root", "clip", "--annotation", table, "--label-map", "raw", "--jobs", "1"),
        ("evaluate", "majority", "--data", "data/prepared/clip"),  # one person: no split
    ]
    result = lfdtcmen(json.dumps(commands), python=("-c", ONE_AFTER_THE_OTHER))  # in one process: each imports torch
    printed = re.split("---- ended with (.)\n", result.stdout)
    assert printed[1::2] == ["0"] * 6 + ["2"], result.stdout + result.stderr
    assert result.stderr.count("\n") == 1 and "Traceback" not in result.stderr, result.stderr
    made, predicted, trained, evaluated, ablated, prepared = printed[:12:2]
    assert "synthetic" in made
    assert f"open {Path('runs/predict/clip/report.html')}" in predicted
    assert "wild.safetensors" in predicted  # nothing was trained: the network that comes with the package
    assert "UF1 " in trained and "linear-svm" in evaluated and "Table 5" in ablated
    assert f"1 pairs are in {Path('data/prepared/clip')}" in prepared
    assert {path.name for path in lfdtcmen.folder.iterdir()} == {"clip", "data", "runs"}
    assert {path.name for path in (lfdtcmen.folder / "runs").iterdir()} == {"train", "predict", "evaluate", "ablate"}
    assert (lfdtcmen.home / ".cache" / "lfdtcmen").is_dir()
