"""Three sliders for a notebook. They draw with :mod:`lfdtcmen.viz.plots`, so each has a static twin there.

A widget is a box whose last child is the picture: an image, redrawn when a control moves.
"""

import io
from collections.abc import Callable
from dataclasses import replace

import ipywidgets
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import nn

from lfdtcmen.analysis import evaluation_mode
from lfdtcmen.analysis.inflation import count_epochs, steps_of_counts
from lfdtcmen.datasets.synthetic import ACTION_UNITS, action_unit_field, draw_face
from lfdtcmen.datasets.synthetic.action_units import NAMES
from lfdtcmen.errors import DataError
from lfdtcmen.modules.drl import Codes
from lfdtcmen.preprocessing.flow import strain
from lfdtcmen.viz import plots

PICTURE_DPI = 70  # a slider should follow the hand: a smaller picture is drawn faster
LIMITS = (40.0, 3.0, 0.5)  # grey levels, pixels, strain: fixed, so that a stronger unit looks stronger


def action_unit_slider(subjects: int = 20, seed: int = 0) -> ipywidgets.VBox:
    """Let one action unit act on a drawn face; the static twin is :func:`~lfdtcmen.viz.plots.action_unit_sheet`.

    Parameters
    ----------
    subjects : int
        How many faces to choose from.
    seed : int
        Of the data set that the faces belong to.

    Returns
    -------
    ipywidgets.VBox
        Controls: subject, action unit, intensity on the image-left and image-right side of the face (pixels). The
        picture shows the face at rest, with the unit, the difference, the exact motion and its strain.
    """
    names = [(f"AU{unit} {NAMES[unit]}", unit) for unit in ACTION_UNITS]
    controls = {
        "subject": ipywidgets.IntSlider(description="subject", min=0, max=subjects - 1),
        "unit": ipywidgets.Dropdown(description="unit", options=names, value=12),
        "left": ipywidgets.FloatSlider(description="left (px)", value=1.5, min=0, max=3, step=0.1),
        "right": ipywidgets.FloatSlider(description="right (px)", value=1.5, min=0, max=3, step=0.1),
    }

    def draw(subject: int, unit: int, left: float, right: float) -> Figure:
        units = {unit: (left, right)}
        rest, moved = (draw_face(subject, u, seed=seed)[None] for u in (None, units))
        flow = action_unit_field(units, subject, seed=seed)
        return plots.pair_strip(rest, moved, flow[None], strain(flow)[None], flow_name="exact motion", limits=LIMITS)

    return _slider(controls, draw)


def motion_swap_slider(model: nn.Module, counterfactuals) -> ipywidgets.VBox:
    """Give one face another's motion, faintly or strongly; the static twin is :func:`~lfdtcmen.viz.plots.swap_grid`.

    The motion code runs along the line from the donor's onset to its apex: mo(I_on) + s (mo(I_ap) - mo(I_on)). At
    strength 0 the generated change is zero, at 1 it should equal the true one, above it exaggerates.

    Parameters
    ----------
    model : nn.Module
        With a generator. All frames are encoded once, here.
    counterfactuals : Counterfactuals
        As :func:`lfdtcmen.datasets.synthetic.make_counterfactuals` gives them.

    Returns
    -------
    ipywidgets.VBox
        Controls: identity, donor of the motion, motion, strength.

    Raises
    ------
    DataError
        The model has no generator.
    """
    if model.drl is None or model.drl.generator is None:
        raise DataError("the model has no generator to swap with", "motion_swap_slider", "build it with drl='full'")
    people = len(counterfactuals.onset)
    onset = [_encode(model, frame[None]) for frame in counterfactuals.onset]
    apex = [[_encode(model, frame[None]) for frame in frames] for frames in counterfactuals.apex]
    true = plots.grey_change(counterfactuals.onset_clean[:, None], counterfactuals.apex_clean)  # [I, M, H, W]
    names = [(f"{k}: {emotion}", k) for k, emotion in enumerate(counterfactuals.emotions)]
    controls = {
        "identity": ipywidgets.IntSlider(description="identity", min=0, max=people - 1),
        "donor": ipywidgets.IntSlider(description="donor", value=min(1, people - 1), min=0, max=people - 1),
        "motion": ipywidgets.Dropdown(description="motion", options=names),
        "strength": ipywidgets.FloatSlider(description="strength", value=1, min=0, max=3, step=0.1),
    }

    @torch.no_grad()
    def draw(identity: int, donor: int, motion: int, strength: float) -> Figure:
        rest, moved = onset[donor], apex[donor][motion]
        code = rest.motion + strength * (moved.motion - rest.motion)  # [1, 256, h, w]
        with evaluation_mode(model):
            images = [model.drl.generate(onset[identity], c, rest) for c in (rest, replace(moved, motion=code))]
        before, after = (image.float().cpu() for image in images)  # [1, 3, H, W]
        change = 255 * (after - before).mean(1)[0].numpy()  # [H, W]
        return plots.swap_strip(
            counterfactuals.onset[identity],
            counterfactuals.apex[donor, motion],
            plots.as_frames(after)[0],
            change,
            true[identity, motion],
        )

    return _slider(controls, draw)


def inflation_slider(apart: pd.DataFrame, mixed: pd.DataFrame, num_classes: int) -> ipywidgets.VBox:
    """Inflate a score practice by practice; the static twin is :func:`~lfdtcmen.viz.plots.score_steps`.

    Parameters
    ----------
    apart, mixed : DataFrame
        Of :func:`lfdtcmen.analysis.inflation.epoch_predictions`, with subjects apart and samples split at random.
    num_classes : int
        C.

    Returns
    -------
    ipywidgets.VBox
        Controls: number of last epochs looked at, number of seeds tried, split, averaging. The picture shows what each
        adds (:func:`~lfdtcmen.analysis.inflation.inflated_scores`), from the honest score to the reported one.
    """
    controls = {
        "epochs": ipywidgets.IntSlider(description="epochs", value=1, min=1, max=apart["epoch"].nunique()),
        "seeds": ipywidgets.IntSlider(description="seeds", value=1, min=1, max=apart["seed"].nunique()),
        "at_random": ipywidgets.Dropdown(
            description="split", options=[("subjects apart", False), ("samples at random", True)]
        ),
        "over_folds": ipywidgets.Dropdown(description="average", options=[("pooled", False), ("over folds", True)]),
    }
    counts = [count_epochs(table, num_classes) for table in (apart, mixed)]

    def draw(**chosen) -> Figure:
        return plots.score_steps(steps_of_counts(*counts, **chosen))

    return _slider(controls, draw)


def _slider(controls: dict[str, ipywidgets.Widget], draw: Callable[..., Figure]) -> ipywidgets.VBox:
    """Return a box of the controls above the picture that ``draw`` makes of their values."""
    picture = ipywidgets.Image(format="png")

    def redraw(_change=None) -> None:
        png = io.BytesIO()
        draw(**{name: control.value for name, control in controls.items()}).savefig(png, dpi=PICTURE_DPI)
        picture.value = png.getvalue()

    for control in controls.values():
        control.observe(redraw, names="value")
    redraw()
    return ipywidgets.VBox([*controls.values(), picture])


@torch.no_grad()
def _encode(model: nn.Module, frames: np.ndarray) -> Codes:
    device = next(model.parameters()).device
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float().div(255)  # [1, 3, H, W]
    with evaluation_mode(model):
        return model.drl.encode(images.to(device))
