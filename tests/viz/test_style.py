"""What all figures share: a figure as a notebook stores it is light, and looks the same."""

import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from lfdtcmen.viz.style import COLOUR_STEP, to_png


def test_noisy_figures_get_lighter_and_keep_their_colours():
    figure = Figure(figsize=(3, 3), dpi=90)
    figure.figimage(np.random.default_rng(0).normal(128, 6, (270, 270, 3)).clip(0, 255).astype(np.uint8))
    plain, light = io.BytesIO(), to_png(figure)
    figure.savefig(plain, format="png", bbox_inches="tight")
    assert len(light) < 0.6 * len(plain.getvalue())
    before, after = (np.asarray(Image.open(f).convert("RGB")).astype(int) for f in (plain, io.BytesIO(light)))
    assert np.abs(before - after).max() <= COLOUR_STEP // 2


def test_white_stays_white():
    pixels = np.asarray(Image.open(io.BytesIO(to_png(Figure(figsize=(1, 1))))))
    assert (pixels == 255).all()
