"""Any field of a config as text: what ``--set field=value`` of the command line understands."""

import math
from collections.abc import Iterable
from dataclasses import fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from lfdtcmen.config import BEYOND_LOSSES, PAPER_LOSSES, Config
from lfdtcmen.errors import DataError

OWN_OPTION = {"profile": "-p", "recipe": "--recipe"}  # each changes many fields, so each has an option of its own


def parse_settings(texts: Iterable[str], base: Config) -> dict[str, Any]:
    """Return the config fields that texts such as ``subjects=8`` or ``stage1.cycle=2`` set.

    A value is read as the type of its field: ``none`` where the field may be None, ``true`` or ``false``, and values
    separated by commas for a tuple (``epochs=6,20,2``). Of two texts for one field, the later one counts.

    Parameters
    ----------
    texts : iterable of str
        ``field=value``; ``stage1.cycle=value`` for one loss weight of a stage.
    base : Config
        Config from which the other loss weights of a stage are taken.

    Returns
    -------
    dict
        Field -> value, for :func:`~lfdtcmen.config.load_config`.

    Raises
    ------
    DataError
        A text without ``=``, an unknown field (the message lists those that exist), or a value of another type.

    Examples
    --------
    >>> parse_settings(["epochs=1,2,1", "flow=none", "mixed_precision=off"], Config())
    {'epochs': (1, 2, 1), 'flow': None, 'mixed_precision': 'off'}
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise DataError(f"{text!r} is not field=value", "--set", "write --set subjects=8")
        if name in OWN_OPTION:
            raise DataError(
                f"{name!r} changes many fields", "--set", f"use {OWN_OPTION[name]} where the command has it"
            )
        types = _settable()
        if name not in types:
            raise DataError(f"unknown config field {name!r}", "--set", f"known fields: {', '.join(types)}")
        try:
            parsed = _parse(value, types[name])
        except ValueError:
            expected = _words(types[name])
            raise DataError(f"{value!r} is no value of {name}", "--set", f"{name} takes {expected}") from None
        field, _, part = name.partition(".")
        found[field] = found.get(field, getattr(base, field)) | {part: parsed} if part else parsed
    return found


def _settable() -> dict[str, Any]:
    """Return name -> type of every field; a stage's loss weights as ``stage1.cycle`` and so on."""
    types: dict[str, Any] = {}
    hints = get_type_hints(Config)
    for field in fields(Config):
        if field.name in ("stage1", "stage2", "stage3"):
            types |= {f"{field.name}.{loss}": float for loss in (*PAPER_LOSSES, *BEYOND_LOSSES)}
        elif field.name not in OWN_OPTION:
            types[field.name] = hints[field.name]
    return types


def _parse(text: str, kind: Any) -> Any:
    """Return a text as a value of a type; a ValueError where it is none."""
    if get_origin(kind) is UnionType:
        return None if text.lower() == "none" else _parse(text, get_args(kind)[0])
    if get_origin(kind) is tuple:
        parts, kinds = [part.strip() for part in text.split(",")], get_args(kind)
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(parts)
        return tuple(_parse(part, kind) for part, kind in zip(parts, kinds, strict=True))
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    value = kind(text)
    if value == "" or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(text)
    return value


def _words(kind: Any) -> str:
    """Return the name of a type for a message."""
    if get_origin(kind) is UnionType:
        return f"{_words(get_args(kind)[0])}, or none"
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        one = _words(kinds[0])
        if kinds[-1] is Ellipsis:
            return f"values separated by commas, each {one}"
        return f"{len(kinds)} times {one}: a,b,c"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[kind]
