"""Cross-validation (4.2): one job per fold and seed. Jobs run in parallel; a stopped run continues.

Each job writes one file, so that a finished job never runs again.
"""

import functools
import hashlib
import inspect
import json
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
import torch
from joblib import delayed, parallel_config
from tqdm.auto import tqdm

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import Fold, check_disjoint, check_shown, grouped_kfold
from lfdtcmen.devices import count_that_fit, find_device
from lfdtcmen.errors import DataError
from lfdtcmen.files import atomic_path, make_folder
from lfdtcmen.progress import hidden
from lfdtcmen.threads import one_thread
from lfdtcmen.workers import parallel

FitPredict = Callable[[PairSet, PairSet, int], np.ndarray]


@runtime_checkable
class Model(Protocol):
    """What can be cross-validated: LFD-TCMEN and every baseline."""

    @property
    def settings(self) -> Mapping:
        """Everything on which the predictions depend, apart from data and seed, as plain values."""

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int) -> None:
        """Compute once what several folds or seeds use, in ``jobs`` processes; do nothing if there is no such thing."""

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Train on ``train`` and return probabilities for ``test``, [N_test, C], without using the test labels."""


@dataclass(frozen=True)
class FunctionModel:
    """A plain function ``fit_predict(train, test, seed)`` as a model, or a ``partial`` of one."""

    fit_predict: FitPredict

    @property
    def settings(self) -> Mapping:
        """The function's name, its source and what it was given: whoever mends a function has another model.

        What the function calls is not looked at.
        """
        function, given = self.fit_predict, []
        while isinstance(function, functools.partial):
            given.append(repr((function.args, function.keywords)))
            function = function.func
        named = function if hasattr(function, "__qualname__") else type(function)
        try:
            source = inspect.getsource(named)
        except (OSError, TypeError):  # typed into a plain interpreter
            source = ""
        return {"function": named.__qualname__, "source": _digest({"text": source}), "given": given}

    def prepare(self, pairs: PairSet, folds: Iterable[Fold], seeds: Iterable[int], jobs: int) -> None:
        """Do nothing."""

    def __call__(self, train: PairSet, test: PairSet, seed: int) -> np.ndarray:
        """Call the function."""
        return self.fit_predict(train, test, seed)


def cross_validate(
    fit_predict: Model | FitPredict,
    pairs: PairSet,
    folds: int | Iterable[Fold],
    seeds: Iterable[int],
    out_dir: Path | str,
    n_jobs: int = 1,
    backend: str = "loky",
    progress: bool = False,
) -> pd.DataFrame:
    """Train and test a model on every fold with every seed, and pool the predictions.

    Each job writes a file ``out_dir/seed<seed>-fold<fold>.json``, whole or not at all; a job whose file is there does
    not run again. The predictions do not depend on ``n_jobs``, as every job runs in one thread.

    Parameters
    ----------
    fit_predict : Model or callable
        ``fit_predict(train, test, seed) -> probabilities [N_test, C]``, with settings and :meth:`Model.prepare` or
        without. It is given the test pairs with their labels, but must not use the labels.
    pairs : PairSet
        All samples.
    folds : int or iterable of (train_index, test_index)
        Number of subject-disjoint folds, the same for every seed, or the folds themselves.
    seeds : iterable of int
        Seeds of initialisation and batches.
    out_dir : path
        One folder per model and data set.
    n_jobs : int, default 1
        Processes; -1 for all cores. On a GPU the first fold runs alone, then as many at once as its memory holds.
    backend : {"loky", "dask"}, default "loky"
        joblib's backend: processes of this machine, or the workers of the ``dask.distributed.Client`` that is open
        (``n_jobs`` then has no effect). If a worker dies, another one runs its fold again.
    progress : bool, default False
        Show a progress bar over jobs.

    Returns
    -------
    DataFrame
        One row per seed and sample, in the order of ``pairs`` within each seed. Columns: seed, fold, subject, clip,
        part (where the manifest has it: :func:`~lfdtcmen.datasets.pairs.concatenate`), label, prediction (class
        numbers), p_<class name> for each class, seconds (of the whole fold).

    Raises
    ------
    DataError
        A subject in training and test, a class without training samples, an empty fold, a sample that is tested twice,
        files of another run in ``out_dir``, an ``out_dir`` that cannot be written to, or predictions that are not
        probabilities.
    """
    if isinstance(folds, int | np.integer):
        folds = grouped_kfold(pairs.subjects, pairs.labels, int(folds), 0, pairs.label_names)
    folds = [(np.asarray(train, dtype=np.int64), np.asarray(test, dtype=np.int64)) for train, test in folds]
    seeds = list(dict.fromkeys(int(seed) for seed in seeds))
    if not folds or not seeds:
        raise DataError("there is nothing to run", "cross_validate", "give one fold and one seed or more")
    for number, (train, test) in enumerate(folds):
        _check_fold(pairs, train, test, number)
    tested, times = np.unique(np.concatenate([test for _, test in folds]), return_counts=True)
    if (times > 1).any():
        what = f"sample {tested[times > 1][0]} is tested in {times.max()} folds"
        raise DataError(what, "cross_validate", "run each repetition by itself, in a folder of its own")
    out_dir = make_folder(out_dir)

    # the fingerprint contains the settings, so that files of another model or configuration are refused
    model = fit_predict if isinstance(fit_predict, Model) else FunctionModel(fit_predict)
    jobs = [
        (seed, number, _job_path(out_dir, seed, number), _fingerprint(model, pairs, fold, seed))
        for seed in seeds
        for number, fold in enumerate(folds)
    ]
    missing = [job for job in jobs if _read_job(job[2], job[3]) is None]
    run = delayed(_run_job)
    tasks = (run(model, pairs, *folds[number], seed, number, fingerprint) for seed, number, _, fingerprint in missing)
    # only parallel_config accepts backend "dask"; scatter sends the pairs to each worker once, not with each fold
    dask_options = {"scatter": [pairs]} if backend == "dask" else {}
    bar = tqdm(total=len(jobs), initial=len(jobs) - len(missing), unit="fold", disable=hidden(progress))

    def run_tasks(tasks: Iterable, n_jobs: int) -> None:
        with parallel_config(backend=backend, n_jobs=n_jobs, **dask_options):
            for result in parallel(return_as="generator_unordered")(tasks):
                # written here, as a worker on another machine may not see the folder
                with atomic_path(_job_path(out_dir, result["seed"], result["fold"])) as temporary:
                    temporary.write_text(json.dumps(result), encoding="utf-8")
                bar.update()

    if missing:
        needed = dict.fromkeys(number for _, number, _, _ in missing)
        with parallel_config(backend=backend, n_jobs=n_jobs):
            shared_jobs = n_jobs if backend == "loky" else -1
            model.prepare(pairs, [folds[number] for number in needed], [job[0] for job in missing], shared_jobs)
    with bar:
        if find_device().type == "cuda" and backend == "loky" and n_jobs != 1:
            torch.cuda.reset_peak_memory_stats()
            run_tasks(islice(tasks, 1), 1)  # alone, to measure how many fit on the device at once
            n_jobs = count_that_fit(n_jobs)
        run_tasks(tasks, n_jobs)
    return _pool(pairs, folds, jobs)


def _job_path(out_dir: Path, seed: int, number: int) -> Path:
    return out_dir / f"seed{seed}-fold{number}.json"


def _run_job(
    model: Model, pairs: PairSet, train: np.ndarray, test: np.ndarray, seed: int, number: int, fingerprint: str
) -> dict:
    start = time.perf_counter()
    with one_thread():
        probabilities = np.asarray(model(pairs.subset(train), pairs.subset(test), seed), dtype=np.float64)
    _check_probabilities(probabilities, len(test), pairs.num_classes, f"seed {seed}, fold {number}")
    result = {
        "fingerprint": fingerprint,
        "seed": seed,
        "fold": number,
        "seconds": round(time.perf_counter() - start, 3),
        "probabilities": probabilities.tolist(),
    }
    return result | {"digest": _digest(result)}


def _read_job(path: Path, fingerprint: str) -> dict | None:
    """Return a job's result, or None where it has to run (again)."""
    if not path.exists():
        return None
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        found = result["fingerprint"]
        if result.pop("digest", None) not in (None, _digest(result)):  # earlier versions wrote none
            raise ValueError("its digest is another")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        warnings.warn(f"result file {path} is damaged ({error}): its fold will run again", stacklevel=3)
        return None
    if found != fingerprint:
        raise DataError(
            "the result was made with another model or seed, or other data, folds or configuration",
            str(path),
            "give another folder (--name of a command), or delete this one",
        )
    return result


def _digest(result: Mapping) -> str:
    return hashlib.sha256(json.dumps(result).encode()).hexdigest()[:16]


def _pool(pairs: PairSet, folds: list[Fold], jobs: list[tuple]) -> pd.DataFrame:
    clips, subjects = pairs.manifest["clip"].to_numpy(), pairs.subjects
    part = {"part": pairs.manifest["part"].to_numpy()} if "part" in pairs.manifest else {}
    tables = []
    for seed, number, path, fingerprint in jobs:
        result, test = _read_job(path, fingerprint), folds[number][1]
        if result is None:
            raise DataError(
                "the result file of a fold has been deleted or damaged", str(path), "run the same command again"
            )
        probabilities = np.array(result["probabilities"])
        table = pd.DataFrame(
            {
                "seed": seed,
                "fold": number,
                "subject": subjects[test],
                "clip": clips[test],
                **{name: values[test] for name, values in part.items()},
                "label": pairs.labels[test],
                "prediction": probabilities.argmax(1),
                **{f"p_{name}": probabilities[:, c] for c, name in enumerate(pairs.label_names)},
                "seconds": result["seconds"],
            },
            index=test,
        )
        tables.append(table)
    pooled = pd.concat(tables).rename_axis("sample").reset_index()
    order = pooled["seed"].map({seed: rank for rank, seed in enumerate(dict.fromkeys(pooled["seed"]))})
    pooled = pooled.assign(order=order).sort_values(["order", "sample"], kind="stable")
    return pooled.drop(columns=["order", "sample"]).reset_index(drop=True)


def _check_fold(pairs: PairSet, train: np.ndarray, test: np.ndarray, number: int) -> None:
    where = f"fold {number}"
    for name, index in (("training", train), ("test", test)):
        if len(index) == 0:
            raise DataError(f"there are no {name} samples", where, "use fewer folds")
        if index.min() < 0 or index.max() >= len(pairs):
            raise DataError(
                f"a {name} index lies outside 0 to {len(pairs) - 1}", where, "make the folds from these pairs"
            )
    check_disjoint(pairs.subjects[train], pairs.subjects[test])
    check_shown(pairs.labels[train], pairs.label_names, f"training samples of {where}")


def _check_probabilities(probabilities: np.ndarray, samples: int, classes: int, where: str) -> None:
    if probabilities.shape != (samples, classes):
        raise DataError(
            f"probabilities must be [{samples}, {classes}], got {list(probabilities.shape)}", where, "check fit_predict"
        )
    if not np.isfinite(probabilities).all():
        raise DataError(
            "some probabilities are NaN or infinite", where, "training has diverged: lower the learning rate"
        )
    if probabilities.min() < -1e-6 or abs(probabilities.sum(1) - 1).max() > 1e-3:
        raise DataError("probabilities must not be negative, and each row must add up to 1", where, "apply a softmax")


def _fingerprint(model: Model, pairs: PairSet, fold: Fold, seed: int) -> str:
    inputs = [type(model).__qualname__, pairs.fingerprint, seed, dict(model.settings)]
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode())
    for index in fold:
        digest.update(len(index).to_bytes(8, "little") + index.tobytes())
    return digest.hexdigest()[:16]
