"""FACS action units as smooth displacements of the skin, with the wrinkles and bulges that they cause.

Each unit is a sum of Gaussian pulls at anchors of the face. In the tables x points outwards, away from the midline, so
that one entry serves both sides. At intensity 1 the strongest pull moves the skin by about one pixel.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lfdtcmen.datasets.synthetic.anatomy import SIDES, Anatomy
from lfdtcmen.datasets.synthetic.canvas import GRID, SUPERSAMPLE, Window, blur, sigmoid, smoothstep
from lfdtcmen.datasets.synthetic.renderer import Expression
from lfdtcmen.errors import DataError

ACTION_UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)  # FACS numbers
INDEX = {unit: index for index, unit in enumerate(ACTION_UNITS)}
NAMES = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    12: "lip corner puller",
    14: "dimpler",
    15: "lip corner depressor",
    17: "chin raiser",
    20: "lip stretcher",
    23: "lip tightener",
    24: "lip pressor",
    25: "lips part",
    26: "jaw drop",
}

Vector = tuple[float, float]
Pull = tuple[str, Vector, Vector, float, Vector]  # anchor, offset, direction, strength, (width, height)
Wrinkle = tuple[str, Vector, float, Vector, float]  # anchor, offset, change of height, (width, height), angle

PULLS: dict[int, list[Pull]] = {
    1: [
        ("brow inner", (2, -3), (-0.12, -1), 1.0, (6.5, 6.5)),
        ("brow inner", (0, -14), (0, -1), 0.55, (8, 8)),
    ],
    2: [
        ("brow middle", (3, -2), (0.12, -1), 1.0, (7.5, 6.5)),
        ("brow middle", (3, -13), (0, -1), 0.5, (8.5, 8)),
    ],
    4: [
        ("brow inner", (1, -1), (-0.62, 0.78), 1.0, (8, 6)),
        ("brow middle", (0, -1), (-0.40, 0.60), 0.6, (8, 6)),
        ("brow outer", (-3, -1), (-0.35, 0.35), 0.4, (7, 6)),
        ("brow inner", (-4, -9), (0, 1), 0.35, (8, 7)),
        ("glabella", (0, 2), (0, 1), 0.5, (6, 7)),
    ],
    5: [("upper lid", (0, -0.3), (0, -1), 1.0, (8.5, 2.8))],
    6: [
        ("cheek", (1, 0), (-0.20, -1), 1.0, (10.5, 8.5)),
        ("lower lid", (2, 1), (0, -1), 0.45, (8, 3)),
        ("eye outer", (4, 3), (-0.7, -0.3), 0.5, (5.5, 7)),
    ],
    7: [
        ("lower lid", (0, 0.8), (-0.10, -1), 0.85, (9, 3.2)),
        ("upper lid", (0, 0), (0, 1), 0.30, (8, 2.6)),
    ],
    9: [
        ("nose side", (0, 0), (-0.05, -1), 1.0, (5.5, 8)),
        ("upper lip", (2, -2), (0, -1), 0.45, (7, 6)),
        ("brow inner", (0, 2), (-0.3, 0.9), 0.35, (6, 6)),
        ("nasion", (0, 5), (0, -1), 0.6, (5, 6)),
    ],
    10: [
        ("upper lip", (1, -1), (0.05, -1), 1.0, (7, 5.5)),
        ("nostril", (4, 3), (0.15, -1), 0.75, (5.5, 6.5)),
        ("subnasal", (0, 3), (0, -1), 0.6, (5, 5)),
    ],
    12: [
        ("mouth corner", (0, 0), (0.74, -0.68), 1.0, (8, 7.5)),
        ("mouth corner", (4, -13), (0.35, -0.80), 0.50, (9, 8)),
        ("cheek", (7, -3), (0.15, -0.9), 0.30, (8, 7)),
    ],
    14: [
        ("mouth corner", (0.5, 0), (0.95, -0.10), 1.0, (5.5, 5)),
        ("mouth corner", (6, 0), (-0.6, 0), 0.35, (4, 6)),
    ],
    15: [
        ("mouth corner", (0, 0.5), (0.12, 1), 1.0, (7, 6.5)),
        ("mouth corner", (-1, 10), (0, 0.8), 0.35, (7, 6)),
    ],
    17: [
        ("chin", (4, -1), (0, -1), 1.0, (8.5, 7)),
        ("lower lip", (2, 2), (0, -1), 0.55, (8, 4.5)),
        ("chin", (0, -1), (0, -1), 0.45, (5, 7)),
    ],
    20: [("mouth corner", (1, 1), (1, 0.22), 1.0, (9.5, 8.5))],
    23: [
        ("mouth corner", (-0.5, 0), (-0.85, 0), 0.75, (6, 5)),
        ("upper lip", (0, -1), (0, 0.8), 0.65, (7, 2.6)),
        ("lower lip", (0, 1.5), (0, -0.8), 0.65, (7, 2.8)),
    ],
    24: [
        ("upper lip", (0, -0.6), (0, 1), 0.8, (8.5, 2.8)),
        ("lower lip", (0, 1.8), (0, -1), 1.0, (8.5, 3.4)),
        ("mouth corner", (0, 0), (-0.3, 0), 0.3, (5, 5)),
    ],
    25: [],  # see _part_lips
    26: [],
}

# the change of height is per pixel of intensity: below 0 a furrow, above 0 a bulge
WRINKLES: dict[int, list[Wrinkle]] = {
    1: [
        ("brow inner", (-3, -7), -0.50, (8, 0.8), 0.12),
        ("brow inner", (-3, -12), -0.45, (9, 0.8), 0.08),
        ("brow inner", (-2, -17), -0.30, (9, 0.8), 0.05),
        ("brow inner", (0, -3), 0.45, (5, 2.5), 0),
    ],
    2: [
        ("brow middle", (3, -6), -0.42, (8, 0.8), 0.18),
        ("brow middle", (3, -11), -0.32, (9, 0.8), 0.15),
        ("brow middle", (2, -2), 0.40, (6, 2.5), 0),
    ],
    4: [
        ("brow inner", (-4.6, -1), -0.80, (0.85, 4.2), 0.12),
        ("brow inner", (-2, -1), 0.55, (1.6, 4), 0),
        ("brow inner", (2, 3.5), 0.4, (6, 2), 0),
    ],
    6: [
        ("cheek", (0, -2), 1.15, (8, 5), 0),
        ("lower lid", (2, 3.2), -0.50, (7, 0.8), 0.12),
        ("eye outer", (3.6, -0.5), -0.45, (3, 0.6), -0.30),
        ("eye outer", (3.8, 2.2), -0.45, (3, 0.6), 0.22),
    ],
    7: [("lower lid", (0, 2.2), -0.50, (7, 0.75), 0.08), ("lower lid", (0, 0.6), 0.35, (7, 1.1), 0)],
    9: [
        ("nose side", (-1.2, -6), -0.7, (3, 0.65), -0.55),
        ("nose side", (-0.8, -3), -0.6, (3, 0.65), -0.55),
        ("nasion", (0, 2), -0.6, (4, 0.7), 0),
        ("nostril", (3.6, -1), -0.7, (0.9, 4.5), -0.45),
        ("nostril", (0, -2), 0.5, (2, 2), 0),
    ],
    10: [
        ("nostril", (4.6, 4.5), -0.60, (1.2, 6), -0.50),
        ("nostril", (6.5, 0), 0.6, (4, 5), -0.4),
        ("upper lip", (1, -3), 0.3, (5, 2), 0),
    ],
    12: [
        ("nostril", (6.6, 7), -0.70, (1.3, 6.5), -0.55),
        ("cheek", (1, 4), 1.1, (8, 6), 0),
        ("mouth corner", (2, -0.3), -0.7, (1.2, 1.8), -0.4),
    ],
    14: [("mouth corner", (2.2, 0), -1.25, (0.9, 2.6), 0.15), ("mouth corner", (5, 0), 0.55, (2, 3), 0)],
    15: [("mouth corner", (1, 3.5), -0.7, (0.9, 3.2), 0.25), ("mouth corner", (4, 6), 0.35, (4, 4), 0)],
    17: [
        ("chin", (0, -7.5), -0.7, (7, 0.9), 0),
        ("chin", (2, 1), 0.5, (5, 3), 0),
        ("chin", (3, -1), -0.25, (1, 1), 0),
        ("chin", (1, 2), -0.25, (1, 1), 0),
        ("chin", (5, 2), -0.22, (1, 1), 0),
    ],
    20: [("mouth corner", (3.5, 3), -0.45, (0.9, 5), 0.2)],
    23: [("upper lip", (0, -3), -0.3, (6, 0.8), 0), ("lower lip", (0, 3), -0.35, (6, 0.8), 0)],
    24: [("upper lip", (0, -2.5), 0.4, (7, 1.5), 0), ("lower lip", (0, 4.5), -0.5, (8, 1.0), 0)],
    26: [("nostril", (7, 9), -0.35, (1.0, 7), -0.5)],
}
# the two sides of these units overlap in the middle; the others end at the midline
MIDLINE_UNITS = {1, 4, 9, 10, 17, 25, 26}


@dataclass
class Style:
    """How one subject uses the muscles. Arrays [len(ACTION_UNITS)]."""

    gain: np.ndarray  # factor on intensity
    rotation: np.ndarray  # of the direction of pull, radians
    width: np.ndarray  # factor on the size of what moves
    asymmetry: np.ndarray  # -1 all on the image-left side, 1 all on the image-right side
    habit: np.ndarray  # how often the unit is used, added to its log-odds

    @classmethod
    def neutral(cls) -> "Style":
        n = len(ACTION_UNITS)
        return cls(np.ones(n), np.zeros(n), np.ones(n), np.zeros(n), np.zeros(n))


class Muscles:
    """The action units of one face in one style; each unit's field is made when it is first used.

    Parameters
    ----------
    anatomy : Anatomy
        The face.
    style : Style, optional
        How the subject uses the muscles, neutral by default.
    """

    def __init__(self, anatomy: Anatomy, style: Style | None = None):
        self.anatomy = anatomy
        self.style = style or Style.neutral()
        self._fields: dict[tuple[int, int], tuple[Window, np.ndarray]] = {}

    def expression(self, intensity: np.ndarray) -> Expression:
        """Return the sum of all units.

        Parameters
        ----------
        intensity : ndarray
            Pixels, [len(ACTION_UNITS), 2]: image-left and image-right side.
        """
        total = np.zeros((3, GRID, GRID), np.float32)  # dx, dy, shade
        for index, unit in enumerate(ACTION_UNITS):
            for column in range(len(SIDES)):
                if (amount := float(intensity[index, column])) > 1e-4:
                    window, field = self.field(unit, column)
                    total[(slice(None), *window)] += np.float32(amount) * field
        opening = intensity[[INDEX[25], INDEX[26]]].sum() / 2
        dx, dy, shade = total
        return Expression(dx, dy, shade, parting=float(smoothstep(0.05, 0.6, opening)))

    def field(self, unit: int, column: int) -> tuple[Window, np.ndarray]:
        """Return dx, dy and shade of one unit on one side at intensity 1, [3, h, w], and the window they fill."""
        key = (unit, column)
        if key not in self._fields:
            whole = self._whole_field(unit, column)
            window = _bounding_box(whole)
            dx, dy, height = whole[(slice(None), *window)]
            gy, gx = np.gradient(blur(height, 0.35), np.float32(1 / SUPERSAMPLE))
            light, skin = self.anatomy.light, self.anatomy.skin[window]
            shade = 0.12 * (height - blur(height, 2.5)) - 0.30 * (gx * light[0] + gy * light[1])
            if unit != 26:  # a falling jaw moves the outline of the face too
                dx, dy = dx * skin, dy * skin
            self._fields[key] = window, np.stack([dx, dy, np.clip(shade, -0.24, 0.12) * skin])
        return self._fields[key]

    def _whole_field(self, unit: int, column: int) -> np.ndarray:
        """Return dx, dy and change of height of one unit on one side, not yet limited to the skin [3, GRID, GRID]."""
        side, sheet, anchors = SIDES[column], self.anatomy.sheet, self.anatomy.anchors
        index = INDEX[unit]
        cos, sin = float(np.cos(self.style.rotation[index])), float(np.sin(self.style.rotation[index]))
        size = float(self.style.width[index])
        dx, dy, height = field = np.zeros((3, GRID, GRID), np.float32)

        def locate(anchor: str, offset: Vector) -> tuple[float, float, float]:
            """Return x, y and this side's share: both sides pull at a point on the midline, half each."""
            if (anchor, side) in anchors:
                x, y = anchors[anchor, side]
                return x + side * offset[0], y + offset[1], 1.0
            x, y = anchors[anchor, 0]
            return x + side * offset[0], y + offset[1], 0.5 if offset[0] == 0 else 1.0

        for anchor, offset, (out, down), strength, (width, tall) in PULLS[unit]:
            x, y, share = locate(anchor, offset)
            window, weight = sheet.bump(x, y, width * size, tall * size)
            if share == 1.0:
                out, down = cos * out - sin * down, sin * out + cos * down
            dx[window] += side * out * strength * share * weight
            dy[window] += down * strength * share * weight
        for anchor, offset, amount, (width, tall), angle in WRINKLES.get(unit, []):
            x, y, share = locate(anchor, offset)
            sheet.add(height, amount * (1.0 if (anchor, side) in anchors else 0.5), x, y, width, tall, side * angle)
        if unit in (25, 26):
            dy += 0.5 * _part_lips(self.anatomy, jaw=unit == 26)
        if unit not in MIDLINE_UNITS:
            field *= sigmoid(side * sheet.dx / 2.2)
        return field


def _part_lips(anatomy: Anatomy, jaw: bool) -> np.ndarray:
    """Return the vertical displacement of parting lips, with the falling jaw or without, pixels [GRID, GRID]."""
    p, sheet = anatomy.identity, anatomy.sheet
    u = np.clip(sheet.adx / (p.mouth_width * (1.02 if jaw else 0.92)), 0, 1)
    lens, below = 1 - u**2.4, sheet.y - anatomy.lips.line
    upper = -0.38 * lens * np.exp(-0.5 * (np.minimum(below, 0) / 5.5) ** 2)
    lower = 0.62 * lens * np.exp(-0.5 * (np.maximum(below, 0) / 6.5) ** 2)
    step = sigmoid(below / 0.33)
    lips = upper * (1 - step) + lower * step
    if not jaw:
        return lips
    # the chin falls furthest, the angle of the jaw least; below the chin the motion fades out
    fall = smoothstep(p.mouth_y - 8, p.mouth_y + 9, sheet.y) * np.exp(-0.5 * (np.maximum(sheet.adx - 14, 0) / 13) ** 2)
    fall *= 1 - smoothstep(p.chin + 2, p.chin + 14, sheet.y)
    return 0.55 * lips * anatomy.skin + 0.75 * fall


def _bounding_box(field: np.ndarray, margin: int = 8) -> Window:
    """Return the part of the grid in which a field [3, GRID, GRID] is not 0, with a margin for blurs."""
    used = (field != 0).any(axis=0)
    box = []
    for axis in (1, 0):
        index = np.flatnonzero(used.any(axis))
        first, last = (index[0], index[-1]) if len(index) else (0, 0)
        box.append(slice(max(first - margin, 0), last + 1 + margin))
    return box[0], box[1]


def to_intensity(units: Mapping[int, float | tuple[float, float]]) -> np.ndarray:
    """Turn {unit: intensity} or {unit: (image-left, image-right)} into an array [len(ACTION_UNITS), 2].

    Raises
    ------
    DataError
        An unknown unit, or an intensity that is negative or not finite.
    """
    intensity = np.zeros((len(ACTION_UNITS), 2))
    for unit, amount in units.items():
        if unit not in INDEX:
            known = ", ".join(str(u) for u in ACTION_UNITS)
            raise DataError(f"unknown action unit {unit!r}", "synthetic faces", f"use one of {known}")
        intensity[INDEX[unit]] = amount
        if not (np.isfinite(intensity[INDEX[unit]]).all() and (intensity[INDEX[unit]] >= 0).all()):
            raise DataError(f"intensity {amount!r} is not a number from 0 up", f"action unit {unit}", "give pixels")
    return intensity


def facs_code(intensity: np.ndarray, threshold: float = 0.05) -> str:
    """Write intensities [len(ACTION_UNITS), 2] as FACS does: '1+2+L14' (L and R are the subject's own sides).

    A unit counts as one-sided when the other side has less than a fifth of it.
    """
    parts = []
    for unit, (image_left, image_right) in zip(ACTION_UNITS, intensity, strict=True):
        if max(image_left, image_right) < threshold:
            continue
        # the subject faces the camera: image left is the subject's right
        side = "R" if image_right < 0.2 * image_left else "L" if image_left < 0.2 * image_right else ""
        parts.append(f"{side}{unit}")
    return "+".join(parts)
