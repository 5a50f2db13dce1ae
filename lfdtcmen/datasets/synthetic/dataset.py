"""Whole data sets of synthetic micro-expressions, rendered once and kept on disk."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from joblib import delayed
from tqdm.auto import tqdm

from lfdtcmen.datasets.manifest import LABEL_MAPS, check_manifest, map_emotion
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic.action_units import facs_code
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS
from lfdtcmen.datasets.synthetic.plan import (
    CASME3_SUBJECTS,
    DFME_COUNTS,
    DFME_SUBJECTS,
    SUBJECTS_PER_BLOCK,
    check_subjects,
    plan_clips,
    plan_preset,
    scale_counts,
)
from lfdtcmen.datasets.synthetic.randomness import check_seed, clip_rng, timing_rng
from lfdtcmen.datasets.synthetic.renderer import RENDERER_VERSION
from lfdtcmen.datasets.synthetic.sequences import Subject, make_subject, sample_pair, sample_timing
from lfdtcmen.datasets.synthetic.settings import Settings, get_settings
from lfdtcmen.datasets.synthetic.storage import CACHE_VERSION, cache_path, load_or_render
from lfdtcmen.errors import DataError
from lfdtcmen.progress import hidden
from lfdtcmen.threads import one_cv2_thread
from lfdtcmen.workers import parallel

FLOW_UNIT = 1024  # the cache keeps flow in whole 1/1024 of a pixel
FACE_LABEL_MAPS = ("3class", "7class")  # the synthetic faces show DFME's seven emotions, and no 'others'
IMAGE_AXES = {"onset": (1, 2), "apex": (1, 2), "flow": (2, 3)}  # rows and columns


def make_dataset(
    preset: str = "standard",
    label_map: str = "3class",
    subjects: int = CASME3_SUBJECTS,
    seed: int = 0,
    n_jobs: int = 1,
    domain: str = "casme3",
    progress: bool = False,
) -> PairSet:
    """Render a data set with the class imbalance of CAS(ME)^3 part A, or load it if it was rendered before.

    The preset ``wild`` is one to train on: all that may differ between clips differs, and the three classes are
    equally frequent. Its people are in no other set.

    Parameters
    ----------
    preset : {"easy", "standard", "hard", "wild"}
        How strong the expressions and how large the nuisances are.
    label_map : {"3class", "7class"}
        How the same emotions are labelled.
    subjects : int
        100 gives 457 negative, 55 positive and 187 surprise (``wild``: 233 of each); other numbers scale the counts;
        no class becomes empty.
    seed : int
        Random seed of the subjects and of all that they show.
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
    check_label_map(label_map)
    check_seed(seed)
    plan, first = plan_preset(preset, subjects, seed)
    contents = Contents(settings, plan, seed, first)
    return make_contents(contents, f"{preset}-{domain}", label_map, n_jobs, progress)


def make_dfme(
    seed: int = 0,
    subjects: tuple[int, int, int] = (160, 48, 32),
    preset: str = "standard",
    n_jobs: int = 1,
    progress: bool = False,
) -> dict[str, PairSet]:
    """Render train, test A and test B like DFME's: seven classes, 200 frames a second, no subject in two of them.

    Parameters
    ----------
    seed : int
        Random seed of the subjects and of all that they show.
    subjects : (train, test A, test B)
        How many; the counts scale with them.
    preset, n_jobs, progress
        As for :func:`make_dataset`.

    Returns
    -------
    dict
        ``train``, ``test_a`` and ``test_b``. The motions of test B are a little fainter, as the scores reported on it
        are lower.

    Raises
    ------
    DataError
        As for :func:`make_dataset`.
    """
    get_settings(preset, "dfme")  # fails here where it is unknown
    if len(subjects) != len(DFME_COUNTS):
        raise DataError(f"{len(subjects)} numbers of subjects", "make_dfme", "give three: train, test A, test B")
    parts = {}
    for block, (part, number) in enumerate(zip(DFME_COUNTS, subjects, strict=True), start=1):
        check_subjects(number)
        check_seed(seed)
        counts = scale_counts(DFME_COUNTS[part], number / DFME_SUBJECTS[part])
        first = block * SUBJECTS_PER_BLOCK
        contents = Contents(dfme_settings(preset, part), plan_clips(counts, number, seed, first), seed, first)
        parts[part] = make_contents(contents, f"{preset}-dfme-{part}", "7class", n_jobs, progress)
    return parts


def dfme_settings(preset: str, part: str) -> Settings:
    """Return preset and camera of one of DFME's parts; the motions of ``test_b`` are a little fainter."""
    settings = get_settings(preset, "dfme")
    return replace(settings, intensity=0.9 * settings.intensity) if part == "test_b" else settings


@dataclass(frozen=True)
class Contents:
    """Everything on which the images of a data set depend: its subjects, what they show, and the settings."""

    settings: Settings
    plan: list[list[str]]  # emotions of each subject's clips
    seed: int
    first_subject: int = 0
    dataset: str = "synthetic"  # as the manifest says
    make_person: Callable[[int, int, Settings], Subject] = make_subject  # seed, number, settings

    def clips(self) -> Iterator[tuple[int, int, str]]:
        """Yield subject, clip and emotion of each sample, in the order of the data set."""
        for subject, emotions in enumerate(self.plan, start=self.first_subject):
            for clip, emotion in enumerate(emotions):
                yield subject, clip, emotion


def check_label_map(label_map: str) -> None:
    """Raise a DataError unless the synthetic faces have the label map."""
    if label_map not in FACE_LABEL_MAPS:
        use = f"use one of {', '.join(FACE_LABEL_MAPS)}"
        raise DataError(f"unknown label map {label_map!r}", "synthetic faces", use)


def make_contents(contents: Contents, name: str, label_map: str, n_jobs: int, progress: bool) -> PairSet:
    """Load a data set from the cache, or render it.

    Parameters
    ----------
    contents : Contents
        All that its images depend on.
    name : str
        Beginning of the file's name in the cache, and of the progress bar.
    label_map, n_jobs, progress
        As for :func:`make_dataset`.
    """
    inputs = [
        *(asdict(contents.settings), contents.plan, int(contents.seed), contents.first_subject),
        *(RENDERER_VERSION, CACHE_VERSION),
    ]
    path = cache_path(f"{name}-{len(contents.plan)}-{contents.seed}", inputs)
    arrays = load_or_render(path, IMAGE_AXES, lambda: _render_subjects(contents, name, n_jobs, progress))
    manifest = _make_manifest(contents, arrays["action_units"], label_map)
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


def _render_subjects(contents: Contents, name: str, n_jobs: int, progress: bool) -> dict[str, np.ndarray]:
    """Render all subjects, one job each, and join their arrays."""
    jobs = (
        delayed(render_subject)(contents.seed, subject, emotions, contents.settings, contents.make_person)
        for subject, emotions in enumerate(contents.plan, start=contents.first_subject)
    )
    rendered = parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    total = len(contents.plan)
    parts = list(tqdm(rendered, f"rendering {name}", total=total, unit="subject", disable=hidden(progress)))
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def render_subject(
    seed: int,
    subject: int,
    emotions: list[str],
    settings: Settings,
    make_person: Callable[[int, int, Settings], Subject] = make_subject,
) -> dict[str, np.ndarray]:
    """Render all clips of one subject: the work of one job.

    Parameters
    ----------
    seed : int
        Random seed of the data set.
    subject : int
        Number of the subject.
    emotions : list of str
        What each clip shows.
    settings : Settings
        Preset and camera.
    make_person : callable
        Makes the subject.

    Returns
    -------
    dict
        Arrays as the cache keeps them: onset and apex uint8 [N, SIZE, SIZE, 3], flow int16 [N, 2, SIZE, SIZE] in
        1/1024 of a pixel, landmarks [N, 5, 2], action_units [N, len(ACTION_UNITS), 2].
    """
    with one_cv2_thread():
        person = make_person(seed, subject, settings)
        pairs = [sample_pair(person, e, settings, clip_rng(seed, subject, c)) for c, e in enumerate(emotions)]
    return {
        "onset": np.stack([p.onset for p in pairs]),
        "apex": np.stack([p.apex for p in pairs]),
        "flow": np.round(np.stack([p.flow for p in pairs]) * FLOW_UNIT).astype(np.int16),
        "landmarks": np.stack([p.landmarks for p in pairs]),
        "action_units": np.stack([p.action_units for p in pairs]),
    }


def _make_manifest(contents: Contents, action_units: np.ndarray, label_map: str) -> pd.DataFrame:
    """Return one row per pair; frame numbers are those of :func:`make_clip`, counted from 1."""
    names, fps = LABEL_MAPS[label_map], contents.settings.fps
    labels = {e: names[number] for e in EMOTIONS if (number := map_emotion(e, label_map)) is not None}
    rows = []
    for (subject, clip, emotion), units in zip(contents.clips(), action_units, strict=True):
        timing = sample_timing(fps, timing_rng(contents.seed, subject, clip))
        rows.append(
            {
                "dataset": contents.dataset,
                "subject": f"{contents.dataset}/s{subject:03d}",
                "clip": f"c{clip:04d}",
                "onset": timing.onset + 1,
                "apex": timing.apex + 1,
                "offset": timing.offset + 1,
                "fps": fps,
                "emotion": emotion,
                "label": labels[emotion],
                "au": facs_code(units),
                "path": "",
                "seed": contents.seed,  # names of subjects are the same for every seed, the people are not
            }
        )
    return check_manifest(pd.DataFrame(rows))
