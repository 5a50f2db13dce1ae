"""`lfdtcmen run` on throwaway notebooks: order, several at a time, index, resuming, failures and mistakes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from typer.testing import CliRunner, Result

from lfdtcmen import series
from lfdtcmen.cli import app
from lfdtcmen.series import THREADS

PARAMETERS = 'profile = None\nseed = 0\nrun_dir = "../runs/lab"'
FIGURE = """
import base64
from IPython.display import Image, display
png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
display(Image(base64.b64decode(png)))
"""


def write_notebook(folder: Path, name: str, *code: str, parameters: str = PARAMETERS) -> Path:
    cells = [new_markdown_cell(f"# Title of {name}"), new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    notebook = new_notebook(cells=cells + [new_code_cell(source) for source in code])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


def count(name: str) -> str:
    """A cell that leaves one line per time it is executed."""
    return f'open(run_dir + "/{name}.count", "a").write("x")'


def run(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["run", "-p", "smoke", "--notebooks", str(folder), *options])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "notebooks"


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "smoke"


def test_a_run_leaves_notebooks_html_and_an_index_and_a_second_one_skips_what_is_current(folder, run_dir):
    scores = 'import json; json.dump({"full network": {"UF1": 0.5}}, open(run_dir + "/metrics.json", "w"))'
    write_notebook(folder, "00_first", count("first"), FIGURE, "assert profile == 'smoke' and seed == 3")
    source = write_notebook(folder, "01_second", count("second"), scores)
    write_notebook(folder, "not_numbered", "raise ValueError")

    result = run(folder, "--seed", "3", "--jobs", "1")

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("[1/2] 00_first") and lines[1].startswith("[2/2] 01_second")
    assert {"00_first.ipynb", "00_first.html", "01_second.ipynb", "01_second.html"} <= set(os.listdir(run_dir))
    index = (run_dir / "index.html").read_text()
    assert "Title of 01_second" in index and "data:image/png;base64,iVBOR" in index
    assert "<th>full network</th><td>UF1 0.500</td>" in index

    source.write_text(source.read_text().replace("import json;", "import json ;"))
    again = run(folder, "--seed", "3")
    assert again.exit_code == 0, again.output
    assert "00_first   up to date" in again.stdout
    assert (run_dir / "first.count").read_text() == "x"  # unchanged: skipped
    assert (run_dir / "second.count").read_text() == "xx"  # its source changed: run again

    assert run(folder, "--seed", "4", "--jobs", "1").exit_code == 1  # other parameters: it asserts seed 3


def test_a_broken_notebook_is_named_with_its_cell_and_the_ones_before_it_are_kept(folder, run_dir):
    write_notebook(folder, "00_first", count("first"))
    broken = write_notebook(folder, "01_broken", "fine = 1", "raise ValueError('planted')")
    write_notebook(folder, "02_later", count("later"))

    result = run(folder, "--jobs", "1")

    assert result.exit_code == 1
    assert "01_broken.ipynb, cell 4 (In [4]): ValueError: planted" in result.stderr
    assert "Traceback" not in result.output
    assert "planted" in (run_dir / "index.html").read_text()
    assert not (run_dir / "later.count").exists()

    broken.write_text(broken.read_text().replace("raise ValueError('planted')", "mended = 1"))
    result = run(folder)
    assert result.exit_code == 0, result.output
    assert (run_dir / "first.count").read_text() == (run_dir / "later.count").read_text() == "x"


def test_the_executed_copy_is_not_written_with_every_cell_but_whole_in_the_end(folder, run_dir, monkeypatch):
    write, written = papermill.engines.write_ipynb, []
    monkeypatch.setattr("papermill.engines.write_ipynb", lambda *copy: (written.append(copy), write(*copy)))
    monkeypatch.setattr("lfdtcmen.notebooks.SAVE_EVERY", 60)
    write_notebook(folder, "00_first", *["print('a line')"] * 9, "raise ValueError('planted')")
    assert run(folder).exit_code == 1
    assert len(written) == 2  # at its start and at its end
    cells = nbformat.read(run_dir / "00_first.ipynb", as_version=4).cells
    assert sum("a line" in str(cell.get("outputs")) for cell in cells) == 9 and "planted" in str(cells[-1])


def meet(name: str, other: str) -> str:
    """A cell that ends only where the cell of another notebook runs at the same time."""
    return (
        f'import os, time\nopen(run_dir + "/{name}.begun", "w")\n'
        f'end = time.monotonic() + 60\nwhile not os.path.exists(run_dir + "/{other}.begun"):\n'
        "    assert time.monotonic() < end\n    time.sleep(0.05)"
    )


def test_notebooks_run_at_the_same_time_with_one_thread_each_in_their_own_folder(folder, run_dir, monkeypatch):
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    alone = "import torch, cv2\nassert torch.get_num_threads() == cv2.getNumThreads() == 1"
    at_home = f"assert os.getcwd() == {str(folder)!r}"
    write_notebook(folder, "00_first", meet("first", "second"), at_home, alone)
    write_notebook(folder, "01_second", meet("second", "first"), at_home, alone)

    result = run(folder, "--jobs", "2")

    assert result.exit_code == 0, result.output
    lines = sorted(result.stdout.splitlines()[:2], key=lambda line: line[6:])
    assert "00_first" in lines[0] and "01_second" in lines[1] and {line[:5] for line in lines} == {"[1/2]", "[2/2]"}
    assert not {*THREADS} & {*os.environ} and os.getcwd() == str(folder.parent)


def test_a_notebook_waits_for_those_whose_files_it_reads(folder, run_dir, monkeypatch):
    monkeypatch.setitem(series.WAITS_FOR, "01_second", ("00_first",))
    write_notebook(folder, "00_first", "import time; time.sleep(1)", count("first"))
    write_notebook(folder, "01_second", 'import os; assert os.path.exists(run_dir + "/first.count")')
    write_notebook(folder, "02_third", count("third"))
    result = run(folder, "--jobs", "3")
    assert result.exit_code == 0, result.output
    (folder / "00_first.ipynb").unlink()  # one that is not there is not waited for
    assert run(folder, "--jobs", "3").exit_code == 0


def test_after_a_failure_none_starts_and_those_that_run_are_finished(folder, run_dir):
    leave = 'import os; open(run_dir + "/broken.pid", "w").write(str(os.getpid()))'
    broken = write_notebook(folder, "00_broken", leave, meet("broken", "slow"), "raise ValueError('planted')")
    # it ends after the broken one's kernel, however slow the machine
    outlive = (
        'import psutil\npid, end = int(open(run_dir + "/broken.pid").read()), time.monotonic() + 60\n'
        "while psutil.pid_exists(pid):\n    assert time.monotonic() < end\n    time.sleep(0.05)\ntime.sleep(2)"
    )
    write_notebook(folder, "01_slow", meet("slow", "broken"), outlive, count("slow"))
    write_notebook(folder, "02_later", count("later"))

    result = run(folder, "--jobs", "2")

    assert result.exit_code == 1 and "00_broken.ipynb, cell 5 (In [5]): ValueError: planted" in result.stderr
    first, second = result.stdout.splitlines()
    assert first == "[1/3] 00_broken  failed; those that run are finished" and second.startswith("[2/3] 01_slow")
    broken.write_text(broken.read_text().replace("raise ValueError('planted')", "mended = 1"))
    assert run(folder, "--jobs", "2").exit_code == 0
    assert (run_dir / "slow.count").read_text() == (run_dir / "later.count").read_text() == "x"


def test_two_failures_are_both_named(folder):
    write_notebook(folder, "00_one", meet("one", "two"), "raise ValueError('planted 1')")
    write_notebook(folder, "01_two", meet("two", "one"), "raise ValueError('planted 2')")
    result = run(folder, "--jobs", "2")
    assert result.exit_code == 1
    # the one that ends first stands in the error, the other among the notebooks
    for name, text in {"00_one": "planted 1", "01_two": "planted 2"}.items():
        assert f"{name}.ipynb, cell 4 (In [4]): ValueError: {text}" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("profile", "cores", "free", "jobs"),
    [("cpu", 2, 8e9, 2), ("cpu", 2, 3e9, 1), ("cpu", 2, 1e9, 1), ("cpu", 16, 64e9, 4), ("gpu", 16, 64e9, 1)],
)
def test_the_number_of_notebooks_at_the_same_time_follows_cores_and_memory(monkeypatch, profile, cores, free, jobs):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(series.psutil, "virtual_memory", lambda: SimpleNamespace(available=free))
    assert series.default_jobs(profile) == jobs


def test_a_dead_kernel_is_named_with_its_cell(folder):
    write_notebook(folder, "00_dies", "fine = 1", "import os; os._exit(1)", "never = 1")
    result = run(folder)
    assert result.exit_code == 1
    assert "00_dies.ipynb, cell 4: the kernel died" in result.stderr


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ([sys.executable, "-c", "raise SystemExit(1)"], "cannot be started (Kernel died"),
        (["/gone/python", "-m", "ipykernel_launcher"], "No such file or directory"),
        ([], "Expecting property name"),  # a kernel.json that is cut off
        (None, "No such kernel named python3"),
    ],
)
def test_a_kernel_that_cannot_be_started_is_one_line_with_the_notebook(folder, run_dir, monkeypatch, kernel, message):
    write_notebook(folder, "00_first", count("first"))
    if kernel is None:
        manager = "jupyter_client.kernelspec.KernelSpecManager"
        monkeypatch.setattr(f"{manager}._find_spec_directory", lambda self, name: None)
    else:
        spec = folder / "share" / "kernels" / "python3" / "kernel.json"
        spec.parent.mkdir(parents=True)
        spec.write_text("{" if not kernel else json.dumps({"argv": kernel, "display_name": "Py", "language": "python"}))
        monkeypatch.setenv("JUPYTER_PATH", str(folder / "share"))
    result = run(folder)
    assert result.exit_code == 2, result.output
    assert result.stdout.splitlines() == ["[1/1] 00_first  failed"]
    assert message in result.stderr and "[00_first.ipynb]" in result.stderr and result.stderr.count("\n") == 1
    assert "ipykernel" in result.stderr and message in (run_dir / "index.html").read_text().replace("&#39;", "'")


def test_a_page_that_cannot_be_made_is_one_line_with_the_notebook(folder, run_dir, monkeypatch):
    write_notebook(folder, "00_first", count("first"))

    def fail(*arguments: object) -> None:
        raise ValueError("No template sub-directory with name 'lab' found in the following paths:\n\t/gone")

    with monkeypatch.context() as patch:
        patch.setattr("lfdtcmen.notebooks.HTMLExporter.from_notebook_node", fail)
        result = run(folder)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert "[00_first.ipynb]" in result.stderr and "No template sub-directory" in result.stderr
    assert "--force-reinstall nbconvert" in result.stderr
    assert run(folder).exit_code == 0 and (run_dir / "first.count").read_text() == "xx"  # it counts as not complete


def test_the_kernels_get_the_vgg_weights_that_were_chosen_and_a_failed_download_is_said(folder, run_dir, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_VGG_WEIGHTS", "random")  # restored at the end: `run` sets it for its kernels
    monkeypatch.delenv("LFDTCMEN_VGG_WEIGHTS")
    monkeypatch.setattr("lfdtcmen.losses.perceptual._download", lambda: "TimeoutError: timed out")
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(folder))
    seen = 'import os; open(run_dir + "/seen", "a").write(str(os.environ.get("LFDTCMEN_VGG_WEIGHTS")) + " ")'
    write_notebook(folder, "00_first", seen)
    assert run(folder).exit_code == 0
    result = run(folder, "--vgg-weights", "try_download")
    assert result.exit_code == 0, result.output
    assert "REAL WEIGHTS CANNOT BE HAD (TimeoutError: timed out)" in result.stderr
    assert (run_dir / "seen").read_text() == "None random "  # another choice: the notebook is executed again
    strict = run(folder, "--vgg-weights", "download")
    assert strict.exit_code == 2 and "cannot be downloaded" in strict.stderr


def test_a_half_installed_extra_is_one_line(folder, monkeypatch):
    write_notebook(folder, "00_first")
    monkeypatch.setitem(sys.modules, "nbclient.exceptions", None)
    monkeypatch.delitem(sys.modules, "lfdtcmen.notebooks", raising=False)
    monkeypatch.delattr("lfdtcmen.notebooks", raising=False)
    result = run(folder)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert 'needs the extra "notebooks"' in result.stderr


def test_a_killed_run_goes_on_with_the_notebook_it_was_killed_in(folder, run_dir):
    write_notebook(folder, "00_first", count("first"))
    sleep = 'import os, time\nif not os.path.exists(run_dir + "/awake"): time.sleep(60)'
    write_notebook(folder, "01_slow", count("slow"), sleep)
    command = [sys.executable, "-m", "lfdtcmen", "run", "-p", "smoke", "--jobs", "1", "--notebooks", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (run_dir / "slow.count").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    process.kill()
    process.wait()

    (run_dir / "awake").touch()
    result = run(folder)
    assert result.exit_code == 0, result.output
    assert (run_dir / "first.count").read_text() == "x"
    assert (run_dir / "slow.count").read_text() == "xx"


def test_an_executed_copy_that_was_cut_off_is_executed_again(folder, run_dir):
    write_notebook(folder, "00_first", count("first"))
    assert run(folder).exit_code == 0
    copy = run_dir / "00_first.ipynb"
    copy.write_text(copy.read_text()[:200])
    assert run(folder).exit_code == 0
    assert (run_dir / "first.count").read_text() == "xx"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-p", "huge"], "unknown profile 'huge'"),
        (["--name", "../up"], "must be one folder's name"),
        (["--seed", "one"], "--seed"),
        (["--bogus"], "No such option: --bogus"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(folder, options, message):
    write_notebook(folder, "00_first")
    result = run(folder, *options)
    assert result.exit_code == 2
    assert message in result.stderr and result.stderr.count("\n") == 1


def test_an_empty_folder_an_unreadable_notebook_and_a_missing_parameter_are_one_line(folder, tmp_path):
    folder.mkdir()
    assert "no numbered notebooks" in run(folder).stderr
    write_notebook(folder, "00_first", parameters="profile = None\nseed = 0")
    assert "has no parameter 'run_dir'" in run(folder).stderr
    (folder / "00_first.ipynb").write_text("{")
    assert "cannot be read" in run(folder).stderr
    assert run(folder).exit_code == 2


def test_without_the_series_it_says_where_the_series_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["run"])
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert "the notebook series is not here" in result.stderr and "clone the project" in result.stderr
    assert not (tmp_path / "runs").exists()


def test_without_papermill_it_names_the_extra(folder, monkeypatch):
    write_notebook(folder, "00_first")
    monkeypatch.setitem(sys.modules, "papermill", None)
    monkeypatch.delitem(sys.modules, "lfdtcmen.notebooks", raising=False)
    monkeypatch.delattr("lfdtcmen.notebooks", raising=False)
    result = run(folder)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert "lfdtcmen run needs the extra \"notebooks\"; pip install 'lfdtcmen[notebooks]'" in result.stderr


def test_an_output_folder_that_cannot_be_made_is_one_line(folder, tmp_path):
    write_notebook(folder, "00_first")
    (tmp_path / "runs").write_text("a file where the folder should be")
    result = run(folder)
    assert result.exit_code == 2
    assert "cannot create the folder" in result.stderr and result.stderr.count("\n") == 1


def test_a_cache_that_is_named_relative_is_one_folder_for_all(folder, run_dir, monkeypatch):
    monkeypatch.setenv("LFDTCMEN_CACHE", "my cache")
    seen = 'from lfdtcmen.files import cache_dir; open(run_dir + "/seen", "w").write(str(cache_dir().resolve()))'
    write_notebook(folder, "00_first", seen)
    assert run(folder).exit_code == 0
    assert Path((run_dir / "seen").read_text()) == folder.parent.resolve() / "my cache"


def test_a_run_does_not_replace_the_series(folder):
    source = write_notebook(folder, "00_first")
    before = source.read_bytes()
    result = run(folder, "--runs", ".", "--name", "notebooks")
    assert result.exit_code == 2 and "the executed notebooks would replace the series" in result.stderr
    assert source.read_bytes() == before
