"""Figures for slides: each stored figure as a file, with number, caption and alternative text; nothing is executed."""

import base64
import io
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from lfdtcmen import DataError, slides
from lfdtcmen.viz import figures

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("[0-9]*.ipynb"))
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'


def stored(folder: Path, name: str, *sources: tuple[str, bytes]) -> Path:
    """Write a notebook with a figure for each (kind, bytes), as viz.show stores them."""
    cells = []
    for k, (kind, data) in enumerate(sources, 1):
        uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        element = figures._figure_element(uri, 40, f'Figure 2.{k}. "Low" & high < 1.', "A line's end.")
        cells.append(new_code_cell("raise SystemExit", outputs=[new_output("display_data", {"text/html": element})]))
    nbformat.write(new_notebook(cells=cells), folder / name)
    return folder / name


def webp() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (6, 4), (255, 0, 0)).save(data, "WEBP", lossless=True)
    return data.getvalue()


def test_each_figure_is_a_file_with_its_number_caption_and_alt_text(tmp_path):
    notebook = stored(tmp_path, "02_some.ipynb", ("svg+xml", SVG), ("webp", webp()), ("gif", b"GIF89a"))
    written = slides.write_slides([notebook], tmp_path / "slides")["02_some"]
    assert [slide.file for slide in written] == ["figure-02-01.svg", "figure-02-02.png", "figure-02-03.gif"]
    assert (written[1].number, written[1].caption, written[1].alt) == ("2.2", '"Low" & high < 1.', "A line's end.")
    assert (tmp_path / "slides" / "figure-02-01.svg").read_bytes() == SVG
    with Image.open(tmp_path / "slides" / "figure-02-02.png") as image:
        assert (image.format, image.size, image.getpixel((0, 0))) == ("PNG", (6, 4), (255, 0, 0))
    page = (tmp_path / "slides" / "index.html").read_text(encoding="utf-8")
    assert "Figure 2.2." in page and "&#34;Low&#34; &amp; high &lt; 1." in page and 'alt="A line&#39;s end."' in page


def test_every_captioned_figure_of_the_series_is_taken(monkeypatch):
    monkeypatch.setattr(Image.Image, "save", lambda image, *_: image.load())  # read, but not compressed anew
    for notebook in NOTEBOOKS:
        numbers = [slide.number for slide in slides.stored_figures(notebook)]
        assert len(numbers) == notebook.read_text(encoding="utf-8").count("<figcaption>"), notebook.name
        assert numbers == [f"{int(notebook.name[:2])}.{k}" for k in range(1, len(numbers) + 1)], notebook.name


def test_the_command_names_notebooks_without_figures_and_refuses_what_it_cannot_use(tmp_path, capsys):
    folder, to = tmp_path / "notebooks", tmp_path / "slides"
    folder.mkdir()
    arguments = ["--notebooks", str(folder), "--to", str(to)]
    stored(folder, "01_bare.ipynb")
    assert slides.main(arguments) == 2 and not to.exists()
    assert "no notebook has a figure" in capsys.readouterr().err
    stored(folder, "02_some.ipynb", ("svg+xml", SVG))
    assert slides.main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[1] == "no figures with captions in 01_bare"
    (folder / "03_broken.ipynb").write_text("{")
    with pytest.raises(DataError, match=r"cannot be read.*03_broken"):
        slides.stored_figures(folder / "03_broken.ipynb")
    assert slides.main(arguments) == 2
