"""The manifest takes what is right and names the row that is not."""

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError
from lfdtcmen.datasets.manifest import COLUMNS, LABEL_MAPS, check_classes, check_manifest, map_emotion, table1


def rows(**changes):
    """Return three good rows, with columns replaced."""
    table = {
        "dataset": ["casme3", "casme3", "dfme"],
        "subject": ["casme3/spNO.1", "casme3/spNO.2", "dfme/sub0001"],
        "clip": ["a", "a", "01"],
        "onset": [10, 0, 5],
        "apex": [14, 3, 5],
        "offset": [20, None, 9],
        "fps": [30, 30, 200],
        "emotion": ["disgust", "happiness", "others"],
    }
    return pd.DataFrame({**table, **changes})


def test_columns_come_in_order_and_missing_ones_are_empty():
    table = check_manifest(rows(note=["x", "y", "z"]).iloc[::-1])
    assert tuple(table.columns) == (*COLUMNS, "note")
    assert table["subject"].tolist() == ["dfme/sub0001", "casme3/spNO.2", "casme3/spNO.1"]
    assert table["au"].isna().all()
    assert table["onset"].tolist() == [5, 0, 10]
    assert str(table["offset"].dtype) == "Int64"
    pd.testing.assert_frame_equal(check_manifest(table), table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": ["a", "", "c"]}, r"subject is empty.*row 2"),
        ({"clip": ["a", "b", None]}, r"clip is empty.*row 3"),
        ({"onset": ["x", 0, 5]}, r"onset is not a number.*row 1"),
        ({"onset": [-1, 0, 5]}, r"onset is not a number of 0 or more.*row 1"),
        ({"onset": [10.5, 0, 5]}, r"whole frame number.*row 1"),
        ({"onset": [10, 4, 5]}, r"onset comes after apex \(4\).*row 2, casme3/spNO.2/a"),
        ({"offset": [12, None, 1]}, r"apex comes after offset.*row 1 and 1 more"),
        ({"apex": [14, 3, None], "offset": [20, None, 4]}, r"onset comes after offset \(5\).*row 3"),
        ({"emotion": ["disgust", "joyful", "others"]}, r"unknown emotion \('joyful'\).*row 2"),
    ],
)
def test_a_bad_row_is_named(changes, message):
    with pytest.raises(DataError, match=message):
        check_manifest(rows(**changes))


def test_an_empty_apex_is_one_to_be_spotted():
    assert check_manifest(rows(apex=[14, None, 5]))["apex"].isna().tolist() == [False, True, False]


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match=r"'apex' is missing.*found: dataset"):
        check_manifest(rows().drop(columns="apex"))


def test_emotions_become_classes():
    assert [map_emotion(e, "3class") for e in ("anger", "happiness", "surprise", "others")] == [0, 1, 2, None]
    assert map_emotion("negative", "3class") == 0
    assert [map_emotion(e, "7class") for e in LABEL_MAPS["7class"]] == list(range(7))
    assert map_emotion("others", "7class") is None
    assert [map_emotion(e, "4class") for e in ("contempt", "happiness", "surprise", "others")] == [0, 1, 2, 3]
    assert [map_emotion(e, "7class_casme3") for e in LABEL_MAPS["7class_casme3"]] == list(range(7))
    assert map_emotion("contempt", "7class_casme3") is None
    with pytest.raises(DataError, match="unknown emotion 'joy'"):
        map_emotion("joy", "3class")
    with pytest.raises(DataError, match="unknown label map '5class'"):
        map_emotion("anger", "5class")


def test_table1_counts_subjects_and_classes():
    table = table1(rows(), "3class")
    assert table.loc["casme3", ["subjects", "samples", "negative", "positive", "left out"]].tolist() == [2, 2, 1, 1, 0]
    assert table.loc["dfme", "left out"] == 1
    assert table["fps"].tolist() == ["30", "200"]
    assert list(table1(rows()).columns) == ["subjects", "samples", "fps", "happiness", "disgust", "others"]
    coarse = table1(rows(emotion=["negative", "happiness", "others"]), "7class")  # as SMIC publishes them
    assert coarse.loc["casme3", ["happiness", "left out"]].tolist() == [1, 1]


SEVEN = "happiness disgust surprise fear anger sadness others"  # CAS(ME)^3's


@pytest.mark.parametrize(
    ("label_map", "emotions", "message"),
    [
        (
            "7class",
            SEVEN,
            "no clip of contempt .*--label-map 3class or --label-map 4class or --label-map 7class_casme3",
        ),
        ("4class", "happiness disgust surprise", "no clip of others .*--label-map 3class or --label-map raw$"),
        ("3class", "happiness fear", r"no clip of surprise \[set\]; prepare the set with --label-map raw$"),
        ("3class", "negative positive", "no clip of surprise .*--label-map raw$"),
        ("7class_casme3", "others", "no clip of happiness, disgust, surprise, fear, anger, sadness .*raw$"),
    ],
)
def test_a_class_without_clips_is_named_with_the_label_maps_that_fit(label_map, emotions, message):
    labels = [map_emotion(emotion, label_map) for emotion in emotions.split()]
    with pytest.raises(DataError, match=message):
        check_classes(np.array([n for n in labels if n is not None]), LABEL_MAPS[label_map], emotions.split(), "set")


def test_a_last_class_without_clips_is_noticed_and_full_maps_pass():
    with pytest.raises(DataError, match="no clip of others"):
        check_classes(np.array([0, 1, 2]), LABEL_MAPS["4class"], ["fear"], "set")
    for names in LABEL_MAPS.values():
        check_classes(np.arange(len(names)), names, [], "set")
