"""One notebook of the series, executed by papermill, and the page of a run; :mod:`lfdtcmen.series` runs them all.

A run is a folder: the executed notebooks with their HTML, the files that the notebooks write there (checkpoints,
predictions, ``metrics.json``), and an ``index.html`` that links all of it from one page. A notebook is not executed
again while its executed copy is complete and was made from the same cells, parameters and package.
"""

import hashlib
import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError

from lfdtcmen.errors import DataError, cannot_write, in_one_line
from lfdtcmen.files import atomic_path
from lfdtcmen.templates import render

PACKAGE = Path(__file__).resolve().parent
SAVE_EVERY = 2.0  # seconds
KERNEL_ADVICE = "look at `lfdtcmen doctor`; pip install --force-reinstall ipykernel, in the environment that runs this"


# what viz.show writes
SHOWN_FIGURE = re.compile(r'<figure[^>]*><img [^>]*src="(data:image/[^"]+)"')


class NotebookFailed(RuntimeError):
    """A cell raised an exception, or the kernel died while it ran."""


class SeldomSaved(NBClientEngine):
    """papermill's own engine, which writes the executed copy every two seconds at most, and at the end.

    papermill writes all of it twice a cell: over a second of the processor's time for each notebook.
    """

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: object) -> None:
        """Execute the cells; options as papermill's."""
        save = nb_man.save

        def save_seldom(**changes: object) -> None:
            if (nb_man.now() - nb_man.last_save_time).total_seconds() >= SAVE_EVERY:
                save(**changes)

        nb_man.save = save_seldom
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.save = save  # what comes last is written in any case, also after a failure


papermill_engines.register("seldom saved", SeldomSaved)


@dataclass
class Entry:
    """One notebook of a run; ``seconds`` is None until its executed copy is complete."""

    source: Path
    executed: Path
    state: str = "not run yet"
    seconds: float | None = None

    @property
    def html(self) -> Path:
        """The executed notebook as a web page."""
        return self.executed.with_suffix(".html")


@dataclass(frozen=True)
class Card:
    """One notebook as ``index.html`` shows it: ``figure`` is a data URI, ``link`` the executed page."""

    notebook: str
    title: str
    state: str
    figure: str | None
    link: str | None


def find_notebooks(folder: Path) -> list[Path]:
    """Return the numbered notebooks of a folder, in order.

    Raises
    ------
    DataError
        There are none.
    """
    notebooks = sorted(folder.glob("[0-9]*.ipynb"))
    if not notebooks:
        raise DataError(
            "no numbered notebooks found", str(folder), "run inside a clone of the project, or give --notebooks"
        )
    return notebooks


def check_parameters(notebook: Path, parameters: dict[str, object]) -> None:
    """Raise a DataError for a notebook that would ignore a parameter (papermill itself only logs a warning).

    Raises
    ------
    DataError
        The notebook cannot be read, or lacks one of the names in its ``parameters`` cell.
    """
    try:
        known = papermill.inspect_notebook(str(notebook))
    except Exception as error:  # broken JSON and broken notebook formats have no common parent
        raise DataError(f"the notebook cannot be read ({type(error).__name__})", str(notebook)) from error
    if missing := [name for name in parameters if name not in known]:
        raise DataError(
            f"the notebook has no parameter {missing[0]!r}", str(notebook), "set it in the cell tagged 'parameters'"
        )


def bring_up_to_date(entry: Entry, parameters: dict[str, object]) -> str:
    """Execute a notebook unless its executed copy is current; return the time that it took as text.

    Raises
    ------
    DataError
        The notebook's kernel cannot be started, the folder cannot be written to, the disk is full, or the executed
        notebook cannot be made a page.
    NotebookFailed
        A cell failed; the message names the notebook and the cell.
    """
    fingerprint = _fingerprint(entry.source, parameters)
    seconds = _seconds_of_current_copy(entry, fingerprint)
    if seconds is not None:
        entry.seconds = seconds
        return f"up to date ({duration(seconds)} when it ran)"
    entry.seconds = _execute(entry, parameters, fingerprint)
    return duration(entry.seconds)


def _fingerprint(notebook: Path, parameters: dict[str, object]) -> str:
    """Sixteen hex digits that change with a cell, a parameter or the package's Python code; outputs do not count."""
    cells = [(cell.cell_type, cell.source) for cell in nbformat.read(notebook, as_version=4).cells]
    weights = os.environ.get("LFDTCMEN_VGG_WEIGHTS")  # the kernels inherit it
    digest = hashlib.sha256(json.dumps([cells, parameters, weights], default=str).encode())
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _seconds_of_current_copy(entry: Entry, fingerprint: str) -> float | None:
    """Return the seconds that the executed copy took, or None where there is no complete and current one."""
    try:
        stamp = nbformat.read(entry.executed, as_version=4).metadata.get("lfdtcmen", {})
    except (OSError, ValueError, nbformat.validator.NotebookValidationError):  # absent, or cut off by a kill
        return None
    return stamp["seconds"] if stamp.get("fingerprint") == fingerprint and entry.html.exists() else None


def _execute(entry: Entry, parameters: dict[str, object], fingerprint: str) -> float:
    """Execute a notebook, write its executed copy and its HTML, and return the seconds that it took."""
    started = time.perf_counter()
    try:
        notebook = _with_papermill(entry, parameters)
    except PapermillExecutionError as error:
        # papermill counts cells from 0 and inserts one for the parameters: the number is that of the source, from 1
        raise NotebookFailed(
            f"{entry.source.name}, cell {error.cell_index} (In [{error.exec_count}]): {error.ename}: {error.evalue}"
        ) from error
    except DeadKernelError as error:
        if (cell := _last_cell(entry.executed)) < 1:
            raise DataError("the kernel died at its start", entry.source.name, KERNEL_ADVICE) from error
        raise NotebookFailed(f"{entry.source.name}, cell {cell}: the kernel died") from error
    except OSError as error:
        # papermill writes the copy by itself; the kernel's Python may not be there, or not be a program
        missing = isinstance(error, FileNotFoundError | PermissionError)
        if missing and error.filename and Path(error.filename) != entry.executed:
            raise _no_kernel(entry, error) from error
        if (mistake := cannot_write(error, entry.executed.parent)) is None:
            raise
        raise mistake from error
    except (RuntimeError, KeyError, ValueError) as error:  # it died, there is none, its kernel.json is broken
        raise _no_kernel(entry, error) from error
    seconds = time.perf_counter() - started
    page = _to_html(notebook, entry.source.name)
    with atomic_path(entry.html) as temporary:
        temporary.write_text(page, encoding="utf-8")
    # the fingerprint is written last: a notebook has it only when it ran to its end and its HTML is on disk
    notebook.metadata["lfdtcmen"] = {"fingerprint": fingerprint, "seconds": round(seconds, 1)}
    with atomic_path(entry.executed) as temporary:
        nbformat.write(notebook, temporary)
    return seconds


def _no_kernel(entry: Entry, error: Exception) -> DataError:
    return DataError(f"the kernel cannot be started ({error})", entry.source.name, KERNEL_ADVICE)


def _to_html(notebook: nbformat.NotebookNode, name: str) -> str:
    """Return an executed notebook as a web page."""
    try:
        return HTMLExporter().from_notebook_node(notebook)[0]
    except Exception as error:  # a missing template is a ValueError, a broken one is of Jinja's own types
        raise DataError(
            f"the executed notebook cannot be made a page ({in_one_line(error)})",
            name,
            "pip install --force-reinstall nbconvert",
        ) from error


def _with_papermill(entry: Entry, parameters: dict[str, object]) -> nbformat.NotebookNode:
    """Return the executed notebook."""
    return papermill.execute_notebook(
        entry.source,
        entry.executed,  # saved while it runs: a long run can be watched, and a failed one read
        engine_name="seldom saved",
        parameters=parameters,
        # where the kernel runs; papermill's own `cwd` would change the folder of this process, and so of all threads
        resources={"metadata": {"path": str(entry.source.parent)}},
        kernel_name="python3",
        progress_bar=False,
        extra_arguments=["--log-level=CRITICAL"],  # the notebook holds the exception; the terminal stays clear
    )


def _last_cell(executed: Path) -> int:
    """Return the number in the source, from 1, of the last cell that was started."""
    cells = nbformat.read(executed, as_version=4).cells
    return sum(cell.metadata.papermill.start_time is not None for cell in cells) - 1  # papermill inserted one


def duration(seconds: float) -> str:
    """Return a time as text: ``7.4 s`` or ``3 min 20 s``."""
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


# ---------------------------------------------------------------- the index page


def write_index(run_dir: Path, entries: list[Entry], parameters: dict[str, object]) -> None:
    """Write ``index.html``: a card with the headline figure of each notebook, the scores, and the times."""
    scores = {
        name: ", ".join(f"{metric} {value}" for metric, value in values.items())
        for name, values in headline_scores(run_dir).items()
    }
    page = render(
        "index.html",
        name=run_dir.name,
        settings=", ".join(f"{name} {value}" for name, value in parameters.items() if name != "run_dir"),
        total=duration(sum(entry.seconds or 0 for entry in entries)),
        date=time.strftime("%Y-%m-%d %H:%M"),
        cards=[_card(entry) for entry in entries],
        scores=scores,
    )
    with atomic_path(run_dir / "index.html") as temporary:
        temporary.write_text(page, encoding="utf-8")


def headline_scores(run_dir: Path) -> dict[str, dict[str, str]]:
    """Return the numbers in the run's ``*metrics.json`` files, which notebooks write: name -> metric -> value.

    Files may nest as they like (models, settings, splits): the keys that lead to the numbers make the name.
    """
    rows: dict[str, dict[str, str]] = {}

    def collect(keys: tuple[str, ...], content: dict) -> None:
        for key, value in content.items():
            if isinstance(value, dict) and key != "config":
                collect((*keys, key), value)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                text = f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
                rows.setdefault(" / ".join(keys), {})[key] = text

    for file in sorted(run_dir.glob("*metrics.json")):
        try:
            collect((), json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, AttributeError):  # cut off by a kill, or no mapping: the notebook writes it again
            continue
    return rows


def _card(entry: Entry) -> Card:
    complete = entry.seconds is not None
    cells = nbformat.read(entry.executed if complete else entry.source, as_version=4).cells
    return Card(
        notebook=entry.source.stem,
        title=_title(cells) or entry.source.stem,
        state=entry.state if entry.seconds is None else duration(entry.seconds),
        figure=_figure(cells) if complete else None,
        link=entry.html.name if complete else None,
    )


def _figure(cells: list[nbformat.NotebookNode]) -> str | None:
    """Return the figure of the cell tagged ``thumbnail``, else the first of the notebook, as a data URI."""
    tagged_first = sorted(cells, key=lambda cell: "thumbnail" not in cell.metadata.get("tags", []))
    for output in (output for cell in tagged_first for output in cell.get("outputs", [])):
        data = output.get("data", {})
        if png := data.get("image/png"):
            return f"data:image/png;base64,{''.join(png.split())}"
        if shown := SHOWN_FIGURE.search(data.get("text/html", "")):
            return shown[1]
    return None


def _title(cells: list[nbformat.NotebookNode]) -> str | None:
    """Return the first heading of a notebook."""
    lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return next((line.removeprefix("# ").strip() for line in lines if line.startswith("# ")), None)
