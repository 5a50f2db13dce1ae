"""One face and its muscles, for figures and sliders."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from lfdtcmen.datasets.synthetic.action_units import Muscles, to_intensity
from lfdtcmen.datasets.synthetic.camera import take_picture
from lfdtcmen.datasets.synthetic.renderer import Face, pose
from lfdtcmen.datasets.synthetic.sequences import make_subject
from lfdtcmen.datasets.synthetic.settings import Settings, get_settings

Units = Mapping[int, float | tuple[float, float]]

# expressions whose strongest unit has about 8 (median of the farthest points: 12 px): as strong as those that one sees
# without looking for them
STRONG_EXPRESSIONS: dict[str, dict[int, float]] = {
    "at rest": {},
    "smile": {6: 5, 12: 8},
    "brows up": {1: 8, 2: 8},
    "jaw down": {25: 6, 26: 9},
    "frown": {4: 8, 9: 5},
    "corners down": {15: 8, 17: 6},
    "lips stretched": {20: 8},
    "laugh": {12: 8, 26: 8},
    "worry": {1: 6, 4: 6},
    "lip raised": {10: 8},
    "eyes wide": {1: 5, 2: 5, 5: 8},
}


@lru_cache(maxsize=8)
def _cached_subject(seed: int, subject: int, settings: Settings) -> tuple[Face, Muscles]:
    face = make_subject(seed, subject, settings).face
    return face, Muscles(face.anatomy)


def draw_face(
    subject: int = 0, units: Units | None = None, seed: int = 0, domain: str = "casme3", blink: float = 0.0
) -> np.ndarray:
    """Render a subject, facing the camera, without sensor noise.

    Parameters
    ----------
    subject, seed : int
        The subject of that number in ``make_dataset(seed=seed)``.
    units : mapping, optional
        Action units: {unit: intensity} or {unit: (image-left, image-right)}, in pixels of motion. At rest by default.
    domain : {"casme3", "dfme"}
        Which camera.
    blink : float
        0 open, 1 closed.

    Returns
    -------
    ndarray
        RGB uint8 [128, 128, 3].

    Raises
    ------
    DataError
        An unknown action unit, a bad intensity, an unknown domain.
    """
    settings = get_settings("standard", domain)
    face, muscles = _cached_subject(seed, subject, settings)
    expression = muscles.expression(to_intensity(units or {}))
    return take_picture(face.frame(expression, pose(scale=settings.zoom), blink), settings, None)


def action_unit_field(units: Units, subject: int = 0, seed: int = 0, domain: str = "casme3") -> np.ndarray:
    """Return the motion that action units give the face of :func:`draw_face`, float32 [2, 128, 128], x then y, pixels.

    Parameters
    ----------
    units, subject, seed, domain
        As for :func:`draw_face`.

    Raises
    ------
    DataError
        As for :func:`draw_face`.
    """
    settings = get_settings("standard", domain)
    face, muscles = _cached_subject(seed, subject, settings)
    at = pose(scale=settings.zoom)
    return face.flow(muscles.expression(to_intensity(units)), at, at)


def strong_faces(people: int = 12, share: float = 1.0) -> np.ndarray:
    """Render people with each of ``STRONG_EXPRESSIONS``, without sensor noise.

    Parameters
    ----------
    people : int
        How many: subjects 0, 1, ... of :func:`draw_face`.
    share : float
        Factor on the intensities, which are 8 or less: with 1, the farthest point moves 12 px (median).

    Returns
    -------
    ndarray
        RGB uint8 [people, len(STRONG_EXPRESSIONS), 128, 128, 3].

    Raises
    ------
    DataError
        A share that is negative or not finite.
    """
    shown = [{unit: share * amount for unit, amount in units.items()} for units in STRONG_EXPRESSIONS.values()]
    return np.stack([[draw_face(person, units) for units in shown] for person in range(people)])
