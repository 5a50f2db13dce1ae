"""Images as arrays."""

import numpy as np
import torch

from lfdtcmen.images import as_frames, as_tensor, grey_change


def test_as_frames_turns_network_output_into_frames():
    images = torch.tensor([[[[0.0, 1.0]], [[0.5, 2.0]], [[-1.0, 0.2]]]])  # [1, 3, 1, 2]
    assert as_frames(images).tolist() == [[[[0, 128, 0], [255, 255, 51]]]]


def test_frames_survive_the_way_to_a_tensor_and_back():
    frames = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)[:, ::-1]
    images = as_tensor(frames)
    assert images.shape == (2, 3, 4, 5) and images.dtype == torch.float32 and 0 <= images.min() and images.max() <= 1
    np.testing.assert_array_equal(as_frames(images), frames)


def test_grey_change_is_the_difference_of_the_means_over_colours():
    before, after = np.zeros((1, 2, 2, 3), np.uint8), np.full((3, 2, 2, 3), [3, 6, 0], np.uint8)
    change = grey_change(before, after)
    assert change.shape == (3, 2, 2) and change.dtype == np.float32 and (change == 3).all()
