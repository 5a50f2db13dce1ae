"""Splits into training and test samples, such that no subject is in both (4.2)."""

import warnings
from collections.abc import Iterator

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


def grouped_kfold(subjects: np.ndarray, labels: np.ndarray, k: int, seed: int = 0) -> Iterator[Fold]:
    """Leave a k-th of the subjects out, with classes spread over the folds as evenly as subjects allow.

    A faster alternative to :func:`loso` (assumed; the paper's protocol is leave-one-subject-out).

    Parameters
    ----------
    subjects, labels : array-like
        Subject and class of each sample, [N] each.
    k : int
        Number of folds.
    seed : int
        Random seed of the split.

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
    if not np.issubdtype(labels.dtype, np.integer) or labels.min(initial=0) < 0:
        raise DataError("labels must be whole numbers from 0 on", "grouped_kfold", "number the classes 0, 1, ...")
    people = len(np.unique(subjects))
    if not 2 <= k <= people:
        raise DataError(f"cannot make {k} folds of {people} subjects", "grouped_kfold", f"use 2 to {people} folds")
    _check_classes(subjects, labels)
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # "fewer members than n_splits": some test folds then lack the class, which pooled scores allow
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        try:
            folds = list(splitter.split(labels, labels, subjects))
        except ValueError as error:  # every class has fewer samples than there are folds
            raise DataError(str(error).rstrip("."), "grouped_kfold", "use fewer folds") from error
    for number, (train, test) in enumerate(folds):
        check_disjoint(subjects[train], subjects[test])
        if len(test) == 0:
            raise DataError(f"fold {number} has no test subject", "grouped_kfold", "use fewer folds or another seed")
        if len(missing := np.setdiff1d(labels, labels[train])):
            raise DataError(
                f"fold {number} has no training sample of class {missing[0]}",
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
        raise DataError(
            f"{trained.sum()} of {len(trained)} samples are of the part {train!r}",
            "holdout",
            "name one part of several",
        )
    yield np.flatnonzero(trained), np.flatnonzero(~trained)


def split_validation(
    subjects: np.ndarray, labels: np.ndarray, share: float = 0.2, seed: int = 0
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
    return next(iter(grouped_kfold(subjects, labels, max(2, round(1 / share)), seed)))


def group_subjects(subjects: np.ndarray, labels: np.ndarray, k: int, seed: int = 0) -> dict[str, int]:
    """Return subject -> number of its test fold in :func:`grouped_kfold`, for work that several folds share.

    Parameters and errors as there.
    """
    subjects = np.asarray(subjects)
    folds = enumerate(grouped_kfold(subjects, labels, k, seed))
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


def _check_classes(subjects: np.ndarray, labels: np.ndarray) -> None:
    """Raise DataError unless two subjects or more show each class."""
    counts = np.bincount(labels)
    if (counts == 0).any():
        raise DataError(
            f"class {np.flatnonzero(counts == 0)[0]} has no sample",
            "grouped_kfold",
            'load the set with label map "raw", which has only the classes that are there',
        )
    for label in range(len(counts)):
        if len(np.unique(subjects[labels == label])) < 2:
            raise DataError(
                f"class {label} is shown by one subject only, who cannot be both trained on and tested",
                "grouped_kfold",
                "load more subjects, or merge the class into another",
            )
