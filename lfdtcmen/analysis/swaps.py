"""Swaps: one person's face with another's motion, compared with the rendered truth of synthetic faces (3.1).

The *driver* is the person whose motion is taken, as in image animation (driving frames). The word *change* means
the image with the apex's motion code minus the image with the onset's, everything else equal. Changes are compared at
half resolution, where less of them is camera noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lfdtcmen.analysis.codes import CHUNK, drl_of, evaluation_mode, to_tensor
from lfdtcmen.beyond.extended_drl import generate_from
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic import Counterfactuals
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.intervals import measure
from lfdtcmen.evaluation.results import COLUMNS

DRIVER_STEPS = (1, 5, 9)  # identity i is given the motions of identities i + 1, i + 5, i + 9
CHANGE_ERROR = "change error relative to copying"


@dataclass(frozen=True)
class Swapped:
    """Faces of P people, each with the M motions of a driver. RGB in [0, 1], float32.

    ``change`` is the generated image minus the image generated with the driver's onset; ``true_change`` is the change
    that the rendered truth shows.
    """

    generated: np.ndarray  # [P, M, 3, H, W]
    change: np.ndarray  # [P, M, 3, H, W]
    truth: np.ndarray  # [P, M, 3, H, W], rendered without camera noise
    true_change: np.ndarray  # [P, M, 3, H, W]
    copy: np.ndarray  # [P, 1, 3, H, W]: the onset again, as the generator was given it


@torch.no_grad()
def swap(model: nn.Module, identities: np.ndarray, motions: np.ndarray, rests: np.ndarray | None = None) -> Tensor:
    """Generate each identity frame in the motion state of the motion frame of the same row: G(id(a), mo(b)).

    Parameters
    ----------
    model : nn.Module
        Run in evaluation mode; left in the mode in which it came.
    identities, motions : ndarray
        uint8 [N, H, W, 3], row by row.
    rests : ndarray, optional
        The drivers' onsets, uint8 [N, H, W, 3]; by default the identity frames. Only a generator that warps uses them:
        it applies the motion from this frame to the motion frame.

    Returns
    -------
    Tensor
        RGB in [0, 1], [N, 3, H, W], on the CPU.

    Raises
    ------
    DataError
        The model has no generator.
    """
    if getattr(model, "drl", None) is None or getattr(model.drl, "generator", None) is None:
        raise DataError("the model has no generator to swap with", "swap", "build it with drl='full'")
    drl, images = drl_of(model), []
    with evaluation_mode(model):
        for start in range(0, len(identities), CHUNK):
            rows = slice(start, start + CHUNK)
            identity, motion = (drl.encode(to_tensor(f[rows], model)) for f in (identities, motions))
            rest = None if rests is None else drl.encode(to_tensor(rests[rows], model), identity=False)
            images.append(generate_from(drl, identity, motion, rest).float().cpu())
    return torch.cat(images)


def swap_motions(
    model: nn.Module,
    counterfactuals: Counterfactuals,
    people: Sequence[int] | np.ndarray,
    drivers: Sequence[int] | np.ndarray,
    motions: Sequence[int] | np.ndarray,
) -> Swapped:
    """Give each of some people the motions of a driver.

    Parameters
    ----------
    model : nn.Module
        A network with a generator.
    counterfactuals : Counterfactuals
        Made by :func:`lfdtcmen.datasets.synthetic.make_counterfactuals`.
    people, drivers : array-like of int
        Whose face, and whose motion, [P] each: indices of identities of the counterfactuals.
    motions : array-like of int
        Which motions, [M].

    Raises
    ------
    DataError
        The model has no generator, people and drivers differ in number, or there is no such identity or motion.
    """
    people, drivers, motions = (np.asarray(given, dtype=np.int64) for given in (people, drivers, motions))
    if people.shape != drivers.shape or not len(people):
        raise DataError(
            f"{len(people)} people and {len(drivers)} drivers", "swap_motions", "give as many drivers as people"
        )
    for name, given, count in (
        ("identity", np.concatenate([people, drivers]), len(counterfactuals.onset)),
        ("motion", motions, counterfactuals.apex.shape[1]),
    ):
        if not len(given) or given.min() < 0 or given.max() >= count:
            raise DataError(f"no such {name} among {given.tolist()}", "swap_motions", f"they run from 0 to {count - 1}")
    shape = (len(people), len(motions))
    who, rest = counterfactuals.onset[people], counterfactuals.onset[drivers]  # [P, H, W, 3]
    driving = counterfactuals.apex[drivers][:, motions]  # [P, M, H, W, 3]
    still = swap(model, who, rest, rest).numpy()[:, None]  # [P, 1, 3, H, W]
    moved = swap(model, who.repeat(shape[1], axis=0), as_rows(driving), rest.repeat(shape[1], axis=0)).numpy()
    moved = moved.reshape(*shape, *moved.shape[1:])
    truth = to_tensor(as_rows(counterfactuals.apex_clean[people][:, motions])).numpy().reshape(moved.shape)
    at_rest = to_tensor(counterfactuals.onset_clean[people]).numpy()[:, None]
    return Swapped(moved, moved - still, truth, truth - at_rest, to_tensor(who).numpy()[:, None])


def reconstruction_errors(model: nn.Module, pairs: PairSet) -> pd.Series:
    """Compare what a reconstruction loss pays for: the generated apex with and without its motion, and two copies.

    Parameters
    ----------
    model : nn.Module
        A network with a generator.
    pairs : PairSet
        Two people or more.

    Returns
    -------
    Series
        Mean absolute error against the apex frames, grey levels.

    Raises
    ------
    DataError
        The model has no generator, or there is only one person.
    """
    onset, apex = pairs.onset, pairs.apex
    true = to_tensor(apex)
    attempts = {
        "generated, motion code of the apex": swap(model, onset, apex),
        "generated, motion code of the onset": swap(model, onset, onset),
        "a copy of the onset": to_tensor(onset),
        "another person's apex": to_tensor(apex[_of_another(pairs.subjects)]),
    }
    errors = {name: 255 * (image - true).abs().mean().item() for name, image in attempts.items()}
    return pd.Series(errors, name="mean absolute error (grey levels)")


def _of_another(subjects: np.ndarray) -> np.ndarray:
    """Return for each pair the row of a pair of another subject, [N]: half the set further on, or the next that is."""
    if len(np.unique(subjects)) < 2:
        raise DataError("there is only one subject", "swaps", "give pairs of two people or more")
    rows = np.arange(len(subjects))
    other = (rows + len(rows) // 2) % len(rows)
    while (same := subjects[other] == subjects).any():
        other[same] = (other[same] + 1) % len(rows)
    return other


def swap_errors(model: nn.Module, counterfactuals: Counterfactuals, seed: int = 0) -> pd.DataFrame:
    """Measure the error of swaps for each person whose face is shown, and the error of copying the onset.

    Each person is given all motions of up to three others, as in
    :func:`~lfdtcmen.analysis.disentanglement.cross_identity_gain`; the error is the error of the change, at half
    resolution.

    Parameters
    ----------
    model : nn.Module
        A network with a generator.
    counterfactuals : Counterfactuals
        Frames of two people or more.
    seed : int
        Random seed of the bootstrap.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`), one per person (``part`` "0", "1", ...) and a last one
        "all": the squared error of the generated change, divided by the squared error of copying the onset (1: no
        better than a copy). The interval is over the motions for one person, over people for all. Further columns:
        error and copy error (of copying), root mean squares in grey levels.

    Raises
    ------
    DataError
        The model has no generator, or there is only one person.
    """
    people, count = counterfactuals.apex.shape[:2]
    steps = driver_steps(people)
    if not steps:
        raise DataError("swaps need two identities or more", "swap_errors", "make more")
    who, products = swap_products(model, counterfactuals, steps)
    values = 3 * (counterfactuals.onset.shape[1] // 2) * (counterfactuals.onset.shape[2] // 2)  # numbers in a change
    motion = np.tile(np.arange(count), len(steps))
    parts = {str(i): (products[who == i], motion) for i in range(people)} | {"all": (products, who)}
    rows = []
    for part, (sums, groups) in parts.items():
        found = measure(CHANGE_ERROR, change_error, sums, groups, seed)
        copied = 255 * np.sqrt(sums[:, 1].mean() / values)
        row = ("network", found.name, part, found.value, found.low, found.high, "")
        rows.append((*row, copied * np.sqrt(found.value), copied))
    return pd.DataFrame(rows, columns=[*COLUMNS, "error", "copy error"])


def driver_steps(people: int) -> list[int]:
    """Return up to three steps, none of them 0: the drivers of identity i are the identities i + step."""
    return sorted({step % people for step in DRIVER_STEPS} - {0})


def swap_products(
    model: nn.Module, counterfactuals: Counterfactuals, steps: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Give identity i all motions of the drivers i + step; compare each change with the rendered one.

    Returns
    -------
    identity : ndarray
        Whose face, [people * steps * motions]: identity by identity, then driver by driver.
    products : ndarray
        :func:`change_products` of each swap, float64 [people * steps * motions, 3].
    """
    people, motions = counterfactuals.apex.shape[:2]
    i = np.repeat(np.arange(people), len(steps))  # [P]: whose face
    j = (i + np.tile(steps, people)) % people  # [P]: whose motion
    return np.repeat(i, motions), driven_products(model, counterfactuals, i, counterfactuals, j)


def driven_products(
    model: nn.Module, faces: Counterfactuals, i: np.ndarray, drivers: Counterfactuals, j: np.ndarray
) -> np.ndarray:
    """Give face ``i`` all motions of driver ``j``, for each pair (i, j); return their :func:`change_products`.

    Parameters
    ----------
    model : nn.Module
        A network with a generator.
    faces, drivers : Counterfactuals
        Both with the same M motions.
    i, j : ndarray
        Which face, and which driver, [P] each.

    Returns
    -------
    ndarray
        float64 [P * M, 3].
    """
    motions = faces.apex.shape[1]
    shown, rest = faces.onset[i], drivers.onset[j]
    at_rest = swap(model, shown, rest, rest)  # [P, 3, H, W]
    moved = swap(model, *(shown.repeat(motions, axis=0), as_rows(drivers.apex[j]), rest.repeat(motions, axis=0)))
    true = to_tensor(as_rows(faces.apex_clean[i]))
    true = true - to_tensor(faces.onset_clean[i]).repeat_interleave(motions, 0)
    return change_products(moved - at_rest.repeat_interleave(motions, 0), true)


def change_products(generated: Tensor, true: Tensor) -> np.ndarray:
    """Return <g, t>, <t, t> and <g, g> of generated and true changes [N, 3, H, W], at half resolution, float64 [N, 3].

    Their sums give the motion gain (the first as a multiple of the second), :func:`cosine` and :func:`change_error`.
    """
    g, t = (at_half_resolution(change).flatten(1).double() for change in (generated, true))
    return torch.stack([(g * t).sum(1), (t * t).sum(1), (g * g).sum(1)], dim=1).numpy()


def cosine(sums: np.ndarray) -> np.ndarray:
    """Return ``<g, t> / (|g| |t|)`` of summed :func:`change_products` [..., 3]."""
    # a generator that never moves has no direction: its cosine counts as 0
    return sums[..., 0] / np.sqrt(np.maximum(sums[..., 1] * sums[..., 2], 1e-20))


def change_error(sums: np.ndarray) -> np.ndarray:
    """Return ``|g - t|^2 / |t|^2`` of summed :func:`change_products` [..., 3]: 1 for a copy, which never moves."""
    return (sums[..., 2] - 2 * sums[..., 0] + sums[..., 1]) / sums[..., 1]


def at_half_resolution(images: Tensor) -> Tensor:
    """Average blocks of 2x2 pixels, [N, 3, H, W] -> [N, 3, H/2, W/2]."""
    return F.avg_pool2d(images, 2)


def as_rows(frames: np.ndarray) -> np.ndarray:
    """Return frames [A, B, H, W, 3] as one list [A * B, H, W, 3]."""
    return frames.reshape(-1, *frames.shape[2:])
