"""Sliders for a notebook, each around a figure of :mod:`lfdtcmen.viz`. They need the extra "notebooks".

A widget is a box of controls; its last child is the picture, made anew when a control changes.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from lfdtcmen import viz
from lfdtcmen.analysis.codes import drl_of, evaluation_mode, to_tensor
from lfdtcmen.analysis.inflation import count_epochs, steps_of_counts
from lfdtcmen.beyond.extended_drl import generate_from
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.synthetic import Counterfactuals, action_unit_field, draw_face, warp_photograph
from lfdtcmen.datasets.synthetic.action_units import NAMES, to_intensity
from lfdtcmen.errors import DataError, missing_extra
from lfdtcmen.images import as_frames, grey_change
from lfdtcmen.preprocessing.apex import flow_length, frame_difference, spot_apex, spot_interval
from lfdtcmen.preprocessing.flow import strain

try:
    import ipywidgets
except ImportError as error:
    raise missing_extra("lfdtcmen.viz.widgets", "notebooks") from error

PICTURE_DPI = 90  # a small picture is made fast enough to follow the slider
FRAME_DURATION = 400  # milliseconds a frame of the animated face
# a control is 300 px wide by default, too narrow for a long name and a slider
WIDE = {"style": {"description_width": "16em"}, "layout": {"width": "38em"}}
LIMITS = (40.0, 3.0, 0.5)  # grey levels, pixels, strain: fixed, so that the pictures can be compared


class _Panel(ipywidgets.VBox):
    """A box of controls above a picture, which a page without a kernel shows as a sentence."""

    def __repr__(self) -> str:
        return "Controls above a picture; they need a running kernel."


def action_unit_slider(
    units: Sequence[int] = (12, 6, 1, 4, 15, 26),
    subjects: int = 20,
    seed: int = 0,
    photograph: tuple[np.ndarray, np.ndarray] | None = None,
) -> ipywidgets.VBox:
    """Move a face by action units; the static figure is :func:`~lfdtcmen.viz.action_unit_sheet`.

    Parameters
    ----------
    units : sequence of int
        FACS numbers, one slider each. Their motions add up: 6 and 12 make a smile. The first one starts at 1.5 px.
    subjects : int
        How many synthetic faces to choose from.
    seed : int
        Random seed of the synthetic data set.
    photograph : tuple, optional
        A real face instead of the synthetic ones: the frame, uint8 [128, 128, 3], and its five landmarks [5, 2], as
        :func:`lfdtcmen.datasets.synthetic.warp_photograph` takes them.

    Returns
    -------
    ipywidgets.VBox
        Controls: subject (synthetic faces only), side, intensity of each unit (pixels). The picture shows the face at
        rest, with the units, the difference, the exact motion and its strain.

    Raises
    ------
    DataError
        An unknown action unit, or a photograph that :func:`warp_photograph` does not accept.
    """
    to_intensity(dict.fromkeys(units, 0.0))  # raises on an unknown unit
    sides = [("both", (1, 1)), ("image-left", (1, 0)), ("image-right", (0, 1))]
    controls = {"subject": ipywidgets.IntSlider(description="subject", min=0, max=subjects - 1, **WIDE)}
    if photograph is not None:
        controls = {}
    controls["side"] = ipywidgets.Dropdown(description="side of the face", options=sides, **WIDE)
    for k, unit in enumerate(units):
        name, start = f"AU{unit} {NAMES[unit]} (px)", 0.0 if k else 1.5
        controls[f"au{unit}"] = ipywidgets.FloatSlider(description=name, value=start, max=3, step=0.1, **WIDE)

    def draw(side: tuple[int, int], subject: int = 0, **pixels: float) -> Figure:
        acting = {unit: (side[0] * pixels[f"au{unit}"], side[1] * pixels[f"au{unit}"]) for unit in units}
        if photograph is None:
            rest, moved = (draw_face(subject, u, seed=seed) for u in (None, acting))
            flow = action_unit_field(acting, subject, seed=seed)
        else:
            rest = photograph[0]
            moved, flow = warp_photograph(*photograph, acting)
        deformed = strain(flow)[None]
        return viz.pair_strip(rest[None], moved[None], flow[None], deformed, flow_name="exact motion", limits=LIMITS)

    return _slider(controls, draw)


def motion_swap_slider(model: nn.Module, counterfactuals: Counterfactuals) -> ipywidgets.VBox:
    """Give one face another's motion, at any strength; the static figure is :func:`~lfdtcmen.viz.swap_grid`.

    The motion code runs along the line from the driver's onset to its apex: mo(I_on) + s (mo(I_ap) - mo(I_on)). At
    strength 0 the generated change is zero; at 1 it should equal the true one; above 1 it is exaggerated. The truth
    and both errors (of the generated face, and of a copy of the identity's frame) are those of strength 1.

    Parameters
    ----------
    model : nn.Module
        With a generator. All frames are encoded once, here.
    counterfactuals : Counterfactuals
        As :func:`lfdtcmen.datasets.synthetic.make_counterfactuals` gives them.

    Returns
    -------
    ipywidgets.VBox
        Controls: identity, driver (whose motion), motion, strength.

    Raises
    ------
    DataError
        The model has no generator.
    """
    drl = drl_of(model)
    if drl.generator is None:
        raise DataError("the model has no generator to swap with", "motion_swap_slider", "build it with drl='full'")
    people = len(counterfactuals.onset)
    with torch.no_grad(), evaluation_mode(model):
        onset = [drl.encode(to_tensor(frame[None], model)) for frame in counterfactuals.onset]
        apex = [[drl.encode(to_tensor(frame[None], model)) for frame in frames] for frames in counterfactuals.apex]
    true = grey_change(counterfactuals.onset_clean[:, None], counterfactuals.apex_clean)  # [I, M, H, W]
    names = [(f"{k}: {emotion}", k) for k, emotion in enumerate(counterfactuals.emotions)]
    controls = {
        "identity": ipywidgets.IntSlider(description="identity", min=0, max=people - 1, **WIDE),
        "driver": ipywidgets.IntSlider(description="driver", value=min(1, people - 1), min=0, max=people - 1, **WIDE),
        "motion": ipywidgets.Dropdown(description="motion", options=names, **WIDE),
        "strength": ipywidgets.FloatSlider(description="strength", value=1, min=0, max=3, step=0.1, **WIDE),
    }

    @torch.no_grad()
    def draw(identity: int, driver: int, motion: int, strength: float) -> Figure:
        rest, moved = onset[driver], apex[driver][motion]
        code = rest.motion + strength * (moved.motion - rest.motion)  # [1, 256, h, w]
        with evaluation_mode(model):
            images = [generate_from(drl, onset[identity], c, rest) for c in (rest, replace(moved, motion=code))]
        before, after = (image.float().cpu() for image in images)  # [1, 3, H, W]
        change = 255 * (after - before).mean(1)[0].numpy()  # [H, W]
        return viz.swap_strip(
            counterfactuals.onset[identity],
            counterfactuals.apex[driver, motion],
            as_frames(after)[0],
            change,
            true[identity, motion],
            counterfactuals.apex_clean[identity, motion],
        )

    return _slider(controls, draw)


def loss_weight_sliders(
    losses: Mapping[str, float], gradients: np.ndarray, weights: Mapping[str, float]
) -> ipywidgets.VBox:
    """Weigh the losses of one batch; the static figure is :func:`~lfdtcmen.viz.loss_weight_bars`.

    The sum and its gradient are linear in the weights, so one backward pass per loss, made beforehand, serves all
    positions of the sliders.

    Parameters
    ----------
    losses : mapping
        Loss -> its value on the batch, before its weight.
    gradients : ndarray
        Gradient of each loss before its weight, in the order of ``losses``, for the parameters to look at, [L, P].
    weights : mapping
        Loss -> the weight at which its slider starts; 0 for a loss that is missing.

    Returns
    -------
    ipywidgets.VBox
        Controls: a weight for each loss, from 0 to four times its start (to 1 if it starts at 0).

    Raises
    ------
    DataError
        Another number of gradients than of losses.
    """
    gradients = np.asarray(gradients, np.float64)
    if gradients.ndim != 2 or len(gradients) != len(losses):
        raise DataError(f"gradients {list(gradients.shape)} for {len(losses)} losses", "loss_weight_sliders")
    products = gradients @ gradients.T  # [L, L]
    controls = {}
    for name in losses:
        start = weights.get(name, 0.0)
        top = 4 * start or 1.0
        look = {"max": top, "step": top / 80, "readout_format": ".3g"} | WIDE
        controls[name] = ipywidgets.FloatSlider(description=name, value=start, **look)
    return _slider(controls, lambda **chosen: viz.loss_weight_bars(losses, products, chosen))


def fold_explorer(pairs: PairSet, predictions: pd.DataFrame) -> ipywidgets.VBox:
    """Go through held-out samples, the mistakes first; the static figure is :func:`~lfdtcmen.viz.prediction_strip`.

    Parameters
    ----------
    pairs : PairSet
        With flow.
    predictions : DataFrame
        Predictions of one model and one seed, as :func:`~lfdtcmen.evaluation.cross_validate` returns them: columns
        subject, clip, label, prediction, and p_<class> for each class.

    Returns
    -------
    ipywidgets.VBox
        Controls: which samples (all mistakes, each kind of mistake, those predicted correctly), the sample (the most
        certain prediction first), the face (onset and apex in turn, or one of them). Then the face, and the picture:
        onset, difference, flow and class probabilities.

    Raises
    ------
    DataError
        Pairs without flow, predictions of several seeds, of other pairs, or of none.
    """
    flow = pairs.flow
    if flow is None:
        raise DataError("the pairs have no flow", "fold_explorer", "call prepare_pairs first")
    table = predictions.reset_index(drop=True)
    pair_of = _pair_of_each(table, pairs)  # [N]
    table = _sort_by_certainty(table, pairs.label_names)
    groups = _group_by_mistake(table)
    show = ipywidgets.Dropdown(description="show", options=list(groups), **WIDE)
    number = ipywidgets.IntSlider(description="sample", max=len(groups[show.value]) - 1, **WIDE)
    face = ipywidgets.Dropdown(description="face", options=["in turn", "onset", "apex"], **WIDE)
    flicker = ipywidgets.Image(format="gif", width=256, height=256, layout={"align_self": "flex-start"})

    def choose(_change: object) -> None:
        number.max, number.value = len(groups[show.value]) - 1, 0

    def draw(show: str, number: int, face: str) -> Figure:
        row = groups[show][number]
        k, sample = pair_of[row], table.loc[row]
        frames = {"in turn": (pairs.onset[k], pairs.apex[k]), "onset": (pairs.onset[k],), "apex": (pairs.apex[k],)}
        flicker.value = _animation(frames[face])
        title = f"{sample['subject']}, {sample['clip']}: {sample['true']}, predicted {sample['predicted']}"
        probabilities = sample[[f"p_{name}" for name in pairs.label_names]].to_numpy(float)[None]  # [1, C]
        one = (pairs.onset[[k]], pairs.apex[[k]], flow[[k]])
        return viz.prediction_strip(*one, probabilities, pairs.label_names, [sample["label"]], [title])

    show.observe(choose, names="value")  # before the figure is made: a group may be smaller than the last one
    box = _slider({"show": show, "number": number, "face": face}, draw)
    box.children = (show, number, face, flicker, box.children[-1])
    return box


def _pair_of_each(table: pd.DataFrame, pairs: PairSet) -> np.ndarray:
    """Return the position in ``pairs`` of each prediction, [N]."""
    keys, known = (pd.MultiIndex.from_frame(part[["subject", "clip"]]) for part in (table, pairs.manifest))
    if keys.has_duplicates:
        raise DataError("some clips are predicted more than once", "fold_explorer", "choose one model and one seed")
    positions = known.get_indexer(keys)
    if len(table) == 0 or (positions < 0).any():
        raise DataError(f"{(positions < 0).sum()} of {len(table)} predictions belong to no pair", "fold_explorer")
    return positions


def _sort_by_certainty(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return predictions with the names of both classes, the most certain first; the index stays."""
    largest = table[[f"p_{name}" for name in names]].to_numpy().max(1)  # [N]
    true, predicted = ([names[c] for c in table[column]] for column in ("label", "prediction"))
    return table.assign(true=true, predicted=predicted).loc[np.argsort(-largest, kind="stable")]


def _group_by_mistake(table: pd.DataFrame) -> dict[str, pd.Index]:
    """Return a label for all mistakes, each kind of mistake (the most frequent first) and the rest -> its rows."""
    wrong = table[table["prediction"] != table["label"]]
    kinds = sorted(wrong.groupby(["true", "predicted"]).groups.items(), key=lambda kind: -len(kind[1]))
    groups = {"all mistakes": wrong.index}
    groups |= {f"{true} predicted as {predicted}": rows for (true, predicted), rows in kinds}
    groups |= {"predicted correctly": table.index.difference(wrong.index, sort=False)}
    return {f"{name} ({len(rows)})": rows for name, rows in groups.items() if len(rows)}


def apex_timeline(frames: np.ndarray, fps: float, apex: int | None = None) -> ipywidgets.VBox:
    """Go through a clip and the curves that spot its apex; the static figure is :func:`~lfdtcmen.viz.clip_timeline`.

    Parameters
    ----------
    frames : ndarray
        Aligned clip, uint8 [T, 128, 128, 3].
    fps : float
        Frames a second.
    apex : int, optional
        The true or annotated apex.

    Returns
    -------
    ipywidgets.VBox
        Controls: the frame, and which curve (:mod:`lfdtcmen.preprocessing.apex`): share of the expression in each
        frame after the best pulse, length of the flow, or grey difference. Each curve spots an apex of its own.

    Raises
    ------
    DataError
        Frames that are not aligned, or an apex outside the clip.
    """
    found = spot_interval(frames, fps)
    curves = {
        "pulse": ("share of the expression", found.curve, found.apex),
        "flow": ("flow since the first frame (px)", flow_length(frames), spot_apex(frames, "flow")),
        "difference": ("grey difference (grey levels)", frame_difference(frames), spot_apex(frames, "difference")),
    }
    controls = {
        "shown": ipywidgets.IntSlider(description="frame", value=found.apex, max=len(frames) - 1, **WIDE),
        "method": ipywidgets.Dropdown(description="curve", options=list(curves), **WIDE),
    }

    def draw(shown: int, method: str) -> Figure:
        name, curve, spotted = curves[method]
        apexes = ({} if apex is None else {"true": apex}) | {"spotted": spotted}
        return viz.clip_timeline(frames, shown, curve, fps, found.onset, apexes, name)

    return _slider(controls, draw)


def inflation_slider(apart: pd.DataFrame, mixed: pd.DataFrame, num_classes: int) -> ipywidgets.VBox:
    """Inflate a score practice by practice; the static figure is :func:`~lfdtcmen.viz.score_steps`.

    Parameters
    ----------
    apart, mixed : DataFrame
        Of :func:`lfdtcmen.analysis.inflation.long_table`, with subjects apart and with samples split at random.
    num_classes : int
        C.

    Returns
    -------
    ipywidgets.VBox
        Controls: number of last epochs to choose from, number of seeds tried, split, averaging. The picture shows what
        each adds (:func:`~lfdtcmen.analysis.inflation.inflated_scores`), from the honest score to the reported one.
    """
    controls = {
        "epochs": ipywidgets.IntSlider(description="epochs", value=1, min=1, max=apart["epoch"].nunique(), **WIDE),
        "seeds": ipywidgets.IntSlider(description="seeds", value=1, min=1, max=apart["seed"].nunique(), **WIDE),
        "at_random": ipywidgets.Dropdown(
            description="split", options=[("subjects apart", False), ("samples at random", True)], **WIDE
        ),
        "over_folds": ipywidgets.Dropdown(
            description="average", options=[("pooled", False), ("over folds", True)], **WIDE
        ),
    }
    counts_apart, counts_mixed = count_epochs(apart, num_classes), count_epochs(mixed, num_classes)

    def draw(epochs: int, seeds: int, at_random: bool, over_folds: bool) -> Figure:
        return viz.score_steps(steps_of_counts(counts_apart, counts_mixed, epochs, seeds, at_random, over_folds))

    return _slider(controls, draw)


def _slider(controls: dict[str, ipywidgets.Widget], draw: Callable[..., Figure]) -> ipywidgets.VBox:
    """Return a box of the controls above the picture that ``draw`` makes of their values."""
    picture = ipywidgets.Image(format="png", layout={"align_self": "flex-start"})  # not stretched by the box
    shown: dict[str, object] | None = None  # the values of the controls in the picture

    def redraw(_change: object = None) -> None:
        nonlocal shown
        values = {name: control.value for name, control in controls.items()}
        if values != shown:  # one control may change another, and both call this
            figure = draw(**values)
            figure.set_dpi(PICTURE_DPI)
            canvas = FigureCanvasAgg(figure)
            canvas.draw()  # once: savefig would lay the figure out a second time
            png = io.BytesIO()
            Image.fromarray(np.asarray(canvas.buffer_rgba())).save(png, "PNG", compress_level=1)
            picture.value, shown = png.getvalue(), values

    for control in controls.values():
        control.observe(redraw, names="value")
    redraw()
    return _Panel([*controls.values(), picture])


def _animation(frames: Sequence[np.ndarray]) -> bytes:
    """Return frames [H, W, 3] as an endless GIF: the browser plays it, without the kernel."""
    file = io.BytesIO()
    first, *others = (Image.fromarray(frame).quantize(128) for frame in frames)
    first.save(file, "GIF", save_all=True, append_images=others, duration=FRAME_DURATION, loop=0)
    return file.getvalue()
