"""What every notebook of the series says in the same words."""

import platform

import numpy as np
import torch

import lfdtcmen
from lfdtcmen.config import Config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.devices import find_device
from lfdtcmen.images import grey_change

# a Markdown cell of each notebook, word for word (a test compares them)
BANNER = """\
> **About the paper's text.** We work from a plain-text extraction of the paper, without its equations and many of its \
numbers. What it still says is **stated**. What we had to fill in is **our reconstruction** (in tables: *assumed*): \
one reading among several; the published paper may differ. Equation numbers are the paper's; formulas without one are \
ours. The [ledger](../lfdtcmen/paper/ledger.csv) lists each value, what is stated, and the alternatives; in code it is \
`lfdtcmen.paper.ledger.rows()`."""

# what the title cell of each notebook has, in this order (a test looks for the beginnings)
HEADER = ("**Paper:**", "**You will be able to**", "**You need:**", "**Time:**")

# the third cell of each notebook, word for word; it is hidden in JupyterLab and not on the site (a test compares them)
ON_COLAB = """\
# Google Colab has the notebook alone: fetch the rest of the project and install it. Anywhere else, do nothing.
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and find_spec("lfdtcmen") is None:
    address = input("Address of the project's repository: ")
    get_ipython().system(f"git clone -q --depth 1 '{address}' course && pip install -q -e course")
    sys.path.insert(0, "course")"""


def versions(config: Config, device: str | None = None) -> str:
    """Return in one line what a notebook runs with: versions, profile, seed and device (by default, the one found)."""
    return (
        f"lfdtcmen {lfdtcmen.__version__}, torch {torch.__version__}, Python {platform.python_version()}; "
        f"profile {config.profile}, seed {config.seed}, device {device or find_device()}"
    )


def clear_pairs(pairs: PairSet, size: np.ndarray, count: int = 4, seed: int = 0) -> np.ndarray:
    """Return the positions of pairs whose motion can be seen, in random order: the largest of each class, then others.

    The tenth of the pairs with most change at the eyes is passed over (blinks). The others are of people who are not
    yet among them.

    Parameters
    ----------
    pairs : PairSet
        Aligned faces of 128 x 128 pixels.
    size : ndarray
        How much each moves, [N].
    count : int
        How many, at least one a class.
    seed : int
        Of the order.
    """
    eyes = np.abs(grey_change(pairs.onset, pairs.apex))[:, 46:58, 36:92].mean((1, 2))  # [N]
    clear = np.argsort(np.where(eyes <= np.quantile(eyes, 0.9), size, -1))[::-1]
    picked = [int(clear[pairs.labels[clear] == label][0]) for label in np.unique(pairs.labels)]
    for k in clear:
        if len(picked) < count and pairs.subjects[k] not in pairs.subjects[picked]:
            picked.append(int(k))
    return np.random.default_rng(seed).permutation(picked)
