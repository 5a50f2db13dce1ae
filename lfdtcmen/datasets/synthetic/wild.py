"""The preset ``wild``: every person and every clip has a camera, a light and a crop of its own.

It is a preset to train on, so that a network meets more than any one data set shows. All ranges are assumed: as broad
as faces are still recognised. The errors of the crop are those of a detector on public crops of real people, whose
landmarks spread between the clips of one person by 1.3 pixels (median) and 3.9 (95th percentile).
"""

from dataclasses import replace

import numpy as np

from lfdtcmen.datasets.synthetic.canvas import SIZE
from lfdtcmen.datasets.synthetic.identity import FRINGE, NO_GLASSES, ROUND_GLASSES, SQUARE_GLASSES, Identity
from lfdtcmen.datasets.synthetic.settings import Settings
from lfdtcmen.datasets.synthetic.surface import Studio

LEAST_RESOLUTION = 48  # pixels of the sensor across the frame
SHARE_GREY = 0.2
SHARE_WITH_JPEG = 0.6
SHARE_FRINGE = 0.15  # people whose hair hangs over the brows
SHARE_GLASSES = 0.3


def vary_person(settings: Settings, rng: np.random.Generator) -> Settings:
    """Give a person a room, any skin tone, and a way of moving that is more or less its own."""
    wall = rng.uniform(0.08, 0.85) + 0.08 * rng.standard_normal(3)
    studio = Studio(
        background=tuple(np.clip(wall, 0.02, 0.95)),
        ambient=rng.uniform(0.15, 0.6),
        side_light=rng.uniform(0, 2.5),
        light_y=rng.uniform(-0.8, 0.1),
        clutter=max(0.0, rng.uniform(-0.15, 0.12)),
    )
    return replace(
        settings,
        studio=studio,
        tone=(0.05, 0.65),
        style_gain=rng.uniform(0.3, 0.6),
        style_rotation=rng.uniform(0.1, 0.35),
        style_width=rng.uniform(0.1, 0.25),
        asymmetry=rng.uniform(0.1, 0.3),
    )


def vary_looks(identity: Identity, rng: np.random.Generator) -> Identity:
    """Let some people wear glasses, and some have hair over the brows."""
    fringe, glasses = rng.random(2)
    if fringe < SHARE_FRINGE:
        identity = replace(identity, hair=FRINGE, hair_fringe=rng.uniform(1.6, 2.6))
    worn = NO_GLASSES if glasses > SHARE_GLASSES else int(rng.choice([SQUARE_GLASSES, ROUND_GLASSES]))
    return replace(identity, glasses=worn)


def vary_clip(settings: Settings, rng: np.random.Generator) -> Settings:
    """Give a clip a camera, a light, a crop and motions of the head."""
    uniform = rng.uniform
    crop = np.exp(0.55 * rng.standard_normal())  # most crops are good, some are not: errors have a long tail
    head = uniform(0.3, 1.2)
    return replace(
        settings,
        # how many units are shown that the emotion does not use
        extra_units=uniform(0, 0.08),
        # head, eyes and light between onset and apex
        shift=0.6 * head,
        rotation=0.7 * head,
        scale=0.006 * head,
        yaw=1.2 * head,
        pitch=1.2 * head,
        turn=uniform(0.5, 5),
        blinks=0.12,
        glances=0.2,
        flicker=uniform(0, 0.04),
        flicker_gradient=uniform(0, 0.05),
        light_level=0.08,
        light_gradient=0.15,
        # crop
        crop_shift=0.85 * crop,
        crop_rotation=1.2 * crop,
        crop_scale=0.018 * crop,
        # camera
        resolution=int(rng.integers(LEAST_RESOLUTION, SIZE + 1)),
        blur=uniform(0, 1) if rng.random() < 0.5 else 0.0,
        sensor_noise=np.exp(uniform(np.log(0.003), np.log(0.03))),
        jpeg=int(rng.integers(50, 96)) if rng.random() < SHARE_WITH_JPEG else 0,
        white_balance=tuple(np.exp(0.05 * rng.standard_normal(3))),
        colour=0.0 if rng.random() < SHARE_GREY else uniform(0.6, 1),
        gain=np.exp(0.10 * rng.standard_normal()),
        gamma=np.exp(0.15 * rng.standard_normal()),
    )
