"""Files of weights from which training can start, and those that come with the package.

Shipped weights are files ``lfdtcmen/weights/NAME.safetensors``: a checkpoint of stage 2 or 3 as training writes it, but
with the weights in half precision and ``"precision": "half"`` among its plain values. ``NAME.json`` beside it holds
what the checkpoint says about itself (:func:`lfdtcmen.training.checkpoint.describe`), so that one can be found without
reading them all.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import lfdtcmen
from lfdtcmen.errors import DataError

SHIPPED = "shipped"  # the word for the weights that come with the package


def shipped_folder() -> Path:
    """Return the folder of the weights that come with the package; it need not be there."""
    return Path(lfdtcmen.__file__).parent / "weights"


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
        No such file; no weights come with this version, none for such a network, or several.
    """
    if str(given) != SHIPPED:
        path = Path(given).expanduser()
        if not path.is_file():
            raise DataError("there is no such checkpoint file", str(given), "train one with `lfdtcmen train`")
        return path
    files = sorted(shipped_folder().glob("*.safetensors"))
    if not files:
        what = f"no weights come with lfdtcmen {lfdtcmen.__version__}"
        raise DataError(what, SHIPPED, "train with `lfdtcmen train`, and give the path of its checkpoint")
    fitting = [file for file in files if network is None or _network_of(file) == dict(network)]
    if len(fitting) != 1:
        names = ", ".join(file.stem for file in fitting or files)
        what = "several shipped weights fit" if fitting else "no shipped weights have this network's settings"
        raise DataError(f"{what} ({names})", SHIPPED, f"give the path of one of the files in {shipped_folder()}")
    return fitting[0]


def digest(file: Path) -> str:
    """Return sixteen hex digits that change with any bit of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def _network_of(file: Path) -> dict:
    try:
        return json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["network"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = "shipped weights without a usable description"
        raise DataError(what, str(file.with_suffix(".json")), "install lfdtcmen again") from error
