"""Cross-validation: a fold and seed is one job with one file, run in parallel, stopped and resumed at will (4.2)."""

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed, effective_n_jobs, parallel_config
from tqdm.auto import tqdm

from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import Fold, check_disjoint, grouped_kfold
from lfdtcmen.errors import DataError
from lfdtcmen.files import atomic_path, make_folder
from lfdtcmen.threads import one_thread

CUDA_CONTEXT = 600 * 2**20  # bytes that a process takes on a GPU before it has computed anything
FitPredict = Callable[[PairSet, PairSet, int], np.ndarray]


def cross_validate(
    fit_predict: FitPredict,
    pairs: PairSet,
    folds: int | Iterable[Fold],
    seeds: Iterable[int],
    out_dir: Path | str,
    n_jobs: int = 1,
    backend: str = "loky",
    config: Mapping | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Train and test a model on every fold with every seed, and pool the predictions.

    Each job has a file ``out_dir/seed<seed>-fold<fold>.json``, whole or not at all; one whose file is there is not run
    again. The predictions are the same whatever ``n_jobs`` is: every job has one thread, and the folds share the cores.

    Parameters
    ----------
    fit_predict : callable
        ``fit_predict(train, test, seed) -> probabilities [N_test, C]``. What LFD-TCMEN and every baseline implement.
        It sees the test labels' PairSet, and must not look at them.
    pairs : PairSet
        All samples.
    folds : int or iterable of (train_index, test_index)
        Number of subject-disjoint folds, the same for every seed, or the folds themselves.
    seeds : iterable of int
        Seeds of initialisation and batches.
    out_dir : path
        One folder a model and data set.
    n_jobs : int, default 1
        Processes; -1 for all cores. On a GPU the first fold runs alone, and then as many as its memory holds.
    backend : {"loky", "dask"}, default "loky"
        joblib's backend: processes of this machine, or the workers of the ``dask.distributed.Client`` that is open
        (``n_jobs`` then says nothing). A worker that dies costs the time of its fold: another one takes it over.
    config : mapping, optional
        What the model depends on, as plain values. With the model's name it enters the fingerprint: files of another
        model or configuration are refused instead of taken for this one's.
    progress : bool, default False
        Show a progress bar over jobs.

    Returns
    -------
    DataFrame
        One row a seed and sample, in the order of ``pairs`` within each seed. Columns: seed, fold, subject, clip, part
        (where the manifest has it: :func:`~lfdtcmen.datasets.pairs.concatenate`), label, prediction (class numbers),
        p_<class name> for each class, seconds (of the whole fold).

    Raises
    ------
    DataError
        A subject on both sides, a class that a fold cannot train on, an empty fold, files of another run in
        ``out_dir``, an ``out_dir`` that cannot be written to, or predictions that are no probabilities.
    """
    if isinstance(folds, int | np.integer):
        folds = grouped_kfold(pairs.subjects, pairs.labels, int(folds), seed=0)
    folds = [(np.asarray(train, dtype=np.int64), np.asarray(test, dtype=np.int64)) for train, test in folds]
    seeds = [int(seed) for seed in seeds]
    if not folds or not seeds:
        raise DataError("there is nothing to run", "cross_validate", "give one fold and one seed or more")
    for number, (train, test) in enumerate(folds):
        _check_fold(pairs, train, test, number)
    out_dir = make_folder(out_dir)

    jobs = [
        (seed, number, _job_path(out_dir, seed, number), _fingerprint(fit_predict, pairs, fold, seed, config))
        for seed in seeds
        for number, fold in enumerate(folds)
    ]
    missing = [job for job in jobs if _read_job(job[2], job[3]) is None]
    run = delayed(_run_job)
    tasks = (
        run(fit_predict, pairs, *folds[number], seed, number, fingerprint) for seed, number, _, fingerprint in missing
    )
    # "dask" is known to parallel_config alone; scattered, the pairs go to each worker once instead of with each fold
    how = {"scatter": [pairs]} if backend == "dask" else {}
    bar = tqdm(total=len(jobs), initial=len(jobs) - len(missing), unit="fold", disable=not progress)

    def run_tasks(tasks: Iterable, n_jobs: int) -> None:
        with parallel_config(backend=backend, n_jobs=n_jobs, **how):
            for result in Parallel(return_as="generator_unordered")(tasks):
                # written here, as a worker on another machine may not see the folder
                with atomic_path(_job_path(out_dir, result["seed"], result["fold"])) as temporary:
                    temporary.write_text(json.dumps(result), encoding="utf-8")
                bar.update()

    with bar:
        if torch.cuda.is_available() and backend == "loky" and n_jobs != 1:
            torch.cuda.reset_peak_memory_stats()
            run_tasks(islice(tasks, 1), 1)  # alone, to learn how many fit on the device side by side
            n_jobs = _fit_on_device(n_jobs, torch.cuda.max_memory_reserved())
        run_tasks(tasks, n_jobs)
    return _pool(pairs, folds, jobs)


def _fit_on_device(n_jobs: int, memory: int) -> int:
    """Return how many processes of so many bytes each find room on the GPU, at most ``n_jobs``."""
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    return max(1, min(effective_n_jobs(n_jobs), int(0.9 * free / (memory + CUDA_CONTEXT))))


def _job_path(out_dir: Path, seed: int, number: int) -> Path:
    return out_dir / f"seed{seed}-fold{number}.json"


def _run_job(fit_predict, pairs, train, test, seed, number, fingerprint) -> dict:
    start = time.perf_counter()
    with one_thread():
        probabilities = np.asarray(fit_predict(pairs.subset(train), pairs.subset(test), seed), dtype=np.float64)
    _check_probabilities(probabilities, len(test), pairs.num_classes, f"seed {seed}, fold {number}")
    return {
        "fingerprint": fingerprint,
        "seed": seed,
        "fold": number,
        "seconds": round(time.perf_counter() - start, 3),
        "probabilities": probabilities.tolist(),
    }


def _read_job(path: Path, fingerprint: str) -> dict | None:
    """Return a job's result, or None where it has to run (again)."""
    if not path.exists():
        return None
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        found = result["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        warnings.warn(f"result file {path} is damaged ({error}): its fold will run again", stacklevel=3)
        return None
    if found != fingerprint:
        raise DataError(
            "the result was made with other data, folds or configuration",
            str(path),
            "give another out_dir, or delete this one",
        )
    return result


def _pool(pairs: PairSet, folds: list[Fold], jobs: list[tuple]) -> pd.DataFrame:
    clips, subjects = pairs.manifest["clip"].to_numpy(), pairs.subjects
    part = {"part": pairs.manifest["part"].to_numpy()} if "part" in pairs.manifest else {}
    tables = []
    for seed, number, path, fingerprint in jobs:
        result, test = _read_job(path, fingerprint), folds[number][1]
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
                f"a {name} index lies outside 0 to {len(pairs) - 1}", where, "make the folds of these pairs"
            )
    check_disjoint(pairs.subjects[train], pairs.subjects[test])
    absent = np.setdiff1d(np.arange(pairs.num_classes), pairs.labels[train])
    if len(absent):
        raise DataError(
            f"no training sample shows {pairs.label_names[absent[0]]!r}", where, "use fewer folds or more subjects"
        )


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
        raise DataError("rows of probabilities must be positive and add up to 1", where, "apply a softmax")


def _fingerprint(fit_predict: FitPredict, pairs: PairSet, fold: Fold, seed: int, config: Mapping | None) -> str:
    model = getattr(fit_predict, "__qualname__", type(fit_predict).__qualname__)
    digest = hashlib.sha256(json.dumps([model, pairs.fingerprint, seed, config], sort_keys=True).encode())
    for index in fold:
        digest.update(len(index).to_bytes(8, "little") + index.tobytes())
    return digest.hexdigest()[:16]
