"""What the network costs, what its codes carry, and the paper's figures to hold ours against."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Run a model in evaluation mode and leave each of its parts in the mode in which it came."""
    modes = [(module, module.training) for module in model.modules()]  # frozen parts may be in another mode
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
