"""What the tests of the exercises ask of every check."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from lfdtcmen.exercises import check, find


def message(number: str, answer: object, capsys) -> str:
    """Return what the check of an exercise prints about an answer."""
    check(number, answer)
    return capsys.readouterr().out.strip()


def check_wrong(number: str, answers: Sequence[Callable], capsys) -> None:
    """Check that typical wrong answers, three or more, get messages of their own."""
    messages = [message(number, answer, capsys) for answer in answers]
    assert len(messages) >= 3 and len(set(messages)) == len(messages), messages
    assert all(text.startswith(f"{number}: not yet. ") for text in messages)
    assert not [text for text in messages if "stopped with" in text]


def check_undone(number: str, capsys) -> None:
    """Check that a stub, a result, a function that stops and one that returns nothing are told what they are."""

    def stub(*anything):
        raise NotImplementedError

    assert "not done yet" in message(number, stub, capsys)
    assert "the function itself" in message(number, 3, capsys)
    assert "ZeroDivisionError" in message(number, lambda *anything: 1 / 0, capsys)
    assert message(number, lambda *anything: None, capsys).startswith(f"{number}: not yet.")


def answer_tests(table: Mapping[str, tuple]) -> tuple[Callable, Callable]:
    """Return the two tests of a table of answers: number -> the right answer, typical wrong ones."""

    @pytest.mark.parametrize("number", table)
    def right(number, capsys):
        assert message(number, table[number][0], capsys) == f"{number}: right."
        assert len(find(number).hints) >= 2

    @pytest.mark.parametrize("number", table)
    def wrong(number, capsys):
        check_wrong(number, table[number][1], capsys)
        check_undone(number, capsys)

    return right, wrong
