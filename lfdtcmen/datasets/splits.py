"""Splits into training and test samples, such that no subject is in both (4.2)."""

import math
import warnings
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

from lfdtcmen.errors import DataError

Fold = tuple[np.ndarray, np.ndarray]


def loso(subjects: np.ndarray) -> Iterator[Fold]:
    """Leave one subject out: each subject in turn is the test set (stated for CAS(ME)^3, 4.2).

    Parameters
    ----------
    subjects : array-like
        Subject of each sample, [N].

    Yields
    ------
    train_index, test_index : ndarray
        int64 positions of the samples.

    Raises
    ------
    DataError
        Fewer than two subjects.
    """
    subjects = np.asarray(subjects)
    if len(np.unique(subjects)) < 2:
        raise DataError("leave-one-subject-out needs two subjects or more", "loso", "load more subjects")
    for train, test in LeaveOneGroupOut().split(subjects, groups=subjects):
        check_disjoint(subjects[train], subjects[test])
        yield train, test


def grouped_kfold(
    subjects: np.ndarray, labels: np.ndarray, k: int, seed: int = 0, names: Sequence[str] | None = None
) -> Iterator[Fold]:
    """Leave a k-th of the subjects out, with classes spread over the folds as evenly as subjects allow.

    A faster alternative to :func:`loso` (assumed; the paper's protocol is leave-one-subject-out).

    Parameters
    ----------
    subjects, labels : array-like
        Subject and class of each sample, [N] each.
    k : int
        Number of folds.
    seed : int
        Random seed of the split, 0 or more.
    names : sequence of str, optional
        Names of all classes, 0, 1, ...: each must have samples, and messages name them. Without it, the classes are
        those up to the largest label.

    Yields
    ------
    train_index, test_index : ndarray
        int64 positions of the samples; every sample is tested once.

    Raises
    ------
    DataError
        More folds than subjects, a class without samples, or a class that some fold could not train on.
    """
    subjects, labels = np.asarray(subjects), np.asarray(labels)
    if len(subjects) != len(labels):
        raise DataError(f"{len(subjects)} subjects but {len(labels)} labels", "grouped_kfold")
    _check_seed(seed)
    people = len(np.unique(subjects))
    if not 2 <= k <= people:
        what = f"cannot make {k} folds of {people} subject{'s' * (people != 1)}"
        fix = "load two subjects or more: one is trained on, another one tested"
        if people > 1:
            fix = f"use 2 to {people} folds" if people > 2 else "use 2 folds"
        raise DataError(what, "grouped_kfold", fix)
    if not np.issubdtype(labels.dtype, np.integer) or labels.min(initial=0) < 0:
        raise DataError("labels must be whole numbers from 0 on", "grouped_kfold", "number the classes 0, 1, ...")
    classes: Sequence = range(labels.max(initial=0) + 1) if names is None else names
    _check_classes(subjects, labels, classes)
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # "fewer members than n_splits": some test folds then lack the class, which pooled scores allow
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        try:
            folds = list(splitter.split(labels, labels, subjects))
        except ValueError as error:  # every class has fewer samples than there are folds
            most = np.bincount(labels).max()
            what = f"cannot make {k} folds: the most frequent class has {most} samples"
            raise DataError(what, "grouped_kfold", f"use {most} folds or fewer") from error
    for number, (train, test) in enumerate(folds):
        check_disjoint(subjects[train], subjects[test])
        if len(test) == 0:
            raise DataError(f"fold {number} has no test subject", "grouped_kfold", "use fewer folds or another seed")
        if len(missing := np.setdiff1d(labels, labels[train])):
            raise DataError(
                f"fold {number} has no training sample of class {_enumerate(classes, missing)}",
                "grouped_kfold",
                "use fewer folds, another seed or more subjects",
            )
        yield train, test


def holdout(parts: np.ndarray, train: str) -> Iterator[Fold]:
    """Train on one part and test on all others at once (DFME: train, test A and B, as its owners divided it; 4.2).

    Parameters
    ----------
    parts : array-like of str
        Which part each sample is from, [N]: the column ``part`` of :func:`lfdtcmen.datasets.pairs.concatenate`.
    train : str
        The part to train on.

    Yields
    ------
    train_index, test_index : ndarray
        int64 positions, one fold. The protocol that uses it raises DataError for a subject in both.

    Raises
    ------
    DataError
        Nothing to train on, or nothing to test on.
    """
    trained = np.asarray(parts).astype(str) == train
    if trained.all() or not trained.any():
        there = ", ".join(dict.fromkeys(np.asarray(parts).astype(str)))
        raise DataError(
            f"{trained.sum()} of {len(trained)} samples are of the part {train!r}",
            "holdout",
            f"name one part of several; there is: {there}",
        )
    yield np.flatnonzero(trained), np.flatnonzero(~trained)


def split_validation(
    subjects: np.ndarray,
    labels: np.ndarray,
    share: float = 0.2,
    seed: int = 0,
    names: Sequence[str] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Set a share of the *training* subjects aside, to choose an epoch or a setting on (assumed, ours).

    Parameters
    ----------
    subjects, labels : array-like
        Subject and class of each training sample, [N] each.
    share : float
        Share of the subjects to set aside, roughly: above 0 and at most one half.
    seed : int
        Random seed of the choice.
    names : sequence of str, optional
        Names of all classes, as for :func:`grouped_kfold`.

    Returns
    -------
    fit_index, validation_index : ndarray
        int64 positions among the training samples, no subject in both.

    Raises
    ------
    DataError
        A share outside (0, 0.5], or too few subjects of some class to train on it.
    """
    if not 0 < share <= 0.5:
        raise DataError(f"a share of {share:g} cannot be kept apart", "split_validation", "use 0.1 to 0.5")
    k, people = max(2, round(1 / share)), len(np.unique(subjects))
    if k > people > 1:
        what = f"a share of {share:g} of {people} subjects is less than one of them"
        raise DataError(what, "split_validation", f"use {math.ceil(100 / people) / 100:g} to 0.5")
    return next(iter(grouped_kfold(subjects, labels, k, seed, names)))


def group_subjects(
    subjects: np.ndarray, labels: np.ndarray, k: int, seed: int = 0, names: Sequence[str] | None = None
) -> dict[str, int]:
    """Return subject -> number of its test fold in :func:`grouped_kfold`, for work that several folds share.

    Parameters and errors as there.
    """
    subjects = np.asarray(subjects)
    folds = enumerate(grouped_kfold(subjects, labels, k, seed, names))
    return {str(subject): number for number, (_, test) in folds for subject in np.unique(subjects[test])}


def check_disjoint(train_subjects: np.ndarray, test_subjects: np.ndarray) -> None:
    """Check that no subject is both trained on and tested.

    Raises
    ------
    DataError
        A subject is on both sides.
    """
    shared = np.intersect1d(np.asarray(train_subjects).astype(str), np.asarray(test_subjects).astype(str))
    if len(shared):
        raise DataError(
            f"{len(shared)} subjects are both trained on and tested ({', '.join(shared[:3])})",
            "split",
            "split by subject with lfdtcmen.datasets.splits",
        )


def check_shown(labels: np.ndarray, names: Sequence, where: str) -> None:
    """Check that each class has a sample and that there are two classes, before anything is trained on them.

    Parameters
    ----------
    labels : array-like of int
        Class of each sample, [N].
    names : sequence of str
        Names of all classes, 0, 1, ...
    where : str
        What the samples are, for the message.

    Raises
    ------
    DataError
        A class of the label map without a sample, or only one class.
    """
    counts = np.bincount(labels, minlength=len(names))
    if (counts == 0).any():
        raise DataError(
            f"class {_enumerate(names, np.flatnonzero(counts == 0))} has no sample",
            where,
            'add subjects who show it, or use a label map without it ("raw" has only the classes that are there)',
        )
    if len(counts) < 2:
        raise DataError(
            f"every sample shows class {names[0]!r}",
            where,
            "load two classes or more: with one, nothing can be learned",
        )


def _check_classes(subjects: np.ndarray, labels: np.ndarray, names: Sequence) -> None:
    """Raise DataError unless there are two classes, and two subjects or more show each."""
    check_shown(labels, names, "grouped_kfold")
    few = [label for label in range(len(names)) if len(np.unique(subjects[labels == label])) < 2]
    if few:
        raise DataError(
            f"class {_enumerate(names, few)} is shown by one subject only, who cannot be both trained on and tested",
            "grouped_kfold",
            "load more subjects, or merge the class into another",
        )


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**32:
        raise DataError(f"a seed of {seed} cannot be used", "grouped_kfold", "give a whole number from 0 to 4294967295")


def _enumerate(names: Sequence, labels: Iterable[int]) -> str:
    """Return the names of classes as a list in a sentence."""
    return ", ".join(repr(names[label]) for label in labels)
