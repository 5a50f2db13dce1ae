"""The notebook series, executed in order by papermill: what ``lfdtcmen run`` does.

A run is a folder: the executed notebooks with their HTML, whatever the notebooks write there (checkpoints,
predictions, ``metrics.json``), and an ``index.html`` that shows all of it on one page. A notebook that is there,
complete, and made from the same cells, parameters and package is not executed again.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter
from papermill.exceptions import PapermillExecutionError

from lfdtcmen.errors import DataError
from lfdtcmen.files import atomic_path, make_folder

PACKAGE = Path(__file__).resolve().parent


class NotebookFailed(RuntimeError):
    """A cell raised an exception, or the kernel died in it."""


@dataclass
class Entry:
    """One notebook of a run, as the index page shows it."""

    source: Path
    executed: Path
    state: str = "not run yet"
    seconds: float | None = None

    @property
    def html(self) -> Path:
        """The executed notebook as a web page."""
        return self.executed.with_suffix(".html")


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


def run_series(
    notebooks: list[Path], run_dir: Path, parameters: dict[str, object], echo: Callable[[str, bool], None]
) -> list[Entry]:
    """Execute notebooks in order into ``run_dir``, going on where an earlier call stopped.

    Parameters
    ----------
    notebooks : list of Path
        What to execute. Each runs in its own folder, as in JupyterLab.
    run_dir : Path
        Where everything goes; created where missing.
    parameters : dict
        Values for the ``parameters`` cell of each notebook.
    echo : callable
        Takes a text and whether the line ends with it; called twice a notebook.

    Returns
    -------
    list of Entry
        State and time of each notebook.

    Raises
    ------
    DataError
        A notebook cannot be read or does not know one of the parameters, or the folder cannot be written to.
    NotebookFailed
        A cell failed; the message names the notebook and the cell.
    """
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it says, we say in one line
    for notebook in notebooks:
        check_parameters(notebook, parameters)
    make_folder(run_dir)
    entries = [Entry(notebook, run_dir / notebook.name) for notebook in notebooks]
    width = max(len(notebook.stem) for notebook in notebooks)
    for number, entry in enumerate(entries, 1):
        echo(f"[{number}/{len(entries)}] {entry.source.stem:<{width}}  ", False)
        try:
            echo(_bring_up_to_date(entry, parameters), True)
        except NotebookFailed as error:
            entry.state = f"failed: {error}"
            echo("failed", True)
            raise
        finally:
            write_index(run_dir, entries, parameters)
    return entries


def check_parameters(notebook: Path, parameters: dict[str, object]) -> None:
    """Refuse a notebook that would ignore a parameter (papermill itself only logs a warning).

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


def _fingerprint(notebook: Path, parameters: dict[str, object]) -> str:
    """Sixteen hex digits that change with a cell, a parameter or a line of the package; outputs do not count."""
    cells = [(cell.cell_type, cell.source) for cell in nbformat.read(notebook, as_version=4).cells]
    digest = hashlib.sha256(json.dumps([cells, parameters], default=str).encode())
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _finished(entry: Entry, fingerprint: str) -> float | None:
    """Return the seconds that a complete and current execution took, or None where there is none."""
    try:
        stamp = nbformat.read(entry.executed, as_version=4).metadata.get("lfdtcmen", {})
    except (OSError, ValueError, nbformat.validator.NotebookValidationError):  # absent, or cut off by a kill
        return None
    return stamp["seconds"] if stamp.get("fingerprint") == fingerprint and entry.html.exists() else None


def _bring_up_to_date(entry: Entry, parameters: dict[str, object]) -> str:
    """Execute a notebook unless that has been done; return what the progress line says of it."""
    fingerprint = _fingerprint(entry.source, parameters)
    entry.seconds = _finished(entry, fingerprint)
    if entry.seconds is not None:
        return f"up to date ({duration(entry.seconds)} when it ran)"
    _execute(entry, parameters, fingerprint)
    return duration(entry.seconds)


def _execute(entry: Entry, parameters: dict[str, object], fingerprint: str) -> None:
    started = time.perf_counter()
    try:
        notebook = papermill.execute_notebook(
            entry.source,
            entry.executed,  # saved after every cell, so that a long run can be watched and a failed one read
            parameters=parameters,
            cwd=entry.source.parent,
            kernel_name="python3",
            progress_bar=False,
            extra_arguments=["--log-level=CRITICAL"],  # an exception is in the notebook; the terminal is ours
        )
    except PapermillExecutionError as error:
        # papermill counts from 0 and has put one cell of its own, the parameters', before: so this counts from 1
        raise NotebookFailed(
            f"{entry.source.name}, cell {error.cell_index} (In [{error.exec_count}]): {error.ename}: {error.evalue}"
        ) from error
    except DeadKernelError as error:
        raise NotebookFailed(f"{entry.source.name}, cell {_last_cell(entry.executed)}: the kernel died") from error
    seconds = time.perf_counter() - started
    with atomic_path(entry.html) as temporary:
        temporary.write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")
    # the stamp goes on last: only a notebook that was executed to its end and is on disk with its HTML has one
    notebook.metadata["lfdtcmen"] = {"fingerprint": fingerprint, "seconds": round(seconds, 1)}
    with atomic_path(entry.executed) as temporary:
        nbformat.write(notebook, temporary)
    entry.seconds = seconds


def _last_cell(executed: Path) -> int:
    """Return the number of the last cell that was started, from 1 and without papermill's own."""
    cells = nbformat.read(executed, as_version=4).cells
    return sum(cell.metadata.papermill.start_time is not None for cell in cells) - 1


def duration(seconds: float) -> str:
    """Return a time for people: ``7.4 s`` or ``3 min 20 s``."""
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def write_index(run_dir: Path, entries: list[Entry], parameters: dict[str, object]) -> None:
    """Write ``index.html``: a card with the headline figure of each notebook, the scores, and the times."""
    total = sum(entry.seconds or 0 for entry in entries)
    settings = ", ".join(f"{name} {value}" for name, value in parameters.items() if name != "run_dir")
    scores = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(', '.join(f'{k} {v}' for k, v in values.items()))}</td></tr>"
        for name, values in headline_scores(run_dir).items()
    )
    page = PAGE.format(
        name=escape(run_dir.name),
        settings=escape(settings),
        total=duration(total),
        date=time.strftime("%Y-%m-%d %H:%M"),
        scores=f"<h2>Scores</h2><table>{scores}</table>" if scores else "",
        cards="".join(_card(entry) for entry in entries),
    )
    with atomic_path(run_dir / "index.html") as temporary:
        temporary.write_text(page, encoding="utf-8")


def headline_scores(run_dir: Path) -> dict[str, dict[str, str]]:
    """Return the numbers that notebooks left in ``*metrics.json`` files of the run: name -> metric -> value.

    Files may nest as they like (models, settings, splits): the keys on the way to the numbers make the name.
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
        collect((), json.loads(file.read_text(encoding="utf-8")))
    return rows


def _card(entry: Entry) -> str:
    cells = nbformat.read(entry.executed if entry.seconds is not None else entry.source, as_version=4).cells
    time_or_state = entry.state if entry.seconds is None else duration(entry.seconds)
    figure = _figure(cells) if entry.seconds is not None else None
    picture = f'<img alt="" src="data:image/png;base64,{figure}">' if figure else '<div class="none"></div>'
    title = escape(_title(cells) or entry.source.stem)
    if entry.seconds is not None:
        title = f'<a href="{escape(entry.html.name)}">{title}</a>'
    subtitle = f"{escape(entry.source.stem)} &middot; {escape(time_or_state)}"
    return f"<article>{picture}<h3>{title}</h3><p>{subtitle}</p></article>"


def _figure(cells: list[nbformat.NotebookNode]) -> str | None:
    """Return the PNG of the cell tagged ``thumbnail``, else the first PNG of the notebook, in base64."""
    tagged_first = sorted(cells, key=lambda cell: "thumbnail" not in cell.metadata.get("tags", []))
    for output in (output for cell in tagged_first for output in cell.get("outputs", [])):
        if png := output.get("data", {}).get("image/png"):
            return "".join(png.split())
    return None


def _title(cells: list[nbformat.NotebookNode]) -> str | None:
    lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return next((line.removeprefix("# ").strip() for line in lines if line.startswith("# ")), None)


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>LFD-TCMEN: {name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent) }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2.5rem auto; padding: 0 1.25rem }}
h1 {{ margin-bottom: 0 }} h2 {{ margin-top: 2.5rem }} h3 {{ margin: .75rem 1rem .25rem; font-size: 1.05rem }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1.25rem }}
article {{ border: 1px solid var(--line); border-radius: .6rem; overflow: hidden }}
article img, article .none {{ display: block; width: 100%; height: 12rem; object-fit: contain; background: #fff }}
article .none {{ background: var(--line) }}
article p {{ margin: 0 1rem 1rem; opacity: .75; font-size: .9rem }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ border-bottom: 1px solid var(--line); padding: .25rem 1.5rem .25rem 0; text-align: left }}
th {{ font-weight: normal }}
</style></head><body>
<h1>LFD-TCMEN: {name}</h1>
<p>{settings} &middot; {total} in all &middot; written {date}</p>
<h2>Notebooks</h2>
<div class="cards">{cards}</div>
{scores}
<p>Drawn faces, not people: the scores say how the method behaves on them, not how well it reads anyone's feelings.</p>
</body></html>
"""
