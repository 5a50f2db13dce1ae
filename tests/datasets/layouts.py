"""Small data sets in the layouts of their owners, with the quirks of the real tables.

They follow what users of the sets describe, in code apart from the loaders. Each writer of a set returns its root and
its table. Frames are empty files or tiny images where only their names matter.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import openpyxl

Frame = Callable[[int], np.ndarray]  # frame number -> image as OpenCV has it, uint8 [H, W] or [H, W, 3] (BGR)

CASME3_HEADER = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]

#: What is on the disk: frames of each recording.
CASME3_FRAMES = {
    ("spNO.1", "a"): range(1, 101),
    ("spNO.1", "b"): range(1, 41),
    ("spNO.2", "a"): [n for n in range(1, 41) if n not in (14, 15)],
    ("spNO.2", "d"): range(80, 121),
    ("spNO.13", "a"): range(1, 61),
}

#: Rows of the table, each with what must come of it: (emotion, label under 3class, part of the note), or the reason.
CASME3_ROWS = [
    (["spNO.1", "a", 46, 50, 60, "4", "IV", "disgust"], ("disgust", 0, "")),  # row 2
    (["spNO.1", "a", 70, 74, 80, "R2+R1", "II", "happy"], ("happiness", 1, "")),
    (["spNO.1", "a", 70, 74, 80, "R2+R1", "II", "happy"], "duplicate of row 3"),
    (["spNO.1", "b", 10, 10, 15, "T28+14", "I", "surprise"], ("surprise", 2, "apex equals onset")),
    (["spNO.2", "d", 112, 83, 118, "4", "IV", "fear"], "onset 112 comes after apex 83"),
    (["spNO.2", "a", 5, 9, 3460, "26+25", "IV", "anger"], ("anger", 0, "offset 3460 is beyond the last frame 40")),
    (["spNO.2", "a", 20, 25, 30, "14", "VII", "others"], "emotion 'others' is no class of 3class"),
    (["spNO.2", "a", 30, 33, 36, None, "V", "sad"], ("sadness", 0, "")),
    ([" spNo.13 ", "a", "1.0", "3.0", "8.0", "12", "I", " Happy"], ("happiness", 1, "")),  # row 10
    (["spNO.13", "zz", 1, 3, 8, "12", "I", "happy"], "no folder spNO.13/zz"),
    (["spNO.13", "a", 20, 61, 70, "12", "I", "happy"], "frame 61 is missing"),
    (["spNO.13", "a", 0, 3, 8, "12", "I", "happy"], "frame 0 is missing"),
    (["spNO.2", "a", 14, 16, 18, "12", "I", "happy"], "frame 14 is missing"),  # a gap
    (["spNO.2", "a", 12, 13, 15, "12", "I", "happy"], ("happiness", 1, "frame 15, the offset, is missing")),
    (["spNO.13", "a", 40, "?", 46, "12", "I", "surprise"], "apex is missing"),
    (["spNO.13", "a", 41, None, 46, "12", "I", "surprise"], "apex is missing"),
    (["spNO.13", "a", 42, "43-44", 46, "12", "I", "surprise"], "apex is not a frame number ('43-44')"),
    (["spNO.13", "a", 43, 50, 46, "12", "I", "surprise"], "apex 50 comes after offset 46"),
    (["spNO.13", "a", "/", 50, 52, "12", "I", "surprise"], "onset is missing"),  # row 20
    (["spNO.13", "a", -4, 5, 6, "12", "I", "surprise"], "onset is not a frame number ('-4')"),
    (["spNO.13", "a", 44, 46, 30, "12", "I", "surprise"], ("surprise", 2, "offset 30 comes before onset 44")),
    (["spNO.13", "a", 45, 46, "end", "12", "I", "surprise"], ("surprise", 2, "offset is not a frame number ('end')")),
    (["spNO.13", "a", 46, 47, None, "12", "I", "surprise"], ("surprise", 2, "")),
    (["spNO.13", "a", 47, 48, 50, "12", "I", "confused"], "unknown emotion 'confused'"),
    (["spNO.13", "a", 48, 49, 50, "12", "I", "nan"], "emotion is missing"),
    ([None, "a", 49, 50, 51, "12", "I", "fear"], "subject is missing"),
    (["spNO.13", None, 49, 50, 51, "12", "I", "fear"], "clip is missing"),
    (["spNO.1", "a", 46, 50, 60, "4", "IV", "fear"], ("fear", 0, "row 2 has the same frames with the emotion disgust")),
    (["spNO.150", "a", 1, 5, 9, "4", "IV", "fear"], "no folder spNO.150/a"),  # row 30
]

DFME_HEADER = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "AU"]
DFME_ROWS = [
    (["sub0003", "sub0003_01", 0, 25, 59, "Happiness", "12"], ("happiness", 0, "")),  # row 2
    (["sub0003", "sub0003_02", 3, 20, 59, "Disgust", "4+9"], ("disgust", 1, "")),
    (["sub0007", "sub0007_01", 0, 25, 60, "contempt", "R14"], ("contempt", 2, "offset 60 is beyond the last frame 59")),
    (["sub0007", "SUB0007_02", 0, 25, 59, "SURPRISE", "1+2"], ("surprise", 3, "")),
    (["sub0009", "sub0009_01", 0, 25, 59, "fear", ""], ("fear", 4, "")),
    (["sub0009", "sub0009_02", 0, 25, 59, "anger", "4"], ("anger", 5, "")),
    (["sub0011", "sub0011_01", 0, 25, 59, "sadness", "15"], ("sadness", 6, "")),
    (["sub0011", "sub0011_02", 0, 25, 59, "others", "17"], "emotion 'others' is no class of 7class"),
    (["sub0011", "sub0011_03", 30, 25, 59, "fear", "4"], "onset 30 comes after apex 25"),  # row 10
    (["sub0011", "sub0011_99", 0, 25, 59, "fear", "4"], "there is no folder sub0011_99"),
    (["sub0011", "sub0011_01", 0, 25, 59, "sadness", "15"], "duplicate of row 8"),
]

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


def write_xlsx(path: Path, rows: Iterable[Sequence], sheet: str = "Sheet1", others: tuple[str, ...] = ()) -> Path:
    """Write rows to a sheet that follows other sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in others:
        book.create_sheet(name).append(["read me", "licence"])
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def write_csv(path: Path, rows: Iterable[Sequence], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """Write rows as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter).writerows([["" if c is None else c for c in row] for row in rows])
    return path


def touch_frames(folder: Path, numbers, pattern: str = "{}.jpg") -> Path:
    """Make a folder of empty files that are called like frames."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / pattern.format(number)).touch()
    return folder


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


def write_video(path: Path, count: int, fps: float) -> Path:
    """Write a tiny video of plain frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (32, 32))
    for number in range(count):
        writer.write(np.full((32, 32, 3), number, np.uint8))
    writer.release()
    return path


def snapshot(root: Path) -> dict[str, tuple[int, int]]:
    """Name, size and time of change of everything below a folder."""
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in [root, *sorted(root.rglob("*"))]}


def write_casme3_whole(root: Path) -> tuple[Path, Path]:
    """Whole recordings with colour and depth frames, and the table as xlsx. Returns the root and the table."""
    for (subject, recording), numbers in CASME3_FRAMES.items():
        touch_frames(root / "part_A" / subject / recording / "color", numbers)
        touch_frames(root / "part_A" / subject / recording / "depth", numbers, "{}.png")
    table = root / "annotation" / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
    return root, write_xlsx(table, [CASME3_HEADER, *(row for row, _ in CASME3_ROWS)], "label", ("about",))


def write_casme3_cut(root: Path) -> tuple[Path, Path]:
    """Recordings cut to single micro-expressions, with depth beside, and the table as csv with another header."""
    for (subject, recording, onset, apex, offset, *_), _ in CASME3_ROWS:
        numbers = CASME3_FRAMES.get((str(subject).strip().replace("spNo", "spNO"), recording))
        if numbers is None or not str(onset).replace(".", "").isdigit():
            continue
        first = int(float(onset))
        others = [int(float(n)) for n in (apex, offset) if n is not None and str(n).replace(".", "").isdigit()]
        name = f"{str(subject).strip().replace('spNO', 'spNo')}_{recording}_{first}"
        kept = [n for n in numbers if min(first, *others) <= n <= max(first, *others) + 1]
        touch_frames(root / "Part_A_ME_clip" / "frame" / name, kept)
        touch_frames(root / "Part_A_ME_clip" / "depth" / name, kept, "{}.png")
    header = ["Subject ", "FILENAME", " onset", "Apex", "offset", "au", "Objective  Class", "Emotion"]
    return root, write_csv(root / "labels.csv", [header, *(row for row, _ in CASME3_ROWS)])


def write_dfme(root: Path, folder: str = "train_data") -> tuple[Path, Path]:
    """Clips of DFME in one folder per part, and the table as xlsx."""
    for (_, clip, *_), _ in DFME_ROWS:
        if not clip.endswith("_99"):
            touch_frames(root / folder / clip.lower(), range(60), "{:05d}.png")
    return root, write_xlsx(root / "training_full_with_AU.xlsx", [DFME_HEADER, *(row for row, _ in DFME_ROWS)])


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
