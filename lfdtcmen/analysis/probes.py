"""What can be read off a code: who it is, which emotion, which action units; by a straight line, or by a curve.

A probe is a small model that is trained on codes and asked a question. What a linear probe reads lies open in the code;
what only a kernel reads is there too, but folded. Each answer is held to chance and to an untrained encoder: any
convolution passes on most of what a face shows, trained or not. All probes are ours, none is the paper's.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

from lfdtcmen.analysis.disentanglement import (
    LOGISTIC,
    RIDGE,
    _explained,
    _halves,
    _name_emotion,
    _ratio,
    _read_action_units,
    _table,
    encode_pairs,
    untrained_like,
)
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.errors import DataError

UNTRAINED = "untrained"
# a kernel's width is scikit-learn's default, 1 / number of features: right for standardised codes
CLASSIFIERS = {
    "linear": LOGISTIC,
    "kernel": SVC(C=10.0),
}
REGRESSORS = {
    "linear": RIDGE,
    # a kernel has no intercept; on units of mean 0 it needs none
    "kernel": TransformedTargetRegressor(
        GridSearchCV(KernelRidge(kernel="rbf"), {"alpha": np.logspace(-1, 3, 5)}, cv=3),
        transformer=StandardScaler(with_std=False),
        check_inverse=False,
    ),
}


def probe_codes(model: nn.Module, pairs: PairSet, seed: int = 0) -> pd.DataFrame:
    """Ask linear and kernel probes what the codes of one network tell.

    - *subject*: half of each subject's clips train, the other half tests, as in
      :func:`~lfdtcmen.analysis.disentanglement.identity_leak`; share of clips named rightly.
    - *emotion*: probes are tested on other people than they were trained on; mean recall of the emotions.
    - *action units*: likewise; R^2 of the true intensities, all units together (drawn faces only).

    Parameters
    ----------
    model : nn.Module
        Its ``drl`` is asked to ``encode``.
    pairs : PairSet
        Pairs of held-out subjects.
    seed : int
        Of the subjects' halves and of the bootstrap.

    Returns
    -------
    DataFrame
        One row a question, code, place and probe. Columns: asked; code: "mo(apex)", "mo(apex) - mo(onset)",
        "id(apex)"; places: "mean" (over the map) or "all"; probe: "linear" (logistic or ridge regression) or "kernel"
        (RBF; support vectors or ridge regression); value, low, high (95 % interval over subjects); chance.

    Raises
    ------
    DataError
        Fewer than two subjects with two clips.
    """
    codes = encode_pairs(model, pairs)
    asked = {"mo(apex)": ["mo(onset)", "mo(apex)"], "id(apex)": ["id(onset)", "id(apex)"]}
    halves = _halves(pairs.subjects, seed)
    rows = []
    for name in ("mo(apex)", "mo(apex) - mo(onset)", "id(apex)"):
        if name.split(" - ")[0] not in codes:
            continue
        frames = [codes[frame] for frame in asked.get(name, [])] or [codes["mo(apex)"] - codes["mo(onset)"]]
        for places in ("mean", "all"):
            features = [f.mean((2, 3)) if places == "mean" else f.reshape(len(f), -1) for f in frames]
            for probe in CLASSIFIERS:
                answers = _answers(features, pairs, halves, probe)
                for question, (measure, sums, chance, subjects) in answers.items():
                    interval = _table({question: (measure, sums, chance, "")}, subjects, seed).iloc[0]
                    row = {"asked": question, "code": name, "places": places, "probe": probe}
                    rows.append(row | {k: interval[k] for k in ("value", "low", "high")} | {"chance": chance})
    order = {"subject": 0, "emotion": 1, "action units": 2}
    return pd.DataFrame(rows).sort_values("asked", key=lambda a: a.map(order), kind="stable", ignore_index=True)


def probe_table(models: Mapping[str, nn.Module], pairs: PairSet, seed: int = 0) -> pd.DataFrame:
    """Probe several networks, and an untrained one of the first one's kind.

    Parameters
    ----------
    models : mapping
        Name -> network.
    pairs, seed
        As for :func:`probe_codes`.

    Returns
    -------
    DataFrame
        As of :func:`probe_codes`, with the column model in front; "untrained" first.

    Raises
    ------
    DataError
        No network, or as :func:`probe_codes`.
    """
    if not models:
        raise DataError("there is no network to probe", "probe_table", "give one or more")
    networks = {UNTRAINED: untrained_like(next(iter(models.values())), pairs, seed), **models}
    tables = []
    for name, model in networks.items():
        table = probe_codes(model, pairs, seed)
        table.insert(0, "model", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _answers(features: list[np.ndarray], pairs: PairSet, halves: tuple[np.ndarray, np.ndarray], probe: str) -> dict:
    """Return question -> measure, sums [N, 2], chance, subjects; of two frames' features, the last ones are tested."""
    train, test = halves
    both = len(pairs) * np.arange(len(features))[:, None]  # rows of the onsets, then rows of the apexes
    frames, who = np.concatenate(features), np.tile(pairs.subjects, len(features))
    reader = make_pipeline(StandardScaler(), clone(CLASSIFIERS[probe]))
    learned = (train + both).ravel()
    named = reader.fit(frames[learned], who[learned]).predict(frames[test + both[-1]])
    right = np.stack([named == pairs.subjects[test], np.ones(len(test))], axis=1).astype(float)
    often = float(np.unique(pairs.subjects[test], return_counts=True)[1].max() / len(test))
    answers = {"subject": (_ratio, right, often, pairs.subjects[test])}

    codes, classes = features[-1], np.unique(pairs.labels)
    if len(classes) > 1:
        weight = 1 / np.bincount(pairs.labels)[pairs.labels]  # each emotion counts alike
        right = (_name_emotion(codes, pairs, CLASSIFIERS[probe]) == pairs.labels) * weight
        answers["emotion"] = (_ratio, np.stack([right, weight], axis=1), 1 / len(classes), pairs.subjects)
    if pairs.action_units is not None:
        read = _read_action_units(codes, pairs, REGRESSORS[probe])
        answers["action units"] = (_explained, read, 0.0, pairs.subjects)
    return answers
