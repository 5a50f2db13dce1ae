"""The drawing of the repaired network: on its sheet, and with the shapes of the network."""

from xml.etree import ElementTree

import pytest
import torch

from lfdtcmen import load_config
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.training import build_model
from lfdtcmen.viz.drawing import FADED
from lfdtcmen.viz.repaired_diagram import repaired_network

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def root() -> ElementTree.Element:
    return ElementTree.fromstring(repaired_network(people=480, bottleneck=16).svg())


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def test_boxes_and_texts_stay_on_the_sheet(root):
    width, height = map(float, root.get("viewBox").split()[2:])
    for rect in root.iter(f"{SVG}rect"):
        left, top = float(rect.get("x", 0)), float(rect.get("y", 0))
        assert 0 <= left <= left + float(rect.get("width")) <= width
        assert 0 <= top <= top + float(rect.get("height")) <= height
    assert root.find(f"{SVG}desc").text and root.get("role") == "img"


def test_what_is_the_papers_is_faded_and_what_is_ours_is_not(root):
    faded = {text for group in root.iter(f"{SVG}g") if group.get("opacity") == str(FADED) for text in texts(group)}
    assert {"motion branch", "flow branch", "generator"} <= faded
    assert not {"bottleneck", "warp by a field", "own classifier", "product rule"} & faded


def test_shapes_are_those_of_the_network(root):
    config = load_config("cpu", recipe="repaired")
    drl = build_model(config, 3, EXTENDED).drl.eval()
    with torch.no_grad():
        codes = drl.encode(torch.rand(1, 3, 128, 128))
        field = drl.generator.field(codes.identity, codes.motion, codes.identity_skips)
    written = texts(root)
    assert f"256, {codes.narrow.shape[1]}, {codes.motion.shape[1]}" in written
    assert f"x, y, b: {'x'.join(map(str, field.shape[1:]))}" in written
    assert "losses of pretraining, on swaps of 480 people" in written
