"""Profiles and overrides."""

import re
from dataclasses import FrozenInstanceError

import pytest

from lfdtcmen import DataError, load_config
from lfdtcmen.config import PROFILES


def test_profiles_change_sizes_only_but_for_the_weights_of_vgg():
    sizes = {"subjects", "add_subjects", "epochs", "batch_sizes", "perceptual_size", "perceptual_taps", "folds"}
    for profile, values in PROFILES.items():
        assert set(values) - {"vgg_weights"} <= sizes
        assert load_config(profile).vgg_weights == ("try_download" if profile == "gpu" else "auto")
        assert load_config(profile).profile == profile


def test_the_environment_chooses_the_weights_of_vgg_and_the_argument_wins(monkeypatch):
    monkeypatch.setenv("LFDTCMEN_VGG_WEIGHTS", "random")
    assert load_config("gpu").vgg_weights == "random"
    assert load_config("gpu", vgg_weights="auto").vgg_weights == "auto"
    monkeypatch.setenv("LFDTCMEN_VGG_WEIGHTS", "gone.pth")
    with pytest.raises(DataError, match="there is no file 'gone"):
        load_config()


def test_the_environment_chooses_the_profile_and_the_argument_wins(monkeypatch):
    monkeypatch.setenv("LFDTCMEN_PROFILE", "smoke")
    assert load_config().profile == "smoke"
    assert load_config("gpu").profile == "gpu"
    monkeypatch.delenv("LFDTCMEN_PROFILE")
    assert load_config().profile == "cpu"


def test_overrides_replace_fields():
    assert load_config("smoke", seed=4, epochs=(1, 1, 1)).epochs == (1, 1, 1)
    with pytest.raises(DataError, match="unknown config field 'epoch'"):
        load_config(epoch=3)
    with pytest.raises(DataError, match=r"unknown profile 'fast'.*smoke"):
        load_config("fast")
    for field in ("preset", "label_map", "mixed_precision"):
        with pytest.raises(DataError, match=f"unknown {field} 'medium'"):
            load_config("smoke", **{field: "medium"})


def test_a_config_is_frozen():
    with pytest.raises(FrozenInstanceError):
        load_config().seed = 1


def test_a_recipe_changes_the_way_and_the_profile_the_size():
    assert load_config("smoke").recipe == "paper"
    repaired = load_config("smoke", recipe="repaired")
    assert repaired.generator == "warp_difference"
    assert repaired.subjects == load_config("smoke").subjects
    assert load_config("smoke", recipe="repaired", bottleneck=0).bottleneck == 0
    with pytest.raises(DataError, match=r"unknown recipe 'mine'.*repaired"):
        load_config(recipe="mine")
    with pytest.raises(DataError, match="the paper's network cannot be pretrained"):
        load_config("smoke", pretraining=10)
    with pytest.raises(DataError, match="pretraining without a change loss"):
        load_config("smoke", generator="warp_difference", pretraining=10)
    with pytest.raises(DataError, match="change_first without a change loss"):
        load_config("smoke", change_first=0.5)


def test_the_papers_recipe_has_nothing_of_ours():
    config = load_config("cpu")
    assert (config.generator, config.bottleneck, config.fusion) == ("image", 0, "concatenate")
    assert not (config.contrast_normalised or config.normalised_difference or config.pretraining)
    assert config.is_paper
    assert not load_config("cpu", recipe="repaired").is_paper and not load_config("cpu", stage1={"rest": 1.0}).is_paper


@pytest.mark.parametrize(
    "numbers",
    [
        *({"subjects": 0}, {"epochs": (1, -1, 1)}, {"batch_sizes": (8, 8, 0)}, {"folds": 1}, {"warmup": -0.1}),
        *({"perceptual_weight": -1}, {"bottleneck": -3}, {"pretraining_groups": 0}, {"pretraining_rate": -1.0}),
    ],
)
def test_a_number_that_is_too_small_is_named(numbers):
    ((field, value),) = numbers.items()
    with pytest.raises(DataError, match=f"{field} must be .* or more, got {re.escape(repr(value))}"):
        load_config(**numbers)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": (1, 1)}, r"epochs must be three numbers, got \(1, 1\)"),
        ({"batch_sizes": 16}, "batch_sizes must be three numbers, got 16"),
        ({"warmup": 5.0}, "warmup must be at most 1"),
        ({"change_first": 7.0, "stage1": {"change": 1.0}}, "change_first must be at most 1"),
        ({"perceptual_taps": ()}, "the perceptual loss has no layer"),
        ({"flow": "tripple"}, "unknown flow 'tripple'"),
        ({"drl": "ful"}, "unknown drl 'ful'"),
        ({"pretraining_preset": "other_world"}, "unknown pretraining_preset 'other_world'"),
    ],
)
def test_values_that_would_fail_later_are_named_at_once(given, message):
    with pytest.raises(DataError, match=message):
        load_config("smoke", **given)


def test_a_list_is_taken_for_a_tuple():
    assert load_config("smoke", epochs=[6, 20, 2]).epochs == (6, 20, 2)
