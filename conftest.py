"""How notebooks run as tests: as `lfdtcmen run` runs them, in the smoke profile, apart from the reader's own runs."""

import os
import tempfile

import pytest

# one folder for all notebooks, so that a stage is trained once; removed at exit
RUN_DIR = tempfile.TemporaryDirectory(prefix="lfdtcmen-notebooks-")


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Keep progress bars, warnings and figures (not their captions) out of the comparison of a checked cell."""
    if isinstance(getattr(collector, "skip_compare", None), tuple):  # nbval's collector of one notebook
        collector.skip_compare += ("stderr", "text/html")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set each notebook's parameters at the end of its `parameters` cell, as papermill does in a cell of its own."""
    profile = os.environ.get("LFDTCMEN_PROFILE", "smoke")
    for item in items:
        cell = getattr(item, "cell", None)  # only nbval's items have one
        if cell is not None and "parameters" in cell.metadata.get("tags", []):
            cell.source += f"\nprofile = {profile!r}\nrun_dir = {RUN_DIR.name!r}\n"
