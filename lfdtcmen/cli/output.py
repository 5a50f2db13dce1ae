"""What commands print, and how."""

import shlex
import sys
from pathlib import Path

import typer


def echo(text: str, end_of_line: bool = True) -> None:
    """Print a text at once, also where the output goes to a file."""
    typer.echo(text, nl=end_of_line)
    sys.stdout.flush()


def short_path(path: Path) -> str:
    """Return a path as short as the reader can type it: relative to the working directory where it lies below it."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def typed_command() -> str:
    """Return the command line that this process was started with."""
    return shlex.join(["lfdtcmen", *sys.argv[1:]])


def score_text(scores) -> str:
    """Return a score table as text, a score and its interval in one column."""
    import pandas as pd

    columns = {}
    for name in scores.columns:
        if f"{name} low" in scores:
            values = scores[[name, f"{name} low", f"{name} high"]].to_numpy()
            columns[name] = ["" if v != v else f"{v:.3f} ({low:.3f} to {high:.3f})" for v, low, high in values]
        elif not name.endswith((" low", " high")):
            columns[name] = [f"{v:.3g}" if isinstance(v, float) else v for v in scores[name]]
    return pd.DataFrame(columns, index=scores.index).to_string()
