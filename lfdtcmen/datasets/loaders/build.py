"""Turn the rows of an annotation table into a manifest of those that can be used, and a report of the others."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from lfdtcmen.datasets.loaders.tables import frame_number, is_missing, same_name
from lfdtcmen.datasets.loaders.tree import MAX_FPS, Frames, Tree
from lfdtcmen.datasets.manifest import COLUMNS, EMOTIONS, LABEL_MAPS, check_manifest, map_emotion
from lfdtcmen.errors import DataError

#: Spelling in a table -> name in the manifest: the names of EMOTIONS and of the 3-class map, and synonyms.
EMOTION_NAMES = {
    **{name: name for name in (*EMOTIONS, *LABEL_MAPS["3class"])},
    "happy": "happiness",
    "disgusted": "disgust",
    "contemptuous": "contempt",
    "surprised": "surprise",
    "fearful": "fear",
    "afraid": "fear",
    "angry": "anger",
    "sad": "sadness",
    "other": "others",
}


def build_manifest(
    table: pd.DataFrame,
    tree: Tree,
    locate: Callable[..., Path],
    *,
    dataset: str,
    label_map: str,
    spot_apex: bool = False,
    fps: float | None = None,
    layout: str = "",
    emotions: dict[str, str] = EMOTION_NAMES,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the manifest of the rows that can be used, and a report of the others.

    Parameters
    ----------
    table : DataFrame
        Text, with the columns subject, clip, onset, emotion and, where known, dataset, apex, offset, fps, au (action
        units); ``locate`` may use further columns. The index is the number of the row in the file.
    tree : Tree
        Where the frames are.
    locate : callable
        Takes a row of ``table`` as a named tuple and returns its folder of frames or video, as an absolute path;
        raises DataError with the reason if there is none.
    dataset : str
        Name of the data set, for rows without one: a subject becomes ``dataset/subject``.
    label_map : {"3class", "7class", "raw"}
        "raw" keeps every emotion: the label is its position among the sorted emotions that were found.
    spot_apex : bool, default False
        Keep rows without a usable apex (missing, equal to the onset, outside onset..offset) if there is a frame after
        the onset; their apex is <NA>. A row without an offset whose apex is before the onset is left out.
    fps : float, optional
        Frames per second of rows that state none and are not videos.
    layout : str, optional
        Expected layout of the folders, for the error message if no frames are found at all.
    emotions : dict, optional
        Name of an emotion in the table, in lower case -> its name in the manifest.

    Returns
    -------
    manifest : DataFrame
        Checked by :func:`~lfdtcmen.datasets.manifest.check_manifest`; the column ``note`` has remarks, such as a wrong
        offset.
    report : DataFrame
        Rows that were left out: row, subject, clip, reason. Each row of ``table`` is in the manifest or here.

    Raises
    ------
    DataError
        Unknown label map, or no row has frames.
    """
    if label_map not in (*LABEL_MAPS, "raw"):
        raise DataError(f"unknown label map {label_map!r}", dataset, f"use one of {', '.join((*LABEL_MAPS, 'raw'))}")
    unique = _name_uniquely(table, dataset)
    kept: list[dict] = []
    left_out: list[dict] = []
    paths: list[Path] = []
    not_found: list[str] = []  # why frames were not found, one reason per row
    seen: dict[tuple, dict[str, int]] = {}  # (subject, path, onset, apex, offset) -> emotion -> row
    # locate gets the original row, whose names are spelled as in the table
    for row, original in zip(unique.itertuples(), table.itertuples(), strict=True):
        try:
            emotion, label = _read_emotion(row, label_map, emotions)
            onset = _read_number(row.onset, "onset")
            if onset is None:
                raise DataError("onset is missing")
            try:
                paths.append(path := locate(original))
            except DataError as error:
                not_found.append(str(error))
                raise
            apex, offset, notes = _read_interval(row, onset, tree.frames(path), spot_apex)
            notes += _compare_rows(seen.setdefault((row.subject, path, onset, apex, offset), {}), emotion, row.Index)
            rate, fps_notes = _read_fps(row.fps, tree.fps(path) or fps)
        except DataError as error:
            left_out.append({"row": row.Index, "subject": row.subject, "clip": row.clip, "reason": str(error)})
            continue
        au = None if is_missing(row.au) else row.au.strip()
        values = (row.dataset, row.subject, row.clip, onset, apex, offset, rate, emotion, label, au, str(path))
        kept.append(dict(zip(COLUMNS, values, strict=True)) | {"note": "; ".join(notes + fps_notes)})

    if not_found and not paths:
        raise _no_clip_found(tree, not_found, layout)
    manifest = pd.DataFrame(kept, columns=[*COLUMNS, "note"])
    if label_map == "raw":
        manifest["label"] = pd.Categorical(manifest["emotion"]).codes
    manifest["label"] = manifest["label"].astype("int64")
    report = pd.DataFrame(left_out, columns=["row", "subject", "clip", "reason"]).astype({"row": "int64"})
    return check_manifest(manifest), report


def _no_clip_found(tree: Tree, reasons: list[str], layout: str) -> DataError:
    names = ", ".join(path.name for paths in tree.children(tree.root).values() for path in paths) or "no folders"
    return DataError(
        f"none of the {len(reasons)} annotated clips was found (the first: {reasons[0]})",
        str(tree.root),
        f"expected {layout or 'the folders that the table names'}; found there: {names[:200]}",
    )


# ---------------------------------------------------------------- cells of a row; a DataError here leaves out the row


def _read_emotion(row, label_map: str, emotions: dict[str, str]) -> tuple[str, int | None]:
    """Return the emotion of a row and its class number (None for "raw")."""
    for name in ("subject", "clip", "emotion"):
        if is_missing(getattr(row, name)):
            raise DataError(f"{name} is missing")
    text = " ".join(row.emotion.split())
    if text.casefold() not in emotions:
        raise DataError(f"unknown emotion {text!r}")
    emotion = emotions[text.casefold()]
    if label_map == "raw":
        return emotion, None
    label = map_emotion(emotion, label_map) if emotion in (*EMOTIONS, *LABEL_MAPS[label_map]) else None
    if label is None:
        raise DataError(f"emotion {emotion!r} is no class of {label_map}")
    return emotion, label


def _read_interval(row, onset: int, frames: Frames, spot_apex: bool) -> tuple[int | None, int | None, list[str]]:
    """Return apex (None: to be spotted), offset (None: not known) and notes."""
    _check_frame_exists(onset, frames)
    notes: list[str] = []
    try:
        offset = _read_number(row.offset, "offset")
    except DataError as error:
        notes.append(f"{error}: left empty")
        offset = None
    apex, apex_notes = _read_apex(row, onset, offset, frames, spot_apex)
    notes += apex_notes
    if offset is not None and offset < onset:
        notes.append(f"offset {offset} comes before onset {onset}: left empty")
        offset = None
    elif offset is not None and offset > (last := max(frames)):
        notes.append(f"offset {offset} is beyond the last frame {last}: left empty")
        offset = None
    elif offset is not None and offset not in frames:
        notes.append(f"frame {offset}, the offset, is missing")
    return apex, offset, notes


def _read_apex(row, onset: int, offset: int | None, frames: Frames, spot_apex: bool) -> tuple[int | None, list[str]]:
    """Return the apex (None: to be spotted) and notes."""
    try:
        apex = _read_number(row.apex, "apex")
        problem = "apex is missing" if apex is None else ""
    except DataError as error:
        apex, problem = None, str(error)
    if apex is not None and apex < onset:
        problem = f"onset {onset} comes after apex {apex}"
    elif apex is not None and offset is not None and onset <= offset < apex:
        problem = f"apex {apex} comes after offset {offset}"

    end = max(frames) if offset is None else offset
    can_spot = spot_apex and any(onset < number <= end for number in frames)
    if apex is not None and apex < onset and offset is None:
        can_spot = False  # onset or apex is wrong, and it is not known which
    if problem or apex is None:
        if can_spot:
            return None, [f"{problem}: to be spotted"]
        raise DataError(problem)
    _check_frame_exists(apex, frames)
    if apex == onset:
        note = "apex equals onset: the pair shows no motion"
        return (None, [f"{note}, to be spotted"]) if can_spot else (apex, [note])
    return apex, []


def _compare_rows(earlier: dict[str, int], emotion: str, row: int) -> list[str]:
    """Return notes on the earlier rows of the same frames, and add this row to them."""
    if emotion in earlier:
        raise DataError(f"duplicate of row {earlier[emotion]}")
    notes = [f"row {number} has the same frames with the emotion {other}" for other, number in earlier.items()]
    earlier[emotion] = row
    return notes


def _read_fps(text: str, default: float | None) -> tuple[float | None, list[str]]:
    if is_missing(text):
        return default, []
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = 0.0
    if 0 < value < MAX_FPS:
        return value, []
    return default, [f"fps is not a number between 0 and {MAX_FPS:g} ({text!r})"]


def _read_number(text: str, name: str) -> int | None:
    try:
        return frame_number(text)
    except DataError as error:
        raise DataError(f"{name} is {error}") from None


def _check_frame_exists(number: int, frames: Frames) -> None:
    if number not in frames:
        raise DataError(f"frame {number} is missing (there are {min(frames)} to {max(frames)})")


# ---------------------------------------------------------------- names


def _name_uniquely(table: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Return the table with every column that a manifest needs, and a unique name for each person and each clip."""
    columns = ("dataset", "subject", "clip", "onset", "apex", "offset", "fps", "emotion", "au")
    table = table.assign(**{name: "" for name in columns if name not in table})
    table["dataset"] = [name.strip() or dataset for name in table["dataset"]]
    table["subject"] = _name_subjects(table["dataset"], table["subject"])
    table["clip"] = _name_clips(table["dataset"], table["clip"])
    return table


def _name_subjects(datasets: Iterable[str], subjects: Iterable[str]) -> list[str]:
    """Return dataset/subject; a person stays one person however the name is spelled ("Anna", "anna ")."""
    first: dict[tuple[str, str], str] = {}
    names = []
    for dataset, text in zip(datasets, subjects, strict=True):
        subject = " ".join(text.split()).removeprefix(f"{dataset}/")
        subject = first.setdefault((dataset, same_name(subject)), subject)
        names.append("" if is_missing(subject) else f"{dataset}/{subject}")
    return names


def _name_clips(datasets: Iterable[str], clips: Iterable[str]) -> list[str]:
    """Return the names of the clips, with _2, _3, ... where a name occurs again within its data set."""
    used: set[tuple[str, str]] = set()
    count: dict[tuple[str, str], int] = {}
    names = []
    for dataset, text in zip(datasets, clips, strict=True):
        clip = name = " ".join(text.split())
        key = (dataset, same_name(clip))
        while not is_missing(clip) and (dataset, same_name(name)) in used:
            count[key] = count.get(key, 1) + 1
            name = f"{clip}_{count[key]}"
        used.add((dataset, same_name(name)))
        names.append(name)
    return names
