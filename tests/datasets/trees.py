"""Small trees in the layouts of CAS(ME)^3 and DFME, quirks included, written by code apart from the loaders.

Frames are empty files where only their names matter.
"""

import csv
from pathlib import Path

import cv2
import numpy as np
import openpyxl

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
    (["spNO.1", "a", 70, 74, 80, "R2+R1", "II", "happy"], "same as row 3"),
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
    (["spNO.1", "a", 46, 50, 60, "4", "IV", "fear"], ("fear", 0, "row 2 has the same frames, as disgust")),
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
    (["sub0011", "sub0011_01", 0, 25, 59, "sadness", "15"], "same as row 8"),
]


def write_xlsx(path: Path, rows: list[list], sheet: str = "Sheet1", others: tuple[str, ...] = ()) -> Path:
    """Write rows to a sheet that follows other sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in others:
        book.create_sheet(name).append(["read me", "licence"])
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def write_csv(path: Path, rows: list[list], delimiter: str = ",", encoding: str = "utf-8") -> Path:
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


def write_video(path: Path, count: int, fps: float) -> Path:
    """Write a tiny video of plain frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (32, 32))
    for number in range(count):
        writer.write(np.full((32, 32, 3), number, np.uint8))
    writer.release()
    return path


def casme3_whole(root: Path) -> tuple[Path, Path]:
    """Whole recordings with colour and depth frames, and the table as xlsx. Returns the root and the table."""
    for (subject, recording), numbers in CASME3_FRAMES.items():
        touch_frames(root / "part_A" / subject / recording / "color", numbers)
        touch_frames(root / "part_A" / subject / recording / "depth", numbers, "{}.png")
    table = root / "annotation" / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
    return root, write_xlsx(table, [CASME3_HEADER, *(row for row, _ in CASME3_ROWS)], "label", ("about",))


def casme3_cut(root: Path) -> tuple[Path, Path]:
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


def dfme(root: Path, folder: str = "train_data") -> tuple[Path, Path]:
    """Clips of DFME in one folder a part, and the table as xlsx."""
    for (_, clip, *_), _ in DFME_ROWS:
        if not clip.endswith("_99"):
            touch_frames(root / folder / clip.lower(), range(60), "{:05d}.png")
    return root, write_xlsx(root / "training_full_with_AU.xlsx", [DFME_HEADER, *(row for row, _ in DFME_ROWS)])


def snapshot(root: Path) -> dict[str, tuple[int, int]]:
    """Name, size and time of change of everything below a folder."""
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in [root, *sorted(root.rglob("*"))]}
