"""RPCA recovers what it is promised to recover, and refuses what it cannot decompose."""

import numpy as np
import pytest

from lfdtcmen import DataError
from lfdtcmen.baselines import rpca


@pytest.mark.parametrize(
    ("shape", "rank", "density"), [((120, 90), 4, 0.05), ((200, 100), 3, 0.05), ((60, 60), 3, 0.1)]
)
def test_low_rank_and_sparse_parts_are_recovered(shape, rank, density):
    rng = np.random.default_rng(0)
    low_rank = rng.normal(size=(shape[0], rank)) @ rng.normal(size=(rank, shape[1]))
    sparse = np.where(rng.random(shape) < density, rng.choice([-5.0, 5.0], shape), 0)
    found = rpca.decompose(low_rank + sparse)
    assert np.linalg.norm(found.low_rank - low_rank) <= 1e-4 * np.linalg.norm(low_rank)
    assert np.linalg.norm(found.sparse - sparse) <= 1e-4 * np.linalg.norm(sparse)
    assert np.linalg.matrix_rank(found.low_rank, tol=1e-3 * np.linalg.norm(low_rank, 2)) == rank
    np.testing.assert_array_equal(np.abs(found.sparse) > 1, sparse != 0)


def test_the_parts_add_up_and_are_counted():
    matrix = np.random.default_rng(1).normal(size=(30, 20))
    found = rpca.decompose(matrix)
    np.testing.assert_allclose(found.low_rank + found.sparse, matrix, atol=1e-5)
    assert 0 < found.rank < 20 and 0 < found.density < 1 and 0 < found.steps < 500
    assert rpca.decompose(np.zeros((4, 3))).density == 0


def test_a_square_that_appears_is_the_sparse_part_of_a_clip():
    clip = np.repeat(np.random.default_rng(2).integers(50, 200, (1, 32, 32), np.uint8), 11, axis=0)
    clip[4:7, 10:14, 10:14] += 40
    motion = rpca.sparse_motion(clip)  # [11, 32, 32]
    expected = np.zeros(clip.shape)
    expected[4:7, 10:14, 10:14] = 40 / 255
    np.testing.assert_allclose(motion, expected, atol=1e-4)


@pytest.mark.parametrize("matrix", [np.zeros(4), np.zeros((0, 3)), np.array([[1.0, np.nan]])])
def test_what_is_no_matrix_of_finite_values_is_refused(matrix):
    with pytest.raises(DataError, match="a matrix"):
        rpca.decompose(matrix)


def test_a_weight_of_zero_too_few_steps_and_too_few_frames_are_refused():
    matrix = np.random.default_rng(3).normal(size=(10, 8))
    with pytest.raises(DataError, match="cannot have weight 0"):
        rpca.decompose(matrix, weight=0)
    with pytest.raises(DataError, match="no solution after 2 steps"):
        rpca.decompose(matrix, most_steps=2)
    with pytest.raises(DataError, match="a clip of 2 frames is too short, RPCA needs 3"):
        rpca.sparse_motion(np.zeros((2, 8, 8), np.uint8))
