"""From a video or a folder of frames to a prediction: align, spot onset and apex, compute the flow, classify, warn."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lfdtcmen.analysis.class_activation import hirescam
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.datasets.frames import describe_rate, is_video, list_frames, read_frames, video_info
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.images import grey_change
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.predict.model_card import synthetic_only
from lfdtcmen.preprocessing.align import AlignedClip, align_faces
from lfdtcmen.preprocessing.apex import spot_interval
from lfdtcmen.preprocessing.faces import Detector, find_detector
from lfdtcmen.preprocessing.head_turn import measure_turn
from lfdtcmen.preprocessing.pair import AlignedPair, pair_from_frames
from lfdtcmen.training import load_model, predict
from lfdtcmen.training.checkpoint import EARLIER_SUFFIX, SUFFIX
from lfdtcmen.training.weights import shipped_record, shipped_weights

MAX_FRAMES = 600  # of one call: 20 seconds at 30 frames a second, 30 MB after alignment
DEFAULT_FPS = 30.0  # for a folder, and for a video whose header gives no rate
FPS_RANGE = (1.0, 1000.0)  # a rate outside it is an error of the header or of the user
LOW_FPS = 25.0  # below it, a fifth of a second is fewer than five frames
LONGEST_RISE = 0.5  # seconds from onset to apex: a whole micro-expression takes no longer than that
SMALLEST_MOTION = 0.2  # pixels of the 128x128 face: noise and remaining head motion alone can reach it
FACE_CENTRE = (..., slice(24, -24), slice(24, -24))  # without hair and background, which alignment moves at the border


@dataclass(frozen=True)
class Prediction:
    """What the network predicts for a clip, and all that the report shows. Frame numbers are the clip's own.

    ``clip`` is its name, and ``source`` a digest of its path, which tells clips of one name apart;
    ``onset_frame`` and ``apex_frame`` are aligned, uint8 [128, 128, 3]; ``flow`` runs from the first to the second,
    float32 [2, 128, 128], pixels; ``maps`` holds each branch's HiResCAM [h, w] for the most probable class; ``curve``
    [T] measures how far the expression has gone in each of the frames ``numbers`` [T]; ``probabilities`` is float32
    [C]; ``about`` is what the checkpoint records of its training; ``held_out`` holds its scores on held-out subjects,
    None where they are not known; ``seconds`` is the time that each step took.
    """

    clip: str
    source: str
    fps: float
    numbers: np.ndarray
    curve: np.ndarray
    curve_name: str
    onset: int
    apex: int
    spotted: bool
    onset_frame: np.ndarray
    apex_frame: np.ndarray
    flow: np.ndarray
    maps: dict[str, np.ndarray]
    label_names: tuple[str, ...]
    probabilities: np.ndarray
    checkpoint: str
    about: dict
    held_out: dict | None
    warnings: tuple[str, ...]
    seconds: dict[str, float]

    @property
    def label(self) -> str:
        """The most probable class."""
        return self.label_names[int(self.probabilities.argmax())]


@dataclass(frozen=True)
class Interval:
    """Onset and apex as frame numbers, and the curve [T] that shows them in the clip."""

    onset: int
    apex: int
    curve: np.ndarray
    curve_name: str


def newest_checkpoint(runs: Path | str) -> Path:
    """Return the checkpoint of stage 2 or 3 that was written last below a folder of runs; else the shipped one.

    Raises
    ------
    DataError
        There is neither.
    """
    found = list(Path(runs).glob(f"**/stage[23]-*{SUFFIX}")) or [*shipped_weights().values()][:1]
    if not found:
        if any(Path(runs).glob(f"**/stage[23]-*{EARLIER_SUFFIX}")):
            raise DataError("all trained networks are of an earlier version of lfdtcmen", str(runs), "train again")
        raise DataError("there is no trained network yet", str(runs), "train one with `lfdtcmen train`")
    return max(found, key=lambda file: file.stat().st_mtime_ns)


def predict_clip(
    path: Path | str,
    checkpoint: Path | str,
    onset: int | None = None,
    apex: int | None = None,
    start: int | None = None,
    end: int | None = None,
    fps: float | None = None,
    detector: Path | str | None = None,
) -> Prediction:
    """Classify the expression in a clip, with the preparation that the training data had (3.1.1, 3.3.2).

    Frames are read one at a time. The whole section is aligned on its first frame to spot onset and apex; then these
    two are aligned again on the onset, as :func:`lfdtcmen.datasets.clips.prepare_clips` does.

    Parameters
    ----------
    path : path
        Video file, or folder of frames.
    checkpoint : path
        Checkpoint of stage 2 or 3.
    onset, apex : int, optional
        Frame numbers, both or none: spotted where they are not given. Frames of a video count from 0.
    start, end : int, optional
        First and last frame to read, both or none: the whole clip by default. At most MAX_FRAMES.
    fps : float, optional
        Frames a second, for a folder or where the video's own rate is wrong (slow motion). By default the video's own,
        or 30 where there is none.
    detector : path, optional
        ONNX file of YuNet; MTCNN by default.

    Raises
    ------
    DataError
        A clip or checkpoint that cannot be read or does not fit, no face, frame numbers that the clip does not have or
        that are out of order, too many frames.
    """
    path, checkpoint, seconds = Path(path), Path(checkpoint), dict[str, float]()
    given = _check_numbers("onset", onset, "apex", apex, "give both, or none to have them spotted")
    section = _check_numbers("start", start, "end", end, "give both, or none for the whole clip")
    if fps is not None and not FPS_RANGE[0] <= fps <= FPS_RANGE[1]:
        raise DataError(f"{fps:g} frames a second is no usable rate", "predict", "give 1 to 1000")

    with _timed("load the network", seconds):
        model, about = load_model(checkpoint, EXTENDED)
        detect = find_detector(detector)
    with _timed("read and align the clip", seconds):
        rate_note = describe_rate(path) if fps is None and is_video(path) else ""
        fps = _frame_rate(path) if fps is None else fps
        alignment = about["data"].get("alignment", "similarity")  # that of the training pairs
        numbers, clip = _align_section(path, section, detect, alignment)
    with _timed("spot onset and apex", seconds):
        found = _spot(clip, numbers, fps) if given is None else _use_given(*given, clip, numbers)
    with _timed("optical flow", seconds):
        pair = _align_pair(path, found.onset, found.apex, detect, alignment)
    with _timed("network and HiResCAM", seconds):
        label_names = tuple(about["label_names"])
        probabilities, maps = _classify(model, pair, label_names)

    held_out = _read_held_out(checkpoint)
    rise = (found.apex - found.onset) / fps
    notes = filter(None, dict.fromkeys([clip.note, pair.note, rate_note]))  # each once
    return Prediction(
        clip=_readable(path.resolve().stem if is_video(path) else path.resolve().name),
        source=hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16],
        fps=fps,
        numbers=np.array(numbers),
        curve=np.asarray(found.curve, np.float64),
        curve_name=found.curve_name,
        onset=found.onset,
        apex=found.apex,
        spotted=given is None,
        onset_frame=pair.onset,
        apex_frame=pair.apex,
        flow=pair.flow,
        maps=maps,
        label_names=label_names,
        probabilities=probabilities,
        checkpoint=checkpoint.name,
        about=about,
        held_out=held_out,
        warnings=(*_warn_of_network(about, held_out), *_warn_of_clip(pair.flow, rise, fps), *notes),
        seconds=seconds,
    )


def length_percentile(field: np.ndarray) -> float:
    """Return the 99th percentile of the lengths of a field's vectors [K, H, W] in the centre of the face."""
    return float(np.percentile(np.linalg.norm(field[FACE_CENTRE], axis=0), 99))


# ---------------------------------------------------------------- the steps


def _check_numbers(first: str, low: int | None, last: str, high: int | None, advice: str) -> tuple[int, int] | None:
    """Return two frame numbers that are given together and in order, or None where neither is given."""
    if low is None and high is None:
        return None
    if low is None or high is None:
        raise DataError(f"only one of {first} and {last} is given", "predict", advice)
    if low >= high:
        raise DataError(f"{first} is {low} but {last} is {high}", "predict", f"{last} comes after {first}")
    return low, high


@contextmanager
def _timed(step: str, seconds: dict[str, float]) -> Iterator[None]:
    """Note how long a step takes."""
    began = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - began


def _readable(name: str) -> str:
    """Return a file's name as text that can be written: not every system's names are UTF-8."""
    return os.fsencode(name).decode(errors="replace")


def _frame_rate(path: Path) -> float:
    fps = video_info(path)[1] if is_video(path) else DEFAULT_FPS
    return fps if FPS_RANGE[0] <= fps <= FPS_RANGE[1] else DEFAULT_FPS  # some headers give 0, 90000 or NaN


def _align_section(
    path: Path, section: tuple[int, int] | None, detect: Detector, alignment: str
) -> tuple[list[int], AlignedClip]:
    """Return the frame numbers of the section, and its frames aligned on the first of them."""
    numbers: list[int] = []

    def frames() -> Iterator[np.ndarray]:
        for number, frame in _read_section(path, section):
            numbers.append(number)
            yield frame

    clip = align_faces(frames(), detect, numbers=numbers, method=alignment)
    if len(numbers) < 2:
        raise DataError("there is only one frame", str(path), "a micro-expression needs an onset and an apex")
    return numbers, clip


def _read_section(path: Path, section: tuple[int, int] | None) -> Iterator[tuple[int, np.ndarray]]:
    """Yield number and frame of the section, or of the whole clip."""
    numbers: list[int] | None = None
    if path.is_dir():
        start, end = section or (-np.inf, np.inf)
        numbers = [number for number in list_frames(path) if start <= number <= end]
        if not numbers:
            raise DataError(f"there are no frames from {start} to {end}", str(path), "check the names of the files")
    elif section is not None:
        numbers = list(range(section[0], section[1] + 1))
    count = len(numbers) if numbers is not None else video_info(path)[0] if is_video(path) else 0
    if count > MAX_FRAMES:
        raise _too_many(path)
    for read, numbered in enumerate(read_frames(path, numbers)):
        if read == MAX_FRAMES:  # the header of a video may count wrong
            raise _too_many(path)
        yield numbered


def _too_many(path: Path) -> DataError:
    advice = "choose a section around the expression, with --start and --end"
    return DataError(f"there are more than {MAX_FRAMES} frames (20 s at 30 frames a second)", str(path), advice)


def _spot(clip: AlignedClip, numbers: list[int], fps: float) -> Interval:
    """Find onset and apex of the strongest expression in an aligned clip."""
    found = spot_interval(clip.frames, fps)
    return Interval(numbers[found.onset], numbers[found.apex], found.curve, "expression, as a share of the apex")


def _use_given(onset: int, apex: int, clip: AlignedClip, numbers: list[int]) -> Interval:
    """Return the given onset and apex with the curve of grey-level change; raise for frames that the clip lacks."""
    for name, number in {"onset": onset, "apex": apex}.items():
        if number not in numbers:
            there = f"give one of its {len(numbers)} frames, {numbers[0]} to {numbers[-1]}"
            raise DataError(f"frame {number} is not there", f"--{name}", there)
    reference = clip.frames[numbers.index(onset)][None]
    curve = np.abs(grey_change(reference, clip.frames)).mean((1, 2))
    return Interval(onset, apex, curve, "change since the onset (grey levels)")


def _align_pair(path: Path, onset: int, apex: int, detect: Detector, alignment: str) -> AlignedPair:
    """Align the two frames on the onset, as training pairs are, and compute flow and streams."""
    frames = (frame for _, frame in read_frames(path, [onset, apex]))
    return pair_from_frames(frames, detect, [onset, apex], alignment=alignment)


def _classify(
    model: LFDTCMEN, pair: AlignedPair, label_names: tuple[str, ...]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the probabilities [C] of one pair, and each branch's HiResCAM [h, w] for the most probable class."""
    one = PairSet(
        manifest=pd.DataFrame({"subject": ["unknown"]}),
        onset=pair.onset[None],
        apex=pair.apex[None],
        labels=np.zeros(1, np.int64),  # not used
        label_names=label_names,
        streams=pair.streams[None],
    )
    probabilities = predict(model, one)[0]
    maps = hirescam(model, one.batch([0]), torch.tensor([int(probabilities.argmax())]))
    return probabilities, {name: values[0].numpy() for name, values in maps.items()}


def _read_held_out(checkpoint: Path) -> dict | None:
    """Return the scores on held-out subjects that `lfdtcmen train` wrote for this very checkpoint, or None."""
    try:
        if checkpoint in shipped_weights().values():
            return shipped_record(checkpoint)["held_out"]
        record = json.loads((checkpoint.parent.parent / "metrics.json").read_text(encoding="utf-8"))
        scores = record["held_out"]["scores"]["UF1"] if record["checkpoint"] == checkpoint.name else {}
    except (OSError, ValueError, KeyError, TypeError):  # absent, cut off by a kill, or of another command
        return None
    return record["held_out"] if {"value", "low", "high", "majority"} <= scores.keys() else None


# ---------------------------------------------------------------- the warnings


def _warn_of_network(about: dict, held_out: dict | None) -> Iterator[str]:
    if synthetic_only(about):
        yield (
            "The network was trained on synthetic faces only: its prediction for a real face demonstrates the "
            "method, and is no evidence about the person."
        )
    if unseen := [name for name, count in about["data"]["samples"].items() if count == 0]:
        yield f"The network was trained without a clip of {', '.join(unseen)}: it cannot recognise that."
    if about["profile"] == "smoke":
        yield "The network was trained in the smallest profile, to see that training runs: its answers mean nothing."
    if about["epoch"] < about["epochs"]:
        yield f"Training of this checkpoint stopped after epoch {about['epoch']} of {about['epochs']}."
    if held_out is not None:
        score = held_out["scores"]["UF1"]
        if score["low"] is None:
            yield f"It was tested on {held_out['subjects']} subjects, too few to say how good this network is."
        elif score["low"] <= score["majority"]:
            yield (
                "On held-out subjects this network was not clearly better than always predicting the most frequent "
                "class."
            )


def _warn_of_clip(flow: np.ndarray, rise: float, fps: float) -> Iterator[str]:
    if (most := length_percentile(flow)) < SMALLEST_MOTION:
        yield f"Almost nothing moves from onset to apex ({most:.2f} px): the prediction may be based on noise."
    elif (turn := measure_turn(flow)).is_likely:
        yield (
            f"The motion from onset to apex looks like a turn of the head, which explains {turn.share:.0%} of it: the "
            "prediction may be based on the turn, and an expression under it is hard to see."
        )
    if rise > LONGEST_RISE:
        yield f"From onset to apex it takes {rise:.2f} s: a micro-expression is over within half a second."
    if fps < LOW_FPS:
        yield f"At {fps:g} frames a second a micro-expression has too few frames to be seen well."
