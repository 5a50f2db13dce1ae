"""What the repaired recipe changes, part by part, with the reason for each: a table that is read from two configs."""

from typing import Any

import pandas as pd

from lfdtcmen.config import Config
from lfdtcmen.datasets.synthetic.counterfactuals import SWAP_GROUP_SIZE
from lfdtcmen.errors import DataError

# field of Config -> the part of a recipe, and why the repaired one changes it
PARTS: dict[str, tuple[str, str]] = {
    "generator": ("generator", "it starts as a copy: what is left to learn is motion"),
    "bottleneck": ("bottleneck of the motion code, channels", "little room for who it is"),
    "contrast_normalised": ("motion encoder sees contrast-normalised frames", "no skin colour and no light"),
    "normalised_difference": (
        "motion branch sees the scaled difference of codes",
        "what both codes share is who it is",
    ),
    "fusion": ("classifier of both branches", "one alone relies on the branch that fits first"),
    "pretraining": ("pretraining on rendered swaps", "the answer is known, so it can be asked for"),
    "stage1": ("losses of stage 1, or of pretraining", "the paper's hardly price standing still"),
    "change_first": (
        "share of the steps before the rest loss joins",
        "first find the motion, then free it of identity",
    ),
    "epochs": ("epochs of stages 1, 2, 3", "pretraining replaces stage 1"),
    "stage3": ("losses of stage 3", "the emotion counts most; no pretraining, so no action units"),
    "imbalance": ("loss for rare classes", "else the frequent class is predicted too often"),
    "flow_shift": ("flow shifted at random by up to, in cells of 28", "helps with few people or varied ones"),
    "amplitude_jitter": ("flow scaled at random, spread of the logarithm", "helps with few people or varied ones"),
}
WORDS = {  # of values, for readers
    "image": "paints an image",
    "warp_difference": "moves pixels, by the difference of codes",
    "concatenate": "one for both",
    "late": "one for each, joined",
    "class_weights": "class weights",
}
# not parts of a recipe; shown with the steps; without effect, as the one rate that differs is that of stage 1, replaced
LEFT_OUT = ("profile", "recipe", "seed", "pretraining_groups", "learning_rates")


def recipe_table(paper: Config, repaired: Config) -> pd.DataFrame:
    """Return each part in which two configs differ, one row a part.

    Parameters
    ----------
    paper, repaired : Config
        Of one profile.

    Returns
    -------
    DataFrame
        Columns part, paper, repaired, why; in the order network, training.

    Raises
    ------
    DataError
        The configs differ in a field for which no reason is known.
    """
    changed = [name for name in vars(paper) if getattr(paper, name) != getattr(repaired, name)]
    if unknown := [name for name in changed if name not in PARTS and name not in LEFT_OUT]:
        raise DataError(f"no reason is known for {unknown[0]!r}", "recipe_table", "compare paper with repaired")
    rows = [
        (what, _as_text(paper, name), _as_text(repaired, name), why)
        for name, (what, why) in PARTS.items()
        if name in changed
    ]
    return pd.DataFrame(rows, columns=["part", "paper", "repaired", "why"])


def _as_text(config: Config, name: str) -> str:
    """Return the value of a field as a reader of a table wants it."""
    value: Any = getattr(config, name)
    if name == "pretraining" and value:
        people = SWAP_GROUP_SIZE * config.pretraining_groups
        return f"{value:,} steps on {people} further people, with their action units"
    if name == "stage1" and config.pretraining:
        # pretraining gives the gain loss the weight of the change loss, and the action units 1
        value = value | {"gain": value["change"], "action units": 1.0}
    if isinstance(value, dict):
        return ", ".join(f"{loss} {weight:g}" for loss, weight in value.items())
    if isinstance(value, tuple):
        return ", ".join(f"{number:g}" for number in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not value:
        return "none"
    return WORDS.get(value, value) if isinstance(value, str) else f"{value:g}"
