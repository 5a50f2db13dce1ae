"""Assemble a run: its pairs and folds, the models, and the record of its scores.

The command line, the long runs of ``experiments/`` and the notebooks use these functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from lfdtcmen.analysis.disentanglement import disentanglement_report
from lfdtcmen.baselines import simple
from lfdtcmen.baselines.compared import BESIDE_DRL, METHODS
from lfdtcmen.baselines.plug_in import WithDRL
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config, to_dict
from lfdtcmen.datasets.clips import load_prepared
from lfdtcmen.datasets.manifest import check_classes
from lfdtcmen.datasets.pairs import PairSet, concatenate
from lfdtcmen.datasets.people import find_alike
from lfdtcmen.datasets.preparation import prepare_pairs
from lfdtcmen.datasets.splits import Fold, group_subjects, grouped_kfold, holdout, loso
from lfdtcmen.datasets.synthetic import make_counterfactuals, make_dataset, make_dfme, make_other_world
from lfdtcmen.errors import DataError, missing_extra
from lfdtcmen.evaluation.audit import check_label_leak
from lfdtcmen.evaluation.intervals import LEAST_SUBJECTS
from lfdtcmen.evaluation.metrics import METRICS, bootstrap_interval, confusion
from lfdtcmen.evaluation.protocol import Model
from lfdtcmen.evaluation.results import write_metrics, write_predictions
from lfdtcmen.losses.perceptual import vgg_source
from lfdtcmen.modules.network import LFDTCMEN
from lfdtcmen.training import LFDTCMENClassifier, load_model
from lfdtcmen.training.weights import digest, find_weights
from lfdtcmen.transfer import check_start, mixed_models

TEST_SHARES = (0.3, 0.2)  # subjects of DFME's test A and test B for each subject of its training set (assumed)
SYNTHETIC_FIELDS = ("preset", "subjects", "label_map")  # config fields that apply to synthetic faces only


def load_pairs(config: Config, data: Path | None = None, n_jobs: int = -1) -> PairSet:
    """Return prepared pairs: those of a folder that `lfdtcmen data prepare` made, else synthetic faces.

    Parameters
    ----------
    config : Config
        Its preset, label map, subjects and seed describe the synthetic faces.
    data : Path, optional
        Folder of a prepared data set.
    n_jobs : int
        Processes that make synthetic faces; -1 for all cores.

    Raises
    ------
    DataError
        The folder is not a prepared data set.
    """
    if data is not None:
        return load_prepared(data)
    if config.preset == "other_world":
        pairs = make_other_world(config.subjects, config.label_map, config.seed, n_jobs, progress=True)
    else:
        pairs = make_dataset(
            config.preset, config.label_map, subjects=config.subjects, seed=config.seed, n_jobs=n_jobs, progress=True
        )
    return prepare_pairs(pairs, n_jobs=n_jobs, progress=True)


def synthetic_dfme(config: Config, n_jobs: int = -1) -> dict[str, PairSet]:
    """Return DFME's three parts (training set, test A, test B) as prepared synthetic faces.

    The training set has as many subjects as the config says, the test sets have ``TEST_SHARES`` times as many.
    """
    train, test_a, test_b = (max(2, round(share * config.subjects)) for share in (1, *TEST_SHARES))
    parts = make_dfme(config.seed, (train, test_a, test_b), config.preset, n_jobs=n_jobs, progress=True)
    return {part: prepare_pairs(pairs, n_jobs=n_jobs, progress=True) for part, pairs in parts.items()}


def pairs_and_folds(
    protocol: str, config: Config, data: Path | None = None, tests: Sequence[Path] = (), n_jobs: int = -1
) -> tuple[PairSet, list[Fold]]:
    """Return the pairs of a protocol, checked for inputs that reveal the label, and its folds of subjects.

    Parameters
    ----------
    protocol : {"kfold", "loso", "holdout"}
        kfold: ``config.folds`` folds of subjects; loso: leave one subject out; holdout: a training set and separate
        test sets, as DFME has.
    config : Config
    data : Path, optional
        Folder of a prepared data set, for ``holdout`` the training set; synthetic faces without it.
    tests : sequence of Path
        For ``holdout`` with ``data``: folders of the prepared test sets.
    n_jobs : int
        Processes that make synthetic faces; -1 for all cores.

    Raises
    ------
    DataError
        Unknown protocol, test sets where the protocol has none, pairs that cannot be read or split, or weights to start
        from (``config.init``) that have seen somebody who is tested.
    """
    if tests and (protocol != "holdout" or data is None):
        raise DataError(
            "--test is for --protocol holdout with --data", fix="leave --test out, or add --protocol holdout and --data"
        )
    if protocol == "holdout":
        if data is not None and not tests:
            raise DataError("there is nothing to test on", fix="give --test and the folder of a prepared test set")
        folders = {} if data is None else _name_folders([data, *tests])
        parts = {name: load_pairs(config, path) for name, path in folders.items()} or synthetic_dfme(config, n_jobs)
        first = next(iter(parts))
        check_trainable(parts[first], first)
        pairs = concatenate(parts)
        check_one_name(parts)
        check_label_leak(pairs)
        folds = list(holdout(pairs.manifest["part"], first))
        check_start(config, pairs.subset(folds[0][1]))
        return pairs, folds
    if protocol not in ("kfold", "loso"):
        raise DataError(f"unknown protocol {protocol!r}", fix="use kfold, loso or holdout")
    pairs = load_pairs(config, data, n_jobs)
    check_trainable(pairs, "synthetic faces" if data is None else str(data))
    check_label_leak(pairs)
    check_start(config, pairs)  # everybody is tested in some fold
    if protocol == "loso":
        return pairs, list(loso(pairs.subjects))
    return pairs, list(grouped_kfold(pairs.subjects, pairs.labels, config.folds, names=pairs.label_names))


def _name_folders(paths: Sequence[Path]) -> dict[str, Path]:
    """Return folders by their names, which name the parts; raise DataError where two have one name."""
    named: dict[str, Path] = {}
    for path in paths:
        if (name := path.resolve().name) in named:
            raise DataError(f"two sets are called {name!r}", f"{named[name]} and {path}", "rename one of the folders")
        named[name] = path
    return named


def check_trainable(pairs: PairSet, where: str) -> None:
    """Refuse pairs in which a class has no clip, before anything is trained.

    Raises
    ------
    DataError
        The message names the class, and the label maps that fit.
    """
    emotions = pairs.manifest["emotion"] if "emotion" in pairs.manifest else ()
    check_classes(pairs.labels, pairs.label_names, emotions, where)


def by_part(
    protocol: str, pairs: PairSet, predictions: Mapping[str, pd.DataFrame]
) -> list[tuple[str, dict[str, pd.DataFrame]]]:
    """Return the predictions of each test set of a holdout, by the set's name; all under "" for other protocols.

    Parameters
    ----------
    protocol : {"kfold", "loso", "holdout"}
    pairs : PairSet
        What :func:`pairs_and_folds` returned.
    predictions : mapping
        Model name -> what :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned.
    """
    if protocol != "holdout":
        return [("", dict(predictions))]
    _, *parts = pairs.manifest["part"].unique()  # the first is trained on
    return [(part, {m: table[table["part"] == part] for m, table in predictions.items()}) for part in parts]


def one_split(
    protocol: str, config: Config, data: Path | None = None, tests: Sequence[Path] = (), n_jobs: int = -1
) -> tuple[PairSet, PairSet, PairSet]:
    """Return all pairs, those to train on and those held out: the one split that `lfdtcmen train` uses.

    Parameters
    ----------
    protocol : {"kfold", "loso", "holdout"}
        kfold: :func:`first_fold`; loso: one subject is held out, whose number is ``config.seed``, counted around;
        holdout: all test sets are held out.
    config, data, tests, n_jobs
        As for :func:`pairs_and_folds`.

    Raises
    ------
    DataError
        As for :func:`pairs_and_folds`.
    """
    if protocol == "kfold" and not tests:
        pairs = load_pairs(config, data, n_jobs)
        check_trainable(pairs, "synthetic faces" if data is None else str(data))
        check_label_leak(pairs)
        train_pairs, test_pairs = first_fold(config, pairs)
        check_start(config, test_pairs)
        return pairs, train_pairs, test_pairs
    pairs, folds = pairs_and_folds(protocol, config, data, tests, n_jobs)
    train, test = folds[config.seed % len(folds)]
    return pairs, pairs.subset(train), pairs.subset(test)


def check_one_name(parts: Mapping[str, PairSet]) -> None:
    """Check that no person may be in two parts of a holdout under two spellings of a name.

    Raises
    ------
    DataError
        Two subjects of different parts, such as ``dfme/sub03`` and ``dfme/sub003``, may be one person.
    """
    of_part = {str(subject): name for name, pairs in parts.items() for subject in pairs.subjects}
    for group in find_alike(of_part):
        if len({of_part[subject] for subject in group}) > 1:
            found = " and ".join(f"{subject} ({of_part[subject]})" for subject in group)
            raise DataError(f"{found} may be one person", fix="write one name in the tables, or clearly different ones")


def first_fold(config: Config, pairs: PairSet) -> tuple[PairSet, PairSet]:
    """Return the training and the held-out pairs of the first fold of subjects.

    The split is seeded by ``config.seed``, as in the notebooks; :func:`pairs_and_folds` always uses seed 0.
    """
    folds = grouped_kfold(pairs.subjects, pairs.labels, config.folds, config.seed, pairs.label_names)
    train, test = next(iter(folds))
    return pairs.subset(train), pairs.subset(test)


def groups_for_stage1(config: Config, pairs: PairSet, folds: Sequence[Fold]) -> dict[str, int]:
    """Return subject -> number of its group; stage 1 is trained once per group, on the subjects of all other groups.

    There are ``config.folds`` groups; a single fold (holdout) has two: the training subjects and the test subjects.
    """
    if len(folds) == 1:
        train, _ = folds[0]
        return dict.fromkeys(pairs.subjects, 0) | dict.fromkeys(pairs.subjects[train], 1)
    return group_subjects(pairs.subjects, pairs.labels, config.folds, names=pairs.label_names)


def models(
    config: Config,
    run_dir: Path,
    stage1_groups: Mapping[str, int] | None = None,
    validation: float = 0.0,
    added: PairSet | None = None,
) -> dict[str, Model]:
    """Return the models that `lfdtcmen evaluate` compares: name -> model for cross-validation.

    Stage 1 does not depend on TCME, so networks that differ only in TCME share its checkpoints in ``run_dir``.

    Parameters
    ----------
    config : Config
    run_dir : Path
        Folder of the stages' checkpoints.
    stage1_groups : mapping, optional
        What :func:`groups_for_stage1` returns: stage 1 is then trained once for each group.
    validation : float
        Share of the training subjects kept apart to choose the epoch; 0 trains for all epochs.
    added : PairSet, optional
        What :func:`lfdtcmen.transfer.load_added` returned. Models that cannot weigh their training pairs are left out.
        So are networks other than the one of ``config.init``.

    Raises
    ------
    DataError
        Added faces with a shared stage 1 or validation subjects.
    """
    if added is not None and (stage1_groups is not None or validation):
        unfit = "--validation" if validation else "--share-stage1"
        raise DataError(f"{unfit} does not go with added synthetic faces", "add_synthetic", "leave one of them out")

    def network(changed: Config, stages: int = 3, folder: Path | None = run_dir) -> LFDTCMENClassifier:
        return LFDTCMENClassifier(changed, folder, stages, stage1_groups, validation, EXTENDED)

    without_flow, stage1 = replace(config, flow=None), network(config, stages=1)
    alone: dict[str, Model] = {
        "majority": simple.majority,
        "apex-svm": simple.apex_svm,
        "difference-svm": simple.difference_svm,
        "linear-svm": simple.linear_svm,
        "logistic-regression": simple.logistic_regression,
        "action-units": simple.action_units,
        **METHODS,
        **{f"{net.name}+drl": WithDRL(net, stage1) for net in BESIDE_DRL},
        "flow-branch": network(replace(config, drl=None, motion=None), folder=None),
        "lfd-tcmen-stages12": network(config, stages=2),
        "lfd-tcmen": network(config),
        "motion-branch-stages12": network(without_flow, stages=2),
        "motion-branch": network(without_flow),
    }
    if config.init is not None:  # the config's own network is asked where it starts
        _, about = load_model(find_weights(config.init, config.network), EXTENDED)
        fitting = (config.network, about["network"])
        alone = {
            name: model
            for name, model in alone.items()
            if not isinstance(model, LFDTCMENClassifier) or model.config.network in fitting
        }
    return alone if added is None else mixed_models(alone, added, config)


def connect_dask(scheduler: str) -> int:
    """Open a client of a Dask scheduler, for ``cross_validate(backend="dask")``; return its number of workers.

    Raises
    ------
    DataError
        Dask is not installed, no scheduler answers, or it has no workers.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise missing_extra("--scheduler", "scale") from error
    try:
        workers = len(Client(scheduler, timeout=10).nthreads())
    except (OSError, ValueError) as error:
        raise DataError("no Dask scheduler answers", scheduler, "start one with `dask scheduler`") from error
    if workers == 0:
        raise DataError("the Dask scheduler has no workers", scheduler, f"start some with `dask worker {scheduler}`")
    return workers


def measure_disentanglement(
    model: LFDTCMEN, train: PairSet, test: PairSet, config: Config, synthetic: bool
) -> pd.DataFrame:
    """Return :func:`~lfdtcmen.analysis.disentanglement.disentanglement_report` of a trained network.

    A low loss does not show that the codes are disentangled, so `lfdtcmen train` measures this after training.

    Parameters
    ----------
    model : LFDTCMEN
    train, test : PairSet
        Of the subjects that it was trained on, and of the held-out subjects.
    config : Config
    synthetic : bool
        Also measure it on synthetic swaps, where one person's true motion on another's face is known.

    Raises
    ------
    DataError
        Too few clips or subjects, or a network without a generator.
    """
    preset = "standard" if config.preset == "other_world" else config.preset  # there are no swaps in the other world
    counterfactuals = make_counterfactuals(preset, config.seed, identities=8, motions=4) if synthetic else None
    return disentanglement_report(model, train, test, counterfactuals, config.seed)


def held_out_scores(train_pairs: PairSet, test: PairSet, predicted: np.ndarray | None) -> dict:
    """Return what a model card says about the held-out subjects.

    Parameters
    ----------
    train_pairs, test : PairSet
        Pairs of the training subjects and of the held-out subjects.
    predicted : ndarray or None
        Class numbers of the held-out samples, int [N]; None after stage 1, which does not learn to classify.

    Returns
    -------
    dict
        ``subjects`` and ``samples`` (class -> number); with predictions also ``scores`` (metric -> value, low and high,
        None for too few subjects, and majority: the score of always predicting the most frequent class) and ``recall``
        (class -> recall, None where the class has no sample). Of a holdout with several test sets also ``parts``:
        name -> the same.
    """
    if predicted is not None and "part" in test.manifest and len(names := test.manifest["part"].unique()) > 1:
        whole = replace(test, manifest=test.manifest.drop(columns="part"))
        rows = {name: np.flatnonzero(test.manifest["part"] == name) for name in names}
        parts = {name: held_out_scores(train_pairs, test.subset(row), predicted[row]) for name, row in rows.items()}
        return {**held_out_scores(train_pairs, whole, predicted), "parts": parts}
    samples = {name: int((test.labels == k).sum()) for k, name in enumerate(test.label_names)}
    found: dict = {"subjects": len(set(test.subjects)), "samples": samples}
    if predicted is None:
        return found
    classes = test.num_classes
    majority = np.full(len(test), np.bincount(train_pairs.labels, minlength=classes).argmax())
    found["scores"] = {}
    for metric, score in METRICS.items():
        bounds = bootstrap_interval(test.labels, predicted, test.subjects, metric, classes)
        low, high = bounds if found["subjects"] >= LEAST_SUBJECTS else (None, None)  # JSON has no NaN
        found["scores"][metric.upper()] = {
            "value": score(test.labels, predicted, classes),
            "low": low,
            "high": high,
            "majority": score(test.labels, majority, classes),
        }
    hits = confusion(test.labels, predicted, classes).diagonal()
    found["recall"] = {n: int(hit) / samples[n] if samples[n] else None for n, hit in zip(samples, hits, strict=True)}
    return found


def recorded_settings(config: Config, pairs: PairSet, data: Path | None = None) -> dict:
    """Return the config as plain values; for a prepared set, its name replaces the fields of synthetic faces.

    ``vgg19`` says which weights ``vgg_weights`` came to on this machine; ``init`` is the name of its file, and
    ``init_digest`` what the file holds.
    """
    settings = to_dict(config) | {"vgg19": vgg_source(config.vgg_weights)}
    if config.init is not None:
        file = find_weights(config.init, config.network)
        settings |= {"init": file.name, "init_digest": digest(file)}
    if data is not None:
        settings = {field: value for field, value in settings.items() if field not in SYNTHETIC_FIELDS}
        settings |= {"data": data.name, "fingerprint": pairs.fingerprint, "label_names": list(pairs.label_names)}
    return settings


def write_run(run_dir: Path, predictions: Mapping[str, pd.DataFrame], command: str, record: Mapping) -> None:
    """Write ``predictions.csv`` and ``metrics.json`` of a comparison, each whole or not at all.

    Parameters
    ----------
    run_dir : Path
    predictions : mapping
        Model name -> what :func:`~lfdtcmen.evaluation.protocol.cross_validate` returned.
    command : str
        The command that repeats the run.
    record : mapping
        Plain values: config, protocol, scores.

    Raises
    ------
    DataError
        The folder cannot be written to, or the disk is full.
    """
    write_predictions(pd.concat(predictions, names=["model", None]).reset_index("model"), run_dir)
    write_metrics({"command": command, "date": f"{date.today()}", **record}, run_dir)
