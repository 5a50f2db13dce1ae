"""What the checks of all notebooks share: an exercise, and ways to call and compare an answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

Answer = Callable[..., Any]


class Wrong(Exception):
    """What is wrong with an answer, in words for whoever wrote it."""


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Parameters
    ----------
    check : callable
        Takes the reader's function, and raises :class:`Wrong` with what is wrong with it. It computes the truth
        from properties or from the package.
    hints : tuple of str
        From a question to a push; none of them is the solution.
    """

    check: Callable[[Answer], None]
    hints: tuple[str, ...]


def expect(condition: object, message: str) -> None:
    """Raise :class:`Wrong` with a message unless a condition holds."""
    if not condition:
        raise Wrong(message)


def call(answer: Answer, *arguments: object) -> Any:
    """Return what an answer returns; nothing (None or ...) is wrong."""
    result = answer(*arguments)
    expect(result is not None and result is not ..., "Your function returns nothing: is there a return at its end?")
    return result


def as_tensor(value: object, shape: tuple[int, ...], name: str = "The result") -> Tensor:
    """Return a value as a tensor of a shape, or raise :class:`Wrong`."""
    expect(isinstance(value, Tensor), f"{name} should be a tensor, it is of type {type(value).__name__}.")
    assert isinstance(value, Tensor)
    text = f"{name} should have the shape {list(shape)}, it has {list(value.shape)}."
    expect(tuple(value.shape) == shape, text)
    expect(torch.isfinite(value).all(), f"{name} has infinite values or NaN in it.")
    return value


def as_number(value: object, name: str = "The result") -> float:
    """Return a number, or a tensor or array that holds one, as float, or raise :class:`Wrong`."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise Wrong(f"{name} should be one number, it is {type(value).__name__}.") from error
    expect(np.isfinite(number), f"{name} is {number}.")
    return number


def near(one: object, other: object, tolerance: float = 1e-4) -> bool:
    """Return whether two tensors or numbers are equal up to a relative tolerance."""
    one, other = (torch.as_tensor(value, dtype=torch.float64) for value in (one, other))
    return one.shape == other.shape and torch.allclose(one, other, rtol=tolerance, atol=1e-6)
