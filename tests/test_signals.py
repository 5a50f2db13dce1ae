"""Whatever ends a command ends its workers and kernels within two seconds, and Ctrl-C says how to go on."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.test_run import write_notebook

if os.name != "posix":
    pytest.skip("Windows has other signals, and workers that outlive their command", allow_module_level=True)

WITHIN = 2.0  # seconds, on cores that nobody else uses
MARK = "LFDTCMEN_TEST_MARK"  # in the environment of a command, and so of all that it starts
SLOW = ("--set", "subjects=60", "--set", "seed=987")  # rendered on all cores for longer than any test waits
LONG = 'open(run_dir + "/begun", "w"); import time; time.sleep(60)'
BUSY = """
open(run_dir + "/begun", "w")
import time
from joblib import Parallel, delayed
Parallel(2)(map(delayed(time.sleep), [60, 60]))
"""


def started(mark: str) -> list[psutil.Process]:
    """All processes that have the mark, whoever is their parent by now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _heed_signals() -> None:
    """Undo what nohup, or a shell's job in the background, hands down: signals that are ignored."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Command:
    """A command of lfdtcmen in a process of its own, with an empty cache."""

    def __init__(self, folder: Path, *arguments: str):
        self.mark = uuid.uuid4().hex
        self.run_dir = folder / "runs"
        environment = os.environ | {MARK: self.mark, "LFDTCMEN_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
        environment.pop("LOKY_MAX_CPU_COUNT", None)  # of `make test`: here there must be workers
        command = [sys.executable, "-m", "lfdtcmen", *arguments]
        self.process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_heed_signals,
        )

    def wait_for(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def workers(self) -> int:
        """How many workers of joblib there are."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return sum("LokyProcess" in " ".join(process.cmdline()) for process in children)

    def send(self, number: int) -> None:
        """Send a signal, and see that nothing is left after two seconds (more where the cores are busy)."""
        self.process.send_signal(number)
        busy = max(1.0, psutil.getloadavg()[0] / (os.cpu_count() or 1))
        deadline = time.monotonic() + WITHIN * busy
        while (left := started(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left, [process.cmdline() for process in left]
        self.out, self.err = self.process.communicate()


@pytest.fixture
def command(tmp_path) -> Iterator[Callable[..., Command]]:
    commands: list[Command] = []

    def start(*arguments: str) -> Command:
        commands.append(Command(tmp_path, *arguments))
        return commands[-1]

    yield start
    for mark in [c.mark for c in commands]:
        for process in started(mark):
            process.kill()


COMMANDS = {
    "train": ("train", "-p", "smoke", *SLOW),
    "evaluate": ("evaluate", "majority", "-p", "smoke", *SLOW, "--jobs", "2"),
    "ablate": ("ablate", "table5", "-p", "smoke", *SLOW, "--jobs", "2"),
    "data": ("data", "-p", "smoke", *SLOW),
}


@pytest.mark.parametrize("trial", range(len(COMMANDS)))
def test_sigterm_at_a_random_moment_leaves_nothing_behind(command, trial):
    rng = random.Random(trial)
    running = command(*list(COMMANDS.values())[trial])
    if trial % 2:  # half of them while workers are there, the others at any time, imports among them
        running.wait_for(lambda: running.workers() >= 2)
    time.sleep(rng.uniform(0.1, 2))
    running.send(signal.SIGTERM)
    assert running.process.returncode in (143, -signal.SIGTERM)  # the second before our first line has run
    assert running.err.count("Traceback") == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_command(command, number):
    running = command(*COMMANDS["evaluate"])
    running.wait_for(lambda: running.workers() >= 2)
    running.send(number)
    assert running.process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert "Traceback" not in running.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, LONG), (signal.SIGTERM, BUSY), (signal.SIGHUP, LONG)])
def test_a_run_that_is_ended_names_its_notebook_and_ends_the_kernel(command, tmp_path, number, code):
    write_notebook(tmp_path / "notebooks", "00_long", code)
    running = command("run", "-p", "smoke")
    running.wait_for((running.run_dir / "smoke" / "begun").exists)
    if code == BUSY:
        running.wait_for(lambda: running.workers() >= 2)
    running.send(number)
    assert running.process.returncode == 128 + number
    assert running.out.endswith("stopped; the same command goes on with 00_long.ipynb\n") and not running.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_all_notebooks_of_a_run_that_is_ended_are_named(command, tmp_path, number):
    for name in ("00_long", "01_longer"):
        write_notebook(tmp_path / "notebooks", name, LONG.replace("begun", name))
    running = command("run", "-p", "smoke", "--jobs", "2")
    running.wait_for(lambda: all((running.run_dir / "smoke" / name).exists() for name in ("00_long", "01_longer")))
    running.send(number)
    assert running.process.returncode == 128 + number and not running.err
    goes_on = "stopped; the same command goes on with"
    assert running.out.splitlines() == [
        f"[1/2] 00_long    {goes_on} 00_long.ipynb",
        f"[2/2] 01_longer  {goes_on} 01_longer.ipynb",
    ]


def test_a_killed_run_leaves_no_kernel(command, tmp_path):
    write_notebook(tmp_path / "notebooks", "00_long", LONG)
    running = command("run", "-p", "smoke")
    running.wait_for((running.run_dir / "smoke" / "begun").exists)
    running.send(signal.SIGKILL)


@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.5, 1.0])
def test_ctrl_c_during_imports_is_silent(command, seconds):
    running = command(*COMMANDS["train"])
    running.wait_for(lambda: psutil.Process(running.process.pid).num_threads() > 1)  # our first line has run
    time.sleep(seconds)
    running.send(signal.SIGINT)
    assert (running.process.returncode, running.out, running.err) == (130, "", "")


AT_THE_START = """
import os, signal, threading
start = threading.Thread.start
threading.Thread.start = lambda thread: (start(thread), os.kill(os.getpid(), signal.SIGINT))
from lfdtcmen.signals import ended_by_signals
with ended_by_signals():
    pass
"""


def test_ctrl_c_while_the_handlers_are_set_is_silent():
    command = [sys.executable, "-c", AT_THE_START]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, preexec_fn=_heed_signals)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
