"""Exercises of notebook 06: the right answer is right, and each typical wrong one has a message of its own."""

from lfdtcmen import LFDTCMEN
from lfdtcmen.analysis.complexity import flop_table
from lfdtcmen.exercises import (
    notebook06,
)
from tests.exercises.answers import answer_tests


def growth(*factors):
    return lambda: dict(zip(notebook06.GROWTH, factors, strict=True))


TABLE = {
    "06.1": (lambda: 55_424, [lambda: 36_992, lambda: 55_296, lambda: 55_488, lambda: 10]),
    "06.2": (
        growth(4, 4, 1, 1),
        [growth(2, 4, 1, 1), growth(4, 1, 1, 1), growth(4, 4, 4, 1), growth(4, 4, 1, 4), lambda: {}],
    ),
    "06.3": (
        lambda k, c, out, side, stride: 2 * k * k * c * out * (-(-side // stride)) ** 2,
        [
            lambda k, c, out, side, stride: k * k * c * out * (-(-side // stride)) ** 2,
            lambda k, c, out, side, stride: 2 * k * k * c * out,
            lambda k, c, out, side, stride: 2 * k * k * c * out * side**2,
            lambda k, c, out, side, stride: 2 * k * c * out * (-(-side // stride)) ** 2,
        ],
    ),
}


test_the_right_answer_is_right, test_wrong_answers_get_messages_of_their_own = answer_tests(TABLE)


def test_operations_grow_as_notebook06_says():
    network = LFDTCMEN()
    growth = flop_table(network, size=256)["recognition"] / flop_table(network)["recognition"]
    assert notebook06.GROWTH == {name: growth[name] for name in notebook06.GROWTH}
