"""Exercises of notebook 03: a gate that closes, parameters of equal channels, freezing, constants of the flow."""

import torch
from torch import nn

from lfdtcmen.exercises.answers import Answer, Exercise, Wrong, as_number, as_tensor, call, expect, near
from lfdtcmen.modules.flow_branch import WIDTHS, MicroInception


def _two_sided_gate(answer: Answer) -> None:
    """03.1, ``two_sided_gate(code, attention)``: amplify by up to 20 %, or weaken by up to 20 %."""
    torch.manual_seed(0)
    code, attention = torch.rand(2, 4, 3, 3) + 1, torch.rand(2, 4, 3, 3)
    as_tensor(call(answer, code, attention), (2, 4, 3, 3))
    closed, half, opened = (call(answer, code, torch.full_like(attention, a)) / code for a in (0.0, 0.5, 1.0))
    expect(
        not (near(closed, torch.ones_like(code)) and near(opened, torch.full_like(code, 1.2))),
        "That is MAAG's own gate, which can only amplify: attention 0 should weaken the code.",
    )
    expect(near(half, torch.ones_like(code)), "Attention of one half should leave the code as it is.")
    expect((opened > 1).all(), "Attention 1 should amplify, attention 0 weaken: yours does it the other way round.")
    expect(
        near(opened - closed, torch.full_like(code, 0.4)),
        "From attention 0 to attention 1, the gate should go from 20 % below one to 20 % above it; your range differs.",
    )
    expect(
        near(call(answer, code, attention), code * (closed + (opened - closed) * attention)),
        "The two ends are right. Between them the gate should be a straight line in the attention.",
    )


def _saved_parameters(answer: Answer) -> None:
    """03.2, ``saved_parameters()``: what three streams save with one input channel in place of three."""
    number = as_number(call(answer), "The number of parameters")
    one, three = (sum(p.numel() for p in MicroInception(c, WIDTHS[0]).parameters()) for c in (1, 3))
    small, middle, large = WIDTHS[0]
    saved = 3 * (three - one)
    for message, value in {
        "That is one stream: there are three.": three - one,
        "Those are all weights for three channels. How many of them are left with one channel?": 3 * three,
        "One channel less is counted, but two channels go.": saved // 2,
        "Those are the weights that remain, not those that are saved.": 3 * one,
        "A kernel of 3x3 has nine weights for each pair of channels, not three.": 3
        * 2
        * (small + 3 * middle + 5 * large),
    }.items():
        if number == value:
            raise Wrong(message)
    direction = "few" if number < saved else "many"
    expect(number == saved, f"Too {direction}. Which layers have weights for each input channel? Batch norm has none.")


def _freeze(answer: Answer) -> None:
    """03.3, ``freeze(module)``: no gradient, and statistics that stay whatever is called afterwards."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4)))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    answer(module)
    expect(
        all(near(before[name], value) for name, value in module.state_dict().items()),
        "Freezing should change no weight and no statistic; yours did.",
    )
    learning = [name for name, parameter in module.named_parameters() if parameter.requires_grad]
    count = len(list(module.parameters()))
    expect(len(learning) < count, "Every parameter still requires a gradient: nothing is frozen.")
    expect(not learning, f"Some parameters still require a gradient: {', '.join(learning)}.")
    module.train()
    module(torch.rand(8, 3, 2, 2) + 1)
    moved = [name for name, value in module.state_dict().items() if "running" in name and not near(before[name], value)]
    expect(
        "1.0.running_mean" not in moved,
        "No weight learns, but after module.train() and one batch the running statistics moved. They need no gradient.",
    )
    expect(not moved, "One batch normalisation is frozen, another one deeper in the module is not.")


def _flow_constants(answer: Answer) -> None:
    """03.4, ``mended_constants(train_flow, test_flow)``: mean and standard deviation, [3] each, of training alone."""
    torch.manual_seed(0)
    scale = torch.tensor([1.0, 2.0, 0.5])[:, None, None]
    train, test = scale * (torch.randn(6, 3, 5, 5) + 1), 3 * torch.randn(4, 3, 5, 5)
    result = call(answer, train, test)
    expect(isinstance(result, tuple | list) and len(result) == 2, "Return two things: mean and standard deviation.")
    for name, value in zip(("mean", "standard deviation"), result, strict=True):
        expect(isinstance(value, torch.Tensor), f"The {name} should be a tensor.")
        expect(
            value.numel() != 18,
            f"The {name} has a value for each pair: the constants must be the same for all pairs. Which axes remain?",
        )
        expect(value.numel() != 1, f"There is one {name} for U, V and strain together; each needs its own.")
        as_tensor(value.flatten(), (3,), f"The {name}")
    mean, std = (value.flatten() for value in result)
    both = torch.cat([train, test])
    expect(
        not near(mean, both.mean((0, 2, 3))) and not near(std, both.std((0, 2, 3))),
        "The test pairs changed your constants: people whom the network must not know have shifted its input.",
    )
    expect(near(mean, train.mean((0, 2, 3))), "The mean is not that of the training pairs.")
    spread = train.std((0, 2, 3))
    expect(not near(std, spread.square()), "That is the variance: its square root has the unit of the flow.")
    expect(near(std, spread, 0.01), "The standard deviation is not that of the training pairs.")
    train[:, 2] = 0
    _, std = call(answer, train, test)
    expect(torch.isfinite(1 / std).all(), "A component that is 0 everywhere divides by zero. Keep the deviation off 0.")


EXERCISES = {
    "03.1": Exercise(
        _two_sided_gate,
        (
            "Which number must the gate be for attention 0, one half and 1?",
            "Stretch the attention from [0, 1] to [-1, 1] first.",
        ),
    ),
    "03.2": Exercise(
        _saved_parameters,
        (
            "A k x k convolution from c to d channels without bias has k · k · c · d weights. Which factor changes?",
            "Add it up over the three kernel sizes, then over the three streams.",
        ),
    ),
    "03.3": Exercise(
        _freeze,
        (
            "There are two kinds of numbers in batch normalisation: weights, which learn, and statistics, which are "
            "collected.",
            "module.modules() walks through all depths. isinstance tells which ones are batch normalisations.",
            "How much of a new batch goes into the running statistics? BatchNorm2d has an argument for it.",
        ),
    ),
    "03.4": Exercise(
        _flow_constants,
        (
            "Who must not have any say in the constants?",
            "U, V and strain have units of their own: over which of the four axes may you average?",
            "What happens to a component that is zero in every training pair?",
        ),
    ),
}
