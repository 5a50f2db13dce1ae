"""The two codes of every frame, for all modules that measure them; and an untrained network to compare with."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.images import as_tensor
from lfdtcmen.modules.drl import DRL

CHUNK = 32  # frames, or pairs, at a time
CALIBRATION_BATCHES = 12  # of 32 frames, for the untrained network's batch normalisation

Network = TypeVar("Network", bound=nn.Module)


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Run a model in evaluation mode and leave each of its parts in the mode in which it came."""
    modes = [(module, module.training) for module in model.modules()]  # frozen parts may be in another mode
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def drl_of(model: nn.Module) -> DRL:
    """Return the DRL of a model, which encodes and, with a generator, generates.

    Raises
    ------
    DataError
        The model has none.
    """
    drl = getattr(model, "drl", None)
    if drl is None:
        raise DataError("the model has no encoders", "drl_of", "give a network with drl='full'")
    return drl


@torch.no_grad()
def encode_pairs(model: nn.Module, pairs: PairSet, identity: bool = True) -> dict[str, np.ndarray]:
    """Return both codes of both frames, whole maps, float32 [N, 256, h, w] each.

    Parameters
    ----------
    model : nn.Module
        Its ``drl`` encodes, in evaluation mode.
    pairs : PairSet
    identity : bool
        Return the identity codes as well.

    Returns
    -------
    dict
        "mo(onset)", "mo(apex)", "id(onset)", "id(apex)"; the latter two only with ``identity``, and of a network that
        has an identity encoder.
    """
    codes = {}
    with evaluation_mode(model):
        for frame, images in (("onset", pairs.onset), ("apex", pairs.apex)):
            chunks = [images[k : k + CHUNK] for k in range(0, len(images), CHUNK)]
            encoded = [drl_of(model).encode(to_tensor(chunk, model), identity=identity) for chunk in chunks]
            identities = [e.identity for e in encoded if e.identity is not None]
            for name, parts in (("mo", [e.motion for e in encoded]), ("id", identities)):
                if parts:
                    codes[f"{name}({frame})"] = torch.cat(parts).float().cpu().numpy()
    return codes


def plant_motion(code: Tensor, motion: np.ndarray, mirrored: bool = False) -> Tensor:
    """Write the true motion of each cell into two channels of a code: a positive control for what is to read it.

    Parameters
    ----------
    code : Tensor
        [N, C, h, w]; it stays as it is.
    motion : ndarray
        [N, 2, H, W], x then y; H and W are multiples of h and w.
    mirrored : bool
        The code is that of mirrored frames, the motion is not.

    Returns
    -------
    Tensor
        The code, with the mean motion of each cell added to its first two channels, at the standard deviation of the
        whole code.
    """
    (count, _, height, width), (rows, columns) = code.shape, motion.shape[2:]
    cells = motion.reshape(count, 2, height, rows // height, width, columns // width).mean((3, 5))
    cells = cells / cells.std()  # [N, 2, h, w]; before the mirror: both views get the same scale
    if mirrored:
        cells = cells[..., ::-1] * np.array([-1, 1])[:, None, None]
    planted = code.clone()
    planted[:, :2] += code.std(correction=0) * torch.tensor(cells, dtype=code.dtype)
    return planted


def untrained_like(model: Network, train: PairSet, seed: int = 0) -> Network:
    """Return a copy of the model with newly initialised DRL weights, batch statistics calibrated on training frames.

    Without calibration, batch normalisation would still assume mean 0 and variance 1, and the comparison with a
    trained network would be unfair. As in a trained network, the statistics are those of training subjects: the network
    has seen nobody on whom it is measured. No label is used.

    Parameters
    ----------
    model : nn.Module
    train : PairSet
        Pairs of the subjects that the model was trained on.
    seed : int
        Random seed of the weights and of the frames that calibrate.
    """
    fresh = copy.deepcopy(model)
    order = np.random.default_rng(seed).permutation(len(train))[: CALIBRATION_BATCHES * CHUNK // 2]

    def encode(rows: np.ndarray) -> None:
        drl_of(fresh).encode(to_tensor(np.concatenate([train.onset[rows], train.apex[rows]]), fresh))

    reinitialise(drl_of(fresh), seed, encode, np.array_split(order, -(-len(order) * 2 // CHUNK)))
    return fresh.eval()


@torch.no_grad()
def reinitialise(part: nn.Module, seed: int, run: Callable[[np.ndarray], None], batches: Sequence[np.ndarray]) -> None:
    """Initialise the weights of a part of a network anew, and calibrate its batch statistics.

    Parameters
    ----------
    part : nn.Module
        Changed in place; left in training mode.
    seed : int
        Random seed of the weights.
    run : function
        Runs the part on the pairs of the given rows.
    batches : sequence of ndarray
        Rows of each batch: the batch statistics become their plain average.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in part.modules():
            reset = getattr(module, "reset_parameters", None)
            if reset is not None:
                reset()
    norms = [m for m in part.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momentum = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = None  # torch's way to ask for a plain average over all batches
    part.train()
    for rows in batches:
        run(rows)
    for norm, value in zip(norms, momentum, strict=True):
        norm.momentum = value


def split_clips(subjects: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split each subject's clips at random into a training and a test half; leave out subjects with one clip.

    Returns
    -------
    train, test : ndarray
        Rows of the clips, int64.

    Raises
    ------
    DataError
        Fewer than two subjects with two clips.
    """
    generator = np.random.default_rng(seed)
    train, test = [], []
    for subject in np.unique(subjects):
        clips = generator.permutation(np.flatnonzero(subjects == subject))
        if len(clips) > 1:
            train.append(clips[: len(clips) // 2])
            test.append(clips[len(clips) // 2 :])
    if len(train) < 2:
        raise DataError("fewer than two subjects have two clips", "identity_leak", "give more held-out pairs")
    return np.concatenate(train), np.concatenate(test)


def to_tensor(frames: np.ndarray, model: nn.Module | None = None) -> Tensor:
    """Return uint8 frames [N, H, W, 3] as [N, 3, H, W] in [0, 1], on the model's device (else on the CPU)."""
    images = as_tensor(frames)
    weight = next(model.parameters(), None) if model is not None else None
    return images if weight is None else images.to(weight.device)
