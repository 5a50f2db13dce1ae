"""The notebook series, several notebooks at the same time: the work of ``lfdtcmen run``."""

import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import psutil
from tqdm import tqdm

from lfdtcmen.errors import DataError
from lfdtcmen.files import make_folder
from lfdtcmen.notebooks import Entry, NotebookFailed, bring_up_to_date, check_parameters, write_index

# A notebook waits for the one that makes what it reads: trained stages in the run's folder, and the profile's faces in
# the cache (it would start, and then wait for the other to draw them). Notebook 02 does not: before it asks for those
# faces, it trains for minutes on others. A test compares this table with what the notebooks ask for
# (tests/notebooks/test_series.py).
WAITS_FOR: dict[str, tuple[str, ...]] = {
    "01_data_preparation": ("00_tour",),
    "03_tcme_training": ("00_tour", "02_drl_training"),
    "04_fine_tuning": ("00_tour", "02_drl_training"),
    "05_confusion_matrices": ("00_tour",),
    "07_measuring_disentanglement": ("00_tour",),
    "09_ablations": ("00_tour",),
    "10_interpretability": ("00_tour", "02_drl_training"),
    "11_honest_evaluation": ("00_tour",),
    "12_compared_methods": ("00_tour",),
    "13_fixed_against_learnable": ("00_tour",),
    "16_class_imbalance": ("00_tour",),
}
# These start before all others that can: the longest chain of notebooks which wait for each other, then the longest of
# those that wait for a part of it.
FIRST = ("02_drl_training", "00_tour", "04_fine_tuning", "03_tcme_training", "10_interpretability")

MOST_JOBS = 4  # with more, the others are done long before notebook 00 and what waits for it
KERNEL_MEMORY = 2.0  # GB: kernels take 1.0 to 1.8 in the cpu profile
THREADS = ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")  # of torch and NumPy's libraries, and of OpenCV


def run_series(
    notebooks: list[Path],
    run_dir: Path,
    parameters: dict[str, object],
    echo: Callable[[str], None],
    jobs: int = 1,
) -> list[Entry]:
    """Execute the notebooks of a series, and continue where an earlier call stopped.

    A notebook starts when those that it waits for (:data:`WAITS_FOR`) have ended. After a failure no other starts, and
    those that run are finished. When this process is told to end, the kernels and their processes end at once.

    Parameters
    ----------
    notebooks : list of Path
        The notebooks to execute. Each runs in its own folder, as in JupyterLab, and with one thread.
    run_dir : Path
        Folder of the run; created where missing.
    parameters : dict
        Values for the ``parameters`` cell of each notebook.
    echo : callable
        Takes a line of text; called once for each notebook that has ended.
    jobs : int, default 1
        How many notebooks run at the same time.

    Returns
    -------
    list of Entry
        State and time of each notebook.

    Raises
    ------
    DataError
        A notebook cannot be read or lacks one of the parameters, the folder cannot be written to, the disk is full, the
        kernel cannot be started, or an executed notebook cannot be made a page.
    NotebookFailed
        A cell failed; the message names the notebook and the cell.
    """
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # its messages would come between the progress lines
    for notebook in notebooks:
        check_parameters(notebook, parameters)
    make_folder(run_dir)
    series = _Series([Entry(notebook, run_dir / notebook.name) for notebook in notebooks], run_dir, parameters, echo)
    series.run(jobs)
    if series.failures:
        raise series.failures[0]
    return series.entries


class _Series:
    """The notebooks of one call: those that wait, those that run, and what failed."""

    def __init__(self, entries: list[Entry], run_dir: Path, parameters: dict[str, object], echo: Callable[[str], None]):
        self.entries, self.run_dir, self.parameters, self.echo = entries, run_dir, parameters, echo
        self.waiting = {entry.source.stem: entry for entry in entries}
        self.running: dict[Future[str], Entry] = {}
        self.failures: list[Exception] = []
        self.ended = 0

    def run(self, jobs: int) -> None:
        """Execute all of them, in threads: in the main one, papermill would take Ctrl-C for the death of the kernel."""
        pool = ThreadPoolExecutor(jobs)
        bar = tqdm(bar_format="{desc} ({elapsed})", leave=False, disable=None)  # in a terminal only
        try:
            with one_thread_each():
                while self.running or (self.waiting and not self.failures):
                    self._start(pool, jobs)
                    bar.set_description_str(
                        "running " + ", ".join(entry.source.stem for entry in self.running.values())
                    )
                    # without a timeout, Windows would not see Ctrl-C
                    for execution in wait(self.running, timeout=1, return_when=FIRST_COMPLETED).done:
                        self._end(self.running.pop(execution), execution)
        except BaseException:  # Ctrl-C, SIGTERM, or what nobody foresaw: no kernel may be left
            for process in psutil.Process().children(recursive=True):
                process.kill()
            for entry in self.running.values():
                entry.state = "stopped"
                self._tell(entry, f"stopped; the same command goes on with {entry.source.name}")
            write_index(self.run_dir, self.entries, self.parameters)
            raise
        finally:
            bar.close()
            pool.shutdown(wait=False)

    def _start(self, pool: ThreadPoolExecutor, jobs: int) -> None:
        """Start what can start; nothing after a failure."""
        while not self.failures and len(self.running) < jobs:
            name = next_notebook(self.waiting, [entry.source.stem for entry in self.running.values()])
            if name is None:
                return
            entry = self.waiting.pop(name)
            self.running[pool.submit(bring_up_to_date, entry, self.parameters)] = entry

    def _end(self, entry: Entry, execution: Future[str]) -> None:
        """Say how a notebook has ended, and write the index."""
        try:
            self._tell(entry, execution.result())
        except (NotebookFailed, DataError) as error:
            entry.state = f"failed: {error}"
            text = entry.state if self.failures else "failed"  # the first is raised in the end
            self._tell(entry, f"{text}; those that run are finished" if self.running else text)
            self.failures.append(error)
        finally:
            write_index(self.run_dir, self.entries, self.parameters)

    def _tell(self, entry: Entry, text: str) -> None:
        self.ended += 1
        width = max(len(other.source.stem) for other in self.entries)
        with tqdm.external_write_mode():
            self.echo(f"[{self.ended}/{len(self.entries)}] {entry.source.stem:<{width}}  {text}")


def next_notebook(waiting: Collection[str], running: Iterable[str]) -> str | None:
    """Return the notebook to start next, or None where each waits for one that has not ended.

    Of those that can start, it is the first in :data:`FIRST`, or else in the order of the series.

    Parameters
    ----------
    waiting : collection of str
        Names, without suffix, of the notebooks that have not started, in the order of the series.
    running : iterable of str
        Names of the notebooks that run.
    """
    unfinished = {*waiting, *running}
    ready = [name for name in waiting if unfinished.isdisjoint(WAITS_FOR.get(name, ()))]
    return min(ready, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST), default=None)


def default_jobs(profile: str) -> int:
    """Return how many notebooks run at the same time unless the user says: one a core, where there is memory for it.

    Parameters
    ----------
    profile : str
        In ``gpu`` it is one: notebooks would share the device's memory.
    """
    if profile == "gpu":
        return 1
    free = int(psutil.virtual_memory().available / 1e9 / KERNEL_MEMORY)
    return max(1, min(MOST_JOBS, os.cpu_count() or 1, free))


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let kernels that start within the block use one thread each, unless the environment says how many.

    Then they do not take each other's cores, and the numbers in a notebook are the same for any number of cores and of
    notebooks at the same time: training gives other last digits, and in the end other numbers, with more threads.
    """
    ours = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, "1"))
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
