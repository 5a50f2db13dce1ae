"""What a run is assembled of: models that are complete when they are built, groups, and records."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lfdtcmen import experiments
from lfdtcmen.config import load_config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.datasets.splits import grouped_kfold
from lfdtcmen.errors import DataError
from lfdtcmen.files import run_folder
from lfdtcmen.training import LFDTCMENClassifier

CONFIG = load_config("smoke")


@pytest.fixture(scope="module")
def pairs() -> PairSet:
    """24 random pairs of 8 subjects, half of them of each class."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 24, 8, 8, 3), dtype=np.uint8)
    manifest = pd.DataFrame({"subject": [f"s{i % 8}" for i in range(24)], "clip": [f"c{i}" for i in range(24)]})
    streams = rng.normal(size=(24, 3, 28, 28)).astype(np.float32)
    return PairSet(manifest, *frames, np.arange(24) // 12, ("negative", "positive"), streams=streams)


def test_every_network_is_built_with_its_groups_and_its_validation_share(tmp_path):
    groups = {"a": 0, "b": 1}
    built = experiments.models(CONFIG, tmp_path, groups, validation=0.25)
    networks = {name: model for name, model in built.items() if isinstance(model, LFDTCMENClassifier)}
    assert set(built) - set(networks) == {
        *("majority", "apex-svm", "difference-svm", "linear-svm", "logistic-regression", "action-units"),
        *("lbp-top", "lbp-sip", "mdmo", "distlbp-rip", "bi-woof", "psn"),
        *("alexnet", "off-apexnet", "ststnet", "dual-inception", "rcn", "htnet", "micro-bert"),
        *("ststnet+drl", "off-apexnet+drl", "dual-inception+drl"),
    }
    for name in ("ststnet+drl", "off-apexnet+drl", "dual-inception+drl"):
        drl = built[name].drl
        assert drl.run_dir == tmp_path and drl.config == CONFIG and drl.stage1_groups == groups
    for model in networks.values():
        assert model.settings["stage1_groups"] == groups and model.settings["validation"] == 0.25
    assert networks["flow-branch"].config.drl is None and networks["flow-branch"].run_dir is None
    assert {name for name, model in networks.items() if model.stages == 2} == {
        "lfd-tcmen-stages12",
        "motion-branch-stages12",
    }


def test_groups_for_stage1_follow_the_folds_or_part_the_tested_from_the_others(pairs):
    folds = list(grouped_kfold(pairs.subjects, pairs.labels, CONFIG.folds))
    groups = experiments.groups_for_stage1(CONFIG, pairs, folds)
    assert set(groups) == set(pairs.subjects)
    for _, test in folds:
        assert len({groups[subject] for subject in pairs.subjects[test]}) == 1
    train, test = folds[0]
    groups = experiments.groups_for_stage1(CONFIG, pairs, [(train, test)])
    assert {groups[subject] for subject in pairs.subjects[train]} == {1}
    assert {groups[subject] for subject in pairs.subjects[test]} == {0}


def test_the_first_fold_is_the_one_of_the_configs_seed(pairs):
    learned, test = experiments.first_fold(CONFIG, pairs)
    train_index, test_index = next(iter(grouped_kfold(pairs.subjects, pairs.labels, CONFIG.folds, CONFIG.seed)))
    assert learned.fingerprint == pairs.subset(train_index).fingerprint
    assert test.fingerprint == pairs.subset(test_index).fingerprint


def test_leaving_one_subject_out_the_seed_chooses_who(pairs, monkeypatch):
    monkeypatch.setattr(experiments, "load_pairs", lambda config, data=None, n_jobs=-1: pairs)
    people = sorted(set(pairs.subjects))
    for seed in (0, 1, len(people) + 1):
        everything, learned, test = experiments.one_split("loso", replace(CONFIG, seed=seed))
        assert set(test.subjects) == {people[seed % len(people)]}
        assert everything is pairs and len(learned) + len(test) == len(pairs)
        assert not set(learned.subjects) & set(test.subjects)


def test_a_class_without_a_clip_is_refused_before_anything_is_trained(pairs, monkeypatch):
    wider = replace(pairs, label_names=(*pairs.label_names, "others"))
    monkeypatch.setattr(experiments, "load_pairs", lambda config, data=None, n_jobs=-1: wider)
    for protocol in ("kfold", "loso"):
        with pytest.raises(DataError, match="no clip of others"):
            experiments.one_split(protocol, CONFIG)
        with pytest.raises(DataError, match="no clip of others"):
            experiments.pairs_and_folds(protocol, CONFIG)
    monkeypatch.setattr(experiments, "synthetic_dfme", lambda config, n_jobs: {"train": wider, "test_a": pairs})
    with pytest.raises(DataError, match=r"no clip of others \[train\]"):
        experiments.pairs_and_folds("holdout", CONFIG)


def test_held_out_scores_are_compared_with_the_majority_vote(pairs):
    learned, test = experiments.first_fold(CONFIG, pairs)
    found = experiments.held_out_scores(learned, test, test.labels)
    assert found["subjects"] == len(set(test.subjects)) and sum(found["samples"].values()) == len(test)
    assert found["scores"]["UF1"]["value"] == found["scores"]["UAR"]["value"] == 1
    assert found["scores"]["UAR"]["majority"] == 0.5
    assert found["recall"] == {"negative": 1.0, "positive": 1.0}
    assert experiments.held_out_scores(learned, test, None).keys() == {"subjects", "samples"}


def test_a_record_names_the_prepared_set_instead_of_synthetic_faces(pairs, tmp_path):
    assert experiments.recorded_settings(CONFIG, pairs)["preset"] == "standard"
    recorded = experiments.recorded_settings(CONFIG, pairs, tmp_path / "mine")
    assert recorded["data"] == "mine" and recorded["fingerprint"] == pairs.fingerprint
    assert not {"preset", "subjects", "label_map"} & recorded.keys()


def test_an_unknown_protocol_is_named_before_any_data_are_made():
    with pytest.raises(DataError, match="unknown protocol 'random'; use kfold, loso or holdout"):
        experiments.pairs_and_folds("random", CONFIG)


def test_a_runs_folder_lies_below_the_working_directory_or_where_it_is_told_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_folder("x") == tmp_path / "runs" / "x"
    monkeypatch.setenv("LFDTCMEN_RUNS", str(tmp_path / "elsewhere"))
    assert run_folder("x") == tmp_path / "elsewhere" / "x"
    assert run_folder("x", runs=tmp_path / "given") == tmp_path / "given" / "x"
    for name in ("", ".", "..", "a/b", "/a"):
        with pytest.raises(DataError, match="must be one folder's name"):
            run_folder(name)


def test_one_person_is_not_in_two_parts_under_two_spellings(pairs):
    parts = {}
    for part, name in {"train": "dfme/sub3", "test": "dfme/sub003", "other": "samm/3"}.items():
        parts[part] = replace(pairs, manifest=pairs.manifest.assign(subject=name))
    with pytest.raises(DataError, match=r"dfme/sub3 \(train\) and dfme/sub003 \(test\) may be one person"):
        experiments.check_one_name(parts)
    del parts["test"]
    experiments.check_one_name(parts)


@pytest.mark.parametrize("protocol", ["kfold", "loso"])
def test_a_value_that_reveals_the_label_is_refused_by_train_and_jobs_are_passed_on(pairs, monkeypatch, protocol):
    asked = []
    monkeypatch.setattr(experiments, "load_pairs", lambda config, data=None, n_jobs=-1: asked.append(n_jobs) or pairs)
    monkeypatch.setattr(experiments, "check_label_leak", lambda _: asked.append("leak"))
    experiments.one_split(protocol, CONFIG, n_jobs=1)
    assert asked == [1, "leak"]


def test_two_sets_of_one_name_are_not_tested_as_one(pairs, monkeypatch, tmp_path):
    monkeypatch.setattr(experiments, "load_pairs", lambda config, data=None, n_jobs=-1: pairs)
    data, *tests = (tmp_path / name for name in ("train", "one/prepared", "two/prepared"))
    with pytest.raises(DataError, match=r"two sets are called 'prepared' .*one/prepared and .*two/prepared"):
        experiments.pairs_and_folds("holdout", CONFIG, data, tests)
