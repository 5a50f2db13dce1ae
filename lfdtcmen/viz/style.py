"""What all figures share: sizes and colours, how a figure is shown, grids of images, layers of an image, checks.

Colours are safe for colour-blind readers (seaborn's "colorblind", cividis, RdBu_r), sizes fit a notebook's width.
"""

import io
from collections.abc import Sized

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import ColorType
from PIL import Image

from lfdtcmen.errors import DataError

WIDTH = 8.4  # inches: a notebook's text width
DPI = 90  # with this width 756 pixels: larger pictures of noisy faces make a notebook heavy
PALETTE = sns.color_palette("colorblind")
COLOUR_STEP = 8  # of 256: not visible, and camera noise, which PNG cannot compress, takes half the bytes


def to_png(figure: Figure, dpi: int | None = None) -> bytes:
    """Return a figure as PNG, its colours rounded so that figures of noisy faces stay small files.

    Parameters
    ----------
    figure : Figure
    dpi : int, optional
        Dots per inch; the figure's own by default.
    """
    exact, rounded = io.BytesIO(), io.BytesIO()
    figure.savefig(exact, format="png", dpi=dpi or "figure", bbox_inches="tight", pil_kwargs={"compress_level": 0})
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
    """Return a figure no wider than a notebook, and its axes [rows, columns], square and without ticks.

    Parameters
    ----------
    rows, columns : int
    titled : bool
        Leave room for a line above the images.
    bars : bool
        Leave a thin row below for :func:`colour_bar`, so that a bar takes no room from the images above it.
    heading : str, optional
        One line above the whole grid.
    max_side : float
        Largest side of an image, inches.
    """
    side = min(WIDTH / columns, max_side)  # inches
    height = rows * side * 1.03 + 0.25 * titled + 0.7 * bars + (0.35 if heading else 0)
    engine = ConstrainedLayoutEngine(compress=True, w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    figure = Figure(figsize=(side * columns + 0.2, height), dpi=DPI, layout=engine)
    grid = figure.add_gridspec(rows + bars, columns, height_ratios=[1] * rows + [0.08] * bars)
    axes = [[bare(figure.add_subplot(grid[r, c])) for c in range(columns)] for r in range(rows)]
    if heading:
        figure.suptitle(heading, fontsize=11)
    return figure, np.array(axes)


def bare(ax: Axes) -> Axes:
    """Take ticks and frame away from axes, and return them."""
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def symmetric_limit(values: np.ndarray) -> float:
    """Return the end of a colour range, the 99.5th percentile of absolute values: single noisy pixels do not set it."""
    return float(max(np.percentile(np.abs(values), 99.5), 1e-6))


def draw_change(ax: Axes, change: np.ndarray, limit: float) -> AxesImage:
    """Show signed values [H, W] from -limit (blue) over 0 (white) to limit (red)."""
    return ax.imshow(change, cmap="RdBu_r", vmin=-limit, vmax=limit)


def draw_flow(ax: Axes, flow: np.ndarray, limit: float | None = None, arrows: bool = True) -> AxesImage:
    """Show one flow [2, H, W]: its length as colour, from 0 to limit (pixels), its direction as arrows."""
    limit = limit or symmetric_limit(np.linalg.norm(flow, axis=0))
    image = ax.imshow(np.linalg.norm(flow, axis=0), cmap="cividis", vmin=0, vmax=limit)
    if arrows:
        draw_arrows(ax, flow, limit)
    return image


def draw_arrows(ax: Axes, flow: np.ndarray, limit: float, colour: ColorType = "white") -> None:
    """Show the direction of one flow [2, H, W] by about 14 arrows per row, where it is longer than 0.15 of limit."""
    step = max(1, flow.shape[-1] // 14)
    rows, columns = np.mgrid[step // 2 : flow.shape[1] : step, step // 2 : flow.shape[2] : step]
    u, v = flow[:, rows, columns]
    moving = np.hypot(u, v) > 0.15 * limit
    # y runs down in an image: with angles="xy" an arrow points where the skin moves
    ax.quiver(
        columns[moving],
        rows[moving],
        u[moving],
        v[moving],
        color=colour,
        angles="xy",
        scale_units="xy",
        scale=limit / (1.3 * step),
        width=0.008,
        headwidth=4,
    )


def draw_map(
    ax: Axes,
    values: np.ndarray,
    size: tuple[int, int],
    cmap: str = "inferno",
    limits: tuple[float, float] | None = None,
    alpha: float | None = None,
    smooth: bool = True,
) -> AxesImage:
    """Spread a coarse map [h, w] over an image of ``size`` (H, W).

    Parameters
    ----------
    ax : Axes
    values : ndarray
        [h, w].
    size : (H, W)
        Of the image below, pixels.
    cmap : str
    limits : (low, high), optional
        Values of the ends of the colour map; those of the map itself by default.
    alpha : float, optional
        Opacity: below 1 the image below stays visible.
    smooth : bool
        Blend neighbouring cells; without it, each of them is a rectangle.
    """
    height, width = size
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    low, high = limits or (None, None)
    how = "bilinear" if smooth else "nearest"
    return ax.imshow(values, extent=extent, interpolation=how, cmap=cmap, vmin=low, vmax=high, alpha=alpha)


def colour_bar(
    figure: Figure, image: AxesImage | ScalarMappable, columns: slice, label: str, alpha: float | None = None
) -> None:
    """Add a colour bar to the last row of an image grid, below the given columns, with the image's opacity."""
    grid = figure.axes[0].get_gridspec()
    assert grid is not None  # image_grid made it
    last_row = grid[-1, columns]
    bar = figure.colorbar(image, cax=figure.add_subplot(last_row), orientation="horizontal", alpha=alpha)
    if len(last_row.colspan) == 1:
        bar.locator = MaxNLocator(3)  # more numbers below narrow bars would overlap
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def write_above(ax: Axes, number: str, x: float, y: float) -> None:
    """Write x, in the format ``number``, above its mark, with a white edge so that no line strikes it through."""
    ax.annotate(
        number.format(x),
        (x, y),
        (0, 6),
        textcoords="offset points",
        ha="center",
        fontsize=8,
        zorder=4,
        path_effects=[withStroke(linewidth=3, foreground="white")],
    )


def check_frames(frames: np.ndarray, where: str) -> np.ndarray:
    """Return frames as an array, or raise a DataError unless they are uint8 [N, H, W, 3] with N > 0."""
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not len(frames):
        raise DataError(
            f"frames must be uint8 [N, H, W, 3] with N > 0, got {frames.dtype} {list(frames.shape)}",
            where,
            "turn network output into frames with lfdtcmen.images.as_frames",
        )
    return frames


def check_count(values: Sized | None, count: int, where: str) -> None:
    """Raise a DataError unless there is one value per image; None is fine."""
    if values is not None and len(values) != count:
        raise DataError(f"{len(values)} given for {count} images", where)


def frame_arrows(ax: Axes, points: np.ndarray, xlabel: str, ylabel: str) -> None:
    """Give a plane of arrows equal axes around all of its points [N, 2], a grid, and labels."""
    low, high = points.min(0) - 0.3, points.max(0) + 0.3
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xlabel=xlabel, ylabel=ylabel)
    ax.grid(alpha=0.3)
