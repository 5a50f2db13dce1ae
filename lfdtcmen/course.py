"""What every notebook of the series says in the same words."""

import platform

import torch

import lfdtcmen
from lfdtcmen.config import Config

# a Markdown cell of each notebook, word for word (a test compares them)
BANNER = """\
> **About the paper's text.** The text of the paper that this series works from has lost its equations and many of its \
numbers. What it still says is **stated**. What we had to fill in is **our reconstruction** (in tables: *assumed*): it \
is one reading among several, and the published paper may differ. A formula of ours never has a number of the paper. \
The [ledger](../lfdtcmen/paper/ledger.csv) lists each value, what is stated, and the alternatives; in code it is \
`lfdtcmen.paper.ledger.rows()`."""

# what the title cell of each notebook has, in this order (a test looks for the beginnings)
HEADER = ("**Paper:**", "**You will be able to**", "**You need:**", "**Time:**")


def versions(config: Config, device: str) -> str:
    """Return in one line what a notebook runs with: versions, profile, seed and device."""
    return (
        f"lfdtcmen {lfdtcmen.__version__}, torch {torch.__version__}, Python {platform.python_version()}; "
        f"profile {config.profile}, seed {config.seed}, device {device}"
    )
