"""Figures for slides: ``make slides``, or ``python -m lfdtcmen.slides``.

The figures are those that are stored in the notebooks; nothing is executed. SVG and GIF files stay as they are. WebP
becomes PNG, since some programs for slides cannot read WebP.
"""

import argparse
import base64
import html
import io
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from PIL import Image

from lfdtcmen.errors import DataError, in_one_line
from lfdtcmen.files import atomic_path, project_dir
from lfdtcmen.notebooks import find_notebooks
from lfdtcmen.templates import render

# what viz.show writes
FIGURE = re.compile(
    r'<figure[^>]*><img [^>]*src="data:image/(?P<kind>[\w.+-]+);base64,(?P<data>[^"]+)"[^>]* alt="(?P<alt>[^"]*)"[^>]*>'
    r"<figcaption>Figure (?P<number>\d+\.\d+)\. (?P<caption>[^<]*)</figcaption></figure>"
)
SUFFIXES = {"svg+xml": "svg", "webp": "png"}  # others: as they are called


@dataclass(frozen=True)
class Slide:
    """One figure: its number (``"2.6"``), caption, alternative text, file name and bytes."""

    number: str
    caption: str
    alt: str
    file: str
    data: bytes


def stored_figures(notebook: Path) -> list[Slide]:
    """Return the figures with a caption that are stored in a notebook, in order.

    Raises
    ------
    DataError
        The notebook cannot be read.
    """
    try:
        cells = nbformat.read(notebook, as_version=4).cells
    except Exception as error:  # broken JSON and broken notebook formats have no common parent
        raise DataError(f"the notebook cannot be read ({type(error).__name__})", str(notebook)) from error
    pages = [output.get("data", {}).get("text/html", "") for cell in cells for output in cell.get("outputs", [])]
    return [_slide(found) for page in pages for found in FIGURE.finditer(page)]


def _slide(found: re.Match) -> Slide:
    kind, data = found["kind"], base64.b64decode(found["data"])
    if kind == "webp":
        png = io.BytesIO()
        Image.open(io.BytesIO(data)).save(png, "PNG")
        data = png.getvalue()
    notebook, number = (int(part) for part in found["number"].split("."))
    file = f"figure-{notebook:02}-{number:02}.{SUFFIXES.get(kind, kind)}"
    return Slide(found["number"], html.unescape(found["caption"]), html.unescape(found["alt"]), file, data)


def write_slides(notebooks: Iterable[Path], folder: Path) -> dict[str, list[Slide]]:
    """Write the stored figures of notebooks into a folder, with an ``index.html`` of number, caption and alt text.

    Returns
    -------
    dict
        Name of the notebook -> its figures; none for one that has been stored without captions or outputs.

    Raises
    ------
    DataError
        A notebook cannot be read, none has a figure with a caption, or the folder cannot be written to.
    """
    slides = {notebook.stem: stored_figures(notebook) for notebook in notebooks}
    if not any(slides.values()):
        fix = "take notebooks that are stored with their outputs; `make notebooks` executes them"
        raise DataError("no notebook has a figure with a caption", ", ".join(slides), fix)
    files = {slide.file: slide.data for figures in slides.values() for slide in figures}
    files["index.html"] = render("slides.html", notebooks=slides).encode()
    for name, data in files.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(data)
    return slides


def main(arguments: list[str] | None = None) -> int:
    """Write the figures of all notebooks; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the stored figures of the notebooks as files for slides.")
    root = project_dir()
    parser.add_argument("--notebooks", type=Path, default=root / "notebooks", help="folder with the notebooks")
    parser.add_argument("--to", type=Path, default=root / "build" / "slides", help="folder for the figures")
    options = parser.parse_args(arguments)
    try:
        slides = write_slides(find_notebooks(options.notebooks), options.to)
    except DataError as error:
        print(f"error: {in_one_line(error)}", file=sys.stderr)
        return 2
    print(f"{sum(map(len, slides.values()))} figures; open {options.to / 'index.html'}")
    if without := [name for name, figures in slides.items() if not figures]:
        print(f"no figures with captions in {', '.join(without)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
