"""Checkpoints: written whole or not at all, gone on with only where config and data fit, and telling what they are.

A checkpoint holds three things in addition to the weights: the *settings* on which the weights depend (a training run
that goes on compares them), the *about* with which the network is rebuilt and spoken of (prediction needs nothing
else), and the progress within the stage.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch
from torch import nn

import lfdtcmen
from lfdtcmen.config import TCME_FIELDS, Config, to_dict
from lfdtcmen.datasets.manifest import LABEL_MAPS
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.files import WRITE_ADVICE, atomic_path
from lfdtcmen.losses.perceptual import vgg_source
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.training.method import PAPER, Method

# fields excluded from the settings: data enter by their fingerprint, and bf16 or not is rounding, like the processor
NO_SETTINGS = ("profile", "recipe", "preset", "label_map", "subjects", "folds", "mixed_precision")


@dataclass(frozen=True)
class Checkpoint:
    """Where a run of the training loop is kept, what its weights depend on, and what the file says about itself."""

    file: Path
    settings: dict
    about: dict | None = None


def stage_settings(config: Config, stage: int, fingerprint: str) -> dict:
    """Return everything on which the weights after ``stage`` depend, as plain JSON values."""
    settings = {key: value for key, value in to_dict(config).items() if key not in NO_SETTINGS}
    settings["vgg_weights"] = vgg_source(config.vgg_weights)  # what "auto" came to on this machine
    for later in range(stage + 1, 4):
        del settings[f"stage{later}"]
    for field in ("epochs", "batch_sizes", "learning_rates"):
        settings[field] = settings[field][:stage]
    if stage == 1:
        for field in TCME_FIELDS:
            del settings[field]
    return json.loads(json.dumps({**settings, "stage": stage, "data": fingerprint}))


def settings_key(settings: dict) -> str:
    """Return eight hex digits for a file name."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def describe(config: Config, stage: int, pairs: PairSet) -> dict:
    """Return what a checkpoint says about itself, as plain values: how to build the network, and what it learned from.

    No subject is named, and no folder of this machine.
    """
    manifest = pairs.manifest
    sets = sorted(set(manifest["dataset"].astype(str))) if "dataset" in manifest else []
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
            "synthetic": "synthetic" in sets,
            "preset": config.preset if "synthetic" in sets else None,
            "subjects": len(set(pairs.subjects)),
            "samples": {name: int((pairs.labels == k).sum()) for k, name in enumerate(pairs.label_names)},
            "fps": fps,
            "alignment": pairs.alignment,
            "fingerprint": pairs.fingerprint,
        },
        "profile": config.profile,
        "seed": config.seed,
        "vgg19": vgg_source(config.vgg_weights),
        "version": lfdtcmen.__version__,
        "date": f"{date.today()}",
    }


def save_checkpoint(checkpoint: Checkpoint, parts: nn.Module, **progress) -> None:
    """Write weights, settings, about and progress (epoch, history, optimiser) in one step.

    Raises
    ------
    DataError
        The folder cannot be written, or the disk is full. An older file stays whole.
    """
    content = {"settings": checkpoint.settings, "about": checkpoint.about, "weights": parts.state_dict(), **progress}
    try:
        with atomic_path(checkpoint.file) as temporary:
            torch.save(content, temporary)
    except DataError as error:
        raise DataError(f"the checkpoint cannot be written: {error}") from error
    except RuntimeError as error:  # torch reports a full disk in this way
        raise DataError(f"the checkpoint cannot be written ({error})", str(checkpoint.file), WRITE_ADVICE) from error


def load_model(path: Path | str, method: Method = PAPER) -> tuple[LFDTCMEN, dict]:
    """Rebuild the network of a checkpoint, of stage 2 or 3, from the file alone.

    Parameters
    ----------
    path : path
    method : Method
        The paper's, or what goes beyond it.

    Returns
    -------
    model : LFDTCMEN
        On the CPU, in ``eval`` mode.
    about : dict
        What :func:`describe` wrote, and ``epoch``: how many of the stage's ``epochs`` are behind it.

    Raises
    ------
    DataError
        The file is missing, broken or no checkpoint, is of stage 1, or was written by a version of the package that
        did not keep what is needed, or whose network was another.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError("there is no such checkpoint file", str(path), "train one with `lfdtcmen train`")
    content = _read(path, "give the file of a stage 2 or 3 from a run's checkpoints folder, or train again")
    if content["settings"].get("stage") == 1:
        raise DataError(
            "the checkpoint is of stage 1, which does not learn to classify",
            str(path),
            "give the checkpoint of stage 2 or 3, from `lfdtcmen train`",
        )
    about = content.get("about")
    if about is None:
        raise DataError(
            "the checkpoint does not say what it was trained on: an earlier version of the package made it",
            str(path),
            "delete it and train again",
        )
    try:
        model = method.network(len(about["label_names"]), about["network"])
        model.load_state_dict(content["weights"])
    except (RuntimeError, TypeError) as error:  # other shapes; other arguments
        raise DataError(
            f"the weights do not fit the network of lfdtcmen {lfdtcmen.__version__} (made with {about['version']})",
            str(path),
            "train again",
        ) from error
    return model.eval(), about | {"epoch": content["epoch"]}


def load_checkpoint(checkpoint: Checkpoint, parts: nn.Module) -> dict:
    """Load the file's weights into the parts and return what else it holds.

    Raises
    ------
    DataError
        The file is missing or broken, or was made with another config or other data: the first difference is named;
        or by a version of the package whose network was another.
    """
    path, settings = checkpoint.file, checkpoint.settings
    content = _read(path, "delete it and train again")
    found = content["settings"]
    for key in sorted({*settings, *found}):
        if settings.get(key) != found.get(key):
            raise DataError(
                f"the checkpoint was made with {key}={found.get(key)!r}, this run has {settings.get(key)!r}",
                str(path),
                "use the config it was made with, or train again",
            )
    try:
        parts.load_state_dict(content.pop("weights"))
    except RuntimeError as error:  # other names, other shapes
        raise DataError(
            f"the weights do not fit the network of lfdtcmen {lfdtcmen.__version__}: another version made them",
            str(path),
            "delete it and train again",
        ) from error
    return content


def load_history(path: Path) -> list[dict]:
    """Return the training history that a checkpoint holds, without its weights.

    Raises
    ------
    DataError
        The file is missing or broken.
    """
    return _read(path, "delete it and train again", mmap=True)["history"]


def _read(path: Path, fix: str, mmap: bool = False) -> dict:
    """Return what a checkpoint file holds, or refuse a file that is none."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except Exception as error:  # torch, zip and pickle errors have no common parent
        raise DataError(f"the checkpoint cannot be read ({type(error).__name__})", str(path), fix) from error
    if not isinstance(content, dict) or not {"settings", "weights"} <= content.keys():
        raise DataError("the file is no checkpoint of lfdtcmen", str(path), fix)
    return content
