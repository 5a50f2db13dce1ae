"""Synthetic faces that show micro-expressions: the data set that needs no licence and no download.

A subject is about fifty numbers (``identity``), painted once in layers over a relief (``anatomy``, ``surface``,
``head``). FACS action units move the skin (``action_units``, ``renderer``). An emotion chooses the units
(``emotions``), the subject shows them (``sequences``), and a camera takes the frames (``camera``). The motion is known
exactly. Everything is painted on the grid of ``canvas``.

``settings`` has the presets; ``plan`` decides who shows what. ``dataset`` makes whole sets and keeps them on disk
(``storage``), ``samples`` makes one sample alone, ``counterfactuals`` shows every motion on every identity,
``portraits`` makes single faces, and ``photograph`` applies action units to a real photograph.
"""

from lfdtcmen.datasets.synthetic.action_units import ACTION_UNITS
from lfdtcmen.datasets.synthetic.counterfactuals import Counterfactuals, Swaps, make_counterfactuals, make_swaps
from lfdtcmen.datasets.synthetic.dataset import make_dataset, make_dfme
from lfdtcmen.datasets.synthetic.photograph import photograph_counterfactuals, warp_photograph
from lfdtcmen.datasets.synthetic.portraits import action_unit_field, draw_face
from lfdtcmen.datasets.synthetic.samples import make_clip, render_pair
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
