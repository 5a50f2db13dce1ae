"""From a video to a page: align, spot, flow, probabilities, and what to think of them (`lfdtcmen predict`)."""

import base64
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from string import Template

import cv2
import matplotlib as mpl
import numpy as np
import pandas as pd
import torch

import lfdtcmen
from lfdtcmen import viz
from lfdtcmen.analysis.gradcam import gradcam
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.datasets.frames import is_video, list_frames, read_frames, video_info
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError
from lfdtcmen.files import atomic_path
from lfdtcmen.images import grey_change
from lfdtcmen.preprocessing import flow as optical_flow
from lfdtcmen.preprocessing.align import align_faces
from lfdtcmen.preprocessing.apex import spot_interval
from lfdtcmen.preprocessing.faces import find_detector
from lfdtcmen.preprocessing.pair import pair_from_frames
from lfdtcmen.training import load_model, predict
from lfdtcmen.training.model_card import data_name, in_numbers

TEMPLATE = Path(__file__).with_suffix(".html")
MAX_FRAMES = 600  # looked at in one call: 20 seconds at 30 frames a second, 30 MB once they are aligned
USUAL_FPS = 30.0  # where nothing says it
FEW_FPS = 25.0  # below it, a fifth of a second is fewer than five frames
LONGEST_RISE = 0.5  # seconds: a whole micro-expression takes no longer than that
LEAST_MOTION = 0.2  # pixels of the 128x128 face: as much is left of noise and head motion where no muscle moves
INNER = (..., slice(24, -24), slice(24, -24))  # the face without hair and background, which the border drags along


@dataclass(frozen=True)
class Prediction:
    """What the network says of a clip, and all that the report shows. Frame numbers are the clip's own.

    ``onset_frame`` and ``apex_frame`` are aligned, uint8 [128, 128, 3]; ``flow`` runs between them, float32
    [2, 128, 128], pixels; ``maps`` are the branches' Grad-CAMs for the most probable class; ``curve`` says how much the
    face moves in each of the frames ``numbers`` [T]; ``held_out`` is what the model card says of held-out subjects.
    """

    clip: str
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
    probabilities: np.ndarray  # float32 [C]
    checkpoint: str
    about: dict
    held_out: dict | None
    warnings: tuple[str, ...]
    seconds: dict[str, float]  # of each step

    @property
    def label(self) -> str:
        """The most probable class."""
        return self.label_names[int(self.probabilities.argmax())]


def newest_checkpoint(runs: Path | str) -> Path:
    """Return the checkpoint of stage 2 or 3 that was written last below a folder of runs.

    Raises
    ------
    DataError
        There is none.
    """
    found = list(Path(runs).glob("**/stage[23]-*.pt"))
    if not found:
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
    """Say which expression a clip shows, going the way of the training data (3.1.1, 3.3.2).

    The frames are read one at a time. The whole section is aligned on its first frame to spot onset and apex; then the
    two are aligned again on the onset, as :func:`lfdtcmen.datasets.clips.prepare_clips` does.

    Parameters
    ----------
    path : path
        Video file, or folder of frames.
    checkpoint : path
        Of stage 2 or 3.
    onset, apex : int, optional
        Frame numbers, both or none: spotted where they are not given. Frames of a video count from 0.
    start, end : int, optional
        First and last frame to look at, both or none: all by default. At most MAX_FRAMES.
    fps : float, optional
        Frames a second, for a folder or where the video's own are wrong (slow motion); 30 where nothing says it.
    detector : path, optional
        ONNX file of YuNet; MTCNN by default.

    Raises
    ------
    DataError
        A clip or checkpoint that cannot be read or does not fit, no face, frame numbers that are not there or out of
        order, too many frames.
    """
    path, checkpoint = Path(path), Path(checkpoint)
    seconds, began = {}, time.perf_counter()

    def lap(step: str) -> None:
        seconds[step] = time.perf_counter() - began - sum(seconds.values())

    if (onset is None) != (apex is None):
        raise DataError("only one of onset and apex is given", "predict", "give both, or none to have them spotted")
    if onset is not None and onset >= apex:
        raise DataError(f"onset is {onset} but apex is {apex}", "predict", "the apex comes after the onset")
    if fps is not None and not 1 <= fps <= 1000:
        raise DataError(f"{fps:g} frames a second cannot be", "predict", "give 1 to 1000")
    model, about = load_model(checkpoint, EXTENDED)
    detect = find_detector(detector)
    lap("load the network")

    fps = _frame_rate(path) if fps is None else fps
    numbers: list[int] = []

    def frames() -> Iterator[np.ndarray]:
        for number, frame in _section(path, start, end):
            numbers.append(number)
            yield frame

    clip = align_faces(frames(), detect, numbers=numbers)
    if len(numbers) < 2:
        raise DataError("there is only one frame", str(path), "a micro-expression needs an onset and an apex")
    lap("read and align the clip")

    spotted = onset is None
    if spotted:
        found = spot_interval(clip.frames, fps)
        if found.apex <= found.onset:
            raise DataError("no movement was spotted in the clip", str(path), "give onset and apex, or another clip")
        onset, apex = numbers[found.onset], numbers[found.apex]
        curve, curve_name = found.curve, "share of the expression"
    else:
        for name, number in {"onset": onset, "apex": apex}.items():
            if number not in numbers:
                there = f"there are {len(numbers)} frames, {numbers[0]} to {numbers[-1]}"
                raise DataError(f"frame {number} is not there", f"--{name}", there)
        reference = clip.frames[numbers.index(onset)][None]
        curve = np.abs(grey_change(reference, clip.frames)).mean((1, 2))
        curve_name = "change since the onset (grey levels)"
    lap("spot onset and apex")

    # the clip was aligned on its first frame; the pair is aligned on its onset, as training pairs are
    pair = pair_from_frames((frame for _, frame in read_frames(path, [onset, apex])), detect, [onset, apex])
    lap("optical flow")

    one = PairSet(
        manifest=pd.DataFrame({"subject": ["unknown"]}),
        onset=pair.onset[None],
        apex=pair.apex[None],
        labels=np.zeros(1, np.int64),  # not used
        label_names=tuple(about["label_names"]),
        streams=pair.streams[None],
    )
    probabilities = predict(model, one)[0]
    maps = gradcam(model, one.batch([0]), torch.tensor([int(probabilities.argmax())]))
    lap("network and Grad-CAM")

    held_out = _held_out(checkpoint)
    doubts = [*_doubts_of_network(about, held_out), *_doubts_of_clip(pair.flow, (apex - onset) / fps, fps)]
    notes = filter(None, dict.fromkeys([clip.note, pair.note]))  # each once
    return Prediction(
        clip=path.resolve().stem if is_video(path) else path.resolve().name,
        fps=fps,
        numbers=np.array(numbers),
        curve=np.asarray(curve, np.float64),
        curve_name=curve_name,
        onset=onset,
        apex=apex,
        spotted=spotted,
        onset_frame=pair.onset,
        apex_frame=pair.apex,
        flow=pair.flow,
        maps={name: values[0].numpy() for name, values in maps.items()},
        label_names=one.label_names,
        probabilities=probabilities,
        checkpoint=checkpoint.name,
        about=about,
        held_out=held_out,
        warnings=(*doubts, *notes),
        seconds=seconds,
    )


def write_report(prediction: Prediction, folder: Path | str) -> Path:
    """Write ``report.json`` and ``report.html`` to a folder, each whole or not at all, and return the page's path.

    The page needs no other file, and neither names a folder of this machine.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    folder, began = Path(folder), time.perf_counter()
    with atomic_path(folder / "report.json") as temporary:
        temporary.write_text(json.dumps(to_dict(prediction), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    page = render_html(prediction, began)
    with atomic_path(folder / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return folder / "report.html"


def to_dict(prediction: Prediction) -> dict:
    """Return a prediction as the plain values of ``report.json``."""
    p = prediction
    return {
        "clip": p.clip,
        "date": f"{date.today()}",
        "label": p.label,
        "probabilities": {name: round(float(v), 6) for name, v in zip(p.label_names, p.probabilities, strict=True)},
        "onset": p.onset,
        "apex": p.apex,
        "spotted": p.spotted,
        "frames": {"first": int(p.numbers[0]), "last": int(p.numbers[-1]), "count": len(p.numbers), "fps": p.fps},
        "curve": [round(float(value), 6) for value in p.curve],
        "largest_motion_px": round(_largest(p.flow), 4),
        "warnings": list(p.warnings),
        "checkpoint": {"file": p.checkpoint, **p.about},
        "held_out": p.held_out,
        "seconds": {step: round(value, 3) for step, value in p.seconds.items()},
        "version": lfdtcmen.__version__,
    }


def render_html(prediction: Prediction, began: float | None = None) -> str:
    """Return the report as one page of HTML, with every picture in it; ``began`` is when the writing began."""
    p = prediction
    order = np.argsort(-p.probabilities)
    bars = "".join(
        f"<tr><th scope=row>{escape(p.label_names[k])}</th>"
        f'<td><span class=bar><i style="width:{100 * p.probabilities[k]:.1f}%"></i></span></td>'
        f"<td>{p.probabilities[k]:.2f}</td></tr>"
        for k in order
    )
    warnings = ""
    if p.warnings:
        items = "".join(f"<li>{escape(text)}</li>" for text in p.warnings)
        warnings = f'<section class="warnings"><ul>{items}</ul></section>'
    found = (
        "Both were spotted by the program: look whether the curve bears them out." if p.spotted else "Both were given."
    )
    took = f"{(p.apex - p.onset) / p.fps:.2f} s later at {p.fps:g} frames a second"
    page = {
        "clip": escape(p.clip),
        "date": f"{date.today()}",
        "warnings": warnings,
        "label": escape(p.label),
        "bars": bars,
        "panels": "".join(_panels(p)),
        "curve": _curve(p),
        "interval": f"Onset at frame {p.onset}, apex at frame {p.apex}, {took}. {found}",
        "facts": "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in _facts(p).items()),
    }
    seconds = p.seconds | ({} if began is None else {"draw the report": time.perf_counter() - began})
    steps = ", ".join(f"{step} {value:.1f} s" for step, value in seconds.items())
    page["footer"] = f"lfdtcmen {lfdtcmen.__version__}. Time: {steps}."
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(page)


def _panels(p: Prediction) -> Iterator[str]:
    """Yield the pictures of the pair, each with what it shows and its colour scale."""
    onset, apex = _photo(p.onset_frame), _photo(p.apex_frame)
    yield _figure(_image(onset, "aligned onset frame"), "Onset", f"frame {p.onset}, aligned")
    yield _figure(_image(apex, "aligned apex frame"), "Apex", f"frame {p.apex}, aligned")
    blink = f'<div class="blink">{_image(onset, "onset")}{_image(apex, "apex")}</div>'
    yield _figure(blink, "Both in turn", "what jumps is what moved")

    change = grey_change(p.onset_frame[None], p.apex_frame[None])[0]  # [128, 128]
    limit = max(_largest(change[None]), 1.0)
    figure = viz.face_panel(change, cmap="RdBu_r", limits=(-limit, limit))
    times = 128 / limit  # the colour map spreads what would be a shade of grey over its whole range
    text = f"apex - onset, magnified {times:.0f} times"
    yield _figure(
        _drawn(figure, "difference of apex and onset"), "Difference", text, "RdBu_r", -limit, limit, "grey levels"
    )

    length = np.linalg.norm(p.flow, axis=0)
    limit = max(_largest(p.flow), 1e-3)
    figure = viz.face_panel(length, flow=p.flow, limits=(0, limit))
    text = "how far (colour) and where to (arrows) the skin went"
    yield _figure(_drawn(figure, "optical flow"), "Flow", text, "cividis", 0, limit, "px")

    strain = optical_flow.strain(p.flow)
    limit = max(_largest(strain[None]), 1e-3)
    text = "how much the skin was stretched or sheared"
    drawn = _drawn(viz.face_panel(strain, limits=(0, limit)), "optical strain")
    yield _figure(drawn, "Strain", text, "cividis", 0, limit, "")

    branches = {"motion": ("Grad-CAM, motion branch", "frames"), "flow": ("Grad-CAM, flow branch", "flow")}
    for name, values in p.maps.items():
        title, source = branches[name]
        size = f"{values.shape[0]}x{values.shape[1]} places"
        # notebook 10 scores these maps on true motion: they lie on moving skin no more often than chance
        text = f"Grad-CAM of the {source} for {p.label} ({size}): no proof of where the network looked"
        if not values.any():
            text = f"nothing in the {source} speaks for {p.label}"
        figure = viz.face_panel(values, p.onset_frame, cmap="inferno", limits=(0, max(float(values.max()), 1e-6)))
        yield _figure(_drawn(figure, title), title, text, "inferno", "none", "most", "")


def _curve(p: Prediction) -> str:
    """Return the clip's curve, drawn twice: for a light and for a dark page."""
    images = []
    for ink, paper in (("#1c2230", "#ffffff"), ("#e8ebf1", "#1b2029")):
        names = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "grid.color")
        look = dict.fromkeys(names, ink) | {"figure.facecolor": paper, "axes.facecolor": paper, "font.size": 11}
        with mpl.rc_context(look | {"legend.facecolor": paper}):
            figure = viz.clip_curve(p.numbers, p.curve, p.fps, p.onset, p.apex, p.curve_name)
            drawn = io.BytesIO()
            figure.savefig(drawn, format="png")
        images.append("data:image/png;base64," + base64.b64encode(drawn.getvalue()).decode())
    dark = f'<source media="(prefers-color-scheme: dark)" srcset="{images[1]}">'
    return f'<picture>{dark}<img alt="motion over the clip" src="{images[0]}"></picture>'


def _facts(p: Prediction) -> dict[str, str]:
    """Return what the reader should know of the checkpoint: name -> text."""
    data = p.about["data"]
    facts = {"Trained on": in_numbers(data_name(data), data["subjects"], data["samples"])}
    if data["preset"]:
        facts["Drawn with"] = f"preset {data['preset']}"
    if data["fps"]:
        facts["Frame rate"] = f"{', '.join(f'{value:g}' for value in data['fps'])} a second (this clip: {p.fps:g})"
    if p.held_out is None:
        facts["How good"] = "not known: no scores of held-out subjects lie beside this checkpoint"
    else:
        for metric, score in p.held_out["scores"].items():
            interval = f"95 % interval {score['low']:.2f} to {score['high']:.2f}"
            people = f"on {p.held_out['subjects']} held-out subjects"
            majority = f"always naming the most frequent class: {score['majority']:.2f}"
            facts[metric] = f"{score['value']:.2f} {people} ({interval}); {majority}"
    about = p.about
    facts["Training"] = f"stage {about['stage']} of 3, profile {about['profile']}, seed {about['seed']}"
    facts["Checkpoint"] = f"{p.checkpoint}, made {about['date']} with lfdtcmen {about['version']}"
    return facts


def _doubts_of_network(about: dict, held_out: dict | None) -> Iterator[str]:
    if about["data"]["synthetic"]:
        yield (
            "The network has learned from drawn faces only: what it says of a real face shows how the method works "
            "and says nothing about the person."
        )
    if about["epoch"] < about["epochs"]:
        yield f"Training of this checkpoint broke off after epoch {about['epoch']} of {about['epochs']}."
    if held_out is not None:
        score = held_out["scores"]["UF1"]
        if score["low"] <= score["majority"]:
            yield "On held-out subjects this network was not clearly better than always naming the most frequent class."


def _doubts_of_clip(flow: np.ndarray, rise: float, fps: float) -> Iterator[str]:
    if (most := _largest(flow)) < LEAST_MOTION:
        yield f"Hardly anything moves from onset to apex ({most:.2f} px at most): the classes below tell noise apart."
    if rise > LONGEST_RISE:
        yield f"From onset to apex it takes {rise:.2f} s: a micro-expression is over within half a second."
    if fps < FEW_FPS:
        yield f"At {fps:g} frames a second a micro-expression has too few frames to be seen well."


def _largest(field: np.ndarray) -> float:
    """Return the length of [K, H, W] where it is longest within the face: its 99th percentile."""
    return float(np.percentile(np.linalg.norm(field[INNER], axis=0), 99))


def _frame_rate(path: Path) -> float:
    fps = video_info(path)[1] if is_video(path) else USUAL_FPS
    return fps if np.isfinite(fps) and 1 <= fps <= 1000 else USUAL_FPS  # some files say 0 or 90000


def _section(path: Path, start: int | None, end: int | None) -> Iterator[tuple[int, np.ndarray]]:
    """Yield number and frame of the section, or of the whole clip."""
    if (start is None) != (end is None):
        raise DataError("only one of start and end is given", "predict", "give both, or none for the whole clip")
    if start is not None and start >= end:
        raise DataError(f"the section runs from {start} to {end}", "predict", "it starts before it ends")
    numbers = None
    if path.is_dir():
        numbers = [number for number in list_frames(path) if start is None or start <= number <= end]
        if not numbers:
            raise DataError(f"there are no frames from {start} to {end}", str(path), "look at the names of the files")
    elif start is not None:
        numbers = range(start, end + 1)
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


def _held_out(checkpoint: Path) -> dict | None:
    """Return the held-out scores that `lfdtcmen train` wrote beside the checkpoints, where they are this one's."""
    try:
        record = json.loads((checkpoint.parent.parent / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record["held_out"] if record.get("checkpoint") == checkpoint.name else None


# ---------------------------------------------------------------- pieces of the page


def _figure(image: str, title: str, text: str, cmap: str | None = None, low=None, high=None, unit: str = "") -> str:
    scale = ""
    if cmap is not None:
        colours = ",".join(mpl.colors.to_hex(mpl.colormaps[cmap](x)) for x in np.linspace(0, 1, 9))
        ends = [value if isinstance(value, str) else f"{value:.2g}" for value in (low, high)]
        bar = f'<i style="background:linear-gradient(90deg,{colours})"></i>'
        scale = f"<span class=scale>{ends[0]}{bar}{ends[1]} {unit}</span>"
    return f"<figure>{image}<figcaption><b>{escape(title)}</b>{escape(text)}{scale}</figcaption></figure>"


def _image(data: bytes, alt: str) -> str:
    return f'<img alt="{escape(alt)}" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'


def _photo(frame: np.ndarray) -> bytes:
    """Return a frame as JPEG, three times as large, so that a browser has nothing to smooth."""
    large = cv2.resize(frame, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", cv2.cvtColor(large, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def _drawn(figure: mpl.figure.Figure, alt: str) -> str:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="jpeg", pil_kwargs={"quality": 88})
    return _image(drawn.getvalue(), alt)
