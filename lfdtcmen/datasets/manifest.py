"""The one table that every data set becomes: a row is one micro-expression."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from lfdtcmen.errors import DataError

COLUMNS = ("dataset", "subject", "clip", "onset", "apex", "offset", "fps", "emotion", "label", "au", "path")
REQUIRED = ("dataset", "subject", "clip", "onset", "apex", "emotion")  # the other columns may be missing
FILLED = tuple(name for name in REQUIRED if name != "apex")  # an empty apex is one that is still to be spotted

MAX_NUMBER = 1e12  # a larger number is an error of the table

EMOTIONS = ("happiness", "disgust", "contempt", "surprise", "fear", "anger", "sadness", "others")

#: Class names of each label map, in the order of the labels: what CAS(ME)^3 and the composite are scored on (4.7); the
#: four categories of CAS(ME)^3 (4.1); DFME's seven (4.1); the seven words of CAS(ME)^3's own table.
LABEL_MAPS = {
    "3class": ("negative", "positive", "surprise"),
    "4class": ("negative", "positive", "surprise", "others"),
    "7class": ("happiness", "disgust", "contempt", "surprise", "fear", "anger", "sadness"),
    "7class_casme3": ("happiness", "disgust", "surprise", "fear", "anger", "sadness", "others"),
}
_THREE_CLASSES = {
    "anger": "negative",
    "contempt": "negative",
    "disgust": "negative",
    "fear": "negative",
    "sadness": "negative",
    "happiness": "positive",
    "surprise": "surprise",
}


def map_emotion(emotion: str, label_map: str) -> int | None:
    """Return the class of an emotion, or None where the label map leaves it out (such as 'others').

    Parameters
    ----------
    emotion : str
        One of :data:`EMOTIONS`. A class name of the map, such as 'negative', is taken as well:
        some data sets (SMIC) publish nothing finer.
    label_map : {"3class", "4class", "7class", "7class_casme3"}
        Negative = anger, contempt, disgust, fear, sadness (stated in 4.7, but for contempt, which CAS(ME)^3 does not
        have); positive = happiness (assumed).

    Raises
    ------
    DataError
        Unknown emotion or label map.
    """
    if label_map not in LABEL_MAPS:
        raise DataError(f"unknown label map {label_map!r}", "map_emotion", f"use one of {', '.join(LABEL_MAPS)}")
    names = LABEL_MAPS[label_map]
    if emotion in names:
        return names.index(emotion)
    if emotion not in EMOTIONS:
        raise DataError(f"unknown emotion {emotion!r}", "map_emotion", f"known emotions: {', '.join(EMOTIONS)}")
    name = _THREE_CLASSES.get(emotion) if label_map in ("3class", "4class") else None
    return None if name is None else names.index(name)


def check_classes(labels: np.ndarray, label_names: Sequence[str], emotions: Iterable[str], where: str) -> None:
    """Refuse a set that is to be trained on where a class of its label map has no clip.

    Parameters
    ----------
    labels : ndarray
        Class numbers of the clips, int [N].
    label_names : sequence of str
        The classes of the label map.
    emotions : iterable of str
        The emotions of all clips that there are, from which the label maps follow that fit.
    where : str
        The set, for the message.

    Raises
    ------
    DataError
        A class is empty; the message names it, and the label maps whose classes all have clips.
    """
    empty = [name for number, name in enumerate(label_names) if not np.any(labels == number)]
    if not empty:
        return
    found = set(emotions)
    classes = {known: {map_emotion(emotion, known) for emotion in found & _named_in(known)} for known in LABEL_MAPS}
    fitting = [known for known, names in LABEL_MAPS.items() if set(range(len(names))) <= classes[known]]
    maps = " or ".join(f"--label-map {known}" for known in (*fitting, "raw"))
    raise DataError(f"there is no clip of {', '.join(empty)}", where, f"prepare the set with {maps}")


def _named_in(label_map: str) -> set[str]:
    """Return the emotions and class names that a label map can be asked about."""
    return {*EMOTIONS, *LABEL_MAPS[label_map]}


def check_manifest(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with :data:`COLUMNS` in order, after checking every row.

    Parameters
    ----------
    table : DataFrame
        ``onset``, ``apex`` and ``offset`` are frame numbers (an empty apex is still to be spotted, an offset may be
        missing), ``fps`` frames per second, ``label`` the class under a label map, ``au`` the action units as text,
        ``path`` where the frames lie; ``subject`` is unique across data sets, such as ``casme3/spNO.1``. Other columns
        are kept, at the end.

    Returns
    -------
    DataFrame
        A copy with a fresh index.

    Raises
    ------
    DataError
        A column or a value is missing, an emotion is unknown, or onset <= apex <= offset does not hold;
        the message has the row, counted from 1.
    """
    if missing := [name for name in REQUIRED if name not in table]:
        raise DataError(
            f"column {missing[0]!r} is missing", "manifest", f"needed: {', '.join(REQUIRED)}; found: {', '.join(table)}"
        )
    table = table.reset_index(drop=True).copy()
    for name in COLUMNS:
        if name not in table:
            table[name] = None
    for name in FILLED:
        empty = table[name].isna() | (table[name].astype(str).str.strip() == "")
        _refuse(empty, table, f"{name} is empty", "fill it in, or leave the row out")
    for name in ("onset", "apex", "offset", "fps"):
        given = table[name].notna()
        numbers = pd.to_numeric(table[name], errors="coerce")
        wrong = given & ~((numbers >= 0) & (numbers < MAX_NUMBER)).fillna(False)
        _refuse(wrong, table, f"{name} is not a number of 0 or more", "correct the annotation", name)
        table[name] = numbers.astype(float)
    known = set(EMOTIONS).union(*LABEL_MAPS.values())
    _refuse(~table["emotion"].isin(known), table, "unknown emotion", f"use one of {', '.join(EMOTIONS)}", "emotion")
    _refuse(table["onset"] > table["apex"], table, "onset comes after apex", "correct the frame numbers", "onset")
    _refuse(table["apex"] > table["offset"], table, "apex comes after offset", "correct the frame numbers", "apex")
    _refuse(table["onset"] > table["offset"], table, "onset comes after offset", "correct the frame numbers", "onset")
    for name in ("onset", "apex", "offset"):
        whole = table[name].isna() | (table[name] == np.floor(table[name]))
        _refuse(~whole, table, f"{name} is not a whole frame number", "correct the annotation", name)
        table[name] = table[name].astype("Int64")
    return table[[*COLUMNS, *(name for name in table if name not in COLUMNS)]]


def table1(manifest: pd.DataFrame, label_map: str | None = None) -> pd.DataFrame:
    """Count subjects and samples of each data set by class, as the paper's Table 1 does.

    Parameters
    ----------
    manifest : DataFrame
        With the columns dataset, subject, emotion and, where known, fps.
    label_map : {"3class", "4class", "7class", "7class_casme3"}, optional
        Count the map's classes and what it leaves out; by default, emotions as annotated.

    Returns
    -------
    DataFrame
        One row per data set: subjects, samples, fps, then one column per class.
    """
    if label_map is None:
        names = manifest["emotion"]
        classes = [name for name in dict.fromkeys((*EMOTIONS, *LABEL_MAPS["3class"])) if (names == name).any()]
    else:
        classes = [*LABEL_MAPS[label_map], "left out"]
        known = _named_in(label_map)  # "negative", as SMIC has it, is left out of the finer maps
        numbers = [map_emotion(name, label_map) if name in known else None for name in manifest["emotion"]]
        names = pd.Series(["left out" if n is None else classes[n] for n in numbers], index=manifest.index, dtype=str)
    rows = []
    for dataset, group in manifest.groupby("dataset", sort=False):
        fps = sorted(set(group["fps"].dropna())) if "fps" in group else []
        rows.append(
            {
                "dataset": dataset,
                "subjects": group["subject"].nunique(),
                "samples": len(group),
                "fps": ", ".join(f"{value:g}" for value in fps),
                **{name: int((names[group.index] == name).sum()) for name in classes},
            }
        )
    return pd.DataFrame(rows).set_index("dataset") if rows else pd.DataFrame()


def _refuse(wrong: pd.Series, table: pd.DataFrame, what: str, fix: str, column: str | None = None) -> None:
    """Raise DataError for the first wrong row; the message has the number of others."""
    rows = np.flatnonzero(wrong.fillna(False).to_numpy(dtype=bool))
    if len(rows) == 0:
        return
    row = rows[0]
    value = None if column is None else table[column].iloc[row]
    found = "" if value is None else f" ({value:g})" if isinstance(value, float) else f" ({value!r})"
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    raise DataError(
        f"{what}{found}", f"manifest row {row + 1}{more}, {table['subject'].iloc[row]}/{table['clip'].iloc[row]}", fix
    )
