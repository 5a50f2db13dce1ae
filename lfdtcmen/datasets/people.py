"""One person, one name: what to do with spellings that may be those of one person.

A person under two names would be trained on and tested. Spreadsheet programs make such names: they turn 01 into 1, 1E5
into 100000 and 3-4 into a date.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

#: Words before a subject's number that add nothing to it: "sub01", "s1" and "1" may be one person.
SUBJECT_WORDS = {"s", "sub", "subj", "subject"}

_MONTH = (  # in English and German, whole or short: "Maria" is none
    r"(?:jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|mär(?:z)?|maerz|mrz|apr(?:il)?|ma[iy]|june?|juni|july?|juli"
    r"|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)\.?"
)
_DATE = re.compile(
    rf"\d{{4}}-\d\d-\d\d[ T]\d\d:\d\d.*|\d{{1,2}}[-.] ?{_MONTH}(?:[- ]\d{{2,4}})?|{_MONTH}-\d{{2,4}}"
    r"|\d{1,2}([/.])\d{1,2}\1\d{2,4}|\d{1,2}:\d\d(?::\d\d)?",
    re.IGNORECASE,
)
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+")  # as spreadsheet programs show long numbers; nobody types the plus
_EXPONENT = re.compile(r"(\d{1,9})(?:[.,](\d{1,9}))?e\+?(\d{1,2})")


def certain_key(name: str) -> str:
    """Return a text that is equal for spellings that are certainly one name.

    Case, spaces, the composition of accents and characters without a width do not count; nor do an apostrophe in front,
    leading zeros and empty decimals of a name that is a number: "1", "01", "1.0", "'001".
    """
    text = unicodedata.normalize("NFKC", name)
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    text = unicodedata.normalize("NFC", " ".join(text.split()).lstrip("'").casefold())
    number = re.fullmatch(r"0*(\d+?)(?:[.,]0{0,2})?", text)
    return number[1] if number else text


def loose_key(name: str) -> tuple[str, ...]:
    """Return a key that is equal for spellings that may be one name: "s1", "S01", "sub_01" and "1"."""
    text = certain_key(name)
    if number := _EXPONENT.fullmatch(text):  # 1E5 is 100000 to a spreadsheet
        decimals = number[2] or ""
        text = number[1] + decimals + "0" * (int(number[3]) - len(decimals))
    text = re.sub(r"^(\d+)[.,]0+$", r"\1", text)
    words = re.findall(r"\d+|[^\W\d_]+|[^\w\s.-]", text)
    if len(words) > 1 and words[0] in SUBJECT_WORDS:
        words = words[1:]
    return tuple(word.lstrip("0") or "0" if word.isdecimal() else word for word in words) or (text,)


def find_changed(texts: Sequence[str]) -> list[str]:
    """Return what a spreadsheet program has probably made of each name, or "" where it has left it alone.

    A date is suspicious only in a column that holds other names, too.
    """
    dates = [bool(_DATE.fullmatch(text)) for text in texts]
    all_dates = all(date or not text for date, text in zip(dates, texts, strict=True))
    return [
        "a date" if date and not all_dates else "a shortened number" if _SHORTENED.fullmatch(text) else ""
        for date, text in zip(dates, texts, strict=True)
    ]


def find_alike(names: Iterable[str]) -> list[list[str]]:
    """Return the groups of different names that may be one person's; ``dataset/`` before a name must be equal."""
    groups: dict[tuple, list[str]] = {}
    for name in dict.fromkeys(names):
        dataset, _, subject = name.rpartition("/")
        groups.setdefault((dataset, loose_key(subject)), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def describe_alike(names: Iterable[str]) -> list[str]:
    """Return a sentence for each group of subjects that may be one person and count as several."""
    return [
        f"{_join(group)} count as {len(group)} people: if they are one, prepare the table again with one name"
        for group in find_alike(names)
    ]


def name_people(manifest: pd.DataFrame) -> np.ndarray:
    """Return a name for the person of each row of a manifest, [N] of str.

    It is the subject's name; for synthetic faces with the seed of their data set, as ``synthetic/s003`` of two seeds
    are two people.
    """
    names = manifest["subject"].to_numpy().astype(str)
    if "seed" not in manifest:
        return names
    return np.array(
        [
            name if pd.isna(seed) or "@" in name else f"{name}@{int(seed)}"
            for name, seed in zip(names, manifest["seed"], strict=True)
        ]
    )


def digest_people(manifest: pd.DataFrame) -> list[str]:
    """Return twelve hex digits for each person of a manifest, equal for spellings that may be one person's; sorted.

    A checkpoint keeps them instead of names, so that a test set with somebody whom it has seen can be refused.
    """
    return sorted({digest_person(name) for name in name_people(manifest)})


def digest_person(name: str) -> str:
    """Return the twelve hex digits of one of the names of :func:`name_people`."""
    dataset, _, subject = name.rpartition("/")
    return hashlib.sha256(repr((dataset, loose_key(subject))).encode()).hexdigest()[:12]


def settle_names(
    rows: Sequence[tuple[int, str]], folders_of: Callable[[list[str]], set[str]], same_name: Callable[[str], str]
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Decide which spellings of a data set's subjects are one person.

    What is certainly one name becomes the spelling that comes first. Of spellings that may be one name, those with
    folders of their own, side by side, are people of their own, and the others are refused. Without two such folders,
    the most frequent is kept.

    Parameters
    ----------
    rows : sequence of (row number, name)
    folders_of : callable
        Takes names, returns ``same_name`` of those whose folders lie in one folder with the folder of another name.
    same_name : callable
        Makes names equal that lead to the same folder.

    Returns
    -------
    names : dict
        Spelling -> name of the subject.
    reasons : dict
        Spelling -> why its rows cannot be used.
    remarks : list of str
        What was decided, for the reader.
    """
    count = Counter(name for _, name in rows)
    first = {name: row for row, name in reversed(rows)}
    groups: dict[tuple, dict[str, list[str]]] = {}  # loose key -> certain key -> spellings
    for name in count:
        groups.setdefault(loose_key(name), {}).setdefault(certain_key(name), []).append(name)
    names: dict[str, str] = {name: name for name in count}
    reasons: dict[str, str] = {}
    remarks: list[str] = []
    for group in groups.values():
        spellings = [name for names_of_one in group.values() for name in names_of_one]
        if len(spellings) == 1:
            continue
        with_folder = folders_of(spellings) if len({same_name(name) for name in spellings}) > 1 else set()
        people: list[list[str]] = []
        for certain in group.values():
            parts: dict[str, list[str]] = {}
            for name in certain:
                parts.setdefault(same_name(name), []).append(name)
            people += parts.values() if len(parts) > 1 and with_folder >= set(parts) else [certain]
        for person in people:
            names |= dict.fromkeys(person, person[0])
            if len(person) > 1:
                remarks.append(f"{_join(person)} are one subject: {person[0]}")
        apart = [person for person in people if with_folder & {same_name(name) for name in person}]
        most = max(people, key=lambda person: sum(count[name] for name in person))
        kept = apart if len(apart) > 1 else [most]
        if len(kept) > 1:
            listed = _join([person[0] for person in kept])
            remarks.append(f"{listed} count as {len(kept)} people: each has a folder of its own")
        for name in (name for person in people if person not in kept for name in person):
            other = f"{kept[0][0]!r} of row {first[kept[0][0]]}"
            reasons[name] = f"subject {name!r} may be {other} in another spelling: write one name for one person"
    return names, reasons, remarks


def _join(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
