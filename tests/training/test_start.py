"""Training that starts from the weights of a checkpoint, and the weights that come with the package."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from lfdtcmen import DataError, load_config
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.config import Config
from lfdtcmen.datasets.loaders.tables import read_table
from lfdtcmen.datasets.people import digest_people
from lfdtcmen.evaluation.results import score_table
from lfdtcmen.experiments import load_pairs, models
from lfdtcmen.training import (
    LFDTCMENClassifier,
    build_model,
    checkpoint_file,
    load_model,
    predict,
    stage_checkpoint,
    weights,
)
from lfdtcmen.training.checkpoint import describe, halve_checkpoint, load_history, stage_settings
from lfdtcmen.training.classifier import start_from
from lfdtcmen.training.stages import train_stage
from lfdtcmen.transfer import predict_without_training
from tests.training.helpers import make_pairs, rewrite, state


@pytest.fixture
def small() -> Config:
    """The flow branch alone: no images, and one stage."""
    return load_config("smoke", drl=None, motion=None, epochs=(0, 2, 0), batch_sizes=(4, 4, 4))


@pytest.fixture
def donor(small, tmp_path):
    """A checkpoint that was trained on other people."""
    others = make_pairs(seed=7)
    others = replace(others, manifest=pd.DataFrame({"dataset": "other", "subject": [f"o{k}" for k in range(8)]}))
    stage_checkpoint(2, small, others, tmp_path / "donor", progress=False)
    return checkpoint_file(2, small, others, tmp_path / "donor")


def test_the_first_step_is_that_of_the_checkpoints_weights(pairs, small, donor):
    model, _ = load_model(donor)
    by_hand = train_stage(model, pairs, 2, small, progress=False)["total"]
    _, started = stage_checkpoint(2, replace(small, init=str(donor)), pairs, progress=False)
    _, from_nothing = stage_checkpoint(2, small, pairs, progress=False)
    assert_close(torch.tensor(started["total"]), torch.tensor(by_hand))
    assert abs(started["total"][0] - from_nothing["total"][0]) > 1e-3


def test_without_the_same_classes_the_classifier_starts_anew_and_that_is_said(pairs, small, donor, capsys):
    other = replace(pairs, label_names=("positive", "negative", "surprise"))  # as many, but others
    config = replace(small, init=str(donor), epochs=(0, 1, 0))
    stage_checkpoint(2, config, other)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "anew" in line]
    assert "checkpoint has the classes negative, positive, surprise; the data have positive, negative" in line
    model = build_model(config, 3)
    before = state(model)
    assert start_from(model, config, other.label_names)
    after, source = state(model), state(load_model(donor)[0])
    kept = {name for name in after if torch.equal(after[name], before[name]) and not name.endswith("num_batches")}
    assert {name for name in source if name.startswith("tcme.classifier")} <= kept
    assert all(torch.equal(after[name], source[name]) for name in source if name.startswith("tcme.flow_branch"))
    assert start_from(model, config, pairs.label_names) == ""
    assert_close(state(model), source)


def test_another_network_is_refused_with_the_field(pairs, small, donor):
    with pytest.raises(DataError, match=r"has flow='triple', this run has 'single'.*--set flow=triple"):
        stage_checkpoint(2, replace(small, flow="single", init=str(donor)), pairs, progress=False)
    with pytest.raises(DataError, match="no such checkpoint file"):
        stage_checkpoint(2, replace(small, init="gone.safetensors"), pairs, progress=False)


def test_cached_stages_of_another_start_are_not_taken(pairs, small, donor, tmp_path):
    started = replace(small, init=str(donor))
    assert "init" not in stage_settings(small, 2, "x") and "init" not in LFDTCMENClassifier(small).settings
    assert stage_settings(started, 2, "x")["init"] == weights.digest(donor)
    assert LFDTCMENClassifier(started).settings["init"] == weights.digest(donor)
    files = [checkpoint_file(2, config, pairs, tmp_path) for config in (small, started)]
    rewrite(donor, lambda tensors, values: values.update(epoch=1))  # the same path, another file
    assert len({*files, checkpoint_file(2, started, pairs, tmp_path)}) == 3


def test_a_checkpoint_records_its_start_and_everybody_it_has_seen(pairs, small, donor):
    about = describe(replace(small, init=str(donor)), 2, pairs)
    assert about["init"]["file"] == donor.name and about["init"]["digest"] == weights.digest(donor)
    assert about["init"]["data"]["sets"] == ["other"] and about["init"]["data"]["subjects"] == 8
    own, before = describe(small, 2, pairs)["data"]["people"], load_model(donor)[1]["data"]["people"]
    assert len(own) == 3 and len(before) == 8
    assert about["data"]["people"] == sorted({*own, *before})
    assert "s0" not in json.dumps(about["data"]["people"]) and str(donor.parent) not in json.dumps(about)


def ship(donor, folder, name):
    """Put a checkpoint into a folder as weights that come with the package, with a description beside it."""
    folder.mkdir(exist_ok=True)
    about = halve_checkpoint(donor, folder / f"{name}.safetensors")
    (folder / f"{name}.json").write_text(json.dumps(about | {"recipe": "paper"}), encoding="utf-8")


def test_shipped_weights_are_found_and_named_where_they_are_not(pairs, small, donor, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "shipped_folder", lambda: tmp_path / "weights")
    config = replace(small, init="shipped")
    with pytest.raises(DataError, match=r"no weights come with lfdtcmen .* \[shipped\]; train with"):
        stage_checkpoint(2, config, pairs, progress=False)
    ship(donor, tmp_path / "weights", "faces")
    model = build_model(config, 3)
    start_from(model, config, pairs.label_names)
    assert_close(state(model), state(load_model(donor)[0]), atol=1e-3, rtol=1e-3)
    with pytest.raises(DataError, match=r"no shipped weights have .*: there are faces \(recipe paper\)"):
        weights.find_weights("shipped", replace(small, flow="single").network)
    ship(donor, tmp_path / "weights", "wild")
    ship(donor, tmp_path / "weights", "more")
    assert [*weights.shipped_weights()] == ["wild", "faces", "more"]
    assert weights.find_weights("shipped").stem == weights.find_weights("shipped", small.network).stem == "wild"
    (tmp_path / "weights" / "wild.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="without a usable description"):
        weights.find_weights("shipped", small.network)


def test_the_home_of_nobody_is_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="there is no such checkpoint file"):
        weights.find_weights("~nobody of this name/stage3.safetensors")
    with pytest.raises(DataError, match="there is no such annotation file"):
        read_table("~nobody of this name/labels.csv")
    with pytest.raises(DataError, match="there is no file"):
        load_config(vgg_weights="~nobody of this name/vgg.pth")


def test_half_a_checkpoint_predicts_the_same_and_keeps_its_history(pairs, donor, tmp_path):
    about = halve_checkpoint(donor, tmp_path / "half.safetensors")
    model, described = load_model(tmp_path / "half.safetensors")
    assert about == described == load_model(donor)[1]
    assert (tmp_path / "half.safetensors").stat().st_size < 0.55 * donor.stat().st_size
    assert_close(predict(model, pairs), predict(load_model(donor)[0], pairs), atol=2e-3, rtol=0)
    assert load_history(tmp_path / "half.safetensors") == load_history(donor)


def test_a_weight_beyond_half_precision_is_not_shipped(donor, tmp_path):
    rewrite(
        donor, lambda tensors, _: tensors["weights.tcme.classifier.weight"].fill_(1e5), tmp_path / "large.safetensors"
    )
    with pytest.raises(DataError, match=r"classifier.weight are NaN or infinite.*half precision ends"):
        halve_checkpoint(tmp_path / "large.safetensors", tmp_path / "half.safetensors")
    assert not (tmp_path / "half.safetensors").exists()


def test_a_notebook_takes_the_shipped_weights_of_its_own_training_alone(pairs, small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(weights, "shipped_folder", lambda: tmp_path / "weights")
    trained, history = stage_checkpoint(2, small, pairs, tmp_path, progress=False)
    file = checkpoint_file(2, small, pairs, tmp_path)
    halve_checkpoint(file, tmp_path / "weights" / "paper.safetensors", history.to_dict("records"))
    capsys.readouterr()
    found, same = stage_checkpoint(2, small, pairs, tmp_path / "other", weights="shipped")
    assert "the weights of paper.safetensors" in capsys.readouterr().out and not (tmp_path / "other").exists()
    assert_close(state(found), state(trained), atol=1e-3, rtol=1e-3)
    pd.testing.assert_frame_equal(same, history, check_dtype=False)
    assert checkpoint_file(2, small, pairs, tmp_path, weights="shipped") == tmp_path / "weights" / "paper.safetensors"
    other = replace(small, seed=small.seed + 1)
    assert checkpoint_file(2, other, pairs, tmp_path, weights="shipped").parent == tmp_path / "checkpoints"
    again = stage_checkpoint(2, other, pairs, progress=False, weights="shipped")[0]
    assert_close(state(again), state(stage_checkpoint(2, other, pairs, progress=False)[0]))
    with pytest.raises(DataError, match="unknown weights 'both'"):
        stage_checkpoint(2, small, pairs, weights="both")


@pytest.mark.parametrize("name", ["paper", "repaired", "wild"])
def test_the_shipped_weights_have_the_scores_that_are_recorded(name):
    record = weights.shipped_record(file := weights.shipped_weights()[name])
    assert file.stat().st_size <= 16e6
    about = load_model(file, EXTENDED)[1]
    assert about["label_names"] == record["label_names"] and about["data"] == record["data"]
    others = load_pairs(load_config("cpu", preset="other_world", subjects=12), n_jobs=1)
    assert set(record["data"]["people"]).isdisjoint(digest_people(others.manifest))
    found = score_table(predict_without_training([file], others)[0]).set_index("metric")["value"]
    for metric, score in record["few_people"].items():
        assert found[metric] == pytest.approx(score, abs=0.02)  # another processor may round one pair across


def test_the_frequencies_of_the_start_are_not_kept_where_classes_are_weighted(pairs, tmp_path):
    skewed = replace(pairs, labels=np.array([0, 1, 2] + [0] * (len(pairs) - 3)))
    sizes = {"epochs": (1, 1, 0), "batch_sizes": (4, 4, 4), "vgg_weights": "random"}
    first = load_config("smoke", "repaired_alone", imbalance=None, **sizes)
    stage_checkpoint(2, first, skewed, tmp_path, progress=False, method=EXTENDED)
    start = str(checkpoint_file(2, first, skewed, tmp_path))
    for imbalance, known in ((None, True), ("class_weights", False)):
        config = replace(first, init=start, imbalance=imbalance)
        model, _ = stage_checkpoint(2, config, pairs, progress=False, method=EXTENDED)
        assert bool(model.tcme.log_prior.any()) is known


def test_networks_that_are_not_the_starts_are_left_out(pairs, small, donor, tmp_path):
    config = load_config("smoke", **{name: getattr(small, name) for name in ("drl", "motion")}, init=str(donor))
    names = models(config, tmp_path)
    assert "lfd-tcmen" in names and "flow-branch" in names and "motion-branch" not in names
    assert "motion-branch" in models(replace(config, init=None), tmp_path)
