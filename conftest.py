"""How tests run in parallel, and notebooks as tests.

Notebooks run as `lfdtcmen run` runs them, in the smoke profile, apart from the reader's own runs.
"""

import os
import tempfile

import pytest

# one folder for all notebooks, so that a stage is trained once; removed at exit
RUN_DIR = tempfile.TemporaryDirectory(prefix="lfdtcmen-notebooks-")

# Tests of one file, and cells of one notebook, run in one process; so do those of these files: the first depend on time
# and would disturb each other, the second have slow fixtures in common, the third load stages that one of them trains.
TOGETHER = (
    ("tests/test_signals.py", "tests/browser/"),
    ("tests/predict/",),
    tuple(f"notebooks/{number}_" for number in ("00", "02", "03", "04", "10")),
)
# What takes longest starts first, so that at the end no process works alone; the rest follows in the usual order
FIRST = (*TOGETHER[2], *TOGETHER[0], "notebooks/", "tests/device/", "tests/test_final_test.py", "tests/test_wheel.py")
FIRST += ("tests/cli/", "tests/datasets/", "tests/training/", "tests/viz/")


@pytest.hookimpl(optionalhook=True)  # pytest may run without pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Return what shares the tests out among the processes of `make test`: by file, and :data:`TOGETHER`.

    The marker `xdist_group` would say the same, but pytest-xdist 3.8 does not see it with pytest 9.2.
    """
    from xdist.scheduler import LoadFileScheduling

    class ByGroup(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((str(group) for group in TOGETHER if any(part in file for part in group)), file)

    config.option.loadscopereorder = False  # else the files with most tests would start first
    return ByGroup(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Keep progress bars, warnings and figures (not their captions) out of the comparison of a checked cell."""
    if isinstance(getattr(collector, "skip_compare", None), tuple):  # nbval's collector of one notebook
        collector.skip_compare += ("stderr", "text/html")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first; set each notebook's parameters at the end of its `parameters` cell, as papermill does."""
    items.sort(key=lambda item: next((k for k, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST)))
    profile = os.environ.get("LFDTCMEN_PROFILE", "smoke")
    for item in items:
        cell = getattr(item, "cell", None)  # only nbval's items have one
        if cell is not None and "parameters" in cell.metadata.get("tags", []):
            cell.source += f"\nprofile = {profile!r}\nrun_dir = {RUN_DIR.name!r}\n"
