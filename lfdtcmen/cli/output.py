"""What commands print, and how."""

import os
import shlex
import sys
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import typer


def echo(text: str) -> None:
    """Print a text at once, also where the output goes to a file."""
    typer.echo(text)
    sys.stdout.flush()


def echo_remarks(about: Mapping[Hashable, Any]) -> None:
    """Print the remarks in the ``attrs`` of a manifest: what was decided on names that may be one person's, say."""
    for remark in about.get("remarks", ()):
        echo(f"note: {remark}")


def short_path(path: Path) -> str:
    """Return a path as short as the reader can type it: relative to the working directory where it lies below it."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def typed_command() -> str:
    """Return the command line that this process was started with, and the profile where a variable has it."""
    profile = os.environ.get("LFDTCMEN_PROFILE")
    given = any(word.startswith(("-p", "--profile")) for word in sys.argv[1:])
    variables = [f"LFDTCMEN_PROFILE={profile}"] if profile and not given else []
    return shlex.join([*variables, "lfdtcmen", *sys.argv[1:]])
