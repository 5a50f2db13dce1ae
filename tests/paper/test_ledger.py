"""The ledger covers every default of modules and losses, every constant of the method and every field of the config."""

import ast
import importlib
import inspect
import pkgutil
from dataclasses import fields, is_dataclass
from pathlib import Path

import pandas as pd
import pytest

import lfdtcmen
from lfdtcmen import Config
from lfdtcmen.paper import ledger

PACKAGE = Path(lfdtcmen.__file__).parent
COLUMNS = ["section", "item", "ours", "stated or assumed", "where", "code", "alternatives", "in the PDF"]
# constants that choose nothing of the method: names of fields, settings of files, a link, an instance
BOOKKEEPING = {"IDENTITY", "GENERATED", "CYCLE", "NO_SETTINGS", "SAVE_EVERY", "PAPER", "MIRRORED_LANDMARKS", "METHODS"}
BOOKKEEPING |= {"NEEDED", "PICKLES", "RENDERED_SETS", "TIMEOUT", "WORDS"}  # of files, sets and downloads


def modules_of(part: str) -> list:
    paths = importlib.import_module(f"lfdtcmen.{part}").__path__
    return [importlib.import_module(f"lfdtcmen.{part}.{module.name}") for module in pkgutil.iter_modules(paths)]


def defaults() -> set[str]:
    """Return ``Name(parameter)`` of constructors and functions of modules and losses, where None is not the default."""
    found = set()
    for module in modules_of("modules") + modules_of("losses"):
        for name, thing in vars(module).items():
            if not callable(thing) or getattr(thing, "__module__", "") != module.__name__ or is_dataclass(thing):
                continue
            for parameter in inspect.signature(thing).parameters.values():
                if parameter.default not in (parameter.empty, None):
                    found.add(f"{name}({parameter.name})")
    return found


def constants() -> set[str]:
    """Return ``module.NAME`` of the constants of the method that are no text."""
    found = set()
    for module in (m for part in ("modules", "losses", "training", "preprocessing") for m in modules_of(part)):
        for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(target, ast.Name) and target.id.isupper() and not isinstance(getattr(module, target.id), str):
                found.add(f"{module.__name__.split('.')[-1]}.{target.id}")
    return {name for name in found if name.split(".")[1] not in BOOKKEEPING}


def covered() -> set[str]:
    return {name for names in ledger.rows()["code"] for name in names.split("; ") if name}


def test_every_default_every_constant_and_every_config_field_is_in_a_row():
    of_config = {f"Config.{field.name}" for field in fields(Config)}
    for kind in (defaults(), constants(), of_config):
        assert kind and not kind - covered(), sorted(kind - covered())


def test_a_row_names_no_code_that_is_gone():
    of_config = {f"Config.{field.name}" for field in fields(Config)}
    known = defaults() | constants() | of_config
    assert not covered() - known, sorted(covered() - known)


@pytest.mark.parametrize("name", sorted(defaults()))
def test_the_row_of_a_number_says_the_number(name):
    owner, parameter = name.removesuffix(")").split("(")
    things = [vars(module)[owner] for module in modules_of("modules") + modules_of("losses") if owner in vars(module)]
    value = inspect.signature(things[0]).parameters[parameter].default
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        rows = ledger.rows()
        told = rows.loc[[name in code.split("; ") for code in rows["code"]], "ours"]
        assert any(f"{value:g}" in text for text in told), (value, told.tolist())


def test_what_a_reader_with_the_published_paper_fills_in_is_shown(tmp_path, monkeypatch):
    table = pd.read_csv(ledger.TABLE, dtype=str, keep_default_na=False)
    assert (table["in the PDF"] == "").all()  # as we ship it
    table.loc[table["item"] == "frame size", "in the PDF"] = "112x112"
    table.to_csv(tmp_path / "ledger.csv", index=False)
    monkeypatch.setattr(ledger, "TABLE", tmp_path / "ledger.csv")
    found = ledger.rows("3.1.1").set_index("item")["in the PDF"]
    assert found["frame size"] == "112x112" and (found.drop("frame size") == "").all()


def test_the_columns_and_the_one_for_the_reader():
    table = ledger.rows()
    assert table.columns.tolist() == COLUMNS
    assert (
        (table["in the PDF"] == "").all()
        and table["item"].str.len().gt(0).all()
        and table["ours"].str.len().gt(0).all()
    )
    assert set(table["stated or assumed"]) == {"stated", "assumed", "ours"}
    assert not table.duplicated(["section", "item"]).any()
    where = table["where"]
    named = where[where.str.startswith("Config.")].str.removeprefix("Config.")
    assert set(named) <= {field.name for field in fields(Config)}
    files = where[~where.str.startswith("Config.")]
    assert not [file for file in files if not (PACKAGE / file).exists()]
    assert set(ledger.rows("ours")["stated or assumed"]) == {"ours"}
    assert set(ledger.rows("3.2")["section"].str[:3]) == {"3.2"}
    assert not table["ours"].str.contains("[{}]").any()


@pytest.mark.parametrize(
    "words",
    [
        ("3.1.1", "encoder kernels", "assumed"),
        ("3.1.1", "kernels of conv4 and conv6", "stated"),
        ("3.1.1", "encoder normalisation", "assumed"),
        ("3.1.2", "to-RGB kernel", "assumed"),
        ("3.1.2", "where the skips join", "assumed"),
        ("3.1.2", "how the skips join", "assumed"),
        ("3.3.1", "MAAG's form", "assumed"),
        ("3.3.1", "MAAG's difference", "assumed"),
        ("3.3.1", "MAAG's map", "assumed"),
        ("3.3.1", "MSFE's fusing kernel", "assumed"),
        ("3.3.2", "max-pools", "assumed"),
        ("3.2.2", "input of VGG-19", "assumed"),
        ("3.2.5", "features", "assumed"),
        ("4.3", "PyTorch", "stated"),
        ("3.1.1", "frame size", "assumed"),
        ("3.3.2", "flow size", "assumed"),
    ],
)
def test_what_the_text_lacks_is_assumed(words):
    rows = ledger.rows()
    assert words in set(rows[["section", "item", "stated or assumed"]].itertuples(index=False, name=None))
