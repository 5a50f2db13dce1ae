"""From an emotion to frames: which muscles act, how strongly, and what the camera makes of it."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS, INDEX, Muscles, Style
from lfdtcmen.datasets.synthetic.drawing import SIZE, rgb
from lfdtcmen.datasets.synthetic.identity import sample_identity
from lfdtcmen.datasets.synthetic.renderer import Expression, Face, pose
from lfdtcmen.datasets.synthetic.surface import Studio
from lfdtcmen.errors import DataError

EMOTIONS = ("happiness", "disgust", "contempt", "surprise", "fear", "anger", "sadness")

# emotion -> {action unit: (how often, how strong against the others)}
PROTOTYPES = {
    "happiness": {12: (0.92, 1.0), 6: (0.60, 0.8), 25: (0.15, 0.5), 7: (0.12, 0.5)},
    "surprise": {1: (0.85, 1.0), 2: (0.80, 1.0), 5: (0.45, 0.8), 25: (0.25, 0.7), 26: (0.30, 0.9)},
    "sadness": {1: (0.60, 0.8), 4: (0.55, 0.8), 15: (0.65, 1.0), 17: (0.40, 0.8), 7: (0.12, 0.5), 14: (0.08, 0.5)},
    "disgust": {
        9: (0.42, 1.0),
        10: (0.50, 1.0),
        4: (0.45, 0.8),
        7: (0.30, 0.7),
        17: (0.20, 0.7),
        15: (0.15, 0.7),
        6: (0.08, 0.5),
    },
    "anger": {4: (0.80, 1.0), 7: (0.50, 0.8), 5: (0.25, 0.6), 23: (0.40, 0.8), 24: (0.35, 0.9), 17: (0.12, 0.6)},
    "fear": {
        1: (0.55, 0.9),
        2: (0.35, 0.8),
        4: (0.55, 0.8),
        5: (0.45, 0.9),
        20: (0.45, 0.9),
        25: (0.25, 0.6),
        7: (0.15, 0.6),
    },
    "contempt": {14: (0.75, 1.0), 12: (0.40, 0.8), 10: (0.12, 0.6)},
}
# at least one of these is always seen
CORE_UNITS = {
    "happiness": {12, 6},
    "surprise": {1, 2, 5, 26},
    "sadness": {1, 15, 17},
    "disgust": {9, 10},
    "anger": {4, 23, 24},
    "fear": {1, 5, 20},
    "contempt": {12, 14},
}


@dataclass(frozen=True)
class Settings:
    """How hard a data set is, and which camera took it. Lengths in pixels, angles in degrees, shares in [0, 1]."""

    # muscles
    intensity: float = 0.31  # median level of a clip: its strongest point moves about twice as far
    intensity_spread: float = 0.60  # of its logarithm
    style_gain: float = 0.40  # between subjects: spread of the logarithm of each unit's strength
    style_rotation: float = 0.22
    style_width: float = 0.15
    asymmetry: float = 0.18
    extra_units: float = 0.09  # chance of each unit that the emotion does not ask for
    label_noise: float = 0.01  # share of clips that show another emotion than their label says
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
    fps: float = 30.0
    tone: tuple[float, float] = (0.12, 0.36)
    studio: Studio = field(default_factory=Studio)


DOMAINS = {
    "casme3": Settings(),
    "dfme": Settings(
        sensor_noise=0.014,
        resolution=SIZE,
        jpeg=0,
        zoom=1.18,
        white_balance=(1.05, 1.0, 0.90),
        gain=1.05,
        gamma=1.12,
        fps=200.0,
        tone=(0.10, 0.38),
        studio=Studio(background=(0.33, 0.36, 0.42), ambient=0.26, side_light=1.6, light_y=-0.30),
    ),
}
PRESETS = {
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


@dataclass
class Subject:
    """A face with its own way to move."""

    face: Face
    muscles: Muscles


def make_subject(seed: int, subject: int, settings: Settings) -> Subject:
    """Draw subject number ``subject`` of the data set ``seed``."""
    rng = np.random.default_rng([seed, 1, subject])
    face = Face(sample_identity(rng, settings.tone), settings.studio)
    n = len(ACTION_UNITS)
    style = Style(
        gain=np.exp(settings.style_gain * rng.standard_normal(n)),
        rotation=rng.normal(0, settings.style_rotation, n),
        width=np.clip(rng.normal(1, settings.style_width, n), 0.65, 1.45),
        asymmetry=rng.normal(0, settings.asymmetry, n),
        habit=rng.normal(0, 0.48, n),
    )
    return Subject(face, Muscles(face.anatomy, style))


def sample_action_units(emotion: str, style: Style, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Draw how a subject shows an emotion this time.

    Returns
    -------
    ndarray
        Intensity of each unit on the image-left and image-right side, pixels [len(ACTION_UNITS), 2].
    """
    level = settings.intensity * np.exp(settings.intensity_spread * rng.standard_normal())
    prototype = PROTOTYPES[emotion]
    shown: set[int] = set()
    while not shown & CORE_UNITS[emotion]:
        odds = {u: np.log(often / (1 - often)) + style.habit[INDEX[u]] for u, (often, _) in prototype.items()}
        shown = {u for u, o in odds.items() if rng.random() < 1 / (1 + np.exp(-o))}

    intensity = np.zeros((len(ACTION_UNITS), 2))
    for unit in sorted(shown):
        index = INDEX[unit]
        amount = level * prototype[unit][1] * np.exp(0.25 * rng.standard_normal()) * style.gain[index]
        amount = np.clip(amount, 0.10, 2.6)
        lean = np.clip(style.asymmetry[index] + settings.asymmetry * rng.standard_normal(), -0.6, 0.6)
        if unit in (25, 26):  # lips and jaw move as one
            lean = 0.0
        if emotion == "contempt" and unit in (12, 14):  # contempt is one-sided
            lean = rng.choice([-1, 1]) * rng.uniform(0.75, 1.0)
            intensity[index] = np.minimum([amount * (1 - lean), amount * (1 + lean)], 1.1 * amount)
        else:
            intensity[index] = amount * (1 - lean), amount * (1 + lean)
    for index in range(len(ACTION_UNITS)):
        chance, amount, sides = rng.random(), level * rng.uniform(0.3, 1.0), 1 + 0.3 * rng.standard_normal(2)
        if chance < settings.extra_units and not intensity[index].any():
            intensity[index] = amount * np.clip(sides, 0, 2)
    return np.clip(intensity, 0, 3.2)


def take_picture(
    image: np.ndarray,
    settings: Settings,
    rng: np.random.Generator | None,
    light: tuple[float, float, float] = (1, 0, 0),
) -> np.ndarray:
    """Take a picture of a drawn frame: lamp, white balance, lens, sensor noise, JPEG.

    Parameters
    ----------
    image : ndarray
        RGB float32 [3, GRID, GRID].
    rng : Generator, optional
        Source of the sensor's noise; a clean picture without it.
    light : (level, gradient x, gradient y)
        Of the lamp at this moment.

    Returns
    -------
    ndarray
        RGB uint8 [SIZE, SIZE, 3].
    """
    n = settings.resolution
    small = np.stack([cv2.resize(plane, (n, n), interpolation=cv2.INTER_AREA) for plane in image])
    small = np.clip(small, 0, 1.2)
    axis = ((np.arange(n) + 0.5) * 2 / n - 1).astype(np.float32)
    level, across, down = (np.float32(value) for value in light)
    small *= level * (1 + across * axis[None, :] + down * axis[:, None])
    small *= rgb(*settings.white_balance) * np.float32(settings.gain)
    if settings.gamma != 1:
        small **= np.float32(settings.gamma)
    if rng is not None:
        brightness = np.sqrt(2 * np.clip(small, 0.05, 1))  # photons come at random: brighter is noisier
        small += np.float32(settings.sensor_noise) * brightness * rng.standard_normal(small.shape, dtype=np.float32)
    picture = np.ascontiguousarray(np.clip(small * 255 + 0.5, 0, 255).astype(np.uint8).transpose(1, 2, 0))
    if settings.jpeg and rng is not None:
        code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg])[1]
        picture = cv2.imdecode(code, cv2.IMREAD_UNCHANGED)
    return picture if n == SIZE else cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


@dataclass
class Pair:
    """One rendered micro-expression."""

    onset: np.ndarray  # uint8 [SIZE, SIZE, 3]
    apex: np.ndarray
    flow: np.ndarray  # exact, float32 [2, SIZE, SIZE], pixels
    landmarks: np.ndarray  # on the onset, float32 [5, 2]
    action_units: np.ndarray  # float32 [len(ACTION_UNITS), 2]
    skin: np.ndarray  # where skin shows on the onset, bool [SIZE, SIZE]
    blink: float


def sample_pose(settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Draw how a subject sits in front of the camera."""
    zoom = settings.zoom * np.exp(0.015 * rng.standard_normal())
    return pose(1.5 * rng.standard_normal(), zoom, rng.standard_normal(), rng.standard_normal() - 1)


def _act(subject: Subject, emotion: str, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Draw the action units of a clip; now and then they are those of another emotion than the label says."""
    slip = rng.random() < settings.label_noise
    shown = EMOTIONS[rng.integers(len(EMOTIONS))] if slip else emotion
    return sample_action_units(shown, subject.muscles.style, settings, rng)


def sample_pair(subject: Subject, emotion: str, settings: Settings, rng: np.random.Generator) -> Pair:
    """Let a subject show an emotion, and take the onset and the apex."""
    normal = rng.standard_normal
    face, intensity = subject.face, _act(subject, emotion, settings, rng)
    expression = subject.muscles.expression(intensity)
    expression = face.turn(expression, settings.yaw * normal(), settings.pitch * normal())

    before = sample_pose(settings, rng)
    moved = pose(
        settings.rotation * normal(),
        1 + settings.scale * normal(),
        settings.shift * normal(),
        settings.shift * normal(),
    )
    after = moved @ before
    level, across, down = 1 + 0.03 * normal(), 0.04 * normal(), 0.04 * normal()
    flicker = settings.flicker * normal(), settings.flicker_gradient * normal(), settings.flicker_gradient * normal()
    blink = rng.uniform(0.2, 0.8) if rng.random() < settings.blinks else 0.0
    gaze = (0.5 * normal(), 0.5 * normal()) if rng.random() < settings.glances else (0.0, 0.0)

    onset = face.frame(Expression.neutral(), before)
    apex = face.frame(expression, after, blink, gaze)
    return Pair(
        onset=take_picture(onset, settings, rng, (level, across, down)),
        apex=take_picture(apex, settings, rng, (level * (1 + flicker[0]), across + flicker[1], down + flicker[2])),
        flow=face.flow(expression, before, after, gaze),
        landmarks=face.landmarks(before),
        action_units=intensity.astype(np.float32),
        skin=face.skin_mask(before),
        blink=blink,
    )


@dataclass(frozen=True)
class Timing:
    """When a clip's expression happens, as indices of frames: it rises faster than it fades."""

    onset: int
    apex: int
    hold: int  # the last frame at full strength
    offset: int
    length: int

    def level(self) -> np.ndarray:
        """Return how much of the expression each frame shows: 0 up to the onset, 1 at the apex [length]."""
        t = np.arange(self.length)
        rise = np.clip((t - self.onset) / (self.apex - self.onset), 0, 1)
        fade = np.clip((self.offset - t) / (self.offset - self.hold), 0, 1)
        return np.where(t <= self.apex, rise**2 * (3 - 2 * rise), fade**1.5 * (2.5 - 1.5 * fade))


def sample_timing(fps: float, rng: np.random.Generator) -> Timing:
    """Draw a clip's timing: half a second at most from onset to offset, as micro-expressions have it."""
    lead, rise, hold, tail = rng.uniform([0.25, 0.08, 0.0, 0.20], [0.60, 0.17, 0.05, 0.50])
    fall = min(rise * rng.uniform(1.3, 1.9), 0.28)
    onset = max(1, round(lead * fps))
    apex = onset + max(1, round(rise * fps))
    last = apex + round(hold * fps)
    offset = last + max(apex - onset + 1, round(fall * fps))
    return Timing(onset, apex, last, offset, offset + 1 + round(tail * fps))


@dataclass
class Clip:
    """A whole clip: at rest, onset, apex, offset, at rest."""

    frames: np.ndarray  # uint8 [T, SIZE, SIZE, 3]
    onset: int  # indices of frames
    apex: int
    offset: int
    fps: float
    intensity: np.ndarray  # share of the expression in each frame, float32 [T]
    emotion: str
    landmarks: np.ndarray  # where eyes, nose tip and mouth corners are in each frame, float32 [T, 5, 2]
    flow: np.ndarray  # exact, onset -> apex, float32 [2, SIZE, SIZE]


def sample_clip(
    subject: Subject, emotion: str, settings: Settings, timing: Timing, fps: float, rng: np.random.Generator
) -> Clip:
    """Let a subject show an emotion while the head drifts, the lamp flickers, and perhaps an eye blinks.

    The action units are those of the pair that the same ``rng`` gives.
    """
    face = subject.face
    intensity = _act(subject, emotion, settings, rng)
    before = sample_pose(settings, rng)
    level = timing.level()
    course = rng.uniform(0.75, 1.35, len(ACTION_UNITS))  # some muscles are early, some late

    n, drift = timing.length, 1.5  # a clip leaves the head more time to move than a pair
    t = np.arange(n) / fps
    turns = (settings.shift, settings.shift, settings.rotation, settings.yaw, settings.pitch)
    x, y, rotation, yaw, pitch = (_wander(n, fps, 0.8, drift * s, timing.onset, rng) for s in turns)
    lamp = 1 + _wander(n, fps, 0.3, settings.flicker, timing.onset, rng)
    lamp += 0.004 * np.sin(2 * np.pi * 1.7 * t + rng.uniform(0, 6))  # mains and frame rate beat
    blink = np.zeros(n)
    if rng.random() < 3 * settings.blinks:
        blink = np.clip(1.15 * np.exp(-0.5 * ((t - rng.uniform(0, t[-1])) / 0.05) ** 2), 0, 1)

    rest = face.landmarks()
    frames, landmarks = [], []
    for i in range(n):
        expression = subject.muscles.expression(intensity * (level[i] ** course)[:, None])
        expression = face.turn(expression, yaw[i], pitch[i])
        after = pose(rotation[i], 1.0, x[i], y[i]) @ before
        frames.append(take_picture(face.frame(expression, after, blink[i]), settings, rng, (lamp[i], 0, 0)))
        landmarks.append(face.move(rest, expression, after))
        if i == timing.apex:
            flow = face.flow(expression, before, after)
    return Clip(
        frames=np.stack(frames),
        onset=timing.onset,
        apex=timing.apex,
        offset=timing.offset,
        fps=fps,
        intensity=level.astype(np.float32),
        emotion=emotion,
        landmarks=np.stack(landmarks),
        flow=flow,
    )


def _wander(n: int, fps: float, memory: float, spread: float, zero: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random walk that is pulled back within ``memory`` seconds, and is 0 in frame ``zero`` [n]."""
    keep = np.exp(-1 / (fps * memory))
    path = np.zeros(n)
    for i in range(1, n):
        path[i] = keep * path[i - 1] + spread * np.sqrt(1 - keep**2) * rng.standard_normal()
    return path - path[zero]
