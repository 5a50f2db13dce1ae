"""Synthetic faces that show micro-expressions: the data set that needs no licence and no download.

A subject is about fifty numbers (``identity``), painted once in layers over a relief (``anatomy``, ``surface``,
``head``). FACS action units move the skin (``action_units``, ``renderer``). An emotion chooses the units
(``emotions``), the subject shows them (``sequences``), and a camera takes the frames (``camera``). The motion is known
exactly. Everything is painted on the grid of ``canvas``.

``settings`` has the presets; ``plan`` decides who shows what. ``dataset`` makes whole sets and keeps them on disk
(``storage``), ``clips_of_pairs`` adds a set's clips, ``samples`` makes one sample alone, ``counterfactuals`` shows
every motion on every identity, ``portraits`` makes single faces, ``photograph`` applies action units to real
photographs, ``wild`` varies all that can vary, ``other_world`` is a stand-in for real people, ``entangled`` ties looks
to emotions by a known degree, ``recordings`` writes films and folders like a reader's own, and ``proportions``
compares the faces with those of adults.
"""

from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS
from lfdtcmen.datasets.synthetic.clips_of_pairs import add_clips
from lfdtcmen.datasets.synthetic.counterfactuals import (
    Counterfactuals,
    Swaps,
    make_counterfactuals,
    make_swaps,
    make_unit_counterfactuals,
)
from lfdtcmen.datasets.synthetic.dataset import make_dataset, make_dfme
from lfdtcmen.datasets.synthetic.entangled import make_entangled
from lfdtcmen.datasets.synthetic.other_world import make_other_world
from lfdtcmen.datasets.synthetic.photograph import (
    package_photographs,
    photograph_counterfactuals,
    photograph_pairs,
    warp_photograph,
)
from lfdtcmen.datasets.synthetic.portraits import STRONG_EXPRESSIONS, action_unit_field, draw_face, strong_faces
from lfdtcmen.datasets.synthetic.proportions import proportion_table
from lfdtcmen.datasets.synthetic.samples import make_clip, render_pair
from lfdtcmen.datasets.synthetic.sequences import Clip, Pair

__all__ = [
    "ACTION_UNITS",
    "STRONG_EXPRESSIONS",
    "Clip",
    "Counterfactuals",
    "Pair",
    "Swaps",
    "action_unit_field",
    "add_clips",
    "draw_face",
    "make_clip",
    "make_counterfactuals",
    "make_dataset",
    "make_dfme",
    "make_entangled",
    "make_other_world",
    "make_swaps",
    "make_unit_counterfactuals",
    "package_photographs",
    "photograph_counterfactuals",
    "photograph_pairs",
    "proportion_table",
    "render_pair",
    "strong_faces",
    "warp_photograph",
]
