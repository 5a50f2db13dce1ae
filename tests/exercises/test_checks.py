"""Each exercise has its tests; hints come one by one; an exercise that is not there is an error."""

import pkgutil
from importlib import import_module

import pytest

from lfdtcmen import DataError, exercises
from lfdtcmen.exercises import check, find, hint

NUMBERS = [name[-2:] for _, name, _ in pkgutil.iter_modules(exercises.__path__) if name.startswith("notebook")]


@pytest.mark.parametrize("notebook", NUMBERS)
def test_every_exercise_has_a_right_answer_and_wrong_ones(notebook):
    table = import_module(f"tests.exercises.test_notebook{notebook}").TABLE
    assert set(table) == set(import_module(f"lfdtcmen.exercises.notebook{notebook}").EXERCISES)


def test_hints_come_one_by_one_and_end(capsys):
    count = len(find("02.2").hints)
    for _ in range(count + 1):
        hint("02.2")
    lines = capsys.readouterr().out.splitlines()
    assert len(set(lines)) == count and lines[-1] == lines[-2] and lines[0].startswith("02.2, hint 1 of ")
    hint("02.2", n=1)
    assert capsys.readouterr().out.strip() == lines[0]
    with pytest.raises(DataError, match="hints, not 9"):
        hint("02.2", n=9)


@pytest.mark.parametrize("number", ["02.9", "77.1", "x"])
def test_an_exercise_that_is_not_there_is_an_error(number):
    with pytest.raises(DataError):
        check(number, len)
