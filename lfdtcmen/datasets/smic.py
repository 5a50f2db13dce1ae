"""SMIC: three cameras (HS 100, VIS and NIR 25 frames a second), three classes, never an apex (Li et al. 2013)."""

import re
from pathlib import Path

import pandas as pd

from lfdtcmen.datasets.frames import is_video
from lfdtcmen.datasets.loaders.build import build_manifest
from lfdtcmen.datasets.loaders.tables import FIELDS, is_missing, read_table, select_columns
from lfdtcmen.datasets.loaders.tree import Tree, only_one
from lfdtcmen.errors import DataError

CAMERAS = {"HS": 100.0, "VIS": 25.0, "NIR": 25.0}  # frames a second
EMOTIONS = {"ne": "negative", "po": "positive", "sur": "surprise"}  # in the names of the clips: s1_ne_01
LAYOUT = "HS/s1/micro/negative/s1_ne_01/image559700.bmp, or with a table SMIC-HS-E/s01/s1_ne_01/image559700.jpg"
CLIP = re.compile(r"s\d+_(ne|po|sur)_\w+", re.IGNORECASE)
SUBJECT = re.compile(r"s?0*(\d{1,6})(?:\.0)?", re.IGNORECASE)


def load(
    root: Path | str, annotation: Path | str | None = None, label_map: str = "3class", spot_apex: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the clips of SMIC, whose apex is still to be spotted, and a report of those that cannot be used.

    Parameters
    ----------
    root : path
        The folder of one camera (HS, VIS or NIR), or one above it. Where there are several cameras, HS is taken: they
        filmed the same micro-expressions.
    annotation : path, optional
        Without a table, a clip is a folder below ``micro``, and runs from its first to its last frame. SMIC-E has
        longer clips and a table for them, ``SMIC-HS-E_annotation.xlsx``: Subject, Filename, OnsetF, OffsetF.
    label_map : {"3class", "4class", "7class", "7class_casme3", "raw"}
        SMIC has negative, positive and surprise only, of which surprise is a class of both maps with seven.
    spot_apex : bool, default False
        For a table to which apex frames were added: keep the rows that have none. SMIC itself has no apex at all,
        so that its clips are kept with apex <NA> in either case.

    Returns
    -------
    manifest : DataFrame
        Columns of :mod:`lfdtcmen.datasets.manifest`, then ``note`` (remarks). Subjects are ``smic/s01``.
    report : DataFrame
        row, subject, clip, reason of what was left out; without a table, row is the position in the list of clips.

    Raises
    ------
    DataError
        No such folder or table, a column is missing, an unknown label map, or no clip was found.
    """
    tree = Tree(root)
    camera = _find_camera(tree)
    table = _list_clips(tree, camera) if annotation is None else _read_annotation(annotation)
    subjects: dict[str, list[Path]] = {}
    for folder in _folders(tree, camera):
        subjects.setdefault(_name_subject(folder.name), []).append(folder)

    def locate(row) -> Path:
        for names in ((row.clip,), ("micro", row.emotion, row.clip)):
            found = [path for path in subjects.get(row.subject, []) if tree.below(path, *names)]
            if found and (folder := tree.below(only_one(found, row.subject), *names)):
                return folder
        raise DataError(f"there is no folder {row.subject}/{row.clip}")

    no_apex = "apex" not in table or all(is_missing(text) for text in table["apex"])
    manifest, report = build_manifest(
        table, tree, locate, dataset="smic", label_map=label_map, spot_apex=spot_apex or no_apex,
        fps=CAMERAS.get(_name_camera(tree, camera) or ""), layout=LAYOUT,
    )  # fmt: skip
    if "second" in table:
        second = table["second"].drop(index=report["row"])
        more = ["" if is_missing(text) else "the first of several micro-expressions in the clip" for text in second]
        manifest["note"] = ["; ".join(filter(None, notes)) for notes in zip(manifest["note"], more, strict=True)]
    return manifest, report


def _find_camera(tree: Tree) -> Path:
    """Return the folder that holds the subjects' folders."""
    found = tree.search([f"s{n}" for n in range(1, 21)] + [f"s{n:02d}" for n in range(1, 10)])
    parents = sorted({folder.parent for folders in found.values() for folder in folders})
    if not parents:
        names = ", ".join(folder.name for folder in _folders(tree, tree.root)[:8]) or "no folders"
        raise DataError("there are no folders s1, s2, ...", str(tree.root), f"expected {LAYOUT}; found there: {names}")
    cameras = list(CAMERAS)  # HS first
    rank = {folder: cameras.index(_name_camera(tree, folder) or "NIR") for folder in parents}
    return only_one([folder for folder in parents if rank[folder] == min(rank.values())], "s1")


def _name_camera(tree: Tree, folder: Path) -> str | None:
    """Return HS, VIS or NIR if one of the folders from the root on has such a name."""
    names = [tree.root.name, *folder.relative_to(tree.root).parts]
    words = re.findall("[A-Z]+", "/".join(reversed(names)).upper())
    return next((word for word in words if word in CAMERAS), None)


def _folders(tree: Tree, folder: Path) -> list[Path]:
    return [path for paths in tree.children(folder).values() for path in paths if not is_video(path)]


def _list_clips(tree: Tree, camera: Path) -> pd.DataFrame:
    """Return one row per clip folder; clips without a micro-expression (``non_micro``) are left out."""
    rows = []
    for subject in _folders(tree, camera):
        micro = tree.below(subject, "micro")
        for emotion in _folders(tree, micro) if micro else []:
            for clip in _folders(tree, emotion):
                try:
                    numbers = list(tree.frames(clip))
                except DataError:  # build_manifest raises it again and reports why the folder cannot be used
                    numbers = [0]
                rows.append((_name_subject(subject.name), clip.name, numbers[0], numbers[-1], emotion.name))
    if not rows:
        raise DataError("there are no clips below s1/micro", str(camera), "SMIC-E needs its annotation table")
    table = pd.DataFrame(rows, columns=["subject", "clip", "onset", "offset", "emotion"]).astype(str).astype(object)
    return table.set_axis(range(1, len(table) + 1))


def _read_annotation(annotation: Path | str) -> pd.DataFrame:
    fields = {**FIELDS, "second": ("onset2f",)}
    table = select_columns(read_table(annotation), ("subject", "clip", "onset", "offset"), fields)
    table["subject"] = [_name_subject(text) for text in table["subject"]]
    annotated = table["emotion"] if "emotion" in table else [""] * len(table)
    table["emotion"] = [_read_emotion(c, e) for c, e in zip(table["clip"], annotated, strict=True)]
    return table


def _name_subject(text: str) -> str:
    """Return ``s01`` for "1", "s1" and "s01": the set itself has two spellings."""
    number = SUBJECT.fullmatch(text.strip())
    return f"s{int(number[1]):02d}" if number else text


def _read_emotion(clip: str, annotated: str) -> str:
    """Return the emotion in the clip's name; not every table has a column for it."""
    code = CLIP.fullmatch(clip.strip())
    return EMOTIONS[code[1].casefold()] if code else annotated
