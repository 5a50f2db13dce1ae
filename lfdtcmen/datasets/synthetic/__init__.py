"""Drawn faces that show micro-expressions: the data set that needs no licence and no download.

A subject is some fifty numbers (``identity``), painted once in layers over a relief (``anatomy``, ``surface``). FACS
action units move the skin (``action_units``, ``renderer``); an emotion chooses the units, and a camera takes the frames
(``sequences``). The motion is known exactly.
"""

from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS
from lfdtcmen.datasets.synthetic.dataset import make_dataset, make_dfme, render_pair

__all__ = ["ACTION_UNITS", "make_dataset", "make_dfme", "render_pair"]
