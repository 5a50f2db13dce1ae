"""Small CASME II, SAMM and SMIC trees in the owners' layouts, with the quirks of the real tables.

Written from what users of the sets describe, by code apart from the loaders. Each writer returns (root, annotation).
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import openpyxl

Frame = Callable[[int], np.ndarray]  # frame number -> image as OpenCV has it, uint8 [H, W] or [H, W, 3] (BGR)

CASME2_HEADER = (
    "Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None, "Action Units", "Estimated Emotion"
)  # fmt: skip
# subject, clip, onset, apex, offset, action units, emotion; behind it the row of the sheet, and its quirk
CASME2_ROWS = (
    (1, "EP02_01f", 46, 59, 86, 12, "happiness"),  # 2
    ("01", "EP19_05f", 20, 28, 33, "4+L10", "repression"),  # 3: the subject as text
    (2, "EP13_04", 11, 16, 21, "R1+2", "surprise"),  # 4
    (3, "EP07_04", 5, 9, 12, 4, "disgust"),  # 5
    (3, "EP08_1", 5, 9, 12, 4, "others"),  # 6
    (4, "EP12_01f", 26, "/", 32, 4, "disgust"),  # 7: no apex
    (5, "EP09_05f", 13, 13, 21, 17, "repression"),  # 8: apex equals onset
    (9, "EP02_02f", 60, 78, 71, 1, "sadness"),  # 9: offset before apex
    (16, "EP01_08", 73, 94, 110, 15, "repression"),  # 10: the folder ends with frame 96
    (17, "EP15_01", 5, 8, 12, 20, "fear"),  # 11
    (24, "EP02_07", 5, 8, 12, 4, "disgust"),  # 12: not in the composite
    (26, "EP15_02", 5, 8, 12, 4, "surprise"),  # 13: no folder
    (26, "EP03_10", 100, 149, 190, 12, "happiness"),  # 14: the onset's frame is missing
    (1, "EP02_01f", 46, 59, 86, 12, "happiness"),  # 15: row 2 again
    (26, "EP18_44", 30, 20, 40, 4, "disgust"),  # 16: onset after apex
)
CASME2_LAST = {"EP01_08": 96}  # the last frame on the disk, where it is not the offset
CASME2_FIRST = {"EP03_10": 120, "EP18_44": 20}
CASME2_NO_FOLDER = {"EP15_02"}

SAMM_HEADER = (
    "Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro",
    "Action Units", "Estimated Emotion", "Objective Classes", "Notes",
)  # fmt: skip
SAMM_PROSE = 13  # rows of text and blank lines above the header
SAMM_ROWS = (
    ("006", "006_1_2", 1, 5562, 5588, 5632, "4B", "Anger", 7, None),  # 15
    ("006", "006_3_5", 3, 1819, 1829, 1839, "1+2", "Surprise", 3, None),  # 16
    (7, "007_6_1", 6, 504, 511, 520, "12A or AU14", "Happiness", 1, "slight"),  # 17: the subject as a number
    ("009", "009_2_1", 2, 3596, 3602, 3608, "L14", "Contempt", 8, None),  # 18
    ("014", "014_3_1", 3, 100, 108, 115, "R17", "Other", 7, None),  # 19
    ("028", "028_4_1", 4, 1098, 1040, 1110, "4", "Sadness", 2, None),  # 20: apex before onset
    ("032", "032_3_1", 3, 4930, 4960, 4945, "20", "Fear", 6, None),  # 21: apex after offset
    ("032", "032_3_2", 3, 5100, -1, 5110, "7", "Anger", 7, None),  # 22: no apex
    ("011", "011_4_1", 4, 6760, 6771, 6999, "10", "Disgust", 5, None),  # 23: the folder ends with frame 6780
)
SAMM_LAST = {"011_4_1": 6780, "032_3_1": 4965}

SMIC_HEADER = (
    "Subject", "Filename", None, "OnsetF", "OffsetF", "Onset2F", "Offset2F", "Onset3F", "Offset3F", None,
    "FirstF", "LastF", "TotalMF1", "TotalMF2", "TotalMF3", "TotalVL", "Emotion",
)  # fmt: skip
# subject, clip, first and last frame of the micro-expression, the second one in the clip, emotion
SMIC_ROWS = (
    (1, "s1_ne_01", 559700, 559712, None, None, "negative"),  # 2
    (1, "s1_po_01", 701850, 701860, 701900, 701910, "positive"),  # 3: two micro-expressions in one clip
    (2, "s2_sur_01", 90860, 90871, None, None, "surprise"),  # 4
    (12, "s12_po_01", 8463680, 8463690, None, None, "positive"),  # 5: seven digits
    (18, "s18_sur_03", 1695790, 1695800, None, None, "surprise"),  # 6: no frames were left of it
)
SMIC_EMOTIONS = {"ne": "negative", "po": "positive", "sur": "surprise"}


def grey(number: int) -> np.ndarray:
    """Return a tiny image, where nothing looks at the pixels."""
    return np.full((4, 4), number % 256, np.uint8)


def write_frames(folder: Path, names: Iterable[tuple[int, str]], frame: Frame = grey) -> None:
    """Write one image for each (number, file name)."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in names:
        ok, encoded = cv2.imencode(Path(name).suffix, frame(number))
        assert ok
        (folder / name).write_bytes(encoded.tobytes())


def write_xlsx(path: Path, rows: Iterable[Sequence], sheet: str = "Sheet1") -> Path:
    """Write rows of cells; None is an empty cell."""
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path


def write_csv(path: Path, rows: Iterable[Sequence]) -> Path:
    """Write rows of cells with commas."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def list_files(folder: Path) -> dict[str, tuple]:
    """Return size and time of every file and folder, to see whether anything was written."""
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def write_casme2(folder: Path, cropped: bool = False, frame: Frame = grey, rows: Sequence = CASME2_ROWS) -> tuple:
    """Write ``CASME2_RAW_selected/sub01/EP02_01f/img46.jpg`` or ``Cropped/sub01/EP02_01f/reg_img46.jpg``."""
    root = folder / ("Cropped" if cropped else "CASME2_RAW_selected")
    prefix = "reg_img" if cropped else "img"
    for subject, clip, onset, _, offset, *_ in rows:
        if clip not in CASME2_NO_FOLDER:
            numbers = range(CASME2_FIRST.get(clip, onset), CASME2_LAST.get(clip, offset) + 1)
            write_frames(root / f"sub{int(subject):02d}" / clip, ((n, f"{prefix}{n}.jpg") for n in numbers), frame)
    (root / "sub01" / "Desktop - Shortcut.lnk").write_bytes(b"left behind by an explorer")
    table = [CASME2_HEADER, *((s, c, None, on, ap, off, None, au, e) for s, c, on, ap, off, au, e in rows)]
    return root, write_xlsx(folder / "CASME2-coding-20140508.xlsx", table)


def write_samm(folder: Path, frame: Frame = grey, rows: Sequence = SAMM_ROWS) -> tuple:
    """Write ``SAMM/006/006_1_2/006_05562.jpg`` and a table that begins with prose."""
    root = folder / "SAMM"
    for subject, clip, session, onset, _, offset, *_ in rows:
        digits = 5 if session in (1, 7) else 4  # as the owners' file names go
        name = f"{int(subject):03d}"
        numbers = range(onset, SAMM_LAST.get(clip, offset) + 1)
        write_frames(root / name / clip, ((n, f"{name}_{n:0{digits}d}.jpg") for n in numbers), frame)
    prose: list[tuple] = [(f"Line {n} of what the owners say on the data",) for n in range(SAMM_PROSE)]
    prose[3] = prose[-1] = (None,)
    table = [
        (s, c, code, on, ap, off, off - on + 1, "Micro - 1/2", au, e, k, note)
        for s, c, code, on, ap, off, au, e, k, note in rows
    ]
    return root, write_xlsx(folder / "SAMM_Micro_FACS_Codes_v2.xlsx", [*prose, SAMM_HEADER, *table])


def write_smic(folder: Path, camera: str = "HS", frame: Frame = grey, rows: Sequence = SMIC_ROWS) -> tuple:
    """Write ``SMIC_all_raw/HS/s1/micro/negative/s1_ne_01/image559700.bmp``, which comes without a table."""
    root = folder / "SMIC_all_raw"
    for subject, clip, onset, offset, *_ in rows:
        clips = root / camera / f"s{subject}" / "micro" / SMIC_EMOTIONS[clip.split("_")[1]]
        numbers = [] if clip == "s18_sur_03" else range(onset, offset + 1)
        write_frames(clips / clip, ((n, f"image{n:06d}.bmp") for n in numbers), frame)
    other = root / camera / "s1" / "non_micro" / "s1_n_01"
    write_frames(other, ((n, f"image{n:06d}.bmp") for n in range(100, 103)), frame)
    return root, None


def write_smic_e(folder: Path, frame: Frame = grey, rows: Sequence = SMIC_ROWS) -> tuple:
    """Write SMIC-E: longer clips, ``HS_long/SMIC-HS-E/s01/s1_ne_01/image559695.jpg``, and their table."""
    root = folder / "HS_long" / "SMIC-HS-E"
    table = [SMIC_HEADER]
    for subject, clip, onset, offset, onset2, offset2, emotion in rows:
        first, last = onset - 5, (offset2 or offset) + 5
        if clip != "s18_sur_03":
            names = ((n, f"image{n:06d}.jpg") for n in range(first, last + 1))
            write_frames(root / f"s{subject:02d}" / clip, names, frame)
        length2 = None if onset2 is None else offset2 - onset2 + 1
        lengths = (offset - onset + 1, length2, None, last - first + 1)
        cells = (onset, offset, onset2, offset2, None, None, None, first, last, *lengths)
        table.append((subject, clip, None, *cells, emotion))
    return root, write_xlsx(folder / "HS_long" / "SMIC-HS-E_annotation.xlsx", table)
