"""Checkpoints: written whole or not at all, and loaded only where config and data fit."""

import hashlib
import json
import os
from pathlib import Path

import torch

from lfdtcmen.config import Config, to_dict
from lfdtcmen.errors import DataError
from lfdtcmen.losses.perceptual import vgg_source
from lfdtcmen.modules.network import LFDTCMEN

# fields that are no settings of the weights: the data come in by their fingerprint, and bf16 or not is rounding, like
# the processor that a run happens on
_IDLE = ("profile", "preset", "label_map", "subjects", "folds", "mixed_precision")
# fields that stage 1 does not see
_TCME_ONLY = ("flow", "motion", "class_weights")


def stage_settings(config: Config, stage: int, fingerprint: str) -> dict:
    """Return everything on which the weights after ``stage`` depend, as plain JSON values."""
    settings = {key: value for key, value in to_dict(config).items() if key not in _IDLE}
    settings["vgg_weights"] = vgg_source(config.vgg_weights)  # what "auto" came to on this machine
    for later in range(stage + 1, 4):
        del settings[f"stage{later}"]
    for field in ("epochs", "batch_sizes", "learning_rates"):
        settings[field] = settings[field][:stage]
    if stage == 1:
        for field in _TCME_ONLY:
            del settings[field]
    return json.loads(json.dumps({**settings, "stage": stage, "data": fingerprint}))


def settings_key(settings: dict) -> str:
    """Return eight hex digits for a file name."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def save_checkpoint(path: Path, model: LFDTCMEN, settings: dict, **progress) -> None:
    """Write weights, settings and progress (epoch, history, optimiser) to ``path`` in one step.

    Stage 1 leaves TCME as it was, so its checkpoint holds the DRL weights alone.

    Raises
    ------
    DataError
        The folder cannot be written, or the disk is full. An older file stays whole.
    """
    part = model.drl if settings["stage"] == 1 else model
    content = {"settings": settings, "weights": part.state_dict(), **progress}
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(content, temporary)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None
        raise DataError(
            f"the checkpoint cannot be written ({error})", str(path), "free some space or give another run folder"
        ) from error


def load_checkpoint(path: Path, model: LFDTCMEN, settings: dict) -> dict:
    """Load ``path`` into the model and return what else the file holds.

    Raises
    ------
    DataError
        The file is missing or broken, or was made with another config or other data: the first difference is named.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        found = content["settings"]
    except Exception as error:  # torch, zip and pickle errors have no common parent
        raise DataError(
            f"the checkpoint cannot be read ({type(error).__name__})", str(path), "delete it and train again"
        ) from error
    for key in sorted({*settings, *found}):
        if settings.get(key) != found.get(key):
            raise DataError(
                f"the checkpoint was made with {key}={found.get(key)!r}, this run has {settings.get(key)!r}",
                str(path),
                "use the config it was made with, or train again",
            )
    part = model.drl if settings["stage"] == 1 else model
    part.load_state_dict(content.pop("weights"))
    return content
