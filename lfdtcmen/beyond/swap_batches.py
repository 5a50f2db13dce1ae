"""The batches of pretraining: swaps of synthetic people, and random changes of their frames."""

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lfdtcmen.datasets.synthetic import Swaps
from lfdtcmen.images import scale_pixels

OTHER_PERSON = 0.8  # share of the swaps in which the driver is another person
UNSWAPPED_PER_SWAP = 1  # further pairs per swap, used only to predict action units


@dataclass
class SwapBatch:
    """What a step of pretraining sees. Frames: RGB in [0, 1], ``[*, 3, H, W]``, onsets first, then as many apexes."""

    identity: Tensor  # of B swaps
    clean: Tensor  # the same, without camera noise
    motion: Tensor  # of P pairs; the first B are the drivers, whose motion the identities are given
    action_units: Tensor  # of the pairs, image-left and image-right, pixels, [P, U, 2]


class SwapTensors:
    """The swaps on a device, moved there once; on the CPU they share the memory of the arrays."""

    def __init__(self, swaps: Swaps, device: torch.device):
        arrays = {name: np.require(array, requirements="W") for name, array in vars(swaps).items()}
        self.device = device
        self.parts = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}

    def send(self, array: np.ndarray) -> Tensor:
        """Return rows, or random numbers, on the device, without waiting for it."""
        return torch.from_numpy(array).to(self.device, non_blocking=True)


def sample_batch(
    swaps: SwapTensors, size: int, max_shift: int, rng: np.random.Generator, other_person: float = OTHER_PERSON
) -> SwapBatch:
    """Sample ``size`` swaps, and as many pairs that are not swapped.

    Identity and driver are of one group, whose people all show the same motions; in the share ``other_person`` of the
    swaps they are two people, in the others one. Each pair is mirrored with probability 1/2; the whole batch is shifted
    by up to ``max_shift`` whole pixels.
    """
    parts = swaps.parts
    groups, people, motions = parts["apex"].shape[:3]
    pairs = (1 + UNSWAPPED_PER_SWAP) * size
    group, motion = rng.integers(groups, size=pairs), rng.integers(motions, size=pairs)
    driver = rng.integers(people, size=pairs)
    other = (driver + rng.integers(1, people, size=pairs)) % people
    identity = np.where(rng.random(pairs) < other_person, other, driver)
    mirror = rng.random(pairs) < 0.5
    shift = tuple(int(d) for d in rng.integers(-max_shift, max_shift + 1, 2))

    of_group, of_motion, of_driver, of_identity = (swaps.send(rows) for rows in (group, motion, driver, identity))
    turned = swaps.send(mirror)

    def frames(onset: Tensor, apex: Tensor, who: Tensor, count: int) -> Tensor:
        at = (of_group[:count], who[:count])
        images = torch.stack([onset[at], apex[(*at, of_motion[:count])]])  # [2, count, H, W, 3]
        images = torch.where(turned[:count, None, None, None], images.flip(3), images)
        return scale_pixels(images.flatten(0, 1)).roll(shift, (2, 3))

    units = parts["action_units"][of_group, of_motion]  # [P, U, 2]
    return SwapBatch(
        frames(parts["onset"], parts["apex"], of_identity, size),
        frames(parts["onset_clean"], parts["apex_clean"], of_identity, size),
        frames(parts["onset"], parts["apex"], of_driver, pairs),
        torch.where(turned[:, None, None], units.flip(2), units),
    )


# standard deviations of `vary` at strength 1; shifts in pixels of a frame 128 wide, angles in radians
POSE = {"angle": 0.05, "scale": 0.05, "shift": 2.0}  # of the face in the crop: both frames alike
REGISTRATION = {"angle": 0.004, "scale": 0.003, "shift": 0.25}  # what registration leaves between onset and apex
AMPLITUDE = 0.3  # of the logarithm of the motion's amplitude
GAMMA = 0.25  # of its logarithm
LAMP, GRADIENT = 0.02, 0.03  # change of brightness between onset and apex, and of its slope over half a frame
BLURRED, COARSEST = 0.5, 48  # share of the batches with a lower resolution, and the lowest, pixels
NOISE = 0.02  # largest standard deviation of additional noise


def vary(batch: SwapBatch, strength: float, rng: np.random.Generator) -> SwapBatch:
    """Change the frames at random, in ways that occur in filmed pairs but not in the rendered swaps.

    Swaps are rendered without head motion and change of light, at one resolution, and with the face in one position;
    filmed pairs differ in all of that, also after registration. In addition, each motion is made weaker or stronger,
    as people's motions differ in amplitude most of all.

    Parameters
    ----------
    batch : SwapBatch
    strength : float
        Factor on all changes; 1 for the values above.
    rng : Generator

    Returns
    -------
    SwapBatch
        The position of the face changes in all frames of a row; the motion's amplitude in drivers, targets and action
        units; registration, gamma, lamp, resolution and noise in the drivers' frames alone.
    """
    pairs, swaps, device = len(batch.motion) // 2, len(batch.identity) // 2, batch.motion.device

    def send(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).float().to(device, non_blocking=True)

    def normal(spread: float, *shape: int) -> Tensor:
        return send(strength * spread * rng.standard_normal((pairs, *shape)))

    amplitude = normal(AMPLITUDE).exp()
    pose, error = (
        torch.cat([normal(s["angle"], 1), normal(s["scale"], 1), normal(s["shift"], 2)], dim=1)
        for s in (POSE, REGISTRATION)
    )  # [P, 4] each
    identity = move(batch.identity, pose[:swaps].repeat(2, 1))
    clean = move(_scale_change(batch.clean, amplitude[:swaps]), pose[:swaps].repeat(2, 1))
    motion = move(_scale_change(batch.motion, amplitude), torch.cat([pose, pose + error]))

    onset, apex = motion.clamp(1e-3, 1).pow(normal(GAMMA).exp().repeat(2)[:, None, None, None]).chunk(2)
    side = torch.linspace(-1, 1, apex.shape[3], device=device)
    lamp, across, down = (normal(s)[:, None, None, None] for s in (LAMP, GRADIENT, GRADIENT))
    motion = torch.cat([onset, apex * (1 + lamp + across * side + down * side[:, None])])
    motion = _blur(motion, strength, rng)
    noise = strength * send(rng.uniform(0, NOISE, (pairs, 1, 1, 1))).repeat(2, 1, 1, 1)
    grain = send(rng.standard_normal((len(motion), 1, *motion.shape[2:]), dtype=np.float32))
    motion = (motion + noise * grain).clamp(0, 1)
    units = batch.action_units * amplitude[:, None, None]
    return replace(batch, identity=identity, clean=clean, motion=motion, action_units=units)


def move(frames: Tensor, pose: Tensor) -> Tensor:
    """Rotate, scale and shift frames [B, 3, H, W] by angle, logarithm of the scale, x and y, [B, 4]; edges repeated."""
    angle, scale, shift = pose[:, 0], pose[:, 1].exp(), pose[:, 2:] * (2 / 128)
    rows = [
        torch.stack([scale * angle.cos(), -scale * angle.sin(), shift[:, 0]], dim=1),
        torch.stack([scale * angle.sin(), scale * angle.cos(), shift[:, 1]], dim=1),
    ]
    grid = F.affine_grid(torch.stack(rows, dim=1), list(frames.shape), align_corners=False)
    return F.grid_sample(frames, grid, padding_mode="border", align_corners=False)


def _scale_change(frames: Tensor, amplitude: Tensor) -> Tensor:
    """Multiply the change between onsets (first half) and apexes by ``amplitude``, one value a pair."""
    onset, apex = frames.chunk(2)
    return torch.cat([onset, (onset + amplitude[:, None, None, None] * (apex - onset)).clamp(0, 1)])


def _blur(frames: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Reduce the resolution of some batches."""
    size = frames.shape[3]
    coarse = int(rng.integers(round(size * COARSEST / 128), size))
    if rng.random() >= BLURRED * strength:
        return frames
    small = F.interpolate(frames, (coarse, coarse), mode="area")
    return F.interpolate(small, (size, size), mode="bilinear", align_corners=False)
