"""`--set field=value`: every field can be reached, every mistake is named."""

from dataclasses import fields

import pytest

from lfdtcmen.config import Config, load_config
from lfdtcmen.errors import DataError
from lfdtcmen.settings import parse_settings

BASE = load_config("smoke")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("subjects=8", {"subjects": 8}),
        ("perceptual_weight=1e-2", {"perceptual_weight": 0.01}),
        ("margin = 2", {"margin": 2.0}),
        ("detach_consistency=true", {"detach_consistency": True}),
        ("detach_consistency=False", {"detach_consistency": False}),
        ("flow=none", {"flow": None}),
        ("flow=single", {"flow": "single"}),
        ("skips=none", {"skips": "none"}),  # a word of its own there: the field is never None
        ("epochs=6,20,2", {"epochs": (6, 20, 2)}),
        ("learning_rates=1e-3, 1e-3, 3e-4", {"learning_rates": (1e-3, 1e-3, 3e-4)}),
        ("perceptual_taps=relu1_2", {"perceptual_taps": ("relu1_2",)}),
        ("vgg_weights=/a=b.pt", {"vgg_weights": "/a=b.pt"}),
    ],
)
def test_a_value_is_read_as_the_type_of_its_field(text, expected):
    found = parse_settings([text], BASE)
    assert found == expected
    assert {name: type(value) for name, value in found.items()} == {k: type(v) for k, v in expected.items()}


def test_one_loss_weight_is_set_and_the_others_stay():
    found = parse_settings(["stage1.reconstruction=5", "stage1.cycle=2.5", "stage3.emotion=0"], BASE)
    assert set(found) == {"stage1", "stage3"}
    assert found["stage1"] == BASE.stage1 | {"reconstruction": 5.0, "cycle": 2.5}
    assert found["stage3"] == BASE.stage3 | {"emotion": 0.0}


def test_every_field_can_be_set_to_the_value_that_it_has():
    texts = []
    for field in fields(Config):
        value = getattr(BASE, field.name)
        if isinstance(value, dict):
            texts += [f"{field.name}.{loss}={weight}" for loss, weight in value.items()]
        elif isinstance(value, tuple):
            texts.append(f"{field.name}={','.join(map(str, value))}")
        elif field.name not in ("profile", "recipe"):
            texts.append(f"{field.name}={value}")
    assert load_config("smoke", **parse_settings(texts, BASE)) == BASE


def test_of_two_texts_for_one_field_the_later_one_counts():
    assert parse_settings(["subjects=8", "subjects=9"], BASE) == {"subjects": 9}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subjects", "'subjects' is not field=value"),
        ("subject=8", "unknown config field 'subject' [--set]; known fields: seed, preset, label_map, subjects"),
        ("stage1=5", "unknown config field 'stage1'"),
        ("stage1.magic=5", "stage1.reconstruction, stage1.cycle"),
        ("stage4.cycle=5", "unknown config field 'stage4.cycle'"),
        ("=5", "unknown config field ''"),
        ("subjects=many", "'many' is no value of subjects [--set]; subjects takes a whole number"),
        ("subjects=8.5", "subjects takes a whole number"),
        ("margin=wide", "margin takes a number"),
        ("margin=nan", "margin takes a number"),
        ("detach_consistency=1", "detach_consistency takes true or false"),
        ("epochs=6,20", "epochs takes 3 times a whole number: a,b,c"),
        ("epochs=none", "epochs takes 3 times a whole number"),
        ("perceptual_taps=", "perceptual_taps takes values separated by commas, each a word"),
        ("flow=", "flow takes a word, or none"),
        ("profile=gpu", "'profile' changes many fields [--set]; use -p"),
        ("recipe=repaired", "use --recipe"),
    ],
)
def test_a_mistake_names_what_is_known(text, message):
    with pytest.raises(DataError) as error:
        parse_settings([text], BASE)
    assert message in str(error.value) and "\n" not in str(error.value)
