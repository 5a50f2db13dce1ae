"""Annotation tables as their owners hand them out: read as text, with the columns under one set of names."""

import csv
import io
import os
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pandas as pd

from lfdtcmen.datasets.frames import IMAGE_SUFFIXES, NUMBER
from lfdtcmen.errors import DataError

HEADER_ROWS = 20  # titles and licence texts stand above the header of some tables

#: Field -> names of its column in the tables that are handed out, in lower case without spaces and signs.
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
    # single loaders read these; they stand here because they help to recognise a header
    "objective": ("objectiveclass", "objectiveclasses"),
    "label": ("label", "labels"),
    "part": ("part",),
    "notes": ("notes", "note", "remark"),
    "inducement": ("inducementcode",),
    "duration": ("duration",),
    "micro": ("micro",),
}
_KNOWN_NAMES = {name for names in FIELDS.values() for name in names}

_NO_VALUE = {"", "nan", "none", "null", "n/a", "#n/a", "/", "?", "-"}  # not "na": those are initials, too
_FORMULA_ERRORS = {"#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"}
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
        The sheet to take if the workbook has one of that name; else the only one that has columns for the onset and
        the subject or the clip. Hidden sheets are not read.

    Returns
    -------
    DataFrame
        Text in every cell, "" where there is none. The index is the number of the row in the file, counted from 1, as
        a spreadsheet shows it; empty rows are left out. The header is the row, among the first 20, with the most names
        of :data:`FIELDS`. Columns are in lower case without spaces and signs ("Onset Frame" is ``onsetframe``);
        ``attrs`` holds ``where`` (file and sheet) and ``header`` (the names as written), for messages, and ``remarks``
        where letters beyond ASCII had to be guessed. A formula
        whose value is not in the file comes as its text, such as "=B2+4".

    Raises
    ------
    DataError
        The file is missing, cannot be read, or holds no table; several visible sheets fit.
    """
    path = Path(os.path.expanduser(path))
    if not os.path.isfile(path):
        raise DataError("there is no such annotation file", str(path), "give the path of the xlsx or csv file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the annotation cannot be read ({error.strerror})", str(path)) from error
    if content.startswith(b"PK"):
        sheets = _read_workbook(path, content)
        name = _choose_sheet(sheets, sheet, str(path))
        return _to_frame(sheets[name], f"{path}, sheet {name}")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError("the annotation is an old .xls workbook", str(path), "save it as xlsx or csv")
    text, encoding = _decode(content)
    tables = [_split(text.replace("\0", ""), delimiter) for delimiter in ",;\t|"]
    rows = max(tables, key=lambda rows: _find_header(rows)[1])
    if "\0" in text and _find_header(rows)[1] < 1:
        raise DataError("the annotation is not a table", str(path), "give an xlsx or csv file")
    table = _to_frame(rows, str(path))
    if encoding in ("cp1252", "latin-1"):  # UTF-8 has been tried first, so there are letters beyond ASCII
        table.attrs["remarks"] = [f"the table is not UTF-8 and was read as {encoding}: save it so if names look wrong"]
    return table


def select_columns(table: pd.DataFrame, needed: Iterable[str], names: dict = FIELDS) -> pd.DataFrame:
    """Return the columns of a table under the names of :data:`FIELDS`.

    Parameters
    ----------
    table : DataFrame
        What :func:`read_table` returned.
    needed : iterable of str
        Fields whose column must be there.
    names : dict, default FIELDS
        Field -> names that its column may have, the most trusted name first.

    Raises
    ------
    DataError
        A needed column is missing; the message lists the names that were found.

    Notes
    -----
    ``attrs["remarks"]`` names fields for which the table has several columns with different cells, after what
    :func:`read_table` remarked.
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
    selected = selected.set_axis([field for field, name in found.items() if name], axis=1)
    selected.attrs["remarks"] = [*table.attrs.get("remarks", ()), *_describe_doubles(table, found, names)]
    return selected


def is_missing(text: str) -> bool:
    """Return whether a cell holds no value ("", "nan", "/", "?", ...)."""
    return text.strip().casefold() in _NO_VALUE


def is_formula(text: str) -> bool:
    """Return whether a cell holds a formula whose value is not in the file, or is an error ("#REF!")."""
    return text[:1] in ("=", "#") and text != "=" and (text[0] == "=" or text in _FORMULA_ERRORS)


def frame_number(text: str) -> int | None:
    """Return the frame number in a cell ("12", "12.0", "img_0012.jpg"), or None where the cell holds no value.

    Raises
    ------
    DataError
        The cell holds something else.
    """
    if is_missing(text):
        return None
    if match := _NUMBER.fullmatch(text.strip()):
        return int(match[1])
    name = Path(text.strip())
    if name.suffix.lower() in IMAGE_SUFFIXES and (match := NUMBER.search(name.stem)):
        return int(match[1])
    raise DataError(f"not a frame number ({text!r})")


def same_name(text: str) -> str:
    """Return a name such that two spellings of it are equal, for any case and any composition of accents."""
    return unicodedata.normalize("NFC", text.strip().casefold())


def _read_workbook(path: Path, content: bytes) -> dict[str, list[list[str]]]:
    """Return the rows of every visible sheet as text."""
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        hidden = [sheet.title for sheet in workbook.worksheets if sheet.sheet_state != "visible"]
        sheets = {}
        for sheet in workbook.worksheets:
            if sheet.sheet_state == "visible":
                sheet.reset_dimensions()  # some programs write a wrong size, and rows beyond it would be lost
                sheets[sheet.title] = [[_to_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
        if _has_formulas(content):
            _show_formulas(content, sheets)
    except Exception as error:  # a damaged workbook raises whatever zip, xml and openpyxl raise
        raise DataError(f"the workbook cannot be read ({error})", str(path), "save it again as xlsx or csv") from error
    if not sheets:
        found = f"no visible sheets (hidden: {', '.join(hidden)})" if hidden else "no sheets"
        raise DataError(f"the workbook has {found}", str(path), "save it again with the table on a visible sheet")
    return sheets


def _choose_sheet(sheets: dict[str, list[list[str]]], wanted: str | None, where: str) -> str:
    """Return the name of the sheet that was asked for, else of the only one that looks like an annotation."""
    if named := [name for name in sheets if wanted and same_name(name) == same_name(wanted)]:
        return named[0]
    fitting = [name for name, rows in sheets.items() if _is_annotation(rows)]
    if len(fitting) > 1:
        raise DataError(
            f"{len(fitting)} sheets of the workbook fit ({', '.join(fitting)})",
            where,
            "hide all but one, or save one as csv",
        )
    return fitting[0] if fitting else max(sheets, key=lambda name: _find_header(sheets[name])[1])  # first of equals


def _is_annotation(rows: list[list[str]]) -> bool:
    """Return whether there are rows below a header with an onset and a subject or clip."""
    position, _ = _find_header(rows)
    header = {_plain(cell) for cell in rows[position]} if rows else set()
    onset, who = set(FIELDS["onset"]), {*FIELDS["subject"], *FIELDS["clip"]}
    return bool(header & onset and header & who) and any(any(row) for row in rows[position + 1 :])


def _has_formulas(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return any(b"<f>" in (xml := book.read(name)) or b"<f " in xml for name in book.namelist() if "/sheet" in name)


def _show_formulas(content: bytes, sheets: dict[str, list[list[str]]]) -> None:
    """Put the text of each formula whose value was not saved into its empty cell."""
    with_formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    with_values = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    for title, rows in sheets.items():
        for sheet in (with_formulas[title], with_values[title]):
            sheet.reset_dimensions()
        pages = zip(rows, with_formulas[title].iter_rows(values_only=True), with_values[title].iter_rows(), strict=True)
        for texts, formulas, cells in pages:
            for column, (text, formula, cell) in enumerate(zip(texts, formulas, cells, strict=True)):
                # "str": the value is there, and is an empty text
                if not text and formula is not None and cell.data_type != "str":
                    texts[column] = str(getattr(formula, "text", formula))  # of an array formula


def _to_text(cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a spreadsheet holds 12 as 12.0
    return str(cell).strip()


def _decode(content: bytes) -> tuple[str, str]:
    """Return the text, and the encoding that it was read in."""
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            pass
    return content.decode("latin-1"), "latin-1"


def _split(text: str, delimiter: str) -> list[list[str]]:
    lines = list(io.StringIO(text, newline=None))  # any kind of line end
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:  # such as a quote that is never closed: it must not swallow the rows below
        try:
            rows = [next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), []) for line in lines]
        except csv.Error:
            return []
    return [[cell.strip() for cell in row] for row in rows]


def _find_header(rows: list[list[str]]) -> tuple[int, int]:
    """Return the position of the row with the most known names, and how many; the first filled row if there is none."""
    best, most = None, -1
    for position, row in enumerate(rows[:HEADER_ROWS]):
        count = len({_plain(cell) for cell in row} & _KNOWN_NAMES)
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


def _describe_doubles(table: pd.DataFrame, found: dict[str, str | None], names: dict) -> list[str]:
    """Return a sentence for each field that several columns of the table hold, with different cells."""
    remarks = []
    for field, taken in found.items():
        doubles = re.compile(rf"({'|'.join(map(re.escape, names[field]))})(column\d+)?")
        others = [name for name in table if taken and name != taken and doubles.fullmatch(name)]
        if differing := [name for name in others if not table[name].equals(table[taken])]:
            remarks.append(f"several columns may be the {field}: {taken} is read, not {', '.join(differing)}")
    return remarks


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
