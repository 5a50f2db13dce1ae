"""Own recordings: a table with the manifest's columns, and a folder of frames or a video for each row."""

import os
import re
from pathlib import Path

import pandas as pd

from lfdtcmen.datasets.frames import VIDEO_SUFFIXES, is_video
from lfdtcmen.datasets.loaders.build import build_manifest
from lfdtcmen.datasets.loaders.tables import is_formula, is_missing, read_table, select_columns
from lfdtcmen.datasets.loaders.tree import Tree
from lfdtcmen.errors import DataError

LAYOUT = "each path of the table, relative to the root"


def load(
    root: Path | str, annotation: Path | str, label_map: str = "3class", spot_apex: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load a table of recordings and find the frames or videos that it lists.

    Parameters
    ----------
    root : path
        Where the paths of the table start.
    annotation : path
        csv or xlsx with the columns subject, clip, onset, apex, emotion, path and, where known, offset, fps, au,
        dataset. ``path`` is a folder of numbered images or a video, whose frames are numbered from 0. A column label
        is not read: labels come from the emotion.
    label_map : {"3class", "4class", "7class", "7class_casme3", "raw"}, default "3class"
        How emotions become classes.
    spot_apex : bool, default False
        Keep rows without a usable apex, to be spotted in preparation; the column apex may then be missing.

    Returns
    -------
    manifest : DataFrame
        One row per recording. Without a column dataset, ``dataset`` is the root's name; it comes before each subject.
        Without a column fps, ``fps`` is the video's.
    report : DataFrame
        row, subject, clip, reason: what was left out.

    Raises
    ------
    DataError
        The folder or the table is missing, a column is missing, the label map is unknown, or no path was found.
    """
    needed = ("subject", "clip", "onset", "emotion", "path")
    table = select_columns(read_table(annotation), needed if spot_apex else (*needed, "apex"))
    tree = Tree(root)

    def locate(row) -> Path:
        if is_missing(row.path):
            raise DataError("path is missing")
        if is_formula(row.path):
            raise DataError(f"path is a formula without a value, {row.path!r}")
        path = Path(os.path.abspath(tree.root / os.path.expanduser(row.path)))
        if not os.path.exists(path):  # the table was written on a system with other slashes
            path = Path(os.path.abspath(tree.root / row.path.replace("\\", "/")))
        if not os.path.exists(path):  # or on a system that ignores the case of names
            names = [name for name in re.split(r"[\\/]+", row.path) if name not in ("", ".")]
            found = tree.below(tree.root, *names)
            if found is None:
                raise DataError(f"there is no folder or video {row.path!r}")
            path = found
        if os.path.isfile(path) and path.suffix.lower() not in VIDEO_SUFFIXES and not _is_decodable(tree, path):
            raise DataError(f"{row.path!r} is neither a folder nor a video")
        return path

    return build_manifest(
        table,
        tree,
        locate,
        dataset=tree.root.name or "folder",
        label_map=label_map,
        spot_apex=spot_apex,
        layout=LAYOUT,
    )


def _is_decodable(tree: Tree, path: Path) -> bool:
    """Return whether a file is a video, whatever its name; a still image is none."""
    try:
        return is_video(path) and len(tree.frames(path)) > 0
    except DataError:
        return False
