"""Spot the apexes of synthetic clips by every method, and compare with the true ones (section 6, limitation 2)."""

from collections.abc import Iterable

import cv2
import numpy as np
from sklearn.pipeline import Pipeline

from lfdtcmen.baselines.apex import binary_search, frame_features, lbp_distance, learn_apex, predict_apex
from lfdtcmen.datasets.synthetic.spotting import WITHOUT, spotting_clip
from lfdtcmen.preprocessing.align import align_clip
from lfdtcmen.preprocessing.apex import flow_length, frame_difference, spot_apex, spot_interval

METHODS = ("pulse", "flow", "difference", "LBP", "binary search", "learned", "midpoint", "share 0.4")
LEARNED_ON = "standard"  # the setting that the learned baseline is trained in
# a method that finds only an apex gets the presets' mean interval around it, seconds
BEFORE, AFTER = 0.13, 0.23


def training_features(seed: int, subject: int) -> tuple[np.ndarray, int]:
    """Return the features of one clip for the learned baseline, [T, 5], and its apex, counted from its onset."""
    cv2.setNumThreads(1)  # the processes already share the cores
    clip = spotting_clip(LEARNED_ON, seed, subject)
    frames = align_clip(clip.frames[clip.onset : clip.offset + 1], landmarks=clip.landmarks[clip.onset])
    return frame_features(frames), clip.apex - clip.onset


def learn(examples: Iterable[tuple[np.ndarray, int]]) -> Pipeline:
    """Train the learned baseline on what :func:`training_features` returned for each of its clips."""
    features, apexes = zip(*examples, strict=True)
    return learn_apex(features, apexes)


def contrast(curve: np.ndarray, onset: int, apex: int, offset: int) -> float:
    """Return how far a curve rises from onset to apex, in standard deviations of its other frames.

    A found expression is reported where this is above a threshold. Without other frames it is 0.
    """
    rest = np.r_[curve[:onset], curve[offset + 1 :]]
    return float((curve[apex] - curve[onset]) / max(rest.std(), 1e-6)) if len(rest) else 0.0


def spot_clip(setting: str, seed: int, subject: int, learned: Pipeline) -> list[dict]:
    """Return the errors of each method on one clip, in both tasks.

    With ``interval known`` a method gets the frames from the true onset to the true offset, aligned from the onset.
    With ``nothing known`` it gets the whole clip, aligned from its first frame.

    Parameters
    ----------
    setting, seed, subject
        As for :func:`~lfdtcmen.datasets.synthetic.spotting.spotting_clip`.
    learned : Pipeline
        From :func:`learn`.

    Returns
    -------
    list of dict
        A row per task and method: the true ``onset`` and ``offset``; ``error``, ``onset error`` and ``offset error``,
        spotted minus true frame; ``contrast`` where nothing is known (:func:`contrast`). In a clip without expression
        the errors are missing.
    """
    cv2.setNumThreads(1)
    clip = spotting_clip(setting, seed, subject)
    onset, offset = clip.onset, clip.offset
    row = {"setting": setting, "seed": seed, "fps": clip.fps, "subject": subject, "onset": onset, "offset": offset}
    rows, shown = [], setting not in WITHOUT
    if shown:
        known = align_clip(clip.frames[onset : offset + 1], landmarks=clip.landmarks[onset])
        for method, apex in _known_interval(known, learned).items():
            found = {"error": onset + apex - clip.apex, "onset error": np.nan, "offset error": np.nan}
            rows.append(row | {"task": "interval known", "method": method} | found | {"contrast": np.nan})
    whole = align_clip(clip.frames, landmarks=clip.landmarks[0])
    for method, (start, apex, end, height) in _nothing_known(whole, clip.fps).items():
        errors = np.subtract((apex, start, end), (clip.apex, onset, offset)) if shown else np.full(3, np.nan)
        found = dict(zip(("error", "onset error", "offset error"), errors.tolist(), strict=True))
        rows.append(row | {"task": "nothing known", "method": method} | found | {"contrast": height})
    return rows


def _known_interval(frames: np.ndarray, learned: Pipeline) -> dict[str, int]:
    """Return each method's apex, counted from the onset."""
    last = len(frames) - 1
    features = frame_features(frames)
    difference, flow, lbp = features[1:, :3].T
    return {
        "pulse": spot_apex(frames),
        "flow": 1 + int(flow.argmax()),
        "difference": 1 + int(difference.argmax()),
        "LBP": 1 + int(lbp.argmax()),
        "binary search": 1 + binary_search(lbp),
        "learned": predict_apex(learned, features),
        "midpoint": spot_apex(frames, "midpoint"),
        "share 0.4": max(1, round(0.4 * last)),
    }


def _nothing_known(frames: np.ndarray, fps: float) -> dict[str, tuple[int, int, int, float]]:
    """Return each method's onset, apex, offset and contrast."""
    found = spot_interval(frames, fps)
    height = contrast(found.curve, found.onset, found.apex, found.offset)
    spots = {"pulse": (found.onset, found.apex, found.offset, height)}
    curves = {"flow": flow_length(frames), "difference": frame_difference(frames), "LBP": lbp_distance(frames)}
    for method, curve in curves.items():
        onset, apex, offset = _interval_around(1 + int(curve[1:].argmax()), len(frames), fps)
        spots[method] = (onset, apex, offset, contrast(curve, onset, apex, offset))
    spots["midpoint"] = (*_interval_around(len(frames) // 2, len(frames), fps), np.nan)
    return spots


def _interval_around(apex: int, length: int, fps: float) -> tuple[int, int, int]:
    return max(0, apex - round(BEFORE * fps)), apex, min(length - 1, apex + round(AFTER * fps))
