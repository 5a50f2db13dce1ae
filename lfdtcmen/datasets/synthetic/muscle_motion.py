"""How far the muscles of synthetic faces move the skin, without the head."""

import re

import numpy as np

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS
from lfdtcmen.datasets.synthetic.plan import SUBJECTS_PER_BLOCK, WILD_BLOCK
from lfdtcmen.datasets.synthetic.portraits import action_unit_field
from lfdtcmen.errors import DataError


def muscle_fields(pairs: PairSet, seed: int = 0, domain: str = "casme3") -> np.ndarray:
    """Return the motion of the muscles alone, without that of the head, of each pair of synthetic faces.

    It is that of the pair's action units on the subject's face, straight and in the middle of the crop, in the manner
    of people on average. The pair itself is turned and shifted a little, and its subject has a manner of its own (where
    a muscle pulls, and how wide): on ``standard`` the lengths correlate with the rendered ones by 0.96 (median; 0.91 to
    0.99 for eight clips of ten), and of the skin that moves by more than 0.25 pixels 87 % is found.

    Parameters
    ----------
    pairs : PairSet
        As :func:`make_dataset` gives it; its ``true_flow`` has both motions.
    seed, domain
        With which it was made.

    Returns
    -------
    ndarray
        float32 [N, 2, 128, 128], x then y, pixels.

    Raises
    ------
    DataError
        Pairs without true action units, of other people than synthetic ones, or of the preset ``wild``.
    """
    numbers = [re.fullmatch(r"synthetic/s(\d+)", subject) for subject in pairs.subjects]
    if pairs.action_units is None or not all(numbers):
        raise DataError("the pairs are not synthetic faces", "muscle_fields", "give what make_dataset returned")
    shown = [dict(zip(ACTION_UNITS, map(tuple, units), strict=True)) for units in pairs.action_units]
    people = [int(number[1]) for number in numbers if number]
    if max(people, default=0) >= WILD_BLOCK * SUBJECTS_PER_BLOCK:
        raise DataError("people of wild have other faces", "muscle_fields", "use easy, standard or hard")
    return np.stack([action_unit_field(u, person, seed, domain) for u, person in zip(shown, people, strict=True)])
