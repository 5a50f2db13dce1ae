"""What the tests of all themes share: random arrays, and what is asked of every figure."""

import io

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lfdtcmen import viz

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
OTHER_FRAMES = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
FLOW = RNG.normal(size=(3, 2, 32, 32)).astype(np.float32)
FLOW_LENGTH = np.linalg.norm(FLOW, axis=1)
NAMES = ("negative", "positive", "surprise")


def check_figure(figure: Figure, panels: int, images: int, text: str) -> None:
    """Fail unless a figure can be saved, fits a notebook's width, leaves pyplot alone, and shows so much.

    Parameters
    ----------
    figure : Figure
    panels : int
        Visible axes, those of colour bars too.
    images : int
        Images in all of them.
    text : str
        A title, label or text of one of them.
    """
    assert isinstance(figure, Figure)
    assert figure.get_figwidth() <= viz.WIDTH + 0.3
    figure.savefig(io.BytesIO(), format="png")
    axes = [ax for ax in figure.axes if ax.get_visible()]
    assert len(axes) == panels and sum(len(ax.images) for ax in axes) == images
    labels = [(ax.get_title(), ax.get_xlabel(), ax.get_ylabel(), *(t.get_text() for t in ax.texts)) for ax in axes]
    assert text in [label for of_one in labels for label in of_one]
    assert plt.get_fignums() == []  # nothing stays open, nothing is shown twice


def image(ax: Axes, number: int = 0) -> np.ndarray:
    return np.asarray(ax.images[number].get_array())


def titles(axes) -> list[str]:
    return [ax.get_title() for ax in axes]
