"""TV-L1 finds a known motion; strain has the values that theory gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.data import astronaut
from skimage.transform import resize

from lfdtcmen import DataError
from lfdtcmen.datasets.synthetic import make_dataset
from lfdtcmen.preprocessing.flow import strain, to_streams, tvl1

Y, X = np.mgrid[:32, :48].astype(np.float64)
SMALL = st.floats(-0.5, 0.5)


@given(angle=SMALL, shift=st.tuples(SMALL, SMALL))
def test_strain_of_a_rotation_and_a_shift_is_zero(angle, shift):
    flow = np.stack([-angle * Y + shift[0], angle * X + shift[1]])
    assert strain(flow).max() <= 1e-6


@given(stretch=SMALL)
def test_strain_of_a_stretch_is_its_factor_along_either_axis(stretch):
    still = np.zeros_like(X)
    np.testing.assert_allclose(strain(np.stack([stretch * X, still])), abs(stretch), atol=1e-6)
    np.testing.assert_allclose(strain(np.stack([still, stretch * Y])), abs(stretch), atol=1e-6)


@given(shear=SMALL)
def test_strain_of_a_shear_is_its_factor_by_root_two(shear):
    still = np.zeros_like(X)
    np.testing.assert_allclose(strain(np.stack([shear * Y, still])), abs(shear) / np.sqrt(2), atol=1e-6)
    np.testing.assert_allclose(strain(np.stack([still, shear * X])), abs(shear) / np.sqrt(2), atol=1e-6)


def test_tvl1_gives_x_before_y_and_the_sign_of_the_motion():
    face = (resize(astronaut()[0:220, 120:340], (128, 128), anti_aliasing=True) * 255).astype(np.uint8)
    onset, apex = (
        face[4:-4, 4:-4],
        face[3:-5, 2:-6],
    )  # the apex window lies 2 left, 1 up: what it shows moves right, down
    flow = tvl1(onset, apex)
    assert flow.shape == (2, 120, 120)
    assert flow.dtype == np.float32
    inner = flow[:, 20:-20, 20:-20]
    np.testing.assert_allclose(np.median(inner, axis=(1, 2)), [2, 1], atol=0.1)


def test_streams_are_u_v_and_strain_in_pixels():
    flow = np.stack([0.1 * np.mgrid[:128, :128][1], np.full((128, 128), 2.0)]).astype(np.float32)
    streams = to_streams(flow)
    assert streams.shape == (3, 28, 28)
    assert streams.dtype == np.float32
    assert streams[0].mean() == pytest.approx(flow[0].mean(), rel=1e-4)
    np.testing.assert_allclose(streams[1], 2, atol=1e-5)
    np.testing.assert_allclose(streams[2], 0.1, atol=1e-5)


@pytest.mark.parametrize(
    ("onset", "apex", "message"),
    [
        (np.zeros((32, 32, 3)), np.zeros((32, 32, 3), np.uint8), "uint8"),
        (np.zeros((32, 32, 3), np.uint8), np.zeros((32, 40, 3), np.uint8), "crop both alike"),
        (np.zeros((32, 32, 4), np.uint8), np.zeros((32, 32, 4), np.uint8), r"\[H, W, 3\]"),
        (np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8), "16x16"),
        ("face.jpg", np.zeros((32, 32), np.uint8), "str"),
    ],
)
def test_tvl1_refuses_what_is_no_pair_of_frames(onset, apex, message):
    with pytest.raises(DataError, match=message):
        tvl1(onset, apex)


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (np.zeros((3, 32, 32)), "x then y"),
        (np.full((2, 32, 32), np.nan), "NaN"),
        (np.zeros((2, 32, 32), int), "floating point"),
    ],
)
def test_strain_and_streams_refuse_what_is_no_flow(flow, message):
    for function in (strain, to_streams):
        with pytest.raises(DataError, match=message):
            function(flow)


def test_tvl1_against_the_exact_flow_of_synthetic_faces():
    # as filmed, head motion included; the background does not move, and has no texture to tell so
    pairs = make_dataset("standard", subjects=4)
    pairs = pairs.subset(np.arange(0, len(pairs), 3))
    flow = np.stack([tvl1(onset, apex) for onset, apex in zip(pairs.onset, pairs.apex, strict=True)])
    length = np.linalg.norm(pairs.true_flow, axis=1)  # [N, H, W], pixels
    head = length > 0
    error = np.linalg.norm(flow - pairs.true_flow, axis=1)[head].mean()
    assert error < 0.30
    assert error < 0.5 * length[head].mean()  # what no flow at all would miss
