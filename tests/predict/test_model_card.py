"""A checkpoint tells what it is, a network comes back from the file alone, and the model card has no blank left."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from lfdtcmen import DataError, load_config
from lfdtcmen.datasets.pairs import PairSet
from lfdtcmen.predict.model_card import write_model_card
from lfdtcmen.training import checkpoint_file, load_model, predict, stage_checkpoint
from lfdtcmen.training.checkpoint import describe
from tests.training.helpers import rewrite

HELD_OUT = {
    "subjects": 12,
    "samples": {"negative": 20, "positive": 3, "surprise": 0},
    "scores": {
        "UF1": {"value": 0.51, "low": 0.4, "high": 0.62, "majority": 0.26},
        "UAR": {"value": 0.53, "low": 0.41, "high": 0.66, "majority": 1 / 3},
    },
    "recall": {"negative": 0.8, "positive": 1 / 3, "surprise": None},
}
HEADINGS = (
    "Model details",
    "Intended use",
    "Out of scope",
    "Factors",
    "Training data",
    "Evaluation data",
    "Metrics and results",
    "On your own clips",
    "Limitations",
    "Responsible use",
    "How to make it again",
)


@pytest.fixture(scope="module")
def pairs() -> PairSet:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 6, 32, 32, 3), dtype=np.uint8)
    people = [f"synthetic/s{k % 3}" for k in range(6)]
    manifest = pd.DataFrame({"dataset": "synthetic", "subject": people, "fps": 30.0})
    streams = rng.standard_normal((6, 3, 28, 28)).astype(np.float32)
    return PairSet(manifest, *frames, np.arange(6) % 3, ("negative", "positive", "surprise"), streams=streams)


@pytest.fixture(scope="module")
def config():
    return load_config("smoke", epochs=(1, 1, 1), perceptual_taps=("relu1_2",), vgg_weights="random", seed=4)


@pytest.fixture(scope="module")
def trained(pairs, config, tmp_path_factory):
    """A run's folder with the checkpoints of all three stages, and the network that came out."""
    run_dir = tmp_path_factory.mktemp("run")
    model, _ = stage_checkpoint(3, config, pairs, run_dir, progress=False)
    return run_dir, model


def test_the_file_alone_gives_the_network_back(trained, pairs, config):
    run_dir, model = trained
    again, about = load_model(checkpoint_file(3, config, pairs, run_dir))
    assert not again.training
    np.testing.assert_array_equal(predict(again, pairs), predict(model.cpu(), pairs))
    assert about["label_names"] == ["negative", "positive", "surprise"] and about["label_map"] == "3class"
    assert about["stage"] == 3 and about["epoch"] == about["epochs"] == 1
    assert about["data"]["samples"] == {"negative": 2, "positive": 2, "surprise": 2}
    assert about["data"]["subjects"] == 3 and about["data"]["fps"] == [30.0] and about["data"]["synthetic"]
    assert about["seed"] == 4 and about["version"] and about["date"] and "stand-in" in about["vgg19"]


def test_an_ablated_network_comes_back_as_it_was(pairs, config, tmp_path):
    config = replace(config, drl=None, motion=None, flow="single")
    model, _ = stage_checkpoint(2, config, pairs, tmp_path, progress=False)
    again, _ = load_model(checkpoint_file(2, config, pairs, tmp_path))
    assert_close(again.state_dict(), model.cpu().state_dict(), atol=0, rtol=0)


def test_what_is_no_classifier_is_refused(trained, pairs, config, tmp_path):
    run_dir, _ = trained
    with pytest.raises(DataError, match=r"stage 1.*give the checkpoint of stage 2 or 3"):
        load_model(checkpoint_file(1, config, pairs, run_dir))
    with pytest.raises(DataError, match="no such checkpoint file"):
        load_model(tmp_path / "none.pt")
    whole = checkpoint_file(2, config, pairs, run_dir)
    for name, content in {"cut.pt": whole.read_bytes()[:1000], "text.pt": b"hello", "empty.pt": b""}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="cannot be read"):
            load_model(tmp_path / name)
    torch.save({"state_dict": {}}, tmp_path / "other.pt")
    with pytest.raises(DataError, match="no checkpoint of lfdtcmen"):
        load_model(tmp_path / "other.pt")


def test_a_checkpoint_of_an_earlier_version_says_train_again(trained, pairs, config, tmp_path):
    run_dir, _ = trained
    torch.save({"settings": {"stage": 2}, "weights": {}}, tmp_path / "old.pt")
    with pytest.raises(DataError, match=r"earlier version.*train again"):
        load_model(tmp_path / "old.pt")
    whole, changed = checkpoint_file(2, config, pairs, run_dir), tmp_path / "changed.safetensors"
    rewrite(whole, lambda tensors, values: tensors.pop(max(tensors)), changed)  # one of the weights
    with pytest.raises(DataError, match=r"do not fit the network.*train again"):
        load_model(changed)


@pytest.fixture
def about(pairs, config):
    return describe(config, 3, pairs)


def test_the_card_has_every_heading_and_no_blank(about, tmp_path):
    card = write_model_card(tmp_path, about, "stage3-0123abcd.pt", HELD_OUT, "lfdtcmen train -p smoke").read_text()
    assert tuple(re.findall(r"^## (.+)$", card, flags=re.MULTILINE)) == HEADINGS
    for mark in ("$", "{", "}", "None", "nan", "TODO", "[]", " \n", "\n\n\n"):
        assert mark not in card, mark
    for part in card.split("\n## ")[1:]:
        assert len(part.split("\n", 1)[1].strip()) > 40, part  # no heading stands alone
    for text in ("stage3-0123abcd.pt", "lfdtcmen train -p smoke", "RESPONSIBLE_USE.md", "seed 4", about["date"]):
        assert text in card


def test_the_card_tells_the_scores_with_intervals_and_subjects(about, tmp_path):
    card = write_model_card(tmp_path, about, "x.pt", HELD_OUT, "lfdtcmen train").read_text()
    assert "| UF1 | 0.510 | 0.400 to 0.620 | 0.260 |" in card
    assert "12 held-out subjects" in card
    assert "| positive | 3 | 33% |" in card and "| surprise | 0 | no sample |" in card


def test_the_card_names_synthetic_faces_only_where_they_are_used(about, tmp_path):
    card = write_model_card(tmp_path, about, "x.pt", HELD_OUT, "lfdtcmen train").read_text()
    assert "synthetic faces" in card.splitlines()[0] and "not on people" in card
    about["data"] |= {"sets": ["casme3", "samm"], "synthetic": False, "preset": None}
    card = write_model_card(tmp_path, about, "x.pt", HELD_OUT, "lfdtcmen train").read_text()
    assert "casme3 and samm" in card.splitlines()[0] and "synthetic" not in card.lower()


def test_the_card_of_stage_1_has_no_scores(pairs, config, tmp_path):
    held_out = {"subjects": 12, "samples": HELD_OUT["samples"]}
    card = write_model_card(
        tmp_path, describe(config, 1, pairs), "x.pt", held_out, "lfdtcmen train --stage 1"
    ).read_text()
    assert (
        "cannot classify" in card and "No scores: stage 1 does not learn to classify." in card and "| UF1" not in card
    )


def test_no_folder_of_this_machine_is_in_card_or_checkpoint(pairs, config, tmp_path):
    config = replace(config, vgg_weights=str(tmp_path / "vgg19.pth"))
    about = describe(config, 3, pairs)
    assert str(tmp_path) not in repr(about) and "vgg19.pth" in about["vgg19"]
    assert str(tmp_path) not in write_model_card(tmp_path, about, "x.pt", HELD_OUT, "lfdtcmen train").read_text()
