"""CAS(ME)^3 Part A as its owners hand it out: 860 micro-expressions of 100 people, 30 frames a second (4.1).

Two layouts are in use. Whole recordings, in which several micro-expressions lie::

    part_A/spNO.1/a/color/1.jpg, 2.jpg, ...

and recordings cut to one micro-expression, named after subject, recording and onset (the folder is spelled ``spNo``)::

    Part_A_ME_clip/frame/spNo.1_a_46/46.jpg, 47.jpg, ...

Frame numbers of the table are those of the files, in both.
"""

import re
from pathlib import Path

import pandas as pd

from lfdtcmen.datasets.loaders.build import build_manifest
from lfdtcmen.datasets.loaders.tables import is_missing, read_table, same_name, select_columns
from lfdtcmen.datasets.loaders.tree import Tree, only_one
from lfdtcmen.errors import DataError

FPS = 30  # stated (4.1)
LAYOUT = "part_A/spNO.1/a/color/46.jpg or Part_A_ME_clip/frame/spNo.1_a_46/46.jpg"


def load(
    root: Path | str, annotation: Path | str, label_map: str = "3class", spot_apex: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load CAS(ME)^3 Part A.

    Parameters
    ----------
    root : path
        The folder of the data set, or any folder above the clips, in either layout. Where a recording is there both
        whole and cut, the whole one is taken.
    annotation : path
        ``cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx`` (sheet ``label``), or a csv with its columns Subject, Filename,
        Onset, Apex, Offset, AU, emotion.
    label_map : {"3class", "4class", "7class", "7class_casme3", "raw"}, default "3class"
        Negative = anger, disgust, fear, sadness (stated, 4.7); positive = happiness (assumed); surprise. 'others' is
        left out, but for "4class", the four categories that 4.1 names, and "7class_casme3", the words of the table.
    spot_apex : bool, default False
        Keep rows without a usable apex, to be spotted in preparation.

    Returns
    -------
    manifest : DataFrame
        One row per micro-expression; ``subject`` like ``casme3/spNO.1``, ``clip`` like ``spNO.1_a_46``:
        subject, recording and onset.
    report : DataFrame
        row, subject, clip, reason: what was left out.

    Raises
    ------
    DataError
        The folder or the table is missing, a column is missing, the label map is unknown, or no clip was found.
    """
    needed = ("subject", "clip", "onset", "emotion") if spot_apex else ("subject", "clip", "onset", "apex", "emotion")
    table = select_columns(read_table(annotation, sheet="label"), needed)
    table["subject"] = table["subject"].map(_name_subject)
    table["filename"] = table["clip"]
    onset = table["onset"].str.replace(r"[.,]0*$", "", regex=True)  # "46.0"
    clip = table["subject"] + "_" + table["filename"] + "_" + onset
    table["clip"] = clip.mask(table["filename"].map(is_missing), "")

    tree = Tree(root)
    found = tree.search([*table["subject"], *table["clip"]])

    def locate(row) -> Path:
        people = found.get(same_name(row.subject), [])
        whole = [folder for person in people if (folder := tree.below(person, row.filename))]
        if whole:
            folder = only_one(whole, f"{row.subject}/{row.filename}")
            return tree.below(folder, "color") or folder
        cut = [folder for folder in found.get(same_name(row.clip), []) if same_name(folder.parent.name) != "depth"]
        if not cut:
            raise DataError(f"there is no folder {row.subject}/{row.filename}, and none {row.clip}")
        return only_one(cut, row.clip)

    return build_manifest(
        table, tree, locate, dataset="casme3", label_map=label_map, spot_apex=spot_apex, fps=FPS, layout=LAYOUT
    )


def _name_subject(text: str) -> str:
    """Return the subject in the spelling of the table, spNO.1, for any case and spaces."""
    match = re.fullmatch(r"sp\s*no\s*\.?\s*0*(\d+)", text.strip(), re.IGNORECASE)
    return f"spNO.{match[1]}" if match else text
