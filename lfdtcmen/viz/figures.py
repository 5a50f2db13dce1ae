"""A figure in a notebook: its number, its caption, and a text for whoever cannot see it."""

import base64
import html
import io
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import rcsetup
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from lfdtcmen.errors import DataError
from lfdtcmen.viz.drawing import Diagram
from lfdtcmen.viz.style import PALETTE

IMAGE_DPI = 150  # of images: faces, flow fields, feature maps; plots are SVG and have none
MIN_POINTS = 10  # smallest text of a figure
QUALITY = 95  # of 100: faces with camera noise take less than half of the bytes of a PNG
CSS_DPI = 96  # a browser's pixels per inch
MANY_PIXELS = 400  # of an image: more are shown as pixels, fewer (a map of 4x4 cells) as SVG
HEAVY = 500  # marks in one collection (points of a scatter plot): more are cheaper as pixels than as SVG

_shown: dict[str, list[str]] = {"notebook": [], "captions": []}


def start_notebook(number: int) -> None:
    """Begin to number the figures of a notebook, and set matplotlib's text to 10 pt and its colours to safe ones.

    Parameters
    ----------
    number : int
        Of the notebook: 2 makes Figure 2.1, Figure 2.2 and so on.
    """
    _shown.update(notebook=[str(number)], captions=[])
    mpl.rcParams["axes.prop_cycle"] = rcsetup.cycler(color=PALETTE)
    mpl.rcParams["font.size"] = MIN_POINTS


def show(
    figure: Figure | Diagram | Path | str,
    caption: str = "",
    alt: str = "",
    image: bool | None = None,
    width: int | None = None,
) -> None:
    """Show a figure with its number and caption below it.

    The output is HTML (``<figure>``) and, for plain readers, ``Figure 2.3. The caption``. The same caption again keeps
    its number, so that a cell can be run twice.

    Parameters
    ----------
    figure : Figure, Diagram or path
        A figure of matplotlib, a drawing of :mod:`~lfdtcmen.viz.diagrams`, or a GIF, PNG, JPEG, WebP or SVG file.
    caption : str
        What the figure shows and what to see in it. Without "Figure 2.3", which is added. A drawing brings its own.
    alt : str
        What is in the figure, for somebody who cannot see it: axes, curves, what is high. A drawing brings its own.
    image : bool, optional
        Of matplotlib's figures only. True: pixels (WebP) at 150 dpi. False: SVG. By default pixels where the figure
        holds an image with more than 400 of them (faces, flow fields), else SVG (curves, bars, a 4x4 map).
    width : int, optional
        In a browser's pixels: enlarges a small file. By default the figure's own.

    Raises
    ------
    DataError
        No number (:func:`start_notebook` comes first), no caption, no text for ``alt``, or the caption again as
        ``alt``; a figure of another kind.

    Notes
    -----
    Text below 10 points is set to 10. A figure made with pyplot is closed. Everything is an ``<img>`` with the data in
    it: ids in two SVGs cannot clash, and no style of the page reaches into a figure.
    """
    if isinstance(figure, Diagram):
        caption, alt = caption or figure.title, alt or figure.description
    caption, alt = _sentence(caption, "caption"), _sentence(alt, "alt")
    if alt == caption:
        raise DataError("the caption says it already", "alt", "describe what is in the figure: axes, curves, colours")
    if not _shown["notebook"]:
        raise DataError("the figures have no number yet", "viz.show", "call viz.start_notebook(2) in notebook 02")
    source, own_width = _encode(figure, image)
    if caption not in _shown["captions"]:
        _shown["captions"].append(caption)
    text = f"Figure {_shown['notebook'][0]}.{_shown['captions'].index(caption) + 1}. {caption}"
    _display({"text/html": _figure_element(source, width or own_width, text, alt), "text/plain": text})


def _sentence(text: str, name: str) -> str:
    """Return a text in one line, or raise a DataError where there is none."""
    if not isinstance(text, str) or len(text.split()) < 3:
        raise DataError(f"a figure's {name} must have at least three words, got {text!r}", "viz.show")
    return " ".join(text.split())


def _encode(figure: Figure | Diagram | Path | str, image: bool | None) -> tuple[str, int | None]:
    """Return a figure as a data URI, and its width in a browser's pixels (None: its own)."""
    if isinstance(figure, Diagram):
        return _uri(figure.svg().encode(), "image/svg+xml"), figure.size[0]
    if isinstance(figure, Figure):
        _enlarge_text(figure)
        pixels = _holds_an_image(figure) if image is None else image
        encoded = _as_pixels(figure) if pixels else _as_svg(figure)
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close(figure)
        return encoded
    if isinstance(figure, Path | str):
        return _file(Path(figure))
    raise DataError(
        f"{type(figure).__name__} is no figure", "viz.show", "give a matplotlib Figure, a Diagram or a file"
    )


def _uri(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _file(path: Path) -> tuple[str, int | None]:
    kinds = {"gif": "image/gif", "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "svg": "image/svg+xml"}
    kind = kinds.get(path.suffix.lower().lstrip(".").replace("jpeg", "jpg"))
    if kind is None or not path.is_file():
        raise DataError("no GIF, PNG, JPEG, WebP or SVG file", str(path))
    return _uri(path.read_bytes(), kind), None


def _holds_an_image(figure: Figure) -> bool:
    images = [image for ax in figure.axes for image in ax.images] + list(figure.images)
    meshes = [mesh for ax in figure.axes for mesh in ax.collections if hasattr(mesh, "get_coordinates")]
    arrays = [layer.get_array() for layer in (*images, *meshes)]
    return any(values is not None and np.prod(values.shape[:2]) > MANY_PIXELS for values in arrays)


def _enlarge_text(figure: Figure) -> None:
    """Set text below the smallest size to that size; ticks first, since drawing makes new ones."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            for which in ("major", "minor"):
                size = axis.get_tick_params(which).get("labelsize", MIN_POINTS)
                if not isinstance(size, str) and size < MIN_POINTS:
                    axis.set_tick_params(which, labelsize=MIN_POINTS)
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_fontsize(max(MIN_POINTS, text.get_fontsize()))


def _as_pixels(figure: Figure) -> tuple[str, int]:
    exact, data = io.BytesIO(), io.BytesIO()
    # not compressed: the PNG is read again at once, and packing it takes as long as drawing it
    figure.savefig(exact, format="png", dpi=IMAGE_DPI, bbox_inches="tight", pil_kwargs={"compress_level": 0})
    picture = Image.open(exact).convert("RGB")
    picture.save(data, "WEBP", quality=QUALITY)
    return _uri(data.getvalue(), "image/webp"), round(picture.width / IMAGE_DPI * CSS_DPI)


def _as_svg(figure: Figure) -> tuple[str, int]:
    """Return a figure as SVG that is the same each time; what has many marks in it is pixels within the SVG."""
    for ax in figure.axes:
        for collection in ax.collections:
            if np.size(collection.get_offsets()) > 2 * HEAVY or len(collection.get_paths()) > HEAVY:
                collection.set_rasterized(True)
    data = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "lfdtcmen", "svg.fonttype": "path"}):
        figure.savefig(data, format="svg", dpi=IMAGE_DPI, bbox_inches="tight", metadata={"Date": None})
    svg = data.getvalue()
    points = float(svg.split(b'width="', 1)[1].split(b"pt", 1)[0])
    return _uri(svg, "image/svg+xml"), round(points / 72 * CSS_DPI)


def _figure_element(source: str, width: int | None, text: str, alt: str) -> str:
    # white below it, also on a dark page; "dark-light" keeps the site's theme from dimming it there
    size = f' width="{width}"' if width else ""
    return (
        '<figure style="margin:1em 0">'
        f'<img class="dark-light" src="{source}"{size} alt="{html.escape(alt)}" '
        'style="max-width:100%;height:auto;background:#fff">'
        f"<figcaption>{html.escape(text)}</figcaption></figure>"
    )


def _display(data: dict[str, str]) -> None:
    """Show it in a notebook; elsewhere print the plain text."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(data["text/plain"])
        return
    ipython.display.display(data, raw=True)
