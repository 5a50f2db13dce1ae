"""Exercises of notebook 03: a gate that closes, parameters of equal channels, freezing, a turned flow."""

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
    """03.3, ``Frozen(module)``: no gradient, and the same output for a frame whatever is called afterwards."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4)))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    frozen = call(answer, module)
    expect(isinstance(frozen, nn.Module), f"Frozen(module) should be a module, it is {type(frozen).__name__}.")
    expect(
        all(near(before[name], value) for name, value in module.state_dict().items()),
        "Freezing should change no weight and no statistic; yours did.",
    )
    learning = [name for name, parameter in module.named_parameters() if parameter.requires_grad]
    count = len(list(module.parameters()))
    expect(len(learning) < count, "Every parameter still requires a gradient: nothing is frozen.")
    expect(not learning, f"Some parameters still require a gradient: {', '.join(learning)}.")
    around = nn.Sequential(frozen)  # as part of a larger network
    around.train()
    call(around, torch.rand(8, 3, 2, 2) + 1)
    moved = [name for name, value in module.state_dict().items() if "running" in name and not near(before[name], value)]
    expect(
        "1.0.running_mean" not in moved,
        "No weight learns, but after train() and one batch the running statistics moved. They need no gradient.",
    )
    expect(not moved, "One batch normalisation is frozen, another one deeper in the module is not.")
    frames = torch.rand(8, 3, 2, 2) + 1
    around.train()
    expect(
        near(around(frames)[:1], around(frames[:1])),
        "The statistics stay, but after train() the output of a frame still depends on the other frames of its "
        "batch: batch normalisation uses theirs.",
    )
    around.eval()
    before_training = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4)))
    before_training.load_state_dict(before)
    expect(
        near(around(frames), before_training.eval()(frames)),
        "The output of the frozen module is not what it was in evaluation mode.",
    )


def _half_turn(answer: Answer) -> None:
    """03.4, ``mended_turn(streams)``: flow and strain of a pair whose frames are turned by 180 degrees."""
    torch.manual_seed(0)
    streams = torch.randn(2, 3, 4, 4)
    turned = as_tensor(call(answer, streams), (2, 3, 4, 4), "The result")
    moved, signs = streams.flip(2, 3), {"U": -1, "V": -1, "strain": 1}
    expect(not near(turned, streams), "Nothing is turned: you returned what you were given.")
    expect(not near(turned, moved), "The maps are turned, the arrows in them are not: a motion to the right stays one.")
    expect(
        not near(turned, -moved), "Strain has no direction: a stretched skin stays stretched, however you look at it."
    )
    for axis, name in ((3, "left and right"), (2, "top and bottom")):
        flipped = streams.flip(axis)
        expect(
            not near(turned.abs(), flipped.abs()),
            f"Only {name} are exchanged: that is a mirror image. A half turn exchanges both.",
        )
    for k, (name, sign) in enumerate(signs.items()):
        expect(
            near(turned[:, k], sign * moved[:, k]),
            f"{name} is wrong. Where does an arrow of this component point after a half turn?",
        )


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
            "In evaluation mode all is well. nn.Module.train(mode) sets the mode of a module and of all its parts. "
            "What should yours do when it is called with True?",
            "A class may override train(mode): whatever mode it is given, it can hand False on to super().train().",
        ),
    ),
    "03.4": Exercise(
        _half_turn,
        (
            "Draw an arrow that points right and down, and turn the page by a half turn. Where does it point?",
            "Which of U, V and strain have a direction?",
            "Compare with `mirrored` of section 6: there one component changed its sign.",
        ),
    ),
}
