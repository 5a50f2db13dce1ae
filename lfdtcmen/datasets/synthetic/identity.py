"""The identity of a synthetic subject: the numbers that make up its looks."""

from dataclasses import astuple, dataclass
from functools import cache

import numpy as np

HAIR_COLOURS = ((0.09, 0.075, 0.07), (0.17, 0.115, 0.085), (0.32, 0.21, 0.13), (0.45, 0.42, 0.40))
IRIS_COLOURS = ((0.20, 0.12, 0.07), (0.33, 0.20, 0.10), (0.33, 0.38, 0.24), (0.36, 0.46, 0.55))
SHORT, FRINGE, LONG = range(3)  # hair styles
NO_GLASSES, SQUARE_GLASSES, ROUND_GLASSES = range(3)


@dataclass(frozen=True)
class Identity:
    """A subject's looks. Lengths and positions in pixels of the 128 x 128 frame, y downwards; the rest is relative."""

    female: bool
    # head
    face_width: float  # half width
    face_y: float  # height of the widest line
    crown: float  # from the widest line to the top of the head
    chin: float  # y of the chin
    jaw: float  # exponent of the lower outline: low is pointed, high is square
    asymmetry: float
    # eyes
    eye_x: float  # distance from the midline
    eye_y: float
    eye_width: float  # half width
    eye_height: float
    eye_tilt: float
    iris: float  # radius
    iris_colour: int
    crease: float
    lashes: float
    gaze: float
    eye_bags: float
    # brows
    brow_height: float  # above the eye
    brow_thickness: float
    brow_arch: float
    brow_slope: float
    brow_reach: float  # of the outer end, beyond the outer corner of the eye
    brow_density: float
    brow_gap: float  # inner end, from the midline
    brow_ridge: float
    # nose
    nose_width: float  # half width
    nose_y: float  # lower end
    nose_height: float  # out of the face
    nose_bridge: float
    nose_tip: float
    # mouth
    mouth_y: float
    mouth_width: float  # half width
    upper_lip: float
    lower_lip: float
    cupid: float
    mouth_curve: float
    lip_colour: float
    # skin
    melanin: float
    haemoglobin: float
    texture: float
    freckles: float
    moles: int
    oil: float
    folds: float  # nasolabial
    cheeks: float
    # hair and glasses
    beard: float
    moustache: bool
    hair: int
    hair_colour: int
    hairline: float
    hair_curve: float
    hair_parting: float
    hair_fringe: float
    glasses: int
    glasses_frame: float
    # direction of this subject's side light, and the random seed of all fine texture
    light_x: float
    texture_seed: int


def sample_identity(rng: np.random.Generator, tone: tuple[float, float] = (0.12, 0.36)) -> Identity:
    """Sample a subject.

    Parameters
    ----------
    rng : Generator
        Source of all randomness: the same state gives the same subject.
    tone : (low, high)
        Range of most subjects' melanin, 0 (fair) to 1 (dark).
    """
    female = bool(rng.random() < 0.5)
    sex = 1.0 if female else -1.0

    def normal(mean: float, spread: float, low: float, high: float) -> float:
        return float(np.clip(mean + spread * rng.standard_normal(), low, high))

    def uniform(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    def choice(*weights: float) -> int:
        return int(rng.choice(len(weights), p=weights))

    return Identity(
        female=female,
        face_width=normal(41.0 - 1.0 * sex, 2.1, 36, 46),
        face_y=normal(62, 1.0, 59, 65),
        crown=normal(62, 3.0, 54, 70),
        chin=normal(122.4 - 0.6 * sex, 2.0, 117.5, 127.5),
        jaw=normal(2.47 - 0.2 * sex, 0.3, 1.9, 3.3),
        asymmetry=uniform(0.2, 1.0),
        eye_x=normal(18.8, 1.2, 16, 22),
        eye_y=normal(53, 1.0, 50.5, 55.5),
        eye_width=normal(8.9, 0.7, 7.4, 10.6),
        eye_height=normal(3.25 + 0.15 * sex, 0.5, 2.1, 4.4),
        eye_tilt=normal(-0.05, 0.06, -0.2, 0.12),
        iris=normal(3.55, 0.18, 3.1, 4.0),
        iris_colour=choice(0.55, 0.25, 0.10, 0.10),
        crease=normal(0.6, 0.4, 0, 1.2),
        lashes=uniform(0.3, 1.0) + 0.2 * (1 + sex),
        gaze=normal(0, 0.3, -0.8, 0.8),
        eye_bags=normal(0.5, 0.35, 0, 1.3),
        brow_height=normal(8.6, 1.0, 6.5, 11),
        brow_thickness=normal(1.87 - 0.3 * sex, 0.42, 1.0, 3.2),
        brow_arch=normal(2.1 + 0.4 * sex, 0.8, 0, 4.2),
        brow_slope=normal(0, 0.9, -2, 2),
        brow_reach=normal(2.65, 0.9, 0.5, 5),
        brow_density=uniform(0.55, 1.0),
        brow_gap=normal(7.6, 0.9, 5.5, 10),
        brow_ridge=normal(1.02 - 0.22 * sex, 0.3, 0.2, 2),
        nose_width=normal(10.0 - 0.5 * sex, 1.2, 7.6, 13.2),
        nose_y=normal(81.5, 1.6, 77.5, 85.5),
        nose_height=normal(10, 1.6, 6.5, 14),
        nose_bridge=normal(4.0, 0.6, 2.8, 5.6),
        nose_tip=normal(4.0, 0.8, 2.4, 6),
        mouth_y=normal(95.2, 1.3, 92.2, 98.7),
        mouth_width=normal(15.2, 1.4, 12, 18.5),
        upper_lip=normal(4.0 + 0.25 * sex, 0.7, 2.4, 5.8),
        lower_lip=normal(5.3 + 0.2 * sex, 0.8, 3.5, 7.4),
        cupid=uniform(0.3, 1.3),
        mouth_curve=normal(0.45, 0.6, -0.9, 1.8),
        lip_colour=normal(0.67 + 0.15 * sex, 0.2, 0.2, 1),
        melanin=normal(sum(tone) / 2, (tone[1] - tone[0]) / 2.2, max(tone[0] - 0.1, 0.02), min(tone[1] + 0.2, 1)),
        haemoglobin=normal(0.5, 0.25, 0, 1),
        texture=uniform(0.5, 1.4),
        freckles=max(0.0, uniform(-2.2, 0.8)),
        moles=int(rng.poisson(1.3)),
        oil=uniform(0.4, 1.4),
        folds=normal(0.5, 0.35, 0.05, 1.3),
        cheeks=normal(1.0, 0.35, 0.2, 1.8),
        beard=0.0 if female else normal(0.35, 0.4, 0, 1),
        moustache=bool(rng.random() < 0.1) and not female,
        hair=choice(0.15, 0.25, 0.60) if female else choice(0.60, 0.30, 0.10),
        hair_colour=choice(0.55, 0.28, 0.10, 0.07),
        hairline=normal(14.5, 3, 7, 22),
        hair_curve=uniform(2, 12),
        hair_parting=uniform(-0.5, 0.5),
        hair_fringe=uniform(0, 1),
        glasses=choice(0.75, 0.13, 0.12),
        glasses_frame=uniform(0, 1),
        light_x=float(0.38 * rng.standard_normal()),
        texture_seed=int(rng.integers(2**31)),
    )


@cache
def average_identity(people: int = 64) -> Identity:
    """Return the mean of many subjects: the proportions to assume of an unknown person."""
    sampled = [astuple(sample_identity(np.random.default_rng(seed))) for seed in range(people)]
    return Identity(*(type(values[0])(np.mean(values)) for values in zip(*sampled, strict=True)))
