"""Annotation tables as their owners hand them out, and the frames that they point at.

The loader of a data set is four steps::

    table = read_table(annotation)  # text in every cell; the index is the number of the row in the file
    table = select_columns(table, ("subject", "clip", "onset", "emotion"))  # must be there; as in FIELDS
    tree = Tree(root)  # folders and videos, found whatever the case of their names
    manifest, report = build(table, tree, locate, dataset="smic", label_map=label_map, spot_apex=spot_apex, fps=100)

Between them, what is special about a data set is done to ``table`` in plain pandas: cells corrected, columns added.
``locate(row)`` takes a row of that table as a named tuple and returns its folder or video (see :meth:`Tree.below`,
:meth:`Tree.search`), or raises ``DataError(reason)``: the row then goes to the report with that reason.
"""

import csv
import io
import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import openpyxl
import pandas as pd

from lfdtcmen.datasets.frames import is_video, list_frames, video_info
from lfdtcmen.datasets.manifest import COLUMNS, EMOTIONS, LABEL_MAPS, check_manifest, map_emotion
from lfdtcmen.errors import DataError

HEADER_ROWS = 20  # titles and licence texts stand above the header of some tables
MAX_FPS = 1e6
DEPTH = 4  # how many levels of folders below the root are searched for clips

#: Names that the columns have in the tables that are handed out, in lower case without spaces and signs.
FIELDS = {
    "dataset": ("dataset", "database"),
    "subject": ("subject", "subjects", "subjectid", "sub", "participant", "participantid"),
    "clip": ("clip", "filename", "file", "clipname", "video", "videoname", "sample", "samplename"),
    "onset": ("onset", "onsetframe", "onsetf", "onsetindex", "onsetframeindex"),
    "apex": ("apex", "apexframe", "apexf", "apexindex", "apexframeindex", "apex1"),
    "offset": ("offset", "offsetframe", "offsetf", "offsetindex", "offsetframeindex"),
    "fps": ("fps", "framerate", "framespersecond"),
    "emotion": ("emotion", "estimatedemotion", "emotions", "emotionlabel", "emotionclass"),
    "au": ("au", "aus", "actionunits", "actionunit"),
    "path": ("path", "folder"),
    # read by single loaders only; here so that a header is known by them
    "objective": ("objectiveclass", "objectiveclasses"),
    "label": ("label", "labels"),
    "part": ("part",),
    "notes": ("notes", "note", "remark"),
    "inducement": ("inducementcode",),
    "duration": ("duration",),
    "micro": ("micro",),
}
_KNOWN = {name for names in FIELDS.values() for name in names}

#: What the tables call an emotion, besides the names of :data:`~lfdtcmen.datasets.manifest.EMOTIONS`.
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

_MISSING = {"", "nan", "none", "null", "n/a", "#n/a", "/", "?", "-"}  # not "na": those are initials, too
# "12", "12.0", "12,00"; not "1.000" or "1,000", which may be a thousand
_NUMBER = re.compile(r"\+?(\d{1,12})([.,]0{0,2})?")


def read_table(path: Path | str, sheet: str | None = None) -> pd.DataFrame:
    """Read an annotation table, csv or xlsx, as text.

    Parameters
    ----------
    path : path
        An xlsx workbook, or text with commas, semicolons, tabs or bars between the cells, in UTF-8 (with or without a
        byte order mark), UTF-16 or, where it is neither, cp1252.
    sheet : str, optional
        The sheet to take where the workbook has one of that name; else the one whose header has most known names.

    Returns
    -------
    DataFrame
        Text in every cell, "" where there is none. The index is the number of the row in the file, counted from 1, as
        a spreadsheet shows it; empty rows are left out. The header is the row, among the first 20, with the most names
        of :data:`FIELDS`. Columns are in lower case without spaces and signs ("Onset Frame" is ``onsetframe``);
        ``attrs`` holds ``where`` (file and sheet) and ``header`` (the names as they stand), for messages.

    Raises
    ------
    DataError
        The file is missing, cannot be read, or holds no table.
    """
    path = Path(path).expanduser()
    if not os.path.isfile(path):
        raise DataError("there is no such annotation file", str(path), "give the path of the xlsx or csv file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the annotation cannot be read ({error.strerror})", str(path)) from error
    if content.startswith(b"PK"):
        sheets = _read_workbook(path, content)
        name = next((name for name in sheets if sheet and same_name(name) == same_name(sheet)), None)
        if name is None:
            name = max(sheets, key=lambda name: _find_header(sheets[name])[1])  # the first of equals
        return _to_frame(sheets[name], f"{path}, sheet {name}")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError("the annotation is an old .xls workbook", str(path), "save it as xlsx or csv")
    text = _decode(content)
    tables = [_split(text.replace("\0", ""), delimiter) for delimiter in ",;\t|"]
    rows = max(tables, key=lambda rows: _find_header(rows)[1])
    if "\0" in text and _find_header(rows)[1] < 1:
        raise DataError("the annotation is not a table", str(path), "give an xlsx or csv file")
    return _to_frame(rows, str(path))


def select_columns(table: pd.DataFrame, needed: Iterable[str], names: dict = FIELDS) -> pd.DataFrame:
    """Return the columns of a table under the names of :data:`FIELDS`.

    Parameters
    ----------
    table : DataFrame
        What :func:`read_table` returned.
    needed : iterable of str
        Fields without which nothing can be done.
    names : dict, default FIELDS
        What each field is called, the most trusted name first.

    Raises
    ------
    DataError
        A needed column is missing: says which names were found.
    """
    found = {field: next((name for name in known if name in table), None) for field, known in names.items()}
    if missing := [field for field in needed if found[field] is None]:
        expected = "; ".join(f"{field}: {' or '.join(names[field][:3])}" for field in needed)
        raise DataError(
            f"the table has no column for {', '.join(missing)}",
            table.attrs.get("where"),
            f"expected {expected}; found: {', '.join(table.attrs.get('header', table.columns))}",
        )
    selected = table[[name for name in found.values() if name]]
    return selected.set_axis([field for field, name in found.items() if name], axis=1)


def is_missing(text: str) -> bool:
    """Tell whether a cell says nothing ("", "nan", "/", "?", ...)."""
    return text.strip().casefold() in _MISSING


def frame_number(text: str) -> int | None:
    """Return the frame number in a cell, or None where the cell says nothing.

    Raises
    ------
    DataError
        The cell holds something else.
    """
    if is_missing(text):
        return None
    if match := _NUMBER.fullmatch(text.strip()):
        return int(match[1])
    raise DataError(f"not a frame number ({text!r})")


def same_name(text: str) -> str:
    """Return a name such that two spellings of it are equal: whatever the case, and however accents are composed."""
    return unicodedata.normalize("NFC", text.strip().casefold())


def only_one(paths: list[Path], name: str) -> Path:
    """Return the only folder that was found under a name.

    Raises
    ------
    DataError
        There is none, or there are several: which one the table means cannot be told.
    """
    if not paths:
        raise DataError(f"there is no folder {name}")
    if len(paths) > 1:
        found = " and ".join(str(path) for path in paths[:3])
        raise DataError(f"{len(paths)} folders are called {name} ({found}): give the one above one of them as root")
    return paths[0]


class Tree:
    """The folders and videos below a data set's root, found whatever the case of their names; each is listed once.

    Parameters
    ----------
    root : path
        Folder of the data set. It is only read.

    Raises
    ------
    DataError
        There is no such folder.
    """

    def __init__(self, root: Path | str):
        self.root = Path(os.path.abspath(Path(root).expanduser()))
        if not os.path.isdir(self.root):
            raise DataError("there is no such folder", str(self.root), "give the folder of the data set")
        self._children: dict[Path, dict[str, list[Path]]] = {}
        self._frames: dict[Path, dict[int, None] | range | str] = {}
        self._fps: dict[Path, float] = {}

    def children(self, folder: Path) -> dict[str, list[Path]]:
        """Return the folders and videos in a folder by :func:`same_name`; none where it cannot be opened."""
        if folder not in self._children:
            self._children[folder] = {}
            try:
                with os.scandir(folder) as entries:
                    paths = sorted(Path(entry.path) for entry in entries if entry.is_dir() or is_video(entry.name))
            except OSError:
                paths = []
            for path in paths:
                if not path.name.startswith("."):
                    self._children[folder].setdefault(same_name(path.name), []).append(path)
        return self._children[folder]

    def below(self, folder: Path, *names: str) -> Path | None:
        """Follow names from folder to folder, whatever their case; None where one is not there."""
        for name in names:
            found = self.children(folder).get(same_name(name))
            if not found:
                return None
            folder = next((child for child in found if child.name == name), found[0])
        return folder

    def of_subject(self, found: dict[str, list[Path]], subject: str, name: str) -> Path:
        """Return a folder within the folder of a subject, which :meth:`search` found.

        Raises
        ------
        DataError
            The subject has none or several folders, or none of them holds that name.
        """
        folder = self.below(only_one(found.get(same_name(subject), []), subject), name)
        if folder is None:
            raise DataError(f"there is no folder {subject}/{name}")
        return folder

    def search(self, names: Iterable[str]) -> dict[str, list[Path]]:
        """Find folders by name, down to four levels below the root; inside one that is found, nothing is looked for.

        Returns
        -------
        dict
            :func:`same_name` of each name that was found -> its folders, the highest first.
        """
        wanted = {same_name(name) for name in names}
        found: dict[str, list[Path]] = {}
        level = [self.root]
        for _ in range(DEPTH):
            below = [self.children(folder) for folder in level]
            level = []
            for children in below:
                for name, paths in children.items():
                    if name in wanted:
                        found.setdefault(name, []).extend(paths)
                    else:
                        level.extend(path for path in paths if not is_video(path))
        return found

    def frames(self, path: Path) -> dict[int, None] | range:
        """Return the frame numbers of a folder of images or of a video, rising.

        Raises
        ------
        DataError
            The folder or video cannot be used.
        """
        if path not in self._frames:
            try:
                # numbers alone: a data set has a million frames
                video = os.path.isfile(path)
                self._frames[path] = self._list_video(path) if video else dict.fromkeys(list_frames(path))
            except (DataError, OSError) as error:
                self._frames[path] = str(error)
        frames = self._frames[path]
        if isinstance(frames, str):
            raise DataError(frames)
        return frames

    def fps(self, path: Path) -> float | None:
        """Return the frames per second of a video whose frames were listed; None for a folder."""
        return self._fps.get(path)

    def _list_video(self, path: Path) -> range:
        count, fps = video_info(path)
        if 0 < fps < MAX_FPS:
            self._fps[path] = fps
        return range(count)


def build(
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
        Text, with the columns subject, clip, onset, emotion and, where known, dataset, apex, offset, fps, au; further
        ones are for ``locate``. The index is the number of the row in the file.
    tree : Tree
        Where the frames are.
    locate : callable
        Takes a row of ``table`` as a named tuple and returns its folder of frames or video, as an absolute path;
        raises DataError with the reason where there is none.
    dataset : str
        Name of the data set, for rows that do not name one: a subject becomes ``dataset/subject``.
    label_map : {"3class", "7class", "raw"}
        "raw" keeps every emotion: the label is the index into the sorted names that were found.
    spot_apex : bool, default False
        Keep rows whose apex is missing, equals the onset or lies outside onset..offset, with apex <NA>.
    fps : float, optional
        Frames per second of rows that do not say so themselves (a video does).
    layout : str, optional
        How the folders should look, for the message when not a single row has frames.
    emotions : dict, optional
        What the table calls an emotion, in lower case -> its name in the manifest.

    Returns
    -------
    manifest : DataFrame
        Passes :func:`~lfdtcmen.datasets.manifest.check_manifest`; ``note`` says what was noticed about a row.
    report : DataFrame
        row, subject, clip, reason: what was left out. Both together have as many rows as ``table``.

    Raises
    ------
    DataError
        Unknown label map, or not a single row whose frames are there.
    """
    if label_map not in (*LABEL_MAPS, "raw"):
        raise DataError(f"unknown label map {label_map!r}", dataset, f"use one of {', '.join((*LABEL_MAPS, 'raw'))}")
    columns = ("dataset", "subject", "clip", "onset", "apex", "offset", "fps", "emotion", "au")
    given = table  # as locate knows it: names are made unique below
    table = table.assign(**{name: "" for name in columns if name not in table})
    table["dataset"] = [name.strip() or dataset for name in table["dataset"]]
    table["subject"] = _name_subjects(table)
    table["clip"] = _name_clips(table)

    kept: list[dict] = []
    left_out: list[dict] = []
    located = False
    nowhere: list[str] = []  # why frames were not found
    seen: dict[tuple, dict[str, int]] = {}  # frames that were kept -> the row of each emotion
    for row, given_row in zip(table.itertuples(), given.itertuples(), strict=True):
        try:
            emotion, label = _read_emotion(row, label_map, emotions)
            onset = _number(row.onset, "onset")
            if onset is None:
                raise DataError("onset is missing")
            try:
                path = locate(given_row)
                located = True
            except DataError as error:
                nowhere.append(str(error))
                raise
            apex, offset, notes = _read_interval(row, onset, tree.frames(path), spot_apex)
            same = seen.setdefault((row.subject, path, onset, apex, offset), {})
            if emotion in same:
                raise DataError(f"same as row {same[emotion]}")
            notes += [f"row {number} has the same frames, as {other}" for other, number in same.items()]
            same[emotion] = row.Index
            rate, fps_notes = _read_fps(row.fps, tree.fps(path) or fps)
            kept.append(
                {
                    **{name: getattr(row, name) for name in ("dataset", "subject", "clip")},
                    **{"onset": onset, "apex": apex, "offset": offset, "fps": rate, "emotion": emotion, "label": label},
                    "au": None if is_missing(row.au) else row.au.strip(),
                    "path": str(path),
                    "note": "; ".join(notes + fps_notes),
                }
            )
        except DataError as error:
            left_out.append({"row": row.Index, "subject": row.subject, "clip": row.clip, "reason": str(error)})

    if nowhere and not located:
        found = ", ".join(path.name for paths in tree.children(tree.root).values() for path in paths) or "no folders"
        raise DataError(
            f"none of the {len(nowhere)} annotated clips was found (the first: {nowhere[0]})",
            str(tree.root),
            f"expected {layout or 'the folders that the table names'}; found there: {found[:200]}",
        )
    manifest = pd.DataFrame(kept, columns=[*COLUMNS, "note"])
    if label_map == "raw":
        manifest["label"] = pd.Categorical(manifest["emotion"]).codes
    manifest["label"] = manifest["label"].astype("int64")
    report = pd.DataFrame(left_out, columns=["row", "subject", "clip", "reason"]).astype({"row": "int64"})
    return check_manifest(manifest), report


def _read_emotion(row, label_map: str, emotions: dict[str, str]) -> tuple[str, int | None]:
    """Return the emotion of a row and its class; a DataError says what the row lacks."""
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


def _read_interval(
    row, onset: int, frames: dict[int, None] | range, spot_apex: bool
) -> tuple[int | None, int | None, list[str]]:
    """Return apex, offset and notes; a DataError says why the row cannot be used."""
    notes: list[str] = []
    _check_there(onset, frames)
    try:
        offset = _number(row.offset, "offset")
    except DataError as error:
        notes.append(f"{error}: left empty")
        offset = None
    try:
        apex = _number(row.apex, "apex")
        problem = "apex is missing" if apex is None else None
    except DataError as error:
        apex, problem = None, str(error)
    if apex is not None and apex < onset:
        problem = f"onset {onset} comes after apex {apex}"
    elif apex is not None and offset is not None and onset <= offset < apex:
        problem = f"apex {apex} comes after offset {offset}"

    last = max(frames)
    end = last if offset is None else offset
    can_spot = spot_apex and any(onset < number <= end for number in frames)
    if apex is not None and apex < onset and offset is None:
        can_spot = False  # one of the two is wrong, and nothing says which
    if problem and not can_spot:
        raise DataError(problem)
    if problem:
        notes.append(f"{problem}: to be spotted")
        apex = None
    else:
        _check_there(apex, frames)
        if apex == onset:
            notes.append("apex equals onset: the pair shows no motion" + (", to be spotted" if can_spot else ""))
            apex = None if can_spot else apex

    if offset is not None and offset < onset:
        notes.append(f"offset {offset} comes before onset {onset}: left empty")
        offset = None
    elif offset is not None and offset > last:
        notes.append(f"offset {offset} is beyond the last frame {last}: left empty")
        offset = None
    elif offset is not None and offset not in frames:
        notes.append(f"frame {offset}, the offset, is missing")
    return apex, offset, notes


def _number(text: str, name: str) -> int | None:
    try:
        return frame_number(text)
    except DataError as error:
        raise DataError(f"{name} is {error}") from None


def _check_there(number: int, frames: dict[int, None] | range) -> None:
    if number not in frames:
        raise DataError(f"frame {number} is missing (there are {min(frames)} to {max(frames)})")


def _read_fps(text: str, default: float | None) -> tuple[float | None, list[str]]:
    if is_missing(text):
        return default, []
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = 0.0
    if 0 < value < MAX_FPS:
        return value, []
    return default, [f"fps is not a number above 0 ({text!r})"]


def _name_subjects(table: pd.DataFrame) -> list[str]:
    """Return dataset/subject; a person stays one person however the name is spelled ("Anna", "anna ")."""
    first: dict[tuple[str, str], str] = {}
    names = []
    for dataset, text in zip(table["dataset"], table["subject"], strict=True):
        subject = " ".join(text.split()).removeprefix(f"{dataset}/")
        subject = first.setdefault((dataset, same_name(subject)), subject)
        names.append("" if is_missing(subject) else f"{dataset}/{subject}")
    return names


def _name_clips(table: pd.DataFrame) -> list[str]:
    """Return the names of the clips, with _2, _3, ... where a name comes again within its data set."""
    used: set[tuple[str, str]] = set()
    again: dict[tuple[str, str], int] = {}
    names = []
    for dataset, text in zip(table["dataset"], table["clip"], strict=True):
        clip = name = " ".join(text.split())
        key = (dataset, same_name(clip))
        while not is_missing(clip) and (dataset, same_name(name)) in used:
            again[key] = again.get(key, 1) + 1
            name = f"{clip}_{again[key]}"
        used.add((dataset, same_name(name)))
        names.append(name)
    return names


def _read_workbook(path: Path, content: bytes) -> dict[str, list[list[str]]]:
    """Return the rows of every sheet as text."""
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = {}
        for sheet in workbook.worksheets:
            sheet.reset_dimensions()  # some programs write a wrong size, and rows beyond it would be lost
            sheets[sheet.title] = [[_to_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    except Exception as error:  # a damaged workbook raises whatever zip, xml and openpyxl raise
        raise DataError(f"the workbook cannot be read ({error})", str(path), "save it again as xlsx or csv") from error
    if not sheets:
        raise DataError("the workbook has no sheets", str(path), "save it again as xlsx or csv")
    return sheets


def _to_text(cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a spreadsheet holds 12 as 12.0
    return str(cell).strip()


def _decode(content: bytes) -> str:
    for encoding in ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            pass
    return content.decode("latin-1")


def _split(text: str, delimiter: str) -> list[list[str]]:
    lines = list(io.StringIO(text, newline=None))  # any kind of line end
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:  # such as a quote that is never closed: it must not swallow the rows below it
        try:
            rows = [next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), []) for line in lines]
        except csv.Error:
            return []
    return [[cell.strip() for cell in row] for row in rows]


def _find_header(rows: list[list[str]]) -> tuple[int, int]:
    """Return the position of the row with the most known names, and how many; the first filled row if there is none."""
    best, most = None, -1
    for position, row in enumerate(rows[:HEADER_ROWS]):
        count = len({_plain(cell) for cell in row} & _KNOWN)
        if any(row) and count > most:
            best, most = position, count
    return (0 if best is None else best), most


def _to_frame(rows: list[list[str]], where: str) -> pd.DataFrame:
    position, known = _find_header(rows)
    if known < 0:
        raise DataError("the table is empty", where)
    header = rows[position]
    names: list[str] = []
    for number, cell in enumerate(header, start=1):
        name = _plain(cell) or f"column{number}"
        names.append(name if name not in names else f"{name}column{number}")
    filled = {i: row for i, row in enumerate(rows[position + 1 :], start=position + 2) if any(row)}
    width = len(names)
    cells = [(row + [""] * width)[:width] for row in filled.values()]
    table = pd.DataFrame(cells, index=list(filled), columns=names, dtype=object)
    table.attrs = {"where": where, "header": [cell for cell in header if cell]}
    return table


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
