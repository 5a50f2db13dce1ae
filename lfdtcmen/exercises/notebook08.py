"""Exercises of notebook 08: a warp's field, the rest loss's ratio, a planted bug in a swap, the effects of a 2x2."""

import numpy as np
import torch
from torch import Tensor

from lfdtcmen.exercises.answers import Answer, Exercise, as_number, as_tensor, call, expect, near

GAINS = ((0.02, 0.1), (0.3, 0.74))  # rows: image, warp; columns: own pairs, swaps


def _shift_field(answer: Answer) -> None:
    """08.1, ``shift_field(right, down)``: x and y in units of 4 pixels, to where a pixel is fetched."""
    field = as_tensor(call(answer, 6.0, -3.0), (1, 3, 32, 32), "The field")
    x, y, brightness = (float(part.mean()) for part in field[0])
    expect((field == field[..., :1, :1]).all(), "The whole face moves alike: every position has the same three values.")
    expect(brightness == 0, "The third channel is the brightness; leave it at 0.")
    for message, other in {
        "The picture goes the opposite way: the field says where a pixel is fetched from.": (1.5, -0.75),
        "Channel 0 is x, to the right, and channel 1 is y, down; yours are exchanged.": (0.75, -1.5),
        "That is four times too far: a value of 1 fetches from 4 pixels away.": (-6.0, 3.0),
        "That is in units of 128 pixels; a value of 1 is 4 of them.": (-6 / 128, 3 / 128),
        "Four times four is too much: divide by 4, do not multiply.": (-24.0, 12.0),
    }.items():
        expect(not (near(x, other[0]) and near(y, other[1])), message)
    expect(near(x, -1.5) and near(y, 0.75), "Opposite direction, a quarter of the pixels, in x and in y.")


def _rest_ratio(answer: Answer) -> None:
    """08.2, ``rest_ratio(onset, apex)``: the mean eigenvalue of S_d^-1 S_rest, one number."""
    rng = torch.Generator().manual_seed(0)
    codes = torch.randn(2, 400, 6, generator=rng) @ torch.randn(2, 6, 6, generator=rng)  # channels are mixed
    onset, d = codes[0] + 3, codes[1] + 1  # what all people share at rest, and what all motions share
    value = as_number(call(answer, onset.clone(), onset + d), "The ratio")

    def ratio(moved: Tensor, at_rest: Tensor) -> Tensor:
        return torch.linalg.solve(moved.T @ moved, at_rest.T @ at_rest).diagonal().mean()

    centred = onset - onset.mean(0)
    right = ratio(d, centred)
    for message, other in {
        "Subtract the mean code at rest: what all people share may stay.": ratio(d, onset),
        "Leave the mean of d in it: what all do is a motion, too.": ratio(d - d.mean(0), centred),
        "Upside down: people at rest, in units of motions.": ratio(centred, d),
        "The mean of the eigenvalues, please, not their sum.": 6 * right,
        "That is log(1 + r); r itself, please.": right.log1p(),
        "Variances are not enough: take whole covariances, so that mixing channels changes nothing.": (
            centred.square().sum(0) / d.square().sum(0)
        ).mean(),
    }.items():
        expect(not near(value, other, 5e-3), message)
    # 5e-3: a covariance that divides by B - 1 is right as well
    expect(near(value, right, 5e-3), "torch.linalg.solve(S_d, S_rest), and the mean of its diagonal.")


def _what_to_give(answer: Answer) -> None:
    """08.3, ``what_to_give(encode, receiver_onset, driver_onset, driver_apex)``: the driver's codes, subtracted."""
    rng = torch.Generator().manual_seed(0)
    mix = torch.randn(6, 16, generator=rng)

    def encode(frames: Tensor) -> Tensor:
        return torch.tanh(frames @ mix)

    looks, other, motion = torch.randn(3, 4, 6, generator=rng)
    frames = other, looks, looks + 0.3 * motion  # receiver at rest, driver at rest, driver's apex
    value = as_tensor(call(answer, encode, *(frame.clone() for frame in frames)), (4, 16), "The difference")
    receiver, onset, apex = map(encode, frames)
    for message, wrong in {
        "Still hers: the receiver's code is subtracted, so the difference holds the looks of both.": apex - receiver,
        "From rest to apex, please: yours goes back.": onset - apex,
        "That is the apex's code as it is; the driver's looks are in it.": apex,
        "Subtract codes, not frames: the encoder is not linear.": encode(frames[2] - frames[1]),
        "The receiver's code has no place in it: the generator has the identity code for that.": apex
        - onset
        + receiver,
    }.items():
        expect(not near(value, wrong), message)
    expect(near(value, apex - onset), "Whose rest does the driver's motion begin at?")


def _effects(answer: Answer) -> None:
    """08.4, ``effects(gains)``: the main effects of warp and swaps, and by how much more swaps bring with the warp."""
    value = np.asarray(call(answer, GAINS), float)
    expect(value.shape == (3,), f"Three numbers, please; yours has the shape {list(value.shape)}.")
    (image_own, image_swaps), (warp_own, warp_swaps) = GAINS
    warp = (warp_own + warp_swaps - image_own - image_swaps) / 2
    swaps = (image_swaps + warp_swaps - image_own - warp_own) / 2
    interaction = (warp_swaps - warp_own) - (image_swaps - image_own)
    for message, wrong in {
        "The warp's effect comes first, then that of swaps; yours are exchanged.": (swaps, warp, interaction),
        "Those are sums over the other factor; take means.": (2 * warp, 2 * swaps, interaction),
        "You compare with own pairs and the image generator alone; average over the other factor.": (
            *(warp_own - image_own, image_swaps - image_own, interaction),
        ),
        "The signs are wrong: with minus without.": (-warp, -swaps, -interaction),
        "The interaction is the whole difference of differences here, not half of it.": (warp, swaps, interaction / 2),
        "The interaction is the difference of two differences; yours is the best cell minus the worst.": (
            *(warp, swaps, warp_swaps - image_own),
        ),
    }.items():
        expect(not near(value, wrong), message)
    expect(near(value, (warp, swaps, interaction)), "Take rows apart, then columns, then subtract differences.")


EXERCISES = {
    "08.1": Exercise(
        _shift_field,
        (
            "If every pixel is fetched from the right, where does the picture go?",
            "A value of 1 in channel 0 means: from 4 pixels further right. How many is your shift?",
        ),
    ),
    "08.2": Exercise(
        _rest_ratio,
        (
            "S_rest: subtract the mean over people, then rest.T @ rest / B. S_d: d.T @ d / B.",
            "The sum of a matrix's eigenvalues is its trace.",
            "torch.linalg.solve(a, b) is the inverse of a, times b.",
        ),
    ),
    "08.3": Exercise(
        _what_to_give,
        (
            "Write each code as looks plus motion. What is left of the looks in her difference?",
            "The difference should be the same on every receiver.",
        ),
    ),
    "08.4": Exercise(
        _effects,
        (
            "Unpack the table: (a, b), (c, d) = gains.",
            "The warp's effect: the mean of its row minus the mean of the other row.",
            "Swaps bring something with the warp, and something without: subtract the two.",
        ),
    ),
}
