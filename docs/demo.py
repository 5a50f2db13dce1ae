"""What the page docs/demo.md needs in the browser: the network as ONNX, the faces, and how far its flow is from TV-L1.

`make site` calls :func:`write` and puts the files into ``_static/demo`` of the site, beside the scripts that are in
docs/_static/demo. Alone: python docs/demo.py FOLDER
"""

import gzip
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.datasets.manifest import map_emotion
from lfdtcmen.datasets.synthetic.action_units import NAMES, Muscles, Style, to_intensity
from lfdtcmen.datasets.synthetic.camera import take_picture
from lfdtcmen.datasets.synthetic.canvas import GRID, SIZE
from lfdtcmen.datasets.synthetic.emotions import EMOTIONS, sample_action_units
from lfdtcmen.datasets.synthetic.renderer import Face, pose
from lfdtcmen.datasets.synthetic.sequences import make_subject
from lfdtcmen.datasets.synthetic.settings import get_settings
from lfdtcmen.modules.flow_branch import FLOW_SIZE
from lfdtcmen.preprocessing.flow import to_streams, tvl1
from lfdtcmen.training.checkpoint import load_model
from lfdtcmen.training.weights import shipped_weights

RUNTIME = Path(__file__).parent / "_static" / "demo" / "onnxruntime"
PEOPLE = ((26, 7), (27, 5), (26, 1))  # seed and subject; the network was trained on subjects of seed 0
UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 15, 20, 26)
SETTINGS = get_settings("standard")  # the preset that the network was trained on
AT = pose(scale=SETTINGS.zoom)
# to how many steps the largest value is rounded; motion to less than a thousandth of a pixel
LEVELS = {np.uint8: 255, np.int8: 127, np.int16: 2047}
EACH_EMOTION = 3  # expressions of each emotion on each face, to compare the flows
INPUTS, OUTPUTS = ["onset", "apex", "flow", "other"], ["both", "branches", "swapped"]
logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is missing, which is not needed


class Demo(nn.Module):
    """What the page asks of the network in one call."""

    def __init__(self):
        super().__init__()
        network, about = load_model(shipped_weights()["repaired"], EXTENDED)
        self.network = network.cpu().to(memory_format=torch.contiguous_format)
        self.label_names, self.label_map = about["label_names"], about["label_map"]

    def forward(self, onset: Tensor, apex: Tensor, flow: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Classify one pair, and give its motion to another face.

        Parameters
        ----------
        onset, apex, other : Tensor
            RGB in [0, 1], [1, 3, 128, 128]; ``other`` is the other face at rest.
        flow : Tensor
            U, V and strain in pixels, [1, 3, 28, 28].

        Returns
        -------
        both : Tensor
            Probabilities of the classes, [1, C].
        branches : Tensor
            Those of the motion branch and of the flow branch alone, [2, 1, C].
        swapped : Tensor
            The other face with the motion, RGB in [0, 1], [1, 3, 128, 128].
        """
        drl = self.network.drl
        rest, moved, face = drl.encode(onset, identity=False), drl.encode(apex, identity=False), drl.encode(other)
        said = self.network.tcme(rest.motion, moved.motion, flow)
        swapped = drl.generate(face, moved, rest).clamp(0, 1)  # [1, 3, 128, 128]
        return said["logits"].softmax(1), said["branch_logits"].softmax(2), swapped


def export(demo: Demo, file: Path) -> None:
    """Write the network as ONNX, with weights in half precision, as they are shipped, where that loses nothing."""
    # a tensor for each: one that is given twice would become one input
    onset, apex, other = (torch.zeros(1, 3, SIZE, SIZE) for _ in range(3))
    inputs = (onset, apex, torch.zeros(1, 3, FLOW_SIZE, FLOW_SIZE), other)
    # without "optimize": it would merge convolutions with their normalisations, whose product half precision rounds
    names = {"input_names": INPUTS, "output_names": OUTPUTS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PyTorch's own
        program = torch.onnx.export(demo, inputs, **names, opset_version=18, optimize=False, verbose=False)
    model = program.model_proto
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type == TensorProto.FLOAT and np.array_equal(values.astype(np.float16), values):
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    for node in nodes:  # which line of which file made it
        del node.metadata_props[:]
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(model)
    file.write_bytes(model.SerializeToString())


# ---------------------------------------------------------------- faces


def make_people() -> list[tuple[Face, Muscles]]:
    """Return the faces of the page, all with average muscles."""
    faces = [make_subject(seed, subject, SETTINGS).face for seed, subject in PEOPLE]
    return [(face, Muscles(face.anatomy)) for face in faces]


def resizing(size: int, target: int, method: int) -> np.ndarray:
    """Return the matrix by which OpenCV resizes a column of ``size`` pixels, [target, size]."""
    return cv2.resize(np.eye(size, dtype=np.float32), (size, target), interpolation=method)


def face_arrays(face: Face, muscles: Muscles) -> Iterator[tuple[str, np.ndarray, type, dict]]:
    """Yield the name, values and stored type of each array of a face, and what else is known of it."""
    yield "layer", face.layer, np.uint8, {}
    yield "background", np.broadcast_to(face.background, (3, GRID, GRID)), np.uint8, {}
    yield "behind", face.behind, np.uint8, {}
    yield "eyes", face.eye_holes, np.uint8, {}
    yield "mouth", face.mouth_hole, np.uint8, {}
    for unit in UNITS:
        whole = muscles.expression(to_intensity({unit: 1}))  # the renderer adds up units in this way, too
        fields = np.stack([whole.dx, whole.dy, whole.shade])  # [3, GRID, GRID]
        (top, bottom), (left, right) = (
            np.flatnonzero(np.abs(fields).max(axes) > 1e-3)[[0, -1]] for axes in ((0, 2), (0, 1))
        )
        window = {"top": int(top), "left": int(left), "height": int(bottom - top + 1), "width": int(right - left + 1)}
        cut = fields[:, top : bottom + 1, left : right + 1]
        yield f"motion {unit}", cut[:2], np.int16, window
        yield f"shade {unit}", cut[2], np.int8, window


def write_faces(people: list[tuple[Face, Muscles]], label_names: list[str], folder: Path) -> None:
    """Write faces.json (what is where) and faces.gzip (the numbers, one array after the other)."""
    assert all(face.glasses is None for face, _ in people), "renderer.js paints no glasses"
    camera = (SETTINGS.gain, SETTINGS.gamma, SETTINGS.white_balance, SETTINGS.blur, SETTINGS.colour)
    assert camera == (1, 1, (1, 1, 1), 0, 1), "renderer.js knows the resolution of the camera only"
    content, arrays = bytearray(), {}

    def add(name: str, values: np.ndarray, kind: type, more: dict) -> None:
        scale = (float(np.abs(values).max()) or 1.0) / LEVELS[kind] if kind in LEVELS else 1.0
        stored = (np.round(values / scale) if kind in LEVELS else values).astype(kind)
        content.extend(b"\0" * (-len(content) % 4))
        arrays[name] = {"at": len(content), "count": stored.size, "type": kind.__name__, "scale": scale} | more
        content.extend(stored.tobytes())

    add("to sensor", resizing(GRID, SETTINGS.resolution, cv2.INTER_AREA), np.float32, {})
    add("to frame", resizing(SETTINGS.resolution, SIZE, cv2.INTER_CUBIC), np.float32, {})
    add("to streams", resizing(SIZE, FLOW_SIZE, cv2.INTER_AREA), np.float32, {})
    for number, person in enumerate(people):
        for name, *array in face_arrays(*person):
            add(f"{number} {name}", *array)
    about = {
        "faces": len(people),
        "units": [{"unit": unit, "name": NAMES[unit]} for unit in UNITS],
        "labels": label_names,
        "sizes": {"grid": GRID, "sensor": SETTINGS.resolution, "frame": SIZE, "streams": FLOW_SIZE},
        "pose": {"zoom": AT[0, 0], "x": AT[0, 2], "y": AT[1, 2]},
        "colours": matplotlib.colormaps["cividis"].colors,
        "arrays": arrays,
    }
    (folder / "faces.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "faces.gzip").write_bytes(gzip.compress(bytes(content), mtime=0))


# ---------------------------------------------------------------- the page's flow and TV-L1


def compare_flows(demo: Demo, people: list[tuple[Face, Muscles]]) -> dict[str, int]:
    """Ask the network about motions as the page shows them, and as it was trained: with camera noise and TV-L1.

    Returns
    -------
    dict
        ``pairs``: how many. For how many of them the network's class is that of the emotion: ``right_page``,
        ``right_flow`` if only the flow is estimated, ``right_camera`` if the camera has noise as well. ``same_flow``,
        ``same_camera``: for how many it is the page's class. ``same_takes``: for how many two takes with noise agree.
    """
    rng = np.random.default_rng(0)
    answers: dict[str, list[int]] = {"true": [], "page": [], "flow": [], "camera": [], "second camera": []}
    for face, muscles in people:
        at_rest = face.frame(None, AT)
        for emotion in EMOTIONS * EACH_EMOTION:
            expression = muscles.expression(sample_action_units(emotion, Style.neutral(), SETTINGS, rng))
            moved = face.frame(expression, AT)
            takes = [[take_picture(image, SETTINGS, noise) for image in (at_rest, moved)] for noise in (None, rng, rng)]
            answers["true"].append(map_emotion(emotion, demo.label_map))
            answers["page"].append(answer(demo, *takes[0], face.flow(expression, AT, AT)))
            for name, take in zip(("flow", "camera", "second camera"), takes, strict=True):
                answers[name].append(answer(demo, *take, tvl1(*take)))
    true, page, flow, camera, second = (np.array(given) for given in answers.values())  # [N] each
    pairs = {
        "right_page": (page, true),
        "right_flow": (flow, true),
        "right_camera": (camera, true),
        "same_flow": (page, flow),
        "same_camera": (page, camera),
        "same_takes": (camera, second),
    }
    return {"pairs": len(true)} | {name: int((one == other).sum()) for name, (one, other) in pairs.items()}


@torch.no_grad()
def answer(demo: Demo, onset: np.ndarray, apex: np.ndarray, flow: np.ndarray) -> int:
    """Return the most probable class for frames uint8 [H, W, 3] and a flow [2, H, W]."""
    frames = torch.from_numpy(np.stack([onset, apex])).permute(0, 3, 1, 2).float() / 255  # [2, 3, H, W]
    codes = demo.network.drl.encode(frames, identity=False)
    logits = demo.network.tcme(*codes.motion.split(1), torch.from_numpy(to_streams(flow))[None])["logits"]
    return int(logits.argmax())


def write(folder: Path) -> dict:
    """Write all files into a folder; return what the page says about them: sizes in MB, and the comparison."""
    folder.mkdir(parents=True, exist_ok=True)
    demo, people = Demo().eval(), make_people()
    compared = compare_flows(demo, people)  # before the export, which leaves tensors without values in a cache
    export(demo, folder / "network.onnx")
    write_faces(people, demo.label_names, folder)
    network = (folder / "network.onnx").stat().st_size / 1e6
    runtime = sum(file.stat().st_size for file in RUNTIME.iterdir()) / 1e6
    return {"compared": compared, "network": network, "megabytes": network + runtime}


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
