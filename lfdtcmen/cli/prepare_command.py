"""``lfdtcmen data prepare``: a data set on disk becomes aligned onset-apex pairs."""

import csv
import os
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from lfdtcmen.cli.options import Detector, Jobs, output_folder
from lfdtcmen.cli.output import echo_remarks, short_path
from lfdtcmen.errors import DataError

LOADERS = ("casme3", "dfme", "casme2", "samm", "smic", "megc", "folder")


def prepare(
    dataset: Annotated[str, typer.Argument(help="casme3, dfme, casme2, samm, smic, megc, or folder for your own.")],
    root: Annotated[list[str], typer.Option(help="Folder of the data set; for megc SET=FOLDER, once for each set.")],
    annotation: Annotated[
        list[str] | None, typer.Option(help="Table of the clips, xlsx or csv; for megc SET=FILE. SMIC needs none.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Results go here.",
            show_default="data/prepared/ and the name of the set or your folder",
            parser=output_folder,
            metavar="PATH",
        ),
    ] = None,
    label_map: Annotated[
        str | None,
        typer.Option(
            help="3class, 4class (with others), 7class (DFME's), 7class_casme3 (CAS(ME)^3's own), or raw (all).",
            show_default="7class for dfme, 3class for the others",
        ),
    ] = None,
    part: Annotated[str | None, typer.Option(help="For dfme: train, test_a or test_b.")] = None,
    spot_apex: Annotated[
        bool, typer.Option("--spot-apex", help="Spot an apex that is missing, instead of leaving the clip out.")
    ] = False,
    test_set: Annotated[
        bool, typer.Option("--test-set", help="The set is only tested on: classes of the label map may be missing.")
    ] = False,
    alignment: Annotated[
        str, typer.Option(help="similarity (shift, rotation, scale of the head) or nose (shift of the nose tip alone).")
    ] = "similarity",
    detector: Detector = None,
    jobs: Jobs = -1,
) -> None:
    """Turn a data set on your disk into aligned onset-apex pairs with their flow (3.1.1, 3.3.2).

    left_out.csv lists what the loader leaves out, failures.csv the clips that cannot be prepared, each with its
    reason; all others are prepared. A label map with a class that has no clip is refused at once, but for test sets
    (--test-set, and DFME's test parts). After an interruption, the same command continues where it was.

    **Examples**

    - `lfdtcmen data prepare casme3 --root data/casme3 --annotation data/casme3/labels.xlsx`

    - `lfdtcmen data prepare folder --root recordings --annotation recordings/clips.csv --spot-apex`

    - `lfdtcmen train --data data/prepared/casme3`: train on the result
    """
    from lfdtcmen.files import atomic_path

    label_map = label_map or ("7class" if dataset == "dfme" else "3class")
    name = Path(root[0]).resolve().name if dataset == "folder" else f"{dataset}_{part}" if part else dataset
    out = out or Path("data") / "prepared" / name
    detector = None if detector is None else Path(os.path.expanduser(detector))
    manifest, report = _load(dataset, root, annotation or [], label_map, spot_apex, part)
    from lfdtcmen.datasets.clips import prepare_clips
    from lfdtcmen.datasets.manifest import LABEL_MAPS, check_classes, table1

    _check_same_clips(out, set(manifest["path"]))
    with atomic_path(out / "left_out.csv") as temporary:
        report.to_csv(temporary, index=False)
    typer.echo(f"read {', '.join(manifest.attrs['read'])}")
    typer.echo(f"{len(manifest) + len(report)} rows: {len(manifest)} clips, {len(report)} left out")
    echo_remarks(manifest.attrs)
    _echo_counts(report["reason"])
    if label_map in LABEL_MAPS and len(manifest) and not (test_set or (part or "").startswith("test")):
        labels, names = manifest["label"].to_numpy(), LABEL_MAPS[label_map]
        if len(set(labels)) < len(names) and dataset != "megc":  # its own label map left emotions out: look again
            everything, _ = _load(dataset, root, annotation or [], "raw", spot_apex, part)
            check_classes(labels, names, everything["emotion"], name)
        check_classes(labels, names, manifest["emotion"], name)
    try:
        pairs, failures = prepare_clips(manifest, out, label_map, jobs, detector, progress=True, alignment=alignment)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command continues from here", err=True)
        raise typer.Exit(130) from None
    notes = pairs.manifest["note"]
    _echo_counts(notes[notes != ""], "kept: ")
    if len(failures):
        typer.echo(f"{len(failures)} clips could not be prepared, such as {failures['reason'][0]}")
    if absent := [name for k, name in enumerate(pairs.label_names) if k not in pairs.labels]:
        typer.echo(f"no clip of {', '.join(absent)}: the set can be tested on, but not trained on")
    typer.echo(table1(pairs.manifest).to_string())
    typer.echo(f"{len(pairs)} pairs are in {short_path(out)}")


def _check_same_clips(out: Path, paths: set[str]) -> None:
    """Refuse a folder with the pairs of other clips: two folders of recordings may have one name.

    Raises
    ------
    DataError
        None of its clips is one of these.
    """
    try:
        with open(out / "manifest.csv", encoding="utf-8", errors="surrogateescape", newline="") as file:
            earlier = {row["path"] for row in csv.DictReader(file)}
    except (OSError, KeyError):  # none, or none of ours
        return
    if earlier and paths and earlier.isdisjoint(paths):
        raise DataError(
            "the folder has the pairs of other clips", short_path(out), "choose another --out, or delete it"
        )


def _load(
    dataset: str, roots: list[str], annotations: list[str], label_map: str, spot_apex: bool, part: str | None
) -> tuple:
    """Return manifest and report of a licensed set, or of the user's own recordings."""
    if dataset not in LOADERS:
        raise DataError(f"unknown data set {dataset!r}", fix=f"use one of {', '.join(LOADERS)}")
    loader = import_module(f"lfdtcmen.datasets.{dataset}")
    if dataset == "megc":
        for text in (*roots, *annotations):
            if "=" not in text:
                raise DataError(f"{text!r} does not say of which set it is", fix="write --root casme2=FOLDER")
        by_set = [dict(text.split("=", 1) for text in texts) for texts in (roots, annotations)]
        return loader.load(*by_set, label_map, spot_apex)
    if len(roots) != 1 or len(annotations) > 1 or (not annotations and dataset != "smic"):
        found = f"{len(roots)} roots and {len(annotations)} annotations"
        raise DataError(found, fix=f"{dataset} takes one --root and one --annotation")
    if part is not None and dataset != "dfme":
        raise DataError(f"{dataset} has no parts", fix="leave --part out")
    more = {} if part is None else {"part": part}
    return loader.load(roots[0], annotations[0] if annotations else None, label_map, spot_apex, **more)


def _echo_counts(texts, prefix: str = "") -> None:
    """Print how often each text occurs, the most frequent first; texts that differ in numbers alone are one."""
    for text, count in texts.str.replace(r"\d+", "N", regex=True).value_counts().items():
        typer.echo(f"  {count:5d}  {prefix}{text}")
