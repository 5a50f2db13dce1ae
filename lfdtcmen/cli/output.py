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
