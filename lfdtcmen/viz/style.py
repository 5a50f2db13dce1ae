"""What all figures share: sizes, colours, small drawing helpers, checks.

Colours are safe for colour-blind readers (seaborn's "colorblind", cividis, RdBu_r), sizes fit a notebook's width.
"""

import base64
import io
import sys
from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from PIL import Image

from lfdtcmen.errors import DataError

WIDTH = 8.4  # inches: a notebook's text width
DPI = 90  # with this width 756 pixels: larger pictures of noisy faces make a notebook heavy
PALETTE = sns.color_palette("colorblind")
# 9 colours that stand out on white (no light pink, no yellow) x 12 shapes: enough for 108 groups
GROUP_COLOURS = [*(PALETTE[k] for k in (0, 1, 2, 3, 4, 5, 7, 9)), "black"]
GROUP_MARKERS = "os^Dv<>P*XpH"
COLOUR_STEP = 8  # of 256: no eye sees it, and camera noise, which PNG cannot compress, takes half the room


def show_figures_inline(dpi: int = DPI) -> None:
    """Let a notebook show a Figure that ends a cell; outside a notebook, do nothing.

    IPython learns it from pyplot, which the figures of this package do without.

    Parameters
    ----------
    dpi : int
        Dots per inch of the pictures: fewer where many noisy faces would make a notebook heavy.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        formatter = shell.display_formatter.formatters["image/png"]
        formatter.for_type(Figure, lambda figure: base64.b64encode(to_png(figure, dpi)).decode())


def to_png(figure: Figure, dpi: int | None = None) -> bytes:
    """Return a figure as PNG, its colours rounded so that pictures of noisy faces stay light.

    Parameters
    ----------
    figure : Figure
    dpi : int, optional
        Dots per inch; the figure's own by default.
    """
    exact, rounded = io.BytesIO(), io.BytesIO()
    figure.savefig(exact, format="png", dpi=dpi or "figure", bbox_inches="tight")
    pixels = np.asarray(Image.open(exact).convert("RGB")).astype(int)  # [H, W, 3]
    pixels = (pixels + COLOUR_STEP // 2) // COLOUR_STEP * COLOUR_STEP
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(rounded, "PNG", optimize=True)
    return rounded.getvalue()


def image_grid(
    rows: int,
    columns: int,
    titled: bool = False,
    bars: bool = False,
    heading: str | None = None,
    max_side: float = 2.0,
) -> tuple[Figure, np.ndarray]:
    """Return a figure no wider than a notebook and its [rows, columns] axes, square and without ticks.

    ``bars`` leaves a thin row below for :func:`colour_bar`, so that a bar takes no room from the images above it.
    """
    side = min(WIDTH / columns, max_side)  # inches
    height = rows * side * 1.03 + 0.25 * titled + 0.7 * bars + (0.35 if heading else 0)
    figure = Figure(figsize=(side * columns + 0.2, height), dpi=DPI, layout="compressed")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    grid = figure.add_gridspec(rows + bars, columns, height_ratios=[1] * rows + [0.08] * bars)
    axes = [[bare(figure.add_subplot(grid[r, c])) for c in range(columns)] for r in range(rows)]
    if heading:
        figure.suptitle(heading, fontsize=11)
    return figure, np.array(axes)


def bare(ax: Axes) -> Axes:
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def symmetric_limit(values: np.ndarray) -> float:
    """Return the colour range that leaves out the few largest values: noise would else hide the motion."""
    return float(max(np.percentile(np.abs(values), 99.5), 1e-6))


def colour_bar(
    figure: Figure, image: AxesImage | ScalarMappable, columns: slice, label: str, alpha: float | None = None
) -> None:
    """Draw a colour bar into the last row of an image grid, below the given columns, as see-through as the image."""
    last_row = figure.axes[0].get_gridspec()[-1, columns]
    bar = figure.colorbar(image, cax=figure.add_subplot(last_row), orientation="horizontal", alpha=alpha)
    if len(last_row.colspan) == 1:
        bar.locator = MaxNLocator(3)  # the numbers of narrow bars side by side would run into each other
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def write_above(ax: Axes, number: str, x: float, y: float) -> None:
    """Write x, in the format ``number``, above its mark, with a white edge: a line would strike it through."""
    look = {"ha": "center", "fontsize": 8, "zorder": 4, "path_effects": [withStroke(linewidth=3, foreground="white")]}
    ax.annotate(number.format(x), (x, y), (0, 6), textcoords="offset points", **look)


def thousands(value: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:g}"


def check_frames(frames: np.ndarray, where: str) -> np.ndarray:
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not len(frames):
        raise DataError(
            f"frames must be uint8 [N, H, W, 3] with N > 0, got {frames.dtype} {list(frames.shape)}",
            where,
            "turn network output into frames with lfdtcmen.viz.plots.as_frames",
        )
    return frames


def check_titles(values: Sequence | None, count: int, where: str) -> None:
    if values is not None and len(values) != count:
        raise DataError(f"{len(values)} given for {count} images", where)
