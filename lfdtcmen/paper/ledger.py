"""The ledger: what the paper's text states or leaves open, and what this package takes.

The text that we have of the paper lost its equations and most inline numbers. Nothing that we fill in may look like
the paper's own, so each such value stands here as "assumed", with the alternatives a reader may try. The rows are in
``ledger.csv`` beside this file; values in braces there are fields of the config. The column ``code`` names the
defaults, constants and config fields that a row covers; a test walks the package and fails when one is in no row.
"""

from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from lfdtcmen.config import Config, load_config

TABLE = Path(__file__).with_name("ledger.csv")


def rows(section: str = "") -> pd.DataFrame:
    """Return the ledger, or the rows whose section starts with ``section``.

    Parameters
    ----------
    section : str
        A section of the paper: ``"3.2"`` gives all losses, ``"4.4"`` the training stages. ``"ours"``: what goes beyond
        the paper, and is off in its recipe.

    Returns
    -------
    DataFrame
        Columns: section, item, ours (what we take, with the cpu profile), stated or assumed ("ours" where the paper has
        nothing of the kind), where (config field or file), code (the parameters ``Class(parameter)``, constants
        ``module.CONSTANT`` and config fields that the row covers), alternatives (for the rows of ours: what the recipe
        "repaired" has), and "in the PDF": empty in the file, for whoever has the published paper to fill in there.
    """
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    values = _texts(load_config("cpu"))
    repaired = SimpleNamespace(**_texts(load_config("cpu", recipe="repaired")))
    for column in ("ours", "alternatives"):
        table[column] = [text.format(**values, repaired=repaired) for text in table[column]]
    return table[table["section"].str.startswith(section)].reset_index(drop=True)


def _texts(config: Config) -> dict[str, str]:
    """Return each field of a config as the ledger shows it."""
    return {field.name: _text(field.name, getattr(config, field.name)) for field in fields(config)}


def _text(name: str, value: object) -> str:
    if isinstance(value, dict):
        short = {"reconstruction": "rec", "orthogonality": "orth", "consistency": "cons", "contrastive": "id"}
        return ", ".join(f"{short.get(loss, loss)} {weight:g}" for loss, weight in value.items() if weight)
    if isinstance(value, tuple):
        return ", ".join(part if isinstance(part, str) else f"{part:g}" for part in value)
    return f"{value:.0%}" if name in ("warmup", "change_first") else f"{value}"
