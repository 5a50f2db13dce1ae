"""One sample of a synthetic data set alone: its pair of frames, or its whole clip."""

from lfdtcmen.datasets.synthetic.emotions import EMOTIONS
from lfdtcmen.datasets.synthetic.plan import CASME3_SUBJECTS, plan_preset
from lfdtcmen.datasets.synthetic.randomness import check_seed, clip_rng, timing_rng
from lfdtcmen.datasets.synthetic.sequences import Clip, Pair, make_subject, sample_clip, sample_pair, sample_timing
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.errors import DataError


def render_pair(
    seed: int,
    subject: int,
    clip: int,
    preset: str = "standard",
    subjects: int = CASME3_SUBJECTS,
    domain: str = "casme3",
    emotion: str | None = None,
) -> Pair:
    """Render one sample of :func:`make_dataset` alone, bit for bit.

    Parameters
    ----------
    seed, preset, subjects, domain
        As for :func:`make_dataset`.
    subject, clip : int
        From 0: 'synthetic/s001' is subject 1, 'c0003' clip 3. The subjects of the preset ``wild`` begin at 7000.
    emotion : str, optional
        Let the subject show another emotion than in the data set; the clip may then have any number.

    Raises
    ------
    DataError
        No such subject or clip, or an unknown emotion.
    """
    settings = get_settings(preset, domain)
    check_seed(seed)
    emotion = _find_emotion(subject, clip, plan_preset(preset, subjects, seed), emotion)
    return sample_pair(make_subject(seed, subject, settings), emotion, settings, clip_rng(seed, subject, clip))


def make_clip(
    seed: int = 0,
    subject: int = 0,
    clip: int = 0,
    preset: str = "standard",
    subjects: int = CASME3_SUBJECTS,
    domain: str = "casme3",
    emotion: str | None = None,
    fps: float | None = None,
) -> Clip:
    """Render a whole clip: at rest, onset, apex, offset, at rest.

    Parameters
    ----------
    seed, subject, clip, preset, subjects, domain, emotion
        As for :func:`render_pair`: the clip shows the same action units as the pair of that number, and the
        manifest's frame numbers are the clip's (counted from 1 there, from 0 here).
    fps : float, optional
        Frames a second, the camera's own by default.

    Raises
    ------
    DataError
        As for :func:`render_pair`; fewer than 10 or more than 1000 frames a second.
    """
    settings = get_settings(preset, domain)
    check_seed(seed)
    emotion = _find_emotion(subject, clip, plan_preset(preset, subjects, seed), emotion)
    fps = settings.fps if fps is None else float(fps)
    if not 10 <= fps <= 1000:
        raise DataError(f"{fps:g} frames a second cannot show a micro-expression", "make_clip", "use 10 to 1000")
    timing = sample_timing(fps, timing_rng(seed, subject, clip))
    person = make_subject(seed, subject, settings)
    return sample_clip(person, emotion, settings, timing, fps, clip_rng(seed, subject, clip))


def _find_emotion(subject: int, clip: int, plan: tuple[list[list[str]], int], emotion: str | None) -> str:
    """Return the emotion that was asked for, else the one that the data set's plan gives this clip."""
    emotions_of, first = plan
    last = first + len(emotions_of) - 1
    if not first <= subject <= last:
        raise DataError(f"there is no subject {subject}", "synthetic faces", f"subjects run from {first} to {last}")
    if clip < 0:
        raise DataError(f"there is no clip {clip}", "synthetic faces", "clips are counted from 0")
    if emotion is not None:
        if emotion not in EMOTIONS:
            raise DataError(f"unknown emotion {emotion!r}", "synthetic faces", f"use one of {', '.join(EMOTIONS)}")
        return emotion
    emotions = emotions_of[subject - first]
    if clip >= len(emotions):
        raise DataError(f"subject {subject} has {len(emotions)} clips, none is {clip}", "synthetic faces")
    return emotions[clip]
