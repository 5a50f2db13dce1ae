"""Every figure of the series as a function, by theme; sliders on the same figures in :mod:`~lfdtcmen.viz.widgets`.

The functions are pure: they are given arrays and tables and return a :class:`matplotlib.figure.Figure`, made without
pyplot, so that nothing is shown twice in a notebook and nothing stays open behind it;
:func:`show` gives one its number, its caption and a text for whoever cannot see it. Frames are uint8 RGB
[N, H, W, 3]; flows are float32 [N, 2, H, W], x then y, in pixels.
"""

from lfdtcmen.viz.codes import (
    attribution_grid,
    compared_swaps,
    map_rows,
    swap_grid,
    swap_strip,
    swapped_grid,
)
from lfdtcmen.viz.costs import compared_costs, cost_shares, run_times
from lfdtcmen.viz.faces import (
    action_unit_sheet,
    alignment_sheet,
    clip_strip,
    face_panel,
    face_rows,
    face_sheet,
    pair_strip,
)
from lfdtcmen.viz.figures import show, start_notebook
from lfdtcmen.viz.forests import (
    attribution_forest,
    forest,
    inflation_forest,
)
from lfdtcmen.viz.gradients import projections, sum_and_gradient
from lfdtcmen.viz.inputs import constancy_plot, flow_rows, map_row, point_weights, stream_sheet
from lfdtcmen.viz.introduction import answers, claimed_scores, flicker, overview, two_routes, who_and_how
from lfdtcmen.viz.motion import (
    clip_curve,
    clip_timeline,
    nose_paths,
    spotting_curves,
)
from lfdtcmen.viz.scores import confusion_pair, confusion_row, prediction_strip, score_steps
from lfdtcmen.viz.style import DPI, PALETTE, WIDTH, draw_flow
from lfdtcmen.viz.training import (
    gain_by_motion,
    loss_curves,
    loss_weight_bars,
    parameter_bars,
    stage1_over_epochs,
    training_curves,
)

__all__ = [
    "DPI",
    "PALETTE",
    "WIDTH",
    "action_unit_sheet",
    "alignment_sheet",
    "answers",
    "attribution_forest",
    "attribution_grid",
    "claimed_scores",
    "clip_curve",
    "clip_strip",
    "clip_timeline",
    "compared_costs",
    "compared_swaps",
    "confusion_pair",
    "confusion_row",
    "constancy_plot",
    "cost_shares",
    "draw_flow",
    "face_panel",
    "face_rows",
    "face_sheet",
    "flicker",
    "flow_rows",
    "forest",
    "gain_by_motion",
    "inflation_forest",
    "loss_curves",
    "loss_weight_bars",
    "map_row",
    "map_rows",
    "nose_paths",
    "overview",
    "pair_strip",
    "parameter_bars",
    "point_weights",
    "prediction_strip",
    "projections",
    "run_times",
    "score_steps",
    "show",
    "spotting_curves",
    "stage1_over_epochs",
    "start_notebook",
    "stream_sheet",
    "sum_and_gradient",
    "swap_grid",
    "swap_strip",
    "swapped_grid",
    "training_curves",
    "two_routes",
    "who_and_how",
]
