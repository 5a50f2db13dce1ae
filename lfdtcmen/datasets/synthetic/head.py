"""The head around the face: hair, ears, neck, shirt and glasses, and the wall behind it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from lfdtcmen.datasets.synthetic.anatomy import SIDES
from lfdtcmen.datasets.synthetic.canvas import (
    GRID,
    MIDDLE,
    SUPERSAMPLE,
    Sheet,
    Y,
    blur,
    cover,
    noise,
    rgb,
    ridge,
    sigmoid,
    tint,
)
from lfdtcmen.datasets.synthetic.identity import (
    FRINGE,
    HAIR_COLOURS,
    LONG,
    NO_GLASSES,
    SQUARE_GLASSES,
    Identity,
)
from lfdtcmen.datasets.synthetic.surface import Light, Studio, skin_colour


@dataclass
class Head:
    """The lit head with neck and shirt, without the background."""

    colour: np.ndarray  # RGB [3, GRID, GRID]
    cover: np.ndarray  # how much of the background it hides, 0 to 1 [GRID, GRID]
    skin: np.ndarray  # where skin can move: not under hair, not at the edge [GRID, GRID]
    hair: np.ndarray  # where hair hides the skin [GRID, GRID]


def paint_head(
    p: Identity, sheet: Sheet, outline: np.ndarray, skin: np.ndarray, light: Light, rng: np.random.Generator
) -> Head:
    """Put the lit skin [3, GRID, GRID] between hair, ears, neck and shirt, from back to front."""
    y, adx = sheet.y, sheet.adx
    face = sigmoid((1 - outline) * 26)
    locks = _Locks(p, sheet, rng)
    hair_colour = _paint_hair(p, sheet, locks, light, rng)
    hair, long_hair, skull = _hair_shapes(p, sheet, locks, rng)
    body = _paint_body(p, sheet, light, rng)

    head = np.zeros((3, GRID, GRID), np.float32)
    covered = np.zeros((GRID, GRID), np.float32)

    def lay(colour: np.ndarray, mask: np.ndarray) -> None:
        nonlocal covered
        cover(head, colour, mask)
        covered += mask * (1 - covered)

    back = skull if p.hair == LONG else skull * sigmoid((p.eye_y - 2 - y) * 0.5)
    lay(0.62 * hair_colour, np.maximum(long_hair, back))
    for colour, mask in body:
        lay(colour, mask)
    if p.hair != LONG:
        lay(*_paint_ears(p, sheet, light))
    rim = np.clip(1 - 0.35 * np.exp(-np.clip(1 - outline, 0, None) / 0.06), 0.5, 1)
    lay(skin * rim, face)
    shadow = blur(np.roll(hair, 3 * SUPERSAMPLE, axis=0), 2.0) - hair  # of the hair, on the forehead
    tint(head, 0.33 * np.clip(shadow, 0, 1) * face)
    lay(np.clip(hair_colour, 0, 1), hair)
    if p.hair == LONG:
        front = adx - (p.face_width - 4.5 + 2.2 * noise(rng, 22) + 0.10 * (y - 70))
        lay(0.95 * np.clip(hair_colour, 0, 1), long_hair * sigmoid(front * 0.9) * sigmoid((y - 20) * 0.2))
    movable = blur(face * (1 - hair), 2.0) * sigmoid((0.98 - outline) * 7)
    return Head(head, covered, movable, hair)


def _paint_hair(p: Identity, sheet: Sheet, locks: "_Locks", light: Light, rng: np.random.Generator) -> np.ndarray:
    """Return the colour of the hair with its shine and strands, RGB [3, GRID, GRID]."""
    y, dx, side_light = sheet.y, sheet.dx, float(light.direction[0])
    shine = 0.55 * ridge(np.hypot(dx, y - p.face_y) - 66, 7)
    glow = np.clip(0.55 + shine + 0.35 * side_light * dx / p.face_width, 0.25, 1.4)
    strand = 0.5 * locks.strands(420, 1.0) + 0.4 * locks.strands(200, 1.3) + 0.25 * noise(rng, 20)
    colour = rgb(*HAIR_COLOURS[p.hair_colour]) * ((1 + 0.33 * strand) * (0.75 + 0.75 * glow))
    colour += 0.035 * glow
    return colour


def _paint_ears(p: Identity, sheet: Sheet, light: Light) -> tuple[np.ndarray, np.ndarray]:
    """Return colour [3, GRID, GRID] and mask [GRID, GRID] of the ears."""
    y, dx, adx = sheet.y, sheet.dx, sheet.adx
    ear = np.zeros((GRID, GRID), np.float32)
    for s in SIDES:
        level = ((dx - s * (p.face_width + 0.6)) / 4.3) ** 2 + ((y - p.eye_y - 9) / 10.5) ** 2
        ear = np.maximum(ear, sigmoid((1 - level) * 5))
    fold = ridge((adx - p.face_width - 0.6) / 2.2, 1) * ridge((y - p.eye_y - 8) / 6, 1)
    shade = (0.75 + 0.25 * np.clip(light.facing, 0, 1)) * (1 - 0.35 * fold)
    return skin_colour(p) * rgb(0.86, 0.72, 0.67) * shade, ear


def _paint_body(
    p: Identity, sheet: Sheet, light: Light, rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return colour [3, GRID, GRID] and mask [GRID, GRID] of the neck, and of the shirt."""
    y, dx, adx, side_light = sheet.y, sheet.dx, sheet.adx, float(light.direction[0])
    neck = sigmoid((0.66 * p.face_width - adx + 0.06 * (y - 110)) * 1.1) * sigmoid((y - 96) * 0.5)
    shirt = sigmoid((y - p.chin - 6 + 0.25 * np.abs(adx - 8)) * 1.2) * sigmoid((adx - 6) * 0.4)
    shadow = (0.56 + 0.12 * dx * side_light / 20) * (1 + 0.02 * noise(rng, 8))
    neck_colour = skin_colour(p) * rgb(1.02, 0.98, 0.96) * shadow
    cloth = rgb(*(rng.uniform(0.12, 0.62) + rng.uniform(-0.10, 0.10, 3)))
    return [(neck_colour, neck), (cloth * (1 + 0.05 * noise(rng, 10)), shirt)]


class _Locks:
    """Hair that streams from the crown and hangs down: stripes in angle, bent by noise."""

    def __init__(self, p: Identity, sheet: Sheet, rng: np.random.Generator):
        rise = np.maximum(p.face_y + 8 - sheet.y, 18)  # beside the face, hair hangs straight down
        self.angle = np.arctan2(sheet.dx, rise) / np.float32(2 * np.pi) + 0.5
        self.wave = (0.035 * noise(rng, 30) + 0.012 * noise(rng, 14)) / np.float32(2 * np.pi)
        self.values = rng.standard_normal((1, 900), dtype=np.float32)

    def strands(self, frequency: float, bend: float) -> np.ndarray:
        """Return stripes of mean 0 and spread 1, ``frequency`` of them around the head [GRID, GRID]."""
        position = (self.angle + bend * self.wave) * np.float32(frequency)
        return cv2.remap(
            self.values, position, np.zeros_like(position), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )


def _hair_shapes(
    p: Identity, sheet: Sheet, locks: _Locks, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the hair in front of the face, the long hair beside it, and the whole skull [GRID, GRID] each."""
    y, dx, adx = sheet.y, sheet.dx, sheet.adx
    u, parting = dx / p.face_width, p.hair_parting * p.face_width
    if p.hair == FRINGE:
        line = p.hairline + 3 + 11 * p.hair_fringe * ridge(dx - parting, 24) + 0.8 * p.hair_curve * u**2
    elif p.hair == LONG:
        line = p.hairline - 3 + (p.hair_curve + 10) * np.clip(np.abs(dx - 0.6 * parting) / p.face_width, 0, 1.5) ** 1.6
    else:
        line = p.hairline + p.hair_curve * u**2
    line = line + 1.1 * locks.strands(300, 1.0) + 0.9 * noise(rng, 5)
    top = sigmoid((line - y) * (1.1 if p.hair == FRINGE else 0.9))
    temple = sigmoid((adx - (p.face_width - 3.0 + 0.6 * locks.strands(200, 1.0))) * 1.1)
    temple *= sigmoid((p.eye_y - (0 if p.female else 6) - y) * 0.5)

    def egg(width: float, height: float, below: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        v = y - p.face_y
        return (dx / width) ** 2 + np.where(v < 0, np.abs(v / height) ** 2.2, below(v))

    limit = sigmoid((1 - egg(p.face_width + 7, p.crown + 6, lambda v: 0 * v)) * 16)
    skull = sigmoid((1 - egg(p.face_width + 6, p.crown + 6, lambda v: (v / 14) ** 2)) * 14)
    long_hair = np.zeros((GRID, GRID), np.float32)
    if p.hair == LONG:
        edge = p.face_width + 11 + 3 * noise(rng, 18) + 0.05 * (y - 60) - adx
        long_hair = sigmoid(edge * 0.8) * sigmoid((y - 30) * 0.3)
    return np.maximum(top, temple) * limit, long_hair, skull


def paint_glasses(p: Identity, sheet: Sheet, head: np.ndarray, light: Light) -> np.ndarray | None:
    """Return the glasses as RGB and cover [4, GRID, GRID] and cast their shadow on the head; None without glasses."""
    if p.glasses == NO_GLASSES:
        return None
    y, dx, adx = sheet.y, sheet.dx, sheet.adx
    frame = np.zeros((GRID, GRID), np.float32)
    power, height = (4.0, 8.6) if p.glasses == SQUARE_GLASSES else (2.2, 10.0)
    for s in SIDES:
        across, down = np.abs((dx - s * 1.02 * p.eye_x) / 12.2), np.abs((y - p.eye_y - 1.2) / height)
        level = (across**power + down**power) ** (1 / power)  # 1 on a rounded square
        frame = np.maximum(frame, np.exp(-0.5 * ((level - 1) / (0.075 + 0.06 * p.glasses_frame)) ** 4))
    bridge = ridge(y - p.eye_y + 1 - dx * dx / 100, 0.8) * sigmoid((p.eye_x - 11.6 - adx) * 2)
    arms = ridge(y - p.eye_y + 1.5, 0.8) * sigmoid((adx - p.eye_x - 12) * 2) * sigmoid((p.face_width - adx) * 2)
    frame = np.maximum(frame, np.maximum(bridge, arms))

    opaque = 0.9 * frame
    colour = rgb(0.08, 0.07, 0.07) if p.glasses_frame < 0.6 else rgb(0.42, 0.33, 0.22)
    layer = np.concatenate([colour * (1 + 0.6 * np.clip(light.facing - 0.7, 0, 1)) * opaque, opaque[None]])
    shift = (int(1.6 * SUPERSAMPLE), int(-2 * light.direction[0] * SUPERSAMPLE))
    tint(head, 0.22 * blur(np.roll(frame, shift, axis=(0, 1)), 0.7))
    return layer


def paint_background(studio: Studio, rng: np.random.Generator) -> np.ndarray:
    """Return the wall behind the subject, RGB [3, GRID, GRID]."""
    colour = rgb(*studio.background) * (1 + 0.05 * rng.standard_normal((3, 1, 1), dtype=np.float32))
    wall = colour * (1 + 0.06 * (MIDDLE - Y) / MIDDLE + 0.015 * noise(rng, 40))
    if studio.clutter:
        for plane in wall:
            plane += studio.clutter * 0.5 * (noise(rng, 30) + np.sign(noise(rng, 24)))  # soft and hard edges
    return np.clip(wall, 0, 1)
