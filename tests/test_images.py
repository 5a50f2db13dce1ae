"""Images as arrays."""

import torch

from lfdtcmen.images import as_frames


def test_as_frames_turns_network_output_into_frames():
    images = torch.tensor([[[[0.0, 1.0]], [[0.5, 2.0]], [[-1.0, 0.2]]]])  # [1, 3, 1, 2]
    assert as_frames(images).tolist() == [[[[0, 128, 0], [255, 255, 51]]]]
