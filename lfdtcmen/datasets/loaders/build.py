"""Turn the rows of an annotation table into a manifest of those that can be used, and a report of the others."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from lfdtcmen.datasets.loaders.tables import frame_number, is_formula, is_missing, same_name
from lfdtcmen.datasets.loaders.tree import MAX_FPS, Frames, Tree
from lfdtcmen.datasets.manifest import COLUMNS, EMOTIONS, LABEL_MAPS, check_manifest, map_emotion
from lfdtcmen.datasets.people import certain_key, find_changed, settle_names
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
    label_map : {"3class", "4class", "7class", "7class_casme3", "raw"}
        "raw" keeps every emotion that has a name in ``emotions``, 'others' too: the label is its position among the
        sorted emotions that were found. A word that is not in ``emotions`` leaves its row out under every map.
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
        offset. ``attrs["remarks"]`` lists what concerns the whole table, such as two spellings that are one subject;
        ``attrs["read"]`` the file and the sheet.
    report : DataFrame
        Rows that were left out: row, subject, clip, reason. Each row of ``table`` is in the manifest or here.

    Raises
    ------
    DataError
        Unknown label map, or no row has frames.
    """
    if label_map not in (*LABEL_MAPS, "raw"):
        raise DataError(f"unknown label map {label_map!r}", dataset, f"use one of {', '.join((*LABEL_MAPS, 'raw'))}")
    unique, wrong_names, remarks = _name_uniquely(table, dataset, tree)
    kept: list[dict] = []
    left_out: list[dict] = []
    paths: list[Path] = []
    not_found: list[str] = []  # why frames were not found, one reason per row
    seen = _Seen(remarks)
    # locate gets the original row, whose names are spelled as in the table
    for row, original in zip(unique.itertuples(), table.itertuples(), strict=True):
        try:
            if reason := wrong_names.get(row.Index):
                raise DataError(reason)
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
            notes += seen.compare(row, tree.identity(path), (onset, apex, offset), emotion)
            rate, fps_notes = _read_fps(row.fps, tree.fps(path) or fps, tree.rate_note(path))
        except DataError as error:
            left_out.append({"row": row.Index, "subject": row.subject, "clip": row.clip, "reason": str(error)})
            continue
        au = None if is_missing(row.au) or is_formula(row.au) else row.au.strip()
        values = (row.dataset, row.subject, row.clip, onset, apex, offset, rate, emotion, label, au, str(path))
        kept.append(dict(zip(COLUMNS, values, strict=True)) | {"note": "; ".join(notes + fps_notes)})

    if not_found and not paths:
        raise _no_clip_found(tree, not_found, layout)
    manifest = pd.DataFrame(kept, columns=[*COLUMNS, "note"])
    if label_map == "raw":
        manifest["label"] = pd.Categorical(manifest["emotion"]).codes
    manifest["label"] = manifest["label"].astype("int64")
    report = pd.DataFrame(left_out, columns=["row", "subject", "clip", "reason"]).astype({"row": "int64"})
    manifest = check_manifest(manifest)
    manifest.attrs = {
        "remarks": [*table.attrs.get("remarks", ()), *remarks],
        "read": [table.attrs.get("where", dataset)],
    }
    return manifest, report


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
        if is_missing(text := getattr(row, name)):
            raise DataError(f"{name} is missing")
        if is_formula(text):
            raise _formula(name, text)
    text = " ".join(row.emotion.split())
    if text.casefold() not in emotions:
        raise DataError(f"unknown emotion {text!r}: every label map, raw too, takes {', '.join(EMOTIONS)} and synonyms")
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
    if is_formula(row.apex):  # somebody did annotate it
        raise _formula("apex", row.apex)
    try:
        apex = _read_number(row.apex, "apex")
        problem = "apex is missing" if apex is None else ""
    except DataError as error:
        apex, problem = None, str(error)
    if offset is not None and offset < onset:
        offset = None  # it is left empty
    if apex is not None and apex < onset:
        problem = f"onset {onset} comes after apex {apex}"
    elif apex is not None and offset is not None and offset < apex:
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


class _Seen:
    """The recordings and frames of the rows so far, whatever path leads to them."""

    def __init__(self, remarks: list[str]):
        self._frames: dict[tuple, list[tuple[str, str, int]]] = {}  # recording, frames -> subject, emotion, row
        self._people: dict[tuple | Path, dict[str, int]] = {}  # recording -> subject -> row
        self._remarks = remarks

    def compare(self, row, recording: tuple | Path, frames: tuple, emotion: str) -> list[str]:
        """Return notes on the earlier rows of the same frames, and add this row to them."""
        notes = []
        earlier = self._frames.setdefault((recording, *frames), [])
        for subject, other, number in earlier:
            if subject == row.subject and other == emotion:
                raise DataError(f"duplicate of row {number}")
            if subject == row.subject:
                notes.append(f"row {number} has the same frames with the emotion {other}")
            elif subject.startswith(f"{row.dataset}/"):
                raise DataError(f"row {number} has the same frames with another subject, {subject}")
        people = self._people.setdefault(recording, {})
        if row.subject not in people:
            shared = [
                f"row {number} has the same recording with another subject, {who}" for who, number in people.items()
            ]
            if shared:
                self._remarks.append(f"{row.subject} (row {row.Index}): {'; '.join(shared)}")
            people[row.subject] = row.Index
        earlier.append((row.subject, emotion, row.Index))
        return notes


def _read_fps(text: str, default: float | None, rate_note: str) -> tuple[float | None, list[str]]:
    """Return the frames per second of a row, and notes; ``rate_note`` is about the default."""
    if is_missing(text):
        return default, [rate_note] if rate_note else []
    if is_formula(text):
        return default, [f"{_formula('fps', text)}: left empty"]
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = 0.0
    if 0 < value < MAX_FPS:
        return value, []
    return default, [f"fps is not a number between 0 and {MAX_FPS:g} ({text!r})"]


def _read_number(text: str, name: str) -> int | None:
    if is_formula(text):
        raise _formula(name, text)
    try:
        return frame_number(text)
    except DataError as error:
        raise DataError(f"{name} is {error}") from None


def _formula(name: str, text: str) -> DataError:
    return DataError(
        f"{name} is a formula without a value, {text!r}: correct it, or save the table in a spreadsheet program"
    )


def _check_frame_exists(number: int, frames: Frames) -> None:
    if number not in frames:
        raise DataError(f"frame {number} is missing (there are {min(frames)} to {max(frames)})")


# ---------------------------------------------------------------- names


def _name_uniquely(table: pd.DataFrame, dataset: str, tree: Tree) -> tuple[pd.DataFrame, dict[int, str], list[str]]:
    """Return the table with every column that a manifest needs, and a unique name for each person and each clip.

    Also row -> why the subject of the row cannot be used, and remarks on what was decided.
    """
    columns = ("dataset", "subject", "clip", "onset", "apex", "offset", "fps", "emotion", "au")
    table = table.assign(**{name: "" for name in columns if name not in table})
    table["dataset"] = _name_datasets(table["dataset"], dataset)
    table["subject"], reasons, remarks = _name_subjects(table["dataset"], table["subject"], tree)
    changed = zip(table["clip"], find_changed([text.strip() for text in table["clip"]]), strict=True)
    if made := {text: what for text, what in changed if what}:
        clip, what = next(iter(made.items()))
        remarks.append(f"{len(made)} names of clips look like what a spreadsheet program made of them ({clip}: {what})")
    table["clip"] = _name_clips(table["dataset"], table["clip"])
    return table, reasons, remarks


def _name_datasets(texts: pd.Series, default: str) -> list[str]:
    """Return the names of the data sets, each in one spelling."""
    names = [default if is_missing(text) else " ".join(text.split()) for text in texts]
    first: dict[str, str] = {}
    spelling = {name: first.setdefault(certain_key(name), name) for name in dict.fromkeys(names)}
    return [spelling[name] for name in names]


def _name_subjects(datasets: pd.Series, subjects: pd.Series, tree: Tree) -> tuple[list[str], dict[int, str], list[str]]:
    """Return dataset/subject, one name a person; row -> why its subject cannot be used; and remarks."""
    spelled = [" ".join(t.split()).removeprefix(f"{d}/") for d, t in zip(datasets, subjects, strict=True)]
    names = dict.fromkeys(subjects.index, "")
    reasons: dict[int, str] = {}
    remarks: list[str] = []
    for dataset in dict.fromkeys(datasets):
        group = zip(subjects.index, datasets, spelled, strict=True)
        rows = [(row, text) for row, of, text in group if of == dataset and not is_missing(text)]
        changed = find_changed([text for _, text in rows])
        good = [row for row, what in zip(rows, changed, strict=True) if not what]
        one_name, unclear, decided = settle_names(good, tree.side_by_side, same_name)
        remarks += decided
        for (row, text), what in zip(rows, changed, strict=True):
            names[row] = f"{dataset}/{one_name.get(text, text)}"
            if what:
                reasons[row] = f"subject {text!r} is {what}, which a spreadsheet program may have made of a name"
            elif text in unclear:
                reasons[row] = unclear[text]
    return list(names.values()), reasons, remarks


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
