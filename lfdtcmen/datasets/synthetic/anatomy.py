"""The shape of a face: anchor points, outlines of its features, and the height of the skin."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from lfdtcmen.datasets.synthetic.canvas import MIDDLE, Sheet, blur, noise, ridge, sigmoid, smoothstep
from lfdtcmen.datasets.synthetic.identity import Identity

SIDES = (-1, 1)  # image left, image right
PUPIL_SHIFT = 0.3  # pixels by which a pupil lies further out than the middle between the corners of its eye

Anchors = dict[tuple[str, int], tuple[float, float]]


def find_anchors(p: Identity) -> Anchors:
    """Return the points that action units pull at: (name, side) -> x, y; side 0 is the midline."""
    anchors: Anchors = {}
    brow_y = p.eye_y - p.brow_height
    eye_outer = p.eye_x - PUPIL_SHIFT + p.eye_width
    brow_outer = eye_outer + p.brow_reach
    for s in SIDES:
        paired = {
            "brow inner": (p.brow_gap, brow_y + 0.5 * p.brow_slope),
            "brow middle": (0.45 * p.brow_gap + 0.55 * brow_outer, brow_y - p.brow_arch),
            "brow outer": (brow_outer, brow_y - 0.5 * p.brow_slope),
            "eye": (p.eye_x, p.eye_y),
            "upper lid": (p.eye_x, p.eye_y - p.eye_height),
            "lower lid": (p.eye_x, p.eye_y + 0.75 * p.eye_height),
            "eye outer": (eye_outer, p.eye_y + p.eye_tilt * p.eye_width),
            "cheek": (p.eye_x + 3, p.eye_y + 15),
            "nostril": (p.nose_width, p.nose_y - 3),
            "nose side": (5.5, p.eye_y + 13),
            "mouth corner": (p.mouth_width, p.mouth_y - 0.8 * p.mouth_curve),
            "upper lip": (5.5, p.mouth_y - 0.7 * p.upper_lip),
            "lower lip": (5.5, p.mouth_y + 0.6 * p.lower_lip),
        }
        anchors |= {(name, s): (MIDDLE + s * x, y) for name, (x, y) in paired.items()}
    midline = {
        "nasion": p.eye_y - 2,
        "nose tip": p.nose_y - 5,
        "subnasal": p.nose_y,
        "chin": p.chin - 8.5,
        "glabella": brow_y + 2,
    }
    return anchors | {(name, 0): (MIDDLE, y) for name, y in midline.items()}


@dataclass
class Lips:
    """The mouth at rest, all [GRID, GRID]."""

    line: np.ndarray  # y of the line where the lips meet
    upper: np.ndarray  # 0 to 1
    lower: np.ndarray
    taper: np.ndarray  # 1 in the middle, 0 at the corners
    inside: np.ndarray  # 1 between the corners


@dataclass
class Anatomy:
    """The parts of a face that the muscles act on."""

    identity: Identity
    sheet: Sheet
    anchors: Anchors
    lips: Lips
    skin: np.ndarray  # where skin can move, 0 to 1 [GRID, GRID]
    light: np.ndarray  # unit vector towards the lamp, x y z: it shades the wrinkles


@dataclass
class Eye:
    """One eye at rest."""

    side: int
    centre: tuple[float, float]
    across: np.ndarray  # -1 at the inner, 1 at the outer corner [GRID, GRID]
    upper: np.ndarray  # y of the upper lid [GRID, GRID]
    lower: np.ndarray
    between: np.ndarray  # 1 between the corners
    opening: np.ndarray  # 0 to 1


def make_sheet(p: Identity, rng: np.random.Generator) -> Sheet:
    """Return the bent coordinates of this subject."""
    return Sheet(noise(rng, 38) * 0.55 * p.asymmetry, noise(rng, 38) * 0.5 * p.asymmetry)


def make_outline(p: Identity, sheet: Sheet) -> np.ndarray:
    """Return the face's outline as a level: below 1 inside, 1 on the contour [GRID, GRID]."""
    below = (sheet.y - p.face_y) / (p.chin - p.face_y)
    above = (p.face_y - sheet.y) / p.crown
    vertical = np.where(below > 0, np.abs(below) ** p.jaw, np.abs(above) ** 2.2)
    return (sheet.dx / p.face_width) ** 2 + vertical


def make_lips(p: Identity, sheet: Sheet) -> Lips:
    """Return the mouth's shapes."""
    u = sheet.adx / p.mouth_width
    inner = np.clip(u, 0, 1)
    line = (
        p.mouth_y
        + 0.25 * p.cupid * np.cos(np.clip(2.5 * np.clip(u, 0, 1.3), 0, np.pi))
        - p.mouth_curve * np.clip(u, 0, 1.3) ** 2
    )
    taper = np.sqrt(np.clip(1 - inner**2, 0, 1))
    bow = p.cupid * (0.9 * ridge(sheet.adx - 4.2, 2.6) - 0.54 * ridge(sheet.dx, 1.6))
    top = line - (p.upper_lip * taper**0.9 * (1 - 0.25 * inner) + bow * taper)
    bottom = line + p.lower_lip * np.clip(1 - inner**2.3, 0, 1) ** 0.75
    inside = np.clip((1.03 - u) * 12, 0, 1)
    return Lips(
        line=line,
        upper=sigmoid((sheet.y - top) * 2.6) * sigmoid((line - sheet.y) * 4) * inside,
        lower=sigmoid((bottom - sheet.y) * 2.2) * sigmoid((sheet.y - line) * 4) * inside,
        taper=taper,
        inside=inside,
    )


def make_eye(p: Identity, sheet: Sheet, side: int) -> Eye:
    """Return one eye's shapes."""
    cx, cy = MIDDLE + side * p.eye_x, p.eye_y
    across = ((sheet.x - cx) * side + PUPIL_SHIFT) / p.eye_width
    clipped = np.clip(across, -1, 1)
    tilt = p.eye_tilt * p.eye_width * across
    upper_arc = np.clip(1 - np.abs(clipped + 0.08) ** 2.2, 0, 1) ** 0.8
    lower_arc = np.clip(1 - np.abs(clipped - 0.12) ** 2.2, 0, 1) ** 0.9
    upper = cy + tilt - 1.12 * p.eye_height * upper_arc + 0.6
    lower = cy + tilt + 0.72 * p.eye_height * lower_arc + 0.4
    between = np.clip((1 - np.abs(across)) * 8, 0, 1)
    opening = sigmoid((sheet.y - upper) * 3.2) * sigmoid((lower - sheet.y) * 3.2) * between
    return Eye(side, (cx + p.gaze, cy - 0.15 * p.eye_height), across, upper, lower, between, opening)


def make_relief(p: Identity, sheet: Sheet, outline: np.ndarray, lips: Lips, anchors: Anchors) -> np.ndarray:
    """Return the height of the skin, pixels towards the viewer [GRID, GRID]."""
    y = sheet.y
    z = blur(34 * np.sqrt(np.clip(1 - 0.93 * outline, 0.02, None)), 1.2)
    add = partial(sheet.add, z)  # amount, x, y, width, height[, angle]

    for s in SIDES:
        eye_x, eye_y = anchors["eye", s]
        brow_x, brow_y = anchors["brow middle", s]
        add(1.6 * p.brow_ridge, brow_x - 2 * s, brow_y + 2, 11, 3.2)
        add(-3.6, eye_x - 1.5 * s, eye_y - 0.5, 9, 5.5)  # socket
        add(2.0, eye_x, eye_y, 6.5, 3.6)  # eyeball
        add(-0.55 * p.eye_bags, eye_x - s, eye_y + p.eye_height + 4, 7, 1.3, 0.12 * s)
        add(2.2 * p.cheeks, eye_x + 5 * s, eye_y + 15, 9, 7)
        add(0.8, eye_x - 2 * s, eye_y + 26, 8, 8)
        add(-1.6, MIDDLE + s * (p.face_width - 4), eye_y - 8, 6, 10)  # temple
        wing, corner = anchors["nostril", s], anchors["mouth corner", s]
        run, fall = corner[0] + 3.5 * s - wing[0], corner[1] - wing[1]
        fold = (wing[0] + run / 2 + 1.8 * s, wing[1] + fall / 2 - 1, 0.42 * np.hypot(run, fall), 1.5)
        add(-0.75 * p.folds, *fold, np.arctan2(fall, run))
        add(-0.9, corner[0] + s, corner[1] + 0.6, 1.8, 1.8)
    add(1.0, MIDDLE, p.eye_y - 24, 22, 9)  # forehead
    _add_nose(p, sheet, z)

    add(-0.8, MIDDLE, (p.nose_y + p.mouth_y - p.upper_lip) / 2, 1.3, 3.5)  # philtrum
    swell = 1.4 * ridge(y - (lips.line - 0.45 * p.upper_lip), 0.5 * p.upper_lip)
    swell += 1.9 * ridge(y - (lips.line + 0.5 * p.lower_lip), 0.45 * p.lower_lip)
    z += (swell * lips.taper - 1.2 * ridge(y - lips.line, 0.8)) * lips.inside
    add(-1.5, MIDDLE, p.mouth_y + p.lower_lip + 2.6, 8.5, 1.9)
    add(2.0, MIDDLE, p.chin - 8, 8, 5.5)
    return blur(z.astype(np.float32), 0.45)


def _add_nose(p: Identity, sheet: Sheet, z: np.ndarray) -> None:
    """Add the nose to the height of the skin in place."""
    y, dx = sheet.y, sheet.dx
    root, tip = p.eye_y - 6, p.nose_y - 5.5
    along = np.clip((y - root) / (tip - root), 0, 1.2)
    rounded = y + 0.05 * dx**2  # the lower edge rises to both sides
    profile = np.clip(along, 0, 1) ** 1.35 * (1 - smoothstep(tip + 0.5, p.nose_y + 1.8, rounded))
    z += p.nose_height * profile * ridge(dx, 0.82 * p.nose_bridge + 2.2 * along**2)
    sheet.add(z, 0.8 * p.nose_tip, MIDDLE, tip + 0.3, 3.9, 3.3)
    for s in SIDES:
        sheet.add(z, 3.4, MIDDLE + 0.72 * s * p.nose_width, p.nose_y - 3.2, 2.7, 2.6)  # wing, with its crease
        sheet.add(z, -1.3, MIDDLE + 1.0 * s * p.nose_width, p.nose_y - 4.6, 1.2, 3.0, -0.3 * s)
        sheet.add(z, -0.8, MIDDLE + 0.66 * s * p.nose_width, p.nose_y - 6.6, 2.2, 0.9, 0.5 * s)
