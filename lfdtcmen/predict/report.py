"""The report of a prediction: ``report.json``, and ``report.html``, a page that needs no other file."""

import base64
import io
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import lfdtcmen
from lfdtcmen.evaluation.intervals import describe_interval
from lfdtcmen.files import atomic_path
from lfdtcmen.images import grey_change
from lfdtcmen.predict.clip import Prediction, length_percentile
from lfdtcmen.predict.model_card import count_sentence, data_name, describe_seen, measure_commands
from lfdtcmen.preprocessing.flow import strain
from lfdtcmen.templates import render
from lfdtcmen.training.weights import SHIPPED, shipped_weights
from lfdtcmen.viz import clip_curve, face_panel

PAGE_COLOURS = {
    "light": ("#1c2230", "#ffffff"),
    "dark": ("#e8ebf1", "#1b2029"),
}  # text and background, as in report.html


@dataclass(frozen=True)
class ColourScale:
    """The colour map of a panel: its colours from low to high, and the texts at its ends."""

    colours: list[str]
    low: str
    high: str
    unit: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture of the page (a data URI) with its texts; with ``blink_with``, the page alternates both."""

    image: str
    alt: str
    title: str
    text: str
    scale: ColourScale | None = None
    blink_with: str | None = None


def write_report(prediction: Prediction, folder: Path | str) -> Path:
    """Write ``report.json`` and ``report.html`` to a folder, each whole or not at all, and return the page's path.

    The page needs no other file, and neither file contains a path of this machine.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    folder, start = Path(folder), time.perf_counter()
    with atomic_path(folder / "report.json") as temporary:
        temporary.write_text(json.dumps(to_dict(prediction), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    page = render_html(prediction, start)
    with atomic_path(folder / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return folder / "report.html"


def to_dict(prediction: Prediction) -> dict:
    """Return a prediction as the plain values of ``report.json``."""
    p = prediction
    about = {**p.about, "data": {name: value for name, value in p.about["data"].items() if name != "people"}}
    return {
        "clip": p.clip,
        "source": p.source,
        "date": f"{date.today()}",
        "label": p.label,
        "probabilities": {name: round(float(v), 6) for name, v in zip(p.label_names, p.probabilities, strict=True)},
        "onset": p.onset,
        "apex": p.apex,
        "spotted": p.spotted,
        "frames": {"first": int(p.numbers[0]), "last": int(p.numbers[-1]), "count": len(p.numbers), "fps": p.fps},
        "curve": [round(float(value), 6) for value in p.curve],
        "largest_motion_px": round(length_percentile(p.flow), 4),
        "warnings": list(p.warnings),
        "checkpoint": {"file": p.checkpoint, **about},
        "seen": describe_seen(p.about),
        "measure_it": measure_commands(p.about, _typed(p.checkpoint)),
        "held_out": p.held_out,
        "seconds": {step: round(value, 3) for step, value in p.seconds.items()},
        "version": lfdtcmen.__version__,
    }


def render_html(prediction: Prediction, start: float | None = None) -> str:
    """Return the report as one page of HTML with every picture in it.

    Parameters
    ----------
    prediction : Prediction
        What to show.
    start : float, optional
        ``time.perf_counter()`` when writing started; the page then shows how long it took.
    """
    p = prediction
    order = np.argsort(-p.probabilities)
    panels, curve = list(_panels(p)), {page: _curve(p, *colours) for page, colours in PAGE_COLOURS.items()}
    return render(
        "report.html",
        p=p,
        date=date.today(),
        probabilities=[(p.label_names[k], p.probabilities[k]) for k in order],
        panels=panels,
        curve=curve,
        facts=_facts(p),
        seen=describe_seen(p.about),
        commands=measure_commands(p.about, _typed(p.checkpoint)),
        version=lfdtcmen.__version__,
        seconds=p.seconds | ({} if start is None else {"write the report": time.perf_counter() - start}),
    )


def report_folder(prediction: Prediction, runs: Path) -> Path:
    """Return the folder of a clip's report below the runs: another one than that of another clip of the same name."""
    numbered = (f"{prediction.clip}-{number}" for number in itertools.count(2))
    folders = (runs / "predict" / name for name in itertools.chain([prediction.clip], numbered))
    return next(folder for folder in folders if _source_of(folder) in (None, prediction.source))


def _source_of(folder: Path) -> str | None:
    """Return the digest of the clip whose report lies in a folder; None without one, or of an earlier version."""
    try:
        return json.loads((folder / "report.json").read_text(encoding="utf-8")).get("source")
    except (OSError, ValueError, AttributeError):
        return None


def _typed(checkpoint: str) -> str:
    """Return what to type for a checkpoint: the report has no path of this machine."""
    shipped = [file.name for file in shipped_weights().values()][:1]
    return SHIPPED if checkpoint in shipped else f"PATH/TO/{checkpoint}"


# ---------------------------------------------------------------- pictures


def _panels(p: Prediction) -> Iterator[Panel]:
    """Yield the pictures of the pair."""
    onset, apex = _photo(p.onset_frame), _photo(p.apex_frame)
    yield Panel(onset, "aligned onset frame", "Onset", f"frame {p.onset}, aligned")
    yield Panel(apex, "aligned apex frame", "Apex", f"frame {p.apex}, aligned")
    yield Panel(onset, "onset", "Onset and apex in turn", "what jumps has moved", blink_with=apex)
    yield _difference_panel(p)

    limit = max(length_percentile(p.flow), 1e-3)
    figure = face_panel(np.linalg.norm(p.flow, axis=0), flow=p.flow, limits=(0, limit))
    text = "how far (colour) and where to (arrows) the skin moved"
    yield Panel(_jpeg(figure), "optical flow", "Flow", text, _scale("cividis", "0", f"{limit:.2g}", "px"))

    strained = strain(p.flow)  # [128, 128]
    limit = max(length_percentile(strained[None]), 1e-3)
    figure = face_panel(strained, limits=(0, limit))
    text = "how much the skin was stretched or sheared"
    yield Panel(_jpeg(figure), "optical strain", "Strain", text, _scale("cividis", "0", f"{limit:.2g}"))

    for branch in p.maps:
        yield _map_panel(p, branch)


def _difference_panel(p: Prediction) -> Panel:
    change = grey_change(p.onset_frame[None], p.apex_frame[None])[0]  # [128, 128]
    limit = max(length_percentile(change[None]), 1.0)
    figure = face_panel(change, cmap="RdBu_r", limits=(-limit, limit))
    times = 128 / limit  # a change of 128 grey levels would span the colour map unmagnified
    scale = _scale("RdBu_r", f"{-limit:.2g}", f"{limit:.2g}", "grey levels")
    text = f"apex - onset, magnified {times:.0f} times"
    return Panel(_jpeg(figure), "difference of apex and onset", "Difference", text, scale)


def _map_panel(p: Prediction, branch: str) -> Panel:
    title, source = {
        "motion": ("HiResCAM, motion branch", "frames"),
        "flow": ("HiResCAM, flow branch", "flow"),
    }[branch]
    values = p.maps[branch]  # [h, w]
    if values.any():
        # not the paper's Grad-CAM: in the flow branch, blanking what it marks changes the answer less than blanking the
        # largest flow does, and blanking what HiResCAM marks changes it most (notebook 10)
        size = f"{values.shape[0]}x{values.shape[1]} positions"
        text = f"HiResCAM of the {source} for {p.label} ({size}): a hint where the evidence lies, and no proof"
    else:
        text = f"zero everywhere: no part of the {source} raises the score of {p.label}"
    figure = face_panel(values, p.onset_frame, cmap="inferno", limits=(0, max(float(values.max()), 1e-6)))
    return Panel(_jpeg(figure), title, title, text, _scale("inferno", "none", "most"))


def _curve(p: Prediction, text: str, background: str) -> str:
    """Return the clip's curve in the colours of a page."""
    names = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "grid.color")
    look = dict.fromkeys(names, text) | dict.fromkeys(
        ("figure.facecolor", "axes.facecolor", "legend.facecolor"), background
    )
    png = io.BytesIO()
    with mpl.rc_context(mpl.RcParams(look, **{"font.size": 11})):
        clip_curve(p.numbers, p.curve, p.fps, p.onset, p.apex, p.curve_name).savefig(png, format="png")
    return _data_uri(png.getvalue(), "png")


def _scale(cmap: str, low: str, high: str, unit: str = "") -> ColourScale:
    colours = [mpl.colors.to_hex(mpl.colormaps[cmap](x)) for x in np.linspace(0, 1, 9)]
    return ColourScale(colours, low, high, unit)


def _photo(frame: np.ndarray) -> str:
    """Return a frame as JPEG, enlarged three times, so that the browser need not enlarge it."""
    large = cv2.resize(frame, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    jpeg = cv2.imencode(".jpg", cv2.cvtColor(large, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return _data_uri(jpeg.tobytes(), "jpeg")


def _jpeg(figure: Figure) -> str:
    jpeg = io.BytesIO()
    figure.savefig(jpeg, format="jpeg", pil_kwargs={"quality": 88})
    return _data_uri(jpeg.getvalue(), "jpeg")


def _data_uri(image: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


# ---------------------------------------------------------------- texts


def _facts(p: Prediction) -> dict[str, str]:
    """Return what the reader should know about the checkpoint: name -> text."""
    about, data = p.about, p.about["data"]
    facts = {"Trained on": count_sentence(data_name(data), data["subjects"], data["samples"])}
    if data["preset"]:
        facts["Synthetic faces"] = f"preset {data['preset']}"
    if data["fps"]:
        facts["Frame rate"] = (
            f"{', '.join(f'{value:g}' for value in data['fps'])} frames per second (this clip: {p.fps:g})"
        )
    if p.held_out is None:
        facts["Held-out scores"] = "not known: there is no metrics.json of the run that made this checkpoint"
    else:
        for metric, score in p.held_out["scores"].items():
            interval = describe_interval(score["low"], score["high"], ".2f", "95 % interval ")
            people = f"on {p.held_out['subjects']} held-out subjects"
            majority = f"always predicting the most frequent class: {score['majority']:.2f}"
            facts[metric] = f"{score['value']:.2f} {people} ({interval}); {majority}"
    facts["Training"] = f"stage {about['stage']} of 3, profile {about['profile']}, seed {about['seed']}"
    facts["Checkpoint"] = f"{p.checkpoint}, made {about['date']} with lfdtcmen {about['version']}"
    return facts
