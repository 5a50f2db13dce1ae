"""What `predict` says of a network that never saw one of its classes."""

from lfdtcmen.predict.clip import _warn_of_network


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
