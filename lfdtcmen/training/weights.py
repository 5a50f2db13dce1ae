"""Files of weights from which training can start, and those that come with the package.

Shipped weights are files ``NAME.safetensors``, made by ``experiments/ship_weights.py``: a checkpoint of stage 2 or 3 as
training writes it, but with the weights in half precision and ``"precision": "half"`` among its plain values.
``NAME.json`` beside it holds what the checkpoint says about itself
(:func:`lfdtcmen.training.checkpoint.describe`), how it scores, and the command that makes it again; ``NAME.md`` is its
model card.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import lfdtcmen
from lfdtcmen.errors import DataError
from lfdtcmen.files import clone_dir

SHIPPED = "shipped"  # the word for the weights that come with the package
FIRST = "wild"  # of several that fit, the one to take: trained on the most varied faces, it carries over best


def shipped_folder() -> Path:
    """Return the folder of the weights that come with the package; it need not be there.

    ``data/weights`` of the clone that the package runs from; in an installed package ``lfdtcmen/weights``.
    """
    clone = clone_dir()
    return Path(lfdtcmen.__file__).parent / "weights" if clone is None else clone / "data" / "weights"


def shipped_weights() -> dict[str, Path]:
    """Return the files of the weights that come with the package by name, the one to take by default first."""
    files = sorted(shipped_folder().glob("*.safetensors"), key=lambda file: (file.stem != FIRST, file.stem))
    return {file.stem: file for file in files}


def find_weights(given: Path | str, network: Mapping | None = None) -> Path:
    """Return the file of a checkpoint: a path as it is, or the shipped weights where the word ``shipped`` is given.

    Parameters
    ----------
    given : path or "shipped"
    network : mapping, optional
        Settings of the network (``Config.network``) that shipped weights must have; any without it.

    Raises
    ------
    DataError
        No such file; no weights come with this version, or none for such a network.
    """
    if str(given) != SHIPPED:
        path = Path(os.path.expanduser(given))
        if not path.is_file():
            raise DataError("there is no such checkpoint file", str(given), "train one with `lfdtcmen train`")
        return path
    shipped = shipped_weights()
    if not shipped:
        what = f"no weights come with lfdtcmen {lfdtcmen.__version__}"
        raise DataError(what, SHIPPED, "train with `lfdtcmen train`, and give the path of its checkpoint")
    for file in shipped.values():
        if network is None or shipped_record(file)["network"] == dict(network):
            return file
    recipes = ", ".join(f"{name} (recipe {shipped_record(file)['recipe']})" for name, file in shipped.items())
    what = f"no shipped weights have this network's settings: there are {recipes}"
    raise DataError(what, SHIPPED, "use the recipe of one of them")


def shipped_record(file: Path) -> dict:
    """Return what lies beside shipped weights: what the checkpoint says about itself, its scores, its command.

    Raises
    ------
    DataError
        The description is missing or damaged.
    """
    try:
        record = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        return {"recipe": "unknown", **record, "network": dict(record["network"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = "shipped weights without a usable description"
        raise DataError(what, str(file.with_suffix(".json")), "install lfdtcmen again") from error


def digest(file: Path) -> str:
    """Return sixteen hex digits that change with any bit of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
