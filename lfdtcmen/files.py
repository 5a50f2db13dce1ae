"""Where computed files are kept, and how they are written and read safely."""

import json
import os
import struct
import tempfile
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from filelock import FileLock

from lfdtcmen.errors import WRITE_ADVICE, DataError

# of Windows, with any suffix
RESERVED_NAMES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{k}" for port in ("COM", "LPT") for k in range(1, 10))}
# what NumPy and zipfile raise for a damaged file
DAMAGE: tuple[type[Exception], ...] = (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError)
DAMAGE += (struct.error, zipfile.BadZipFile, zlib.error)
_UMASK = os.umask(0o077)  # which rights this user's new files lack; it can only be read by setting it
os.umask(_UMASK)


def clone_dir() -> Path | None:
    """Return the clone of the project that the package runs from; None where it is installed outside one."""
    folder = Path(__file__).resolve().parents[1]
    return folder if (folder / "pyproject.toml").is_file() else None


def project_dir() -> Path:
    """Return the folder in which a notebook finds ``data``, ``experiments`` and ``runs``.

    The clone that the package runs from; else the working directory, or the folder above it where it is ``notebooks``.
    """
    here = Path.cwd()
    return clone_dir() or (here.parent if here.name == "notebooks" else here)


def cache_dir() -> Path:
    """Return the folder for results that are computed once and kept.

    ``LFDTCMEN_CACHE`` where it is set; else ``data/cache`` of the clone that the package runs from;
    else ``~/.cache/lfdtcmen``. Deleting it costs time only.
    """
    if folder := os.environ.get("LFDTCMEN_CACHE"):
        return Path(os.path.expanduser(folder))
    if (clone := clone_dir()) is not None:
        return clone / "data" / "cache"
    return Path.home() / ".cache" / "lfdtcmen"


def runs_dir() -> Path:
    """Return the folder for the files of runs: ``LFDTCMEN_RUNS`` if set, else ``runs`` of the working directory."""
    return Path(os.path.expanduser(os.environ.get("LFDTCMEN_RUNS") or "runs"))


def lab_folder(run_dir: Path | str | None) -> Path:
    """Return the absolute path of the folder in which a notebook keeps its run.

    Parameters
    ----------
    run_dir : path, optional
        The notebook's parameter. None: ``lab`` in :func:`runs_dir`, which starts at :func:`project_dir`; so it is the
        same folder in JupyterLab, with nbconvert and with papermill, from whatever folder they are started.
    """
    return Path(os.path.expanduser(run_dir)).absolute() if run_dir is not None else project_dir() / runs_dir() / "lab"


def run_folder(name: str, made_by: str | None = None, runs: Path | None = None) -> Path:
    """Return the absolute path of a run's folder, created where it is missing.

    Parameters
    ----------
    name : str
        Name of the folder.
    made_by : str, optional
        The command that is to write ``metrics.json`` there.
    runs : Path, optional
        Folder of all runs; :func:`runs_dir` by default.

    Raises
    ------
    DataError
        ``name`` is not the name of one folder, the folder cannot be written to, or its ``metrics.json`` was written
        by another command: ``predict`` relies on the one of ``train``.
    """
    _check_name(name)
    folder = make_folder((Path(os.path.expanduser(runs or runs_dir())) / name).absolute())
    if made_by is None:
        return folder
    try:
        earlier = json.loads((folder / "metrics.json").read_text(encoding="utf-8")).get("made_by", made_by)
    except (OSError, ValueError, AttributeError):  # absent, cut off by a kill, or no mapping
        return folder
    if earlier != made_by:
        raise DataError(f"the folder has the scores of `lfdtcmen {earlier}`", str(folder), "choose another --name")
    return folder


def _check_name(name: str) -> None:
    """Refuse a name that is no folder's on one of the three systems, or that a shell takes for something else.

    Raises
    ------
    DataError
        Empty, ``.`` or ``..``, with a separator or a control character, with one of ``<>:"|?*``, with a blank or dot
        at its end or a blank at its start, beginning with ``-`` or ``~``, reserved by Windows (``con``, ``nul``, ...),
        or longer than 255 bytes.
    """
    bad = (
        not name
        or name[0] in "-~ "
        or name[-1] in " ."
        or any(unicodedata.category(c) in ("Cc", "Cs") or c in '<>:"/\\|?*' for c in name)
        or name.split(".")[0].strip().upper() in RESERVED_NAMES
        or len(name.encode(errors="replace")) > 255
    )
    if bad:
        what = f"the name of a run must be one folder's name, got {name!r}"
        raise DataError(what, "--name", "use letters, digits, - and _, such as casme3-loso")


def parse_folder(text: str) -> Path:
    """Return the folder that an option such as ``--out`` names, ``~`` written in full.

    Raises
    ------
    DataError
        Nothing but blanks, ``-``, a control character, or the home of a user who is not there.
    """
    try:
        folder = Path(text).expanduser()  # os.path's lets the home of a user who is not there stand as it is
    except RuntimeError:  # ~name, and there is nobody of that name
        folder = None
    if folder is None or text.strip() in ("", "-") or any(unicodedata.category(c) == "Cc" for c in text):
        raise DataError(f"{text!r} is no folder", fix="give the path of a folder, such as runs/mine, or . for this one")
    return folder


def make_folder(folder: Path | str) -> Path:
    """Create a folder and those above it.

    Raises
    ------
    DataError
        It cannot be created, or cannot be written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot create the folder ({error.strerror})", str(folder), WRITE_ADVICE) from error
    if not os.access(folder, os.W_OK):
        raise DataError("the folder cannot be written to", str(folder), WRITE_ADVICE)
    return folder


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; it replaces ``path`` when the block ends without an error.

    A reader therefore sees the old file or the new one, never a part of one, even after the process is killed.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    make_folder(path.parent)
    temporary = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        temporary = Path(name)
        os.close(handle)
        yield temporary
        temporary.chmod(0o666 & ~_UMASK)  # as other programs do: mkstemp's 0600 would shut out who shares the folder
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"cannot write the file ({error.strerror or error})", str(path), WRITE_ADVICE) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def save_npz_atomic(path: Path | str, compress: bool = False, /, **arrays: np.ndarray) -> None:
    """Write arrays to an ``.npz`` file, compressed or not, whole or not at all.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    with atomic_path(path) as temporary:
        (np.savez_compressed if compress else np.savez)(temporary, **arrays)  # type: ignore[arg-type]  # of the stub


def load_npz(path: Path | str, needed: Iterable[str] = ()) -> dict[str, np.ndarray] | None:
    """Return the arrays of an ``.npz`` file, or None where there is none that can be used.

    A truncated or unreadable file, or one without the ``needed`` arrays, gives a warning and None, so that the caller
    builds it again.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
            if missing := [name for name in needed if name not in arrays]:
                raise ValueError(f"{missing[0]} is missing")
            return arrays
    except DAMAGE as error:
        warnings.warn(f"cache file {path} is damaged ({error}) and will be built again", stacklevel=2)
        return None


def load_or_build(
    path: Path, needed: Iterable[str], build: Callable[[], dict[str, np.ndarray]], compress: bool = False
) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz`` file; where there is none that can be used, build them and write it.

    Of several processes that need the same file, one builds it, and the others wait for it.

    Parameters
    ----------
    path : Path
    needed : iterable of str
        The arrays that the file must have.
    build : callable
        Makes the arrays.
    compress : bool, default False

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    seen = _time_of(path)
    arrays = load_npz(path, needed)
    if arrays is not None:
        return arrays
    make_folder(path.parent)  # fails here, and not after minutes of building
    with one_at_a_time(path):
        if _time_of(path) != seen:  # another process has built it
            arrays = load_npz(path, needed)
        if arrays is None:
            arrays = build()
            save_npz_atomic(path, compress, **arrays)
    return arrays


def _time_of(path: Path) -> int | None:
    """Return when a file was written, in nanoseconds; None where there is none."""
    return path.stat().st_mtime_ns if path.exists() else None


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait while another process is in a block for the same path; the system ends the wait if that process dies.

    Parameters
    ----------
    path : Path
        What the block makes, in a folder that exists.
    """
    lock = FileLock(f"{path}.lock")
    with suppress(OSError, NotImplementedError):  # a disk without locks: at worst, the work is done twice
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):  # Windows: somebody waits for it
            os.unlink(lock.lock_file)
