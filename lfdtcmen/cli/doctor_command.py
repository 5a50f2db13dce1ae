"""``lfdtcmen doctor``: is everything here that a run needs?"""

from pathlib import Path

import typer


def doctor() -> None:
    """Check Python, packages, threads, device, disk, VGG-19 weights and data sets.

    Exit code 1 when something that a run needs is missing.
    """
    from lfdtcmen.doctor import examine

    failed = False
    for check in examine(Path("data")):
        typer.echo(check)
        failed |= not check.ok
    if failed:
        raise typer.Exit(1)
