"""CASME II: 200 frames a second, 26 people (Yan et al. 2014); one table, one folder of images per clip."""

import re
from pathlib import Path

import pandas as pd

from lfdtcmen.datasets.loaders.build import EMOTION_NAMES, build_manifest
from lfdtcmen.datasets.loaders.tables import is_missing, read_table, select_columns
from lfdtcmen.datasets.loaders.tree import Tree

FPS = 200.0
LAYOUT = "sub01/EP02_01f/img46.jpg (CASME2-RAW, CASME2_RAW_selected) or reg_img46.jpg (Cropped)"
#: The manifest has no class for repression. As in the MEGC 2019 composite, it counts as negative.
EMOTIONS = {**EMOTION_NAMES, "repression": "negative"}


def load(
    root: Path | str, annotation: Path | str, label_map: str = "3class", spot_apex: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the clips of CASME II that can be used, and a report of the others.

    Parameters
    ----------
    root : path
        The folder that holds ``sub01``, ``sub02``, ..., or one above it that holds only one version, raw or cropped.
    annotation : path
        ``CASME2-coding-20140508.xlsx`` or a later one, or a csv of its columns:
        Subject, Filename, OnsetFrame, ApexFrame, OffsetFrame, Action Units, Estimated Emotion.
    label_map : {"3class", "4class", "7class", "7class_casme3", "raw"}
        'others' is a class of "4class", "7class_casme3" and "raw" only.
    spot_apex : bool, default False
        Keep clips without an apex, to be spotted (one is annotated as "/").

    Returns
    -------
    manifest : DataFrame
        Columns of :mod:`lfdtcmen.datasets.manifest`, then ``note`` (remarks) and ``annotated`` (the emotion as
        it stands in the table). A clip is named ``sub01_EP02_01f``: several subjects have the same file names.
        'repression' has the emotion 'negative', also under "raw".
    report : DataFrame
        row, subject, clip, reason of each row that was left out.

    Raises
    ------
    DataError
        No such folder or table, a column is missing, an unknown label map, or no clip was found.
    """
    return find_clips(read_annotation(annotation), root, label_map, spot_apex)


def read_annotation(annotation: Path | str) -> pd.DataFrame:
    """Return the table with subjects such as ``sub01``, clips such as ``sub01_EP02_01f``, and the clip's ``folder``."""
    table = select_columns(read_table(annotation), ("subject", "clip", "onset", "apex", "emotion"))
    table["subject"] = [_name_subject(text) for text in table["subject"]]
    table["folder"] = table["clip"]
    table["clip"] = [
        "" if is_missing(clip) else f"{subject}_{clip}"
        for subject, clip in zip(table["subject"], table["clip"], strict=True)
    ]
    return table


def find_clips(
    table: pd.DataFrame, root: Path | str, label_map: str, spot_apex: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return manifest and report, as :func:`load` does, of what :func:`read_annotation` returned."""
    tree = Tree(root)
    found = tree.search(table["subject"])

    def locate(row) -> Path:
        return tree.of_subject(found, row.subject, row.folder)

    manifest, report = build_manifest(
        table, tree, locate, dataset="casme2", label_map=label_map, spot_apex=spot_apex, fps=FPS, layout=LAYOUT,
        emotions=EMOTIONS,
    )  # fmt: skip
    manifest["annotated"] = table["emotion"].drop(index=report["row"]).to_numpy()
    return manifest, report


def _name_subject(text: str) -> str:
    """Return ``sub01``, the name of the folder, for "1", "01" and "sub01"."""
    number = re.fullmatch(r"(?:sub)?0*(\d{1,6})(?:\.0)?", text.strip().casefold())
    return f"sub{int(number[1]):02d}" if number else text
