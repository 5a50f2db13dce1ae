"""Training on the stand-in device: one wait a step, the same numbers as on the CPU, and which device is found."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import Parallel, delayed
from torch.testing import assert_close

from lfdtcmen import DataError, devices, load_config
from lfdtcmen.beyond.method import EXTENDED
from lfdtcmen.beyond.pretraining import SwapTask
from lfdtcmen.datasets.synthetic import ACTION_UNITS, Swaps
from lfdtcmen.devices import find_device
from lfdtcmen.doctor import check_torch
from lfdtcmen.training import audit, build_model, load_model, loop, predict, stage_checkpoint, train_stage
from lfdtcmen.training.batches import PairTensors
from lfdtcmen.training.loop import Schedule, fit
from lfdtcmen.training.method import PAPER, Method
from lfdtcmen.training.stages import StageTask
from tests.device.stand_in import Operations, stand_in
from tests.training.helpers import make_pairs, state

ALL_VARIATIONS = {"flow_shift": 2, "amplitude_jitter": 0.3, "max_shift": 2}


def test_the_device_is_cuda_then_mps_then_the_cpu():
    assert find_device().type == "cpu"
    with stand_in("mps"):
        assert find_device().type == "mps"
        assert [check.detail for check in check_torch()][-1] == "GPU: Apple's (mps)"
        with stand_in("cuda"):
            assert find_device().type == "cuda"
            assert [check.detail for check in check_torch()][-1] == "GPU: stand-in"


def count_waits(device: Operations, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return a list that grows by what each step of the training loop waited for."""
    waits: list[list[str]] = []
    step = torch.optim.lr_scheduler.LambdaLR.step

    def ended(self, *arguments):
        waits.append([*device.waits])
        device.waits.clear()
        return step(self, *arguments)  # the first time when it is made, before the first step

    monkeypatch.setattr(torch.optim.lr_scheduler.LambdaLR, "step", ended)
    return waits


@pytest.mark.parametrize("recipe", ["paper", "repaired_alone"])
@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_step_waits_for_the_device_once_at_its_end(device, config, recipe, stage, monkeypatch):
    settings = {"epochs": (2, 2, 2), "batch_sizes": (4, 4, 4), **ALL_VARIATIONS}
    config = load_config("smoke", recipe=recipe, perceptual_taps=("relu1_2",), vgg_weights="random", **settings)
    method: Method = PAPER if recipe == "paper" else EXTENDED
    model, waits = build_model(config, 3, method), count_waits(device, monkeypatch)
    pairs = replace(make_pairs(), weights=np.full(8, 0.5, np.float32))
    history = train_stage(model, pairs, stage, config, progress=False, method=method)
    assert len(history) == len(waits) - 1 == 4 and np.isfinite(history["total"]).all()
    assert waits[2:] == [["tolist"]] * 3  # of the step before; what all steps need is moved there in the first


@pytest.mark.parametrize("imbalance", ["class_weights", "focal", "logit_adjusted", "balanced_sampling"])
def test_no_loss_of_an_imbalanced_set_waits(device, pairs, imbalance, monkeypatch):
    config = load_config("smoke", imbalance=imbalance, epochs=(0, 2, 0), batch_sizes=(4, 4, 4))
    waits = count_waits(device, monkeypatch)
    train_stage(build_model(config, 3, EXTENDED), pairs, 2, config, progress=False, method=EXTENDED)
    assert waits[2:] == [["tolist"]] * 3


def random_swaps() -> Swaps:
    rng = np.random.default_rng(0)
    onset, apex = (rng.integers(0, 256, (2, 8, *m, 64, 64, 3), dtype=np.uint8) for m in ((), (8,)))
    units = rng.random((2, 8, len(ACTION_UNITS), 2)).astype(np.float32)
    return Swaps(onset, onset, apex, apex, units)


def test_pretraining_waits_once_a_step_and_its_batches_are_those_of_the_cpu(monkeypatch):
    monkeypatch.setattr("lfdtcmen.beyond.pretraining.make_swaps", lambda *_, **__: random_swaps())
    config = load_config("smoke", recipe="repaired", pretraining=3, batch_sizes=(4, 4, 4), pretraining_variation=1.0)
    here, batches = SwapTask(build_model(config, 2, EXTENDED), config, False), {}
    here.begin()
    batches["cpu"] = next(iter(here.batches(0)))
    with stand_in() as device:
        task = SwapTask(build_model(config, 2, EXTENDED), config, False)
        waits = count_waits(device, monkeypatch)
        fit(task, task.parts, Schedule(3, 1, 1e-3, 0.0, 0.1, 1.0), progress=False)
        assert waits[2:] == [["tolist"]] * 2
        batches["device"] = next(iter(task.batches(0)))
        assert all(part.is_cuda for part in vars(batches["device"]).values())
        for name, value in vars(batches["cpu"]).items():
            assert_close(getattr(batches["device"], name).cpu(), value, rtol=0, atol=0)


def test_the_device_trains_to_the_weights_of_the_cpu_and_loads_them(pairs, config, tmp_path):
    config = replace(config, mixed_precision="off", epochs=(0, 3, 0), **ALL_VARIATIONS)  # stage 1 rounds differently
    here, history = stage_checkpoint(2, config, pairs, tmp_path / "cpu", progress=False)
    with stand_in():
        there, other = stage_checkpoint(2, config, pairs, tmp_path / "device", progress=False)
        again, _ = stage_checkpoint(2, config, pairs, tmp_path / "cpu", progress=False)  # of the CPU, loaded
        loaded, _ = load_model(next((tmp_path / "device" / "checkpoints").glob("stage2*")))
        assert all(p.is_cuda for model in (there, again, loaded) for p in model.parameters())
        probabilities = [predict(model, pairs) for model in (there, again, loaded)]
        weights = {name: value.cpu() for name, value in state(there).items()}
    assert_close(weights, state(here), rtol=0, atol=0)
    assert all((p == predict(here, pairs)).all() for p in probabilities)
    pd.testing.assert_frame_equal(history.drop(columns="seconds"), other.drop(columns="seconds"))


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_training_killed_on_the_device_goes_on_there_to_the_same_weights(device, pairs, config, stage, tmp_path):
    monkeypatch = pytest.MonkeyPatch()
    config = replace(config, batch_sizes=(8, 8, 8))  # two epochs of one step
    whole = build_model(config, 3)
    train_stage(whole, pairs, stage, config, progress=False)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "SAVE_EVERY", 0)

        def stop(epoch, model):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train_stage(build_model(config, 3), pairs, stage, config, tmp_path / "s.safetensors", False, stop)
    resumed = build_model(config, 3)
    history = train_stage(resumed, pairs, stage, config, tmp_path / "s.safetensors", False)
    assert len(history) == 2
    assert_close(state(resumed), state(whole), rtol=0, atol=0)


def test_a_batch_of_the_device_is_the_one_of_the_set(pairs):
    index = np.array([3, 0, 5])
    readonly = replace(pairs, onset=pairs.onset.copy())
    readonly.onset.flags.writeable = False  # as joblib gives large arrays to its processes
    for given in (pairs, readonly, replace(pairs, streams=None, weights=np.full(8, 0.5, np.float32))):
        found, expected = PairTensors(given, torch.device("cpu")).batch(index), given.batch(index)
        for name, value in vars(expected).items():
            other = getattr(found, name)
            assert (other is None) == (value is None)
            if value is not None:
                assert_close(other, value, rtol=0, atol=0)
                assert other.stride() == value.stride()


def test_a_flow_that_is_not_finite_stops_before_the_first_step(pairs, config):
    pairs.streams[2, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match="NaN or infinite"):
        train_stage(build_model(config, 3), pairs, 1, config, progress=False)


def test_apples_gpu_trains_and_is_measured_without_numbers_of_64_bits(config):
    config = replace(config, recipe="repaired_alone", epochs=(1, 1, 1), **ALL_VARIATIONS)
    with stand_in("mps"):
        model, _ = stage_checkpoint(3, config, make_pairs(), progress=False, method=EXTENDED)
        task = StageTask(model, make_pairs(), 3, config, EXTENDED, None)
        task.begin()
        for batch in task.batches(0):
            task.loss(batch)[0].backward()
        assert audit(model)["gradient"].notna().any()
        assert predict(model, make_pairs()).shape == (8, 3)


@pytest.mark.parametrize(("free", "expected"), [(80, 4), (3, 2), (0.5, 1)])
def test_as_many_processes_train_side_by_side_as_the_memory_holds(device, free, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (int(free * 2**30), 80 * 2**30))
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda: int(0.6 * 2**30))
    asked: list[int] = []

    def here(n_jobs: int, return_as: str) -> Parallel:
        asked.append(n_jobs)
        return Parallel(n_jobs=1, return_as=return_as)

    monkeypatch.setattr(devices, "parallel", here)
    assert list(devices.side_by_side(map(delayed(abs), [-1, -2, -3]), 4)) == [1, 2, 3]
    assert list(devices.side_by_side(map(delayed(abs), [-1]), 1)) == [1]
    assert asked == [expected, 1]
