"""The clips of a whole set of pairs, short and small, for methods that need more than two frames.

Each is what a camera of 100 frames a second would see of the pair's expression: the person, action units and timing are
those of :func:`~lfdtcmen.datasets.synthetic.samples.make_clip` of that number. It has 11 frames, the onset first, the
apex in the middle and the offset last, registered on the onset as the pairs are.
"""

from collections.abc import Callable
from dataclasses import asdict, replace

import cv2
import numpy as np
from joblib import delayed
from tqdm.auto import tqdm

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic.dataset import dfme_settings
from lfdtcmen.datasets.synthetic.other_world import OTHER_SETTINGS
from lfdtcmen.datasets.synthetic.other_world import make_person as make_other_person
from lfdtcmen.datasets.synthetic.plan import (
    DFME_COUNTS,
    ENTANGLED_BLOCK,
    OTHER_WORLD_BLOCK,
    SUBJECTS_PER_BLOCK,
    WILD_BLOCK,
)
from lfdtcmen.datasets.synthetic.randomness import clip_rng, timing_rng
from lfdtcmen.datasets.synthetic.renderer import RENDERER_VERSION
from lfdtcmen.datasets.synthetic.sequences import Subject, make_subject, sample_clip, sample_timing
from lfdtcmen.datasets.synthetic.settings import Settings, get_settings
from lfdtcmen.datasets.synthetic.storage import cache_path
from lfdtcmen.errors import DataError
from lfdtcmen.files import load_or_build
from lfdtcmen.preprocessing.align import remove_head_motion
from lfdtcmen.progress import hidden
from lfdtcmen.threads import one_cv2_thread
from lfdtcmen.workers import parallel

CLIP_APEX = 5  # number of the apex in a clip, counted from 0
CLIP_FRAMES = 2 * CLIP_APEX + 1
CLIP_SIZE = 64  # pixels
CLIP_FPS = 100.0  # as in SMIC; at 30 frames a second an expression may rise within two frames
CLIPS_VERSION = 1  # increase when the code below gives other clips


def add_clips(pairs: PairSet, preset: str, domain: str = "casme3", n_jobs: int = 1, progress: bool = False) -> PairSet:
    """Return synthetic pairs with their clips, rendered once and kept on disk.

    Parameters
    ----------
    pairs : PairSet
        Of :func:`~lfdtcmen.datasets.synthetic.make_dataset`, ``make_dfme`` or ``make_other_world``, prepared or not.
    preset, domain : str
        Those that the pairs were made with.
    n_jobs : int
        Processes; -1 for all cores. The bytes do not depend on it. A clip takes about 0.4 s.
    progress : bool
        Show a progress bar.

    Returns
    -------
    PairSet
        With ``clips``, uint8 [N, 11, 64, 64]; frame 5 is the apex. Head pose, light and noise are not the pair's.

    Raises
    ------
    DataError
        The pairs are no synthetic set, or the preset or the domain is unknown.
    """
    manifest = pairs.manifest
    if not {"seed", "emotion", "clip"} <= set(manifest) or manifest["seed"].isna().any():
        raise DataError("only synthetic faces have clips here", "add_clips", "use make_dataset")
    table = manifest[["seed", "emotion"]].assign(
        seed=manifest["seed"].astype(int),
        subject=manifest["subject"].str.extract(r"/s(\d+)$", expand=False).astype(int),
        clip=manifest["clip"].str.removeprefix("c").astype(int),
    )
    settings = [asdict(_world(preset, domain, subject)[0]) for subject in table["subject"].unique()]
    distinct = [setting for i, setting in enumerate(settings) if setting not in settings[:i]]
    inputs = [distinct, table.to_numpy().tolist(), CLIP_FPS, CLIP_FRAMES, CLIP_SIZE, RENDERER_VERSION, CLIPS_VERSION]

    def render() -> dict[str, np.ndarray]:
        rows = list(table.reset_index(drop=True).groupby(["seed", "subject"], sort=False))
        jobs = (
            delayed(_render_subject)(preset, domain, seed, subject, list(part["clip"]), list(part["emotion"]))
            for (seed, subject), part in rows
        )
        rendered = parallel(n_jobs=n_jobs, return_as="generator")(jobs)
        bar = tqdm(rendered, "rendering clips", total=len(rows), unit="subject", disable=hidden(progress))
        clips = np.empty((len(table), CLIP_FRAMES, CLIP_SIZE, CLIP_SIZE), np.uint8)
        for (_, part), done in zip(rows, bar, strict=True):
            clips[part.index] = done
        return {"clips": clips}

    path = cache_path(f"clips-{preset}-{len(pairs)}", inputs)
    return replace(pairs, clips=load_or_build(path, ("clips",), render)["clips"])


def _world(preset: str, domain: str, subject: int) -> tuple[Settings, Callable[[int, int, Settings], Subject]]:
    """Return the settings of a subject's data set, and what makes the subject: the number tells the set apart."""
    block = subject // SUBJECTS_PER_BLOCK
    if block == OTHER_WORLD_BLOCK:
        return OTHER_SETTINGS, make_other_person
    if 1 <= block <= len(DFME_COUNTS):
        return dfme_settings(preset, list(DFME_COUNTS)[block - 1]), make_subject
    if block == 0 or WILD_BLOCK <= block < ENTANGLED_BLOCK:
        return get_settings(preset, domain), make_subject
    raise DataError(f"subject {subject} has no clips", "add_clips", "use make_dataset, make_dfme or make_other_world")


def _render_subject(
    preset: str, domain: str, seed: int, subject: int, clips: list[int], emotions: list[str]
) -> np.ndarray:
    """Return the clips of one subject, uint8 [N, 11, 64, 64]: the work of one job."""
    settings, make_person = _world(preset, domain, subject)
    with one_cv2_thread():
        person = make_person(seed, subject, settings)
        return np.stack(
            [
                _render_clip(person, settings, seed, subject, clip, emotion)
                for clip, emotion in zip(clips, emotions, strict=True)
            ]
        )


def _render_clip(person: Subject, settings: Settings, seed: int, subject: int, clip: int, emotion: str) -> np.ndarray:
    timing = sample_timing(CLIP_FPS, timing_rng(seed, subject, clip))
    rise = np.linspace(timing.onset, timing.apex, CLIP_APEX + 1).round().astype(int)
    fall = np.linspace(timing.apex, timing.offset, CLIP_APEX + 1).round().astype(int)
    keep = [*rise.tolist(), *fall[1:].tolist()]
    shown = sample_clip(person, emotion, settings, timing, CLIP_FPS, clip_rng(seed, subject, clip), keep)
    onset = shown.frames[0]
    frames = [onset, *(remove_head_motion(onset, frame, shown.landmarks[0]) for frame in shown.frames[1:])]
    grey = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames)
    return np.stack([cv2.resize(g, (CLIP_SIZE, CLIP_SIZE), interpolation=cv2.INTER_AREA) for g in grey])
