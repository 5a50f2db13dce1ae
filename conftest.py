"""How tests run in parallel, and notebooks as tests.

Notebooks run as `lfdtcmen run` runs them, in the smoke profile, apart from the reader's own runs.
"""

import os
import tempfile
from pathlib import Path

import pytest

# one folder for all notebooks, so that a stage is trained once; removed at exit
RUN_DIR = tempfile.TemporaryDirectory(prefix="lfdtcmen-notebooks-")

SHARING = ("predict",)  # folders of tests whose conftest.py has slow fixtures


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Keep progress bars, warnings and figures (not their captions) out of the comparison of a checked cell."""
    if isinstance(getattr(collector, "skip_compare", None), tuple):  # nbval's collector of one notebook
        collector.skip_compare += ("stderr", "text/html")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests, and set the parameters of notebooks."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(_group(item.path)))
    _set_parameters(items)


def _group(file: Path) -> str:
    """Return what stays in one process: the tests of a file, the cells of a notebook, a folder that shares fixtures."""
    folder = file.parent.name
    return folder if folder in SHARING else f"{folder}/{file.name}"


def _set_parameters(items: list[pytest.Item]) -> None:
    """Set each notebook's parameters at the end of its `parameters` cell, as papermill does in a cell of its own."""
    profile = os.environ.get("LFDTCMEN_PROFILE", "smoke")
    for item in items:
        cell = getattr(item, "cell", None)  # only nbval's items have one
        if cell is not None and "parameters" in cell.metadata.get("tags", []):
            cell.source += f"\nprofile = {profile!r}\nrun_dir = {RUN_DIR.name!r}\n"
