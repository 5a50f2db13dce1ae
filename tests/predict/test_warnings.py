"""What `predict` says of a network and of a clip's name."""

from lfdtcmen.predict.clip import _readable, _warn_of_network


def test_a_name_that_is_not_unicode_can_be_written():
    assert _readable("caf\udce9") == "caf\ufffd" and _readable("café") == "café"


def test_a_class_that_was_never_trained_is_named():
    about = {
        "data": {"synthetic": False, "samples": {"negative": 3, "others": 0}},
        "epoch": 2,
        "epochs": 2,
        "profile": "cpu",
    }
    assert list(_warn_of_network(about, None)) == [
        "The network was trained without a clip of others: it cannot recognise that."
    ]
    about["data"]["samples"]["others"] = 1
    assert not list(_warn_of_network(about, None))
    assert "its answers mean nothing" in next(_warn_of_network(about | {"profile": "smoke"}, None))
