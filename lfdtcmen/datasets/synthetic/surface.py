"""What the surface of a face looks like: light, skin, brows, lids, eyes and mouth, painted over its relief."""

from dataclasses import dataclass

import cv2
import numpy as np

from lfdtcmen.datasets.synthetic.anatomy import SIDES, Anchors, Eye, Lips
from lfdtcmen.datasets.synthetic.canvas import (
    GRID,
    MIDDLE,
    SUPERSAMPLE,
    Sheet,
    Window,
    blur,
    cover,
    noise,
    rgb,
    ridge,
    sigmoid,
    smoothstep,
    tint,
)
from lfdtcmen.datasets.synthetic.identity import HAIR_COLOURS, IRIS_COLOURS, Identity

# skin from fair to dark; in between, colours are mixed
SKIN_COLOURS = np.array(
    [
        [0.98, 0.86, 0.77],
        [0.93, 0.76, 0.64],
        [0.83, 0.63, 0.49],
        [0.66, 0.46, 0.34],
        [0.46, 0.31, 0.23],
        [0.31, 0.21, 0.16],
    ],
    dtype=np.float32,
)


@dataclass(frozen=True)
class Studio:
    """The room in which a camera stands."""

    background: tuple[float, float, float] = (0.62, 0.64, 0.66)
    ambient: float = 0.36  # share of the light that comes from everywhere
    side_light: float = 1.0  # factor on the subjects' own side light
    light_y: float = -0.42  # negative: from above
    clutter: float = 0.0  # contrast of the things behind the subject


@dataclass
class Light:
    """How the relief is lit."""

    direction: np.ndarray  # unit vector towards the lamp, x y z
    shade: np.ndarray  # RGB [3, GRID, GRID]
    gloss: np.ndarray  # [GRID, GRID]
    facing: np.ndarray  # cosine between skin and lamp [GRID, GRID]


def light_relief(p: Identity, studio: Studio, z: np.ndarray, rng: np.random.Generator) -> Light:
    """Light the skin: diffuse light that wraps further round in red, two specular lobes, and darker hollows."""
    gy, gx = np.gradient(blur(z, 0.9), np.float32(1 / SUPERSAMPLE))
    upright = 1 / np.sqrt(1 + gx * gx + gy * gy)
    lamp = np.array([p.light_x * studio.side_light, studio.light_y, 0.86])
    lamp = (lamp / np.linalg.norm(lamp)).astype(np.float32)
    halfway = lamp + np.array([0, 0, 1], np.float32)
    halfway /= np.linalg.norm(halfway)

    facing = (lamp[2] - gx * lamp[0] - gy * lamp[1]) * upright
    diffuse = np.clip(0.9 * facing + 0.1, 0, None)
    wrapped = np.clip((facing + 0.35) / 1.35, 0, None)
    # less of the room's light reaches a hollow, which is lower than its surroundings
    hollow = np.clip(1 + 0.055 * (z - blur(z, 4.5)), 0.62, 1.12) * np.clip(1 + 0.02 * (z - blur(z, 12)), 0.75, 1.08)
    shade = np.empty((3, GRID, GRID), np.float32)
    for plane, (room, gain, red) in zip(shade, [(1.02, 1.12, 0.4), (1.0, 1.1, 0.2), (1.02, 1.1, 0.1)], strict=True):
        direct = (1 - red) * diffuse + red * wrapped
        plane[:] = (studio.ambient * room + (1 - studio.ambient) * gain * direct) * hollow
    mirror = np.clip((halfway[2] - gx * halfway[0] - gy * halfway[1]) * upright, 0, 1)
    gloss = p.oil * (0.10 * mirror**22 + 0.09 * mirror**70) * (0.85 + 0.10 * noise(rng, 1.6))
    return Light(lamp, shade, gloss, facing)


def skin_colour(p: Identity) -> np.ndarray:
    """Return the subject's mean skin colour, RGB [3, 1, 1]."""
    position = np.clip(p.melanin, 0, 1) * (len(SKIN_COLOURS) - 1)
    index = min(int(position), len(SKIN_COLOURS) - 2)
    colour = SKIN_COLOURS[index] + (position - index) * (SKIN_COLOURS[index + 1] - SKIN_COLOURS[index])
    return colour.reshape(3, 1, 1) + rgb(0.03, -0.015, -0.015) * 2 * (p.haemoglobin - 0.5)


def paint_skin(p: Identity, sheet: Sheet, outline: np.ndarray, lips: Lips, rng: np.random.Generator) -> np.ndarray:
    """Return the skin's own colour, RGB [3, GRID, GRID]: blood, blotches, pores, freckles, moles, stubble, lips."""
    skin = np.empty((3, GRID, GRID), np.float32)
    skin[:] = skin_colour(p)

    blood = sheet.bumps(
        (0.55, MIDDLE - p.eye_x - 2, p.eye_y + 19, 9, 8),
        (0.55, MIDDLE + p.eye_x + 2, p.eye_y + 19, 9, 8),
        (0.7, MIDDLE, p.nose_y - 4.5, 6, 6),
        (0.25, MIDDLE, p.chin - 8, 9, 6),
    )
    tint(skin, blood * (0.35 + 0.6 * p.haemoglobin), 0.02, 0.12, 0.11)
    grain = 0.020 * noise(rng, 22) + 0.016 * noise(rng, 9) + 0.013 * noise(rng, 3) + 0.017 * noise(rng, 1.1)
    skin *= 1 + p.texture * grain
    tint(skin, noise(rng, 16), -0.008, 0.008, 0.008)
    for s in SIDES:  # shadow under and over the eye
        eye_x = MIDDLE + s * p.eye_x
        shadow = sheet.bumps((0.13 * p.eye_bags, eye_x, p.eye_y + 5, 8, 3.2), (0.10, eye_x, p.eye_y - 4, 9, 3.2))
        tint(skin, shadow, 0.75, 1.0, 0.9)

    _paint_spots(p, sheet, skin, rng)
    _paint_facial_hair(p, sheet, skin, outline, lips, rng)
    _paint_lips(p, sheet, skin, lips, rng)
    nostrils = sheet.bumps(
        *[(1.1, MIDDLE + s * 0.44 * p.nose_width, p.nose_y - 0.7, 1.7, 0.8, 0.25 * s) for s in SIDES],
        (0.25, MIDDLE, p.nose_y + 0.8, 0.45 * p.nose_width, 0.8),  # the shadow under the tip
    )
    tint(skin, 0.74 * np.clip(nostrils, 0, 1) ** 0.9, 0.88)
    return skin


def _paint_spots(p: Identity, sheet: Sheet, skin: np.ndarray, rng: np.random.Generator) -> None:
    """Paint freckles and moles onto the skin."""
    spots = np.zeros((GRID, GRID), np.float32)
    for _ in range(int(170 * p.freckles)):
        spot_x, spot_y = rng.normal(MIDDLE, 17), rng.normal(p.eye_y + 17, 9)
        size, strength = rng.uniform(0.35, 0.8), rng.uniform(0.3, 1)
        if abs(spot_x - MIDDLE) < p.face_width - 5:
            sheet.add(spots, strength, spot_x, spot_y, 0.7 * size, 0.7 * size)
    if p.freckles:
        tint(skin, spots * (1 - 0.4 * p.melanin), 0.16, 0.24, 0.28)
    moles = np.zeros((GRID, GRID), np.float32)
    for _ in range(p.moles):
        mole_x, mole_y = MIDDLE + rng.uniform(-0.8, 0.8) * p.face_width, rng.uniform(30, 112)
        size = 0.6 * rng.uniform(0.6, 1.15)
        sheet.add(moles, 1.3, mole_x, mole_y, size, size)
    if p.moles:
        tint(skin, np.clip(moles, 0, 1), 0.5, 0.6, 0.62)


def _paint_facial_hair(
    p: Identity, sheet: Sheet, skin: np.ndarray, outline: np.ndarray, lips: Lips, rng: np.random.Generator
) -> None:
    """Paint stubble and a moustache onto the skin."""
    y = sheet.y
    if p.beard > 0:
        cheeks = 0.9 * sigmoid((y - p.nose_y - 4) * 0.35) * sigmoid((outline - 0.22) * 9)
        whiskers = cheeks + sheet.bumps(
            (1.0, MIDDLE, p.mouth_y - p.upper_lip - 3.5, 10, 2.3), (0.9, MIDDLE, p.chin - 6, 11, 6)
        )
        whiskers = np.clip(whiskers, 0, 1) * (1 - np.clip(lips.upper + lips.lower, 0, 1)) * sigmoid(y - p.nose_y - 1)
        stubble = np.clip(0.62 + 0.38 * noise(rng, 0.9), 0, 1.5)
        tint(skin, 0.42 * p.beard * whiskers * stubble, 1.0, 0.93, 0.85)
    if p.moustache:
        bar = np.clip(sheet.bumps((1.1, MIDDLE, p.mouth_y - p.upper_lip - 2.6, 9.5, 1.7)), 0, 1)
        bar = np.clip(bar * (0.75 + 0.25 * noise(rng, 0.9)), 0, 0.9)
        cover(skin, 1.2 * rgb(*HAIR_COLOURS[min(p.hair_colour, 2)]), bar)


def _paint_lips(p: Identity, sheet: Sheet, skin: np.ndarray, lips: Lips, rng: np.random.Generator) -> None:
    base, y, dx = skin_colour(p), sheet.y, sheet.dx
    rose = rgb(0.80, 0.38, 0.38) * (0.45 + 0.6 * float(base.mean()))
    colour = base * rgb(0.90, 0.72, 0.72) * (1 - p.lip_colour) + p.lip_colour * rose
    creases = 1 + 0.05 * noise(rng, 1.6) + 0.03 * np.sin(2.6 * dx + noise(rng, 6))
    creases *= np.where(lips.upper > lips.lower, np.float32(0.88), np.float32(1.02))  # the upper lip faces down
    cover(skin, colour * creases, 0.88 * blur(np.clip(lips.upper + lips.lower, 0, 1), 0.35))
    seam = ridge(y - lips.line, 0.5) * np.clip((1.10 - np.abs(dx) / p.mouth_width) * 9, 0, 1)
    tint(skin, 0.72 * seam, 0.85)


def paint_brows(p: Identity, skin: np.ndarray, anchors: Anchors, rng: np.random.Generator) -> None:
    """Paint the brows onto the skin, hair by hair."""
    brows = np.zeros((GRID, GRID), np.float32)
    t = np.linspace(0, 1, 24)
    thickness = p.brow_thickness * (
        0.75 + 0.45 * np.sin(np.minimum(1, 1.6 * t) * np.pi / 2) - 0.85 * np.clip(t - 0.35, 0, None)
    )
    for s in SIDES:
        inner, middle, outer = (np.array(anchors[f"brow {part}", s]) for part in ("inner", "middle", "outer"))
        control = 2 * middle - (inner + outer) / 2

        def curve(v, inner=inner, control=control, outer=outer):
            v = np.asarray(v)[..., None]
            return (1 - v) ** 2 * inner + 2 * v * (1 - v) * control + v**2 * outer

        spine, half = curve(t), np.stack([0 * thickness, thickness], -1)
        shape = np.vstack([spine - half, (spine + 0.9 * half)[::-1]])
        body, hairs = np.zeros((2, GRID, GRID), np.float32)
        cv2.fillPoly(body, [_fixed_point(shape)], 1.0, cv2.LINE_AA, 4)

        count = int(190 * p.brow_density)
        v = rng.random(count)
        roots = curve(v)
        roots[:, 1] += rng.uniform(-1, 1, count) * np.interp(v, t, thickness)
        angle = np.interp(v, [0, 0.25, 1], [1.25, 0.55, 0.1]) + rng.normal(0, 0.11, count)
        length = rng.uniform(1.6, 3.0, count)
        ends = roots + np.stack([s * np.cos(angle), 0.35 * v - np.sin(angle)], -1) * length[:, None]
        for root, end, strength in zip(
            _fixed_point(roots), _fixed_point(ends), rng.uniform(0.5, 1, count), strict=True
        ):
            cv2.line(hairs, root.tolist(), end.tolist(), float(strength), 1, cv2.LINE_AA, 4)
        brows = np.maximum(brows, 0.50 * p.brow_density * blur(body, 0.7) + 0.62 * blur(hairs, 0.25))
    colour = np.minimum(1.15 * rgb(*HAIR_COLOURS[p.hair_colour]) + 0.02, 0.7 * skin_colour(p))
    cover(skin, colour, 0.9 * np.clip(brows, 0, 1))


def _fixed_point(points: np.ndarray) -> np.ndarray:
    """Turn pixels into OpenCV's coordinates with four binary digits."""
    return np.round((points * SUPERSAMPLE + 0.5) * 16).astype(np.int32)


def paint_lids(p: Identity, sheet: Sheet, skin: np.ndarray, eyes: list[Eye]) -> np.ndarray:
    """Paint creases and lid margins onto the skin, and return the lashes [GRID, GRID]."""
    lashes = np.zeros((GRID, GRID), np.float32)
    for eye in eyes:
        y, out = sheet.y, np.abs(eye.across)
        crease = ridge(y - (eye.upper - 1.9 - 0.12 * p.eye_height), 0.55) * np.clip((1.1 - out) * 4, 0, 1)
        tint(skin, 0.33 * p.crease * crease)
        margin = ridge(y - eye.lower - 0.5, 0.5) * np.clip((1.05 - out) * 5, 0, 1)
        tint(skin, 0.22 * margin, 0.6)
        line = ridge(y - eye.upper + 0.15, 0.55 * (0.55 + 0.35 * p.lashes))
        line *= np.clip((1.12 - np.abs(eye.across - 0.06)) * 6, 0, 1)
        lashes = np.maximum(lashes, line * (0.55 + 0.4 * p.lashes * smoothstep(-0.8, 0.8, eye.across)))
    return np.clip(lashes, 0, 1)


def paint_behind(
    p: Identity, sheet: Sheet, eyes: list[Eye], lips: Lips, light: Light, rng: np.random.Generator
) -> np.ndarray:
    """Return what shows through the holes in the skin, RGB [3, GRID, GRID]: eyeballs, and teeth in a dark mouth."""
    layer = np.zeros((3, GRID, GRID), np.float32)
    lit = np.clip(0.35 * light.shade.mean(0) + 0.62, 0, 1.1)
    for eye in eyes:
        window = sheet.window(MIDDLE + eye.side * p.eye_x, p.eye_y, p.eye_width + 3, p.eye_height + 4)
        layer[(slice(None), *window)] = _paint_eyeball(p, sheet, eye, window, light, rng) * lit[window]
    window = sheet.window(MIDDLE, p.mouth_y, p.mouth_width + 3, 9)
    layer[(slice(None), *window)] = _paint_mouth(p, sheet, lips, window) * lit[window]
    return np.clip(layer, 0, 1)


def _paint_eyeball(
    p: Identity, sheet: Sheet, eye: Eye, window: Window, light: Light, rng: np.random.Generator
) -> np.ndarray:
    """Return one eyeball with iris, pupil and highlight, RGB [3, h, w] of the window."""
    x, y, across = sheet.x[window], sheet.y[window], np.abs(np.clip(eye.across[window], -1.5, 1.5))
    cx, cy = eye.centre
    ball = np.empty((3, *x.shape), np.float32)
    ball[:] = rgb(0.90, 0.88, 0.86)
    ball *= np.clip(1 - 0.30 * across**2.2, 0.4, 1)
    tint(ball, 0.10 * np.minimum(across, 1) ** 3, 0)
    radius, angle = np.hypot(x - cx, y - cy), np.arctan2(y - cy, x - cx)
    rays = rng.standard_normal(64)
    fibre = np.interp(angle, np.linspace(-np.pi, np.pi, 65), np.append(rays, rays[0])).astype(np.float32)
    iris = rgb(*IRIS_COLOURS[p.iris_colour]) * ((1 + 0.12 * fibre) * (1.25 - 0.5 * (radius / p.iris) ** 2))
    cover(ball, np.clip(iris, 0.02, 1), sigmoid((p.iris - radius) * 4))
    tint(ball, 0.55 * ridge(radius - p.iris, 0.45))
    cover(ball, np.float32(0.03), sigmoid((0.42 * p.iris - radius) * 5))
    tint(ball, 0.5 * np.exp(-np.clip(y - eye.upper[window] + 0.3, 0, None) / 1.5))  # shadow of the lid
    glint = ridge(x - cx - np.copysign(1.1, light.direction[0]), 0.55) * ridge(y - cy + 1.3, 0.55)
    cover(ball, np.float32(0.95), 0.9 * glint)
    return ball


def _paint_mouth(p: Identity, sheet: Sheet, lips: Lips, window: Window) -> np.ndarray:
    """Return the dark inside of the mouth with the upper teeth, RGB [3, h, w] of the window."""
    x, below = sheet.x[window], sheet.y[window] - lips.line[window]
    mouth = np.empty((3, *x.shape), np.float32)
    mouth[:] = rgb(0.20, 0.075, 0.07)
    # the upper teeth hang a little below the line where the lips meet: they show as soon as the lips part
    tooth = np.clip(np.abs(np.sin((x - MIDDLE) * np.pi / 3.1)) * 4, 0.72, 1)
    enamel = rgb(0.86, 0.83, 0.76) * (tooth * np.clip(1 - ((x - MIDDLE) / p.mouth_width) ** 2, 0.25, 1))
    cover(mouth, enamel, 0.9 * sigmoid((1.5 - below) * 3) * sigmoid((below + 3) * 3))
    return mouth
