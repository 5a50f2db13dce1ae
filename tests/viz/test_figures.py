"""A figure in a notebook has a number, a caption and a text for whoever cannot see it."""

import base64
import html
import io
import re

import numpy as np
import pytest
from matplotlib import pyplot, rcParams
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from lfdtcmen import DataError, viz
from lfdtcmen.viz import diagrams, figures

CAPTION, ALT = "Loss falls for both parts.", "Two curves that fall from 1 to 0.2 over 20 steps."


@pytest.fixture
def shown(monkeypatch):
    """Notebook 2 has begun; collects the outputs."""
    outputs: list[dict[str, str]] = []
    monkeypatch.setattr(figures, "_display", outputs.append)
    before = {key: rcParams[key] for key in ("axes.prop_cycle", "font.size")}
    viz.start_notebook(2)
    yield outputs
    rcParams.update(before)
    figures._shown.update(notebook=[], captions=[])


def curve(points: int = 20) -> Figure:
    figure = Figure(figsize=(4, 2))
    figure.subplots().plot(np.linspace(1, 0.2, points))
    return figure


def faces() -> Figure:
    figure = Figure(figsize=(4, 4))
    figure.subplots().imshow(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    return figure


def image(output: dict[str, str]) -> tuple[str, bytes]:
    kind, data = re.search(r'src="data:([^;]+);base64,([^"]+)"', output["text/html"]).groups()
    return kind, base64.b64decode(data)


def test_figures_are_numbered_by_notebook_and_a_cell_that_runs_again_keeps_its_number(shown):
    for caption in (CAPTION, "Another one is here.", CAPTION):
        viz.show(curve(), caption=caption, alt=ALT)
    numbers = [output["text/plain"].split(". ")[0] for output in shown]
    assert numbers == ["Figure 2.1", "Figure 2.2", "Figure 2.1"]
    assert shown[0]["text/plain"] == f"Figure 2.1. {CAPTION}"


def test_html_has_caption_and_alt_text_escaped(shown):
    curve_text = 'A "curve" below <1>.'
    viz.show(curve(), caption="Gain < 1 & falling fast.", alt=curve_text)
    page = shown[0]["text/html"]
    assert "<figcaption>Figure 2.1. Gain &lt; 1 &amp; falling fast.</figcaption>" in page
    assert f'alt="{html.escape(curve_text)}"' in page and page.count("<figure") == 1


def test_plots_are_svg_images_are_pixels_at_150_dpi_and_the_choice_can_be_made(shown):
    for figure, choice in ((curve(), None), (faces(), None), (curve(), True), (faces(), False)):
        viz.show(figure, caption=CAPTION, alt=ALT, image=choice)
    kinds = [image(output)[0] for output in shown]
    assert kinds == ["image/svg+xml", "image/webp", "image/webp", "image/svg+xml"]
    pixels = Image.open(io.BytesIO(image(shown[1])[1]))
    assert pixels.width > 3 * 150  # 4 inches, less the margin
    assert f'width="{round(pixels.width / 150 * 96)}"' in shown[1]["text/html"]


def test_a_map_of_sixteen_cells_is_no_image_a_flow_field_is(shown):
    for side in (4, 28):
        figure = Figure()
        figure.subplots().imshow(np.zeros((side, side)))
        viz.show(figure, caption=CAPTION, alt=ALT)
    assert [image(output)[0] for output in shown] == ["image/svg+xml", "image/webp"]


def test_svg_is_the_same_each_time_and_many_points_do_not_make_it_heavy(shown):
    def cloud(points: int) -> Figure:
        figure = Figure(figsize=(4, 3))
        figure.subplots().scatter(*np.random.default_rng(0).normal(size=(2, points)), c=np.arange(points))
        return figure

    for points in (20, 20, 20_000):
        viz.show(cloud(points), caption=CAPTION, alt=ALT)
    assert image(shown[0]) == image(shown[1])
    assert len(image(shown[2])[1]) < 200_000


def test_small_text_becomes_ten_points_ticks_too(shown):
    figure = curve()
    (ax,) = figure.axes
    ax.set_title("small", fontsize=6)
    ax.tick_params(labelsize=7)
    ax.legend(["one"], fontsize=5)
    viz.show(figure, caption=CAPTION, alt=ALT)
    assert min(text.get_fontsize() for text in figure.findobj(Text)) == 10


def test_drawings_and_gifs_are_shown_too(shown, tmp_path):
    Image.new("L", (3, 3)).save(tmp_path / "face.gif")
    viz.show(diagrams.encoder(), caption=CAPTION, alt=ALT)
    viz.show(tmp_path / "face.gif", caption=CAPTION, alt=ALT)
    assert image(shown[0])[1].decode() == diagrams.encoder().svg()
    assert image(shown[1]) == ("image/gif", (tmp_path / "face.gif").read_bytes())


def test_a_small_file_is_enlarged(shown, tmp_path):
    Image.new("L", (3, 3)).save(tmp_path / "face.gif")
    viz.show(tmp_path / "face.gif", caption=CAPTION, alt=ALT, width=600)
    assert ' width="600" ' in shown[-1]["text/html"]


def test_a_figure_of_pyplot_is_closed(shown):
    figure, ax = pyplot.subplots()
    ax.plot([1, 2])
    viz.show(figure, caption=CAPTION, alt=ALT)
    assert figure.number not in pyplot.get_fignums()


@pytest.mark.parametrize(
    ("caption", "alt"), [("", ALT), (CAPTION, ""), (CAPTION, CAPTION), (None, ALT), (CAPTION, "x")]
)
def test_without_caption_or_alt_text_nothing_is_shown(shown, caption, alt):
    with pytest.raises(DataError):
        viz.show(curve(), caption=caption, alt=alt)
    assert not shown


def test_what_is_no_figure_is_refused(shown, tmp_path):
    for figure in (3, tmp_path / "missing.gif", __file__):
        with pytest.raises(DataError):
            viz.show(figure, caption=CAPTION, alt=ALT)


def test_before_the_notebook_has_begun_there_is_no_number():
    with pytest.raises(DataError, match="start_notebook"):
        viz.show(curve(), caption=CAPTION, alt=ALT)


def test_outside_of_a_notebook_the_caption_is_printed(capsys, shown, monkeypatch):
    monkeypatch.undo()
    viz.show(curve(), caption=CAPTION, alt=ALT)
    assert capsys.readouterr().out == f"Figure 2.1. {CAPTION}\n"


def test_a_drawing_brings_caption_and_alternative_text(shown):
    viz.show(diagrams.encoder())
    viz.show(diagrams.encoder(), caption="Here conv3 matters most.")
    drawing = diagrams.encoder()
    assert shown[0]["text/plain"] == f"Figure 2.1. {drawing.title}"
    assert f'alt="{html.escape(drawing.description)}"' in shown[0]["text/html"]
    assert shown[1]["text/plain"] == "Figure 2.2. Here conv3 matters most."


def test_pixels_keep_their_colours(shown):
    def noisy() -> Figure:
        figure = Figure(figsize=(3, 3))
        figure.add_axes((0, 0, 1, 1)).imshow(np.random.default_rng(0).normal(128, 6, (128, 128, 3)) / 255)
        return figure

    exact = io.BytesIO()
    noisy().savefig(exact, format="png", dpi=150, bbox_inches="tight")
    viz.show(noisy(), caption=CAPTION, alt=ALT)
    data = image(shown[0])[1]
    before, after = (np.asarray(Image.open(f).convert("RGB")).astype(int) for f in (exact, io.BytesIO(data)))
    assert np.abs(before - after).mean() < 3  # of 255
