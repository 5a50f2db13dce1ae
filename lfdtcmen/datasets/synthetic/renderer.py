"""A subject's face, painted once in layers; then every frame of it is the layers moved and composed.

The skin is a picture with holes for the eyes (and, when the lips part, for the mouth). An expression moves the skin;
eyeballs, teeth, glasses, and what lies outside the face stay with the head. So a lid that rises uncovers the eye.
"""

from dataclasses import dataclass

import numpy as np

from lfdtcmen.datasets.synthetic.anatomy import (
    SIDES,
    Anatomy,
    find_anchors,
    make_eye,
    make_lips,
    make_outline,
    make_relief,
    make_sheet,
)
from lfdtcmen.datasets.synthetic.canvas import (
    GRID,
    MIDDLE,
    SIZE,
    SUPERSAMPLE,
    X,
    Y,
    blur,
    cover,
    rgb,
    ridge,
    sample,
    sigmoid,
    tint,
)
from lfdtcmen.datasets.synthetic.head import paint_background, paint_glasses, paint_head
from lfdtcmen.datasets.synthetic.identity import Identity
from lfdtcmen.datasets.synthetic.surface import (
    Studio,
    light_relief,
    paint_behind,
    paint_brows,
    paint_lids,
    paint_skin,
)

# landmarks as (anchor, side), in the order that every array of landmarks has
LANDMARKS = [("eye", -1), ("eye", 1), ("nose tip", 0), ("mouth corner", -1), ("mouth corner", 1)]
RENDERER_VERSION = 3  # part of the cache's fingerprint: raise it with every change of what is rendered

_PIXEL_X, _PIXEL_Y = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))


@dataclass
class Expression:
    """What the muscles do to the skin, in the coordinates of the face at rest [GRID, GRID] each."""

    dx: np.ndarray  # displacement, pixels
    dy: np.ndarray
    shade: np.ndarray  # relative change of brightness: wrinkles and bulges
    parting: float = 0.0  # 0 to 1: how far the dark of the mouth shows between the lips

    @classmethod
    def neutral(cls) -> "Expression":
        return cls(*np.zeros((3, GRID, GRID), np.float32))

    @property
    def moves(self) -> bool:
        """Whether anything is displaced by more than a thousandth of a pixel."""
        return max(np.abs(self.dx).max(), np.abs(self.dy).max()) > 1e-3


def pose(rotation: float = 0.0, scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """Return a similarity about the middle of the face as a matrix [3, 3]; degrees and pixels."""
    angle, centre = np.deg2rad(rotation), np.array([MIDDLE, 66.0])
    matrix = np.eye(3)
    matrix[:2, :2] = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix[:2, 2] = centre - matrix[:2, :2] @ centre + [x, y]
    return matrix


def transform(matrix: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move points by a pose."""
    m = matrix.astype(np.float32)
    return m[0, 0] * x + m[0, 1] * y + m[0, 2], m[1, 0] * x + m[1, 1] * y + m[1, 2]


class Face:
    """One subject's face: its layers, and the frames and the exact motion that they give.

    Parameters
    ----------
    identity : Identity
        The subject's looks.
    studio : Studio
        The room with its light.
    """

    def __init__(self, identity: Identity, studio: Studio | None = None):
        p, studio = identity, studio or Studio()
        rng = np.random.default_rng(p.texture_seed)
        self.identity = p
        anchors, sheet = find_anchors(p), make_sheet(p, rng)
        outline, lips = make_outline(p, sheet), make_lips(p, sheet)
        self.eyes = [make_eye(p, sheet, s) for s in SIDES]
        relief = make_relief(p, sheet, outline, lips, anchors)
        light = light_relief(p, studio, relief, rng)

        skin = paint_skin(p, sheet, outline, lips, rng)
        paint_brows(p, skin, anchors, rng)
        lashes = paint_lids(p, sheet, skin, self.eyes)
        skin = skin * light.shade + light.gloss * rgb(1, 0.97, 0.92)
        tint(skin, lashes, 0.81, 0.85, 0.85)
        head = paint_head(p, sheet, outline, np.clip(skin, 0, 1.2), light, rng)
        self.behind = paint_behind(p, sheet, self.eyes, lips, light, rng)
        self.glasses = paint_glasses(p, sheet, head.colour, light)
        self.background = paint_background(studio, rng)

        self.layer = np.concatenate([head.colour, head.cover[None]])  # RGB and how much of the frame the head covers
        self.anatomy = Anatomy(p, sheet, anchors, lips, head.skin, light.direction)
        self.eye_holes = np.maximum(self.eyes[0].opening, self.eyes[1].opening) * (1 - head.hair)
        self.mouth_hole = ridge(sheet.y - lips.line, 0.42) * np.clip(lips.taper * 1.6 - 0.25, 0, 1)
        self.relief = (blur(relief, 1.5) - 26) * head.skin  # relative to the height about which a head turns

    def landmarks(self, at: np.ndarray | None = None) -> np.ndarray:
        """Return eyes, nose tip and mouth corners at rest, x and y in pixels, float32 [5, 2]."""
        points = np.array([self.anatomy.sheet.to_frame(*self.anatomy.anchors[name]) for name in LANDMARKS])
        if at is not None:
            points = points @ at[:2, :2].T + at[:2, 2]
        return points.astype(np.float32)

    def move(self, points: np.ndarray, expression: Expression, at: np.ndarray) -> np.ndarray:
        """Return the positions in a frame of points of the face at rest, x and y [K, 2], float32 [K, 2]."""
        x, y = points[:, 0], points[:, 1]
        moved = transform(at, x + sample(expression.dx, x, y)[:, 0], y + sample(expression.dy, x, y)[:, 0])
        return np.stack(moved, -1)

    def turn(self, expression: Expression, yaw: float, pitch: float) -> Expression:
        """Add the parallax of a small turn of the head, degrees: parts that stand out move further."""
        return Expression(
            expression.dx + np.float32(np.deg2rad(yaw)) * self.relief,
            expression.dy + np.float32(np.deg2rad(pitch)) * self.relief,
            expression.shade,
            expression.parting,
        )

    def frame(
        self,
        expression: Expression | None = None,
        at: np.ndarray | None = None,
        blink: float = 0.0,
        gaze: tuple[float, float] = (0.0, 0.0),
    ) -> np.ndarray:
        """Render a frame.

        Parameters
        ----------
        expression : Expression, optional
            At rest where it is not given.
        at : ndarray, optional
            Pose, face -> frame [3, 3].
        blink : float
            0 open, 1 closed.
        gaze : (x, y)
            How far the eyeballs are turned, pixels.

        Returns
        -------
        ndarray
            RGB in linear units around [0, 1], float32 [3, GRID, GRID].
        """
        rest_x, rest_y = (X, Y) if at is None else transform(np.linalg.inv(at), X, Y)
        skin_x, skin_y = rest_x, rest_y
        if expression is not None and expression.moves:
            skin_x, skin_y = invert_displacement(expression.dx, expression.dy, rest_x, rest_y)

        colour, covered = self._skin_and_openings(expression, (skin_x, skin_y), (rest_x, rest_y), blink, gaze)
        if self.glasses is not None:
            glasses = sample(self.glasses, rest_x, rest_y)
            colour *= 1 - glasses[3]
            colour += glasses[:3]
        colour -= self.background
        colour *= covered
        return colour + self.background

    def _skin_and_openings(
        self,
        expression: Expression | None,
        skin: tuple[np.ndarray, np.ndarray],
        rest: tuple[np.ndarray, np.ndarray],
        blink: float,
        gaze: tuple[float, float],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the head with open eyes and mouth, RGB [3, GRID, GRID], and how much it covers [GRID, GRID].

        ``skin`` and ``rest`` are the coordinates x, y at which each pixel looks up the skin, and what does not move
        with it.
        """
        moved = sample(self.layer, *skin)
        colour, covered = moved[:3], moved[3]
        holes, lid_lashes = self.eye_holes, None
        if blink > 0:
            holes, lid_lashes = self._closed_lids(blink)
        if expression is not None and expression.parting > 0:
            holes = np.maximum(holes, np.float32(expression.parting) * self.mouth_hole)
        hole = sample(holes, *skin)
        if expression is not None and expression.moves:
            shade = sample(expression.shade, *skin)
            colour *= 1 + shade * rgb(0.88, 1, 1.03)
        if lid_lashes is not None:
            tint(colour, sample(lid_lashes, *skin), 0.75, 0.75, 0.75)
        used = np.flatnonzero(hole.any(axis=1))
        if len(used):  # eyes, and perhaps a mouth, fill few rows of the frame
            rows = slice(used[0], used[-1] + 1)
            behind = sample(self.behind, rest[0][rows] - np.float32(gaze[0]), rest[1][rows] - np.float32(gaze[1]))
            cover(colour[:, rows], behind, hole[rows])
        return colour, covered

    def _closed_lids(self, blink: float) -> tuple[np.ndarray, np.ndarray]:
        """Return what is left of the eye holes, and the lashes of the falling lid."""
        y = self.anatomy.sheet.y
        holes, lashes = np.zeros((2, GRID, GRID), np.float32)
        for eye in self.eyes:
            lid = eye.upper + np.float32(blink) * np.clip(eye.lower - eye.upper, 0, None)
            opening = sigmoid((y - lid) * 3.2) * sigmoid((eye.lower - y) * 3.2) * eye.between
            holes = np.maximum(holes, opening)
            lashes = np.maximum(lashes, ridge(y - lid, 0.6) * eye.between)
        return np.minimum(holes, self.eye_holes), lashes

    def flow(
        self,
        expression: Expression | None,
        before: np.ndarray,
        after: np.ndarray,
        gaze: tuple[float, float] = (0.0, 0.0),
        rest: Expression | None = None,
    ) -> np.ndarray:
        """Return the exact motion of each pixel of the frame before, float32 [2, SIZE, SIZE], x then y.

        ``rest`` is what moves the skin in the frame before (a turned head); without it, the face is at rest there.

        The background stands still; eyeballs move with head and gaze, glasses with the head. Under a falling lid, and
        where an eye or the mouth is just being uncovered, no true motion exists.
        """
        head_x, head_y = x, y = transform(np.linalg.inv(before), _PIXEL_X, _PIXEL_Y)
        if rest is not None and rest.moves:
            x, y = invert_displacement(rest.dx, rest.dy, x, y)
        dx = dy = np.zeros((SIZE, SIZE), np.float32)
        if expression is not None:
            dx, dy = sample(expression.dx, x, y), sample(expression.dy, x, y)
        eyes = sample(self.eye_holes, x, y) > 0.5
        rigid = np.zeros_like(eyes) if self.glasses is None else sample(self.glasses[3], head_x, head_y) > 0.45
        to_x = np.where(eyes, head_x + np.float32(gaze[0]), np.where(rigid, head_x, x + dx))
        to_y = np.where(eyes, head_y + np.float32(gaze[1]), np.where(rigid, head_y, y + dy))
        new_x, new_y = transform(after, to_x, to_y)
        head = sample(self.layer[3], x, y) > 0.5
        return np.stack([np.where(head, new_x - _PIXEL_X, 0), np.where(head, new_y - _PIXEL_Y, 0)]).astype(np.float32)

    def skin_mask(self, at: np.ndarray) -> np.ndarray:
        """Return which pixels of the frame at rest show moving skin, bool [SIZE, SIZE]."""
        x, y = transform(np.linalg.inv(at), _PIXEL_X, _PIXEL_Y)
        mask = (sample(self.anatomy.skin, x, y) > 0.3) & (sample(self.eye_holes, x, y) < 0.5)
        return mask if self.glasses is None else mask & (sample(self.glasses[3], x, y) < 0.45)


def invert_displacement(
    dx: np.ndarray, dy: np.ndarray, x: np.ndarray, y: np.ndarray, step: float = 1 / SUPERSAMPLE, tolerance: float = 1e-3
) -> tuple[np.ndarray, np.ndarray]:
    """Find where the skin that is now at ``x``, ``y`` was at rest: solve p + d(p) = (x, y) for p.

    Fixed-point iteration with the relaxation that shrinks the error fastest between the smallest and the largest slope
    of the displacement: w = 2 / (2 + low + high), error shrinks by (high - low) / (2 + low + high) at each step.

    Parameters
    ----------
    dx, dy : ndarray
        Displacement on the grid, pixels.
    x, y : ndarray
        Target points, pixels.
    step : float
        Grid spacing of the displacement, pixels.
    tolerance : float
        Iterate until the error should be below it, pixels.
    """
    slopes = np.concatenate([np.diff(dx, axis=1).ravel(), np.diff(dy, axis=0).ravel()]) / step
    low, high = max(float(slopes.min()), -0.7), float(slopes.max())
    relax = 2 / (2 + low + high)
    shrink = np.clip((high - low) / (2 + low + high), 0.05, 0.75)
    largest = float(max(np.abs(dx).max(), np.abs(dy).max()))
    steps = int(np.ceil(np.log(tolerance / max(largest, 2 * tolerance)) / np.log(shrink)))
    px, py = x, y
    for _ in range(min(max(steps, 2), 16) + 1):
        from_x, from_y = sample(dx, px, py), sample(dy, px, py)
        px = px + relax * (x - px - from_x)
        py = py + relax * (y - py - from_y)
    return px, py
