"""The camera: the effects of light, lens, sensor and JPEG on a rendered frame."""

import cv2
import numpy as np

from lfdtcmen.datasets.synthetic.canvas import SIZE, rgb
from lfdtcmen.datasets.synthetic.settings import Settings


def take_picture(
    image: np.ndarray,
    settings: Settings,
    rng: np.random.Generator | None,
    light: tuple[float, float, float] = (1, 0, 0),
) -> np.ndarray:
    """Take a picture of a rendered frame: lamp, white balance, lens, sensor noise, JPEG.

    Parameters
    ----------
    image : ndarray
        RGB float32 [3, GRID, GRID].
    settings : Settings
        Of the camera.
    rng : Generator, optional
        Source of the sensor's noise. Without it the picture has neither noise nor JPEG artefacts.
    light : (level, gradient x, gradient y)
        Brightness of the lamp at this moment, and how much it grows per half frame to the right and downwards.

    Returns
    -------
    ndarray
        RGB uint8 [SIZE, SIZE, 3].
    """
    n = settings.resolution
    small = np.stack([cv2.resize(plane, (n, n), interpolation=cv2.INTER_AREA) for plane in image])
    if settings.blur:
        small = np.stack([cv2.GaussianBlur(plane, (0, 0), settings.blur) for plane in small])
    small = np.clip(small, 0, 1.2)
    axis = ((np.arange(n) + 0.5) * 2 / n - 1).astype(np.float32)
    level, across, down = (np.float32(value) for value in light)
    small *= level * (1 + across * axis[None, :] + down * axis[:, None])
    small *= rgb(*settings.white_balance) * np.float32(settings.gain)
    if settings.gamma != 1:
        small **= np.float32(settings.gamma)
    if rng is not None:
        brightness = np.sqrt(2 * np.clip(small, 0.05, 1))  # photon noise: brighter is noisier
        small += np.float32(settings.sensor_noise) * brightness * rng.standard_normal(small.shape, dtype=np.float32)
    if settings.colour != 1:
        small += np.float32(1 - settings.colour) * (small.mean(0) - small)
    picture = np.ascontiguousarray(np.clip(small * 255 + 0.5, 0, 255).astype(np.uint8).transpose(1, 2, 0))
    if settings.jpeg and rng is not None:
        code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg])[1]
        decoded = cv2.imdecode(code, cv2.IMREAD_UNCHANGED)
        assert decoded is not None  # it was encoded in the line above
        picture = decoded
    return picture if n == SIZE else cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
