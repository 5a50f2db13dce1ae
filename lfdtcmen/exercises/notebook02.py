"""Exercises of notebook 02: what a position sees, a fair consistency, motion gain, a loss that breaks."""

import numpy as np
import torch

from lfdtcmen.exercises.answers import Answer, Exercise, Wrong, as_number, as_tensor, call, expect, near
from lfdtcmen.losses import identity_contrastive


def _pixels_seen(answer: Answer) -> None:
    """02.1, ``pixels_seen(strides)``: the side of what a position sees, for 3x3 convolutions of these strides."""
    for strides in ([1, 1], [2, 2, 2], [2, 2, 2, 1, 2], [1, 2, 1, 2, 2]):
        number = as_number(call(answer, list(strides)), f"The side for strides {strides}")
        before = np.cumprod([1, *strides])[:-1]  # step of each convolution's input, pixels
        after = np.cumprod(strides)
        true = 1 + 2 * before.sum()
        for message, value in {
            "Each convolution adds the same in your count: behind a stride, a step of two positions is more pixels.": 1
            + 2 * len(strides),
            "The stride of a convolution acts on what comes after it; you let it widen that convolution itself.": 1
            + 2 * after.sum(),
            "That is how far the step has grown, not what a position sees.": after[-1],
            "You add the whole kernel, 3, each time; its middle was seen before.": 1 + 3 * before.sum(),
        }.items():
            if number == value != true:
                raise Wrong(message)
        direction = "few" if number < true else "many"
        expect(number == true, f"Strides {strides}: too {direction} pixels.")


def _fair_consistency(answer: Answer) -> None:
    """02.2, ``fair_consistency(pairs)``: 0 where codes are found again, and not lowered by shrinking all codes."""
    torch.manual_seed(0)
    codes = [torch.randn(3, 5, 2, 2, requires_grad=True) for _ in range(8)]
    pairs = list(zip(codes[::2], codes[1::2], strict=True))
    value = as_tensor(call(answer, pairs), (), "The loss")
    found = as_tensor(call(answer, [(source, source) for _, source in pairs]), (), "The loss")
    expect(value > 1e-4, "Four codes that were not found again: the loss should be positive.")
    expect(abs(found) < 1e-4, "All codes were found again exactly: the loss should be 0.")
    for k in range(4):
        one_found = [(b, b) if n == k else (a, b) for n, (a, b) in enumerate(pairs)]
        expect(
            call(answer, one_found) < value - 1e-6, f"Finding the code of pair {k + 1} again does not lower the loss."
        )
    for factor in (0.5, 0.1):
        shrunk = call(answer, [(factor * a, factor * b) for a, b in pairs])
        expect(shrunk > 0.9 * value, f"All codes times {factor}: your loss is {shrunk / value:.2f} times as large.")
    expect(value.requires_grad, "Nothing can learn from it, no gradient reaches any code.")
    gradients = torch.autograd.grad(value, codes, allow_unused=True)
    expect(
        all(gradient is not None and gradient.any() for gradient in gradients[::2]),
        "No gradient reaches the code of a generated image: it could not learn to be found.",
    )
    if all(gradient is not None and gradient.any() for gradient in gradients[1::2]):
        shrinks = sum(
            (code * gradient).sum() for code, gradient in zip(codes, gradients, strict=True) if gradient is not None
        )
        expect(
            shrinks < 1e-3 * value,
            "The value stays when codes shrink, but its gradient still makes them smaller: you detached the divisor.",
        )


GAINS = ("half the change", "no change", "the opposite change", "the right change and twice as much of another one")


def _gains(answer: Answer) -> None:
    """02.3, ``predicted_gains()``: the motion gain of four generators, as a dict."""
    result = call(answer)
    expect(isinstance(result, dict), "Return a dict: the name of the generator, and the gain that you expect.")
    missing = [name for name in GAINS if name not in result]
    expect(not missing, f"There is no prediction for {missing[:1]}. The names are {list(GAINS)}.")
    true, other = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    generated = dict(zip(GAINS, (true / 2, 0 * true, -true, true + 2 * other), strict=True))
    values = {name: as_number(result[name], f"'{name}'") for name in GAINS}
    if near(values[GAINS[0]], 1.0):
        raise Wrong("'half the change': that is the cosine, which has the direction alone. The gain has length, too.")
    if near(values[GAINS[1]], 1.0):
        raise Wrong("'no change': that is the error relative to copying. What is g·t when g is zero?")
    if values[GAINS[2]] > 0:
        raise Wrong("'the opposite change': a dot product has a sign.")
    if near(values[GAINS[3]], 5**0.5):
        raise Wrong(f"'{GAINS[3]}': that is the length of the generated change. Only what lies along t counts.")
    for name, change in generated.items():
        gain = (change @ true / (true @ true)).item()
        expect(near(values[name], gain), f"'{name}': not this. Write g as a multiple of t, and a rest at right angles.")


def _contrastive(answer: Answer) -> None:
    """02.4, ``mended_contrastive(features, subjects, margin)``: finite where two features point the same way."""
    torch.manual_seed(0)
    for margin in (1.0, 1.6):
        features, subjects = torch.randn(6, 4), torch.tensor([0, 0, 1, 1, 2, 2])
        value = as_tensor(call(answer, features, subjects, margin), (), "The loss")
        expect(
            near(value, identity_contrastive(features, subjects, margin), 1e-3),
            "On six features that all differ the value was right before you changed it, and is not now.",
        )
    same = torch.ones(2, 4, requires_grad=True)
    value = call(answer, same, torch.tensor([0, 0]), 1.0)
    expect(torch.isfinite(value), "Two equal features of one person: the loss is NaN or infinite.")
    expect(value.requires_grad, "Nothing can learn from it: you cut the loss off the features (detach, no_grad?).")
    expect(value < 0.01, "Two equal features of one person: the angle is 0, the loss should be next to it.")
    (gradient,) = torch.autograd.grad(value, same)
    expect(
        torch.isfinite(gradient).all(),
        "The loss of two equal features is fine, its gradient is not: NaN. What is the slope of arccos at 1? To "
        "replace NaN afterwards, or to stop at 1 exactly, does not change the slope.",
    )


EXERCISES = {
    "02.1": Exercise(
        _pixels_seen,
        (
            "Neighbours of the first map are one pixel apart. How far apart are they after a stride of 2?",
            "A 3 x 3 convolution reaches one position of its input to each side. How many pixels are that?",
            "Two numbers change with each convolution: what is seen, and the step. Which one has to change first?",
        ),
    ),
    "02.2": Exercise(
        _fair_consistency,
        (
            "If all codes are halved, the squared differences are a quarter. What else is a quarter then?",
            "Compare each difference with the size of the code that was to be found.",
            "What you divide by belongs to the loss: if no gradient passes through it, shrinking still pays.",
        ),
    ),
    "02.3": Exercise(
        _gains,
        (
            "The gain is g·t / t·t, for g the generated change and t the true one. Put g = t in: what comes out?",
            "A motion at right angles to t has no dot product with it.",
        ),
    ),
    "02.4": Exercise(
        _contrastive,
        (
            "Give the loss two equal features, and look at the gradient, not at the loss.",
            "Plot arccos near 1. What happens to its slope?",
            "What goes into arccos must stay a little away from -1 and 1.",
        ),
    ),
}
