"""Figures (:mod:`~lfdtcmen.viz.plots`) and the few sliders built on them (:mod:`~lfdtcmen.viz.widgets`)."""

import sys


def _show_figures_in_notebooks() -> None:
    """Let a notebook show a Figure that ends a cell: IPython learns it from pyplot, which the figures do without."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        from IPython.core.pylabtools import select_figure_formats

        select_figure_formats(shell, {"png"}, bbox_inches="tight")


_show_figures_in_notebooks()
