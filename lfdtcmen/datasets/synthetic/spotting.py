"""Clips to test the spotting of an apex on: in the presets' rhythm, in others, in long videos, and without expression.

The notebook on apex spotting (section 6, limitation 2) and ``experiments/apex.py`` measure on the same clips.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from lfdtcmen.datasets.synthetic.emotions import EMOTIONS
from lfdtcmen.datasets.synthetic.samples import make_clip
from lfdtcmen.datasets.synthetic.sequences import (
    Clip,
    Subject,
    Timing,
    make_subject,
    sample_clip,
    sample_pair,
    sample_timing,
)
from lfdtcmen.datasets.synthetic.settings import Settings, get_settings
from lfdtcmen.errors import DataError

WITHOUT = ("no expression", "video, no expression")  # their faces rest: whatever is found there is a false alarm
VIDEO_SECONDS = 8


@dataclass(frozen=True)
class TwoPhase(Timing):
    """An expression that rises to half of its strength, waits there, and rises on."""

    def level(self) -> np.ndarray:
        """Return how much of the expression each frame shows [length]."""
        t = np.arange(self.length)
        rise = np.interp(t, np.linspace(self.onset, self.apex, 4), (0, 0.5, 0.5, 1))
        return np.where(t <= self.apex, rise, super().level())


@dataclass(frozen=True)
class Staggered(Timing):
    """An expression whose muscles rise one after the other and fade together.

    ``starts`` and ``ends`` are the shares of the way from onset to apex at which a muscle begins to rise and is at full
    strength, [len(ACTION_UNITS), 2] (image-left and image-right side), or [1, 2] for all units.
    """

    starts: np.ndarray
    ends: np.ndarray

    def level(self) -> np.ndarray:
        """Return how much of its full strength each muscle shows in each frame, [length, units or 1, 2]."""
        way = ((np.arange(self.length) - self.onset) / (self.apex - self.onset))[:, None, None]
        rise = np.clip((way - self.starts) / (self.ends - self.starts), 0, 1)
        return np.where(way <= 1, rise**2 * (3 - 2 * rise), super().level()[:, None, None])


def spotting_clip(setting: str, seed: int, subject: int) -> Clip:
    """Return the clip of a subject in a setting.

    Parameters
    ----------
    setting : str
        One of SETTINGS. ``easy``, ``standard`` and ``hard`` are the presets, 30 frames a second; ``200 fps`` is the
        camera of DFME. All others are ``standard`` with one thing changed:

        - ``still``: a head that does not move (light, noise and blinks unchanged);
        - ``any pace``: the rise takes 20 to 80 % of rise and fall together; in the presets it takes about 40 %;
        - ``two-phase``: a rise that waits halfway (:class:`TwoPhase`);
        - ``one side late``: one half of the face begins when the other is done (:class:`Staggered`);
        - ``spreading``: one action unit begins after the other;
        - ``no expression``: nothing but head, light and blinks; onset, apex and offset are where one would be;
        - ``video``: 8 seconds with one expression and one blink;
        - ``video, no expression``: 8 seconds with one blink.
    seed : int
        Random seed of the data set.
    subject : int
        Number of the subject.

    Raises
    ------
    DataError
        Unknown setting.
    """
    if setting not in SETTINGS:
        raise DataError(f"unknown setting {setting!r}", "spotting_clip", f"use one of {', '.join(SETTINGS)}")
    emotion = EMOTIONS[subject % len(EMOTIONS)]
    if setting in ("easy", "standard", "hard"):
        return make_clip(seed, subject, preset=setting, emotion=emotion)
    if setting == "200 fps":
        return make_clip(seed, subject, domain="dfme", emotion=emotion)
    settings = get_settings("standard")
    rng = np.random.default_rng([seed, 9, subject])
    timing = sample_timing(settings.fps, rng)
    if setting == "still":
        settings = replace(settings, shift=0.0, rotation=0.0, yaw=0.0, pitch=0.0)
    if setting == "any pace":
        timing = _any_pace(settings.fps, rng)
    if setting in WITHOUT:
        settings = replace(settings, intensity=0.0)
    if setting.startswith("video"):
        settings = replace(settings, blinks=1 / 3)  # a second: the clip surely has a blink
        timing = _somewhere(timing, settings.fps, rng)
    person = make_subject(seed, subject, settings)
    if setting in UNEVEN:
        timing = UNEVEN[setting](_long_rise(settings.fps, rng), person, emotion, settings, rng)
    return sample_clip(person, emotion, settings, timing, settings.fps, rng)


def _any_pace(fps: float, rng: np.random.Generator) -> Timing:
    lead, total, share, hold, tail = rng.uniform([0.25, 0.2, 0.2, 0.0, 0.2], [0.6, 0.45, 0.8, 0.05, 0.5])
    onset, apex, last, offset, end = (
        round(fps * s) for s in np.cumsum([lead, total * share, hold, total * (1 - share), tail])
    )
    return Timing(onset, max(apex, onset + 1), max(last, onset + 1), max(offset, last + 2), end + 2)


def _long_rise(fps: float, rng: np.random.Generator) -> Timing:
    """Sample a timing whose rise has frames enough for two phases: 0.37 to 0.5 s in all, about half of them rise."""
    lead, rise, fall, tail = rng.uniform([0.25, 0.2, 0.17, 0.2], [0.6, 0.27, 0.23, 0.5])
    onset, apex, offset, end = (round(fps * s) for s in np.cumsum([lead, rise, fall, tail]))
    return Timing(onset, apex, apex, offset, end + 1)


def _somewhere(timing: Timing, fps: float, rng: np.random.Generator) -> Timing:
    """Put an expression anywhere in the first seconds of a long video."""
    wait = int(rng.integers(0, 200))
    onset, apex, hold, offset = (wait + t for t in (timing.onset, timing.apex, timing.hold, timing.offset))
    return Timing(onset, apex, hold, offset, round(VIDEO_SECONDS * fps))


def _two_phase(timing: Timing, *_: object) -> Timing:
    return TwoPhase(**vars(timing))


def _one_side_late(
    timing: Timing, person: Subject, emotion: str, settings: Settings, rng: np.random.Generator
) -> Timing:
    starts = np.array([[0.0, 0.5]])
    if rng.random() < 0.5:
        starts = starts[:, ::-1]
    return Staggered(**vars(timing), starts=starts, ends=starts + 0.5)


def _spreading(timing: Timing, person: Subject, emotion: str, settings: Settings, rng: np.random.Generator) -> Timing:
    """Let the units that this clip will show begin in random order, the last one at 60 % of the rise."""
    order = np.random.default_rng(rng.integers(2**32))
    shown = sample_pair(person, emotion, settings, deepcopy(rng)).action_units.max(1) > 0  # those of the clip to come
    count = int(shown.sum())
    starts, ends = np.zeros((len(shown), 2)), np.ones((len(shown), 2))
    turn = order.permutation(count)[:, None] / max(count - 1, 1)  # 0: the first, 1: the last
    if count > 1:
        starts[shown], ends[shown] = 0.6 * turn, 0.4 + 0.6 * turn
    return Staggered(**vars(timing), starts=starts, ends=ends)


UNEVEN: dict[str, Callable[..., Timing]] = {
    "two-phase": _two_phase,
    "one side late": _one_side_late,
    "spreading": _spreading,
}
SETTINGS = ("easy", "standard", "hard", "still", "any pace", *UNEVEN, "no expression", "video", WITHOUT[1], "200 fps")
