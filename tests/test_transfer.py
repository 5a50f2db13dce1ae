"""A trained network on a set that it has not seen: what is refused, and what is scored."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import DataError, load_config
from lfdtcmen.predict.model_card import describe_seen, measure_commands, synthetic_only
from lfdtcmen.training import checkpoint_file, load_model, stage_checkpoint
from lfdtcmen.transfer import check_start, class_table, confusion_table, predict_without_training
from tests.training.helpers import make_pairs, rewrite

SMALL = load_config("smoke", drl=None, motion=None, epochs=(0, 1, 0), batch_sizes=(4, 8, 4))


def of_people(prefix: str, subjects: int = 6, **columns):
    pairs = make_pairs(12, subjects)
    people = [f"{prefix}{k % subjects}" for k in range(12)]
    manifest = pd.DataFrame({"dataset": "mine", "subject": people, "clip": range(12)})
    return replace(pairs, manifest=manifest.assign(**columns))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint of the flow branch, trained on the people mine/a0 to mine/a5."""
    folder, pairs = tmp_path_factory.mktemp("run"), of_people("mine/a")
    stage_checkpoint(2, SMALL, pairs, folder, progress=False)
    return checkpoint_file(2, SMALL, pairs, folder)


def test_other_people_are_predicted_in_the_columns_of_cross_validation(trained):
    pairs = of_people("mine/b")
    predictions, checkpoints = predict_without_training([trained], pairs)
    ((name, table),) = predictions.items()
    assert name == f"{trained.parent.parent.name}/{trained.stem}" and len(table) == 12
    assert list(table)[:6] == ["seed", "fold", "subject", "clip", "label", "prediction"]
    np.testing.assert_allclose(table.filter(like="p_").sum(axis=1), 1, rtol=1e-5)
    assert checkpoints[name]["file"] == trained.name and checkpoints[name]["trained_on"].startswith("Mine: 6 subjects")


def test_a_person_whom_it_has_seen_is_refused_in_any_spelling(trained):
    mixed = of_people("mine/b")
    mixed.manifest.loc[3, "subject"] = "mine/A03"
    with pytest.raises(DataError, match=r"has seen 1 of the 7 people tested \(mine/A03\).*test on other people"):
        predict_without_training([trained], mixed)
    with pytest.raises(DataError, match="has seen 6 of the 6"):
        check_start(replace(SMALL, init=str(trained)), of_people("mine/a"))
    check_start(replace(SMALL, init=str(trained)), of_people("mine/b"))
    check_start(SMALL, of_people("mine/a"))


def test_what_does_not_fit_is_refused_with_what_would(trained, tmp_path):
    pairs = of_people("mine/b")
    with pytest.raises(DataError, match=r"the set has a, b, c .*prepare the set with --label-map 3class"):
        predict_without_training([trained], replace(pairs, label_names=("a", "b", "c")))
    with pytest.raises(DataError, match=r"aligned by similarity, the set is aligned by nose.*--alignment similarity"):
        predict_without_training([trained], of_people("mine/b", alignment="nose"))
    with pytest.raises(DataError, match="given twice"):
        predict_without_training([trained, trained], pairs)
    with pytest.raises(DataError, match="no such checkpoint file"):
        predict_without_training([tmp_path / "gone"], pairs)
    old = tmp_path / "old.safetensors"
    rewrite(trained, lambda tensors, values: values["about"]["data"].pop("people"), old)
    with pytest.raises(DataError, match=r"does not record whom it has seen.*train it again"):
        predict_without_training([old], pairs)
    assert len(predict_without_training([old], of_people("b/b", dataset="another"))[0]) == 1  # of another set


def test_classes_are_scored_as_by_hand_and_few_subjects_have_no_interval():
    table = pd.DataFrame({"subject": list("abcdef"), "label": [0, 0, 0, 1, 1, 1], "prediction": [0, 0, 1, 1, 0, 0]})
    rows = class_table({"m": table}, ("x", "y", "z")).set_index(["part", "metric"])
    assert rows.loc[("x", "precision"), "value"] == pytest.approx(2 / 4)
    assert rows.loc[("x", "recall"), "value"] == pytest.approx(2 / 3)
    assert rows.loc[("x", "F1"), "value"] == pytest.approx(4 / 7) and rows.loc[("x", "F1"), "samples"] == 3
    assert rows["low"].isna().all()  # of six people, three show either class, and four are predicted to show x
    people = pd.concat([table.assign(subject=table["subject"] + str(copy)) for copy in range(3)])
    more = class_table({"m": people}, ("x", "y", "z")).set_index(["part", "metric"])
    assert more.loc[("x", "F1"), "low"] < 4 / 7 < more.loc[("x", "F1"), "high"]
    assert rows.loc["z", "value"].isna().all()
    few = class_table({"m": table.assign(subject=list("abcdea"))}, ("x", "y"))
    assert few["low"].isna().all() and few["value"].notna().all()
    counts = confusion_table({"m": table}, ("x", "y", "z"))
    assert counts[["x", "y", "z"]].to_numpy().tolist() == [[2, 1, 0], [2, 1, 0], [0, 0, 0]]


def test_what_a_network_has_seen_is_said_from_its_start_on(trained):
    _, about = load_model(trained)
    assert describe_seen(about) == "This network has seen mine: 6 people." and not synthetic_only(about)
    faces = {"sets": ["synthetic"], "synthetic": True, "preset": "standard", "subjects": 80}
    start = {"file": "stage3-x.safetensors", "data": faces, "added": None, "init": None}
    assert describe_seen(start) == "This network has seen synthetic faces (preset standard) only: 80 people."
    added = {"subjects": 9, "preset": "wild", "weight": 0.3}
    text = describe_seen({**about, "init": start, "added": added})
    assert "9 synthetic people (preset wild), whose loss had the weight 0.3" in text
    assert "started from the weights of stage3-x.safetensors" in text
    assert synthetic_only(start) and not synthetic_only({**start, "init": about})
    prepare, evaluate = measure_commands(about | {"data": about["data"] | {"alignment": "nose"}}, "x.safetensors")
    assert "--label-map 3class --alignment nose" in prepare and evaluate.endswith("--checkpoint x.safetensors")
