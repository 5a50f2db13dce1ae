"""Our drawing of the repaired network: what differs from the paper's stands out, the rest is faded."""

from lfdtcmen.viz.drawing import FLOW, IDENTITY, LOSS, MOTION, Diagram

PAPERS, OURS = "paper", "ours"  # parts of the drawing


def repaired_network(people: int, bottleneck: int) -> Diagram:
    """Draw the network and the losses of the repaired recipe; what it shares with the paper's network is faded.

    Parameters
    ----------
    people : int
        Of pretraining.
    bottleneck : int
        Channels of the motion code's bottleneck.
    """
    diagram = Diagram(
        "The repaired network; faded: as in the paper",
        "The motion encoder sees contrast-normalised frames of a driver at rest and at the apex; a bottleneck narrows "
        "its codes, and their difference is scaled. With the identity code and the skips of another face the generator "
        "computes a field, which moves that face's own pixels. Change, gain and rest loss and action units train this "
        "on rendered swaps. The scaled difference goes into the motion branch, the optical flow into the flow branch; "
        "each branch has a classifier, and both are joined.",
        (840, 436),
        (PAPERS, OURS),
        (OURS,),
    )
    _face(diagram)
    _driver(diagram, bottleneck)
    _losses(diagram, people)
    _emotion(diagram)
    return diagram


def _face(diagram: Diagram) -> None:
    """Draw the way of the face that is shown: its identity code, and its own pixels into the warp."""
    diagram.box((14, 34, 104, 52), "face I_id", "3x128x128", part=PAPERS)
    diagram.box((262, 34, 112, 52), "identity", "encoder E_id", colour=IDENTITY, part=PAPERS)
    diagram.arrow((118, 60), (260, 60), part=PAPERS)
    diagram.arrow((374, 68), (500, 92), colour=IDENTITY, part=PAPERS)
    diagram.text(408, 56, "256x4x4, and skips", colour=IDENTITY, part=PAPERS, left=True)
    diagram.arrow((66, 34), (66, 16), (752, 16), (752, 72), part=OURS)
    diagram.text(600, 28, "its own pixels", part=OURS, left=True)


def _driver(diagram: Diagram, bottleneck: int) -> None:
    """Draw the way of the motion: both frames of a driver to a scaled difference of codes, and that to a field."""
    diagram.text(14, 112, "driver (another person, in pretraining)", part=PAPERS, left=True)
    for y, frame in ((126, "I_on"), (190, "I_ap")):
        diagram.box((14, y, 92, 52), frame, "3x128x128", part=PAPERS)
        diagram.arrow((106, y + 26), (128, 184), part=OURS)
    diagram.box((130, 158, 110, 52), "contrast", "normalised", colour=MOTION, part=OURS)
    diagram.box((262, 158, 112, 52), "motion", "encoder E_mo", colour=MOTION, part=PAPERS)
    diagram.box((396, 158, 92, 52), "bottleneck", f"256, {bottleneck}, 256", colour=MOTION, part=OURS)
    diagram.box((512, 158, 138, 52), "difference d", "scaled by channel", colour=MOTION, part=OURS)
    for start, end in ((240, 260), (374, 394), (488, 510)):
        diagram.arrow((start, 184), (end, 184), colour=MOTION, part=OURS)
    diagram.box((502, 74, 148, 52), "generator", "UP1 to UP3", part=PAPERS)
    diagram.arrow((581, 158), (581, 128), colour=MOTION, part=OURS)
    diagram.arrow((650, 100), (686, 100), part=OURS)
    diagram.box((688, 74, 136, 52), "warp by a field", "x, y, b: 3x32x32", part=OURS)
    diagram.arrow((752, 126), (752, 156), part=OURS)
    diagram.box((688, 158, 136, 52), "moved face", "3x128x128", part=OURS)


def _losses(diagram: Diagram, people: int) -> None:
    """Draw the losses, and what they are computed of."""
    text = "change, gain: the moved face · rest: codes at rest · action units: the motion branch"
    diagram.box((14, 250, 810, 52), f"losses of pretraining, on swaps of {people} people", text, colour=LOSS, part=OURS)
    diagram.line((752, 210), (752, 250), colour=LOSS, part=OURS, dashed=True)
    diagram.line((442, 210), (442, 250), colour=LOSS, part=OURS, dashed=True)


def _emotion(diagram: Diagram) -> None:
    """Draw both branches, a classifier each, and how they are joined."""
    for y, given, shape, branch, colour in (
        (324, "difference d", "256x4x4", "motion branch", MOTION),
        (380, "U, V, strain", "3x28x28", "flow branch", FLOW),
    ):
        part = OURS if colour == MOTION else PAPERS
        diagram.box((14, y, 124, 46), given, shape, colour=colour, part=part)
        diagram.box((180, y, 150, 46), branch, "256", colour=colour, part=PAPERS)
        diagram.box((372, y, 150, 46), "own classifier", "C classes", colour=colour, part=OURS)
        diagram.arrow((138, y + 23), (178, y + 23), colour=colour, part=part)
        diagram.arrow((330, y + 23), (370, y + 23), colour=colour, part=OURS)
        diagram.arrow((522, y + 23), (562, 375 + (y - 352) * 0.3), colour=colour, part=OURS)
    diagram.line((255, 302), (255, 324), colour=LOSS, part=OURS, dashed=True)
    diagram.box((564, 350, 150, 50), "product rule", "joins both", part=OURS)
    diagram.box((746, 350, 78, 50), "emotion", "C classes", part=PAPERS)
    diagram.arrow((714, 375), (744, 375), part=PAPERS)
