"""The pixel grid, soft shapes and noise that the faces are painted with.

Lengths are pixels of the 128 x 128 frame. Everything is painted on a grid twice as fine, and shrunk once at the end,
so that edges are smooth. Pictures are three planes, RGB [3, GRID, GRID]: NumPy and OpenCV work through planes several
times faster than through pixels of three values.
"""

import math

import cv2
import numpy as np

SIZE = 128
SUPERSAMPLE = 2
GRID = SIZE * SUPERSAMPLE
MIDDLE = 64.0  # x of the midline of a face

_axis = ((np.arange(GRID) + 0.5) / SUPERSAMPLE - 0.5).astype(np.float32)
X, Y = np.meshgrid(_axis, _axis)  # [GRID, GRID] each, pixels

Window = tuple[slice, slice]


def sigmoid(value: np.ndarray) -> np.ndarray:
    """Return the logistic function: a soft edge that is 0 where ``value`` is low and 1 where it is high."""
    return 0.5 + 0.5 * np.tanh(0.5 * value)


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """Rise from 0 at ``low`` to 1 at ``high`` with a flat start and end."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def ridge(value: np.ndarray, width: float) -> np.ndarray:
    """Return 1 where ``value`` is 0, falling off like a Gaussian of that width."""
    return np.exp(-0.5 * (value / width) ** 2)


def blur(image: np.ndarray, width: float) -> np.ndarray:
    """Blur with a Gaussian of that standard deviation, pixels."""
    return cv2.GaussianBlur(image, (0, 0), width * SUPERSAMPLE)


def noise(rng: np.random.Generator, scale: float) -> np.ndarray:
    """Return smooth noise of unit standard deviation whose blobs are about ``scale`` pixels wide, [GRID, GRID]."""
    coarse = max(2, int(np.ceil(SIZE / scale)) + 3)
    values = rng.standard_normal((coarse, coarse), dtype=np.float32)
    image = cv2.resize(values, (GRID, GRID), interpolation=cv2.INTER_CUBIC)
    return image / (image.std() + 1e-6)


def rgb(red: float, green: float, blue: float) -> np.ndarray:
    """Return a colour to paint with, float32 [3, 1, 1]."""
    return np.array([red, green, blue], np.float32).reshape(3, 1, 1)


def tint(image: np.ndarray, mask: np.ndarray, red: float = 1.0, green: float = 1.0, blue: float = 1.0) -> None:
    """Darken a picture in place where ``mask`` is high, each plane by its own strength."""
    for plane, strength in zip(image, (red, green, blue), strict=True):
        plane *= 1 - np.float32(strength) * mask


def cover(image: np.ndarray, colour: np.ndarray | np.float32, mask: np.ndarray) -> None:
    """Lay a grey value, a colour [3, 1, 1] or a picture over a picture in place, with the opacity ``mask``."""
    image += (colour - image) * mask


def sample(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sample planes [GRID, GRID] or [P, GRID, GRID] at pixel coordinates x, y [H, W]: bilinear, 0 outside the grid."""
    columns = x * SUPERSAMPLE + (SUPERSAMPLE - 1) / 2
    rows = y * SUPERSAMPLE + (SUPERSAMPLE - 1) / 2
    if image.ndim == 2:
        return cv2.remap(image, columns, rows, cv2.INTER_LINEAR)
    found = np.empty((len(image), *x.shape), np.float32)
    for plane, out in zip(image, found, strict=True):
        cv2.remap(plane, columns, rows, cv2.INTER_LINEAR, dst=out)
    return found


class Sheet:
    """Coordinates that a face is painted in: bent a little, so that no face is exactly symmetric.

    Parameters
    ----------
    bend_x, bend_y : ndarray
        Offsets of the grid's coordinates, pixels [GRID, GRID].
    """

    def __init__(self, bend_x: np.ndarray, bend_y: np.ndarray):
        self.margin = 0.5 + float(max(np.abs(bend_x).max(), np.abs(bend_y).max()))
        self.x = X + bend_x
        self.y = Y + bend_y
        self.dx = self.x - MIDDLE  # signed distance from the midline
        self.adx = np.abs(self.dx)

    def window(self, cx: float, cy: float, rx: float, ry: float) -> Window:
        """Return the part of the grid that a shape of half-size ``rx``, ``ry`` around a point can touch."""
        x0, x1 = (int((cx + sign * (rx + self.margin)) * SUPERSAMPLE) for sign in (-1, 1))
        y0, y1 = (int((cy + sign * (ry + self.margin)) * SUPERSAMPLE) for sign in (-1, 1))
        return slice(max(y0, 0), max(y1, 0)), slice(max(x0, 0), max(x1, 0))

    def bump(self, cx: float, cy: float, sx: float, sy: float, angle: float = 0.0) -> tuple[Window, np.ndarray]:
        """Return a Gaussian of height 1 with its window: outside of it, it is 0 (whole grids are slow)."""
        cos, sin = math.cos(angle), math.sin(angle)
        reach = 3.8
        window = self.window(cx, cy, reach * math.hypot(sx * cos, sy * sin), reach * math.hypot(sx * sin, sy * cos))
        dx, dy = self.x[window] - np.float32(cx), self.y[window] - np.float32(cy)
        if angle:
            dx, dy = cos * dx + sin * dy, cos * dy - sin * dx
        dx *= np.float32(1 / sx)
        dy *= np.float32(1 / sy)
        return window, np.exp(-0.5 * (dx * dx + dy * dy))

    def add(
        self, image: np.ndarray, amount: float, cx: float, cy: float, sx: float, sy: float, angle: float = 0.0
    ) -> None:
        """Add a Gaussian of that height to an image in place."""
        window, weight = self.bump(cx, cy, sx, sy, angle)
        image[window] += np.float32(amount) * weight

    def bumps(self, *shapes: tuple) -> np.ndarray:
        """Return the sum of Gaussians (amount, cx, cy, sx, sy[, angle]) as an image [GRID, GRID]."""
        image = np.zeros((GRID, GRID), np.float32)
        for amount, *shape in shapes:
            self.add(image, amount, *shape)
        return image

    def to_frame(self, cx: float, cy: float) -> tuple[float, float]:
        """Return the position in the frame of the point ``cx``, ``cy`` of the bent coordinates."""
        x, y = cx, cy
        for _ in range(4):
            at = np.full((1, 1), x, np.float32), np.full((1, 1), y, np.float32)
            x += cx - float(sample(self.x, *at)[0, 0])
            y += cy - float(sample(self.y, *at)[0, 0])
        return x, y
