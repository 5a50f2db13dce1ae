"""Pairs and clips: a subject shows an emotion in front of the camera."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS, Muscles, Style
from lfdtcmen.datasets.synthetic.camera import take_picture
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS, PROTOTYPES, Prototypes, sample_action_units
from lfdtcmen.datasets.synthetic.identity import sample_identity
from lfdtcmen.datasets.synthetic.randomness import subject_rng
from lfdtcmen.datasets.synthetic.renderer import Expression, Face, pose
from lfdtcmen.datasets.synthetic.settings import Settings
from lfdtcmen.datasets.synthetic.wild import vary_clip, vary_looks, vary_person


@dataclass
class Subject:
    """A face, and how it moves."""

    face: Face
    muscles: Muscles
    prototypes: Prototypes = field(default_factory=lambda: PROTOTYPES)  # which units it uses for each emotion
    rest: np.ndarray | None = None  # the units that are shown at rest, pixels [len(ACTION_UNITS), 2]; None for none
    # emotion -> (level, gradient x, gradient y), added to the light of each clip that shows it
    lights: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def show(self, intensity: np.ndarray | float) -> Expression:
        """Return the face that shows the units, pixels [len(ACTION_UNITS), 2], beside those that it has at rest."""
        whole = intensity if self.rest is None else self.rest + intensity
        return self.muscles.expression(np.broadcast_to(whole, (len(ACTION_UNITS), 2)))


def make_subject(seed: int, subject: int, settings: Settings) -> Subject:
    """Make one subject of a data set: its face, and how it uses its muscles.

    Parameters
    ----------
    seed : int
        Random seed of the data set.
    subject : int
        Number of the subject.
    settings : Settings
        How much subjects differ in style, and background and light (``studio``).
    """
    rng = subject_rng(seed, subject)
    if settings.wild:
        settings = vary_person(settings, rng)
    identity = sample_identity(rng, settings.tone)
    if settings.wild:
        identity = vary_looks(identity, rng)
    face = Face(identity, settings.studio)
    return Subject(face, Muscles(face.anatomy, sample_style(settings, rng)))


def sample_style(settings: Settings, rng: np.random.Generator) -> Style:
    """Sample how a subject uses its muscles."""
    n = len(ACTION_UNITS)
    return Style(
        gain=np.exp(settings.style_gain * rng.standard_normal(n)),
        rotation=rng.normal(0, settings.style_rotation, n),
        width=np.clip(rng.normal(1, settings.style_width, n), 0.65, 1.45),
        asymmetry=rng.normal(0, settings.asymmetry, n),
        habit=rng.normal(0, 0.48, n),
    )


@dataclass
class Pair:
    """One rendered micro-expression."""

    onset: np.ndarray  # uint8 [SIZE, SIZE, 3]
    apex: np.ndarray
    flow: np.ndarray  # exact, float32 [2, SIZE, SIZE], pixels
    landmarks: np.ndarray  # on the onset, float32 [5, 2]
    action_units: np.ndarray  # float32 [len(ACTION_UNITS), 2]
    skin: np.ndarray  # where skin is visible on the onset, bool [SIZE, SIZE]
    blink: float  # of the apex, 0 open to 1 closed


def sample_pose(settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Sample how a subject sits in front of the camera, as a pose face -> frame [3, 3]."""
    normal, shift = rng.standard_normal, settings.crop_shift
    zoom = settings.zoom * np.exp(settings.crop_scale * normal())
    return pose(settings.crop_rotation * normal(), zoom, shift * normal(), shift * normal() - 1)


def _sample_expression(subject: Subject, emotion: str, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """Sample the action units of a clip; in a share ``label_noise`` of the clips, those of a random emotion."""
    slip = rng.random() < settings.label_noise
    shown = EMOTIONS[rng.integers(len(EMOTIONS))] if slip else emotion
    units = sample_action_units(shown, subject.muscles.style, settings, rng, subject.prototypes)
    if settings.peak is not None:
        low, high = np.log(settings.peak)
        whole = subject.muscles.expression(units)
        # under hair nothing is seen to move: that must not make the unit stronger without end
        strongest = max(float(np.hypot(whole.dx, whole.dy).max()), 0.5 * units.max())
        units *= np.exp(rng.uniform(low, high)) / strongest
    return units


def _sample_rest(subject: Subject, settings: Settings, rng: np.random.Generator) -> tuple[Expression, float, float]:
    """Sample how far the head is turned at the onset; return the face at rest, turned, and the angles, degrees."""
    rest = Expression.neutral() if subject.rest is None else subject.show(0.0)
    if not settings.turn:
        return rest, 0.0, 0.0
    yaw, pitch = settings.turn * rng.standard_normal(), settings.turn / 2 * rng.standard_normal()
    return subject.face.turn(rest, yaw, pitch), yaw, pitch


def sample_pair(subject: Subject, emotion: str, settings: Settings, rng: np.random.Generator) -> Pair:
    """Let a subject show an emotion, and take pictures of the onset and the apex.

    Parameters
    ----------
    subject : Subject
        Who shows it.
    emotion : str
        One of EMOTIONS.
    settings : Settings
        Preset and camera.
    rng : Generator
        Source of all randomness.
    """
    normal = rng.standard_normal
    if settings.wild:
        settings = vary_clip(settings, rng)
    face, intensity = subject.face, _sample_expression(subject, emotion, settings, rng)
    rest, yaw, pitch = _sample_rest(subject, settings, rng)
    expression = subject.show(intensity)
    expression = face.turn(expression, yaw + settings.yaw * normal(), pitch + settings.pitch * normal())

    before = sample_pose(settings, rng)
    moved = pose(
        settings.rotation * normal(),
        1 + settings.scale * normal(),
        settings.shift * normal(),
        settings.shift * normal(),
    )
    after = moved @ before
    gradient = settings.light_gradient
    level, across, down = 1 + settings.light_level * normal(), gradient * normal(), gradient * normal()
    session = subject.lights.get(emotion, (0.0, 0.0, 0.0))
    level, across, down = level + session[0], across + session[1], down + session[2]
    flicker = settings.flicker * normal(), settings.flicker_gradient * normal(), settings.flicker_gradient * normal()
    blink = rng.uniform(0.2, 0.8) if rng.random() < settings.blinks else 0.0
    gaze = (0.5 * normal(), 0.5 * normal()) if rng.random() < settings.glances else (0.0, 0.0)

    onset = face.frame(rest, before)
    apex = face.frame(expression, after, blink, gaze)
    return Pair(
        onset=take_picture(onset, settings, rng, (level, across, down)),
        apex=take_picture(apex, settings, rng, (level * (1 + flicker[0]), across + flicker[1], down + flicker[2])),
        flow=face.flow(expression, before, after, gaze, rest),
        landmarks=face.move(face.landmarks(), rest, before) if rest.moves else face.landmarks(before),
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
    """Sample a clip's timing: half a second at most from onset to offset, as in micro-expressions."""
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
    intensity: np.ndarray  # share of the expression in each frame, float32 [T]; the mean where muscles differ in time
    emotion: str
    landmarks: np.ndarray  # where eyes, nose tip and mouth corners are in each frame, float32 [T, 5, 2]
    flow: np.ndarray  # exact, onset -> apex, float32 [2, SIZE, SIZE]


def sample_clip(
    subject: Subject,
    emotion: str,
    settings: Settings,
    timing: Timing,
    fps: float,
    rng: np.random.Generator,
    keep: Sequence[int] | None = None,
) -> Clip:
    """Let a subject show an emotion while the head drifts, the lamp flickers, and perhaps the eyes blink.

    The action units are those of the pair that the same ``rng`` gives.

    Parameters
    ----------
    subject, emotion, settings, rng
        As for :func:`sample_pair`.
    timing : Timing
        When the expression begins, peaks and ends. Its level is [length], or [length, units or 1, 2] where muscles (one
        side, or one action unit) differ in time.
    fps : float
        Frames a second.
    keep : sequence of int, optional
        Frames to render, onset, apex and offset among them; all by default. The sensor's noise is another than in the
        whole clip.
    """
    if settings.wild:
        settings = vary_clip(settings, rng)
    face, intensity = subject.face, _sample_expression(subject, emotion, settings, rng)
    turned, yaw, pitch = _sample_rest(subject, settings, rng)
    before = sample_pose(settings, rng)
    level = timing.level()
    speed = rng.uniform(0.75, 1.35, len(ACTION_UNITS))  # some muscles are early, some late
    nuisances = _sample_nuisances(settings, timing, fps, rng)

    rest = face.landmarks()
    frames, landmarks = [], []
    shown = list(range(timing.length) if keep is None else keep)
    for i in shown:
        now = nuisances[i]
        expression = subject.show(intensity * level[i] ** speed[:, None])
        expression = face.turn(expression, yaw + now.yaw, pitch + now.pitch)
        after = pose(now.rotation, 1.0, now.x, now.y) @ before
        frames.append(take_picture(face.frame(expression, after, now.blink), settings, rng, (now.lamp, 0, 0)))
        landmarks.append(face.move(rest, expression, after))
        if i == timing.apex:
            flow = face.flow(expression, before, after, rest=turned)
    return Clip(
        frames=np.stack(frames),
        onset=shown.index(timing.onset),
        apex=shown.index(timing.apex),
        offset=shown.index(timing.offset),
        fps=fps,
        intensity=level[shown].reshape(len(shown), -1).mean(1).astype(np.float32),
        emotion=emotion,
        landmarks=np.stack(landmarks),
        flow=flow,
    )


class _Nuisance(NamedTuple):
    """What changes in one frame of a clip apart from the expression."""

    x: float  # shift of the head, pixels
    y: float
    rotation: float  # of the head, degrees
    yaw: float
    pitch: float
    lamp: float  # brightness
    blink: float  # 0 open, 1 closed


def _sample_nuisances(settings: Settings, timing: Timing, fps: float, rng: np.random.Generator) -> list[_Nuisance]:
    """Sample how head, lamp and lids move in the frames of a clip."""
    n, drift = timing.length, 1.5  # the head has more time to move in a clip than between the frames of a pair
    t = np.arange(n) / fps
    spreads = (settings.shift, settings.shift, settings.rotation, settings.yaw, settings.pitch)
    head = [_wander(n, fps, 0.8, drift * spread, timing.onset, rng) for spread in spreads]
    lamp = 1 + _wander(n, fps, 0.3, settings.flicker, timing.onset, rng)
    lamp += 0.004 * np.sin(2 * np.pi * 1.7 * t + rng.uniform(0, 6))  # beat between mains and frame rate
    blink = np.zeros(n)
    if rng.random() < 3 * settings.blinks:
        blink = np.clip(1.15 * np.exp(-0.5 * ((t - rng.uniform(0, t[-1])) / 0.05) ** 2), 0, 1)
    return [_Nuisance(*values) for values in zip(*head, lamp, blink, strict=True)]


def _wander(n: int, fps: float, memory: float, spread: float, zero: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random walk that is pulled back within ``memory`` seconds, and is 0 in frame ``zero`` [n]."""
    keep = np.exp(-1 / (fps * memory))
    path = np.zeros(n)
    for i in range(1, n):
        path[i] = keep * path[i - 1] + spread * np.sqrt(1 - keep**2) * rng.standard_normal()
    return path - path[zero]
