"""Nobody is both trained on and tested, whatever the data set looks like."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfdtcmen import DataError
from lfdtcmen.datasets.splits import check_disjoint, group_subjects, grouped_kfold, holdout, loso, split_validation


def some_samples(people=10, each=6, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    subjects = np.repeat([f"s{i}" for i in range(people)], each)
    return subjects, rng.integers(0, classes, people * each)


@settings(max_examples=30)
@given(people=st.integers(5, 20), each=st.integers(6, 10), k=st.integers(2, 5), seed=st.integers(0, 99))
def test_kfold_tests_every_sample_once_and_shares_nobody(people, each, k, seed):
    subjects, labels = some_samples(people, each, seed=seed)
    folds = list(grouped_kfold(subjects, labels, k, seed))
    assert len(folds) == k
    np.testing.assert_array_equal(np.sort(np.concatenate([test for _, test in folds])), np.arange(len(labels)))
    for train, test in folds:
        assert not set(subjects[train]) & set(subjects[test])
        assert len(train) + len(test) == len(labels)
        assert set(labels[train]) == set(labels)


def test_kfold_depends_on_its_seed_only():
    subjects, labels = some_samples()
    first, again, other = ([test.tolist() for _, test in grouped_kfold(subjects, labels, 5, s)] for s in (0, 0, 1))
    assert first == again
    assert first != other


def test_loso_leaves_each_subject_out_once():
    subjects, _ = some_samples(people=4)
    folds = list(loso(subjects))
    assert [set(subjects[test]) for _, test in folds] == [{"s0"}, {"s1"}, {"s2"}, {"s3"}]
    assert all(not set(subjects[train]) & set(subjects[test]) for train, test in folds)


def test_an_overlap_is_refused_by_name():
    check_disjoint(["a", "b"], ["c"])
    with pytest.raises(DataError, match=r"1 subjects.*b"):
        check_disjoint(["a", "b"], ["b", "c"])


@pytest.mark.parametrize(
    ("subjects", "labels", "k", "message"),
    [
        (["a", "b", "c"], [0, 1, 0], 4, "cannot make 4 folds of 3 subjects"),
        (["a", "b", "c"], [0, 1, 0], 1, "use 2 to 3 folds"),
        (["a", "b", "c", "d"], [0, 2, 0, 2], 2, "class 1 has no sample"),
        (["a", "b", "c", "c"], [0, 0, 1, 1], 2, "class 1 is shown by one subject only"),
        (["a", "b"], [0], 2, "2 subjects but 1 labels"),
        (["a", "a"], [0, 1], 2, "cannot make 2 folds of 1 subject .*load two subjects or more"),
        ([], [], 2, "cannot make 2 folds of 0 subjects .*load two subjects or more"),
        (["a", "b"], [0, 1], 3, "cannot make 3 folds of 2 subjects .*use 2 folds"),
        (["a", "b", "c", "d"], [0, 0, 0, 0], 2, "every sample shows class 0"),
        (["a", "b", "c", "d"], [0, 0, 3, 3], 2, "class 1, 2 has no sample"),
    ],
)
def test_folds_that_cannot_be_are_refused(subjects, labels, k, message):
    with pytest.raises(DataError, match=message):
        list(grouped_kfold(subjects, labels, k, 0))


def test_messages_name_the_classes_and_the_last_one_is_missed_too():
    subjects, labels = ["a", "b", "c", "d"], [0, 1, 0, 1]
    names = ("negative", "positive", "surprise")
    with pytest.raises(DataError, match=r"class 'surprise' has no sample.*raw"):
        list(grouped_kfold(subjects, labels, 2, names=names))
    with pytest.raises(DataError, match=r"class 'surprise' has no sample"):
        group_subjects(subjects, labels, 2, names=names)
    with pytest.raises(DataError, match=r"class 'surprise' has no sample"):
        split_validation(subjects, labels, 0.5, names=names)
    with pytest.raises(DataError, match=r"class 'surprise' is shown by one subject only"):
        list(grouped_kfold([*subjects, "d"], [*labels, 2], 2, names=names))
    with pytest.raises(DataError, match=r"every sample shows class 'negative'.*two classes"):
        list(grouped_kfold(subjects, [0, 0, 0, 0], 2, names=names[:1]))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_cannot_be_used_is_refused(seed):
    with pytest.raises(DataError, match=r"a seed of .* cannot be used"):
        list(grouped_kfold(*some_samples(), 2, seed))


def test_loso_of_one_subject_is_refused():
    with pytest.raises(DataError, match="two subjects"):
        list(loso(["a", "a"]))


@settings(max_examples=30)
@given(people=st.integers(8, 20), share=st.sampled_from([0.1, 0.2, 0.25, 0.5]), seed=st.integers(0, 99))
def test_validation_subjects_are_apart_and_about_as_many_as_asked_for(people, share, seed):
    subjects, labels = some_samples(people, 8, seed=seed)
    k = round(1 / share)
    if k > people:
        return
    fit, held = split_validation(subjects, labels, share, seed)
    assert not set(subjects[fit]) & set(subjects[held])
    assert sorted([*fit, *held]) == list(range(len(labels)))
    assert set(labels[fit]) == set(labels)
    assert abs(len(set(subjects[held])) - people * share) <= 0.5 * people * share + 1


def test_a_share_that_cannot_be_kept_apart_is_refused():
    subjects, labels = some_samples()
    for share in (0, -0.1, 0.7):
        with pytest.raises(DataError, match="cannot be kept apart"):
            split_validation(subjects, labels, share)


def test_a_share_of_less_than_one_subject_is_refused():
    with pytest.raises(DataError, match=r"a share of 0.2 of 2 subjects is less than one.*use 0.5 to 0.5"):
        split_validation(["a", "a", "b", "b"], [0, 1, 0, 1], 0.2)


@pytest.mark.parametrize("people", range(3, 60))
def test_the_share_that_is_advised_can_be_kept_apart(people):
    subjects = np.repeat(np.arange(people).astype(str), 2)
    labels = np.tile([0, 1], people)
    with pytest.raises(DataError) as error:
        split_validation(subjects, labels, 0.7 / people)
    advised = float(re.search("use ([0-9.]+) to", str(error.value))[1])
    assert len(split_validation(subjects, labels, advised)[1])


def test_groups_are_the_test_folds():
    subjects, labels = some_samples()
    groups = group_subjects(subjects, labels, 5)
    assert set(groups) == set(subjects)
    for number, (_, test) in enumerate(grouped_kfold(subjects, labels, 5)):
        assert {s for s, g in groups.items() if g == number} == set(subjects[test])


def test_holdout_trains_on_one_part_and_tests_on_all_others():
    parts = np.array(["test_a", "train", "train", "test_b"])
    ((train, test),) = holdout(parts, "train")
    assert train.tolist() == [1, 2] and test.tolist() == [0, 3]
    for wrong in ("train_a", "x"):
        with pytest.raises(DataError, match="0 of 4 samples"):
            next(holdout(parts, wrong))
    with pytest.raises(DataError, match="2 of 2 samples"):
        next(holdout(parts[1:3], "train"))
