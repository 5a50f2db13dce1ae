"""DFME as handed out for the challenge whose split the paper uses: a training part and the test parts A and B (4.1).

Each clip has a folder, named as in the table, below the folder of its part; frames are numbered from 0::

    train_data/sub0003_01/00000.png, 00001.png, ...
    test_A_data/..., test_B_data/...

This layout comes from what users of the set describe, not from the set itself. So the folders of the parts may have
other names and lie deeper, and columns may come in any order, among others.
"""

import re
from pathlib import Path

import pandas as pd

from lfdtcmen.datasets.loaders.build import build_manifest
from lfdtcmen.datasets.loaders.tables import is_missing, read_table, same_name, select_columns
from lfdtcmen.datasets.loaders.tree import Tree, only_one
from lfdtcmen.errors import DataError

#: Parts of the challenge, and how the names of their folders look.
PARTS = {
    "train": re.compile(r"train", re.IGNORECASE),
    "test_a": re.compile(r"test[\W_]*a(?=data|set|full|[\W_\d]|$)", re.IGNORECASE),
    "test_b": re.compile(r"test[\W_]*b(?=data|set|full|[\W_\d]|$)", re.IGNORECASE),
}

# The owners' page names three recording sets: Part-A at 500, Part-B at 300 and Part-C at 200 frames a second.
# They are not the test parts A and B. Most clips are of Part-C (assumed for rows without a part).
RECORDING_FPS = {"a": "500", "b": "300", "c": "200"}
FPS = 200

LAYOUT = "train_data/sub0003_01/00000.png, and test_A_data, test_B_data alike"
HIDDEN = "emotion is missing (test labels are hidden at first: ask the owners for the table with emotions)"


def load(
    root: Path | str,
    annotation: Path | str,
    label_map: str = "7class",
    spot_apex: bool = False,
    part: str = "train",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load one part of DFME.

    Parameters
    ----------
    root : path
        The folder of the data set, or any folder above the clips.
    annotation : path
        ``training_full_with_AU.xlsx``, ``test_A_full_with_AU.xlsx`` or its like (sheet ``Sheet1``), or a csv with their
        columns Subject, Filename, OnsetFrame, ApexFrame, OffsetFrame, Emotion.
    label_map : {"3class", "4class", "7class", "7class_casme3", "raw"}, default "7class"
        The paper's seven classes (4.1); 'others' is left out.
    spot_apex : bool, default False
        Keep rows without a usable apex, to be spotted in preparation.
    part : {"train", "test_a", "test_b"}, default "train"
        The part that the table annotates. A clip below a folder of another part is left out.

    Returns
    -------
    manifest : DataFrame
        One row per micro-expression; ``subject`` like ``dfme/sub0003``, ``clip`` like ``sub0003_01``. ``fps`` is that
        of the table (a column fps, or part with Part-A, Part-B, Part-C), else 200 (assumed).
    report : DataFrame
        row, subject, clip, reason: what was left out.

    Raises
    ------
    DataError
        The folder or the table is missing, a column is missing, the label map or the part is unknown, or no clip was
        found.
    """
    if part not in PARTS:
        raise DataError(f"unknown part {part!r}", "dfme", f"use one of {', '.join(PARTS)}")
    needed = ("subject", "clip", "onset") if spot_apex else ("subject", "clip", "onset", "apex")
    table = select_columns(read_table(annotation, sheet="Sheet1"), needed)
    if "fps" not in table:
        table["fps"] = ""
    if "part" in table:
        letter = table["part"].str.extract(r"^\W*(?:part[\W_]*)?([abc])\W*$", re.IGNORECASE, expand=False).str.lower()
        table["fps"] = table["fps"].mask(table["fps"].map(is_missing), letter.map(RECORDING_FPS).fillna(""))

    tree = Tree(root)
    found = tree.search(table["clip"])

    def locate(row) -> Path:
        folders = found.get(same_name(row.clip), [])
        others = [folder for folder in folders if _find_part(folder, tree.root) not in (part, None)]
        if folders and folders == others:
            raise DataError(f"the clip lies in {folders[0]}, which is not part {part}")
        return only_one([folder for folder in folders if folder not in others], row.clip)

    manifest, report = build_manifest(
        table, tree, locate, dataset="dfme", label_map=label_map, spot_apex=spot_apex, fps=FPS, layout=LAYOUT
    )
    report["reason"] = report["reason"].replace("emotion is missing", HIDDEN)
    return manifest, report


def _find_part(folder: Path, root: Path) -> str | None:
    """Return the part in the name of the nearest folder above, up to the root."""
    for name in reversed(folder.relative_to(root.parent).parts[:-1]):
        for part, pattern in PARTS.items():
            if pattern.search(name):
                return part
    return None
