"""Tables about scored maps: differences in words, the threshold of what moves, and a network that learned nothing."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from lfdtcmen.analysis.attribution import attribution_maps, moving_skin, share_on_motion
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.evaluation.intervals import describe_interval, measure, ratio
from lfdtcmen.evaluation.results import COLUMNS
from lfdtcmen.modules.batch import Batch
from lfdtcmen.modules.network import LFDTCMEN


def paired_differences(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of :func:`~lfdtcmen.analysis.attribution.attribution_table` with one row per kind of maps.

    Returns
    -------
    DataFrame
        Rows "network, part, method"; a column for each that the maps are compared with, the difference of the shares as
        text, with its interval; then *empty*, *not empty* and *p*.
    """
    rows = table.assign(maps=table["model"] + ", " + table["part"] + ", " + table["method"])
    rows = rows[rows["against"].ne("")]
    texts = [
        f"{value:+.3f} ({describe_interval(low, high, '+.3f')})"
        for value, low, high in zip(rows["value"], rows["low"], rows["high"], strict=True)
    ]
    order = {"index": rows["maps"].unique(), "columns": rows["against"].unique()}
    wide = rows.assign(text=texts).pivot(index="maps", columns="against", values="text").reindex(**order)
    columns = ["empty", "not empty", "p"]
    wide[columns] = rows.groupby("maps")[columns].first().round(3)
    return wide.rename_axis(index=None, columns="minus")


def shares_by_threshold(
    maps: Mapping[str, np.ndarray], pairs: PairSet, motion: np.ndarray, above: Sequence[float] = (0.1, 0.25, 0.5, 1.0)
) -> pd.DataFrame:
    """Return the mean share of maps on moving skin, as a multiple of chance level, for several thresholds of motion.

    Parameters
    ----------
    maps : mapping
        Name -> maps of all pairs, [N, 128, 128].
    pairs, motion
        As for :func:`~lfdtcmen.analysis.attribution.moving_skin`.
    above : sequence of float
        Pixels. With each, only the clips count in which skin moves so far; NaN where there are none.
    """
    columns = {}
    for threshold in above:
        moving, face = moving_skin(pairs, motion, threshold)
        some = moving.any((1, 2))
        if not some.any():
            columns[f"{threshold:g} px"] = dict.fromkeys(maps, float("nan"))
            continue
        chance_level = moving[some][:, face].mean()
        scores = {name: share_on_motion(values[some], moving[some], face).mean() for name, values in maps.items()}
        columns[f"{threshold:g} px"] = {name: score / chance_level for name, score in scores.items()}
    return pd.DataFrame(columns).rename_axis("share / chance level")


def label_test(
    networks: Mapping[str, LFDTCMEN],
    pairs: PairSet,
    motion: np.ndarray,
    methods: Sequence[Callable],
    part: str = "flow",
    seed: int = 0,
) -> pd.DataFrame:
    """Score maps of the *true* class for a network that was trained on true labels, and one trained on shuffled ones.

    Both explain the same class, so that a difference does not come from what each predicts (Adebayo et al., 2018).

    Parameters
    ----------
    networks : mapping
        Two of them, by name; the first one's share minus the second one's is the difference.
    pairs, motion
        As for :func:`~lfdtcmen.analysis.attribution.moving_skin`.
    methods : sequence of function
        ``gradcam``, ``hirescam``.
    part : {"flow", "motion"}
        Whose maps.
    seed : int
        Random seed of the bootstrap over subjects.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`~lfdtcmen.evaluation.results.COLUMNS`) with the column *method*: each network's share, and the
        first one's paired difference ``against`` the second.
    """
    moving, face = moving_skin(pairs, motion)
    some = moving.any((1, 2))
    pairs, moving = pairs.subset(some), moving[some]
    first, second = networks
    rows = []
    for method in methods:
        explain = _of_true_class(method)
        shares = {
            n: share_on_motion(attribution_maps(m, pairs, explain)[part], moving, face) for n, m in networks.items()
        }
        for name, against, values in (
            *((name, "", share) for name, share in shares.items()),
            (first, second, shares[first] - shares[second]),
        ):
            found = measure("share on motion", ratio, np.stack([values, np.ones_like(values)], 1), pairs.subjects, seed)
            row = (name, found.name, part, found.value, found.low, found.high, against)
            rows.append(dict(zip(COLUMNS, row, strict=True)) | {"method": method.__name__})
    return pd.DataFrame(rows)


def _of_true_class(method: Callable) -> Callable:
    def explain(model: LFDTCMEN, batch: Batch) -> dict:
        return method(model, batch, batch.label)

    return explain
