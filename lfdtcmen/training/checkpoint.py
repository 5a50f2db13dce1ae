"""Checkpoints: written whole or not at all, continued only with the same config and data, and self-describing.

A checkpoint holds three things in addition to the weights: the *settings* on which the weights depend (a training run
that goes on compares them), the *about*, a description from which the network is rebuilt (prediction needs nothing
else), and the progress within the stage. :mod:`lfdtcmen.training.storage` has the format of the file.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch
from torch import Tensor, nn

import lfdtcmen
from lfdtcmen.config import Config, to_dict
from lfdtcmen.datasets.manifest import LABEL_MAPS
from lfdtcmen.datasets.mixing import split_added
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.people import digest_people
from lfdtcmen.devices import find_device
from lfdtcmen.errors import DataError
from lfdtcmen.losses.perceptual import vgg_source
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.preprocessing.geometry import CANONICAL, check_same_geometry
from lfdtcmen.training.method import PAPER, Method
from lfdtcmen.training.storage import read_tensors, write_tensors
from lfdtcmen.training.weights import digest, find_weights, shipped_weights

SUFFIX = ".safetensors"  # of a checkpoint's file
EARLIER_SUFFIX = ".pt"  # of the pickles that earlier versions wrote
RENDERED_SETS = {"synthetic", "other_world", "entangled"}  # names of data sets, in manifests, that show no real people
NEEDED = ("network", "label_names", "stage", "epochs", "data", "version")  # what prediction needs of `describe`
INSTALL_AGAIN = "install lfdtcmen again"  # what to do about shipped weights that are damaged
WEIGHTS, OPTIMIZER = "weights.", "optimizer."  # how the names of tensors in the file begin
# config fields left out: the data have a fingerprint (a hash), with what was added to them; bf16 changes rounding only,
# as another processor does
NO_SETTINGS = (
    *("profile", "recipe", "preset", "label_map", "subjects", "folds", "mixed_precision"),
    *("add_synthetic", "add_preset", "add_subjects", "add_repeats"),
)


@dataclass(frozen=True)
class Checkpoint:
    """Where a run of the training loop is kept, what its weights depend on, and what the file says about itself."""

    file: Path
    settings: dict
    about: dict | None = None


def stage_settings(config: Config, stage: int, fingerprint: str) -> dict:
    """Return everything on which the weights after ``stage`` depend, as plain JSON values."""
    settings = {key: value for key, value in to_dict(config).items() if key not in NO_SETTINGS}
    settings["vgg_weights"] = vgg_source(config.vgg_weights)  # what "auto" selects on this machine
    del settings["init"]  # files from before there was a choice stay valid
    if config.init is not None:
        settings["init"] = digest(find_weights(config.init, config.network))  # the path may hold another file tomorrow
    for later in range(stage + 1, 4):
        del settings[f"stage{later}"]
    for field in ("epochs", "batch_sizes", "learning_rates"):
        settings[field] = settings[field][:stage]
    if stage == 1:
        for field in config.tcme_fields:
            del settings[field]
    return json.loads(json.dumps({**settings, "stage": stage, "data": fingerprint}))


def settings_key(settings: dict) -> str:
    """Return eight hex digits for a file name."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def describe(config: Config, stage: int, pairs: PairSet) -> dict:
    """Return what a checkpoint says about itself, as plain values: how to build the network, and what it learned from.

    No subject is named, and no folder of this machine: ``people`` are digests of all whom the weights have seen, of the
    data, of added faces and of the training that it started from.
    """
    pairs, added = split_added(pairs)
    manifest, start = pairs.manifest, _describe_start(config)
    people = {*digest_people(manifest), *(start.pop("people") if start else ())}
    if added is not None:
        people |= {*digest_people(added.manifest)}
    sets = sorted(set(manifest["dataset"].astype(str))) if "dataset" in manifest else []
    rendered = bool(sets) and set(sets) <= RENDERED_SETS
    fps = sorted({float(value) for value in manifest["fps"].dropna()}) if "fps" in manifest else []
    label_map = next((name for name, names in LABEL_MAPS.items() if names == tuple(pairs.label_names)), "raw")
    return {
        "network": config.network,
        "label_map": label_map,
        "label_names": list(pairs.label_names),
        "stage": stage,
        "epochs": config.epochs[stage - 1],
        "data": {
            "sets": sets,
            "synthetic": rendered,
            "preset": config.preset if rendered else None,
            "subjects": len(set(pairs.subjects)),
            "samples": {name: int((pairs.labels == k).sum()) for k, name in enumerate(pairs.label_names)},
            "fps": fps,
            "alignment": pairs.alignment,
            "geometry": CANONICAL.tolist(),
            "fingerprint": pairs.fingerprint,
            "people": sorted(people),
        },
        "added": None if added is None else _describe_added(config, added),
        "init": start,
        "profile": config.profile,
        "seed": config.seed,
        "vgg19": vgg_source(config.vgg_weights),
        "version": lfdtcmen.__version__,
        "date": f"{date.today()}",
    }


def _describe_added(config: Config, added: PairSet) -> dict:
    """Return what was added to the training pairs."""
    return {
        "preset": ", ".join(sorted(set(added.manifest["preset"]))) if "preset" in added.manifest else config.add_preset,
        "subjects": len(set(added.subjects)),
        "samples": len(added),
        "weight": config.add_synthetic,
        "repeats": config.add_repeats,
    }


def _describe_start(config: Config) -> dict | None:
    """Return what the weights were trained on that training started from, and ``people``; None for random weights."""
    if config.init is None:
        return None
    file = find_weights(config.init, config.network)
    about = _read(file, "give another file")[1]["about"] or {}
    data = dict(about.get("data") or {})
    start = {"file": file.name, "digest": digest(file), "people": data.pop("people", [])}
    return start | {name: about.get(name) for name in ("stage", "added", "init")} | {"data": data}


def save_checkpoint(
    checkpoint: Checkpoint,
    parts: nn.Module,
    epoch: int,
    history: list[dict] | None = None,
    optimizer: dict | None = None,
    schedule: dict | None = None,
) -> None:
    """Write weights, settings, about and progress in one step.

    Parameters
    ----------
    checkpoint : Checkpoint
    parts : nn.Module
        The module whose weights are written.
    epoch : int
        How many epochs are done.
    history : list of dict, optional
        One row per step.
    optimizer, schedule : dict, optional
        ``state_dict()`` of both, where the stage goes on.

    Raises
    ------
    DataError
        A weight is NaN or infinite, the folder cannot be written, or the disk is full. An older file stays whole.
    """
    tensors = {f"{WEIGHTS}{name}": value for name, value in parts.state_dict().items()}
    _check_finite(tensors, str(checkpoint.file), "the learning rate may be too high")
    values: dict = {"settings": checkpoint.settings, "about": checkpoint.about, "epoch": epoch}
    tensors["history"] = _pack(history or [])
    if optimizer is not None:
        values |= {"groups": optimizer["param_groups"], "schedule": schedule}
        for number, state in optimizer["state"].items():
            tensors |= {f"{OPTIMIZER}{number}.{name}": value for name, value in state.items()}
    try:
        write_tensors(checkpoint.file, tensors, values)
    except DataError as error:
        raise DataError(f"the checkpoint cannot be written: {error}") from error


def load_model(path: Path | str, method: Method = PAPER) -> tuple[LFDTCMEN, dict]:
    """Rebuild the network of a checkpoint, of stage 2 or 3, from the file alone.

    Parameters
    ----------
    path : path
    method : Method
        The paper's method; ``EXTENDED`` of :mod:`lfdtcmen.beyond.method` for networks beyond it.

    Returns
    -------
    model : LFDTCMEN
        In ``eval`` mode, on the device that :func:`~lfdtcmen.devices.find_device` finds.
    about : dict
        What :func:`describe` wrote, and ``epoch``: how many of the stage's ``epochs`` are done.

    Raises
    ------
    DataError
        The file is missing, damaged or no checkpoint, is of stage 1, or was written by a version of the package that
        did not keep what is needed, whose network was another, or that put faces elsewhere.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError("there is no such checkpoint file", str(path), "train one with `lfdtcmen train`")
    tensors, values = _read(path, "give the file of a stage 2 or 3 from a run's checkpoints folder, or train again")
    if values["settings"].get("stage") == 1:
        raise DataError(
            "the checkpoint is of stage 1, which does not learn to classify",
            str(path),
            "give the checkpoint of stage 2 or 3, from `lfdtcmen train`",
        )
    about = values["about"]
    if not isinstance(about, dict) or (missing := [name for name in NEEDED if name not in about]):
        lacking = f" ({', '.join(missing)} missing)" if isinstance(about, dict) else ""
        raise DataError(f"the checkpoint does not say what it was trained on{lacking}", str(path), "train again")
    check_same_geometry(about["data"].get("geometry"), str(path), "train again")
    try:
        model = method.network(len(about["label_names"]), dict(about["network"]))
    except (RuntimeError, TypeError, ValueError) as error:  # settings that the method or this version does not know
        raise DataError(f"the checkpoint describes no network that can be built: {error}", str(path)) from error
    _load_weights(model, tensors, path, "train again")
    return model.to(find_device()).eval(), about | {"epoch": values["epoch"]}


def halve_checkpoint(path: Path, target: Path, history: list[dict] | None = None) -> dict:
    """Write the weights of a checkpoint in half precision; return what it says about itself.

    Parameters
    ----------
    path : Path
        Checkpoint of stage 2 or 3.
    target : Path
        The smaller file, which :func:`load_model` and ``config.init`` read like any other.
    history : list of dict, optional
        One row per step of all stages; the file has the rows of its own stage without it.

    Raises
    ------
    DataError
        The file cannot be read; a weight is too large for half precision; the folder cannot be written to.
    """
    tensors, values = _read(path, "train again")
    half = {
        name: value.half() if value.is_floating_point() else value
        for name, value in tensors.items()
        if name.startswith(WEIGHTS)
    }
    _check_finite(half, str(path), "half precision ends at 65504: ship it as it is")
    half["history"] = tensors["history"] if history is None else _pack(history)
    kept = {name: values[name] for name in ("settings", "about", "epoch")}
    write_tensors(target, half, kept | {"precision": "half"})
    return values["about"] | {"epoch": values["epoch"]}


def load_checkpoint(checkpoint: Checkpoint, parts: nn.Module) -> dict:
    """Load the file's weights into the parts and return what else it holds, as :func:`save_checkpoint` takes it.

    Raises
    ------
    DataError
        The file is missing or damaged, or was made with another config or other data: the first difference is named;
        or by a version of the package whose network was another.
    """
    path, settings = checkpoint.file, checkpoint.settings
    tensors, values = _read(path, "delete it and train again")
    found = values["settings"]
    for key in sorted({*settings, *found}):
        if settings.get(key) != found.get(key):
            raise DataError(
                f"the checkpoint was made with {key}={found.get(key)!r}, this run has {settings.get(key)!r}",
                str(path),
                "use the config it was made with, or train again",
            )
    _load_weights(parts, tensors, path, "delete it and train again")
    saved = {"epoch": values["epoch"], "history": _history(tensors, path)}
    if "groups" in values:
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith(OPTIMIZER):
                number, entry = name.removeprefix(OPTIMIZER).split(".")
                state.setdefault(int(number), {})[entry] = tensor
        saved["optimizer"] = {"state": state, "param_groups": values["groups"]}
        saved["schedule"] = values["schedule"]
    return saved


def load_shipped(stage: int, config: Config, fingerprint: str, model: LFDTCMEN) -> tuple[Path, list[dict]] | None:
    """Load the shipped weights that are of this very training, of config and data; None where none are.

    Parameters
    ----------
    stage : int
    config : Config
    fingerprint : str
        Of the training pairs.
    model : LFDTCMEN
        Changed in place where there are such weights.

    Returns
    -------
    tuple of Path and list of dict, or None
        The file, and the history of all stages.

    Raises
    ------
    DataError
        A file of the shipped weights is damaged.
    """
    if (found := _find_shipped(stage, config, fingerprint)) is None:
        return None
    file, tensors = found
    _load_weights(model, tensors, file, INSTALL_AGAIN)
    return file, _history(tensors, file)


def shipped_file(stage: int, config: Config, fingerprint: str) -> Path | None:
    """Return the file of the shipped weights that are of this very training, of config and data; None for none.

    Raises
    ------
    DataError
        A file of the shipped weights is damaged.
    """
    found = _find_shipped(stage, config, fingerprint)
    return None if found is None else found[0]


def _find_shipped(stage: int, config: Config, fingerprint: str) -> tuple[Path, dict[str, Tensor]] | None:
    """Return the file of :func:`shipped_file` and its tensors."""
    settings = stage_settings(config, stage, fingerprint)
    for file in shipped_weights().values():
        tensors, values = _read(file, INSTALL_AGAIN)
        if values["settings"] == settings:
            return file, tensors
    return None


def load_history(path: Path) -> list[dict]:
    """Return the training history that a checkpoint holds.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    return _history(_read(path, "delete it and train again")[0], path)


def warn_of_earlier(file: Path) -> None:
    """Warn if the file is missing, but one of an earlier version (:data:`EARLIER_SUFFIX`) lies in its folder."""
    earlier = file.with_suffix(EARLIER_SUFFIX)
    if earlier.exists() and not file.exists():
        warnings.warn(f"{earlier} is of an earlier version of lfdtcmen and is not read: training again", stacklevel=3)


def _read(path: Path, fix: str) -> tuple[dict[str, Tensor], dict]:
    """Return tensors and plain values of a checkpoint file, or refuse a file that lacks any that it must have."""
    tensors, values = read_tensors(path, fix)
    if values.get("precision") == "half":  # weights that come with the package
        tensors = {name: value.float() if value.dtype == torch.float16 else value for name, value in tensors.items()}
    kinds: dict[str, type | tuple[type, ...]] = {"settings": dict, "about": (dict, type(None)), "epoch": int}
    for name, kind in kinds.items():
        if name not in values or not isinstance(values[name], kind):
            raise DataError(f"the checkpoint has no usable {name}", str(path), fix)
    return tensors, values


def _pack(history: list[dict]) -> Tensor:
    """Return a history as a tensor of bytes: the header, where plain values are, is limited to 100 MB."""
    return torch.frombuffer(bytearray(json.dumps(history).encode()), dtype=torch.uint8)


def _history(tensors: Mapping[str, Tensor], path: Path) -> list[dict]:
    if "history" not in tensors:
        raise DataError("the checkpoint has no history of its training", str(path), "delete it and train again")
    return json.loads(tensors["history"].numpy().tobytes())


def _load_weights(parts: nn.Module, tensors: Mapping[str, Tensor], path: Path, fix: str) -> None:
    """Load weights that have the names, shapes and dtypes of the parts' own and are finite; refuse others."""
    weights = {name.removeprefix(WEIGHTS): value for name, value in tensors.items() if name.startswith(WEIGHTS)}
    _check_finite(weights, str(path), fix)
    for name, own in parts.state_dict().items():
        if name in weights and weights[name].dtype != own.dtype:  # load_state_dict would convert it
            raise DataError(f"the weights {name} are {weights[name].dtype}, not {own.dtype}", str(path), fix)
    try:
        parts.load_state_dict(weights)
    except RuntimeError as error:  # other names, other shapes
        what = f"the weights do not fit the network of lfdtcmen {lfdtcmen.__version__}"
        raise DataError(f"{what}: another version made them", str(path), fix) from error


def _check_finite(weights: Mapping[str, Tensor], where: str, fix: str) -> None:
    """Refuse weights that are NaN or infinite."""
    for name, value in weights.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise DataError(f"the weights {name} are NaN or infinite", where, fix)
