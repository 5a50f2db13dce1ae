"""Pictures of the introduction: the psychology that the paper builds on, its idea in one picture, what it claims."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from PIL import Image

from lfdtcmen.files import make_folder
from lfdtcmen.images import grey_change
from lfdtcmen.viz.drawing import FLOW, IDENTITY, LOSS, MOTION, Diagram
from lfdtcmen.viz.style import (
    DPI,
    PALETTE,
    WIDTH,
    check_count,
    check_frames,
    colour_bar,
    draw_change,
    draw_flow,
    image_grid,
    symmetric_limit,
)


def two_routes() -> Diagram:
    """Draw the model of Bruce and Young (1986), simplified, and what the paper makes of it."""
    diagram = Diagram(
        "Two routes for a face",
        "In people, a face is first encoded by its structure. One route leads to face recognition units and person "
        "identity nodes: who it is. Another route is expression analysis: what the face does. The paper has an "
        "identity encoder for the first and a motion encoder for the second.",
        (840, 270),
        (),
        (),
    )
    diagram.text(320, 20, "in people: Bruce and Young (1986), simplified", bold=True)
    diagram.text(748, 20, "in the paper", bold=True)
    diagram.box((14, 118, 74, 48), "a face", "is seen")
    diagram.box((124, 118, 112, 48), "structural", "encoding")
    diagram.arrow((88, 142), (122, 142))
    diagram.box((286, 50, 152, 52), "face recognition", "units: seen before?", colour=IDENTITY)
    diagram.box((470, 50, 142, 52), "person identity", "nodes: who is it?", colour=IDENTITY)
    diagram.arrow((236, 134), (284, 82), colour=IDENTITY)
    diagram.arrow((438, 76), (468, 76), colour=IDENTITY)
    diagram.box((286, 182, 326, 52), "expression analysis", "what does the face do?", colour=MOTION)
    diagram.arrow((236, 150), (284, 202), colour=MOTION)
    diagram.text(449, 120, "damaged: familiar faces are strangers, smiles are still read", colour=IDENTITY)
    diagram.text(449, 252, "damaged: expressions are lost, faces are still known", colour=MOTION)
    for y, encoder, colour in ((76, "identity encoder", IDENTITY), (208, "motion encoder", MOTION)):
        diagram.line((612, y), (672, y), colour=colour, dashed=True)
        diagram.box((674, y - 26, 148, 52), encoder, "E_id" if colour == IDENTITY else "E_mo", colour=colour)
    return diagram


def overview(onset: np.ndarray, apex: np.ndarray, flow: np.ndarray, emotion: str) -> Diagram:
    """Draw the idea of the paper on one pair of faces: who and how, recombined; how and flow, classified.

    Parameters
    ----------
    onset, apex : ndarray
        The same person at rest and at the apex, uint8 [H, W, 3].
    flow : ndarray
        Motion onset -> apex, [2, H, W], pixels.
    emotion : str
        What the person shows.
    """
    check_frames(np.stack([onset, apex]), "overview")
    length = np.hypot(*flow)
    painted = (255 * colormaps["cividis"](length / max(length.max(), 1e-6))[..., :3]).astype(np.uint8)
    diagram = Diagram(
        "The paper in one picture",
        "The onset goes into an identity encoder, who is it, the apex into a motion encoder, how does it move. A "
        "generator must rebuild the apex from both codes. The motion code and the optical flow between the frames "
        f"together give the emotion: {emotion}.",
        (840, 420),
        (),
        (),
    )
    diagram.text(18, 20, "1  Learn to separate who from how: no emotion labels (DRL)", bold=True, left=True)
    for y, name, pixels in ((52, "onset: at rest", onset), (178, "apex: strongest", apex)):
        diagram.text(68, y - 12, name)
        diagram.picture((20, y, 96, 96), pixels, name)
    diagram.box((164, 72, 136, 56), "identity encoder", "who is it?", colour=IDENTITY)
    diagram.box((164, 198, 136, 56), "motion encoder", "how does it move?", colour=MOTION)
    diagram.arrow((118, 100), (162, 100))
    diagram.arrow((118, 226), (162, 226))
    diagram.box((370, 72, 120, 56), "generator")
    diagram.arrow((300, 100), (368, 100), colour=IDENTITY)
    diagram.arrow((300, 214), (334, 214), (334, 116), (368, 116), colour=MOTION)
    diagram.picture((540, 52, 96, 96), apex, "the apex, which the generator must rebuild", LOSS)
    diagram.arrow((490, 100), (538, 100), colour=LOSS)
    diagram.text(648, 84, "must come out as the", LOSS, left=True)
    diagram.text(648, 101, "apex: the losses (SDO)", LOSS, left=True)
    diagram.text(648, 118, "ask for it", LOSS, left=True)
    diagram.text(370, 178, "2  Learn the emotion, from motion and flow (TCME)", bold=True, left=True)
    diagram.box((370, 198, 120, 56), "motion branch", "where?", colour=MOTION)
    diagram.arrow((300, 234), (368, 234), colour=MOTION)
    diagram.text(68, 294, "flow between")
    diagram.picture((20, 306, 96, 96), painted, "optical flow between onset and apex", FLOW)
    diagram.box((370, 326, 120, 56), "flow branch", "how far?", colour=FLOW)
    diagram.arrow((118, 354), (368, 354), colour=FLOW)
    diagram.box((588, 262, 110, 56), "emotion", emotion)
    diagram.arrow((490, 226), (586, 280), colour=MOTION)
    diagram.arrow((490, 354), (586, 300), colour=FLOW)
    diagram.text(588, 380, "3  Train all of it together", bold=True, left=True)
    return diagram


def flicker(onset: np.ndarray, apex: np.ndarray, path: Path | str, milliseconds: int = 400) -> Path:
    """Write a GIF in which onset and apex of several pairs alternate, the pairs next to each other; return its path.

    Parameters
    ----------
    onset, apex : ndarray
        uint8 [N, H, W, 3].
    path : path
        The file; its folder is made.
    milliseconds : int
        How long each frame stands.
    """
    onset, apex = check_frames(onset, "flicker"), check_frames(apex, "flicker")
    check_count(apex, len(onset), "flicker: apex")
    path = Path(path)
    make_folder(path.parent)
    # 48 colours: camera noise makes a GIF large
    rows = [Image.fromarray(np.hstack(list(faces))).quantize(48) for faces in (onset, apex)]
    rows[0].save(path, "GIF", save_all=True, append_images=rows[1:], duration=milliseconds, loop=0)
    return path


def who_and_how(rest: np.ndarray, apex: np.ndarray, names: list[str]) -> Figure:
    """Show what each motion changes on each face: a row a person, a column a motion.

    Parameters
    ----------
    rest : ndarray
        Faces at rest, uint8 [P, H, W, 3].
    apex : ndarray
        The same people with each motion, uint8 [P, M, H, W, 3].
    names : list of str
        Of the motions [M].
    """
    rest = check_frames(rest, "who_and_how")
    check_count(apex, len(rest), "who_and_how: apex")
    check_count(names, apex.shape[1], "who_and_how: names")
    changes = grey_change(rest[:, None].repeat(len(names), axis=1), apex)  # [P, M, H, W]
    limit = float(np.quantile(np.abs(changes), 0.998))
    figure, axes = image_grid(len(rest), 1 + len(names), titled=True, bars=True, max_side=1.5)
    for row, face, change in zip(axes, rest, changes, strict=True):
        row[0].imshow(face)
        images = [draw_change(ax, values, limit) for ax, values in zip(row[1:], change, strict=True)]
    for ax, name in zip(axes[0], ("at rest", *names), strict=True):
        ax.set_title(name)
    colour_bar(figure, images[-1], slice(1, 1 + len(names)), "change (grey levels)")
    return figure


def answers(onset: np.ndarray, apex: np.ndarray, flow: np.ndarray, titles: Sequence[str]) -> Figure:
    """Show what changed in each pair, a column a pair: the signed difference above, the flow below.

    Parameters
    ----------
    onset, apex : ndarray
        uint8 [N, H, W, 3].
    flow : ndarray
        [N, 2, H, W], pixels.
    titles : sequence of str
        A line for each pair, such as its class [N].
    """
    changes = grey_change(check_frames(onset, "answers"), check_frames(apex, "answers"))  # [N, H, W]
    for name, values in (("flow", flow), ("titles", titles)):
        check_count(values, len(changes), f"answers: {name}")
    limits = symmetric_limit(changes), symmetric_limit(np.linalg.norm(flow, axis=1))
    figure, axes = image_grid(2, len(changes), titled=True, bars=True, max_side=1.6)
    for k, (above, below) in enumerate(axes.T):
        images = draw_change(above, changes[k], limits[0]), draw_flow(below, flow[k], limits[1])
        above.set_title(titles[k])
    half = len(changes) // 2
    for image, columns, unit in zip(
        images, (slice(half), slice(half, None)), ("above: grey levels", "below: pixels"), strict=True
    ):
        colour_bar(figure, image, columns, unit)
    return figure


def claimed_scores(scores: pd.DataFrame) -> Figure:
    """Plot the scores that a paper reports, a row a model, UF1 and UAR as dots.

    Parameters
    ----------
    scores : DataFrame
        Columns model, UF1, UAR, as :func:`lfdtcmen.paper.numbers.scores` returns them; the first row is the best.
    """
    figure = Figure(figsize=(WIDTH, 0.9 + 0.36 * len(scores)), dpi=DPI, layout="constrained")
    ax = figure.subplots()
    rows = np.arange(len(scores))
    for metric, colour, marker in (("UF1", PALETTE[0], "o"), ("UAR", PALETTE[1], "s")):
        ax.plot(scores[metric], rows, marker, color=colour, markersize=8, label=metric)
    ax.axvline(1 / 3, color="0.4", linestyle=":", label="UAR of guessing, 3 classes")
    ax.set_yticks(rows, scores["model"])
    ax.set(xlabel="score", xlim=(0.2, 0.7), ylim=(len(scores) - 0.5, -0.5))
    ax.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return figure
