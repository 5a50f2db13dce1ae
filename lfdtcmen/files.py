"""Where computed files are kept, and how they are written and read safely."""

import json
import os
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lfdtcmen.errors import WRITE_ADVICE, DataError

# what NumPy and zipfile raise for a damaged file
DAMAGE: tuple[type[Exception], ...] = (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError)
DAMAGE += (struct.error, zipfile.BadZipFile, zlib.error)


def cache_dir() -> Path:
    """Return the folder for results that are computed once and kept.

    ``LFDTCMEN_CACHE`` where it is set; else ``data/cache`` of the clone that the package runs from;
    else ``~/.cache/lfdtcmen``. Deleting it costs time only.
    """
    if folder := os.environ.get("LFDTCMEN_CACHE"):
        return Path(folder).expanduser()
    project = Path(__file__).resolve().parents[1]
    if (project / "pyproject.toml").is_file():
        return project / "data" / "cache"
    return Path.home() / ".cache" / "lfdtcmen"


def runs_dir() -> Path:
    """Return the folder for the files of runs: ``LFDTCMEN_RUNS`` if set, else ``runs`` of the working directory."""
    return Path(os.environ.get("LFDTCMEN_RUNS") or "runs").expanduser()


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
    if Path(name).name != name or name in ("", ".."):
        raise DataError(f"the name of a run must be one folder's name, got {name!r}", fix="use letters and digits")
    folder = make_folder(((runs or runs_dir()).expanduser() / name).absolute())
    if made_by is None:
        return folder
    try:
        earlier = json.loads((folder / "metrics.json").read_text(encoding="utf-8")).get("made_by", made_by)
    except (OSError, ValueError, AttributeError):  # absent, cut off by a kill, or no mapping
        return folder
    if earlier != made_by:
        raise DataError(f"the folder has the scores of `lfdtcmen {earlier}`", str(folder), "choose another --name")
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
        temporary.chmod(0o644)  # mkstemp's 0600 would shut out others who share the folder
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"cannot write the file ({error.strerror or error})", str(path), WRITE_ADVICE) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def save_npz_atomic(path: Path | str, **arrays: np.ndarray) -> None:
    """Write arrays to an uncompressed ``.npz`` file, whole or not at all.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]  # the stub knows one more option


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
