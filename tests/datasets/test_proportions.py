"""The synthetic faces have the proportions of adults, and their muscles reach as far as in people."""

import numpy as np
import pytest

from lfdtcmen.datasets.synthetic import proportion_table
from lfdtcmen.datasets.synthetic.action_units import Muscles, to_intensity
from lfdtcmen.datasets.synthetic.anatomy import SIDES
from lfdtcmen.datasets.synthetic.canvas import MIDDLE, sample
from lfdtcmen.datasets.synthetic.proportions import NORMS
from lfdtcmen.datasets.synthetic.sequences import make_subject
from lfdtcmen.datasets.synthetic.settings import get_settings

PEOPLE = 12


@pytest.fixture(scope="module")
def table():
    return proportion_table().set_index("length")


@pytest.fixture(scope="module")
def faces():
    return [make_subject(0, number, get_settings()).face for number in range(PEOPLE)]


@pytest.mark.parametrize("length", NORMS)
def test_the_mean_of_every_length_is_within_one_standard_deviation_of_adults(table, length):
    assert abs(table.loc[length, "difference"]) < 1


def test_brows_end_beyond_the_outer_corners_of_the_eyes(table, faces):
    assert table.loc["midline to outer end of the brow", "in_eye_distances"] == pytest.approx(0.8, abs=0.03)
    for face in faces:
        anchors = face.anatomy.anchors
        assert all(abs(anchors["brow outer", s][0] - MIDDLE) > abs(anchors["eye outer", s][0] - MIDDLE) for s in SIDES)


def test_the_norms_pool_men_and_women():
    norm = NORMS["width of the face (zy-zy)"]
    sample_of_both = np.concatenate([norm.men[0] + norm.men[1] * _normal(), norm.women[0] + norm.women[1] * _normal()])
    assert norm.mean == pytest.approx(sample_of_both.mean(), rel=1e-3)
    assert norm.spread == pytest.approx(sample_of_both.std(), rel=1e-2)


def _normal() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(100_000)


def _strength_along_the_brow(faces, unit: int) -> np.ndarray:
    """Return how far the brow moves from its inner end (0) to its outer end (1), mean of the faces [21]."""
    moved = []
    for face in faces:
        expression = Muscles(face.anatomy).expression(to_intensity({unit: 1.0}))
        ends = np.array([face.anatomy.anchors[f"brow {part}", 1] for part in ("inner", "middle", "outer")])
        along = np.linspace(ends[0, 0], ends[2, 0], 21)
        height = np.interp(along, ends[:, 0], ends[:, 1])
        points = along[:, None].astype(np.float32), height[:, None].astype(np.float32)
        moved.append(np.hypot(sample(expression.dx, *points), sample(expression.dy, *points))[:, 0])
    return np.mean(moved, axis=0)


@pytest.mark.parametrize(
    ("unit", "strong", "weak"),
    [(1, (0.0, 0.33), (0.7, 1.0)), (2, (0.4, 0.9), (0.0, 0.2)), (4, (0.0, 0.7), None)],
)
def test_the_muscles_of_the_brow_move_their_part_of_it(faces, unit, strong, weak):
    strength, along = _strength_along_the_brow(faces, unit), np.linspace(0, 1, 21)
    inside = (along >= strong[0]) & (along <= strong[1])
    assert strength[inside].min() > 0.4 * strength.max()
    if weak is None:
        assert strength.min() > 0.15 * strength.max()  # the whole brow moves
    else:
        assert strength[(along >= weak[0]) & (along <= weak[1])].max() < 0.45 * strength.max()


@pytest.mark.parametrize("unit", [6, 12])
def test_the_cheek_moves_from_the_mouth_to_beside_the_eye(faces, unit):
    for face in faces:
        p, expression = face.identity, Muscles(face.anatomy).expression(to_intensity({unit: 1.0}))
        x = np.float32([[MIDDLE + p.eye_x + 8]])
        beside, cheek = (sample(expression.dy, x, np.float32([[p.eye_y + below]]))[0, 0] for below in (12, 22))
        assert beside < -0.08 and cheek < -0.15


def test_a_face_at_rest_does_not_look_sad(faces):
    """Raised inner ends of the brows and lowered corners of the mouth are how sadness shows (units 1, 4 and 15)."""
    inner, outer = (np.mean([f.anatomy.anchors[f"brow {end}", 1][1] for f in faces]) for end in ("inner", "outer"))
    corner = np.mean([f.anatomy.anchors["mouth corner", 1][1] - f.identity.mouth_y for f in faces])
    assert outer < inner + 0.5 and corner < 0
