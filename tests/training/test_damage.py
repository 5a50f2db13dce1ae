"""No damaged checkpoint loads silently: each is refused in one line, whatever was done to the file."""

import random

import pytest
import torch

from lfdtcmen import DataError
from lfdtcmen.training import build_model, checkpoint_file, load_model, stage_checkpoint, train_stage
from lfdtcmen.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from tests.training.helpers import rewrite

TRIALS = 48  # files with 1 to 64 flipped bits


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A checkpoint of stage 2 with its config and pairs."""
    from lfdtcmen import load_config
    from tests.training.helpers import make_pairs

    config = load_config("smoke", epochs=(1, 1, 1), perceptual_taps=("relu1_2",), vgg_weights="random")
    pairs, folder = make_pairs(), tmp_path_factory.mktemp("run")
    stage_checkpoint(2, config, pairs, folder, progress=False)
    return checkpoint_file(2, config, pairs, folder), config, pairs


def in_one_line(error: pytest.ExceptionInfo) -> bool:
    return "\n" not in str(error.value)


@pytest.mark.parametrize("trial", range(TRIALS))
def test_flipped_bits_never_load(whole, tmp_path, trial):
    file, rng = whole[0], random.Random(trial)
    content = bytearray(file.read_bytes())
    header = 8 + int.from_bytes(content[:8], "little")
    end = min(header, len(content)) if trial % 3 == 0 else len(content)  # a third of them in the header
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        content[rng.randrange(end)] ^= 1 << rng.randrange(8)
    damaged = tmp_path / file.name
    damaged.write_bytes(content)
    with pytest.raises(DataError) as error:
        load_model(damaged)
    assert in_one_line(error)


@pytest.mark.parametrize("kept", [0, 1, 8, 100, 0.5, 0.999])
def test_a_truncated_file_is_refused(whole, tmp_path, kept):
    content = whole[0].read_bytes()
    (tmp_path / "cut").write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    with pytest.raises(DataError, match="cannot be read"):
        load_model(tmp_path / "cut")


def value(name, new):
    return lambda tensors, values: tensors[name].view(-1)[:1].fill_(new)


def converted(dtype):
    return lambda tensors, values: tensors.update({n: v.to(dtype) for n, v in tensors.items() if "classifier" in n})


WEIGHT = "weights.tcme.classifier.weight"
CHANGES = {
    "NaN": (value(WEIGHT, float("nan")), r"classifier.weight are NaN or infinite"),
    "infinite": (value(WEIGHT, float("-inf")), r"classifier.weight are NaN or infinite"),
    "float16": (converted(torch.float16), r"are torch.float16, not torch.float32"),
    "float64": (converted(torch.float64), r"are torch.float64, not torch.float32"),
    "a weight missing": (lambda tensors, values: tensors.pop(WEIGHT), "do not fit the network"),
    "a weight more": (lambda tensors, values: tensors.update({WEIGHT + "2": tensors[WEIGHT].clone()}), "do not fit"),
    "another shape": (lambda tensors, values: tensors.update({WEIGHT: tensors[WEIGHT][:2]}), "do not fit"),
    "no epoch": (lambda tensors, values: values.pop("epoch"), "no usable epoch"),
    "epoch None": (lambda tensors, values: values.update(epoch=None), "no usable epoch"),
    "settings None": (lambda tensors, values: values.update(settings=None), "no usable settings"),
    "about a list": (lambda tensors, values: values.update(about=[]), "no usable about"),
    "no about": (lambda tensors, values: values.update(about=None), "does not say what it was trained on"),
    "about without network": (lambda tensors, values: values["about"].pop("network"), r"network missing"),
    "another network": (lambda tensors, values: values["about"].update(network={"drl": "x"}), "describes no network"),
    "network None": (lambda tensors, values: values["about"].update(network=None), "describes no network"),
    "another ablation": (lambda tensors, values: values["about"]["network"].update(flow="single"), "do not fit"),
    "more classes": (lambda tensors, values: values["about"].update(label_names=list("abcdefg")), "do not fit"),
    "classes no list": (lambda tensors, values: values["about"].update(label_names=3), "describes no network"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_no_training_writes_is_refused(whole, tmp_path, case):
    change, message = CHANGES[case]
    rewrite(whole[0], change, tmp_path / "changed")
    with pytest.raises(DataError, match=message) as error:
        load_model(tmp_path / "changed")
    assert in_one_line(error)


def test_a_training_goes_on_with_a_whole_checkpoint_only(whole, tmp_path):
    file, config, pairs = whole
    for case in ("NaN", "float16", "no epoch", "settings None"):
        rewrite(file, CHANGES[case][0], tmp_path / "changed")
        with pytest.raises(DataError, match=CHANGES[case][1]):
            train_stage(build_model(config, 3), pairs, 2, config, tmp_path / "changed", progress=False)
    rewrite(file, lambda tensors, values: tensors.pop("history"), tmp_path / "changed")
    with pytest.raises(DataError, match="no history"):
        train_stage(build_model(config, 3), pairs, 2, config, tmp_path / "changed", progress=False)


def test_a_folder_or_other_file_is_refused(whole, tmp_path):
    _, config, pairs = whole
    with pytest.raises(DataError, match="no such checkpoint file"):
        load_model(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        train_stage(build_model(config, 3), pairs, 2, config, tmp_path, progress=False)
    for content in (b"hello", b"\x00" * 64, b'{"a": 1}', (2).to_bytes(8, "little") + b"[]"):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(DataError, match=r"cannot be read|no checkpoint"):
            load_model(tmp_path / "other")


def test_weights_that_are_not_finite_are_not_written(whole, tmp_path):
    model = build_model(whole[1], 3)
    kept = Checkpoint(tmp_path / "stage2.safetensors", {"stage": 2})
    save_checkpoint(kept, model, epoch=1)
    with torch.no_grad():
        model.tcme.classifier.weight[0, 0] = float("nan")
    with pytest.raises(DataError, match="NaN or infinite"):
        save_checkpoint(kept, model, epoch=2)
    assert load_checkpoint(kept, build_model(whole[1], 3))["epoch"] == 1


def test_a_checkpoint_of_an_earlier_version_is_named_and_trained_again(whole, tmp_path):
    _, config, pairs = whole
    earlier = tmp_path / "stage2.pt"
    torch.save({"settings": {}, "weights": {}}, earlier)
    with pytest.warns(UserWarning, match=r"stage2.pt is of an earlier version.*training again"):
        train_stage(build_model(config, 3), pairs, 2, config, earlier.with_suffix(".safetensors"), progress=False)
