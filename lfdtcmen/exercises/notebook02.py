"""Exercises of notebook 02: two encoders in one batch, consistency, motion gain, a loss that breaks."""

import torch
from torch import Tensor, nn

from lfdtcmen.exercises.answers import Answer, Exercise, Wrong, as_number, as_tensor, call, expect, near
from lfdtcmen.losses import consistency, identity_contrastive


def _encode_both(answer: Answer) -> None:
    """02.1, ``encode_both(encoder, onset, apex)``: both codes of one call of the encoder."""
    calls = []

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(3, affine=False)

        def forward(self, frames: Tensor) -> Tensor:
            calls.append(len(frames))
            return self.norm(frames)

    torch.manual_seed(0)
    onset = torch.rand(4, 3, 2, 2)
    apex = onset + torch.tensor([0.5, 1.0, 2.0])[:, None, None]  # a motion that all share
    result = call(answer, Encoder().train(), onset, apex)
    expect(
        isinstance(result, tuple | list) and len(result) == 2,
        "Return two things, the codes of the onsets and the codes of the apexes; one tensor holds both: part it.",
    )
    expect(
        calls != [4, 4],
        "You call the encoder twice. Each call subtracts the mean of its own batch, and with it the motion that all "
        "four have in common.",
    )
    codes = [as_tensor(code, (4, 3, 2, 2), f"Code {k}") for k, code in enumerate(result, 1)]
    expect(len(calls) == 1 and calls[0] == 8, f"The encoder should see 8 frames in one call, it saw {calls}.")
    change = (codes[1] - codes[0]).mean((0, 2, 3))
    expect((change > 0).all(), "Onset and apex are exchanged: first the onsets' codes, then those of the apexes.")
    both = Encoder().train()(torch.cat([onset, apex]))
    expect(near(torch.cat(codes), both), "One call, but the rows are not in the order in which the frames came.")


def _consistency(answer: Answer) -> None:
    """02.2, ``my_consistency(pairs, detach)``: the sum of four mean squared errors."""
    torch.manual_seed(0)
    codes = [torch.randn(3, 5, 2, 2, requires_grad=True) for _ in range(8)]
    pairs = list(zip(codes[::2], codes[1::2], strict=True))
    for detach in (False, True):
        value = as_tensor(call(answer, pairs, detach), (), "The loss")
        errors = [(a - b) for a, b in pairs]
        expected = consistency(pairs, detach)
        known = {
            "Differences are squared in this loss; yours takes their absolute values.": [
                e.abs().mean() for e in errors
            ],
            "Each of the four terms is a mean over its entries; yours is a sum.": [e.square().sum() for e in errors],
            "The four terms are added; you took their mean.": [e.square().mean() / 4 for e in errors],
            "Only the first pair is in your loss: all four count.": [errors[0].square().mean()],
        }
        for message, terms in known.items():
            expect(not near(value, sum(terms)), message)
        expect(near(value, expected), f"detach={detach}: the value is wrong. Four pairs, a mean squared error each?")
        expect(value.requires_grad, f"detach={detach}: nothing can learn from it, no gradient reaches any code.")
        for a, b in pairs:
            made, source = torch.autograd.grad(value, (a, b), retain_graph=True, allow_unused=True)
            stopped = source is None or not source.any()
            expect(
                made is not None and made.any(),
                f"detach={detach}: no gradient reaches the code of the generated image: you detached the wrong side.",
            )
            if detach:
                expect(stopped, "detach=True: the second of each pair is a fixed target, but a gradient reaches it.")
            else:
                expect(not stopped, "detach=False: both of each pair learn, but no gradient reaches the second.")


GAINS = ("half as far", "never moves", "the wrong way", "the right motion and twice as much of another one")


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
        raise Wrong("'half as far': that is the cosine, which has the direction alone. The gain has the length, too.")
    if near(values[GAINS[1]], 1.0):
        raise Wrong("'never moves': that is the error relative to copying. What is g·t when g is zero?")
    if values[GAINS[2]] > 0:
        raise Wrong("'the wrong way': a dot product has a sign.")
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
        _encode_both,
        (
            "What does batch normalisation subtract in training, and of which frames?",
            "Put both batches into one, encode it, and part the result. torch.cat has an opposite.",
        ),
    ),
    "02.2": Exercise(
        _consistency,
        (
            "Take one pair first. What does F.mse_loss return for it?",
            "A tensor that should be a fixed target has a method that cuts it off the graph.",
            "Of each pair, the second is the code that the image was made of.",
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
