"""A drawing of boxes, arrows and lines of text as SVG, of which a notebook shows what a section is about."""

import base64
import io
from collections.abc import Collection
from pathlib import Path
from string import ascii_lowercase
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from PIL import Image

from lfdtcmen.errors import DataError

IDENTITY, MOTION, FLOW, BOTH, LOSS = "#0173b2", "#b36b00", "#027a5b", "#555555", "#a23b8f"  # legible on white
FADED = 0.55  # opacity of what is not highlighted: its words keep a contrast of 3:1
LINE = 17  # height of a line of text
DARK = {  # for a dark page: background, text, and each colour in a lighter tone
    '"white"': '"#0d1117"',
    "#222": "#e6edf3",
    IDENTITY: "#58b1ee",
    MOTION: "#eaa23c",
    FLOW: "#3fc79a",
    BOTH: "#a9b4bf",
    LOSS: "#e08ad0",
}
NOTHING = "\u200b"  # a character without width: the line after a subscript would else stay low


class Diagram:
    """A drawing that grows box by box and shows itself in a notebook.

    Parameters
    ----------
    title : str
        One line: what the drawing shows.
    description : str
        The same for somebody who cannot see it: what leads where.
    size : (width, height)
        In pixels of the drawing; a notebook scales it to its own width.
    parts : collection of str
        The names that may be highlighted.
    highlight : collection of str
        Parts to show in full; all of them where it is empty.

    Raises
    ------
    DataError
        A part to highlight that the drawing does not have.
    """

    def __init__(
        self, title: str, description: str, size: tuple[int, int], parts: Collection[str], highlight: Collection[str]
    ):
        highlight = {highlight} if isinstance(highlight, str) else set(highlight)
        if unknown := highlight - set(parts):
            fix = f"use some of {', '.join(parts)}" if parts else "this drawing has no parts: leave highlight away"
            raise DataError(f"no part {', '.join(sorted(unknown))} in this drawing", "highlight", fix)
        self.title, self.description, self.size = title, description, size
        self.highlight = highlight or set(parts)
        self.items: list[str] = []

    def box(
        self,
        place: tuple[float, float, float, float],
        *lines: str,
        colour: str = BOTH,
        part: str = "",
        assumed: bool = False,
    ) -> None:
        """Draw a box at (left, top, width, height) with lines of text in its middle, the first of them bold."""
        left, top, width, height = place
        dash = ' stroke-dasharray="6 3"' if assumed else ""
        shape = (
            f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="5" fill="{colour}" '
            f'fill-opacity=".1" stroke="{colour}"{dash}/>'
        )
        first = top + height / 2 - (len(lines) - 1) * LINE / 2
        texts = [
            _text(left + width / 2, first + k * LINE, line, bold=k == 0 and len(lines) > 1)
            for k, line in enumerate(lines)
        ]
        self._add("".join([shape, *texts]), part)

    def line(
        self, *points: tuple[float, float], colour: str = BOTH, part: str = "", dashed: bool = False, end: str = ""
    ) -> None:
        """Draw a line along points (x, y)."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        line = f'<polyline points="{path}" fill="none" stroke="{colour}"{dash}'
        self._add(f"{line}{end}/>", part)

    def arrow(self, *points: tuple[float, float], colour: str = BOTH, part: str = "", dashed: bool = False) -> None:
        """Draw an arrow along points (x, y)."""
        self.line(*points, colour=colour, part=part, dashed=dashed, end=f' marker-end="url(#head-{colour[1:]})"')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        colour: str = "",
        part: str = "",
        bold: bool = False,
        left: bool = False,
    ) -> None:
        """Write one line around (or from) x, y."""
        self._add(_text(x, y, text, colour, bold, left), part)

    def dot(self, x: float, y: float, colour: str, hollow: bool = False) -> None:
        """Draw a dot, full or hollow."""
        fill = "white" if hollow else colour
        self._add(f'<circle cx="{x:g}" cy="{y:g}" r="6" fill="{fill}" stroke="{colour}"/>', "")

    def picture(
        self, place: tuple[float, float, float, float], pixels: np.ndarray, name: str, colour: str = BOTH
    ) -> None:
        """Draw an image, uint8 [H, W, 3], at (left, top, width, height) with a frame around it."""
        left, top, width, height = place
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, format="JPEG", quality=85)
        code = base64.b64encode(data.getvalue()).decode()
        where = f'x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}"'
        self._add(
            f'<image {where} aria-label={quoteattr(name)} href="data:image/jpeg;base64,{code}"/>'
            f'<rect {where} rx="3" fill="none" stroke="{colour}"/>',
            "",
        )

    def curve(self, path: str, colour: str = BOTH, fill: str = "none") -> None:
        """Draw a path, in SVG's own words."""
        self._add(f'<path d="{path}" fill="{fill}" stroke="{colour}"/>', "")

    def _add(self, item: str, part: str) -> None:
        visible = not part or part in self.highlight
        self.items.append(item if visible else f'<g opacity="{FADED}">{item}</g>')

    def svg(self, dark: bool = False) -> str:
        """Return the drawing as the text of an SVG file, for a light or a dark page."""
        width, height = self.size
        heads = "".join(
            f'<marker id="head-{colour[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
            f'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
            for colour in (IDENTITY, MOTION, FLOW, BOTH, LOSS)
        )
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
            f'style="max-width:100%;height:auto" aria-label={quoteattr(f"{self.title}. {self.description}")} '
            'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="13" '
            'stroke-width="1.8" text-anchor="middle" dominant-baseline="central" fill="#222">'
            f"<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>"
            f"<defs>{heads}</defs>"
            f'<rect width="{width}" height="{height}" rx="8" fill="white"/>' + "".join(self.items) + "</svg>\n"
        )
        for light, colour in DARK.items() if dark else ():
            svg = svg.replace(light, colour)
        return svg

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.title!r})"

    def save(self, path: Path | str) -> None:
        """Write the drawing into an SVG file."""
        Path(path).write_text(self.svg(), encoding="utf-8")


def _text(x: float, y: float, text: str, colour: str = "", bold: bool = False, left: bool = False) -> str:
    """Return a line of text whose middle (or left end) is x and whose middle is y; I_on becomes I with a subscript."""
    words = []
    for word in escape(text).split(" "):
        stem, underscore, tail = word.partition("_")
        if underscore:
            above = tail.lstrip(ascii_lowercase)
            below = tail[: len(tail) - len(above)]
            down = f'<tspan dy="4" font-size="10">{below}</tspan>'
            word = f'{stem}{down}<tspan dy="-4">{above or NOTHING}</tspan>'
        words.append(word)
    weight = ' font-weight="600"' if bold else ""
    anchor = ' text-anchor="start"' if left else ""
    fill = f' fill="{colour}"' if colour else ""
    return f'<text x="{x:g}" y="{y:g}"{anchor}{fill}{weight}>{" ".join(words)}</text>'
