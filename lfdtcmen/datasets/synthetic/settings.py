"""How hard a synthetic data set is, and which camera takes it."""

from dataclasses import dataclass, field, replace
from typing import Any

from lfdtcmen.datasets.synthetic.canvas import SIZE
from lfdtcmen.datasets.synthetic.surface import Studio
from lfdtcmen.errors import DataError


@dataclass(frozen=True)
class Settings:
    """How hard a data set is, and which camera took it. Lengths in pixels, angles in degrees, shares in [0, 1]."""

    # muscles
    intensity: float = 0.31  # median level of a clip, pixels; its strongest point moves about twice as far
    intensity_spread: float = 0.60  # standard deviation of its logarithm
    style_gain: float = 0.40  # between subjects: standard deviation of the logarithm of each unit's strength
    style_rotation: float = 0.22
    style_width: float = 0.15
    asymmetry: float = 0.18
    extra_units: float = 0.09  # probability of each unit that the emotion does not use
    label_noise: float = 0.01  # share of clips that show another emotion than their label
    # head and eyes, between onset and apex
    shift: float = 0.45
    rotation: float = 0.55
    scale: float = 0.005
    yaw: float = 0.8
    pitch: float = 0.8
    blinks: float = 0.10
    glances: float = 0.15
    # light, between onset and apex
    flicker: float = 0.015
    flicker_gradient: float = 0.025
    # camera
    zoom: float = 1.10
    sensor_noise: float = 0.016
    resolution: int = 104
    jpeg: int = 80  # quality, 0 for none
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gain: float = 1.0
    gamma: float = 1.0
    blur: float = 0.0  # of the lens: standard deviation, pixels of the sensor
    colour: float = 1.0  # 0 for a grey picture
    fps: float = 30.0
    # the crop, between clips: standard deviations of its errors
    crop_shift: float = 1.0
    crop_rotation: float = 1.5
    crop_scale: float = 0.015
    # how the onset differs between clips: standard deviations
    turn: float = 0.0  # of the head to the side, and half as much up and down
    light_level: float = 0.03
    light_gradient: float = 0.04
    # the strongest point of each clip moves by between so and so many pixels, all orders alike; else by ``intensity``
    peak: tuple[float, float] | None = None
    wild: bool = False  # every person and every clip has settings of its own: see ``wild``
    tone: tuple[float, float] = (0.12, 0.36)
    studio: Studio = field(default_factory=Studio)


DOMAINS = {
    "casme3": Settings(),
    "dfme": Settings(
        sensor_noise=0.014,
        resolution=SIZE,
        jpeg=0,
        white_balance=(1.05, 1.0, 0.90),
        gain=1.05,
        gamma=1.12,
        fps=200.0,
        tone=(0.10, 0.38),
        studio=Studio(background=(0.33, 0.36, 0.42), ambient=0.26, side_light=1.6, light_y=-0.30),
    ),
}
PRESETS: dict[str, dict[str, Any]] = {  # fields of Settings that differ from the camera's
    "easy": {
        "intensity": 1.0,
        "intensity_spread": 0.35,
        "style_gain": 0.25,
        "style_rotation": 0.12,
        "style_width": 0.10,
        "label_noise": 0.0,
        "shift": 0.2,
        "rotation": 0.2,
        "scale": 0.002,
        "yaw": 0.3,
        "pitch": 0.3,
        "blinks": 0.03,
        "flicker_gradient": 0.008,
    },
    "standard": {},
    "hard": {
        "intensity": 0.22,
        "style_gain": 0.50,
        "extra_units": 0.12,
        "label_noise": 0.03,
        "shift": 0.8,
        "rotation": 0.9,
        "yaw": 1.3,
        "pitch": 1.3,
        "flicker": 0.03,
        "flicker_gradient": 0.04,
    },
    "wild": {"wild": True, "label_noise": 0.0, "peak": (0.2, 3.0)},
}


def get_settings(preset: str = "standard", domain: str = "casme3") -> Settings:
    """Return the settings of a preset in a camera domain.

    Raises
    ------
    DataError
        Unknown preset or domain.
    """
    if preset not in PRESETS:
        raise DataError(f"unknown preset {preset!r}", "synthetic faces", f"use one of {', '.join(PRESETS)}")
    if domain not in DOMAINS:
        raise DataError(f"unknown camera domain {domain!r}", "synthetic faces", f"use one of {', '.join(DOMAINS)}")
    return replace(DOMAINS[domain], **PRESETS[preset])
