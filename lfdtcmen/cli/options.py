"""The options that several commands share, and the config that they make."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lfdtcmen.config import Config, load_config
from lfdtcmen.errors import DataError
from lfdtcmen.settings import parse_settings

PROTOCOLS = ("kfold", "loso", "holdout")


def output_folder(text: str) -> Path:
    """Return the folder that an option names; raise DataError where it is none."""
    from lfdtcmen.files import parse_folder

    return parse_folder(text)


def number_of_processes(text: str | int) -> int:
    """Return the number of processes that ``--jobs`` names; raise DataError for none."""
    try:
        jobs = int(text)
    except ValueError:
        jobs = 0
    if jobs == 0:
        raise DataError(f"--jobs {text} is no number of processes", fix="give 1 or more, or -1 for all cores")
    return jobs


# which config
Profile = Annotated[
    str | None,
    typer.Option(
        "-p", "--profile", help="smoke (seconds), cpu (a laptop) or gpu (longer; the paper states no epochs)."
    ),
]
Recipe = Annotated[
    str | None, typer.Option(help="paper, or repaired: the changes with which it disentangles (notebook 08).")
]
Seed = Annotated[int, typer.Option(help="Random seed of data, weights and training.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Set any field of lfdtcmen.config.Config, once for each: --set epochs=6,20,2 --set stage1.cycle=2.",
    ),
]
Preset = Annotated[
    str | None, typer.Option(help="Synthetic faces: easy, standard, hard, wild (to train on) or other_world.")
]
LabelMap = Annotated[str | None, typer.Option(help="Synthetic faces: 3class (CAS(ME)^3) or 7class (DFME).")]
Subjects = Annotated[int | None, typer.Option(help="Synthetic faces: number of people.")]
Folds = Annotated[int | None, typer.Option(min=2, help="Number of folds of subjects.")]
Epochs = Annotated[
    tuple[int, int, int] | None, typer.Option(help="Epochs of stages 1, 2 and 3; the profile's by default.")
]

# what a command runs on, and where results go
Prepared = Annotated[
    Path | None, typer.Option("--data", help="Folder that `data prepare` made; synthetic faces without it.")
]
Protocol = Annotated[
    str, typer.Option(help="kfold, loso (leave one subject out), or holdout (DFME's: train, test A, test B).")
]
Tests = Annotated[
    list[Path] | None, typer.Option("--test", help="For holdout with --data: prepared test set; once for each.")
]
Seeds = Annotated[int, typer.Option(min=1, help="Number of seeds: 0, 1, ...")]
Init = Annotated[
    str | None,
    typer.Option(
        help="Start from the weights of this checkpoint (stage 2 or 3), or of the one that comes with the package.",
        metavar="PATH|shipped",
    ),
]
AddSynthetic = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        help="Add synthetic faces to the training pairs; the number is the weight of their loss, such as 0.3.",
        show_default="none are added",
    ),
]
ShareStage1 = Annotated[
    bool,
    typer.Option("--share-stage1", help="Train stage 1 once per group of subjects, for all seeds (see README)."),
]
Jobs = Annotated[
    int, typer.Option(help="Number of processes; -1 for all cores.", parser=number_of_processes, metavar="INTEGER")
]
Scheduler = Annotated[
    str | None, typer.Option(help="tcp://HOST:8786 of a Dask scheduler, whose workers run the folds.")
]
Name = Annotated[str, typer.Option(help="Results go to runs/NAME.")]
Runs = Annotated[
    Path | None,
    typer.Option(
        "--runs",
        help="Folder of all runs.",
        show_default="LFDTCMEN_RUNS, else ./runs",
        parser=output_folder,
        metavar="PATH",
    ),
]
Detector = Annotated[Path | None, typer.Option(help="YuNet's ONNX file, instead of MTCNN.")]


def build_config(
    profile: str | None,
    settings: list[str] | None,
    data: Path | None = None,
    recipe: str | None = None,
    protocol: str = "kfold",
    **given: Any,
) -> Config:
    """Return the config of a command's options; an option that is None was not given, and ``--set`` counts last.

    Raises
    ------
    DataError
        Unknown profile, recipe, protocol or field, a value that the field does not take, a field of the synthetic faces
        where ``data`` names a prepared data set, or other classes than DFME's for its synthetic parts.
    """
    if protocol not in PROTOCOLS:
        raise DataError(f"unknown protocol {protocol!r}", fix="use kfold, loso or holdout")
    recipe = recipe or "paper"
    overrides = {field: value for field, value in given.items() if value is not None}
    overrides |= parse_settings(settings or [], load_config(profile, recipe))
    if data is not None and (unused := [name for name in ("preset", "label_map", "subjects") if name in overrides]):
        raise DataError(
            f"{unused[0].replace('_', '-')} describes synthetic faces", "--data", "leave it out, or leave --data out"
        )
    if protocol == "holdout" and data is None and overrides.setdefault("label_map", "7class") != "7class":
        raise DataError("the synthetic parts of holdout are DFME's, with seven classes", fix="leave the label map out")
    return load_config(profile, recipe, **overrides)
