"""The drawings of the paper's figures: well-formed, readable without seeing them, and true to the network."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from lfdtcmen import LFDTCMEN, Batch, DataError
from lfdtcmen.baselines import off_apexnet, rcn, ststnet
from lfdtcmen.baselines.plug_in import CELLS, REDUCED
from lfdtcmen.modules.encoder import CODE_CHANNELS
from lfdtcmen.viz import diagrams
from lfdtcmen.viz.drawing import FADED

DRAWINGS = ("series", "framework", "encoder", "generator", "contrastive", "motion_branch", "flow_branch")
DRAWINGS = (*DRAWINGS, "compared_networks", "plug_in")
SVG = "{http://www.w3.org/2000/svg}"


def drawn(name: str, *args) -> ElementTree.Element:
    return ElementTree.fromstring(getattr(diagrams, name)(*args).svg())


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(t.itertext()).replace("\u200b", "") for t in root.iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def shapes() -> dict[str, list[int]]:
    """Return the shape of each module's output for one pair, without the batch's dimension."""
    network = LFDTCMEN().eval()
    seen: dict[str, list[int]] = {}

    def keep(name: str, output) -> None:
        output = output[0] if isinstance(output, tuple) else output
        if isinstance(output, torch.Tensor):
            seen[name] = list(output.shape[1:])

    for name, module in network.named_modules():
        module.register_forward_hook(lambda module, inputs, output, name=name: keep(name, output))
    frames = torch.rand(2, 1, 3, 128, 128)
    with torch.no_grad():
        network(Batch(onset=frames[0], apex=frames[1], flow=torch.zeros(1, 3, 28, 28)), reconstruct=True)
    return seen


def as_text(shape: list[int]) -> str:
    return "x".join(map(str, shape))


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_says_what_it_shows_and_stays_on_its_sheet(name):
    root = drawn(name)
    width, height = map(float, root.get("viewBox").split()[2:])
    assert root.get("role") == "img" and len(root.get("aria-label")) > 80
    assert root.find(f"{SVG}title").text and root.find(f"{SVG}desc").text
    for rect in root.iter(f"{SVG}rect"):
        left, top = float(rect.get("x", 0)), float(rect.get("y", 0))
        assert 0 <= left <= left + float(rect.get("width")) <= width
        assert 0 <= top <= top + float(rect.get("height")) <= height
    for text in root.iter(f"{SVG}text"):
        half = 4.1 * len("".join(text.itertext()))  # about half the width of 13 px letters
        x = float(text.get("x"))
        left = x if text.get("text-anchor") == "start" else x - half
        assert left >= 0 and left + 2 * half <= width, "".join(text.itertext())


def test_layers_have_the_shapes_of_the_network(shapes):
    for name, channels, side, _ in diagrams.ENCODER_LAYERS[1:]:
        assert shapes[f"drl.motion_encoder.{name}"] == [channels, side, side]
    for name, channels, side, _ in diagrams.GENERATOR_LAYERS[1:-1]:
        assert shapes[f"drl.generator.{name.lower()}"] == [channels, side, side]
    assert shapes["drl.generator.to_rgb"] == [3, 128, 128]


def test_shapes_in_the_drawings_are_those_of_the_network(shapes):
    motion, flow = texts(drawn("motion_branch")), texts(drawn("flow_branch"))
    for module in ("adapter", "msfe"):
        assert as_text(shapes[f"tcme.motion_branch.{module}"]) in motion
    for k, kernel in enumerate(("1x1", "3x3", "5x5")):
        assert motion[motion.index(kernel) + 1] == str(shapes[f"tcme.motion_branch.msfe.branches.{k}"][0])
    assert str(shapes["tcme.motion_branch.project"][0]) in motion
    stream = "tcme.flow_branch.streams.0"
    for module in ("inception1", "channel_attention", "inception2", "pool"):
        assert as_text(shapes[f"{stream}.{module}"]) in flow
    assert str(3 * shapes[stream][0]) in flow and str(shapes["tcme.flow_branch.project"][0]) in flow
    whole = texts(drawn("framework"))
    for shape in ([3, 128, 128], shapes["drl.motion_encoder.conv8"]):
        assert any(as_text(shape) in text for text in whole)


def test_steps_of_the_compared_networks_are_their_layers():
    made = {"STSTNet": ststnet.STSTNet(3), "OFF-ApexNet": off_apexnet.OFFApexNet(3), "RCN": rcn.RCN(3)}
    for name, network in made.items():
        steps = {text.removesuffix(", twice") for column in diagrams.COMPARED_NETWORKS[name] for text in column}
        layers = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
        layers = [layer for layer in layers if layer.kernel_size != (1, 1)]  # of a kernel: 1x1 is not shown
        assert {f"{layer.kernel_size[0]}x{layer.kernel_size[1]}, {layer.out_channels}" for layer in layers} <= steps
    widths = {layer.out_features for layer in made["OFF-ApexNet"].modules() if isinstance(layer, torch.nn.Linear)}
    assert {f"{width:,}" for width in widths - {3}} <= set(texts(drawn("compared_networks")))
    assert f"pool: {made['STSTNet'].classifier.in_features}" in texts(drawn("compared_networks"))


def test_the_plug_in_is_drawn_with_its_own_widths():
    shown = texts(drawn("plug_in"))
    assert f"1x1, {REDUCED}; linear" in shown and f"{CODE_CHANNELS}x{CELLS}x{CELLS}" in shown


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("framework", ("data", "drl", "sdo", "motion", "flow", "fusion")),
        ("motion_branch", ("maag", "adapter", "msfe", "project")),
        ("flow_branch", ("streams", "inception", "attention", "project")),
    ],
)
def test_what_is_not_highlighted_is_faded(name, parts):
    def faded(*args) -> int:
        return sum(group.get("opacity") == str(FADED) for group in drawn(name, *args).iter(f"{SVG}g"))

    assert faded() == faded(parts) == 0
    assert sum(faded([part]) for part in parts) == (len(parts) - 1) * faded([parts[0]]) + (len(parts) - 1) * (
        faded(parts[1:])
    )
    assert faded(parts[0]) == faded([parts[0]])  # one name is as good as a list of one


def test_the_map_has_every_notebook_of_the_series():
    folder = Path(__file__).resolve().parents[2] / "notebooks"
    numbers = sorted(number for part in diagrams.SERIES.values() for number in part)
    assert numbers == sorted(path.stem[:2] for path in folder.glob("[0-9]*.ipynb"))


def test_the_map_fades_the_other_notebooks():
    boxes = len([number for part in diagrams.SERIES.values() for number in part])
    faded = [g for g in drawn("series", ["02"]).iter(f"{SVG}g") if g.get("opacity") == str(FADED)]
    assert len(faded) == boxes - 1


def test_a_part_that_is_not_there_is_refused():
    with pytest.raises(DataError, match=r"no part nose .* data, drl, sdo"):
        diagrams.framework(["nose"])


def test_a_drawing_is_saved_as_svg_and_shown_by_a_notebook(tmp_path):
    drawing = diagrams.encoder()
    drawing.save(tmp_path / "encoder.svg")
    assert (tmp_path / "encoder.svg").read_text(encoding="utf-8") == drawing.svg() == drawing._repr_svg_()


def test_the_picture_of_the_readme_is_the_drawing_of_the_package():
    picture = Path(__file__).resolve().parents[2] / "docs" / "method.svg"
    assert picture.read_text(encoding="utf-8") == diagrams.framework().svg()


def dashed(name: str) -> set[str]:
    """Return what the dashed boxes of a drawing are called: the first line in each."""
    items = list(drawn(name).iter())
    boxes = [k for k, item in enumerate(items) if item.tag == f"{SVG}rect" and item.get("stroke-dasharray")]
    return {"".join(items[k + 1].itertext()).replace("\u200b", "") for k in boxes}


def test_what_is_assumed_is_dashed():
    assert {"· (1 + 0.2 A)", "attention A", "Adapter", "concat"} <= dashed("motion_branch")
    assert "average pool" not in dashed("motion_branch")  # stated in 3.3.1
    assert {"U", "V", "strain", "inception", "pool", "attention"} <= dashed("flow_branch")  # size 28x28, 2x2 pools
