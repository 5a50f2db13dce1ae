"""Drawn faces that show micro-expressions: the data set that needs no licence and no download.

A subject is some fifty numbers (``identity``), painted once in layers over a relief (``anatomy``, ``surface``). FACS
action units move the skin (``action_units``, ``renderer``); an emotion chooses the units, and a camera takes the frames
(``sequences``). The motion is known exactly. ``dataset`` makes whole sets and keeps them on disk, ``portraits`` draws
single faces, ``photograph`` lays action units over a real photograph.
"""

from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS
from lfdtcmen.datasets.synthetic.dataset import (
    Counterfactuals,
    Swaps,
    make_clip,
    make_counterfactuals,
    make_dataset,
    make_dfme,
    make_swaps,
    render_pair,
)
from lfdtcmen.datasets.synthetic.photograph import photograph_counterfactuals, warp_photograph
from lfdtcmen.datasets.synthetic.portraits import action_unit_field, draw_face
from lfdtcmen.datasets.synthetic.sequences import Clip, Pair

__all__ = [
    "ACTION_UNITS",
    "Clip",
    "Counterfactuals",
    "Pair",
    "Swaps",
    "action_unit_field",
    "draw_face",
    "make_clip",
    "make_counterfactuals",
    "make_dataset",
    "make_dfme",
    "make_swaps",
    "photograph_counterfactuals",
    "render_pair",
    "warp_photograph",
]
