"""Where does the time of `make run` go? Seconds of each notebook, and of each cell that takes long.

    python benchmarks/series.py                          # of runs/cpu
    python benchmarks/series.py runs/smoke --longer 1

Reads the executed copies; papermill records when each cell began and ended.
For the tests: `make test ARGS="--durations=40"`.
"""

import argparse
from pathlib import Path

import nbformat
import pandas as pd


def cells_of(path: Path) -> pd.DataFrame:
    """Return number (that of the source, from 0), first line and seconds of each executed code cell."""
    cells = nbformat.read(path, as_version=4).cells
    cells = [cell for cell in cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    rows = [
        {"notebook": path.stem, "cell": k, "seconds": cell.metadata.papermill.duration, "code": cell.source[:60]}
        for k, cell in enumerate(cells)
        if cell.cell_type == "code" and cell.metadata.get("papermill", {}).get("duration")
    ]
    return pd.DataFrame(rows, columns=["notebook", "cell", "seconds", "code"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", default=Path("runs/cpu"), help="folder of a run")
    parser.add_argument("--longer", type=float, default=5, help="show cells that take more seconds than this")
    args = parser.parse_args()

    paths = sorted(args.run.glob("*.ipynb"))
    tables = {path.stem: cells_of(path) for path in paths}
    wall = {
        path.stem: nbformat.read(path, as_version=4).metadata.get("papermill", {}).get("duration") for path in paths
    }
    summary = pd.DataFrame(
        {
            "seconds": wall,
            "in cells": {name: table["seconds"].sum() for name, table in tables.items()},
            "in long cells": {n: t.loc[t["seconds"] > args.longer, "seconds"].sum() for n, t in tables.items()},
        }
    )
    print(summary.round(1).to_string())
    cells = pd.concat(tables.values())
    cells = cells[cells["seconds"] > args.longer].sort_values("seconds", ascending=False)
    print(cells.assign(code=cells["code"].str.replace("\n", " | ")).round(1).to_string(index=False))


if __name__ == "__main__":
    main()
