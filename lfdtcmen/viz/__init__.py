"""Figures (:mod:`~lfdtcmen.viz.plots`) and the few sliders built on them (:mod:`~lfdtcmen.viz.widgets`)."""

import base64
import io
import sys

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

COLOUR_STEP = 8  # of 256: no eye sees it, and camera noise, which PNG cannot compress, takes half the room


def to_png(figure: Figure) -> bytes:
    """Return a figure as PNG, its colours rounded so that pictures of noisy faces stay light."""
    drawn, rounded = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", bbox_inches="tight")
    pixels = np.asarray(Image.open(drawn).convert("RGB")).astype(int)  # [H, W, 3]
    pixels = (pixels + COLOUR_STEP // 2) // COLOUR_STEP * COLOUR_STEP
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(rounded, "PNG", optimize=True)
    return rounded.getvalue()


def _show_figures_in_notebooks() -> None:
    """Let a notebook show a Figure that ends a cell: IPython learns it from pyplot, which the figures do without."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        formatter = shell.display_formatter.formatters["image/png"]
        formatter.for_type(Figure, lambda figure: base64.b64encode(to_png(figure)).decode())


_show_figures_in_notebooks()
