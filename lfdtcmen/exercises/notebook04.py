"""Exercises of notebook 04: a weighted sum, shares of a step, gradient surgery, an optimiser that misses half."""

import torch
from torch import nn

from lfdtcmen.exercises.answers import Answer, Exercise, Wrong, as_number, as_tensor, call, expect, near
from lfdtcmen.training import set_trainable


def _total(answer: Answer) -> None:
    """04.1, ``total(values, weights)``: the objective of any stage."""
    values = {"reconstruction": 0.2, "orthogonality": 0.5, "emotion": 1.5}
    weights = {"reconstruction": 10.0, "orthogonality": 0.1, "emotion": 2.0}
    full = as_number(call(answer, values, weights), "The objective")
    expect(not near(full, sum(values.values())), "That is the sum of the losses without their weights.")
    weighted = sum(weights[name] * values[name] for name in values)
    expect(not near(full, weighted / sum(weights.values())), "A sum is asked for: yours is a weighted mean.")
    expect(near(full, weighted), "With a weight for each loss, the sum is wrong.")
    try:
        fewer = as_number(call(answer, values, {"emotion": 2.0}), "The objective")
    except KeyError as error:
        raise Wrong(
            f"In stage 2 only the emotion has a weight, and your function stops with KeyError {error}."
        ) from error
    expect(not near(fewer, 2.0 * 1.5 + 0.7), "A loss without a weight counts fully in yours. Should stage 2 see it?")
    expect(near(fewer, 3.0), "A loss without a weight should have no part in the sum.")


SHARES = ("equal directions", "right angles", "opposite directions")


def _shares(answer: Answer) -> None:
    """04.2, ``predicted_shares()``: shares of losses whose weighted gradients are known, as a dict."""
    result = call(answer)
    expect(isinstance(result, dict), "Return a dict: the name, and the share that you expect.")
    missing = [name for name in SHARES if name not in result]
    expect(not missing, f"There is no prediction for {missing[:1]}. The names are {list(SHARES)}.")
    values = [as_number(result[name], f"'{name}'") for name in SHARES]
    pairs = (((1.0, 0.0), (3.0, 0.0)), ((1.0, 0.0), (0.0, 3.0)), ((-1.0, 0.0), (3.0, 0.0)))
    mistakes = (
        (3.0 / 4, f"'{SHARES[0]}': that is the share of the other one."),
        (1.0 / 4, f"'{SHARES[1]}': that compares the lengths. At right angles, what is <g_1, g>?"),
        (-1.0 / 4, f"'{SHARES[2]}': the two partly cancel. How long is the sum?"),
    )
    for name, value, (of_loss, other), (wrong, message) in zip(SHARES, values, pairs, mistakes, strict=True):
        one, total = torch.tensor(of_loss), torch.tensor(of_loss) + torch.tensor(other)
        expect(not near(value, wrong), message)
        expect(
            near(value, one @ total / (total @ total), 0.01), f"'{name}': not this. Take two numbers for each gradient."
        )


def _surgery(answer: Answer) -> None:
    """04.3, ``without_conflict(gradient, emotion)``: remove what works against the emotion loss, and only that."""
    torch.manual_seed(0)
    emotion = torch.randn(20)
    across = torch.randn(20)
    across = across - (across @ emotion) / (emotion @ emotion) * emotion  # at right angles
    against, along = across - 2 * emotion, across + 2 * emotion
    kept = as_tensor(call(answer, along, emotion), (20,))
    expect(not near(kept, across, 1e-3), "This gradient helps the emotion loss, and you took the help away.")
    expect(near(kept, along, 1e-3), "A gradient that does not work against the emotion loss should stay as it is.")
    cleaned = as_tensor(call(answer, against, emotion), (20,))
    expect(not near(cleaned, against, 1e-3), "This gradient works against the emotion loss, and it is unchanged.")
    expect(cleaned.any(), "You threw the whole gradient away. Only its part along the emotion's should go.")
    expect(not near(cleaned, across + 2 * emotion, 1e-3), "You turned the conflict into help. It should just be gone.")
    left = (cleaned @ emotion).item()
    expect(abs(left) < 1e-3, f"What is left still has a product of {left:.3g} with the emotion's gradient. Divide by?")
    expect(near(cleaned, across, 1e-3), "The conflict is gone, but something else of the gradient, too.")


class _Small(nn.Module):
    """The two parts of the network, tiny."""

    def __init__(self) -> None:
        super().__init__()
        self.drl, self.tcme = (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)) for _ in range(2))


def _optimiser(answer: Answer) -> None:
    """04.4, ``mended_start(model, rate)``: an optimiser for stage 3 that trains every part."""
    model = _Small()
    set_trainable(model, 2)  # type: ignore[arg-type]
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    optimiser = call(answer, model, 0.01)
    expect(isinstance(optimiser, torch.optim.Optimizer), "Your function should return the optimiser.")
    frozen = [name for name, weight in model.named_parameters() if not weight.requires_grad]
    expect(not frozen, f"{frozen[:1]} is still frozen: it has requires_grad=False.")
    expect(all(group["lr"] == 0.01 for group in optimiser.param_groups), "The learning rate is not the one given.")
    held = {id(weight) for group in optimiser.param_groups for weight in group["params"]}
    missed = [name for name, weight in model.named_parameters() if id(weight) not in held]
    expect(not missed, f"{missed[:1]} gets a gradient, but the optimiser does not know it. When did it ask?")
    expect(model.drl.training, "DRL is in evaluation mode: its batch normalisation keeps the statistics of stage 1.")
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    optimiser.step()
    still = [name for name, weight in model.named_parameters() if torch.equal(weight, before[name])]
    expect(not still, f"After a step with a gradient everywhere, {still[:1]} is where it was.")


EXERCISES = {
    "04.1": Exercise(
        _total,
        (
            "Go through the weights, not through the losses: then what has no weight does not come up.",
            "It is one line: sum(... for ... in ...).",
        ),
    ),
    "04.2": Exercise(
        _shares,
        (
            "Write both gradients as pairs of numbers, and add them to get g.",
            "The share is <g_i, g> / <g, g>. In the last case, the sum is shorter than the longer of the two.",
        ),
    ),
    "04.3": Exercise(
        _surgery,
        (
            "What is the sign of the inner product when two gradients work against each other?",
            "The part of a along b is (a·b / b·b) b.",
        ),
    ),
    "04.4": Exercise(
        _optimiser,
        (
            "An optimiser holds a list of weights. At which moment is the list made?",
            "Print how many weights it holds, before and after you exchange two lines.",
        ),
    ),
}
