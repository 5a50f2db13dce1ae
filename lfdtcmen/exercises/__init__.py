"""The exercises of the notebooks: checks that say what is wrong, and hints; nothing here holds a solution.

In a notebook, an exercise is a function that the reader completes::

    from lfdtcmen.exercises import check, hint

    check("02.1", pixels_seen)   # 02.1: not yet. ...
    hint("02.1")                 # 02.1, hint 1 of 2: ...

One module a notebook (``notebook02`` and so on) has its exercises in a table ``EXERCISES``: number -> Exercise.
Solutions are cells of the notebooks, tagged ``solution``; :mod:`~lfdtcmen.exercises.student` takes them out.
"""

from importlib import import_module

from lfdtcmen.errors import DataError
from lfdtcmen.exercises.answers import Exercise, Wrong

__all__ = ["check", "hint"]

_hints_given: dict[str, int] = {}


def check(number: str, answer: object) -> None:
    """Print whether an answer is right, and if it is not, what is wrong with it; never the right answer.

    Parameters
    ----------
    number : str
        Of the exercise: ``"02.1"`` is the first of notebook 02.
    answer : callable
        The reader's function itself, not what it returns.

    Raises
    ------
    DataError
        There is no such exercise.
    """
    exercise = find(number)
    if not callable(answer):
        print(f"{number}: not yet. Give the function itself, its name without brackets, not what it returns.")
        return
    try:
        exercise.check(answer)
    except NotImplementedError:
        print(f'{number}: not done yet. Write your code where the cell raises NotImplementedError; hint("{number}").')
    except Wrong as wrong:
        print(f"{number}: not yet. {wrong}")
    except Exception as error:  # whatever the reader's function raises
        print(f"{number}: not yet. Your function stopped with {type(error).__name__}: {error}")
    else:
        print(f"{number}: right.")


def hint(number: str, n: int | None = None) -> None:
    """Print a hint for an exercise: the next one at each call, or the n-th.

    Parameters
    ----------
    number : str
        Of the exercise, such as ``"02.1"``.
    n : int, optional
        Which hint, from 1.

    Raises
    ------
    DataError
        There is no such exercise, or no such hint.
    """
    hints = find(number).hints
    if n is None:
        n = min(_hints_given.get(number, 0) + 1, len(hints))
        _hints_given[number] = n
    if not 1 <= n <= len(hints):
        raise DataError(f"there are {len(hints)} hints, not {n}", f"exercise {number}", "give n from 1")
    print(f"{number}, hint {n} of {len(hints)}: {hints[n - 1]}")


def find(number: str) -> Exercise:
    """Return an exercise by its number.

    Raises
    ------
    DataError
        There is no such exercise.
    """
    notebook = number.split(".")[0]
    try:
        exercises: dict[str, Exercise] = import_module(f"{__name__}.notebook{notebook}").EXERCISES
    except ModuleNotFoundError as error:
        raise DataError(f"notebook {notebook} has no exercises with checks", f"exercise {number}") from error
    if number not in exercises:
        raise DataError("there is no such exercise", number, f"there are {', '.join(exercises)}")
    return exercises[number]
