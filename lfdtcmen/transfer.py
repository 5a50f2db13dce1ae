"""From one data set to another: synthetic faces among the training pairs, and networks that were trained elsewhere.

Whom a network has seen, whether it fits a set, and how it does there without any training on it.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lfdtcmen.baselines import Baseline
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config
from lfdtcmen.datasets.mixing import added_faces
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.people import digest_person, name_people
from lfdtcmen.errors import DataError
from lfdtcmen.evaluation.audit import check_label_leak
from lfdtcmen.evaluation.intervals import measure_share
from lfdtcmen.evaluation.metrics import confusion
from lfdtcmen.evaluation.mixed_training import MixedTraining
from lfdtcmen.evaluation.protocol import Model
from lfdtcmen.evaluation.results import COLUMNS, as_predictions
from lfdtcmen.predict.model_card import count_sentence, data_name
from lfdtcmen.training import load_model, predict
from lfdtcmen.training.weights import digest, find_weights

CLASS_METRICS = ("precision", "recall", "F1")


def check_unseen(about: Mapping, pairs: PairSet, where: str) -> None:
    """Refuse a network that has seen a person of the pairs that it is to be tested on.

    Parameters
    ----------
    about : mapping
        What the checkpoint says about itself.
    pairs : PairSet
        Who is tested.
    where : str
        The checkpoint's file, for the message.

    Raises
    ------
    DataError
        People are in both, who are named; or the checkpoint does not record whom it has seen, and is of the same set.
    """
    seen = about["data"].get("people")
    if seen is None:
        own = set(pairs.manifest["dataset"].astype(str)) if "dataset" in pairs.manifest else set()
        if not own or own & {*about["data"]["sets"]}:
            what = "the checkpoint does not record whom it has seen, and may have seen these people"
            raise DataError(what, where, "train it again with this version of lfdtcmen")
        return
    known = {digest_person(name): name for name in name_people(pairs.manifest)}
    if shared := sorted(name for key, name in known.items() if key in set(seen)):
        more = ", ..." if len(shared) > 3 else ""
        what = (
            f"the checkpoint has seen {len(shared)} of the {len(known)} people tested ({', '.join(shared[:3])}{more})"
        )
        raise DataError(what, where, "test on other people: their score would be that of a person who was trained on")


def check_same_kind(about: Mapping, pairs: PairSet, where: str) -> None:
    """Refuse pairs with other classes, or another alignment, than those that a checkpoint was trained on.

    Raises
    ------
    DataError
        The message says with which options of ``lfdtcmen data prepare`` the set fits.
    """
    if tuple(about["label_names"]) != tuple(pairs.label_names):
        own, theirs = ", ".join(pairs.label_names), ", ".join(about["label_names"])
        fitting = about.get("label_map", "raw")
        use = f"prepare the set with --label-map {fitting}" if fitting != "raw" else "use a set with the same classes"
        raise DataError(f"the checkpoint has the classes {theirs}; the set has {own}", where, use)
    alignment = about["data"].get("alignment", "similarity")
    if alignment != pairs.alignment:
        what = f"the checkpoint was trained on pairs aligned by {alignment}, the set is aligned by {pairs.alignment}"
        raise DataError(what, where, f"prepare the set with --alignment {alignment}")


def check_start(config: Config, tested: PairSet) -> None:
    """Refuse ``config.init`` where its weights have seen a person who is tested; do nothing without it.

    Raises
    ------
    DataError
        As :func:`check_unseen`; the file is missing or no checkpoint.
    """
    if config.init is not None:
        path = find_weights(config.init, config.network)
        check_unseen(load_model(path, EXTENDED)[1], tested, str(path))


def load_added(config: Config, pairs: PairSet, n_jobs: int = -1) -> PairSet | None:
    """Return the synthetic faces that ``config.add_synthetic`` adds to the training pairs; None where it is 0.

    Raises
    ------
    DataError
        As :func:`~lfdtcmen.datasets.mixing.added_faces`, or a single value of the faces reveals the label.
    """
    if not config.add_synthetic:
        return None
    added = added_faces(pairs, config.add_preset, config.add_subjects, n_jobs)
    check_label_leak(added)
    return added


def mixed_models(models: Mapping[str, Model], added: PairSet, config: Config) -> dict[str, Model]:
    """Return the models trained with added faces; those that cannot weigh their training pairs are left out."""
    return {
        name: MixedTraining(model, added, config.add_synthetic, config.add_repeats)
        for name, model in models.items()
        if not isinstance(model, Baseline) or model.takes_weights
    }


def predict_without_training(
    files: Sequence[str | Path], pairs: PairSet
) -> tuple[dict[str, pd.DataFrame], dict[str, dict]]:
    """Return the predictions of checkpoints for every pair of a set that none of them has seen.

    Parameters
    ----------
    files : sequence of path or "shipped"
        Checkpoints of stage 2 or 3. All are checked before one predicts.
    pairs : PairSet
        Prepared.

    Returns
    -------
    predictions : dict
        Model (the run's folder and the name of the file) -> one row per pair, with the columns of
        :func:`lfdtcmen.evaluation.protocol.cross_validate`; seed and fold are 0.
    checkpoints : dict
        Model -> file, digest, and what the network was trained on.

    Raises
    ------
    DataError
        As :func:`check_unseen` and :func:`check_same_kind`; a checkpoint given twice, or one that cannot be read.
    """
    paths = [find_weights(file) for file in files]
    names = [f"{path.resolve().parent.parent.name}/{path.stem}" for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        raise DataError("a checkpoint is given twice", "--checkpoint", "give each one once")
    loaded = {}
    for name, path in zip(names, paths, strict=True):
        model, about = load_model(path, EXTENDED)
        check_same_kind(about, pairs, str(path))
        check_unseen(about, pairs, str(path))
        loaded[name] = (model, about, path)
    predictions, checkpoints = {}, {}
    for name, (model, about, path) in loaded.items():
        start = time.perf_counter()
        probabilities = predict(model, pairs).astype(np.float64)
        predictions[name] = as_predictions(pairs, probabilities).assign(seconds=round(time.perf_counter() - start, 3))
        checkpoints[name] = {"file": path.name, "digest": digest(path), **describe_training(about)}
    return predictions, checkpoints


def class_table(predictions: Mapping[str, pd.DataFrame], label_names: Sequence[str]) -> pd.DataFrame:
    """Return precision, recall and F1 of each class, with 95 % intervals over subjects.

    Parameters
    ----------
    predictions : mapping
        Model -> what :func:`predict_without_training` returned.
    label_names : sequence of str
        The classes.

    Returns
    -------
    DataFrame
        Tidy rows (:data:`lfdtcmen.evaluation.results.COLUMNS`), ``part`` is the class; ``samples``: how many pairs it
        has. NaN where it cannot be computed, such as the recall of a class without a pair; no interval of a class that
        fewer than six subjects show.
    """
    rows = []
    for model, table in predictions.items():
        subjects = table["subject"].to_numpy()
        for number, name in enumerate(label_names):
            true, predicted = table["label"].to_numpy() == number, table["prediction"].to_numpy() == number
            hits = true & predicted
            parts = {"precision": (hits, predicted), "recall": (hits, true), "F1": (2 * hits, 1 * true + predicted)}
            for metric in CLASS_METRICS:
                found = measure_share(metric, *parts[metric], subjects)
                values = (model, metric, name, found.value, found.low, found.high, "")
                rows.append(dict(zip(COLUMNS, values, strict=True)) | {"samples": int(true.sum())})
    return pd.DataFrame(rows)


def confusion_table(predictions: Mapping[str, pd.DataFrame], label_names: Sequence[str]) -> pd.DataFrame:
    """Return the confusion matrix of each model: rows are true classes, columns predicted ones, in numbers of pairs."""
    tables = []
    for model, table in predictions.items():
        counts = confusion(table["label"].to_numpy(), table["prediction"].to_numpy(), len(label_names))
        found = pd.DataFrame(counts, columns=list(label_names))
        found.insert(0, "true class", list(label_names))
        found.insert(0, "model", model)
        tables.append(found)
    return pd.concat(tables, ignore_index=True)


def describe_training(about: Mapping) -> dict[str, Any]:
    """Return what a record says of a checkpoint's training: the sets, how many people, what it started from."""
    data = about["data"]
    trained_on = count_sentence(data_name(data), data["subjects"], data["samples"])
    return {"trained_on": trained_on, "fingerprint": data["fingerprint"]} | {
        name: about.get(name) for name in ("added", "init")
    }
