"""Tensors and plain values in one safetensors file, with a digest of all of it: the format of a checkpoint.

A file that was changed on the disk, by however few bits, is refused: the digest covers the names, shapes, dtypes and
bytes of the tensors and the plain values. Nothing in the file is code, as it could be in a pickle.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from lfdtcmen.errors import DataError
from lfdtcmen.files import atomic_path

PICKLES = (b"PK\x03\x04", b"\x80\x02")  # how the files of torch.save begin, the new and the old ones


def write_tensors(path: Path, tensors: Mapping[str, Tensor], values: Mapping) -> None:
    """Write tensors and plain values (of JSON) to a file, whole or not at all.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full. An older file stays whole.
    """
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(values)
    metadata = {"values": text, "digest": _digest(stored, text)}
    with atomic_path(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(stored, metadata))


def read_tensors(path: Path, fix: str) -> tuple[dict[str, Tensor], dict]:
    """Return the tensors, on the CPU, and the plain values that :func:`write_tensors` wrote to a file.

    Parameters
    ----------
    path : Path
    fix : str
        What the user can do about a file that is refused.

    Raises
    ------
    DataError
        The file is missing, damaged, none of lfdtcmen, or of an earlier version of the package.
    """
    try:
        content = path.read_bytes()  # at once: the file may be replaced by a newer one while it is read
    except OSError as error:
        raise DataError(f"the checkpoint cannot be read ({error.strerror})", str(path), fix) from error
    try:
        tensors = safetensors.torch.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        if content.startswith(PICKLES):
            what = "the file is no checkpoint of lfdtcmen, or one of an earlier version"
            raise DataError(what, str(path), "train again") from error
        raise DataError(f"the checkpoint cannot be read ({type(error).__name__})", str(path), fix) from error
    metadata = header.get("__metadata__", {})
    if not {"values", "digest"} <= metadata.keys():
        raise DataError("the file is no checkpoint of lfdtcmen", str(path), fix)
    if _digest(tensors, metadata["values"]) != metadata["digest"]:
        raise DataError("the checkpoint is damaged: its content is not what was written", str(path), fix)
    return tensors, json.loads(metadata["values"])


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """Return the SHA-256 of names, dtypes, shapes and bytes of the tensors, and of a text."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
