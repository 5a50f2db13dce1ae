"""Exercises of notebook 06: parameters of one layer, what grows with the image, a count that is wrong."""

from lfdtcmen.exercises.answers import Answer, Exercise, as_number, call, expect
from lfdtcmen.modules.encoder import conv_bn_relu
from lfdtcmen.modules.generator import Up


def _refine_parameters(answer: Answer) -> None:
    """06.1, ``refine_parameters()``: of UP2's refinement: 3x3 convolution and batch normalisation, skip included."""
    number = as_number(call(answer), "The number of parameters")
    known = {
        "The skip's channels come in as well.": _weights(64, 64),
        "Batch normalisation has a scale and a shift for each channel; they are missing.": 9 * 96 * 64,
        "Those are the channels of UP1's refinement.": _weights(192, 128),
        "The convolution has no bias.": _weights(96, 64) + 64,
        "As many channels come out as went in? Look at the output of UP2.": _weights(96, 96),
    }
    for message, value in known.items():
        expect(number != value, message)
    right = sum(parameter.numel() for parameter in Up(128, 64, 32).refine.parameters())
    expect(
        number == right, "Which channels go into the 3x3 convolution, which come out, and what has the normalisation?"
    )


def _weights(channels: int, out: int) -> int:
    return sum(parameter.numel() for parameter in conv_bn_relu(channels, out).parameters())


GROWTH = {"motion encoder": 4.0, "MAAG": 4.0, "TSI streams": 1.0, "classifier": 1.0}  # a test counts them


def _growth(answer: Answer) -> None:
    """06.2, ``predicted_growth()``: how operations grow when frames are 256x256, as factors by component."""
    result = call(answer)
    expect(isinstance(result, dict), "Return a dict: the component's name, and the factor.")
    factors = GROWTH
    missing = [name for name in factors if name not in result]
    expect(not missing, f"There is no factor for {missing[:1]}. The names are {list(factors)}.")
    values = {name: as_number(result[name], f"'{name}'") for name in factors}
    expect(values["motion encoder"] != 2, "'motion encoder': the side doubles. How many more positions has a map then?")
    expect(
        values["motion encoder"] == factors["motion encoder"],
        "'motion encoder': the same kernel, at how many more positions?",
    )
    expect(values["MAAG"] != 1, "'MAAG': its input is the code, whose map has a side of 1/32 of the frame's.")
    expect(values["MAAG"] == factors["MAAG"], "'MAAG': two 1x1 convolutions, at each position of the code.")
    expect(values["TSI streams"] == 1, "'TSI streams': which size has its input, whatever the frames have?")
    expect(values["classifier"] == 1, "'classifier': it sees 512 numbers. What stands between it and the map?")


def _operations(answer: Answer) -> None:
    """06.3, ``mended_operations(kernel, channels, out, side, stride)``: multiplications and additions of a layer."""
    cases = ((3, 8, 16, 64, 1), (3, 8, 16, 64, 2), (1, 5, 7, 9, 1))
    for kernel, channels, out, side, stride in cases:
        number = as_number(call(answer, kernel, channels, out, side, stride), "The count")
        once = kernel**2 * channels * out
        positions = (-(-side // stride)) ** 2
        known = {
            "Those are multiplications alone. Each comes with an addition.": once * positions,
            "That is the number of weights, twice: each is used at every position of the output.": 2 * once,
            "Input positions are counted. With a stride the output has fewer.": 2 * once * side**2,
            "The side's length is counted, but a map has two sides.": -2 * once * (-side // stride),
        }
        for message, value in known.items():
            expect(number != value or value == 2 * once * positions, message)
        expect(number == 2 * once * positions, f"Wrong for a {kernel}x{kernel} kernel and stride {stride}.")


EXERCISES = {
    "06.1": Exercise(
        _refine_parameters,
        (
            "A k x k convolution without bias: k · k · channels in · channels out.",
            "Into the refinement go the upsampled channels and those of the skip after conv3.",
        ),
    ),
    "06.2": Exercise(
        _growth,
        (
            "A convolution's work is its weights times the positions of its output.",
            "Which components get the frames, or maps made of them, and which get something of a fixed size?",
        ),
    ),
    "06.3": Exercise(
        _operations,
        (
            "Count one output position first.",
            "How many output positions are there when the stride is 2?",
        ),
    ),
}
