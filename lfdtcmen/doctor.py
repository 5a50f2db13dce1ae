"""The checks of ``lfdtcmen doctor``: does this machine have all that a run needs?"""

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

FREE_GIGABYTES = 2.0  # for checkpoints, executed notebooks and cached flows of a few runs


@dataclass(frozen=True)
class Check:
    """One line of the report."""

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
    yield from check_torch()
    yield check_disk(data_root)
    yield check_vgg_weights()
    yield list_data_sets(data_root)


def check_python() -> Check:
    """Check that this Python is new enough."""
    return Check("Python", sys.version_info >= (3, 11), f"{platform.python_version()} (3.11 or newer needed)")


def check_packages() -> Iterator[Check]:
    """Check each dependency's version against the bounds of ``pyproject.toml``."""
    try:
        requirements = [Requirement(text) for text in importlib.metadata.requires("lfdtcmen") or []]
    except importlib.metadata.PackageNotFoundError:
        yield Check("lfdtcmen", False, "not installed; run `pip install -e .` in the project's folder")
        return
    needed = [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    problems = []
    for requirement in needed:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            problems.append(Check(requirement.name, False, f"missing; {requirement} is needed"))
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            problems.append(Check(requirement.name, False, f"{version} is too old; {requirement} is needed"))
    yield from problems
    if not problems:
        yield Check("packages", True, f"all {len(needed)} within the bounds of pyproject.toml")


def check_torch() -> Iterator[Check]:
    """Check that torch can be imported, and report its threads and device."""
    try:
        import torch
    except Exception as error:  # a broken binary raises OSError, a missing one ImportError
        yield Check("torch", False, f"cannot be imported ({type(error).__name__}: {error})")
        return
    yield Check("torch", True, torch.__version__)
    yield Check("threads", True, f"{torch.get_num_threads()} for torch, {os.cpu_count()} cores")
    if torch.cuda.is_available():
        yield Check("device", True, f"GPU: {torch.cuda.get_device_name()}")
    else:
        yield Check("device", True, "CPU; use the profile cpu or smoke")


def check_disk(folder: Path) -> Check:
    """Check the free space on the disk of a folder."""
    existing = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
    free = shutil.disk_usage(existing).free / 1e9
    return Check("disk", free >= FREE_GIGABYTES, f"{free:.1f} GB free ({FREE_GIGABYTES:.0f} GB needed)")


def check_vgg_weights() -> Check:
    """Report which VGG-19 weights the perceptual loss would use; it runs with pretrained and with random ones."""
    try:
        from lfdtcmen.losses import VGG19

        return Check("VGG-19", True, VGG19("auto").source)
    except Exception as error:  # torch or OpenCV missing, or a damaged checkpoint
        return Check("VGG-19", False, f"{type(error).__name__}: {error}")


def list_data_sets(data_root: Path) -> Check:
    """Report which data sets lie in ``data_root``; a run needs none but the synthetic faces."""
    found = sorted(
        folder.name
        for folder in (data_root.iterdir() if data_root.is_dir() else ())
        if folder.is_dir() and folder.name not in ("cache", "prepared", "sample") and not folder.name.startswith(".")
    )
    return Check("data sets", True, f"synthetic faces{''.join(f', {name}' for name in found)} (data/README.md)")
