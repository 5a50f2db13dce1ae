"""SAMM: 200 frames a second, grey, 159 clips (Davison et al. 2018); one table, one folder of images per clip."""

import re
from pathlib import Path

import pandas as pd

from lfdtcmen.datasets.loaders.build import build_manifest
from lfdtcmen.datasets.loaders.tables import read_table, select_columns
from lfdtcmen.datasets.loaders.tree import Tree

FPS = 200.0
LAYOUT = "006/006_1_2/006_05562.jpg"


def load(
    root: Path | str, annotation: Path | str, label_map: str = "3class", spot_apex: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the clips of SAMM that can be used, and a report of the others.

    Parameters
    ----------
    root : path
        The folder that holds ``006``, ``007``, ... (SAMM or SAMM_CROP), or one above it.
    annotation : path
        ``SAMM_Micro_FACS_Codes_v2.xlsx``, whose header stands below 13 rows of text, or a csv of its columns:
        Subject, Filename, Onset Frame, Apex Frame, Offset Frame, Action Units, Estimated Emotion.
    label_map : {"3class", "4class", "7class", "7class_casme3", "raw"}
        'Other' is a class of "4class", "7class_casme3" and "raw" only.
    spot_apex : bool, default False
        Keep clips whose apex is missing or outside onset..offset (two are known), to be spotted.

    Returns
    -------
    manifest : DataFrame
        Columns of :mod:`lfdtcmen.datasets.manifest`, then ``note`` (remarks).
    report : DataFrame
        row, subject, clip, reason of each row that was left out.

    Raises
    ------
    DataError
        No such folder or table, a column is missing, an unknown label map, or no clip was found.
    """
    table = select_columns(read_table(annotation), ("subject", "clip", "onset", "apex", "emotion"))
    table["subject"] = [_name_subject(text) for text in table["subject"]]
    tree = Tree(root)
    found = tree.search(table["subject"])

    def locate(row) -> Path:
        return tree.of_subject(found, row.subject, row.clip)

    return build_manifest(
        table, tree, locate, dataset="samm", label_map=label_map, spot_apex=spot_apex, fps=FPS, layout=LAYOUT
    )


def _name_subject(text: str) -> str:
    """Return ``006``, the name of the folder, for "6" and "006": a spreadsheet may have turned names into numbers."""
    number = re.fullmatch(r"0*(\d{1,6})(?:\.0)?", text.strip())
    return f"{int(number[1]):03d}" if number else text
