"""``lfdtcmen run``: the notebook series, executed."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from lfdtcmen.cli.options import Profile, Runs, Seed
from lfdtcmen.cli.output import echo, short_path
from lfdtcmen.config import load_config
from lfdtcmen.errors import DataError, missing_extra


def run(
    profile: Profile = None,
    seed: Seed = 0,
    name: Annotated[str | None, typer.Option(help="Results go to runs/NAME; the profile's name by default.")] = None,
    runs: Runs = None,
    vgg_weights: Annotated[
        str | None,
        typer.Option(help="Of the perceptual loss: auto, download, try_download, random or a path; the profile's."),
    ] = None,
    notebooks: Annotated[Path, typer.Option(help="Folder of the series.")] = Path("notebooks"),
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Notebooks at the same time; by default one a core, at most 4, fewer with little memory."
        ),
    ] = None,
) -> None:
    """Execute the notebook series into runs/NAME, with an index page.

    Notebooks that do not wait for each other run at the same time, with one thread each. Continues where it was
    stopped: a notebook is executed again only when it, its parameters or the package changed.

    **Examples**

    - `lfdtcmen run`: the whole series in the cpu profile, into runs/cpu

    - `lfdtcmen run -p smoke`: the same in a few minutes, to see that everything works

    - `lfdtcmen run --seed 1 --name second`: another seed, in a folder of its own

    - `lfdtcmen run --vgg-weights download`: with the real weights of VGG-19 (548 MB, fetched once)
    """
    from lfdtcmen.files import cache_dir, run_folder

    config = load_config(profile, seed=seed, **({} if vgg_weights is None else {"vgg_weights": vgg_weights}))
    notebooks = Path(os.path.expanduser(notebooks)).resolve()
    if not notebooks.is_dir():
        raise DataError(
            "the notebook series is not here",
            str(notebooks),
            "it is no part of the installed package: clone the project and run this in its folder, or give --notebooks",
        )

    try:
        from lfdtcmen.notebooks import NotebookFailed, duration, find_notebooks
        from lfdtcmen.series import default_jobs, run_series
    except ModuleNotFoundError as error:
        raise missing_extra("lfdtcmen run", "notebooks") from error
    series_files = find_notebooks(notebooks)
    run_dir = run_folder(config.profile if name is None else name, runs=runs)
    if run_dir.resolve() == notebooks:
        raise DataError("the executed notebooks would replace the series", str(run_dir), "choose another --name")
    if "LFDTCMEN_CACHE" in os.environ:  # kernels run in the notebooks' folder
        os.environ["LFDTCMEN_CACHE"] = str(cache_dir().absolute())
    if config.vgg_weights != "auto":
        from lfdtcmen.losses.perceptual import WORDS, obtain_vgg

        weights = obtain_vgg(config.vgg_weights)  # here and once, so that the line about a failure is seen
        os.environ["LFDTCMEN_VGG_WEIGHTS"] = (
            weights if weights in WORDS else str(Path(os.path.expanduser(weights)).absolute())
        )
    parameters: dict[str, object] = {"profile": config.profile, "seed": seed, "run_dir": str(run_dir)}
    start = time.perf_counter()
    try:
        entries = run_series(series_files, run_dir, parameters, echo, jobs or default_jobs(config.profile))
    except NotebookFailed as error:
        typer.echo(f"lfdtcmen: {error}", err=True)
        typer.echo("The executed copy in the run's folder shows all of it; the same command continues here.", err=True)
        raise typer.Exit(1) from None
    took = duration(time.perf_counter() - start)
    typer.echo(f"{len(entries)} notebooks in {took}: open {short_path(run_dir / 'index.html')}")
