"""Data sets of drawn micro-expressions, made once and kept on disk."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace

import joblib
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lfdtcmen.datasets.manifest import LABEL_MAPS, check_manifest, map_emotion
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic.action_units import Muscles, Style, facs_code
from lfdtcmen.datasets.synthetic.renderer import RENDERER_VERSION
from lfdtcmen.datasets.synthetic.sequences import (
    EMOTIONS,
    Clip,
    Pair,
    Settings,
    Subject,
    get_settings,
    make_subject,
    sample_action_units,
    sample_clip,
    sample_pair,
    sample_pose,
    sample_timing,
    take_picture,
)
from lfdtcmen.errors import DataError
from lfdtcmen.files import atomic_path, cache_dir, load_npz
from lfdtcmen.threads import one_cv2_thread

# CAS(ME)^3 part A over 100 subjects: 457 negative, 55 positive, 187 surprise (4.1). Within the negative class the
# shares are the data set's own, but for contempt, which it lacks: 24 of its 250 disgusts, so that no class is empty.
CASME3_COUNTS = {
    "happiness": 55,
    "disgust": 226,
    "contempt": 24,
    "surprise": 187,
    "fear": 86,
    "anger": 64,
    "sadness": 57,
}
CASME3_SUBJECTS = 100

# DFME: 1856 / 474 / 299 samples, and the counts of surprise, happiness, anger and contempt (test A) and of surprise,
# happiness and anger (test B) are stated (4.1, 4.7); the others are assumed.
DFME_COUNTS = {
    "train": dict(zip(EMOTIONS, (250, 420, 116, 390, 230, 160, 290), strict=True)),
    "test_a": dict(zip(EMOTIONS, (63, 105, 34, 101, 60, 39, 72), strict=True)),
    "test_b": dict(zip(EMOTIONS, (42, 62, 20, 48, 36, 41, 50), strict=True)),
}
DFME_SUBJECTS = {"train": 160, "test_a": 48, "test_b": 32}

# numbers of subjects: block 0 is CAS(ME)^3's, 1 to 3 are DFME's parts, 4 the counterfactuals': no two share a face
BLOCK = 1000
COUNTERFACTUAL_BLOCK = 4
SWAP_SEED = 1_000_000  # of the first group of swaps: far from any seed that a data set is drawn with
GROUP = 8  # people and motions of a group of swaps
FLOW_UNIT = 1024  # the cache keeps flow in whole 1/1024 of a pixel
PACKED_AXES = {"onset": (1, 2), "apex": (1, 2), "flow": (2, 3)}  # rows and columns
CACHE_VERSION = 2  # of the file's form; RENDERER_VERSION is that of the pictures


def make_dataset(
    preset: str = "standard",
    label_map: str = "3class",
    subjects: int = CASME3_SUBJECTS,
    seed: int = 0,
    n_jobs: int = 1,
    domain: str = "casme3",
    progress: bool = False,
) -> PairSet:
    """Draw a data set with the class imbalance of CAS(ME)^3 part A, or load it if it was drawn before.

    Parameters
    ----------
    preset : {"easy", "standard", "hard"}
        How strong the expressions and how large the nuisances are.
    label_map : {"3class", "7class"}
        How the same emotions are labelled.
    subjects : int
        100 gives 457 negative, 55 positive and 187 surprise; other numbers scale the counts, and keep each class.
    seed : int
    n_jobs : int
        Processes (-1: all cores). The bytes do not depend on it.
    domain : {"casme3", "dfme"}
        Which camera.
    progress : bool
        Show a progress bar.

    Returns
    -------
    PairSet
        With the exact flow, landmarks and true action units; ``manifest`` rows are ordered by subject and clip.

    Raises
    ------
    DataError
        Unknown preset, label map or domain; fewer than 2 subjects; a seed that is negative.
    """
    settings = get_settings(preset, domain)
    _check(label_map, subjects, seed)
    counts = scale_counts(CASME3_COUNTS, subjects / CASME3_SUBJECTS)
    return _make(settings, counts, subjects, seed, label_map, n_jobs, progress, f"{preset}-{domain}")


def make_dfme(
    seed: int = 0,
    subjects: tuple[int, int, int] = (160, 48, 32),
    preset: str = "standard",
    n_jobs: int = 1,
    progress: bool = False,
) -> dict[str, PairSet]:
    """Draw train, test A and test B like DFME's: seven classes, 200 frames a second, no subject in two of them.

    Parameters
    ----------
    seed : int
    subjects : (train, test A, test B)
        How many; the counts scale with them.
    preset, n_jobs, progress
        As for :func:`make_dataset`.

    Returns
    -------
    dict
        ``train``, ``test_a`` and ``test_b``. Test B is a little fainter, as the scores reported on it are lower.

    Raises
    ------
    DataError
        As for :func:`make_dataset`.
    """
    settings = get_settings(preset, "dfme")
    if len(subjects) != len(DFME_COUNTS):
        raise DataError(f"{len(subjects)} numbers of subjects", "make_dfme", "give three: train, test A, test B")
    parts = {}
    for block, (part, number) in enumerate(zip(DFME_COUNTS, subjects, strict=True), start=1):
        _check("7class", number, seed)
        counts = scale_counts(DFME_COUNTS[part], number / DFME_SUBJECTS[part])
        own = replace(settings, intensity=0.9 * settings.intensity) if part == "test_b" else settings
        name = f"{preset}-dfme-{part}"
        parts[part] = _make(own, counts, number, seed, "7class", n_jobs, progress, name, block * BLOCK)
    return parts


def render_pair(
    seed: int,
    subject: int,
    clip: int,
    preset: str = "standard",
    subjects: int = CASME3_SUBJECTS,
    domain: str = "casme3",
    emotion: str | None = None,
) -> Pair:
    """Draw one sample of :func:`make_dataset` alone, bit for bit.

    Parameters
    ----------
    seed, preset, subjects, domain
        As they were given to :func:`make_dataset`.
    subject, clip : int
        From 0: 'synthetic/s001' is subject 1, 'c0003' clip 3.
    emotion : str, optional
        Let the subject show another emotion than in the data set; then any clip number will do.

    Raises
    ------
    DataError
        No such subject or clip, or an unknown emotion.
    """
    person, emotion, settings = _find(seed, subject, clip, preset, subjects, domain, emotion)
    return sample_pair(person, emotion, settings, _clip_rng(seed, subject, clip))


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
    """Draw a whole clip: at rest, onset, apex, offset, at rest.

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
        As for :func:`render_pair`; fewer than 10 frames a second.
    """
    person, emotion, settings = _find(seed, subject, clip, preset, subjects, domain, emotion)
    fps = settings.fps if fps is None else float(fps)
    if not 10 <= fps <= 1000:
        raise DataError(f"{fps:g} frames a second cannot show a micro-expression", "make_clip", "use 10 to 1000")
    timing = sample_timing(fps, _timing_rng(seed, subject, clip))
    return sample_clip(person, emotion, settings, timing, fps, _clip_rng(seed, subject, clip))


@dataclass(frozen=True)
class Counterfactuals:
    """Every motion on every identity: what a swap of motion codes should give.

    Onset and apex differ by the motion alone: no head motion, no change of light. The ``clean`` frames have no sensor
    noise and no JPEG either.
    """

    onset: np.ndarray  # uint8 [I, SIZE, SIZE, 3]
    onset_clean: np.ndarray
    apex: np.ndarray  # uint8 [I, M, SIZE, SIZE, 3]
    apex_clean: np.ndarray
    emotions: tuple[str, ...]  # of the motions [M]
    action_units: np.ndarray  # of the motions, float32 [M, len(ACTION_UNITS), 2]
    landmarks: np.ndarray  # on the onsets, float32 [I, 5, 2]


def make_counterfactuals(
    preset: str = "standard", seed: int = 0, identities: int = 16, motions: int = 8, domain: str = "casme3"
) -> Counterfactuals:
    """Draw every motion on every identity, with and without camera noise.

    The identities are in none of the data sets; all of them use their muscles in the same, average way, so that a
    motion is the same motion on each.

    Parameters
    ----------
    preset, seed, domain
        As for :func:`make_dataset`.
    identities, motions : int
        How many. The motions go through the emotions in turn.

    Raises
    ------
    DataError
        Unknown preset or domain, or none of either.
    """
    settings = get_settings(preset, domain)
    if identities < 1 or motions < 1:
        raise DataError("there must be an identity and a motion", "make_counterfactuals", "ask for 1 or more of each")
    _check_seed(seed)
    emotions = tuple(EMOTIONS[m % len(EMOTIONS)] for m in range(motions))
    first = COUNTERFACTUAL_BLOCK * BLOCK
    units = [
        sample_action_units(e, Style.neutral(), settings, _clip_rng(seed, first, m)) for m, e in enumerate(emotions)
    ]
    frames: dict[str, list] = {"onset": [], "onset_clean": [], "apex": [], "apex_clean": [], "landmarks": []}
    for identity in range(first, first + identities):
        face = make_subject(seed, identity, settings).face
        muscles, rng = Muscles(face.anatomy), _clip_rng(seed, identity, 0)
        at = sample_pose(settings, rng)
        drawn = [face.frame(muscles.expression(u), at) for u in [np.zeros_like(units[0]), *units]]
        clean = [take_picture(image, settings, None) for image in drawn]
        noisy = [take_picture(image, settings, rng) for image in drawn]
        frames["onset"].append(noisy[0])
        frames["onset_clean"].append(clean[0])
        frames["apex"].append(np.stack(noisy[1:]))
        frames["apex_clean"].append(np.stack(clean[1:]))
        frames["landmarks"].append(face.landmarks(at))
    return Counterfactuals(
        **{name: np.stack(images) for name, images in frames.items()},
        emotions=emotions,
        action_units=np.stack(units).astype(np.float32),
    )


@dataclass(frozen=True)
class Swaps:
    """Groups of people who all show the same motions: counterfactuals to learn from, none of those that measure.

    Fields as of :class:`Counterfactuals`, with an axis for the group before all others.
    """

    onset: np.ndarray  # uint8 [G, I, SIZE, SIZE, 3]
    onset_clean: np.ndarray
    apex: np.ndarray  # uint8 [G, I, M, SIZE, SIZE, 3]
    apex_clean: np.ndarray
    action_units: np.ndarray  # float32 [G, M, len(ACTION_UNITS), 2]


def make_swaps(
    preset: str = "standard", groups: int = 60, n_jobs: int = 1, domain: str = "casme3", progress: bool = False
) -> Swaps:
    """Draw groups of eight people who show the same eight motions, or load them if they were drawn before.

    Parameters
    ----------
    preset, n_jobs, domain, progress
        As for :func:`make_dataset`.
    groups : int
        60 are 480 people, 480 motions and 3840 apexes, in some two minutes on two cores.

    Raises
    ------
    DataError
        Unknown preset or domain, or no group.
    """
    settings = get_settings(preset, domain)
    if groups < 1:
        raise DataError(f"{groups} groups of swaps", "make_swaps", "ask for one or more")
    inputs = [asdict(settings), groups, SWAP_SEED, GROUP, RENDERER_VERSION, CACHE_VERSION, "action units"]
    fingerprint = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
    path = cache_dir() / "synthetic" / f"{preset}-{domain}-swaps-{groups}-{fingerprint}.npz"
    axes = {field.name: (-3, -2) for field in fields(Swaps)} | {"action_units": ()}
    arrays = load_npz(path)
    if arrays is None:
        jobs = (joblib.delayed(_draw_group)(preset, SWAP_SEED + group, domain) for group in range(groups))
        drawn = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
        drawn = list(tqdm(drawn, f"drawing {preset} swaps", total=groups, unit="group", disable=not progress))
        arrays = {name: np.stack([getattr(group, name) for group in drawn]) for name in axes}
        with atomic_path(path) as temporary:
            np.savez_compressed(temporary, **{name: _pack(array, *axes[name]) for name, array in arrays.items()})
        return Swaps(**arrays)
    return Swaps(**{name: _unpack(array, *axes[name]) for name, array in arrays.items()})


def _draw_group(preset: str, seed: int, domain: str) -> Counterfactuals:
    with one_cv2_thread():
        return make_counterfactuals(preset, seed, GROUP, GROUP, domain)


def _find(
    seed: int, subject: int, clip: int, preset: str, subjects: int, domain: str, emotion: str | None
) -> tuple[Subject, str, Settings]:
    """Return the subject, emotion and settings of one sample of :func:`make_dataset`."""
    settings = get_settings(preset, domain)
    _check("3class", subjects, seed)
    if not 0 <= subject < subjects:
        raise DataError(f"there is no subject {subject}", "synthetic faces", f"subjects run from 0 to {subjects - 1}")
    if clip < 0:
        raise DataError(f"there is no clip {clip}", "synthetic faces", "clips are counted from 0")
    if emotion is None:
        emotions = plan_clips(scale_counts(CASME3_COUNTS, subjects / CASME3_SUBJECTS), subjects, seed)[subject]
        if clip >= len(emotions):
            raise DataError(f"subject {subject} has {len(emotions)} clips, none is {clip}", "synthetic faces")
        emotion = emotions[clip]
    elif emotion not in EMOTIONS:
        raise DataError(f"unknown emotion {emotion!r}", "synthetic faces", f"use one of {', '.join(EMOTIONS)}")
    return make_subject(seed, subject, settings), emotion, settings


def scale_counts(counts: dict[str, int], factor: float) -> dict[str, int]:
    """Scale the number of samples of each emotion, keeping every emotion and the shares of the three classes."""
    scaled: dict[str, int] = {}
    for number in range(len(LABEL_MAPS["3class"])):
        emotions = [e for e in counts if map_emotion(e, "3class") == number]
        total = max(round(factor * sum(counts[e] for e in emotions)), len(emotions))
        exact = {e: total * counts[e] / sum(counts[e] for e in emotions) for e in emotions}
        share = {e: max(1, int(exact[e])) for e in emotions}
        while (rest := total - sum(share.values())) != 0:  # hand out, or take back, where the rounding was worst
            step = 1 if rest > 0 else -1
            movable = [e for e in emotions if step > 0 or share[e] > 1]
            share[max(movable, key=lambda e: step * (exact[e] - share[e]))] += step
        scaled |= share
    return {e: scaled[e] for e in counts}


def _check(label_map: str, subjects: int, seed: int) -> None:
    if label_map not in LABEL_MAPS:
        raise DataError(f"unknown label map {label_map!r}", "synthetic faces", f"use one of {', '.join(LABEL_MAPS)}")
    if not isinstance(subjects, int | np.integer) or not 2 <= subjects <= BLOCK:
        raise DataError(f"{subjects!r} subjects cannot be drawn", "synthetic faces", f"ask for 2 to {BLOCK}")
    _check_seed(seed)


def _check_seed(seed: int) -> None:
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise DataError(f"seed {seed!r} is not a whole number from 0 up", "synthetic faces", "use 0, 1, 2, ...")


def plan_clips(counts: dict[str, int], subjects: int, seed: int, first_subject: int = 0) -> list[list[str]]:
    """Say which emotions each subject shows, in the order of its clips.

    Some subjects show more than others; each shows something; a rare emotion comes from as many subjects as it can.
    """
    rng = np.random.default_rng([seed, 0, first_subject])
    total = sum(counts.values())
    share = rng.dirichlet(np.full(subjects, 1.8))
    quota = np.ones(subjects, int)
    quota += rng.multinomial(max(0, total - subjects), share)
    clips: list[list[str]] = [[] for _ in range(subjects)]
    for emotion in sorted(counts, key=counts.__getitem__):
        left = counts[emotion]
        while left and quota.any():
            who = np.flatnonzero(quota)
            chosen = rng.choice(who, min(left, len(who)), replace=False, p=quota[who] / quota[who].sum())
            quota[chosen] -= 1
            left -= len(chosen)
            for subject in chosen:
                clips[subject].append(emotion)
    for emotions in clips:
        rng.shuffle(emotions)
    return clips


def _clip_rng(seed: int, subject: int, clip: int) -> np.random.Generator:
    return np.random.default_rng([seed, 2, subject, clip])


def draw_subject(seed: int, subject: int, emotions: list[str], settings: Settings) -> dict[str, np.ndarray]:
    """Draw all clips of one subject: a piece of work for one process. Returns arrays as the cache keeps them."""
    with one_cv2_thread():
        person = make_subject(seed, subject, settings)
        pairs = [sample_pair(person, e, settings, _clip_rng(seed, subject, c)) for c, e in enumerate(emotions)]
    return {
        "onset": np.stack([p.onset for p in pairs]),
        "apex": np.stack([p.apex for p in pairs]),
        "flow": np.round(np.stack([p.flow for p in pairs]) * FLOW_UNIT).astype(np.int16),
        "landmarks": np.stack([p.landmarks for p in pairs]),
        "action_units": np.stack([p.action_units for p in pairs]),
    }


def _make(
    settings: Settings,
    counts: dict[str, int],
    subjects: int,
    seed: int,
    label_map: str,
    n_jobs: int,
    progress: bool,
    name: str,
    first_subject: int = 0,
) -> PairSet:
    """Load a data set from the cache, or draw it."""
    plan = plan_clips(counts, subjects, seed, first_subject)
    inputs = [asdict(settings), plan, int(seed), first_subject, RENDERER_VERSION, CACHE_VERSION]
    fingerprint = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
    path = cache_dir() / "synthetic" / f"{name}-{subjects}-{seed}-{fingerprint}.npz"
    arrays = load_npz(path)
    if arrays is not None:
        arrays = {key: _unpack(array, *PACKED_AXES.get(key, ())) for key, array in arrays.items()}
    else:
        jobs = (
            joblib.delayed(draw_subject)(seed, first_subject + s, emotions, settings) for s, emotions in enumerate(plan)
        )
        drawn = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
        parts = list(tqdm(drawn, f"drawing {name}", total=subjects, unit="subject", disable=not progress))
        arrays = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        packed = {key: _pack(array, *PACKED_AXES.get(key, ())) for key, array in arrays.items()}
        with atomic_path(path) as temporary:
            np.savez_compressed(temporary, **packed)

    manifest = _make_manifest(plan, arrays["action_units"], settings, label_map, seed, first_subject)
    labels = [map_emotion(emotion, label_map) for emotion in manifest["emotion"]]
    return PairSet(
        manifest=manifest,
        onset=arrays["onset"],
        apex=arrays["apex"],
        labels=np.array(labels, np.int64),
        label_names=LABEL_MAPS[label_map],
        true_flow=arrays["flow"].astype(np.float32) / FLOW_UNIT,
        landmarks=arrays["landmarks"],
        action_units=arrays["action_units"],
    )


def _pack(array: np.ndarray, *axes: int) -> np.ndarray:
    """Keep differences between neighbours, which compress twice as well (integers wrap around: nothing is lost)."""
    for axis in axes:
        array = np.diff(array, axis=axis, prepend=array.dtype.type(0))
    return array


def _unpack(array: np.ndarray, *axes: int) -> np.ndarray:
    for axis in axes:
        array = np.cumsum(array, axis=axis, dtype=array.dtype)
    return array


def _make_manifest(
    plan: list[list[str]], action_units: np.ndarray, settings: Settings, label_map: str, seed: int, first_subject: int
) -> pd.DataFrame:
    """Return one row a pair; frame numbers are those of :func:`make_clip`, counted from 1."""
    rows = []
    for subject, emotions in enumerate(plan, start=first_subject):
        for clip, emotion in enumerate(emotions):
            timing = sample_timing(settings.fps, _timing_rng(seed, subject, clip))
            rows.append(
                {
                    "dataset": "synthetic",
                    "subject": f"synthetic/s{subject:03d}",
                    "clip": f"c{clip:04d}",
                    "onset": timing.onset + 1,
                    "apex": timing.apex + 1,
                    "offset": timing.offset + 1,
                    "fps": settings.fps,
                    "emotion": emotion,
                    "label": LABEL_MAPS[label_map][map_emotion(emotion, label_map)],
                    "au": facs_code(action_units[len(rows)]),
                    "path": "",
                }
            )
    return check_manifest(pd.DataFrame(rows))


def _timing_rng(seed: int, subject: int, clip: int) -> np.random.Generator:
    return np.random.default_rng([seed, 3, subject, clip])
