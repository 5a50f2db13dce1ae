"""Our own drawings of the paper's Figs. 1 to 5, with the shapes of all tensors.

Each function returns a :class:`~lfdtcmen.viz.drawing.Diagram`, which a notebook shows as SVG. ``highlight`` names the
parts that a section is about; the others are faded. A dashed outline marks what the paper's text does not state
(:mod:`lfdtcmen.paper.ledger`). Shapes are those of one frame of 128x128 pixels.
"""

import math
from collections.abc import Collection

from lfdtcmen.modules.flow_branch import WIDTHS
from lfdtcmen.viz.drawing import BOTH, FLOW, IDENTITY, LOSS, MOTION, Diagram

# name, channels, side of the map in pixels, whether the text states the width
Layer = tuple[str, int, int, bool]
ENCODER_LAYERS: list[Layer] = [
    ("frame", 3, 128, True),
    ("conv1", 8, 64, True),
    ("conv2", 16, 32, True),
    ("conv3", 32, 16, True),
    ("conv4", 32, 16, False),
    ("conv5", 64, 8, False),
    ("conv6", 64, 8, False),
    ("conv7", 128, 4, False),
    ("conv8", 256, 4, True),
]
# compared network -> its steps from left to right, each a column of boxes
COMPARED_NETWORKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "STSTNet": (("U, V, strain",), ("3x3, 3", "3x3, 5", "3x3, 8"), ("pool: 400",)),
    "OFF-ApexNet": (("U", "V"), ("5x5, 6", "5x5, 6"), ("5x5, 16", "5x5, 16"), ("1,024",), ("1,024",)),
    "Dual-Inception": (("U", "V"), ("inception, 24", "inception, 24"), ("inception, 64", "inception, 64"), ("1,024",)),
    "RCN": (("U, V, strain",), ("5x5, 32",), ("3x3, 32, twice",), ("attention, 5x5",)),
    "AlexNet": (("U, V, strain",), ("five conv., 256",), ("4,096",), ("4,096",)),
}
GENERATOR_LAYERS: list[Layer] = [
    ("id, mo", 512, 4, True),
    ("UP1", 128, 8, False),
    ("UP2", 64, 16, False),
    ("UP3", 32, 32, False),
    ("UP4", 16, 64, False),
    ("UP5", 8, 128, False),
    ("to RGB", 3, 128, True),
]

# the notebooks, part by part: number and what it is about (two lines in its box)
SERIES: dict[str, dict[str, tuple[str, str]]] = {
    "I  The paper": {
        "00": ("tour", ""),
        "01": ("data", "preparation"),
        "02": ("DRL", "training"),
        "03": ("TCME", "training"),
        "04": ("fine-tuning", ""),
        "05": ("confusion", "matrices"),
        "06": ("complexity", "analysis"),
    },
    "II  Does it hold?": {
        "07": ("measuring", "the DRL"),
        "08": ("repairing", "the DRL"),
        "09": ("ablations", ""),
        "10": ("interpret-", "ability"),
        "11": ("honest", "evaluation"),
    },
    "III  The others": {
        "12": ("compared", "methods"),
        "13": ("fixed against", "learnable"),
    },
    "IV  Beyond the paper": {
        "14": ("apex", "spotting"),
        "15": ("your own", "data"),
        "16": ("class", "imbalance"),
    },
}


def series(highlight: Collection[str] = ()) -> Diagram:
    """Draw the map of the notebooks, one row a part.

    Parameters
    ----------
    highlight : collection of str
        Numbers of notebooks ("02") to show in full; all of them by default.
    """
    numbers = [number for part in SERIES.values() for number in part]
    listed = "; ".join(
        f"{part}: " + ", ".join(f"{number} {' '.join(words).strip()}" for number, words in notebooks.items())
        for part, notebooks in SERIES.items()
    )
    rows = len(SERIES)
    diagram = Diagram("The series of notebooks", f"{listed}.", (840, 110 * rows + 4), numbers, highlight)
    for row, ((part, notebooks), colour) in enumerate(zip(SERIES.items(), (IDENTITY, MOTION, LOSS, FLOW), strict=True)):
        top = 110 * row
        diagram.text(18, top + 18, part, colour=colour, bold=True, left=True)
        for k, (number, words) in enumerate(notebooks.items()):
            x = 18 + 116 * k
            diagram.box((x, top + 34, 104, 66), number, *filter(None, words), colour=colour, part=number)
            if k:
                diagram.arrow((x - 11, top + 67), (x - 1, top + 67), colour=colour)
    return diagram


def framework(highlight: Collection[str] = ()) -> Diagram:
    """Draw the whole method (Fig. 1): frames, DRL, SDO, TCME, classes.

    Parameters
    ----------
    highlight : collection of {"data", "drl", "sdo", "motion", "flow", "fusion"}
        Parts to show in full; all of them by default.
    """
    parts = ("data", "drl", "sdo", "motion", "flow", "fusion")
    diagram = Diagram(
        "The whole method (our drawing of Fig. 1)",
        "Onset and apex frame go into an identity encoder and a motion encoder. A generator makes the apex from the "
        "onset's identity and the apex's motion, and the onset the other way round; six losses train this. The two "
        "motion codes go into the motion branch, the optical flow between the frames into the flow branch; both "
        "together give the emotion.",
        (840, 540),
        parts,
        highlight,
    )
    _frames_to_codes(diagram)
    _codes_to_images(diagram)
    _codes_to_emotion(diagram)
    return diagram


def _frames_to_codes(diagram: Diagram) -> None:
    diagram.text(18, 24, "DRL: who, apart from how (3.1)", part="drl", bold=True, left=True)
    diagram.box((18, 62, 92, 52), "onset I_on", "3x128x128", part="data")
    diagram.box((18, 192, 92, 52), "apex I_ap", "3x128x128", part="data")
    diagram.box((160, 56, 120, 64), "identity", "encoder E_id", colour=IDENTITY, part="drl")
    diagram.box((160, 186, 120, 64), "motion", "encoder E_mo", colour=MOTION, part="drl")
    for y, other in ((88, 205), (218, 101)):
        diagram.arrow((110, y), (158, y), part="drl")
        diagram.arrow((110, y), (158, other), part="drl")
    for y, kind, colour in ((88, "id", IDENTITY), (218, "mo", MOTION)):
        diagram.text(368, y - 46, "256x4x4 each", part="drl")
        for offset, frame in ((-20, "on"), (20, "ap")):
            diagram.box((322, y + offset - 15, 92, 30), f"{kind}(I_{frame})", colour=colour, part="drl")
            diagram.arrow((280, y + offset / 2), (320, y + offset), colour=colour, part="drl")


def _codes_to_images(diagram: Diagram) -> None:
    for y, frame, name in ((88, "ap", "apex"), (218, "on", "onset")):
        diagram.box((520, y - 27, 92, 54), "generator", "G", part="drl")
        diagram.box((660, y - 27, 92, 54), f"Î_{frame}", "3x128x128", part="drl")
        diagram.arrow((612, y), (658, y), part="drl")
        diagram.text(706, y - 40, f"generated {name}", part="drl")
        diagram.line((752, y), (796, y), part="drl", dashed=True)
    # identity of one frame, motion of the other: the crossing that the paper rests on
    diagram.arrow((414, 68), (518, 78), colour=IDENTITY, part="drl")
    diagram.arrow((414, 238), (518, 100), colour=MOTION, part="drl")
    diagram.arrow((414, 108), (518, 206), colour=IDENTITY, part="drl")
    diagram.arrow((414, 198), (518, 228), colour=MOTION, part="drl")
    diagram.text(492, 144, "identity of one frame,", part="drl", left=True)
    diagram.text(492, 162, "motion of the other", part="drl", left=True)
    diagram.arrow((796, 88), (796, 270), (220, 270), (220, 252), part="drl", dashed=True)
    diagram.text(508, 285, "cycle: both encoders again, then Ĩ from the codes of Î (3.2.3)", part="drl")
    diagram.box(
        (18, 306, 804, 46),
        "SDO, six losses (3.2)",
        "reconstruction · cycle · consistency · soft orthogonality · identity contrastive · emotion",
        colour=LOSS,
        part="sdo",
    )


def _codes_to_emotion(diagram: Diagram) -> None:
    diagram.text(18, 380, "TCME: sharpen the motion (3.3)", part="motion", bold=True, left=True)
    diagram.box((152, 396, 136, 52), "mo(I_on), mo(I_ap)", "2 x 256x4x4", colour=MOTION, part="motion")
    diagram.box((322, 396, 212, 52), "motion branch", "MAAG, Adapter, MSFE", colour=MOTION, part="motion")
    diagram.box((18, 470, 92, 52), "TV-L1 flow", "2x128x128", part="data")
    diagram.box((160, 470, 120, 52), "U, V, strain", "3x28x28", colour=FLOW, part="flow")
    diagram.box((322, 470, 212, 52), "flow branch", "TSI: three streams", colour=FLOW, part="flow")
    diagram.box((596, 433, 100, 52), "fusion", "512", part="fusion", assumed=True)
    diagram.box((738, 433, 84, 52), "emotion", "C classes", part="fusion")
    diagram.arrow((288, 422), (320, 422), colour=MOTION, part="motion")
    diagram.arrow((110, 496), (158, 496), part="flow")
    diagram.arrow((280, 496), (320, 496), colour=FLOW, part="flow")
    diagram.arrow((534, 422), (594, 448), colour=MOTION, part="fusion")
    diagram.arrow((534, 496), (594, 470), colour=FLOW, part="fusion")
    diagram.text(566, 414, "256", part="fusion")
    diagram.text(566, 510, "256", part="fusion")
    diagram.arrow((696, 459), (736, 459), part="fusion")


def encoder() -> Diagram:
    """Draw the encoder (Fig. 2): eight convolutions, the resolution halved five times, two skips."""
    diagram = Diagram(
        "The encoder (our drawing of Fig. 2): the larger its map, the higher a box (not to scale)",
        "Eight convolutions turn a frame of 3x128x128 into a code of 256x4x4. Skips leave after conv3, 32x16x16, and "
        "after conv5, 64x8x8.",
        (840, 286),
        (),
        (),
    )
    _chain(diagram, ENCODER_LAYERS, middle=112)
    for k, where in ((3, "UP2"), (5, "UP1")):
        x = 47 + 93 * k
        diagram.arrow((x, 200), (x, 226), colour=IDENTITY)
        diagram.text(x, 238, f"skip to {where}", colour=IDENTITY)
    diagram.text(
        420, 270, "Stated: full outlines; 3x3 in conv4, conv6. Assumed: dashed widths, other kernels, strides."
    )
    return diagram


def generator() -> Diagram:
    """Draw the generator (Fig. 3): two codes side by side, five stages of upsampling, skips into the first two."""
    diagram = Diagram(
        "The generator (our drawing of Fig. 3)",
        "An identity code and a motion code, 256x4x4 each, are put side by side. Five stages UP1 to UP5 double the "
        "resolution to 128; skips from the identity encoder join UP1 and UP2; a last convolution gives an RGB image.",
        (840, 292),
        (),
        (),
    )
    _chain(diagram, GENERATOR_LAYERS, middle=112, step=118)
    for k, layer, shape in ((1, "conv5", "64x8x8"), (2, "conv3", "32x16x16")):
        x = 47 + 118 * k
        diagram.arrow((x, 222), (x, 198), colour=IDENTITY)
        diagram.text(x, 232, f"skip of {layer}", colour=IDENTITY)
        diagram.text(x, 249, shape, colour=IDENTITY)
    diagram.text(
        420, 276, "Each UP: 4x4 transposed convolution (stride 2), then 3x3 with the skip. Dashed: width assumed."
    )
    return diagram


def _chain(diagram: Diagram, layers: list[Layer], middle: float, step: float = 93) -> None:
    """Draw layers (name, channels, side, width stated) from left to right, as high as their maps are large."""
    for k, (name, channels, side, stated) in enumerate(layers):
        x, height = 47 + step * k, 14 + 9.5 * side**0.5
        diagram.box((x - 22, middle - height / 2, 44, height), str(channels), assumed=not stated)
        diagram.text(x, 26, name, bold=True)
        diagram.text(x, middle + 76, f"{side}x{side}")
        if k:
            diagram.arrow((x - step + 22, middle), (x - 24, middle))


def contrastive() -> Diagram:
    """Draw the identity-aware contrastive loss (Fig. 4): codes as directions, one person together, two apart."""
    diagram = Diagram(
        "The identity-aware contrastive loss (our drawing of Fig. 4)",
        "Identity codes as points on a circle. The codes of one person, of real and generated frames alike, are pulled "
        "together. Codes of two people are pushed apart until the angle between them is the margin m.",
        (840, 262),
        (),
        (),
    )
    diagram.curve("M 90 240 A 190 190 0 0 1 470 240")
    for person, colour, first, x in (("person A", IDENTITY, 116, 72), ("person B", MOTION, 40, 490)):
        for k in range(4):
            diagram.dot(*_on_circle(first + 8 * k), colour, hollow=k % 2 == 1)
        diagram.text(x, 62, person, colour=colour, bold=True)
        diagram.text(x, 80, "pulled together", colour=LOSS)
    nearest = (116, 64)  # degrees: 0.91 rad between them, below the margin
    for degrees in nearest:
        diagram.line((280, 240), _on_circle(degrees), colour=LOSS)
    (right, top), (left, _) = _on_circle(nearest[1], 62), _on_circle(nearest[0], 62)
    diagram.curve(f"M {left:g} {top:g} A 62 62 0 0 1 {right:g} {top:g}", colour=LOSS)
    diagram.text(280, 160, "θ < m", colour=LOSS, bold=True)
    for outward in ((100, 110), (80, 70)):
        diagram.arrow(*(_on_circle(degrees, 210) for degrees in outward), colour=LOSS)
    diagram.text(280, 18, "pushed apart", colour=LOSS)
    diagram.dot(556, 58, BOTH)
    diagram.text(572, 58, "code of a real frame", left=True)
    diagram.dot(556, 84, BOTH, hollow=True)
    diagram.text(572, 84, "code of a generated frame", left=True)
    diagram.text(550, 126, "one person: mean of θ²", left=True)
    diagram.text(550, 150, "two people: mean of max(0, m - θ)²", left=True)
    diagram.text(550, 190, "θ: angle between two codes (rad)", left=True)
    diagram.text(550, 212, "m: margin, assumed 1 rad", left=True)
    return diagram


def _on_circle(degrees: float, radius: float = 190) -> tuple[float, float]:
    """Return the point in a direction from the middle of the circle of codes, (280, 240)."""
    angle = math.radians(degrees)
    return 280 + radius * math.cos(angle), 240 - radius * math.sin(angle)


def motion_branch(highlight: Collection[str] = ()) -> Diagram:
    """Draw the motion branch (Fig. 5): MAAG, Adapter, MSFE, and a 256-d description.

    Parameters
    ----------
    highlight : collection of {"maag", "adapter", "msfe", "project"}
        Parts to show in full; all of them by default.
    """
    diagram = Diagram(
        "The motion branch (our drawing of the upper part of Fig. 5)",
        "MAAG computes attention A from the difference of the motion codes and multiplies both by 1 + 0.2 A. "
        "The Adapter puts them side by side and brings them back to 256 channels. MSFE looks at three sizes at once. "
        "Pooling and a linear layer give 256 numbers.",
        (840, 300),
        ("maag", "adapter", "msfe", "project"),
        highlight,
    )
    for name, part, x in (("MAAG", "maag", 182), ("Adapter", "adapter", 446), ("MSFE", "msfe", 608)):
        diagram.text(x, 24, name, part=part, bold=True)
    diagram.box((14, 66, 84, 48), "mo(I_on)", "256x4x4", colour=MOTION, part="maag")
    diagram.box((14, 186, 84, 48), "mo(I_ap)", "256x4x4", colour=MOTION, part="maag")
    diagram.box((126, 116, 130, 68), "attention A", "of the difference:", "two 1x1, sigmoid", part="maag", assumed=True)
    diagram.arrow((98, 104), (124, 130), colour=MOTION, part="maag")
    diagram.arrow((98, 196), (124, 170), colour=MOTION, part="maag")
    for y, side in ((90, 1), (210, -1)):
        diagram.box((270, y - 22, 100, 44), "· (1 + 0.2 A)", part="maag", assumed=True)
        diagram.arrow((98, y), (268, y), colour=MOTION, part="maag")
        diagram.arrow((256, 150), (296, y + 24 * side), part="maag")
        diagram.arrow((370, y), (402, 150 - 22 * side), colour=MOTION, part="adapter")
    diagram.box((404, 112, 84, 76), "Adapter", "512 to 256", "3x3, 3x3", part="adapter", assumed=True)
    diagram.text(446, 204, "256x4x4", part="adapter")
    for y, kernel in ((84, "1x1"), (150, "3x3"), (216, "5x5")):
        diagram.box((518, y - 24, 60, 48), kernel, "128", part="msfe", assumed=True)
        diagram.arrow((488, 150), (516, y), part="msfe")
        diagram.arrow((578, y), (612, 150 + (y - 150) * 0.25), part="msfe")
    diagram.box((614, 116, 86, 68), "concat", "384 to 256", "1x1", part="msfe", assumed=True)
    diagram.text(657, 202, "256x4x4", part="msfe")
    diagram.arrow((700, 150), (722, 150), part="project")
    diagram.box((724, 112, 104, 76), "average pool", "linear", "256", colour=MOTION, part="project")
    diagram.text(
        420, 276, "Dashed: form, widths or kernels assumed. Adapter, MSFE: each convolution with batch norm and ReLU."
    )
    return diagram


def flow_branch(highlight: Collection[str] = ()) -> Diagram:
    """Draw the flow branch (3.3.2): a Triple Stream InceptionNet, one stream in detail.

    Parameters
    ----------
    highlight : collection of {"streams", "inception", "attention", "project"}
        Parts to show in full; all of them by default.
    """
    diagram = Diagram(
        "The optical flow branch (our drawing of the lower part of Fig. 5)",
        "U, V and strain, 28x28 each, go through a stream of their own: inception, pooling, spatial and channel "
        "attention, inception, pooling. The three results side by side give 256 numbers by a linear layer.",
        (840, 250),
        ("streams", "inception", "attention", "project"),
        highlight,
    )
    for y, name in ((48, "U"), (118, "V"), (188, "strain")):
        diagram.box((14, y - 22, 84, 44), name, "3x28x28", colour=FLOW, part="streams", assumed=True)
        diagram.arrow((98, y), (128, y), colour=FLOW, part="streams")
        if y != 118:
            diagram.box((130, y - 16, 484, 32), "the same stream, weights of its own", colour=FLOW, part="streams")
        diagram.arrow((614, y), (650, 102 + (y - 48) * 0.23), colour=FLOW, part="project")
    first, second = (sum(widths) for widths in WIDTHS)
    steps = (
        (130, 104, "inception", f"{first}x28x28", "inception", True),
        (246, 78, "pool", f"{first}x14x14", "inception", True),
        (336, 88, "attention", f"{first}x14x14", "attention", True),
        (436, 100, "inception", f"{second}x14x14", "inception", True),
        (548, 66, "pool", f"{second}x7x7", "inception", True),
    )
    for x, width, name, shape, part, assumed in steps:
        diagram.box((x, 92, width, 52), name, shape, colour=FLOW, part=part, assumed=assumed)
        if x > 130:
            diagram.arrow((x - 12, 118), (x - 1, 118), colour=FLOW, part=part)
    diagram.box((652, 88, 80, 60), "concat", f"{3 * second * 49}", part="project")
    diagram.arrow((732, 118), (758, 118), part="project")
    diagram.box((760, 88, 66, 60), "linear", "256", colour=FLOW, part="project")
    diagram.text(420, 234, "Inception: 1x1, 3x3, 5x5 side by side. Dashed: size, widths or form assumed.")
    return diagram


def compared_networks() -> Diagram:
    """Draw the compared networks on flow, a row each: their streams, layers and widths."""
    rows = {name: 20 + 28 * max(map(len, steps)) for name, steps in COMPARED_NETWORKS.items()}
    diagram = Diagram(
        "The compared networks on flow: kernels and channels of each step",
        "A row for each network, from the flow to the classes. STSTNet has three convolutions side by side on all "
        "components; OFF-ApexNet and Dual-Inception have a stream for U and one for V, then wide linear layers; RCN "
        "runs one convolution twice and weighs its cells; AlexNet has five convolutions and two layers of 4,096.",
        (840, sum(rows.values()) + 8),
        (),
        (),
    )
    top = 4
    for name, steps in COMPARED_NETWORKS.items():
        middle = top + rows[name] / 2
        diagram.text(8, middle, name, bold=True, left=True)
        columns = (*steps, ("C classes",))
        places = [[middle + 28 * (k - (len(column) - 1) / 2) for k in range(len(column))] for column in columns]
        for number, (column, heights) in enumerate(zip(columns, places, strict=True)):
            x = 122 + 121 * number
            for text, y in zip(column, heights, strict=True):
                diagram.box((x, y - 12, 106, 24), text, colour=FLOW if number == 0 else BOTH)
            if number:
                for y in places[number - 1]:
                    aims = [y] if y in heights else heights
                    for aim in aims:
                        diagram.arrow((x - 15, y), (x - 1, aim))
        top += rows[name]
    return diagram


def plug_in() -> Diagram:
    """Draw DRL beside another network: the motion code's change joins the logits; the encoder stays as it is."""
    diagram = Diagram(
        "DRL as a plug-in (all of it assumed): the motion code beside a network on flow",
        "Above, U, V and strain go through any network to logits. Below, the frozen motion encoder gives the codes of "
        "onset and apex; their difference is reduced to 16 channels, and a linear layer that starts at zero makes "
        "logits of it. The two are added.",
        (840, 170),
        (),
        (),
    )
    diagram.box((14, 20, 120, 48), "U, V, strain", "3x28x28", colour=FLOW)
    diagram.box((330, 20, 170, 48), "any network", "trained", colour=FLOW)
    diagram.box((14, 100, 120, 48), "onset, apex", "3x128x128")
    diagram.box((164, 100, 136, 48), "motion encoder", "frozen, stage 1", colour=MOTION)
    diagram.box((330, 100, 170, 48), "mo(I_ap) - mo(I_on)", "256x4x4", colour=MOTION, assumed=True)
    diagram.box((530, 100, 130, 48), "1x1, 16; linear", "starts at zero", colour=MOTION, assumed=True)
    diagram.box((690, 60, 130, 48), "sum: logits", "C classes")
    for start, end in (
        ((134, 44), (328, 44)),
        ((134, 124), (162, 124)),
        ((300, 124), (328, 124)),
        ((500, 124), (528, 124)),
    ):
        diagram.arrow(start, end)
    diagram.arrow((500, 44), (688, 76), colour=FLOW)
    diagram.arrow((660, 124), (688, 94), colour=MOTION)
    return diagram
