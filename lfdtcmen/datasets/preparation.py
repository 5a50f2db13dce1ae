"""From pairs in memory to the network's input: registered apex, TV-L1 flow, streams (3.1.1, 3.3.2)."""

import hashlib
import warnings
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
from joblib import delayed
from tqdm.auto import tqdm

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.files import cache_dir, load_or_build
from lfdtcmen.preprocessing import align, flow
from lfdtcmen.preprocessing.geometry import CANONICAL, check_geometry
from lfdtcmen.preprocessing.pair import pair_from_faces
from lfdtcmen.progress import hidden
from lfdtcmen.threads import one_cv2_thread
from lfdtcmen.workers import parallel

PAIRS_PER_JOB = 8  # enough to hide a job's overhead, few enough to share evenly
CACHE_VERSION = "2"  # increase when the code below or lfdtcmen.preprocessing gives other numbers


def prepare_pairs(pairs: PairSet, n_jobs: int = 1, progress: bool = False, alignment: str = "similarity") -> PairSet:
    """Return the pairs with head motion removed from the apex, and with flow and streams.

    The flow runs from the onset to the *registered* apex, so that it holds the muscles' motion only. True flow, where
    it is known, is registered likewise. Pairs that have streams already come back as they are.

    Parameters
    ----------
    pairs : PairSet
        Cropped faces with head motion between onset and apex; landmarks are used if there are any. Faces lie where
        :data:`~lfdtcmen.preprocessing.geometry.CANONICAL` says; by the landmarks or, where there are none, by those
        that a detector finds in a few onsets, this is checked, with a warning where no face was found.
    n_jobs : int, default 1
        Processes; -1 for all cores. The result has the same bytes for any number.
    progress : bool, default False
        Show a progress bar over pairs.
    alignment : {"similarity", "nose"}
        How the head's motion is removed: ``method`` of :func:`~lfdtcmen.preprocessing.align.align_faces`.

    Returns
    -------
    PairSet
        ``apex`` registered (uint8), ``flow`` float32 [N, 2, H, W] rounded to half precision (under 0.001 px),
        ``streams`` float32 [N, 3, 28, 28]. Kept under :func:`~lfdtcmen.files.cache_dir` by a fingerprint
        of the frames and the settings; a damaged file is built again with a warning.

    Raises
    ------
    DataError
        No pairs, faces that lie elsewhere, landmarks that are not finite, unknown ``alignment``, or a cache folder that
        is full or cannot be written to.
    """
    align.check_method(alignment)
    if pairs.streams is not None:
        return pairs
    if len(pairs) == 0:
        raise DataError("there are no pairs to prepare", "prepare", "look at what the loader left out, and why")
    if pairs.onset.shape != pairs.apex.shape:
        raise DataError(f"onset is {list(pairs.onset.shape)} but apex is {list(pairs.apex.shape)}", "prepare")
    _check_landmarks(pairs.landmarks)

    def prepare() -> dict[str, np.ndarray]:
        if warning := check_geometry(pairs.onset, pairs.landmarks):
            warnings.warn(warning, stacklevel=4)
        return _prepare_chunks(pairs, n_jobs, progress, alignment)

    path = cache_dir() / "prepared" / f"{_fingerprint(pairs, alignment)}.npz"
    done = load_or_build(path, ("apex", "flow", "streams", "rigid"), prepare)
    true_flow = pairs.true_flow
    if true_flow is not None:
        true_flow = np.stack([align.register_flow(f, m) for f, m in zip(true_flow, done["rigid"], strict=True)])
    return replace(
        pairs,
        manifest=note_alignment(pairs.manifest, alignment),
        apex=done["apex"],
        flow=done["flow"].astype(np.float32),
        streams=done["streams"],
        true_flow=true_flow,
    )


def note_alignment(manifest: pd.DataFrame, alignment: str) -> pd.DataFrame:
    """Return a manifest whose column ``alignment`` says how the pairs were aligned, where it is not the similarity.

    A checkpoint keeps it, so that a prediction aligns a clip as the training pairs were
    (:func:`lfdtcmen.training.checkpoint.describe`).
    """
    manifest = manifest.drop(columns="alignment", errors="ignore")  # of an earlier preparation
    return manifest if alignment == "similarity" else manifest.assign(alignment=alignment)


def _prepare_chunks(pairs: PairSet, n_jobs: int, progress: bool, alignment: str) -> dict[str, np.ndarray]:
    starts = range(0, len(pairs), PAIRS_PER_JOB)
    chunks = (slice(start, start + PAIRS_PER_JOB) for start in starts)
    landmarks = pairs.landmarks
    jobs = (
        delayed(_prepare_chunk)(pairs.onset[c], pairs.apex[c], None if landmarks is None else landmarks[c], alignment)
        for c in chunks
    )
    results = []
    with tqdm(total=len(pairs), desc="align and flow", unit="pair", disable=hidden(progress)) as bar:
        # max_nbytes=None: chunks are small, and a container's /dev/shm may be smaller
        for result in parallel(n_jobs=n_jobs, return_as="generator", max_nbytes=None)(jobs):
            results.append(result)
            bar.update(len(result["apex"]))
    return {name: np.concatenate([r[name] for r in results]) for name in results[0]}


def _prepare_chunk(
    onset: np.ndarray, apex: np.ndarray, landmarks: np.ndarray | None, alignment: str
) -> dict[str, np.ndarray]:
    with one_cv2_thread():
        pairs = [
            pair_from_faces(on, ap, None if landmarks is None else landmarks[i], alignment)
            for i, (on, ap) in enumerate(zip(onset, apex, strict=True))
        ]
    return {
        "apex": np.stack([pair.apex for pair in pairs]),
        "flow": np.stack([pair.flow.astype(np.float16) for pair in pairs]),
        "streams": np.stack([pair.streams for pair in pairs]),
        "rigid": np.stack([pair.transform for pair in pairs]),  # similarities; files in the cache have this key
    }


def _check_landmarks(landmarks: np.ndarray | None) -> None:
    if landmarks is None:
        return
    if landmarks.shape[1:] != (5, 2):
        raise DataError(f"landmarks must be [N, 5, 2], got {list(landmarks.shape)}", "PairSet.landmarks")
    bad = np.flatnonzero(~np.isfinite(landmarks).all(axis=(1, 2)))
    if len(bad):
        raise DataError(
            f"landmarks of {len(bad)} pairs are NaN or infinite",
            f"PairSet.landmarks, first at row {bad[0]}",
            "leave those pairs out, or set landmarks to None to register on the middle of the frame",
        )


def _fingerprint(pairs: PairSet, alignment: str) -> str:
    """Sixteen hex digits that change with any frame or landmark, the settings and the cache version."""
    settings: tuple = (
        CACHE_VERSION,
        cv2.__version__,
        flow.TVL1_SETTINGS,
        flow.STREAM_SIZE,
        align.PASSES,
        align.ROBUST_STEPS,
        CANONICAL.tolist(),
    )
    if alignment != "similarity":  # files from before there was a choice stay valid
        settings = (*settings, alignment)
    digest = hashlib.sha256(repr((settings, pairs.onset.shape)).encode())
    for part in (pairs.onset, pairs.apex, pairs.landmarks):
        digest.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:16]
