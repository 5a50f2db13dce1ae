"""Pictures of the introduction: what is in them, and that those of the README are the package's."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from lfdtcmen import DataError, viz
from lfdtcmen.paper import numbers
from lfdtcmen.viz.drawing import DARK
from tests.viz.figures import FLOW, FRAMES, OTHER_FRAMES, check_figure

DOCS = Path(__file__).resolve().parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def overview():
    return viz.overview(FRAMES[0], FRAMES[1], FLOW[0], "surprise")


@pytest.mark.parametrize("drawing", [viz.two_routes, overview])
def test_a_drawing_says_what_it_shows_and_stays_on_its_sheet(drawing):
    root = ElementTree.fromstring(drawing().svg())
    width, height = map(float, root.get("viewBox").split()[2:])
    assert len(root.get("aria-label")) > 80
    for shape in (*root.iter(f"{SVG}rect"), *root.iter(f"{SVG}image")):
        left, top = float(shape.get("x", 0)), float(shape.get("y", 0))
        assert left + float(shape.get("width")) <= width and top + float(shape.get("height")) <= height
    for text in root.iter(f"{SVG}text"):
        half = 4.1 * len("".join(text.itertext()))
        left = float(text.get("x")) - (0 if text.get("text-anchor") == "start" else half)
        assert left >= 0 and left + 2 * half <= width, "".join(text.itertext())


def test_every_picture_of_the_overview_has_a_name():
    images = list(ElementTree.fromstring(overview().svg()).iter(f"{SVG}image"))
    assert len(images) == 4 and all(image.get("aria-label") for image in images)


def test_on_a_dark_page_no_colour_of_the_light_one_is_left():
    light, dark = overview().svg(), overview().svg(dark=True)
    assert not [colour for colour in DARK if colour in dark]
    assert [colour for colour in DARK if colour in light] == list(DARK)


@pytest.mark.parametrize(("name", "dark"), [("overview.svg", False), ("overview-dark.svg", True)])
def test_the_first_picture_of_the_readme_is_the_drawing_of_the_package(name, dark):
    def without_faces(svg: str) -> str:
        return re.sub(r'href="data:[^"]*"', "", svg)  # what a renderer gives may differ in the last bit

    assert without_faces((DOCS / name).read_text(encoding="utf-8")) == without_faces(overview().svg(dark))


def test_motions_on_faces_have_a_row_a_person_and_a_column_a_motion():
    apex = np.stack([FRAMES, OTHER_FRAMES], axis=1)  # [3, 2, 32, 32, 3]
    check_figure(viz.who_and_how(FRAMES, apex, ["smile", "frown"]), panels=10, images=9, text="frown")
    with pytest.raises(DataError, match="who_and_how: names"):
        viz.who_and_how(FRAMES, apex, ["smile"])


def test_answers_have_a_column_a_pair():
    check_figure(viz.answers(FRAMES, OTHER_FRAMES, FLOW, ["a", "b", "c"]), panels=8, images=6, text="b")
    with pytest.raises(DataError, match="answers: flow"):
        viz.answers(FRAMES, OTHER_FRAMES, FLOW[:2], ["a", "b", "c"])


def test_claimed_scores_have_a_row_a_model():
    table = numbers.scores().query("table == '2'")
    figure = viz.claimed_scores(table)
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == table["model"].tolist()
    assert ax.lines[0].get_xdata().tolist() == table["UF1"].tolist()


def test_a_flicker_has_two_frames_and_the_pairs_next_to_each_other(tmp_path):

    path = viz.flicker(FRAMES, OTHER_FRAMES, tmp_path / "new" / "flicker.gif", milliseconds=300)
    with Image.open(path) as gif:
        assert (gif.n_frames, gif.size, gif.info["duration"]) == (2, (3 * 32, 32), 300)
    with pytest.raises(DataError, match="flicker: apex"):
        viz.flicker(FRAMES, OTHER_FRAMES[:2], tmp_path / "flicker.gif")
